// SPDX-License-Identifier: Apache-2.0
#include "speaker/gate.hpp"

namespace speaker {

std::string_view print(Gate gate) {
  switch (gate) {
    case Gate::Open:
      return "Open";
    case Gate::NotLoadBalancer:
      return "NotLoadBalancer";
    case Gate::OtherClass:
      return "OtherClass";
    case Gate::NoAddress:
      return "NoAddress";
    case Gate::NotInPool:
      return "NotInPool";
    case Gate::NoAdvertisement:
      return "NoAdvertisement";
    case Gate::ServiceNotSelected:
      return "ServiceNotSelected";
    case Gate::NodeNotSelected:
      return "NodeNotSelected";
    case Gate::NodeExcluded:
      return "NodeExcluded";
    case Gate::NodeUnavailable:
      return "NodeUnavailable";
    case Gate::NoEndpoints:
      return "NoEndpoints";
    case Gate::NoLocalEndpoint:
      return "NoLocalEndpoint";
    case Gate::NoPeer:
      return "NoPeer";
    case Gate::PeerNotSelected:
      return "PeerNotSelected";
    case Gate::SessionDown:
      return "SessionDown";
    case Gate::NoSubnet:
      return "NoSubnet";
    case Gate::NotOwner:
      return "NotOwner";
  }
  return "?";
}

std::string_view print(Method method) {
  return method == Method::Bgp ? "bgp" : "layer2";
}

}  // namespace speaker
