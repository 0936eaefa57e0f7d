// SPDX-License-Identifier: Apache-2.0
// One neighbour: at most two sessions (one dialled, one accepted), of which RFC 4271 section 6.8 leaves one.
// Holds what outlives a connection: administrative state, back-off, counters, the reason of the last reset.
// It must not know sockets or routes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bgp/errors.hpp"
#include "bgp/session.hpp"

namespace bgp {

enum class Admin : std::uint8_t { Down, Up };

struct PeerStatus {
  Admin admin = Admin::Down;
  State state = State::Idle;
  std::optional<net::TimePoint> established_since;
  std::uint64_t established_count = 0;  // how often the session came up
  std::uint64_t failed_attempts = 0;    // attempts that ended before Established
  std::uint64_t collisions = 0;
  std::uint64_t refused = 0;              // connections accepted by TCP and closed at once
  std::optional<ResetReason> last_reset;  // of an established session or of an attempt that got an answer
  std::optional<net::TimePoint> last_reset_at;
  std::optional<net::TimePoint> next_attempt;
  MessageCounters messages;
};

class Peer {
 public:
  Peer(PeerConfig config, std::uint64_t seed);
  Peer(const Peer&) = delete;  // the sessions refer to the configuration
  Peer& operator=(const Peer&) = delete;

  // Administration. All of them may be called in any state.
  void start(net::TimePoint now, Actions& out);
  // Closes what is open with `notification` (cease(...)) and stays down: incoming connections are refused.
  void stop(const Notification& notification, net::TimePoint now, Actions& out);
  // Closes with `notification` and opens again at once.
  void restart(const Notification& notification, net::TimePoint now, Actions& out);
  // Applies a new configuration; Change::Reopen restarts with Cease/Other Configuration Change.
  Change reconfigure(PeerConfig config, net::TimePoint now, Actions& out);

  // Transport. Events of a connection that is not current (any more) are ignored.
  // A TCP connection from the peer's address was accepted: its name, or nothing when it is refused and has
  // to be closed, `refusal` being written first when there is one.
  struct Refused {
    Notification notification;
  };
  net::Result<ConnectionId, Refused> accepted(const Transport& transport, net::TimePoint now, Actions& out);
  void connected(ConnectionId connection, const Transport& transport, net::TimePoint now, Actions& out);
  void lost(ConnectionId connection, std::string error, net::TimePoint now, Actions& out);
  // See Session::read().
  std::optional<RouteMessage> read(ConnectionId connection, std::span<const std::uint8_t>& input, net::TimePoint now,
                                   Actions& out);
  void blocked(ConnectionId connection, net::TimePoint now);
  void progressed(ConnectionId connection);

  // The tables found a reason to close the established session: an UPDATE error, a prefix limit.
  void violated(const Notification& notification, net::TimePoint now, Actions& out);
  // The tables sent messages on the established session; control messages are counted without this.
  void count_sent(MessageType type, std::uint64_t messages);

  void tick(net::TimePoint now, Actions& out);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  [[nodiscard]] const PeerConfig& config() const { return config_; }
  // The established session, if there is one; its connection() is where UPDATEs go.
  [[nodiscard]] const Session* established() const;
  // The state of the session that is further on.
  [[nodiscard]] State state() const;
  [[nodiscard]] PeerStatus status() const;

 private:
  PeerConfig config_;
  Session outgoing_;
  Session incoming_;
};

}  // namespace bgp
