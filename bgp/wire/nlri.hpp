// SPDX-License-Identifier: Apache-2.0
// Prefixes on the wire: one octet of length in bits, then as many octets as the bits need (RFC 4271
// section 4.3, RFC 4760 section 5). A run is checked once and then walked without checks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "bgp/wire/bytes.hpp"
#include "net/prefix.hpp"

namespace bgp {

[[nodiscard]] constexpr std::size_t prefix_octets(unsigned bits) {
  return (bits + 7) / 8;
}

// True when `run` is whole prefixes of at most `bits` bits. Bits behind a prefix's length may be set:
// RFC 4271 section 4.3 calls them irrelevant.
[[nodiscard]] inline bool well_formed_run(std::span<const std::uint8_t> run, unsigned bits) {
  std::size_t at = 0;
  while (at < run.size()) {
    if (run[at] > bits) return false;
    at += 1 + prefix_octets(run[at]);
  }
  return at == run.size();
}

// The same where four octets of path identifier stand before each prefix (RFC 7911 section 3).
[[nodiscard]] inline bool well_formed_path_run(std::span<const std::uint8_t> run, unsigned bits) {
  std::size_t at = 0;
  while (at < run.size()) {
    if (run.size() - at < 5 || run[at + 4] > bits) return false;
    at += 5 + prefix_octets(run[at + 4]);
  }
  return at == run.size();
}

template <class Prefix>
[[nodiscard]] Prefix load_prefix(const std::uint8_t* octets, unsigned bits, std::size_t readable);

// One load of four octets where the run has that many left, else an octet at a time.
template <>
inline net::Ipv4Prefix load_prefix<net::Ipv4Prefix>(const std::uint8_t* octets, unsigned bits, std::size_t readable) {
  std::uint32_t value = 0;
  if (readable >= 4) {
    value = load_u32(octets);
  } else {
    for (std::size_t i = 0; i < prefix_octets(bits); ++i) value |= std::uint32_t{octets[i]} << (24 - 8 * i);
  }
  return *net::Ipv4Prefix::make({value}, bits);  // clears what belongs to the next prefix
}

template <>
inline net::Ipv6Prefix load_prefix<net::Ipv6Prefix>(const std::uint8_t* octets, unsigned bits, std::size_t readable) {
  net::Ipv6Address address;
  if (readable >= 16)
    std::memcpy(address.octets.data(), octets, 16);
  else
    std::memcpy(address.octets.data(), octets, prefix_octets(bits));
  return *net::Ipv6Prefix::make(address, bits);
}

template <class Prefix, class Visit>
void for_each_prefix(std::span<const std::uint8_t> run, Visit&& visit) {
  const auto* at = run.data();
  const auto* const end = at + run.size();
  while (at != end) {
    const unsigned bits = *at++;
    visit(load_prefix<Prefix>(at, bits, static_cast<std::size_t>(end - at)));
    at += prefix_octets(bits);
  }
}

// visit(prefix, path identifier)
template <class Prefix, class Visit>
void for_each_path(std::span<const std::uint8_t> run, Visit&& visit) {
  const auto* at = run.data();
  const auto* const end = at + run.size();
  while (at != end) {
    const auto id = load_u32(at);
    const unsigned bits = at[4];
    at += 5;
    visit(load_prefix<Prefix>(at, bits, static_cast<std::size_t>(end - at)), id);
    at += prefix_octets(bits);
  }
}

template <class Prefix>
void encode_prefix(const Prefix& prefix, std::vector<std::uint8_t>& out) {
  const auto octets = prefix.address().bytes();
  out.push_back(static_cast<std::uint8_t>(prefix.length()));
  out.insert(out.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(prefix_octets(prefix.length())));
}

}  // namespace bgp
