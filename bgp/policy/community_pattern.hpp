// SPDX-License-Identifier: Apache-2.0
// "65001:100", "65001:*", "large:1:*:3": a standard or large community of which parts may be any number.
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
  enum class Kind : std::uint8_t { Standard, Large };

  [[nodiscard]] static CommunityPattern exactly(Community community);
  [[nodiscard]] static CommunityPattern exactly(const LargeCommunity& community);

  [[nodiscard]] bool matches(Community community) const;
  [[nodiscard]] bool matches(const LargeCommunity& community) const;
  [[nodiscard]] Kind kind() const { return kind_; }
  // The community itself, when no part is open.
  [[nodiscard]] std::optional<Community> standard() const;
  [[nodiscard]] std::optional<LargeCommunity> large() const;

  friend bool operator==(const CommunityPattern&, const CommunityPattern&) = default;
  friend std::optional<CommunityPattern> parse_community_pattern(std::string_view text);
  friend std::string print(const CommunityPattern& pattern);

 private:
  // Two parts of 16 bits or three of 32; a part without a value matches any.
  using Part = std::optional<std::uint32_t>;
  Kind kind_ = Kind::Standard;
  std::array<Part, 3> parts_;
};

// Two numbers, "large:" and three, or a well-known name: no-export, no-advertise, no-export-subconfed,
// graceful-shutdown, blackhole. "*" stands for any number.
[[nodiscard]] std::optional<CommunityPattern> parse_community_pattern(std::string_view text);
[[nodiscard]] std::string print(const CommunityPattern& pattern);
[[nodiscard]] std::string print(Community community);  // "65001:100"

}  // namespace bgp
