// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/as_path_codec.hpp"

#include <algorithm>
#include <utility>

#include "bgp/wire/bytes.hpp"

namespace bgp {

using Segment = AsPathSegment;

namespace {

constexpr bool of_confederation(Segment::Type type) {
  return type == Segment::Type::ConfedSequence || type == Segment::Type::ConfedSet;
}

constexpr std::size_t segment_limit = 255;  // numbers: their count is one octet

constexpr bool is_encoded(const Segment& segment, ConfederationSegments confederation) {
  return !of_confederation(segment.type) || confederation == ConfederationSegments::Keep;
}

}  // namespace

/*  | segment type | count | AS number (2 or 4 octets) ... |   again and again */
const char* decode_as_path(std::span<const std::uint8_t> value, AsnWidth width, ConfederationSegments confederation,
                           AsPath& out) {
  const std::size_t octets = width == AsnWidth::TwoOctets ? 2 : 4;
  const auto* at = value.data();
  const auto* const end = at + value.size();
  while (at != end) {
    if (end - at < 2) return "segment without a header";
    const auto type = at[0];
    const std::size_t count = at[1];
    at += 2;
    if (type < 1 || type > 4) return "undefined segment type";
    if (count == 0) return "empty segment";
    if (static_cast<std::size_t>(end - at) < count * octets) return "segment runs past the attribute";
    Segment segment{static_cast<Segment::Type>(type), {}};
    const bool foreign = of_confederation(segment.type);
    if (foreign && confederation == ConfederationSegments::Refuse)
      return "confederation segment from outside of the confederation";

    segment.asns.resize(count);
    for (auto& asn : segment.asns) {
      asn.value = octets == 2 ? load_u16(at) : load_u32(at);
      at += octets;
      if (asn.value == 0) return "AS number 0";  // RFC 7607
    }
    if (!foreign || confederation == ConfederationSegments::Keep) out.segments.push_back(std::move(segment));
  }
  return nullptr;
}

std::size_t as_path_octets(const AsPath& path, AsnWidth width, ConfederationSegments confederation) {
  std::size_t octets = 0;
  for (const auto& segment : path.segments) {
    if (!is_encoded(segment, confederation)) continue;
    const auto parts = (segment.asns.size() + segment_limit - 1) / segment_limit;
    octets += 2 * parts + (width == AsnWidth::FourOctets ? 4 : 2) * segment.asns.size();
  }
  return octets;
}

void encode_as_path(const AsPath& path, AsnWidth width, ConfederationSegments confederation,
                    std::vector<std::uint8_t>& out) {
  const auto begin = out.size();
  out.resize(begin + as_path_octets(path, width, confederation));
  auto* at = out.data() + begin;
  for (const auto& segment : path.segments) {
    if (!is_encoded(segment, confederation)) continue;
    std::span<const net::Asn> rest{segment.asns};
    while (!rest.empty()) {
      const auto part = rest.first(std::min(rest.size(), segment_limit));
      rest = rest.subspan(part.size());
      *at++ = static_cast<std::uint8_t>(segment.type);
      *at++ = static_cast<std::uint8_t>(part.size());
      for (const auto asn : part) {
        if (width == AsnWidth::FourOctets)
          at = store_u32(at, asn.value);
        else
          at = store_u16(at, static_cast<std::uint16_t>(asn.four_octet() ? net::as_trans.value : asn.value));
      }
    }
  }
}

AsPath merge_as4_path(AsPath as_path, AsPath as4_path) {
  const auto own = as_path.length();
  const auto behind = as4_path.length();
  if (own < behind) return as_path;

  AsPath merged;
  auto left = static_cast<std::size_t>(own - behind);
  for (auto& segment : as_path.segments) {
    // A confederation's segments in front or behind what is taken over are taken over with it.
    const bool foreign = of_confederation(segment.type);
    if (left == 0 && !foreign) break;
    if (segment.type == Segment::Type::Sequence) {
      segment.asns.resize(std::min(left, segment.asns.size()));
      left -= segment.asns.size();
    } else if (!foreign) {
      --left;
    }
    merged.segments.push_back(std::move(segment));
  }
  for (auto& segment : as4_path.segments) {
    // The cut went through one sequence of the sender: put it together again.
    const bool joins = &segment == &as4_path.segments.front() && !merged.segments.empty() &&
                       segment.type == Segment::Type::Sequence &&
                       merged.segments.back().type == Segment::Type::Sequence &&
                       merged.segments.back().asns.size() + segment.asns.size() <= 255;
    if (joins) {
      auto& asns = merged.segments.back().asns;
      asns.insert(asns.end(), segment.asns.begin(), segment.asns.end());
    } else {
      merged.segments.push_back(std::move(segment));
    }
  }
  return merged;
}

}  // namespace bgp
