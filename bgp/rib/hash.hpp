// SPDX-License-Identifier: Apache-2.0
// Seeded hashes for the tables: fast, well mixed in the low bits, not cryptographic.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

#include "net/address.hpp"

namespace bgp {

// The finalizer of splitmix64.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
  return value ^ value >> 31;
}

[[nodiscard]] inline std::uint64_t hash_bytes(std::span<const std::uint8_t> bytes, std::uint64_t seed) {
  auto state = seed ^ bytes.size() * 0x9e3779b97f4a7c15ULL;
  const auto* at = bytes.data();
  auto left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state = std::rotl((state ^ word) * 0x9e3779b97f4a7c15ULL, 29);
  }
  std::uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  return mix(state ^ word);
}

[[nodiscard]] constexpr std::uint32_t hash_prefix(net::Ipv4Address address, unsigned length, std::uint64_t seed) {
  return static_cast<std::uint32_t>(mix((std::uint64_t{address.value} << 8 | length) + seed));
}
[[nodiscard]] inline std::uint32_t hash_prefix(const net::Ipv6Address& address, unsigned length, std::uint64_t seed) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, address.octets.data(), 8);
  std::memcpy(&low, address.octets.data() + 8, 8);
  return static_cast<std::uint32_t>(mix(mix(high + seed) ^ (low + length)));
}

}  // namespace bgp
