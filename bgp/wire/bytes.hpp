// SPDX-License-Identifier: Apache-2.0
// Unchecked big-endian loads and stores, for the hot loops of the codec that have checked, or made, the length of a
// whole field before. Everything else goes through net::Reader and net::Writer.
#pragma once

#include <cstdint>

#include "net/address.hpp"
#include "net/asn.hpp"

namespace bgp {

[[nodiscard]] constexpr std::uint16_t load_u16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
[[nodiscard]] constexpr std::uint32_t load_u32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | std::uint32_t{at[3]};
}
[[nodiscard]] constexpr std::uint64_t load_u64(const std::uint8_t* at) {
  return std::uint64_t{load_u32(at)} << 32 | load_u32(at + 4);
}

// Both return where the next field begins.
constexpr std::uint8_t* store_u16(std::uint8_t* at, std::uint16_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
  return at + 2;
}
constexpr std::uint8_t* store_u32(std::uint8_t* at, std::uint32_t value) {
  return store_u16(store_u16(at, static_cast<std::uint16_t>(value >> 16)), static_cast<std::uint16_t>(value));
}

}  // namespace bgp
