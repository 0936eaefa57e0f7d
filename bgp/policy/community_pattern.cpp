// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/community_pattern.hpp"

#include <charconv>
#include <utility>

namespace bgp {
namespace {

constexpr std::array<std::pair<std::string_view, Community>, 5> well_known{{
    {"no-export", community_no_export},
    {"no-advertise", community_no_advertise},
    {"no-export-subconfed", community_no_export_subconfed},
    {"graceful-shutdown", community_graceful_shutdown},
    {"blackhole", community_blackhole},
}};

// A number up to `limit`, or "*".
struct ParsedPart {
  std::optional<std::uint32_t> value;
};
std::optional<ParsedPart> parse_part(std::string_view text, std::uint32_t limit) {
  if (text == "*") return ParsedPart{};
  std::uint32_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty() || value > limit) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return ParsedPart{value};
}

}  // namespace

CommunityPattern CommunityPattern::exactly(Community community) {
  CommunityPattern pattern;
  pattern.parts_[0] = community.value >> 16;
  pattern.parts_[1] = community.value & 0xffff;
  return pattern;
}

CommunityPattern CommunityPattern::exactly(const LargeCommunity& community) {
  CommunityPattern pattern;
  pattern.kind_ = Kind::Large;
  pattern.parts_ = {community.global, community.local1, community.local2};
  return pattern;
}

bool CommunityPattern::matches(Community community) const {
  if (kind_ != Kind::Standard) return false;
  return parts_[0].value_or(community.value >> 16) == community.value >> 16 &&
         parts_[1].value_or(community.value & 0xffff) == (community.value & 0xffff);
}

bool CommunityPattern::matches(const LargeCommunity& community) const {
  if (kind_ != Kind::Large) return false;
  return parts_[0].value_or(community.global) == community.global &&
         parts_[1].value_or(community.local1) == community.local1 &&
         parts_[2].value_or(community.local2) == community.local2;
}

std::optional<Community> CommunityPattern::standard() const {
  if (kind_ != Kind::Standard || !parts_[0] || !parts_[1]) return std::nullopt;
  return Community{*parts_[0] << 16 | *parts_[1]};
}

std::optional<LargeCommunity> CommunityPattern::large() const {
  if (kind_ != Kind::Large || !parts_[0] || !parts_[1] || !parts_[2]) return std::nullopt;
  return LargeCommunity{*parts_[0], *parts_[1], *parts_[2]};
}

std::optional<CommunityPattern> parse_community_pattern(std::string_view text) {
  for (const auto& [name, community] : well_known) {
    if (text == name) return CommunityPattern::exactly(community);
  }
  CommunityPattern pattern;
  constexpr std::string_view large = "large:";
  if (text.substr(0, large.size()) == large) {
    pattern.kind_ = CommunityPattern::Kind::Large;
    text.remove_prefix(large.size());
  }
  const bool standard = pattern.kind_ == CommunityPattern::Kind::Standard;
  const std::size_t wanted = standard ? 2 : 3;
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto colon = text.find(':');
    if ((colon == std::string_view::npos) != (i + 1 == wanted)) return std::nullopt;
    const auto part = parse_part(text.substr(0, colon), standard ? 0xffff : 0xffffffff);
    if (!part) return std::nullopt;
    pattern.parts_[i] = part->value;
    if (colon != std::string_view::npos) text.remove_prefix(colon + 1);
  }
  return pattern;
}

std::string print(const CommunityPattern& pattern) {
  const bool standard = pattern.kind_ == CommunityPattern::Kind::Standard;
  std::string text = standard ? "" : "large:";
  for (std::size_t i = 0; i < (standard ? 2U : 3U); ++i) {
    if (i > 0) text += ':';
    text += pattern.parts_[i] ? std::to_string(*pattern.parts_[i]) : "*";
  }
  return text;
}

}  // namespace bgp
