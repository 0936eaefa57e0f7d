// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace bgp {
namespace {

using Type = AsPathSegment::Type;

constexpr std::array<std::string_view, 3> origin_names{"igp", "egp", "incomplete"};

struct NamedCommunity {
  std::string_view name;
  Community community;
};
// IANA, "BGP Well-known Communities".
constexpr std::array<NamedCommunity, 9> named_communities{{{"graceful-shutdown", community_graceful_shutdown},
                                                           {"accept-own", {0xffff0001}},
                                                           {"llgr-stale", {0xffff0006}},
                                                           {"no-llgr", {0xffff0007}},
                                                           {"blackhole", community_blackhole},
                                                           {"no-export", community_no_export},
                                                           {"no-advertise", community_no_advertise},
                                                           {"no-export-subconfed", community_no_export_subconfed},
                                                           {"no-peer", {0xffffff04}}}};

// Digits only and no more than `Number` holds; no sign, no blank.
template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Exactly `count` fields between colons.
template <std::size_t count>
std::optional<std::array<std::string_view, count>> split_at_colons(std::string_view text) {
  std::array<std::string_view, count> fields;
  for (std::size_t i = 0; i < count; ++i) {
    const auto colon = text.find(':');
    const bool last = i + 1 == count;
    if ((colon == std::string_view::npos) != last) return std::nullopt;
    fields[i] = text.substr(0, colon);
    if (!last) text.remove_prefix(colon + 1);
  }
  return fields;
}

struct Brackets {
  Type type;
  char open;
  char close;
};
constexpr std::array<Brackets, 3> brackets{
    {{Type::Set, '{', '}'}, {Type::ConfedSequence, '(', ')'}, {Type::ConfedSet, '[', ']'}}};

const Brackets* brackets_of(Type type) {
  const auto* const found =
      std::find_if(brackets.begin(), brackets.end(), [&](const Brackets& pair) { return pair.type == type; });
  return found == brackets.end() ? nullptr : found;
}

class AsPathParser {
 public:
  explicit AsPathParser(std::string_view text) : rest_{text} {}

  std::optional<AsPath> parse() {
    for (skip_blanks(); !rest_.empty(); skip_blanks())
      if (!element()) return std::nullopt;
    if (open_ != nullptr) return std::nullopt;
    return std::move(path_);
  }

 private:
  void skip_blanks() {
    const bool in_brackets = open_ != nullptr;
    while (!rest_.empty() && (rest_.front() == ' ' || (in_brackets && rest_.front() == ','))) rest_.remove_prefix(1);
  }

  bool element() {
    const char c = rest_.front();
    const auto* const opens =
        std::find_if(brackets.begin(), brackets.end(), [&](const Brackets& pair) { return pair.open == c; });
    if (opens != brackets.end()) {
      if (open_ != nullptr) return false;
      open_ = opens;
      path_.segments.push_back({opens->type, {}});
      rest_.remove_prefix(1);
      return true;
    }
    if (open_ != nullptr && c == open_->close) {
      open_ = nullptr;
      rest_.remove_prefix(1);
      return !path_.segments.back().asns.empty();
    }
    return number();
  }

  bool number() {
    const auto length = std::min(rest_.find_first_of(" ,{}()[]"), rest_.size());
    const auto asn = net::parse_asn(rest_.substr(0, length));
    if (!asn) return false;
    rest_.remove_prefix(length);
    auto& segments = path_.segments;
    if (open_ == nullptr && (segments.empty() || segments.back().type != Type::Sequence)) segments.emplace_back();
    segments.back().asns.push_back(*asn);
    return true;
  }

