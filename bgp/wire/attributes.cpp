// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/attributes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bgp {
namespace {

constexpr std::size_t full_segment = 255;  // the count is one octet

constexpr std::uint16_t link_bandwidth_type = 0x0004;

constexpr bool confederation(AsPathSegment::Type type) {
  return type == AsPathSegment::Type::ConfedSequence || type == AsPathSegment::Type::ConfedSet;
}

}  // namespace

unsigned AsPath::length() const {
  std::size_t length = 0;
  for (const auto& segment : segments) {
    if (segment.type == AsPathSegment::Type::Sequence) length += segment.asns.size();
    if (segment.type == AsPathSegment::Type::Set) ++length;
  }
  return static_cast<unsigned>(length);
}

std::optional<net::Asn> AsPath::first() const {
  const auto segment =
      std::find_if(segments.begin(), segments.end(), [](const auto& s) { return !confederation(s.type); });
  if (segment == segments.end() || segment->type != AsPathSegment::Type::Sequence || segment->asns.empty())
    return std::nullopt;
  return segment->asns.front();
}

std::optional<net::Asn> AsPath::first_member() const {
  if (segments.empty() || segments.front().type != AsPathSegment::Type::ConfedSequence || segments.front().asns.empty())
    return std::nullopt;
  return segments.front().asns.front();
}

std::optional<net::Asn> AsPath::origin() const {
  const auto segment =
      std::find_if(segments.rbegin(), segments.rend(), [](const auto& s) { return !confederation(s.type); });
  if (segment == segments.rend() || segment->type != AsPathSegment::Type::Sequence || segment->asns.empty())
    return std::nullopt;
  return segment->asns.back();
}

std::optional<net::Asn> AsPath::validated_origin(net::Asn own) const {
  if (segments.empty() || confederation(segments.back().type)) return own;
  return origin();
}

unsigned AsPath::count(net::Asn asn) const {
  std::ptrdiff_t count = 0;
  for (const auto& segment : segments) count += std::count(segment.asns.begin(), segment.asns.end(), asn);
  return static_cast<unsigned>(count);
}

void AsPath::prepend(net::Asn asn, unsigned times, AsPathSegment::Type type) {
  std::size_t left = times;
  while (left > 0) {
    const bool room = !segments.empty() && segments.front().type == type && segments.front().asns.size() < full_segment;
    if (!room) segments.insert(segments.begin(), AsPathSegment{type, {}});
    auto& asns = segments.front().asns;
    const auto step = std::min(left, full_segment - asns.size());
    asns.insert(asns.begin(), step, asn);
    left -= step;
  }
}

ExtendedCommunity link_bandwidth(net::Asn asn, float octets_per_second) {
  const auto number = asn.four_octet() ? net::as_trans.value : asn.value;
  return {std::uint64_t{link_bandwidth_type} << 48 | std::uint64_t{number} << 32 |
          std::bit_cast<std::uint32_t>(octets_per_second)};
}

std::optional<float> link_bandwidth(ExtendedCommunity community) {
  constexpr std::uint64_t transitive_bit = 0x40;
  if ((community.value >> 48 & ~(transitive_bit << 8)) != link_bandwidth_type) return std::nullopt;
  const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(community.value));
  if (!std::isfinite(value) || value <= 0) return std::nullopt;
  return value;
}

bool PathAttributes::has(Community community) const {
  return std::find(communities.begin(), communities.end(), community) != communities.end();
}

void AsPath::remove_confederation() {
  std::erase_if(segments, [](const AsPathSegment& segment) { return confederation(segment.type); });
}

}  // namespace bgp
