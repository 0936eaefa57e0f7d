// SPDX-License-Identifier: Apache-2.0
// What a router is told: itself, its neighbours, and the routes it originates. Plain values, valid by
// construction; the reader of the configuration has checked them. Knows nothing of resources or files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bgp/decision_config.hpp"
#include "bgp/peer_config.hpp"
#include "bgp/policy/filter.hpp"
#include "bgp/wire/attributes.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"
#include "net/time.hpp"

namespace bgp {

enum class Kept : std::uint8_t { No, Yes };

// Whether somebody takes out changes of routes with drain_route_changes().
enum class RouteFeed : std::uint8_t { Off, On };

struct RouterConfig {
  net::Asn asn{};
  net::RouterId router_id{};
  DecisionConfig decision{};
  RouteFeed feed = RouteFeed::On;
  // Octets of messages that a neighbour may be behind the others that are told the same before it is sent its
  // routes apart. They are shared among all who are behind.
  std::size_t backlog_limit = 2 << 20;
  friend bool operator==(const RouterConfig&, const RouterConfig&) = default;
};

// RFC 4486: what happens when a peer sends more prefixes than it may.
struct PrefixLimit {
  std::uint32_t maximum = 0;       // per family; 0: no limit
  std::uint8_t warn_percent = 75;  // 0: no warning
  enum class Action : std::uint8_t { Stop, Warn } action = Action::Stop;
  std::optional<net::Seconds> restart{};  // after Stop; nothing: held down until cleared
  friend bool operator==(const PrefixLimit&, const PrefixLimit&) = default;
};

// Next hop that an internal peer gets for routes learned from external ones. External peers always get
// this router's own address: third-party next hops (RFC 4271 section 5.1.3) are not used.
enum class InternalNextHop : std::uint8_t { Unchanged, Self };

// What a session waits for before it is opened. Bfd: Router::bfd_ready().
enum class WaitFor : std::uint8_t { Nothing, Bfd };

struct NeighborConfig {
  std::string name;    // unique; how people and other parts of the configuration call it
  PeerConfig session;  // what the session needs: addresses, AS numbers, timers, families
  PrefixLimit ipv4_limit;
  PrefixLimit ipv6_limit;
  // RFC 8212: nothing is accepted without a filter that accepts it.
  FilterChain import{reject_all()};
  // Nothing: what this node announces, and nothing learned.
  std::optional<FilterChain> export_filter;
  InternalNextHop next_hop = InternalNextHop::Unchanged;
  // Rejected routes are kept for display (`routes in`) and counted exactly; they cost memory.
  Kept rejected = Kept::No;
  WaitFor wait_for = WaitFor::Nothing;
  // Not empty: something that the neighbour needs is missing (a filter, a secret). Kept down, and says so.
  std::string hold_down;
  // Administratively down, with the text for the peer (RFC 9003).
  std::optional<std::string> shutdown;
  friend bool operator==(const NeighborConfig&, const NeighborConfig&) = default;
};

// How a local route is announced to some of the neighbours.
struct Announcement {
  std::vector<std::string> peers{};           // names; empty: all
  std::optional<std::uint32_t> local_pref{};  // internal peers only
  std::optional<std::uint32_t> med{};
  std::uint8_t prepend = 0;  // own AS this many times more
  std::vector<Community> communities{};
  std::vector<LargeCommunity> large_communities{};
  friend bool operator==(const Announcement&, const Announcement&) = default;
};

// For one peer the first announcement that names it holds; a peer that none names does not get the route.
struct LocalRoute {
  std::vector<Announcement> announcements{};
  Origin origin = Origin::Igp;
  friend bool operator==(const LocalRoute&, const LocalRoute&) = default;
};

}  // namespace bgp
