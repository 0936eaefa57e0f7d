// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/community_pattern.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "bgp/wire/text.hpp"

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

constexpr std::uint8_t route_target = 2;
constexpr std::uint8_t route_origin = 3;

// RFC 4360 section 3 and RFC 5668: what the type says of the six octets behind it.
struct Parts {
  bool address = false;
  std::uint32_t administrator = 0;
  std::uint32_t number = 0;
};
std::optional<Parts> parts_of(ExtendedCommunity community) {
  const auto value = community.value;
  const auto low = static_cast<std::uint32_t>(value & 0xffffffff);
  switch (value >> 56) {
    case 0:
      return Parts{false, static_cast<std::uint32_t>(value >> 32 & 0xffff), low};
    case 1:
      return Parts{true, static_cast<std::uint32_t>(value >> 16), low & 0xffff};
    case 2:
      return Parts{false, static_cast<std::uint32_t>(value >> 16), low & 0xffff};
    default:
      return std::nullopt;
  }
}

constexpr std::string_view generic = "generic:0x";

bool begins_with(std::span<const std::uint8_t> octets, std::string_view digits) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i / 2 == octets.size()) return false;
    if (digits[i] != hex[i % 2 == 0 ? octets[i / 2] >> 4 : octets[i / 2] & 0xf]) return false;
  }
  return true;
}

}  // namespace

// "generic:0x4004*".
std::optional<CommunityPattern> parse_octet_pattern(std::string_view text) {
  CommunityPattern pattern;
  pattern.kind_ = CommunityPattern::Kind::Octets;
  text.remove_prefix(generic.size());
  text.remove_suffix(1);
  if (text.size() >= 2 * sizeof(Ipv6ExtendedCommunity) ||
      text.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  pattern.digits_ = text;
  return pattern;
}

std::optional<CommunityPattern> parse_extended_pattern(std::string_view text) {
  CommunityPattern pattern;
  pattern.kind_ = CommunityPattern::Kind::Extended;
  if (text.find('*') == std::string_view::npos) {
    pattern.extended_ = parse_extended_community(text);
    return pattern.extended_ ? std::optional{pattern} : std::nullopt;
  }
  pattern.subtype_ = text.substr(0, 3) == "rt:" ? route_target : route_origin;
  if (pattern.subtype_ == route_origin && text.substr(0, 3) != "ro:") return std::nullopt;
  text.remove_prefix(3);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto administrator = text.substr(0, colon);
  if (const auto address = net::parse_ipv4(administrator)) {
    pattern.address_ = true;
    pattern.parts_[0] = address->value;
  } else if (const auto part = parse_part(administrator, 0xffffffff)) {
    pattern.parts_[0] = part->value;
  } else {
    return std::nullopt;
  }
  const auto number = parse_part(text.substr(colon + 1), 0xffffffff);
  if (!number) return std::nullopt;
  pattern.parts_[1] = number->value;
  return pattern;
}

std::optional<CommunityPattern> parse_ipv6_extended_pattern(std::string_view text) {
  CommunityPattern pattern;
  pattern.kind_ = CommunityPattern::Kind::Ipv6Extended;
  if (text.find('*') == std::string_view::npos) {
    pattern.ipv6_extended_ = parse_ipv6_extended_community(text);
    return pattern.ipv6_extended_ ? std::optional{pattern} : std::nullopt;
  }
  pattern.subtype_ = text.substr(0, 3) == "rt:" ? route_target : route_origin;
  const auto end = text.rfind("]:");
  if (end == std::string_view::npos) return std::nullopt;
  const auto administrator = text.substr(4, end - 4);
  if (administrator != "*") {
    pattern.ipv6_administrator_ = net::parse_ipv6(administrator);
    if (!pattern.ipv6_administrator_) return std::nullopt;
  }
  const auto number = parse_part(text.substr(end + 2), 0xffff);
  if (!number) return std::nullopt;
  pattern.parts_[0] = number->value;
  return pattern;
}

bool CommunityPattern::matches(const Ipv6ExtendedCommunity& community) const {
  if (kind_ == Kind::Octets) return begins_with(community.octets, digits_);
  if (kind_ != Kind::Ipv6Extended) return false;
  if (ipv6_extended_) return community == *ipv6_extended_;
  const auto& octets = community.octets;
  if (octets[0] != 0 || octets[1] != subtype_) return false;
  const auto number = static_cast<std::uint32_t>(octets[18] << 8 | octets[19]);
  return (!ipv6_administrator_ ||
          std::equal(octets.begin() + 2, octets.begin() + 18, ipv6_administrator_->octets.begin())) &&
         parts_[0].value_or(number) == number;
}

std::optional<Ipv6ExtendedCommunity> CommunityPattern::ipv6_extended() const {
  return ipv6_extended_;
}

bool CommunityPattern::matches(ExtendedCommunity community) const {
  if (kind_ == Kind::Octets) {
    std::array<std::uint8_t, sizeof(community.value)> octets{};
    for (std::size_t i = 0; i < octets.size(); ++i)
      octets[i] = static_cast<std::uint8_t>(community.value >> 8 * (octets.size() - 1 - i));
    return begins_with(octets, digits_);
  }
  if (kind_ != Kind::Extended) return false;
  if (extended_) return community == *extended_;
  if ((community.value >> 48 & 0xff) != subtype_) return false;
  const auto parts = parts_of(community);
  if (!parts || (parts_[0] && parts->address != address_)) return false;
  return parts_[0].value_or(parts->administrator) == parts->administrator &&
         parts_[1].value_or(parts->number) == parts->number;
}

std::optional<ExtendedCommunity> CommunityPattern::extended() const {
  return extended_;
}

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
  if (text.starts_with(generic) && text.ends_with('*')) return parse_octet_pattern(text);
  if (looks_ipv6_extended(text)) return parse_ipv6_extended_pattern(text);
  for (const auto& [name, community] : well_known) {
    if (text == name) return CommunityPattern::exactly(community);
  }
  for (const std::string_view kind : {"rt:", "ro:", "generic:"}) {
    if (text.substr(0, kind.size()) == kind) return parse_extended_pattern(text);
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
  if (pattern.extended_) return print(*pattern.extended_);
  if (pattern.ipv6_extended_) return print(*pattern.ipv6_extended_);
  if (pattern.kind_ == CommunityPattern::Kind::Octets) return std::string{generic} + pattern.digits_ + "*";
  const auto part = [](const std::optional<std::uint32_t>& value) { return value ? std::to_string(*value) : "*"; };
  const std::string kind = pattern.subtype_ == route_target ? "rt:" : "ro:";
  if (pattern.kind_ == CommunityPattern::Kind::Ipv6Extended) {
    const auto& administrator = pattern.ipv6_administrator_;
    return kind + "[" + (administrator ? net::print(*administrator) : "*") + "]:" + part(pattern.parts_[0]);
  }
  if (pattern.kind_ == CommunityPattern::Kind::Extended) {
    const auto& administrator = pattern.parts_[0];
    return kind + (pattern.address_ ? net::print(net::Ipv4Address{*administrator}) : part(administrator)) + ":" +
           part(pattern.parts_[1]);
  }
  const bool standard = pattern.kind_ == CommunityPattern::Kind::Standard;
  std::string text = standard ? "" : "large:";
  for (std::size_t i = 0; i < (standard ? 2U : 3U); ++i) {
    if (i > 0) text += ':';
    text += part(pattern.parts_[i]);
  }
  return text;
}

}  // namespace bgp
