// SPDX-License-Identifier: Apache-2.0
#include "bfd/session.hpp"

#include <algorithm>
#include <utility>

namespace bfd {
namespace {

// This many echoes are tried at the agreed pace before the search for a path that returns them slows down.
constexpr unsigned quick_probes = 6;

net::Duration duration(Interval interval) {
  return std::chrono::duration_cast<net::Duration>(std::chrono::duration<std::int64_t, std::micro>{interval.count()});
}

// While no path is known the two take turns.
EchoPath path_of(std::uint32_t sequence) {
  return sequence % 2 == 1 ? EchoPath::Forwarded : EchoPath::Reflected;
}

// What makes a packet worth sending ahead of time: everything but Poll and Final (section 6.8.7).
Packet contents(Packet packet) {
  packet.poll = packet.final = false;
  return packet;
}

}  // namespace

Session::Session(std::uint32_t discriminator, SessionConfig config, std::uint64_t seed, net::TimePoint now)
    : config_{std::move(config)},
      random_{seed},
      authentication_{config_.key, static_cast<std::uint32_t>(random_.next())},
      local_discriminator_{discriminator} {
  renegotiate();
  reschedule(now);
}

// ---- events -------------------------------------------------------------------------------------------

// Section 6.8.6 from where the session is known.
std::optional<Discard> Session::received(const Packet& packet, std::span<const std::uint8_t> datagram,
                                         net::TimePoint now, Actions& out) {
  const auto patience = detection_time();
  if (last_received_ && now - *last_received_ > 2 * patience) authentication_.forget_sequence();
  if (const auto reason = authentication_.verify(packet, datagram)) return reason;

  ++counters_.packets_in;
  last_received_ = now;
  const auto remote_before = std::exchange(remote_state_, packet.state);
  learn(packet);
  if (packet.final && polling_) finish_poll();
  if (state_ == State::AdminDown) return std::nullopt;

  follow(packet.state, now, out);
  const bool admin_changed = (remote_before == State::AdminDown) != (remote_state_ == State::AdminDown);
  if (admin_changed) out.emplace_back(RemoteAdminChanged{remote_state_});
  expect_packets(now, now);
  reschedule(now);
  reschedule_echo(now);
  if (packet.poll)
    send(Answer::ToPoll, now, out);
  else
    send_if_changed(now, out);
  return std::nullopt;
}

void Session::learn(const Packet& packet) {
  remote_discriminator_ = packet.my_discriminator;
  remote_diagnostic_ = packet.diagnostic;
  remote_multiplier_ = packet.detect_multiplier;
  remote_demand_ = packet.demand;
  remote_desired_min_tx_ = packet.desired_min_tx;
  remote_required_min_rx_ = packet.required_min_rx;
  remote_required_min_echo_rx_ = packet.required_min_echo_rx;
  remote_control_plane_ = packet.control_plane_independent ? ControlPlane::Independent : ControlPlane::Shared;
}

// The state machine of section 6.2, as section 6.8.6 has it.
void Session::follow(State heard, net::TimePoint now, Actions& out) {
  if (heard == State::AdminDown) {
    if (state_ != State::Down) move(State::Down, Diagnostic::NeighborSignaledDown, now, out);
    return;
  }
  switch (state_) {
    case State::AdminDown:
      break;
    case State::Down:
      if (heard == State::Down) move(State::Init, diagnostic_, now, out);
      if (heard == State::Init) move(State::Up, Diagnostic::None, now, out);
      break;
    case State::Init:
      if (heard == State::Init || heard == State::Up) move(State::Up, Diagnostic::None, now, out);
      break;
    case State::Up:
      if (heard == State::Down) move(State::Down, Diagnostic::NeighborSignaledDown, now, out);
      break;
  }
}

void Session::move(State to, Diagnostic diagnostic, net::TimePoint now, Actions& out) {
  const auto from = std::exchange(state_, to);
  diagnostic_ = diagnostic;
  if (to == State::Up) {
    counters_.up_since = now;
    ++counters_.times_up;
  }
  if (from == State::Up) {
    counters_.up_since.reset();
    counters_.down_since = now;
    counters_.last_down = diagnostic;
    ++counters_.times_down;
  }
  if (to != State::Up) stop_echo();
  renegotiate();
  out.emplace_back(StateChanged{from, to, diagnostic, remote_state_, remote_diagnostic_, remote_control_plane_});
}

void Session::expire(net::TimePoint now, Actions& out) {
  detect_at_.reset();
  // Section 6.8.1: what the other side said last holds no more.
  remote_discriminator_ = 0;
  remote_required_min_rx_ = Interval{1};
  remote_demand_ = false;
  if (remote_state_ != State::AdminDown) remote_state_ = State::Down;
  if (state_ == State::Init || state_ == State::Up) move(State::Down, Diagnostic::DetectionTimeExpired, now, out);
  reschedule(now);
  send_if_changed(now, out);
}

void Session::configure(const SessionConfig& config, net::TimePoint now, Actions& out) {
  if (config == config_) return;
  const bool other_key = config.key != config_.key;
  config_ = config;
  if (other_key) authentication_ = Authentication{config_.key, static_cast<std::uint32_t>(random_.next())};
  renegotiate();
  // A neighbour that had to be silent until now is given the time from here on.
  if (remote_discriminator_ != 0 && state_ != State::AdminDown) expect_packets(now, detect_at_ ? silent_since_ : now);
  reschedule(now);
  reschedule_echo(now);
  send_if_changed(now, out);
}

void Session::disable(net::TimePoint now, Actions& out) {
  if (state_ == State::AdminDown) return;
  detect_at_.reset();
  move(State::AdminDown, Diagnostic::AdministrativelyDown, now, out);
  reschedule(now);
  send_if_changed(now, out);
}

void Session::enable(net::TimePoint now, Actions& out) {
  if (state_ != State::AdminDown) return;
  move(State::Down, Diagnostic::None, now, out);
  reschedule(now);
  send_if_changed(now, out);
}

void Session::path_down(net::TimePoint now, Actions& out) {
  if (state_ != State::Init && state_ != State::Up) return;
  move(State::Down, Diagnostic::PathDown, now, out);
  reschedule(now);
  send_if_changed(now, out);
}

void Session::tick(net::TimePoint now, Actions& out) {
  if (detect_at_ && *detect_at_ <= now) expire(now, out);
  if (echo_detect_at_ && *echo_detect_at_ <= now) {
    move(State::Down, Diagnostic::EchoFailed, now, out);
    reschedule(now);
    send_if_changed(now, out);
  }
  if (send_at_ && *send_at_ <= now) send(Answer::None, now, out);
  if (echo_at_ && *echo_at_ <= now) send_echo(now, out);
}

std::optional<net::TimePoint> Session::next_deadline() const {
  std::optional<net::TimePoint> next;
  for (const auto& deadline : {detect_at_, send_at_, echo_at_, echo_detect_at_})
    if (deadline && (!next || *deadline < *next)) next = deadline;
  return next;
}

// ---- timers -------------------------------------------------------------------------------------------

Interval Session::wanted_tx() const {
  return state_ == State::Up ? config_.desired_min_tx : std::max(config_.desired_min_tx, slow_interval);
}

// Section 6.8.3. A change that comes while a poll sequence runs waits for its end: the answer to the first would be
// taken for that to the second.
void Session::renegotiate() {
  const auto tx = wanted_tx();
  const auto rx = config_.required_min_rx;
  if (state_ != State::Up) {
    advertised_tx_ = active_tx_ = tx;
    advertised_rx_ = active_rx_ = rx;
    polling_ = false;
    return;
  }
  if (polling_ || (tx == advertised_tx_ && rx == advertised_rx_)) return;
  advertised_tx_ = tx;
  advertised_rx_ = rx;
  active_tx_ = std::min(active_tx_, tx);
  active_rx_ = std::max(active_rx_, rx);
  polling_ = true;
}

void Session::finish_poll() {
  polling_ = false;
  active_tx_ = advertised_tx_;
  active_rx_ = advertised_rx_;
  renegotiate();
}

// Section 6.8.2.
Interval Session::transmit_interval() const {
  return std::max(active_tx_, remote_required_min_rx_);
}

// Section 6.8.4; zero: the other side is not expected to send.
net::Duration Session::detection_time() const {
  if (active_rx_ == Interval{0}) return net::Duration{0};
  return remote_multiplier_ * duration(std::max(active_rx_, remote_desired_min_tx_));
}

void Session::expect_packets(net::TimePoint now, net::TimePoint since) {
  const auto patience = detection_time();
  silent_since_ = since;
  detect_at_ = patience > net::Duration{0} ? std::optional{std::max(now, since + patience)} : std::nullopt;
}

// Section 6.8.7: whether packets go out periodically.
bool Session::transmits() const {
  if (config_.role == Role::Passive && remote_discriminator_ == 0) return false;
  if (remote_required_min_rx_ == Interval{0}) return false;
  const bool both_up = state_ == State::Up && remote_state_ == State::Up;
  return !(remote_demand_ && both_up && !polling_);
}

// Section 6.8.7: 75 to 100 percent, and at most 90 where one lost packet is one too many.
net::Duration Session::jittered(net::Duration interval) {
  const std::int64_t span = config_.detect_multiplier == 1 ? 150 : 250;  // in thousandths
  const auto thousandths = 750 + static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(span + 1));
  return interval * thousandths / 1000;
}

