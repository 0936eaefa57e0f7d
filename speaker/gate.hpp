// SPDX-License-Identifier: Apache-2.0
// The gates between a service and the wire, in the order in which they are tried. The first that is shut
// is the answer to "why is this address not announced here?". Gates up to PeerNotSelected follow from the
// resources (desired.hpp); the rest are known only to those who hold elections and sessions.
#pragma once

#include <cstdint>
#include <string_view>

namespace speaker {

enum class Gate : std::uint8_t {
  Open,                // nothing stops it
  NotLoadBalancer,     // the service's type is another
  OtherClass,          // spec.loadBalancerClass belongs to somebody else
  NoAddress,           // no address was assigned yet
  NotInPool,           // the address lies in no pool
  NoAdvertisement,     // no advertisement selects the pool
  ServiceNotSelected,  // advertisements of the pool, but their service selectors pass it by
  NodeNotSelected,     // advertisements of the service, but their node selectors pass this node by
  NodeExcluded,        // label node.kubernetes.io/exclude-from-external-load-balancers
  NodeUnavailable,     // condition NetworkUnavailable, or no Node object where others have one
  NoEndpoints,         // no usable endpoint anywhere
  NoLocalEndpoint,     // externalTrafficPolicy Local, and none on this node
  NoPeer,              // BGP: no peer runs on this node
  PeerNotSelected,     // BGP: the advertisements name peers, and none of them runs on this node
  SessionDown,         // BGP: peers are selected, none is established
  NoSubnet,            // layer 2: no allowed interface with carrier has the subnet of the address
  NotOwner,            // layer 2: another node was elected
};

[[nodiscard]] std::string_view print(Gate gate);  // "NotLoadBalancer"

enum class Method : std::uint8_t { Bgp, Layer2 };
[[nodiscard]] std::string_view print(Method method);  // "bgp", "layer2"

}  // namespace speaker
