// SPDX-License-Identifier: Apache-2.0
// Deadlines, jitter and back-off as data. Nothing here reads a clock or a random device: time and the
// seed come from outside, so a test repeats exactly.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "net/time.hpp"

namespace bgp {

// A small seeded generator (splitmix64): eight bytes a session.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed} {}
  std::uint64_t next();
  // The duration times a factor of 0.75 to 1.0: RFC 4271 section 10.
  net::Duration jittered(net::Duration duration);

 private:
  std::uint64_t state_;
};

// Pauses that double: `first`, then 1 s, 2 s, 4 s … up to a ceiling that the caller may change.
class Backoff {
 public:
  explicit Backoff(net::Duration first) : first_{first} {}
  net::Duration next(net::Duration ceiling);
  void reset() { failures_ = 0; }

 private:
  net::Duration first_;
  unsigned failures_ = 0;
};

enum class Timer : std::uint8_t { ConnectRetry, Hold, Keepalive, SendHold };

// At most one deadline per timer.
class Deadlines {
 public:
  void arm(Timer timer, net::TimePoint at) { at_[index(timer)] = at; }
  void disarm(Timer timer) { at_[index(timer)].reset(); }
  void disarm_all() { at_ = {}; }
  [[nodiscard]] bool armed(Timer timer) const { return at_[index(timer)].has_value(); }
  [[nodiscard]] std::optional<net::TimePoint> at(Timer timer) const { return at_[index(timer)]; }
  [[nodiscard]] std::optional<net::TimePoint> next() const;
  // Disarms and returns the earliest timer that is due.
  std::optional<Timer> take_due(net::TimePoint now);

 private:
  static constexpr std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
  std::array<std::optional<net::TimePoint>, 4> at_;
};

// The earlier of two deadlines, either of which may be none.
[[nodiscard]] std::optional<net::TimePoint> earlier(std::optional<net::TimePoint> one,
                                                    std::optional<net::TimePoint> other);

}  // namespace bgp
