// SPDX-License-Identifier: Apache-2.0
// Time as the pure parts of the tree see it: an argument, never a call. The edges read the clock.
#pragma once

#include <chrono>

namespace net {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;
using Seconds = std::chrono::seconds;
using Milliseconds = std::chrono::milliseconds;

}  // namespace net
