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

#include "bfd/session.hpp"
#include "bgp/router_config.hpp"
#include "config/resources.hpp"
#include "speaker/desired.hpp"

namespace speaker {

// How a neighbour is watched by BFD.
struct BfdWatch {
  // ByLink: direct when a link of this node has its address, else over several hops.
  enum class Distance : std::uint8_t { Direct, Far, ByLink };
  std::string profile;
  net::IpAddress remote;
  std::optional<net::IpAddress> source;
  std::string interface;
  Distance distance = Distance::ByLink;
  std::uint8_t minimum_ttl = 254;
  // With what the profile says of echoes, whether or not the path can have them.
  bfd::SessionConfig config;
  bool strict = false;  // the session waits for BFD, no longer than
  std::optional<std::chrono::seconds> hold_time;
  friend bool operator==(const BfdWatch&, const BfdWatch&) = default;
};

struct RouterSetup {
  bgp::RouterConfig router;
  std::vector<bgp::NeighborConfig> neighbors;
  std::set<std::string> unnumbered;            // interfaces on which a neighbour is to be found
  std::map<std::string, BfdWatch> bfd;         // by neighbour; those that are held or shut down are not watched
  std::map<std::string, BfdWatch> bfd_ranges;  // the same of neighbours that are made after a range, by its name
  config::BGPConfiguration::Listen listen;
  config::BGPConfiguration::Kernel kernel;
  // Set when some neighbour is asked to keep our routes while we restart: how long it does, and how long a restarted
  // router waits for what its neighbours know.
  struct Restart {
    net::Seconds time{};
    net::Seconds deferral{};
  };
  std::optional<Restart> restart;
  std::vector<config::BGPConfiguration::RpkiCache> rpki_caches;
  // Why there is no router on this node: nothing to do, or something is missing.
  std::optional<std::string> absent;
};

struct RouterFacts {
  std::string node;
  std::set<std::string> peers;                      // the BGPPeers that this node runs
  std::map<std::string, std::string> held_down;     // BGPPeer -> why it must stay down
  std::optional<net::RouterId> fallback_router_id;  // when neither configuration nor peer names one
  // Neighbours that were heard on links: interface -> link-local address, or why there is none yet.
  std::map<std::string, net::Result<net::Ipv6Address, std::string>> heard;
  bool draining = false;
};

[[nodiscard]] RouterSetup set_up_router(const config::Resources& resources, const RouterFacts& facts);

// The node's own configuration: "node.NAME" where there is one, else "default", else what an empty one says.
[[nodiscard]] const config::BGPConfiguration& bgp_configuration(const config::Resources& resources,
                                                                const std::string& node);

// How the router announces a prefix: one announcement per peer named, then one for the others.
[[nodiscard]] bgp::LocalRoute local_route(const Announcement& announcement);

}  // namespace speaker