void Session::reschedule(net::TimePoint now) {
  if (!transmits()) {
    send_at_.reset();
    return;
  }
  const auto interval = duration(transmit_interval());
  if (send_at_ && interval == scheduled_interval_) return;
  scheduled_interval_ = interval;
  send_at_ = last_sent_ ? std::max(now, *last_sent_ + jittered(interval)) : now;
}

// ---- packets ------------------------------------------------------------------------------------------

Packet Session::packet() const {
  Packet made;
  made.diagnostic = diagnostic_;
  made.state = state_;
  made.control_plane_independent = config_.control_plane == ControlPlane::Independent;
  made.detect_multiplier = config_.detect_multiplier;
  made.my_discriminator = local_discriminator_;
  made.your_discriminator = remote_discriminator_;
  made.desired_min_tx = advertised_tx_;
  made.required_min_rx = advertised_rx_;
  made.required_min_echo_rx = config_.required_min_echo_rx;
  return made;
}

void Session::send(Answer answer, net::TimePoint now, Actions& out) {
  auto made = packet();
  last_packet_ = contents(made);
  made.final = answer == Answer::ToPoll;
  made.poll = polling_ && !made.final;
  SendControl action;
  authentication_.encode_signed(made, action.bytes);
  out.emplace_back(std::move(action));
  ++counters_.packets_out;
  last_sent_ = now;
  send_at_.reset();
  reschedule(now);
}

