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
#include "net/prefix.hpp"
#include "net/time.hpp"

namespace bgp {

enum class Kept : std::uint8_t { No, Yes };
enum class Draining : std::uint8_t { No, Yes };  // RFC 8326

// Whether somebody takes out changes of routes with drain_route_changes().
enum class RouteFeed : std::uint8_t { Off, On };

// When neighbours are told of a learned route. OnceInstalled: not before the kernel has a route of its prefix, which
// Router::installed() says; needs the feed. One that takes another's place in the kernel is told at once.
enum class TellLearned : std::uint8_t { AtOnce, OnceInstalled };
enum class Installed : std::uint8_t { No, Yes };

// RFC 4271 section 9.2.2.2: one route for all of the table's within `prefix`, while there are some.
struct Aggregate {
  net::Prefix prefix;
  bool summary_only = false;  // the routes within are not announced
  bool as_set = false;        // it has the AS numbers of the routes within, as a set, and their communities
  std::vector<Community> communities{};
  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

struct RouterConfig {
  net::Asn asn{};
  net::RouterId router_id{};
  std::optional<net::RouterId> cluster_id{};  // RFC 4456; nothing: router_id
  std::optional<net::Asn> confederation{};    // RFC 5065: its identifier; then `asn` is a member AS
  std::vector<Aggregate> aggregates{};
  DecisionConfig decision{};
  RouteFeed feed = RouteFeed::On;
  TellLearned tell_learned = TellLearned::AtOnce;
  Draining draining = Draining::No;  // of all neighbours
  // Octets of messages that a neighbour may be behind the others that are told the same before it is sent its
  // routes apart. They are shared among all who are behind.
  std::size_t backlog_limit = 2 << 20;
  friend bool operator==(const RouterConfig&, const RouterConfig&) = default;
};

// The AS that others know.
[[nodiscard]] inline net::Asn home_of(const RouterConfig& config) {
  return config.confederation.value_or(config.asn);
}

// RFC 4486: what happens when a peer sends more prefixes than it may.
struct PrefixLimit {
  std::uint32_t maximum = 0;       // per family; 0: no limit
  std::uint8_t warn_percent = 75;  // of either limit; 0: no warning
  enum class Action : std::uint8_t { Stop, Warn } action = Action::Stop;
  std::optional<net::Seconds> restart{};  // after Stop; nothing: held down until cleared
  std::uint32_t maximum_out = 0;          // that the neighbour may be told; 0: no limit
  friend bool operator==(const PrefixLimit&, const PrefixLimit&) = default;
};

// The next hop that a neighbour is told. Auto: external peers get this router's address, internal ones what was
// learned. Self: internal ones get this router's address for what was learned from others than internal ones. Keep:
// everybody gets what was learned, where it is of the family, or an IPv6 one that was agreed on (RFC 8950). Third-party
// next hops (RFC 4271 section 5.1.3) are used by Keep only.
enum class NextHopMode : std::uint8_t { Auto, Self, Keep };

// What becomes of private AS numbers (RFC 6996) in paths for external peers.
enum class PrivateAs : std::uint8_t { Kept, Removed, Replaced };

// How what is announced to a neighbour is changed, filters aside.
struct ExportOptions {
  NextHopMode next_hop = NextHopMode::Auto;
  std::optional<net::Ipv4Address> next_hop_ipv4{};  // instead of this router's own address
  std::optional<net::Ipv6Address> next_hop_ipv6{};
  PrivateAs private_as = PrivateAs::Kept;
  bool as_override = false;       // the neighbour's AS in a path becomes ours
  bool reflector_client = false;  // RFC 4456, internal peers
  // With a local AS that is not the router's: the router's own stands behind it in paths.
  bool prepend_own_as = false;
  friend bool operator==(const ExportOptions&, const ExportOptions&) = default;
};

// A default route that the neighbour always has from us: the one in the tables, else one of this router.
struct DefaultOriginate {
  std::vector<net::Prefix> when_present{};  // only while all of these are in the tables
  friend bool operator==(const DefaultOriginate&, const DefaultOriginate&) = default;
};

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
  ExportOptions out{};
  std::optional<DefaultOriginate> default_originate{};
  // RFC 7999: packets for routes with the community BLACKHOLE are dropped.
  bool accept_blackhole = false;
  // Of an external neighbour: its AS stands first in what it says, or the routes are treated as withdrawn (RFC 4271
  // section 6.3, RFC 7606 section 7.2).
  bool enforce_first_as = true;
  // RFC 7311: the accumulated metric is taken from the neighbour, and told to it.
  bool aigp = false;
  // How often an own AS number may stand in a received path.
  std::uint8_t allowed_own_as = 0;
  // With a local AS that is not the router's: it is put in front of received paths.
  bool prepend_local_as = false;
  // Rejected routes are kept for display (`routes in`) and counted exactly; they cost memory.
  Kept rejected = Kept::No;
  WaitFor wait_for = WaitFor::Nothing;
  // Not empty: something that the neighbour needs is missing (a filter, a secret). Kept down, and says so.
  std::string hold_down;
  // Administratively down, with the text for the peer (RFC 9003).
  std::optional<std::string> shutdown;
  // RFC 8326. Honoured: routes of external peers with GRACEFUL_SHUTDOWN are a last resort. Draining: what goes
  // to this neighbour says that it should be one.
  enum class GracefulShutdown : std::uint8_t { Ignored, Honoured };
  GracefulShutdown graceful_shutdown = GracefulShutdown::Honoured;
  Draining draining = Draining::No;
  // Not a neighbour but a pattern of some: every address of the range may connect, `range_limit` of them at a
  // time. Such a neighbour is called NAME/ADDRESS, and is gone with its session.
  std::optional<net::Prefix> range;
  std::uint32_t range_limit = 100;
  bool dynamic = false;  // made after a pattern
  // By what name announcements and filters mean the neighbour, where it is one of several of that name.
  std::string group;
  [[nodiscard]] const std::string& policy_name() const { return group.empty() ? name : group; }
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
  std::vector<ExtendedCommunity> extended_communities{};
  std::vector<Ipv6ExtendedCommunity> ipv6_extended_communities{};
  friend bool operator==(const Announcement&, const Announcement&) = default;
};

// For one peer the first announcement that names it holds; a peer that none names does not get the route.
struct LocalRoute {
  std::vector<Announcement> announcements{};
  Origin origin = Origin::Igp;
  friend bool operator==(const LocalRoute&, const LocalRoute&) = default;
};

}  // namespace bgp
