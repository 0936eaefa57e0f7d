// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/prefixes.hpp"

#include <stdexcept>
#include <utility>

namespace blast {
namespace {

constexpr std::uint64_t stride = 2654435761;  // a prime that divides no size of a space below: a permutation of it

// First octets of prefixes that the Internet could have; what is private or special is left out.
std::vector<std::uint8_t> public_octets() {
  std::vector<std::uint8_t> all;
  for (std::uint8_t octet = 1; octet < 223; ++octet) {
    switch (octet) {
      case 10:
      case 100:
      case 127:
      case 169:
      case 172:
      case 192:
      case 198:
      case 203:
        break;
      default:
        all.push_back(octet);
    }
  }
  return all;
}

// The first entry above the percentage says the length.
using Mixture = std::span<const std::pair<unsigned, std::uint8_t>>;
constexpr std::pair<unsigned, std::uint8_t> ipv4_mixture[] = {{60, 24}, {70, 23}, {82, 22}, {88, 21}, {93, 20},
                                                              {96, 19}, {98, 18}, {99, 17}, {100, 16}};
constexpr std::pair<unsigned, std::uint8_t> ipv6_mixture[] = {{50, 48}, {70, 32}, {80, 40}, {90, 44}, {100, 36}};

std::uint8_t pick(Mixture mixture, unsigned percent) {
  for (const auto& [below, length] : mixture)
    if (percent < below) return length;
  return mixture.back().second;
}

}  // namespace

std::uint64_t mix(std::uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

std::string print(Prefix prefix, net::Family family) {
  std::array<std::uint8_t, 16> octets{};
  for (unsigned i = 0; i < 8; ++i) octets[i] = static_cast<std::uint8_t>(prefix.bits >> (56 - 8 * i));
  const auto address = family == net::Family::Ipv4 ? net::print(net::Ipv4Address::from_bytes(octets))
                                                   : net::print(net::Ipv6Address::from_bytes(octets));
  return address + "/" + std::to_string(prefix.length);
}

void Prefixes::add(std::uint32_t count) {
  list_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto percent = static_cast<unsigned>(mix(seed_ * 0x1000003 + i) % 100);
    list_.push_back(family_ == net::Family::Ipv4 ? next_ipv4(percent) : next_ipv6(percent));
  }
}

void Prefixes::add_probes(std::uint32_t count) {
  for (std::uint64_t i = 0; i < count; ++i)
    list_.push_back(family_ == net::Family::Ipv4 ? Prefix{(223ULL << 24 | i << 8) << 32, 24}
                                                 : Prefix{0x3ffeULL << 48 | i << 16, 48});
}

void Prefixes::build_index() {
  std::size_t size = 16;
  while (size < list_.size() * 2) size *= 2;
  slots_.assign(size, 0);
  for (std::uint32_t i = 0; i < list_.size(); ++i) {
    auto at = slot(list_[i]);
    while (slots_[at] != 0) at = (at + 1) & (size - 1);
    slots_[at] = i + 1;
  }
}

std::optional<std::uint32_t> Prefixes::find(Prefix prefix) const {
  for (auto at = slot(prefix); slots_[at] != 0; at = (at + 1) & (slots_.size() - 1))
    if (list_[slots_[at] - 1] == prefix) return slots_[at] - 1;
  return std::nullopt;
}

Prefix Prefixes::next_ipv4(unsigned percent) {
  static const auto octets = public_octets();
  const auto length = pick(ipv4_mixture, percent);
  const auto per_octet = 1ULL << (length - 8);
  const auto space = octets.size() * per_octet;
  const auto taken = used_[length]++;
  if (taken >= space) throw std::length_error{"no more prefixes of length " + std::to_string(length)};
  const auto n = (taken * stride + seed_) % space;
  const auto address = static_cast<std::uint64_t>(octets[n / per_octet]) << 24 | (n % per_octet) << (32 - length);
  return {address << 32, length};
}

Prefix Prefixes::next_ipv6(unsigned percent) {  // below 2400::/12
  const auto length = pick(ipv6_mixture, percent);
  const auto space = 1ULL << (length - 12);
  const auto taken = used_[length]++;
  if (taken >= space) throw std::length_error{"no more prefixes of length " + std::to_string(length)};
  return {0x240ULL << 52 | (taken * stride + seed_) % space << (64 - length), length};
}

}  // namespace blast
