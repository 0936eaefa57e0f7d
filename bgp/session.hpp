// SPDX-License-Identifier: Apache-2.0
// One transport connection of one peer: the state machine of RFC 4271 section 8. Events and bytes go in
// with the time, actions come out as data, and next_deadline() is the only timer the outside must keep.
// It must not know sockets, the other connection of the same peer (peer.hpp does), or routes: bodies of
// UPDATEs are handed up unread, and UPDATEs to send are pulled from the tables, never queued here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bgp/framer.hpp"
#include "bgp/negotiate.hpp"
#include "bgp/peer_config.hpp"
#include "bgp/timers.hpp"
#include "bgp/wire/message.hpp"
#include "net/time.hpp"

namespace bgp {

enum class State : std::uint8_t { Idle, Connect, Active, OpenSent, OpenConfirm, Established };

// Who opened the connection. Outgoing: this speaker dialled.
enum class Side : std::uint8_t { Outgoing, Incoming };

// Names one TCP connection among all that a peer ever had, so that late news of an old one is told apart.
struct ConnectionId {
  Side side{};
  std::uint32_t serial{};
  friend constexpr auto operator<=>(ConnectionId, ConnectionId) = default;
};

// What the edge knows of an open connection.
struct Transport {
  net::IpAddress local;
  net::IpAddress remote;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  // Addresses of the interface that holds `local`, for next hops: either family, and RFC 2545 section 3.
  std::optional<net::Ipv4Address> local_ipv4;
  std::optional<net::Ipv6Address> local_ipv6;
  std::optional<net::Ipv6Address> local_link_local;
  std::uint32_t interface_index = 0;  // 0: not known
};

// Why a session ended, kept for status.
struct ResetReason {
  enum class By : std::uint8_t { Local, Remote, Transport };  // we closed, the peer closed, TCP failed
  By by{};
  std::optional<Notification> notification;  // sent or received
  std::string text;                          // for people
  friend bool operator==(const ResetReason&, const ResetReason&) = default;
};

// Events. Messages are events as they are: Open and Notification come from wire/message.hpp.
struct Start {};
struct Stop {
  Notification cease;
};
struct Connected {
  Transport transport;
};
struct ConnectionLost {
  std::string error;  // "connection refused", "closed by peer"
};
struct Expired {
  Timer timer{};
};
struct KeepaliveReceived {};
struct UpdateReceived {};
struct RefreshReceived {};
// The connection is given up without a word: the peer has a new one, or is to keep our routes (RFC 4724).
struct Abandoned {
  ResetReason reason;
};
// The peer broke a rule: by the framer, a decoder, or the tables (UPDATE, prefix limit).
struct Violation {
  Notification notification;
};
using Event = std::variant<Start, Stop, Connected, ConnectionLost, Expired, Open, KeepaliveReceived, UpdateReceived,
                           RefreshReceived, Notification, Violation, Abandoned>;

// Actions, in the order in which they are to be done.
struct Dial {
  ConnectionId connection;
  friend bool operator==(const Dial&, const Dial&) = default;
};
// Close, after the bytes of all earlier Sends. Nothing more will be asked of this connection.
struct Hangup {
  ConnectionId connection;
  friend bool operator==(const Hangup&, const Hangup&) = default;
};
// One control message: to be written before any UPDATE that waits.
struct Send {
  ConnectionId connection;
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const Send&, const Send&) = default;
};
// For the log; `reason` when the move ends a connection or an attempt.
struct Moved {
  ConnectionId connection;
  State from{};
  State to{};
  std::optional<ResetReason> reason;
  friend bool operator==(const Moved&, const Moved&) = default;
};
// Said by Peer, of which at most one session is up: routes may flow, as Peer::established() agreed.
struct WentUp {
  ConnectionId connection;
  net::TimePoint at{};
  friend bool operator==(const WentUp&, const WentUp&) = default;
};
struct WentDown {
  ConnectionId connection;
  ResetReason reason;
  RestartTerms restart;  // of the session that ended
  net::TimePoint at{};
  friend bool operator==(const WentDown&, const WentDown&) = default;
};
using Action = std::variant<Dial, Hangup, Send, Moved, WentUp, WentDown>;
using Actions = std::vector<Action>;

// What a session hands up while established: views that last until the next read().
struct UpdateBody {
  std::span<const std::uint8_t> bytes;
};
using RouteMessage = std::variant<UpdateBody, RouteRefresh>;

