// SPDX-License-Identifier: Apache-2.0
// One neighbour: at most two sessions (one dialled, one accepted), of which RFC 4271 section 6.8 leaves one.
// Holds what outlives a connection: administrative state, back-off, counters, the reason of the last reset.
// It must not know sockets or routes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bgp/session.hpp"
#include "bgp/wire/notification.hpp"

namespace bgp {

enum class Admin : std::uint8_t { Down, Up };

struct PeerStatus {
  Admin admin = Admin::Down;
  State state = State::Idle;
  std::optional<net::TimePoint> established_since;
  std::uint64_t established_count = 0;  // how often the session came up
  std::uint64_t failed_attempts = 0;    // attempts that ended before Established, collisions left out
  std::uint64_t collisions = 0;
  std::uint64_t refused = 0;  // connections that TCP accepted and that were closed at once
  // Of an established session, or of an attempt that a NOTIFICATION ended.
  std::optional<ResetReason> last_reset;
  std::optional<net::TimePoint> last_reset_at;
  // Why the last attempt came to nothing: the dial failed, or the connection was cut off. Empty after a dial that
  // succeeded, and once a session is established.
  std::string last_dial_error;
  std::optional<net::TimePoint> last_dial_error_at;
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
  // The same for a restart of this router: an established session that agreed to keep our routes is closed
  // without a word (RFC 4724 section 4).
  void leave(const Notification& notification, net::TimePoint now, Actions& out);
  // Closes with `notification` and opens again at once.
  void restart(const Notification& notification, net::TimePoint now, Actions& out);
  // Applies a new configuration; Change::Reopen restarts with Cease/Other Configuration Change.
  Change reconfigure(PeerConfig config, net::TimePoint now, Actions& out);

  // Transport. News of a connection that is not current (any more) are ignored.
  // TCP accepted a connection from the peer's address: its name from now on, or, when it is refused, the
  // NOTIFICATION to close it with.
  net::Result<ConnectionId, Notification> accepted(const Transport& transport, net::TimePoint now, Actions& out);
  void connected(ConnectionId connection, const Transport& transport, net::TimePoint now, Actions& out);
  void lost(ConnectionId connection, std::string error, net::TimePoint now, Actions& out);
  // Takes messages off the front of `input` until one is for the tables, and returns it as a view that lasts
  // until the next call of anything here. Call until it returns nothing; `input` is used up then.
  std::optional<RouteMessage> read(ConnectionId connection, std::span<const std::uint8_t>& input, net::TimePoint now,
                                   Actions& out);
  void blocked(ConnectionId connection, net::TimePoint now);
  void progressed(ConnectionId connection);

  // The tables found a reason to close the established session: an UPDATE error, a prefix limit.
  void violated(const Notification& notification, net::TimePoint now, Actions& out);
  // The tables sent messages on the established session; control messages are counted without this.
  void count_sent(MessageType type, std::uint64_t messages);

  // What the next OPEN says of our own restart; forwarding is said anyway once a session was up (RFC 8538).
  void set_restart_state(RestartState state);

  void tick(net::TimePoint now, Actions& out);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  [[nodiscard]] const PeerConfig& config() const { return config_; }
  // The established session, if there is one; its connection() is where UPDATEs go.
  [[nodiscard]] const Session* established() const;
  // The state of the session that is further on.
  [[nodiscard]] State state() const;
  [[nodiscard]] PeerStatus status() const;

 private:
  void apply(Session& session, const Event& event, net::TimePoint now, Actions& out);
  void settle(Session& session, State from, net::TimePoint now, Actions& out);
  void settle_collision(net::TimePoint now, Actions& out);
  void account(const Session& session, State from, const ResetReason& reason, net::TimePoint now);
  void note_dial_error(const ResetReason& reason, net::TimePoint now);
  void pause(const ResetReason& reason, net::TimePoint now);
  void keep_dialling(net::TimePoint now, Actions& out);
  [[nodiscard]] Session* replaced_by_new_connection(net::TimePoint now);
  [[nodiscard]] std::optional<CeaseError> refusal(net::TimePoint now) const;
  [[nodiscard]] bool outranks_peer() const;
  [[nodiscard]] Session* find(ConnectionId connection);

  PeerConfig config_;
  Admin admin_ = Admin::Down;
  Random random_;
  Session outgoing_;
  Session incoming_;
  Backoff backoff_{net::Duration{0}};
  std::optional<net::TimePoint> restart_at_;    // set only while outgoing_ is Idle
  std::optional<net::TimePoint> refuse_until_;  // after an error that the peer made
  RestartState restart_state_;                  // as it was set
  RestartTerms restart_terms_;                  // of the last established session
  PeerStatus history_;                          // the fields that are not derived
};

}  // namespace bgp
