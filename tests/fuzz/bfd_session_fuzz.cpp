// SPDX-License-Identifier: Apache-2.0
// A session whose neighbour says what the input chooses, field by field, when it chooses. The states follow the table
// of RFC 5880 section 6.8.6, written down here once more; silence ends the session when it must and not before; and no
// more packets go out than time and the neighbour account for. Each step: a kind, an argument, and of a packet the
// fields.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "bfd/sessions.hpp"
#include "net/reader.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using bfd::State;

const net::IpAddress remote{net::Ipv4Address{0x0a000001}};
const net::IpAddress local{net::Ipv4Address{0x0a000002}};

bfd::Interval milliseconds(unsigned count) {
  return bfd::Interval{1000U * count};
}
net::Duration duration(bfd::Interval interval) {
  return std::chrono::microseconds{interval.count()};
}

bfd::SessionConfig config(std::uint8_t choice) {
  bfd::SessionConfig made;
  made.desired_min_tx = milliseconds(30U * (1U + choice % 8U));
  made.required_min_rx = choice % 11 == 0 ? bfd::Interval{0} : milliseconds(30U * (1U + choice / 8U % 8U));
  made.detect_multiplier = static_cast<std::uint8_t>(1 + choice % 5);
  made.role = choice % 3 == 0 ? bfd::Role::Passive : bfd::Role::Active;
  if (choice % 4 == 0) made.echo_interval = made.required_min_echo_rx = milliseconds(50);
  if (choice >= 192) made.key = bfd::AuthKey{static_cast<bfd::AuthType>(1 + choice % 5), 1, "secret"};
  return made;
}

// The state after a packet that is used.
State after(State ours, State heard) {
  if (heard == State::AdminDown) return State::Down;
  switch (ours) {
    case State::Down:
      return heard == State::Down ? State::Init : heard == State::Init ? State::Up : State::Down;
    case State::Init:
      return heard == State::Init || heard == State::Up ? State::Up : State::Init;
    default:
      return heard == State::Down ? State::Down : State::Up;
  }
}

class Subject {
 public:
  explicit Subject(std::uint8_t choice) : sessions_{choice} { add(choice); }

  void step(net::Reader& in) {
    const auto what = in.u8();
    const auto argument = in.u8();
    switch (what % 10) {
      case 0:
        pass(net::Milliseconds{argument * 10});
        break;
      case 1:
        if (const auto deadline = sessions_.next_deadline()) pass(*deadline - now_);
        break;
      case 2:
        configure(argument);
        break;
      case 3:
        sessions_.path_down(id_, now_);
        if (state_ == State::Init || state_ == State::Up) state_ = State::Down;
        require(take().packets <= 1);
        break;
      case 4:
        sessions_.echo_returned(id_, argument, now_);
        break;
      case 5:
        if (what >= 200) replace(argument);
        break;
      default:
        hear(argument, in);
    }
    pass({});
  }

 private:
  struct Sent {
    std::size_t packets = 0;
    std::size_t finals = 0;
    std::size_t echoes = 0;
    bool echo_failed = false;
  };

  [[nodiscard]] const bfd::Session& session() const { return *sessions_.find(id_); }

  void add(std::uint8_t choice) {
    config_ = config(choice);
    neighbor_ = bfd::Authentication{config_.key, choice};
    id_ = sessions_.add({bfd::Hops::Single, remote, std::nullopt, 0}, config_, 255, now_);
    state_ = told_ = State::Down;
    silent_since_.reset();
    pass({});
  }

  // It says goodbye for no longer than ten seconds, and nothing else.
  void replace(std::uint8_t choice) {
    sessions_.remove(id_, now_);
    require(session().state() == State::AdminDown);
    const auto end = now_ + net::Seconds{10};
    for (auto next = sessions_.next_deadline(); next && *next <= end; next = sessions_.next_deadline()) {
      now_ = std::max(now_, *next);
      sessions_.tick(now_);
    }
    require(sessions_.find(id_) == nullptr);
    for (const auto& action : sessions_.take_actions()) {
      const auto* of = std::get_if<bfd::SessionAction>(&action);
      const auto* send = of == nullptr ? nullptr : std::get_if<bfd::SendControl>(&of->action);
      if (send != nullptr) require(bfd::decode(send->bytes)->state == State::AdminDown);
    }
    add(choice);
  }

  void configure(std::uint8_t choice) {
    const auto before = config_.key;
    config_ = config(choice);
    if (config_.key != before) neighbor_ = bfd::Authentication{config_.key, choice};
    // Who had to be silent is not to blame for it.
    if (session().status().detection_time == net::Duration{}) silent_since_ = now_;
    sessions_.configure(id_, config_, 255, now_);
    require(take().packets <= 1);
  }

  // ---- packets ----

  bfd::Packet packet(net::Reader& in) const {
    bfd::Packet made;
    const auto flags = in.u8();
    made.state = static_cast<State>(flags % 4);
    made.poll = (flags & 4U) != 0;
    made.final = (flags & 8U) != 0;
    made.demand = (flags & 16U) != 0;
    made.control_plane_independent = (flags & 32U) != 0;
    const auto your = flags >> 6;
    made.your_discriminator = your == 0 ? 0 : your == 1 ? id_.value ^ 1U : id_.value;
    made.detect_multiplier = in.u8();
    made.desired_min_tx = milliseconds(10U * in.u8());
    made.required_min_rx = milliseconds(10U * in.u8());
    made.required_min_echo_rx = milliseconds(10U * in.u8());
    made.my_discriminator = in.u8();
    return made;
  }

