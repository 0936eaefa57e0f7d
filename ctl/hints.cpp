// SPDX-License-Identifier: Apache-2.0
#include "ctl/hints.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace ctl {
namespace {

struct Hint {
  std::string_view gate;
  std::string_view text;
};
constexpr auto hints = std::to_array<Hint>({
    {"NotLoadBalancer", "Set spec.type of the service to LoadBalancer."},
    {"OtherClass", "Its spec.loadBalancerClass is for somebody else; a speaker serves it with --class."},
    {"NoAddress", "`heraldctl describe service NAME` says why the controller gave it no address."},
    {"NotInPool", "`heraldctl get pools`: an IPAddressPool must have the address, or the service needs another."},
    {"ServiceNotSelected", "Compare serviceSelectors of the advertisements with the labels of the service."},
    {"NodeNotSelected", "Compare nodeSelectors of the advertisements with the labels of this node."},
    {"NodeExcluded", "Take the label node.kubernetes.io/exclude-from-external-load-balancers off the node."},
    {"NodeUnavailable", "There must be a Node object of this name, without the condition NetworkUnavailable."},
    {"NoEndpoints",
     "It needs an EndpointSlice with the label kubernetes.io/service-name and an endpoint that is ready."},
    {"NoLocalEndpoint",
     "With externalTrafficPolicy Local only nodes with an endpoint announce; Cluster makes all nodes announce."},
    {"NoPeer", "Write a BGPPeer whose nodeSelectors match this node."},
    {"PeerNotSelected", "Name a peer that runs on this node in spec.peers of the advertisement, or leave it out."},
    {"SessionDown", "`heraldctl peers` says what keeps the sessions down."},
    {"NoSubnet",
     "Layer 2 answers where an interface with carrier has the subnet of the address: choose a pool of that subnet, see "
     "spec.interfaces of the L2Advertisement, or announce by BGP."},
});

}  // namespace

std::string hint_for(std::string_view gate, std::string_view method) {
  if (gate == "NoAdvertisement")
    return std::string{"Write "} + (method == "bgp" ? "a BGPAdvertisement" : "an L2Advertisement") +
           " that selects the pool, to announce by " + (method == "bgp" ? "BGP." : "ARP and NDP.");
  const auto found = std::ranges::find(hints, gate, &Hint::gate);
  return found == hints.end() ? std::string{} : std::string{found->text};
}

std::vector<std::string> hints_for(const nlohmann::json& verdicts) {
  std::set<std::string> fine;  // addresses
  for (const auto& verdict : verdicts)
    if (verdict.value("announced", false) || verdict.value("gate", "") == "NotOwner")
      fine.insert(verdict.value("address", ""));
  std::vector<std::string> out;
  for (const auto& verdict : verdicts) {
    if (fine.contains(verdict.value("address", ""))) continue;
    auto hint = hint_for(verdict.value("gate", ""), verdict.value("method", ""));
    if (!hint.empty() && std::ranges::find(out, hint) == out.end()) out.push_back(std::move(hint));
  }
  return out;
}

}  // namespace ctl
