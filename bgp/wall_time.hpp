// SPDX-License-Identifier: Apache-2.0
// Wall-clock time as BMP and MRT write it: since 1970, UTC. An argument, never a call.
#pragma once

#include <compare>
#include <cstdint>

namespace bgp {

struct WallTime {
  std::uint32_t seconds = 0;
  std::uint32_t microseconds = 0;  // 0 to 999,999
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
};

}  // namespace bgp
