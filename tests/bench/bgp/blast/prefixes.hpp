// SPDX-License-Identifier: Apache-2.0
// The prefixes of a run: made from a seed, distinct by construction, and found again by value when a receiver hears
// one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/address.hpp"

namespace blast {

// A good mixture of 64 bits; the only source of randomness, so that a seed tells everything.
[[nodiscard]] std::uint64_t mix(std::uint64_t value);

// Longer IPv6 prefixes than /64 are not announced.
struct Prefix {
  std::uint64_t bits = 0;  // the first 64 of the address
  std::uint8_t length = 0;
  friend bool operator==(const Prefix&, const Prefix&) = default;
};
[[nodiscard]] std::string print(Prefix prefix, net::Family family);

// 60 % /24 and 40 % /16 to /23, or a mixture of /32 to /48.
class Prefixes {
 public:
  Prefixes(net::Family family, std::uint64_t seed) : family_{family}, seed_{seed} {}

  void add(std::uint32_t count);  // throws std::length_error when a length has no more of them
  void add(std::span<const Prefix> prefixes) { list_.assign(prefixes.begin(), prefixes.end()); }
  void add_probes(std::uint32_t count);  // from a block of their own: 223.0.0.0/8 or 3ffe::/16
  void build_index();

  [[nodiscard]] std::optional<std::uint32_t> find(Prefix prefix) const;
  [[nodiscard]] const Prefix& operator[](std::uint32_t index) const { return list_[index]; }
  [[nodiscard]] net::Family family() const { return family_; }

 private:
  [[nodiscard]] Prefix next_ipv4(unsigned percent);
  [[nodiscard]] Prefix next_ipv6(unsigned percent);
  [[nodiscard]] std::size_t slot(Prefix prefix) const { return mix(prefix.bits + prefix.length) & (slots_.size() - 1); }

  net::Family family_;
  std::uint64_t seed_;
  std::array<std::uint64_t, 65> used_{};  // by length
  std::vector<Prefix> list_;
  std::vector<std::uint32_t> slots_;  // open addressing, index plus one; 0: free
};

}  // namespace blast
