// SPDX-License-Identifier: Apache-2.0
// What a router keeps of one neighbour: its configuration, its sessions, the bytes that wait for its links,
// and what went wrong. The routes are in the tables.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bgp/peer.hpp"
#include "bgp/rib/heard_routes.hpp"
#include "bgp/router_config.hpp"
#include "bgp/router_status.hpp"

namespace bgp {

struct Neighbor {
  Neighbor(PeerId peer_id, NeighborConfig with, std::uint64_t seed)
      : id{peer_id}, config{std::move(with)}, peer{config.session, seed}, import_needs{config.import} {}

  // What of the import filters every UPDATE asks for.
  struct ImportNeeds {
    explicit ImportNeeds(const FilterChain& chain)
        : accepts_everything{bgp::accepts_everything(chain)},
          depends_on_prefix{bgp::depends_on_prefix(chain)},
          depends_on_rpki{bgp::depends_on_rpki(chain)} {}
    bool accepts_everything;
    bool depends_on_prefix;
    bool depends_on_rpki;
  };

  // Messages of the session that pull() has not handed out yet.
  struct Outbox {
    ConnectionId connection;
    std::vector<std::uint8_t> bytes;
    bool asleep = true;  // the edge was told that there is nothing
  };
  // Per family.
  struct Intake {
    std::uint64_t filtered = 0;  // announcements that were rejected, ever
    std::uint64_t leaked = 0;    // announcements that RFC 9234 forbids, ever
    bool warned = false;         // of the prefix limit, in this session
    StaleRoutes stale;           // of earlier sessions
    bool end_of_rib = false;     // received in this session
    bool refreshing = false;     // said to have begun, RFC 7313
    bool warned_out = false;     // of the limit of what it may be told, in this session
    bool told_too_much = false;  // more prefixes than the neighbour may be told
  };

  PeerId id;
  NeighborConfig config;
  Peer peer;
  ImportNeeds import_needs;
  State state = State::Idle;  // as last reported
  std::vector<Outbox> outboxes;
  std::optional<ConnectionId> up;  // the established one
  UpdateContext context;           // of it
  bool refreshes = true;           // it can be asked for its routes again
  HeardRoutes heard;               // of one that cannot
  Intake ipv4;
  Intake ipv6;

  // What WaitFor::Bfd waits for has come. Holds up the next start only, never ends a session.
  bool bfd_ready = false;
  // While BFD ends the session: nothing is forwarded any more, so graceful restart keeps no route.
  bool path_lost = false;

  // A prefix limit was exceeded: down until then, or until somebody restarts it.
  bool limited = false;
  std::optional<net::TimePoint> restart_at;

  LoopCounters loops;
  std::map<std::uint8_t, std::uint64_t> attribute_faults;
  std::deque<MalformedUpdate> malformed;

  bool deadline_moved = false;  // and the router has not looked at it yet

  [[nodiscard]] Intake& intake(net::Family family) { return family == net::Family::Ipv4 ? ipv4 : ipv6; }
  [[nodiscard]] const PrefixLimit& limit(net::Family family) const {
    return family == net::Family::Ipv4 ? config.ipv4_limit : config.ipv6_limit;
  }
  [[nodiscard]] Outbox* outbox(ConnectionId connection) {
    for (auto& each : outboxes) {
      if (each.connection == connection) return &each;
    }
    return nullptr;
  }
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const {
    return earlier(earlier(peer.next_deadline(), restart_at), earlier(ipv4.stale.deadline(), ipv6.stale.deadline()));
  }
  [[nodiscard]] bool waits() const { return config.wait_for == WaitFor::Bfd && !bfd_ready; }
  // It may have a session.
  [[nodiscard]] bool wanted() const { return config.hold_down.empty() && !config.shutdown && !limited; }
};

}  // namespace bgp
