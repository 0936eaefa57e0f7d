// SPDX-License-Identifier: Apache-2.0
// What a router shows of itself: plain values for status, logs and tests.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bgp/peer.hpp"
#include "bgp/rib/ids.hpp"
#include "bgp/wire/attributes.hpp"
#include "net/prefix.hpp"
#include "net/time.hpp"

namespace bgp {

struct FamilyCounters {
  std::uint64_t received = 0;    // prefixes held from the peer: accepted, and rejected where those are kept
  std::uint64_t accepted = 0;    // of these, in the decision
  std::uint64_t filtered = 0;    // announcements that import filters or loop detection rejected, ever
  std::uint64_t leaked = 0;      // of announcements that RFC 9234 forbids, ever
  std::uint64_t best = 0;        // prefixes for which this peer's path is the best
  std::uint64_t advertised = 0;  // prefixes that the peer has from us
  std::uint64_t stale = 0;       // prefixes of an earlier session that are still in use
  friend bool operator==(const FamilyCounters&, const FamilyCounters&) = default;
};

// Announcements that went through this router or its cluster already, ever; counted as filtered too.
struct LoopCounters {
  std::uint64_t as_path = 0;
  std::uint64_t originator_id = 0;  // RFC 4456 section 8
  std::uint64_t cluster_list = 0;   // the same
  std::uint64_t next_hop = 0;       // this router's own, RFC 4271 section 5.1.3
  friend bool operator==(const LoopCounters&, const LoopCounters&) = default;
};

// An UPDATE that was handled by RFC 7606, kept to be looked at.
struct MalformedUpdate {
  net::TimePoint time;
  std::string reason;
  std::string hex;  // at most the first 256 octets
};

struct NeighborStatus {
  PeerId id;
  std::string name;
  std::string hold_down;       // not empty: why the peer is kept down
  bool waits_for_bfd = false;  // and is not opened before
  PeerStatus session;
  std::optional<Negotiated> negotiated;  // while established
  std::optional<Transport> transport;    // the same
  FamilyCounters ipv4;
  FamilyCounters ipv6;
  LoopCounters loops;
  struct Restart {
    StaleRoutes::Phase phase = StaleRoutes::Phase::None;
    std::optional<net::TimePoint> until;  // when stale routes go, or fade, by themselves
    bool end_of_rib = false;              // received in this session
  };
  Restart ipv4_restart;
  Restart ipv6_restart;
  std::map<std::uint8_t, std::uint64_t> attribute_faults;  // by attribute type
  std::vector<MalformedUpdate> malformed;                  // the last few
  bool clearing = false;                                   // routes of an earlier session are still being withdrawn
  bool catching_up = false;                                // is sent its routes apart from its group
  // Peers with the same number share one encoding; 0: none.
  std::uint32_t ipv4_group = 0;
  std::uint32_t ipv6_group = 0;
};

struct TableStatus {
  std::size_t ipv4_prefixes = 0;
  std::size_t ipv6_prefixes = 0;
  std::size_t ipv4_selected = 0;  // of these, prefixes with a best path: the Loc-RIB
  std::size_t ipv6_selected = 0;
  std::size_t ipv4_paths = 0;
  std::size_t ipv6_paths = 0;
  std::size_t attribute_sets = 0;
  std::size_t bytes = 0;  // of tables and sets
};

struct RouteRow {
  net::Prefix prefix;
  std::uint32_t path_id = 0;  // RFC 7911; 0: none
  std::string peer;           // empty: originated here
  PathAttributes attributes;
  bool best = false;
  bool multipath = false;  // used together with the best
  bool rejected = false;   // by import filters; kept for display
  std::string rpki;        // of learned routes where there are caches: "valid", "invalid", "not-found"
  std::string reason;      // why it is not the best, or why it was rejected
};

struct TableCursor {
  net::Family family = net::Family::Ipv4;
  std::uint32_t index = 0;
  bool at_end = false;
  [[nodiscard]] bool done() const { return at_end; }
};

struct Explanation {
  struct Path {
    std::string peer;  // empty: originated here
    PathAttributes attributes;
    bool best = false;
    bool multipath = false;
    std::string rpki;    // as in RouteRow
    std::string reason;  // best: what set it apart from the next; others: what they lost by
  };
  struct Export {
    std::string peer;
    std::uint32_t path_id = 0;  // RFC 7911; 0: none
    bool sent = false;
    std::string reason;  // the first gate that stops it; what is sent when nothing does
    std::optional<PathAttributes> attributes;
  };
  bool known = false;  // the prefix is in the table
  std::vector<Path> paths;
  std::vector<Export> exports;
};

}  // namespace bgp