  std::string_view rest_;
  const Brackets* open_ = nullptr;
  AsPath path_;
};

constexpr std::uint8_t route_target = 2;
constexpr std::uint8_t route_origin = 3;

// The administrator field of RFC 4360 sections 3.1 and 3.2 and of RFC 5668, which is the type.
enum class Administrator : std::uint8_t { TwoOctetAsn = 0, Address = 1, FourOctetAsn = 2 };

constexpr std::string_view generic_prefix = "generic:0x";
constexpr std::string_view digits = "0123456789abcdef";

std::string generic(ExtendedCommunity community) {
  std::string text{generic_prefix};
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[community.value >> shift & 0xfU];
  return text;
}

std::optional<ExtendedCommunity> make(Administrator type, std::uint8_t subtype, std::uint64_t administrator,
                                      std::string_view number) {
  const bool narrow = type == Administrator::TwoOctetAsn;  // two octets, which leaves four for the number
  const auto local = parse_number<std::uint32_t>(number);
  if (!local || (!narrow && *local > 0xffff)) return std::nullopt;
  const auto head = std::uint64_t{static_cast<std::uint8_t>(type)} << 56 | std::uint64_t{subtype} << 48;
  return ExtendedCommunity{head | administrator << (narrow ? 32 : 16) | *local};
}

template <class Element>
std::string print_all(const std::vector<Element>& elements) {
  std::string text;
  for (const auto& element : elements) {
    if (!text.empty()) text += ' ';
    text += print(element);
  }
  return text;
}

}  // namespace

std::string_view print(Origin origin) {
  return origin_names[static_cast<std::size_t>(origin)];
}

std::optional<Origin> parse_origin(std::string_view text) {
  const auto* const found = std::find(origin_names.begin(), origin_names.end(), text);
  if (found == origin_names.end()) return std::nullopt;
  return static_cast<Origin>(found - origin_names.begin());
}

std::string print(const AsPath& path) {
  std::string text;
  for (const auto& segment : path.segments) {
    if (!text.empty()) text += ' ';
    const auto* const pair = brackets_of(segment.type);
    if (pair != nullptr) text += pair->open;
    for (std::size_t i = 0; i < segment.asns.size(); ++i) {
      if (i != 0) text += ' ';
      text += net::print(segment.asns[i]);
    }
    if (pair != nullptr) text += pair->close;
  }
  return text;
}

std::optional<AsPath> parse_as_path(std::string_view text) {
  return AsPathParser{text}.parse();
}

std::string print(Community community) {
  for (const auto& named : named_communities)
    if (named.community == community) return std::string{named.name};
  return std::to_string(community.value >> 16) + ":" + std::to_string(community.value & 0xffffU);
}

std::optional<Community> parse_community(std::string_view text) {
  for (const auto& named : named_communities)
    if (named.name == text) return named.community;
  const auto fields = split_at_colons<2>(text);
  if (!fields) return std::nullopt;
  const auto high = parse_number<std::uint16_t>((*fields)[0]);
  const auto low = parse_number<std::uint16_t>((*fields)[1]);
  if (!high || !low) return std::nullopt;
  return Community{std::uint32_t{*high} << 16 | *low};
}

std::string print(const LargeCommunity& community) {
  return std::to_string(community.global) + ":" + std::to_string(community.local1) + ":" +
         std::to_string(community.local2);
}

std::optional<LargeCommunity> parse_large_community(std::string_view text) {
  const auto fields = split_at_colons<3>(text);
  if (!fields) return std::nullopt;
  const auto global = parse_number<std::uint32_t>((*fields)[0]);
  const auto local1 = parse_number<std::uint32_t>((*fields)[1]);
  const auto local2 = parse_number<std::uint32_t>((*fields)[2]);
  if (!global || !local1 || !local2) return std::nullopt;
  return LargeCommunity{*global, *local1, *local2};
}

std::string print(ExtendedCommunity community) {
  const auto value = community.value;
  const auto type = value >> 56;
  const auto subtype = value >> 48 & 0xffU;
  if (type > 2 || (subtype != route_target && subtype != route_origin)) return generic(community);

  std::string text = subtype == route_target ? "rt:" : "ro:";
  const auto head = static_cast<std::uint32_t>(value >> 16);
  const auto tail = std::to_string(value & 0xffffU);
  switch (static_cast<Administrator>(type)) {
    case Administrator::TwoOctetAsn:
      return text + std::to_string(value >> 32 & 0xffffU) + ":" + std::to_string(value & 0xffffffffU);
    case Administrator::Address:
      return text + net::print(net::Ipv4Address{head}) + ":" + tail;
    case Administrator::FourOctetAsn:
      // A small number in the wide form would read back as the narrow form.
      return net::Asn{head}.four_octet() ? text + std::to_string(head) + ":" + tail : generic(community);
  }
  return generic(community);
}

