// SPDX-License-Identifier: Apache-2.0
// The wall clock, for what is written down for others.
#pragma once

#include <chrono>

#include "bgp/wall_time.hpp"

namespace speaker {

[[nodiscard]] inline bgp::WallTime wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  return {static_cast<std::uint32_t>(micros / 1'000'000), static_cast<std::uint32_t>(micros % 1'000'000)};
}

}  // namespace speaker