// Messages by MessageType; index 0 is not used.
struct MessageCounters {
  std::array<std::uint64_t, 6> in{};
  std::array<std::uint64_t, 6> out{};
};

class Session {
 public:
  // `config` must outlive the session; it may change between calls.
  Session(Side side, const PeerConfig& config, std::uint64_t seed);

  void handle(const Event& event, net::TimePoint now, Actions& out);
  // Fires whatever is due.
  void tick(net::TimePoint now, Actions& out);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const { return deadlines_.next(); }

  // Takes messages off the front of `input` until one is for the tables, the state changes, or `input` is used
  // up (a cut message is kept). Allocates nothing for an UPDATE that lies whole in `input`.
  std::optional<RouteMessage> read(std::span<const std::uint8_t>& input, net::TimePoint now, Actions& out);

  // How writing goes on, for RFC 9687: TCP takes no more bytes; TCP took some.
  void blocked(net::TimePoint now);
  void progressed();
  void count_sent(MessageType type, std::uint64_t messages) {
    counters_.out[static_cast<std::size_t>(type)] += messages;
  }

  // What the next OPEN says of our own restart.
  void set_restart_state(RestartState state) { restart_ = state; }
  // The keepalive time changed in the configuration.
  void retime(net::TimePoint now);
  // Asks TCP whether the peer is still there: a KEEPALIVE ahead of time.
  void probe(net::TimePoint now, Actions& out);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] ConnectionId connection() const { return {side_, serial_}; }
  // A connection is open or being dialled.
  [[nodiscard]] bool has_connection() const { return state_ != State::Idle && state_ != State::Active; }
  // From OpenConfirm on.
  [[nodiscard]] const std::optional<Negotiated>& negotiated() const { return negotiated_; }
  [[nodiscard]] const Transport& transport() const { return transport_; }
  [[nodiscard]] const MessageCounters& counters() const { return counters_; }
  // The two OPENs of the connection, whole messages: the one sent, and the one received, from OpenConfirm on.
  [[nodiscard]] const std::vector<std::uint8_t>& open_sent() const { return open_sent_; }
  [[nodiscard]] const std::vector<std::uint8_t>& open_received() const { return open_received_; }

 private:
  State idle(const Event& event, net::TimePoint now, Actions& out);
  State connect(const Event& event, net::TimePoint now, Actions& out);
  State active(const Event& event, net::TimePoint now, Actions& out);
  State in_open_sent(const Event& event, net::TimePoint now, Actions& out);
  State open_confirm(const Event& event, net::TimePoint now, Actions& out);
  State established(const Event& event, net::TimePoint now, Actions& out);

  std::optional<RouteMessage> receive(const Frame& frame, net::TimePoint now, Actions& out);
  State dial(net::TimePoint now, Actions& out);
  State greet(const Transport& transport, net::TimePoint now, Actions& out);
  State answer(const Open& open, net::TimePoint now, Actions& out);
  State come_up(net::TimePoint now);
  State heard(net::TimePoint now);
  State expired(Timer timer, net::TimePoint now, Actions& out);
  State pause_dialling(const ConnectionLost& event, net::TimePoint now);
  State lost(const ConnectionLost& event);
  State give_up(const Notification& notification, Actions& out);
  State closed_by_peer(const Notification& notification, Actions& out);
  State hang_up(Actions& out);
  State abandon(const Abandoned& event, Actions& out);
  State unexpected(const Event& event, Actions& out);
  void send(MessageType type, std::vector<std::uint8_t> bytes, Actions& out);
  void arm_hold(net::TimePoint now);
  void arm_keepalive(net::TimePoint now);

  Side side_;
  State state_ = State::Idle;
  Offer offer_ = Offer::Full;
  RestartState restart_;
  std::uint32_t serial_ = 0;
  const PeerConfig* config_;
  Random random_;
  Backoff redial_;
  std::optional<net::TimePoint> kept_alive_;  // when the last KEEPALIVE was sent for its timer
  Deadlines deadlines_;
  Framer framer_;
  Transport transport_;
  std::optional<Negotiated> negotiated_;
  std::optional<ResetReason> reason_;  // of the move under way
  MessageCounters counters_;
  std::vector<std::uint8_t> open_sent_;
  std::vector<std::uint8_t> open_received_;
};

}  // namespace bgp
