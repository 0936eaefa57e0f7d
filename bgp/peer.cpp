// SPDX-License-Identifier: Apache-2.0
#include "bgp/peer.hpp"

#include <algorithm>
#include <utility>

namespace bgp {

namespace {

// A session that stayed up this long has shown that the peer is well: the next pause is the first again.
constexpr net::Seconds stable_after{10};
// Incoming connections are refused no longer than this after an error, so that a peer that was put right
// is not kept waiting for our own back-off.
constexpr net::Seconds longest_refusal{5};
// Of a connection that lost a collision, if the other one comes to nothing.
constexpr net::Seconds collision_pause{1};

// A peer takes longer than this to start anew.
constexpr net::Seconds shortest_restart{3};

bool opened(const Session& session) {
  return session.state() >= State::OpenConfirm;
}

bool is_collision(const ResetReason& reason) {
  return reason.notification && is(*reason.notification, CeaseError::CollisionResolution);
}

// Closed because someone here wanted it so; whoever did also says what comes next.
bool is_deliberate(const ResetReason& reason) {
  if (reason.by != ResetReason::By::Local || !reason.notification) return false;
  const auto& notification = *reason.notification;
  return notification.code == static_cast<std::uint8_t>(ErrorCode::Cease) &&
         !is(notification, CeaseError::MaximumPrefixes) && !is(notification, CeaseError::OutOfResources);
}

// A dial that was given up for another one.
ResetReason unanswered(const PeerConfig& config) {
  const bool with_keys = !config.password.empty() || !config.authentication.empty();
  return {ResetReason::By::Transport, std::nullopt,
          with_keys ? "no answer; are the keys the same at both ends?" : "no answer"};
}

MessageCounters sum(MessageCounters one, const MessageCounters& other) {
  for (std::size_t i = 0; i < one.in.size(); ++i) {
    one.in[i] += other.in[i];
    one.out[i] += other.out[i];
  }
  return one;
}

}  // namespace

Peer::Peer(PeerConfig config, std::uint64_t seed)
    : config_{std::move(config)},
      random_{seed},
      outgoing_{Side::Outgoing, config_, random_.next()},
      incoming_{Side::Incoming, config_, random_.next()} {}

// ---- administration ---------------------------------------------------------------------------------

void Peer::start(net::TimePoint now, Actions& out) {
  if (admin_ == Admin::Up) return;
  admin_ = Admin::Up;
  backoff_.reset();
  keep_dialling(now, out);
  tick(now, out);
}

void Peer::stop(const Notification& notification, net::TimePoint now, Actions& out) {
  admin_ = Admin::Down;
  refuse_until_.reset();
  apply(outgoing_, Stop{notification}, now, out);
  apply(incoming_, Stop{notification}, now, out);
  restart_at_.reset();
}

void Peer::leave(const Notification& notification, net::TimePoint now, Actions& out) {
  for (auto* session : {&outgoing_, &incoming_}) {
    if (session->state() != State::Established) continue;
    const auto& terms = session->negotiated()->restart;
    if (!terms.capable || !terms.ours_kept) continue;
    admin_ = Admin::Down;
    apply(*session, Abandoned{{ResetReason::By::Local, std::nullopt, "left without a word for a restart"}}, now, out);
  }
  stop(notification, now, out);
}

void Peer::restart(const Notification& notification, net::TimePoint now, Actions& out) {
  if (admin_ == Admin::Down) return;
  stop(notification, now, out);
  start(now, out);
}

Change Peer::reconfigure(PeerConfig config, net::TimePoint now, Actions& out) {
  const auto change = change_class(config_, config);
  const auto admin = admin_;
  if (change == Change::Reopen) stop(cease(CeaseError::OtherConfigurationChange), now, out);
  const bool dialling_changed = config_.connect != config.connect || config_.connect_retry != config.connect_retry;
  config_ = std::move(config);
  if (change == Change::Reopen && admin == Admin::Up) start(now, out);
  if (change != Change::Live) return change;

  outgoing_.retime(now);
  incoming_.retime(now);
  const bool waits = outgoing_.state() == State::Connect || outgoing_.state() == State::Active;
  if (dialling_changed && waits) {
    apply(outgoing_, Stop{}, now, out);
    tick(now, out);
  }
  return change;
}

// ---- transport --------------------------------------------------------------------------------------

net::Result<ConnectionId, Notification> Peer::accepted(const Transport& transport, net::TimePoint now, Actions& out) {
  if (auto* old = replaced_by_new_connection(now))
    apply(*old, Abandoned{{ResetReason::By::Transport, std::nullopt, "the peer opened a new connection"}}, now, out);
  if (const auto reason = refusal(now)) {
    ++history_.refused;
    // A peer that dials while we think it connected may have started anew: then its answer to this is a TCP
    // reset, and we need not wait for the hold timer.
    if (*reason == CeaseError::CollisionResolution) outgoing_.probe(now, out), incoming_.probe(now, out);
    return net::fail(cease(*reason));
  }
  // A second connection from the same peer means that it gave the first one up.
  if (incoming_.has_connection()) apply(incoming_, Stop{cease(CeaseError::CollisionResolution)}, now, out);
  apply(incoming_, Connected{transport}, now, out);
  return incoming_.connection();
}

// RFC 4724 section 5: a new connection of a peer that can restart says that it has, long before the hold timer
// would. A connection that is younger than any restart is the loser of a collision.
Session* Peer::replaced_by_new_connection(net::TimePoint now) {
  if (admin_ == Admin::Down || config_.connect == Connect::ActiveOnly) return nullptr;
  for (auto* session : {&outgoing_, &incoming_}) {
    if (session->state() == State::Established && session->negotiated()->restart.capable &&
        now - *history_.established_since >= shortest_restart)
      return session;
  }
  return nullptr;
}

std::optional<CeaseError> Peer::refusal(net::TimePoint now) const {
  if (admin_ == Admin::Down || config_.connect == Connect::ActiveOnly) return CeaseError::ConnectionRejected;
  if (refuse_until_ && now < *refuse_until_) return CeaseError::ConnectionRejected;
  if (established() != nullptr) return CeaseError::CollisionResolution;
  if (opened(outgoing_) && outranks_peer()) return CeaseError::CollisionResolution;
  return std::nullopt;
}

void Peer::connected(ConnectionId connection, const Transport& transport, net::TimePoint now, Actions& out) {
  auto* session = find(connection);
  if (session == nullptr) return;
  history_.last_dial_error.clear();
  apply(*session, Connected{transport}, now, out);
}

void Peer::lost(ConnectionId connection, std::string error, net::TimePoint now, Actions& out) {
  if (auto* session = find(connection)) apply(*session, ConnectionLost{std::move(error)}, now, out);
}

std::optional<RouteMessage> Peer::read(ConnectionId connection, std::span<const std::uint8_t>& input,
                                       net::TimePoint now, Actions& out) {
  while (!input.empty()) {
    auto* session = find(connection);
    if (session == nullptr) {
      input = {};
      break;
    }
    const auto from = session->state();
    const auto message = session->read(input, now, out);
    if (session->state() != from) settle(*session, from, now, out);
    if (message) return message;
  }
  return std::nullopt;
}

void Peer::blocked(ConnectionId connection, net::TimePoint now) {
  if (auto* session = find(connection)) session->blocked(now);
}

void Peer::progressed(ConnectionId connection) {
  if (auto* session = find(connection)) session->progressed();
}

void Peer::violated(const Notification& notification, net::TimePoint now, Actions& out) {
  for (auto* session : {&outgoing_, &incoming_}) {
    if (session->state() == State::Established) apply(*session, Violation{notification}, now, out);
  }
}

void Peer::count_sent(MessageType type, std::uint64_t messages) {
  (incoming_.state() == State::Established ? incoming_ : outgoing_).count_sent(type, messages);
}

void Peer::set_restart_state(RestartState state) {
  restart_state_ = state;
  if (history_.established_count > 0) state.forwarding = true;
  outgoing_.set_restart_state(state);
  incoming_.set_restart_state(state);
}

// ---- time -------------------------------------------------------------------------------------------

void Peer::tick(net::TimePoint now, Actions& out) {
  for (auto* session : {&outgoing_, &incoming_}) {
    const auto from = session->state();
    const auto connection = session->connection();
    session->tick(now, out);
    if (session->state() != from) {
      settle(*session, from, now, out);
    } else if (from == State::Connect && session->connection() != connection) {
      const auto reason = unanswered(config_);
      account(*session, from, reason, now);
      out.push_back(Moved{session->connection(), from, from, reason});
    }
  }
  if (restart_at_ && *restart_at_ <= now) {
    restart_at_.reset();
    apply(outgoing_, Start{}, now, out);
  }
}

std::optional<net::TimePoint> Peer::next_deadline() const {
  return earlier(restart_at_, earlier(outgoing_.next_deadline(), incoming_.next_deadline()));
}

// ---- two sessions, one peer -------------------------------------------------------------------------

void Peer::apply(Session& session, const Event& event, net::TimePoint now, Actions& out) {
  const auto from = session.state();
  session.handle(event, now, out);
  if (session.state() != from) settle(session, from, now, out);
}

// What follows from a move of one session for the peer as a whole.
void Peer::settle(Session& session, State from, net::TimePoint now, Actions& out) {
  const auto reason = std::get<Moved>(out.back()).reason;  // a session says its move last
  if (from == State::Established) {
    if (now - *history_.established_since >= stable_after) backoff_.reset();
    history_.established_since.reset();
    out.push_back(WentDown{session.connection(), reason.value_or(ResetReason{}), restart_terms_, now});
  }
  if (reason) account(session, from, *reason, now);
  settle_collision(now, out);
  if (session.state() == State::Established && from != State::Established) {
    ++history_.established_count;
    history_.established_since = now;
    history_.last_dial_error.clear();
    refuse_until_.reset();
    restart_terms_ = session.negotiated()->restart;
    set_restart_state(restart_state_);
    out.push_back(WentUp{session.connection(), now});
  }
  keep_dialling(now, out);
}

// RFC 4271 section 6.8, RFC 6286 section 2.3: of two connections the one that the speaker with the higher
// identifier opened stays. News travel on both at different speed, so the two speakers may see different
// states; lest each closes the one that the other keeps, the rule is:
//
//  - The higher decides alone. It never closes a connection of its own on which it sent a KEEPALIVE, and
//    closes the peer's as soon as its own got that far; a peer's connection that was established before wins.
//  - The lower closes its own only while it has sent no KEEPALIVE on it, or when the peer's is established.
void Peer::settle_collision(net::TimePoint now, Actions& out) {
  const bool both = outgoing_.state() >= State::OpenSent && incoming_.state() >= State::OpenSent;
  if (!both || (!opened(outgoing_) && !opened(incoming_))) return;
  const Stop collision{cease(CeaseError::CollisionResolution)};
  if (incoming_.state() == State::Established) {
    apply(outgoing_, collision, now, out);
    return;
  }
  const bool higher = outranks_peer();
  if (higher && opened(outgoing_)) apply(incoming_, collision, now, out);
  if (!higher && opened(incoming_) && !opened(outgoing_)) apply(outgoing_, collision, now, out);
}

// Needs one session that got the peer's OPEN.
bool Peer::outranks_peer() const {
  const auto& peer = outgoing_.negotiated() ? outgoing_.negotiated() : incoming_.negotiated();
  if (config_.router_id != peer->peer_id) return config_.router_id > peer->peer_id;
  return config_.local_asn > peer->peer_asn;
}

void Peer::account(const Session& session, State from, const ResetReason& reason, net::TimePoint now) {
  if (from == State::Connect) {
    note_dial_error(reason, now);
    ++history_.failed_attempts;
    return;
  }
  if (is_collision(reason)) {
    ++history_.collisions;
    if (outgoing_.state() == State::Idle && admin_ == Admin::Up) {
      restart_at_ =
          now + std::max<net::Duration>(collision_pause, random_.jittered(backoff_.next(config_.connect_retry)));
    }
    return;
  }
  // Came and went without a word: a probe of the port, or a dial that the peer took back.
  const bool silent = from == State::OpenSent && reason.by == ResetReason::By::Transport;
  if (silent && &session == &incoming_) return;

  const bool attempt = from != State::Established;
  if (attempt) ++history_.failed_attempts;
  // Why the last session ended is not forgotten for attempts that are cut off while the peer is away.
  if (attempt && reason.by == ResetReason::By::Transport) {
    note_dial_error(reason, now);
  } else {
    history_.last_reset = reason;
    history_.last_reset_at = now;
  }
  if (session.state() == State::Idle && admin_ == Admin::Up && !is_deliberate(reason)) pause(reason, now);
}

void Peer::note_dial_error(const ResetReason& reason, net::TimePoint now) {
  history_.last_dial_error = reason.text;
  history_.last_dial_error_at = now;
}

void Peer::pause(const ResetReason& reason, net::TimePoint now) {
  const auto length = random_.jittered(backoff_.next(config_.connect_retry));
  if (reason.by == ResetReason::By::Local) refuse_until_ = now + std::min<net::Duration>(length, longest_refusal);
  if (outgoing_.state() == State::Idle) restart_at_ = now + length;
}

// Dialling rests while the accepted connection is about to be, or is, the session.
void Peer::keep_dialling(net::TimePoint now, Actions& out) {
  if (admin_ == Admin::Down) return;
  if (opened(incoming_)) {
    restart_at_.reset();
    if (outgoing_.state() == State::Connect || outgoing_.state() == State::Active) apply(outgoing_, Stop{}, now, out);
  } else if (outgoing_.state() == State::Idle && !restart_at_) {
    restart_at_ = now;
  }
}

Session* Peer::find(ConnectionId connection) {
  auto& session = connection.side == Side::Outgoing ? outgoing_ : incoming_;
  return session.has_connection() && session.connection() == connection ? &session : nullptr;
}

// ---- status -----------------------------------------------------------------------------------------

const Session* Peer::established() const {
  if (incoming_.state() == State::Established) return &incoming_;
  return outgoing_.state() == State::Established ? &outgoing_ : nullptr;
}

State Peer::state() const {
  return std::max(outgoing_.state(), incoming_.state());
}

PeerStatus Peer::status() const {
  auto status = history_;
  status.admin = admin_;
  status.state = state();
  status.next_attempt = outgoing_.state() == State::Active ? outgoing_.next_deadline() : restart_at_;
  status.messages = sum(outgoing_.counters(), incoming_.counters());
  return status;
}

}  // namespace bgp
