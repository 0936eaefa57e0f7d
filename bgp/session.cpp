// SPDX-License-Identifier: Apache-2.0
// The state machine on one page: six functions, one per state, each a paragraph of RFC 4271 section
// 8.2.2. Where they differ from it, by intent: an accepted connection is a Session of its own that starts
// in Idle with Connected; DelayOpen is not implemented (it is optional); a failed dial waits in Active, as
// operators expect, with a pause that grows; restarting after Idle is Peer's work.
#include "bgp/session.hpp"

#include <algorithm>
#include <utility>

#include "bgp/wire/framing.hpp"
#include "bgp/wire/notification.hpp"
#include "net/match.hpp"

namespace bgp {

namespace {

constexpr net::Seconds open_hold_time{240};  // RFC 4271 section 8.2.2: a "large value", four minutes
constexpr net::Duration least_between_keepalives = net::Seconds{1};  // RFC 4271 section 4.4

}  // namespace

Session::Session(Side side, const PeerConfig& config, std::uint64_t seed)
    : side_{side}, config_{&config}, random_{seed}, redial_{net::Milliseconds{500}} {}

void Session::handle(const Event& event, net::TimePoint now, Actions& out) {
  const auto from = state_;
  reason_.reset();
  switch (from) {
    case State::Idle:
      state_ = idle(event, now, out);
      break;
    case State::Connect:
      state_ = connect(event, now, out);
      break;
    case State::Active:
      state_ = active(event, now, out);
      break;
    case State::OpenSent:
      state_ = in_open_sent(event, now, out);
      break;
    case State::OpenConfirm:
      state_ = open_confirm(event, now, out);
      break;
    case State::Established:
      state_ = established(event, now, out);
      break;
  }
  if (state_ == from) return;
  if (state_ == State::Idle) deadlines_.disarm_all();
  if (!has_connection()) {
    framer_.reset();
    negotiated_.reset();
  }
  out.push_back(Moved{connection(), from, state_, std::exchange(reason_, std::nullopt)});
}

// Nothing is open and nothing runs. Start makes the dialling session begin; an accepted connection begins here.
State Session::idle(const Event& event, net::TimePoint now, Actions& out) {
  if (side_ == Side::Incoming) {
    const auto* accepted = std::get_if<Connected>(&event);
    if (accepted == nullptr) return State::Idle;
    ++serial_;
    return greet(accepted->transport, now, out);
  }
  if (!std::holds_alternative<Start>(event)) return State::Idle;
  if (config_->connect == Connect::PassiveOnly) return State::Active;
  return dial(now, out);
}

// Waiting for TCP. There is no peer to notify yet.
State Session::connect(const Event& event, net::TimePoint now, Actions& out) {
  return std::visit(net::match{
                        [&](const Start&) { return State::Connect; },
                        [&](const Connected& e) { return greet(e.transport, now, out); },
                        [&](const ConnectionLost& e) { return pause_dialling(e, now); },
                        [&](const Expired&) {
                          out.push_back(Hangup{connection()});
                          return dial(now, out);
                        },
                        [&](const auto&) { return hang_up(out); },
                    },
                    event);
}

// Waiting to dial again, or, when passive, for the peer. There is no connection that news could be of.
State Session::active(const Event& event, net::TimePoint now, Actions& out) {
  return std::visit(net::match{
                        [&](const Stop&) { return State::Idle; },
                        [&](const Expired&) { return dial(now, out); },
                        [&](const auto&) { return State::Active; },
                    },
                    event);
}

// Our OPEN is sent; we wait for the peer's.
State Session::in_open_sent(const Event& event, net::TimePoint now, Actions& out) {
  return std::visit(net::match{
                        [&](const Start&) { return State::OpenSent; },
                        [&](const Stop& e) { return give_up(e.cease, out); },
                        [&](const Connected&) { return State::OpenSent; },
                        [&](const ConnectionLost& e) { return pause_dialling(e, now); },
                        [&](const Expired& e) { return expired(e.timer, now, out); },
                        [&](const Open& e) { return answer(e, now, out); },
                        [&](const Notification& e) { return closed_by_peer(e, out); },
                        [&](const Violation& e) { return give_up(e.notification, out); },
                        [&](const Abandoned& e) { return abandon(e, out); },
                        [&](const auto&) { return unexpected(event, out); },
                    },
                    event);
}

// Both OPENs are accepted; we wait for one KEEPALIVE.
State Session::open_confirm(const Event& event, net::TimePoint now, Actions& out) {
  return std::visit(net::match{
                        [&](const Start&) { return State::OpenConfirm; },
                        [&](const Stop& e) { return give_up(e.cease, out); },
                        [&](const Connected&) { return State::OpenConfirm; },
                        [&](const ConnectionLost& e) { return lost(e); },
                        [&](const Expired& e) { return expired(e.timer, now, out); },
                        [&](const KeepaliveReceived&) { return come_up(now); },
                        [&](const Notification& e) { return closed_by_peer(e, out); },
                        [&](const Violation& e) { return give_up(e.notification, out); },
                        [&](const Abandoned& e) { return abandon(e, out); },
                        [&](const auto&) { return unexpected(event, out); },
                    },
                    event);
}

// Routes flow. Whatever arrives in order shows that the peer lives.
State Session::established(const Event& event, net::TimePoint now, Actions& out) {
  return std::visit(net::match{
                        [&](const Start&) { return State::Established; },
                        [&](const Stop& e) { return give_up(e.cease, out); },
                        [&](const Connected&) { return State::Established; },
                        [&](const ConnectionLost& e) { return lost(e); },
                        [&](const Expired& e) { return expired(e.timer, now, out); },
                        [&](const KeepaliveReceived&) { return heard(now); },
                        [&](const UpdateReceived&) { return heard(now); },
                        [&](const RefreshReceived&) { return heard(now); },
                        [&](const Notification& e) { return closed_by_peer(e, out); },
                        [&](const Violation& e) { return give_up(e.notification, out); },
                        [&](const Abandoned& e) { return abandon(e, out); },
                        [&](const Open&) { return unexpected(event, out); },
                    },
                    event);
}

// ---- what the states do -----------------------------------------------------------------------------

State Session::dial(net::TimePoint now, Actions& out) {
  ++serial_;
  deadlines_.arm(Timer::ConnectRetry, now + random_.jittered(config_->connect_retry));
  out.push_back(Dial{connection()});
  return State::Connect;
}

State Session::greet(const Transport& transport, net::TimePoint now, Actions& out) {
  transport_ = transport;
  deadlines_.disarm(Timer::ConnectRetry);
  deadlines_.arm(Timer::Hold, now + open_hold_time);
  open_sent_ = encode(make_open(*config_, offer_, restart_));
  send(MessageType::Open, open_sent_, out);
  return State::OpenSent;
}

State Session::answer(const Open& open, net::TimePoint now, Actions& out) {
  auto agreed = negotiate(*config_, offer_, open);
  if (!agreed) {
    const auto next = give_up(agreed.error(), out);
    if (is(agreed.error(), OpenError::BadPeerAs))
      reason_->text += ": it says AS " + net::print(open.real_asn()) + ", not " + print(config_->peer_asn);
    return next;
  }
  negotiated_ = std::move(*agreed);
  send(MessageType::Keepalive, encode_keepalive(), out);
  arm_keepalive(now);
  arm_hold(now);
  return State::OpenConfirm;
}

State Session::come_up(net::TimePoint now) {
  redial_.reset();
  offer_ = Offer::Full;  // of the next connection: the peer's software may be newer by then
  return heard(now);
}

State Session::heard(net::TimePoint now) {
  arm_hold(now);
  return State::Established;
}

State Session::expired(Timer timer, net::TimePoint now, Actions& out) {
  switch (timer) {
    case Timer::Hold:
      return give_up(hold_timer_expired(), out);
    case Timer::SendHold:
      return give_up(send_hold_timer_expired(), out);
    case Timer::Keepalive:
      // A blocked connection has bytes for the peer already; more would only queue up behind them.
      if (!deadlines_.armed(Timer::SendHold)) send(MessageType::Keepalive, encode_keepalive(), out);
      kept_alive_ = now;
      arm_keepalive(now);
      return state_;
    case Timer::ConnectRetry:
      break;  // disarmed by greet()
  }
  return state_;
}

// A dial that failed, or (RFC 4271, OpenSent, event 18) ended before the peer said anything.
State Session::pause_dialling(const ConnectionLost& event, net::TimePoint now) {
  if (side_ == Side::Incoming) return lost(event);
  (void)lost(event);
  deadlines_.disarm_all();
  deadlines_.arm(Timer::ConnectRetry, now + random_.jittered(redial_.next(config_->connect_retry)));
  return State::Active;
}

State Session::lost(const ConnectionLost& event) {
  reason_ = ResetReason{ResetReason::By::Transport, std::nullopt, event.error};
  return State::Idle;
}

State Session::give_up(const Notification& notification, Actions& out) {
  reason_ = ResetReason{ResetReason::By::Local, notification, describe(notification)};
  offer_ = Offer::Full;
  // RFC 8538 section 3: where both keep routes over NOTIFICATIONs, an end for good is said as such.
  const bool hard = state_ == State::Established && negotiated_->restart.notification && ends_for_good(notification);
  send(MessageType::Notification, encode(hard ? hard_reset(notification) : notification), out);
  return hang_up(out);
}

State Session::closed_by_peer(const Notification& notification, Actions& out) {
  reason_ = ResetReason{ResetReason::By::Remote, notification, describe(notification)};
  // RFC 5492 section 3: a peer that closes for our capabilities may take an OPEN without them. Without
  // them there is IPv4 only.
  const bool too_much_offered =
      is(notification, OpenError::UnsupportedParameter) || is(notification, OpenError::UnsupportedCapability);
  offer_ = too_much_offered && offer_ == Offer::Full && config_->families.ipv4 ? Offer::Bare : Offer::Full;
  return hang_up(out);
}

State Session::hang_up(Actions& out) {
  out.push_back(Hangup{connection()});
  return State::Idle;
}

State Session::abandon(const Abandoned& event, Actions& out) {
  reason_ = event.reason;
  return hang_up(out);
}

// RFC 6608: the subcode is the state, the data is the type of the message.
State Session::unexpected(const Event& event, Actions& out) {
  const auto type = std::visit(net::match{
                                   [](const Open&) { return MessageType::Open; },
                                   [](const UpdateReceived&) { return MessageType::Update; },
                                   [](const KeepaliveReceived&) { return MessageType::Keepalive; },
                                   [](const auto&) { return MessageType::RouteRefresh; },
                               },
                               event);
  const auto subcode = state_ == State::OpenSent      ? StateMachineError::UnexpectedInOpenSent
                       : state_ == State::OpenConfirm ? StateMachineError::UnexpectedInOpenConfirm
                                                      : StateMachineError::UnexpectedInEstablished;
  return give_up(state_machine_error(subcode, type), out);
}

void Session::send(MessageType type, std::vector<std::uint8_t> bytes, Actions& out) {
  count_sent(type, 1);
  out.push_back(Send{connection(), std::move(bytes)});
}

void Session::arm_hold(net::TimePoint now) {
  if (negotiated_->hold_time > net::Seconds{0}) {
    deadlines_.arm(Timer::Hold, now + negotiated_->hold_time);
  } else {
    deadlines_.disarm(Timer::Hold);
  }
}

void Session::arm_keepalive(net::TimePoint now) {
  if (!negotiated_ || negotiated_->keepalive_time == net::Seconds{0}) return;
  deadlines_.arm(Timer::Keepalive,
                 now + std::max(least_between_keepalives, random_.jittered(negotiated_->keepalive_time)));
}

// ---- around the state machine -----------------------------------------------------------------------

void Session::tick(net::TimePoint now, Actions& out) {
  while (const auto timer = deadlines_.take_due(now)) handle(Expired{*timer}, now, out);
}

std::optional<RouteMessage> Session::read(std::span<const std::uint8_t>& input, net::TimePoint now, Actions& out) {
  const auto from = state_;
  while (has_connection() && state_ == from) {
    const auto frame = framer_.next(input, negotiated_ ? negotiated_->message_limit : max_message_size);
    if (!frame) {
      handle(Violation{frame.error()}, now, out);
    } else if (!*frame) {
      return std::nullopt;
    } else if (const auto message = receive(**frame, now, out)) {
      return message;
    }
  }
  if (!has_connection()) input = {};
  return std::nullopt;
}

std::optional<RouteMessage> Session::receive(const Frame& frame, net::TimePoint now, Actions& out) {
  ++counters_.in[static_cast<std::size_t>(frame.type)];
  switch (frame.type) {
    case MessageType::Open: {
      // RFC 6608: whatever it says, it is out of place.
      if (state_ == State::Established) {
        handle(Open{}, now, out);
        return std::nullopt;
      }
      auto open = decode_open(frame.body);
      if (open) open_received_ = whole_message(MessageType::Open, frame.body);
      handle(open ? Event{std::move(*open)} : Event{Violation{std::move(open.error())}}, now, out);
      return std::nullopt;
    }
    case MessageType::Notification:
      handle(decode_notification(frame.body), now, out);
      return std::nullopt;
    case MessageType::Keepalive:
      handle(KeepaliveReceived{}, now, out);
      return std::nullopt;
    case MessageType::Update:
      handle(UpdateReceived{}, now, out);
      if (state_ != State::Established) return std::nullopt;
      return UpdateBody{frame.body};
    case MessageType::RouteRefresh:
      break;
  }
  const auto refresh = decode_route_refresh(frame.body);
  if (!refresh && state_ == State::Established) {
    handle(Violation{refresh.error()}, now, out);
    return std::nullopt;
  }
  handle(RefreshReceived{}, now, out);
  if (state_ != State::Established) return std::nullopt;
  return *refresh;
}

void Session::blocked(net::TimePoint now) {
  if (state_ != State::Established || deadlines_.armed(Timer::SendHold)) return;
  const auto longest = send_hold_time(negotiated_->hold_time);
  if (longest == net::Seconds{0}) return;  // the two agreed not to watch each other
  deadlines_.arm(Timer::SendHold, now + longest);
}

void Session::progressed() {
  deadlines_.disarm(Timer::SendHold);
}

void Session::retime(net::TimePoint now) {
  if (!negotiated_) return;
  const auto wanted = keepalive_time(*config_, negotiated_->hold_time);
  if (wanted == negotiated_->keepalive_time) return;
  negotiated_->keepalive_time = wanted;
  arm_keepalive(now);
}

void Session::probe(net::TimePoint now, Actions& out) {
  const bool just_sent = kept_alive_ && now - *kept_alive_ < least_between_keepalives;
  if (state_ == State::Established && !just_sent) handle(Expired{Timer::Keepalive}, now, out);
}

}  // namespace bgp
