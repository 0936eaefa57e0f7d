// SPDX-License-Identifier: Apache-2.0
// Ethernet addresses.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace net {

struct Mac {
  std::array<std::uint8_t, 6> octets{};
  friend constexpr auto operator<=>(const Mac&, const Mac&) = default;
  [[nodiscard]] constexpr bool group() const { return (octets[0] & 1U) != 0; }  // multicast or broadcast
};

inline constexpr Mac broadcast_mac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

// "02:00:5e:00:53:01", either case.
[[nodiscard]] std::optional<Mac> parse_mac(std::string_view text);
[[nodiscard]] std::string print(const Mac& mac);

}  // namespace net