  void hear(std::uint8_t how, net::Reader& in) {
    const auto heard = packet(in);
    const std::uint8_t ttl = how % 16 == 15 ? 254 : 255;
    if (how % 8 == 7) {  // not signed, where it should be
      datagram_.clear();
      bfd::encode(heard, datagram_);
    } else if (how % 8 != 6) {  // 6: the one before once more
      datagram_.clear();
      neighbor_.encode_signed(heard, datagram_);
    }
    const auto said = bfd::decode(datagram_);
    const auto discarded = discards();
    sessions_.received({bfd::Hops::Single, remote, local, 1, ttl}, datagram_, now_);
    const bool used = discards() == discarded;
    const auto before = state_;
    if (used) {
      // Nothing else is good enough for any state; Up needs to be named, because Init and Up cannot be said without.
      const bool named = said->your_discriminator == id_.value;
      const bool first =
          said->your_discriminator == 0 && (said->state == State::Down || said->state == State::AdminDown);
      require(ttl == 255 && said->my_discriminator != 0 && said->detect_multiplier != 0 && (named || first));
      require(!config_.key || said->authentication);
      state_ = after(state_, said->state);
      require(state_ != State::Up || before == State::Up || named);
      silent_since_ = now_;
    } else {
      require(discards() == discarded + 1);
    }
    const auto sent = take();
    require(sent.packets <= (used ? 1U : 0U));
    require(sent.finals == (used && said->poll ? 1U : 0U));
  }
  [[nodiscard]] std::uint64_t discards() const {
    const auto& all = sessions_.discarded();
    return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
  }

  // ---- time ----

  void pass(net::Duration time) {
    const auto status = session().status();
    const auto end = now_ + time;
    Sent all;
    do {
      const auto next = sessions_.next_deadline();
      now_ = std::max(now_, std::min(end, next.value_or(end)));
      const auto sent = tick();
      all.packets += sent.packets;
      all.echoes += sent.echoes;
    } while (now_ < end);
    // At most one for each 75 percent of the interval, one at either end, and one that says that the session fell. Then
    // it may be as slow as it should have been, or as fast as a session that is not Up may be.
    auto pace = duration(std::max(config_.desired_min_tx, bfd::slow_interval));
    if (status.transmit_interval.count() > 0) pace = std::min(pace, duration(status.transmit_interval));
    require(all.packets <= static_cast<std::size_t>(time / (pace * 3 / 4)) + 3);
    if (status.echo == bfd::EchoState::Off) return require(all.echoes == 0);
    require(all.echoes <= static_cast<std::size_t>(time / (duration(status.echo_interval) * 3 / 4)) + 2);
  }

  // RFC 5880 section 6.8.4: the session falls when nothing was heard for the detection time, and not before.
  Sent tick() {
    const auto patience = session().status().detection_time;
    const bool waits = state_ == State::Init || state_ == State::Up;
    const bool over = waits && patience > net::Duration{} && now_ >= *silent_since_ + patience;
    if (over) state_ = State::Down;
    const auto may_fail = session().status().echo == bfd::EchoState::Active;
    sessions_.tick(now_);
    const auto sent = take();
    require(!sent.echo_failed || may_fail);
    const auto next = sessions_.next_deadline();
    require(!next || *next > now_);
    return sent;
  }

  // ---- what the session does ----

  Sent take() {
    Sent sent;
    for (const auto& action : sessions_.take_actions()) {
      const auto* of = std::get_if<bfd::SessionAction>(&action);
      if (of == nullptr || of->session != id_) continue;
      if (const auto* change = std::get_if<bfd::StateChanged>(&of->action)) {
        require(change->from == told_ && change->to != told_);
        told_ = change->to;
        // The diagnostic stays what it was until the session is Up again.
        sent.echo_failed = change->to == State::Down && change->diagnostic == bfd::Diagnostic::EchoFailed;
        if (sent.echo_failed) state_ = State::Down;
      }
      if (const auto* send = std::get_if<bfd::SendControl>(&of->action)) {
        ++sent.packets;
        sent.finals += look_at(*send) ? 1U : 0U;
      }
      if (std::holds_alternative<bfd::SendEcho>(of->action)) {
        ++sent.echoes;
        require(told_ == State::Up && config_.echo_interval.count() != 0);
      }
    }
    require(told_ == session().state() && state_ == told_);
    return sent;
  }
  // True: it answers a poll.
  [[nodiscard]] bool look_at(const bfd::SendControl& send) const {
    const auto said = bfd::decode(send.bytes);
    require(said.has_value());
    require(said->my_discriminator == id_.value && said->detect_multiplier == config_.detect_multiplier);
    require(said->state == told_ && !(said->poll && said->final) && !said->demand);
    require(!said->poll || told_ == State::Up);
    require(told_ != State::Up || said->your_discriminator != 0);
    require(told_ == State::Up || said->desired_min_tx >= bfd::slow_interval);
    require(said->authentication.has_value() == config_.key.has_value());
    return said->final;
  }

  bfd::Sessions sessions_;
  bfd::SessionId id_;
  bfd::SessionConfig config_;
  bfd::Authentication neighbor_{std::nullopt, 0};
  std::vector<std::uint8_t> datagram_;          // the last one that was sent to it
  State state_ = State::Down;                   // as it must be
  State told_ = State::Down;                    // as the actions say
  std::optional<net::TimePoint> silent_since_;  // no packet was used
  net::TimePoint now_{std::chrono::hours{1}};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Reader in{{data, size}};
  Subject subject{in.u8()};
  while (in.remaining() > 0) subject.step(in);
  return 0;
}