// Section 6.8.7: news go out at once. At most one packet for each that came in, so this cannot run away.
void Session::send_if_changed(net::TimePoint now, Actions& out) {
  if (config_.role == Role::Passive && remote_discriminator_ == 0) return;
  if (remote_required_min_rx_ == Interval{0}) return;
  if (last_packet_ != packet()) send(Answer::None, now, out);
}

// ---- echo, section 6.8.9 ------------------------------------------------------------------------------

Interval Session::agreed_echo_interval() const {
  return std::max(config_.echo_interval, remote_required_min_echo_rx_);
}

void Session::reschedule_echo(net::TimePoint now) {
  const bool wanted =
      state_ == State::Up && config_.echo_interval != Interval{0} && remote_required_min_echo_rx_ != Interval{0};
  if (!wanted) return stop_echo();
  if (echo_ != EchoState::Off) return;
  echo_ = EchoState::Probing;
  probes_ = 0;
  echo_confirmed_ = echo_sequence_;
  echo_at_ = now;
}

void Session::stop_echo() {
  echo_ = EchoState::Off;
  echo_at_.reset();
  echo_detect_at_.reset();
  echo_path_.reset();
}

void Session::send_echo(net::TimePoint now, Actions& out) {
  ++echo_sequence_;
  ++counters_.echoes_out;
  out.emplace_back(SendEcho{echo_sequence_, echo_path_.value_or(path_of(echo_sequence_))});
  auto interval = duration(agreed_echo_interval());
  if (echo_ == EchoState::Probing && ++probes_ > quick_probes) interval = std::max(interval, duration(slow_interval));
  echo_at_ = now + jittered(interval);
}

void Session::echo_returned(std::uint32_t sequence, net::TimePoint now) {
  // Circular: sent, and later than the last that came back.
  const auto outstanding = echo_sequence_ - echo_confirmed_;
  if (echo_ == EchoState::Off || sequence - echo_confirmed_ - 1 >= outstanding) return;
  echo_confirmed_ = sequence;
  ++counters_.echoes_in;
  if (echo_ == EchoState::Probing) {
    echo_ = EchoState::Active;
    echo_path_ = path_of(sequence);
    echo_at_ = now;
  }
  echo_detect_at_ = now + config_.detect_multiplier * duration(agreed_echo_interval());
}

// ---- status -------------------------------------------------------------------------------------------

SessionStatus Session::status() const {
  auto status = counters_;
  status.state = state_;
  status.diagnostic = diagnostic_;
  status.remote_state = remote_state_;
  status.remote_diagnostic = remote_diagnostic_;
  status.local_discriminator = local_discriminator_;
  status.remote_discriminator = remote_discriminator_;
  status.transmit_interval = transmits() ? transmit_interval() : Interval{0};
  status.receive_interval = remote_multiplier_ == 0 ? Interval{0} : std::max(active_rx_, remote_desired_min_tx_);
  status.detection_time = detection_time();
  status.echo = echo_;
  status.echo_interval = echo_ == EchoState::Off ? Interval{0} : agreed_echo_interval();
  status.remote_multiplier = remote_multiplier_;
  status.remote_desired_min_tx = remote_desired_min_tx_;
  status.remote_required_min_rx = remote_required_min_rx_;
  status.remote_required_min_echo_rx = remote_required_min_echo_rx_;
  status.remote_demand = remote_demand_;
  status.remote_control_plane = remote_control_plane_;
  status.polling = polling_;
  return status;
}

}  // namespace bfd
