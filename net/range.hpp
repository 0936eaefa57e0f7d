// SPDX-License-Identifier: Apache-2.0
// A run of addresses of one family, first and last included: what a pool is made of.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.hpp"
#include "net/prefix.hpp"

namespace net {

class AddressRange {
 public:
  // Nothing when the families differ or first is above last.
  [[nodiscard]] static std::optional<AddressRange> make(const IpAddress& first, const IpAddress& last);
  [[nodiscard]] static AddressRange of(const Prefix& prefix);

  [[nodiscard]] const IpAddress& first() const { return first_; }
  [[nodiscard]] const IpAddress& last() const { return last_; }
  [[nodiscard]] Family family() const { return first_.family(); }
  [[nodiscard]] bool contains(const IpAddress& address) const { return first_ <= address && address <= last_; }
  [[nodiscard]] bool overlaps(const AddressRange& other) const {
    return first_ <= other.last_ && other.first_ <= last_;
  }
  // Number of addresses; 2^64 - 1 stands for that many or more.
  [[nodiscard]] std::uint64_t size() const;
  // How far `address` is from the first one; nothing outside the range or beyond 2^64 - 1.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const IpAddress& address) const;
  // The fewest prefixes that make up exactly this range, ascending.
  [[nodiscard]] std::vector<Prefix> prefixes() const;
  friend auto operator<=>(const AddressRange&, const AddressRange&) = default;

 private:
  AddressRange(const IpAddress& first, const IpAddress& last) : first_{first}, last_{last} {}
  IpAddress first_;
  IpAddress last_;
};

// "PREFIX" or "FIRST-LAST" (white space around the dash is allowed).
[[nodiscard]] std::optional<AddressRange> parse_range(std::string_view text);
// As a prefix where it is one, else "FIRST-LAST".
[[nodiscard]] std::string print(const AddressRange& range);

}  // namespace net
