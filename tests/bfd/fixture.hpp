// SPDX-License-Identifier: Apache-2.0
// What the tests of sessions share: a clock, packets of a neighbour, and a session that is brought into any state.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bfd/session.hpp"
#include "net/time.hpp"

namespace bfd {

inline void PrintTo(State state, std::ostream* out) {
  *out << print(state);
}
inline void PrintTo(Diagnostic diagnostic, std::ostream* out) {
  *out << print(diagnostic);
}
inline void PrintTo(Discard discard, std::ostream* out) {
  *out << print(discard);
}
inline void PrintTo(const StateChanged& change, std::ostream* out) {
  *out << print(change.from) << " -> " << print(change.to) << " (" << print(change.diagnostic) << ", remote "
       << print(change.remote_state) << ")";
}

inline constexpr net::TimePoint t0{std::chrono::hours{1}};
using net::Milliseconds;

inline constexpr std::uint32_t ours = 0x11111111;
inline constexpr std::uint32_t theirs = 0x22222222;

// A neighbour's packet with 100 ms both ways.
inline Packet from_neighbor(State state, std::uint32_t your = ours) {
  Packet packet;
  packet.state = state;
  packet.my_discriminator = theirs;
  packet.your_discriminator = your;
  packet.desired_min_tx = Interval{100'000};
  packet.required_min_rx = Interval{100'000};
  return packet;
}

inline std::vector<std::uint8_t> bytes_of(const Packet& packet) {
  std::vector<std::uint8_t> bytes;
  encode(packet, bytes);
  return bytes;
}

// A session with everything that it asked for.
class Subject {
 public:
  explicit Subject(SessionConfig config = {}, std::uint64_t seed = 7) : session{ours, std::move(config), seed, t0} {}

  std::optional<Discard> hear(const Packet& packet) {
    const auto result = session.received(packet, bytes_of(packet), now, actions);
    return result;
  }
  std::optional<Discard> hear(State state, std::uint32_t your = ours) { return hear(from_neighbor(state, your)); }
  // Runs every deadline up to `duration` from now.
  void pass(net::Duration duration) {
    const auto end = now + duration;
    for (auto next = session.next_deadline(); next && *next <= end; next = session.next_deadline()) {
      now = std::max(now, *next);
      session.tick(now, actions);
    }
    now = end;
  }
  // As a neighbour would bring it there.
  void bring_to(State state) {
    switch (state) {
      case State::AdminDown:
        session.disable(now, actions);
        break;
      case State::Down:
        break;
      case State::Init:
        hear(State::Down, 0);
        break;
      case State::Up:
        hear(State::Init);
        break;
    }
    ASSERT_EQ(session.state(), state);
    actions.clear();
  }

  template <class T>
  [[nodiscard]] std::vector<T> all() const {
    std::vector<T> out;
    for (const auto& action : actions)
      if (const auto* found = std::get_if<T>(&action)) out.push_back(*found);
    return out;
  }
  [[nodiscard]] std::vector<Packet> sent() const {
    std::vector<Packet> out;
    for (const auto& send : all<SendControl>()) out.push_back(*decode(send.bytes));
    return out;
  }
  [[nodiscard]] std::optional<StateChanged> change() const {
    const auto changes = all<StateChanged>();
    return changes.empty() ? std::nullopt : std::optional{changes.back()};
  }

  net::TimePoint now = t0;
  Actions actions;
  Session session;
};

}  // namespace bfd
