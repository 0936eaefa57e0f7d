// SPDX-License-Identifier: Apache-2.0
#include "controller/api/schema_fields.hpp"

namespace controller {

std::span<const SchemaField> fields_of(config::Kind kind) {
  const auto ours = herald_fields(kind);
  return ours.empty() ? core_fields(kind) : ours;
}

std::string_view description_of(config::Kind kind) {
  switch (kind) {
    case config::Kind::IPAddressPool:
      return "Addresses for services.";
    case config::Kind::Community:
      return "Names for BGP communities, for use in advertisements and filters.";
    case config::Kind::BGPPeer:
      return "One BGP neighbour.";
    case config::Kind::BGPConfiguration:
      return "What a node is as a router. The one named default holds for all nodes, node.NAME for one instead.";
    case config::Kind::BGPAdvertisement:
      return "Which addresses go to which BGP neighbours, and how.";
    case config::Kind::BGPFilter:
      return "Rules for routes that come in or go out.";
    case config::Kind::BFDProfile:
      return "How neighbours that name it are watched by BFD.";
    case config::Kind::L2Advertisement:
      return "Which addresses are answered for by ARP and NDP, on which nodes and interfaces.";
    case config::Kind::SpeakerState:
      return "What the speaker of the node of this name says of itself. Not for people to write.";
    case config::Kind::Service:
      return "A name for something that answers at addresses and ports.";
    case config::Kind::EndpointSlice:
      return "Addresses behind a service.";
    case config::Kind::Node:
      return "A machine.";
    case config::Kind::Namespace:
      return "A space for names.";
    case config::Kind::Secret:
      return "Data that is not shown around.";
    case config::Kind::Event:
      return "Something that happened to an object.";
  }
  return {};
}

}  // namespace controller
