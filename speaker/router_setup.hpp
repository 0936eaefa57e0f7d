// SPDX-License-Identifier: Apache-2.0
// From resources to what the BGP router is told. Pure; knows nothing of sessions or of which prefixes are
// announced. What is missing keeps a neighbour down with a reason: never a peer without its password, never a
// filter taken for accept-all.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bgp/router_config.hpp"
#include "config/resources.hpp"
#include "speaker/desired.hpp"

namespace speaker {

struct RouterSetup {
  bgp::RouterConfig router;
  std::vector<bgp::NeighborConfig> neighbors;
  config::BGPConfiguration::Listen listen;
  config::BGPConfiguration::Kernel kernel;
  std::vector<config::BGPConfiguration::RpkiCache> rpki_caches;
  // Why there is no router on this node: nothing to do, or something is missing.
  std::optional<std::string> absent;
};

struct RouterFacts {
  std::string node;
  std::set<std::string> peers;                      // the BGPPeers that this node runs
  std::map<std::string, std::string> held_down;     // BGPPeer -> why it must stay down
  std::optional<net::RouterId> fallback_router_id;  // when neither configuration nor peer names one
};

[[nodiscard]] RouterSetup set_up_router(const config::Resources& resources, const RouterFacts& facts);

// The node's own configuration: "node.NAME" where there is one, else "default", else what an empty one says.
[[nodiscard]] const config::BGPConfiguration& bgp_configuration(const config::Resources& resources,
                                                                const std::string& node);

// How the router announces a prefix: one announcement per peer named, then one for the others.
[[nodiscard]] bgp::LocalRoute local_route(const Announcement& announcement);

}  // namespace speaker