std::optional<ExtendedCommunity> parse_extended_community(std::string_view text) {
  if (text.substr(0, generic_prefix.size()) == generic_prefix) {
    const auto value = parse_number<std::uint64_t>(text.substr(generic_prefix.size()), 16);
    return value ? std::optional{ExtendedCommunity{*value}} : std::nullopt;
  }
  const auto fields = split_at_colons<3>(text);
  if (!fields) return std::nullopt;
  const auto& [kind, administrator, number] = *fields;
  if (kind != "rt" && kind != "ro") return std::nullopt;
  const auto subtype = kind == "rt" ? route_target : route_origin;
  if (const auto address = net::parse_ipv4(administrator))
    return make(Administrator::Address, subtype, address->value, number);
  const auto asn = parse_number<std::uint32_t>(administrator);
  if (!asn) return std::nullopt;
  const bool wide = net::Asn{*asn}.four_octet();
  return make(wide ? Administrator::FourOctetAsn : Administrator::TwoOctetAsn, subtype, *asn, number);
}

bool looks_ipv6_extended(std::string_view text) {
  constexpr std::size_t generic_size = generic_prefix.size() + 40;
  return text.starts_with("rt:[") || text.starts_with("ro:[") ||
         (text.starts_with(generic_prefix) && text.size() == generic_size);
}

std::string print(const Ipv6ExtendedCommunity& community) {
  const auto& octets = community.octets;
  if (octets[0] == 0 && (octets[1] == route_target || octets[1] == route_origin)) {
    net::Ipv6Address administrator;
    std::copy_n(octets.begin() + 2, administrator.octets.size(), administrator.octets.begin());
    return std::string{octets[1] == route_target ? "rt:[" : "ro:["} + net::print(administrator) +
           "]:" + std::to_string(octets[18] << 8 | octets[19]);
  }
  std::string text{generic_prefix};
  for (const auto octet : octets) {
    text += digits[octet >> 4];
    text += digits[octet & 0xfU];
  }
  return text;
}

std::optional<Ipv6ExtendedCommunity> parse_ipv6_extended_community(std::string_view text) {
  if (!looks_ipv6_extended(text)) return std::nullopt;
  Ipv6ExtendedCommunity community;
  auto& octets = community.octets;
  if (text.starts_with(generic_prefix)) {
    text.remove_prefix(generic_prefix.size());
    for (std::size_t i = 0; i < octets.size(); ++i) {
      const auto octet = parse_number<std::uint8_t>(text.substr(2 * i, 2), 16);
      if (!octet) return std::nullopt;
      octets[i] = *octet;
    }
    return community;
  }
  const auto end = text.rfind("]:");
  if (end == std::string_view::npos) return std::nullopt;
  const auto administrator = net::parse_ipv6(text.substr(4, end - 4));
  const auto number = parse_number<std::uint16_t>(text.substr(end + 2));
  if (!administrator || !number) return std::nullopt;
  octets[1] = text.starts_with("rt:") ? route_target : route_origin;
  std::copy(administrator->octets.begin(), administrator->octets.end(), octets.begin() + 2);
  octets[18] = static_cast<std::uint8_t>(*number >> 8);
  octets[19] = static_cast<std::uint8_t>(*number);
  return community;
}

std::string print(const std::vector<Community>& communities) {
  return print_all(communities);
}
std::string print(const std::vector<LargeCommunity>& communities) {
  return print_all(communities);
}
std::string print(const std::vector<ExtendedCommunity>& communities) {
  return print_all(communities);
}
std::string print(const std::vector<Ipv6ExtendedCommunity>& communities) {
  return print_all(communities);
}

}  // namespace bgp
