// SPDX-License-Identifier: Apache-2.0
// How a router's tables name the neighbours.
#pragma once

#include <compare>
#include <cstdint>

namespace bgp {

// A neighbour of the router; stays the same while it is configured.
struct PeerId {
  std::uint16_t value{};
  friend constexpr auto operator<=>(PeerId, PeerId) = default;
};
// Whom local routes come from.
inline constexpr PeerId local_peer{0xffff};

}  // namespace bgp
