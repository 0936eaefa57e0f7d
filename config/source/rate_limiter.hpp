// SPDX-License-Identifier: Apache-2.0
// How fast requests may go out: a bucket of tokens that fills at a steady rate. Pure; time is an argument.
#pragma once

#include <algorithm>
#include <chrono>

namespace config {

class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Wait = std::chrono::steady_clock::duration;

  // `per_second` and `burst` are at least 1.
  RateLimiter(int per_second, int burst)
      : interval_{std::chrono::nanoseconds{1'000'000'000 / per_second}}, burst_{burst} {}

  // Takes the next token and says how long to wait for it. Tokens are given in the order of the calls.
  [[nodiscard]] Wait reserve(Time now) {
    // The bucket as one moment: when its last token was or will be there. Full means burst intervals ago.
    next_ = std::max(next_, now - (burst_ - 1) * interval_);
    const auto wait = std::max(next_ - now, Wait{0});
    next_ += interval_;
    return wait;
  }
  // Takes a token if there is one now.
  [[nodiscard]] bool take(Time now) {
    if (std::max(next_, now - (burst_ - 1) * interval_) > now) return false;
    static_cast<void>(reserve(now));
    return true;
  }
  // The server asked to be left alone: no token before `until`.
  void hold_back(Time until) { next_ = std::max(next_, until); }

 private:
  Wait interval_;
  int burst_;
  Time next_{};
};

}  // namespace config
