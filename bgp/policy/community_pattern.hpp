// SPDX-License-Identifier: Apache-2.0
// "65001:100", "65001:*", "large:1:*:3", "rt:65001:*": a standard, large or extended community of which parts may
// be any number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bgp/wire/attributes.hpp"

namespace bgp {

class CommunityPattern {
 public:
  // Octets: extended ones of either size, by what they begin with.
  enum class Kind : std::uint8_t { Standard, Large, Extended, Ipv6Extended, Octets };

  [[nodiscard]] static CommunityPattern exactly(Community community);
  [[nodiscard]] static CommunityPattern exactly(const LargeCommunity& community);

  [[nodiscard]] bool matches(Community community) const;
  [[nodiscard]] bool matches(const LargeCommunity& community) const;
  [[nodiscard]] bool matches(ExtendedCommunity community) const;
  [[nodiscard]] bool matches(const Ipv6ExtendedCommunity& community) const;
  [[nodiscard]] Kind kind() const { return kind_; }
  // The community itself, when no part is open.
  [[nodiscard]] std::optional<Community> standard() const;
  [[nodiscard]] std::optional<LargeCommunity> large() const;
  [[nodiscard]] std::optional<ExtendedCommunity> extended() const;
  [[nodiscard]] std::optional<Ipv6ExtendedCommunity> ipv6_extended() const;

  friend bool operator==(const CommunityPattern&, const CommunityPattern&) = default;
  friend std::optional<CommunityPattern> parse_community_pattern(std::string_view text);
  friend std::string print(const CommunityPattern& pattern);

 private:
  friend std::optional<CommunityPattern> parse_extended_pattern(std::string_view text);
  friend std::optional<CommunityPattern> parse_ipv6_extended_pattern(std::string_view text);
  friend std::optional<CommunityPattern> parse_octet_pattern(std::string_view text);

  // Two parts of 16 bits or three of 32; a part without a value matches any. Of an extended community with a
  // wildcard: administrator and number; of one with an IPv6 address as administrator: the number alone.
  using Part = std::optional<std::uint32_t>;
  Kind kind_ = Kind::Standard;
  std::array<Part, 3> parts_;
  std::uint8_t subtype_ = 0;                   // of an extended one with a wildcard: route target or route origin
  bool address_ = false;                       // its administrator is an IPv4 address
  std::optional<ExtendedCommunity> extended_;  // without a wildcard
  std::optional<Ipv6ExtendedCommunity> ipv6_extended_;
  std::optional<net::Ipv6Address> ipv6_administrator_;  // of one with a wildcard
  std::string digits_;                                  // hexadecimal, that octets begin with
};

// Two numbers, "large:" and three, "rt:" or "ro:" and an AS number or IPv4 address and a number, or an IPv6 address in
// brackets and a number, "generic:0x" and 16 or 40 hexadecimal digits, or a well-known name: no-export, no-advertise,
// no-export-subconfed, graceful-shutdown, blackhole.
// "*" stands for any number, "[*]" for any IPv6 address, and behind up to 39 digits of "generic:0x" for all others.
[[nodiscard]] std::optional<CommunityPattern> parse_community_pattern(std::string_view text);
[[nodiscard]] std::string print(const CommunityPattern& pattern);
[[nodiscard]] std::string print(Community community);  // "65001:100"

}  // namespace bgp
