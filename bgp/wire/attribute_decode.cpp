// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/attribute_decode.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "bgp/wire/as_path_codec.hpp"
#include "bgp/wire/bytes.hpp"
#include "net/reader.hpp"

namespace bgp {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t well_known = flag_transitive;
constexpr std::uint8_t optional_non_transitive = flag_optional;
constexpr std::uint8_t optional_transitive = flag_optional | flag_transitive;

// Attributes that are passed on unread, yet whose outer form is checked, so that a broken one stops here
// instead of at the next speaker that reads it.
enum class Opaque : std::uint8_t {
  PmsiTunnel = 22,           // RFC 6514
  TunnelEncapsulation = 23,  // RFC 9012
  LinkState = 29,            // RFC 9552
  PrefixSid = 40,            // RFC 8669
};

// The Optional and Transitive bits of the type's specification; nothing for a type that we do not know.
constexpr std::optional<std::uint8_t> specified_flags(std::uint8_t type) {
  switch (static_cast<AttributeType>(type)) {
    case AttributeType::Origin:
    case AttributeType::AsPath:
    case AttributeType::NextHop:
    case AttributeType::LocalPref:
    case AttributeType::AtomicAggregate:
      return well_known;
    case AttributeType::Med:
    case AttributeType::OriginatorId:
    case AttributeType::ClusterList:
    case AttributeType::MpReach:
    case AttributeType::MpUnreach:
    case AttributeType::Aigp:
      return optional_non_transitive;
    case AttributeType::Aggregator:
    case AttributeType::Communities:
    case AttributeType::ExtendedCommunities:
    case AttributeType::Ipv6ExtendedCommunities:
    case AttributeType::As4Path:
    case AttributeType::As4Aggregator:
    case AttributeType::LargeCommunities:
    case AttributeType::OnlyToCustomer:
      return optional_transitive;
  }
  switch (static_cast<Opaque>(type)) {
    case Opaque::PmsiTunnel:
    case Opaque::TunnelEncapsulation:
    case Opaque::PrefixSid:
      return optional_transitive;
    case Opaque::LinkState:
      return optional_non_transitive;
  }
  return std::nullopt;
}

constexpr AttributeVerdict wrong_length() {
  return AttributeVerdict::withdraw(UpdateError::Length, "wrong length");
}

// RFC 7311 section 3.2.
constexpr AttributeVerdict wrong_aigp() {
  return AttributeVerdict::discard("broken TLV");
}

AttributeVerdict decode_origin(Bytes value, PathAttributes& out) {
  if (value.size() != 1) return wrong_length();
  if (value[0] > 2) return AttributeVerdict::withdraw(UpdateError::InvalidOrigin, "undefined origin");
  out.origin = static_cast<Origin>(value[0]);
  return {};
}

AttributeVerdict decode_path(Bytes value, const UpdateContext& context, PathAttributes& out) {
  const auto confederation =
      context.peer == PeerType::External ? ConfederationSegments::Refuse : ConfederationSegments::Keep;
  const auto* const reason = decode_as_path(value, context.asn_width, confederation, out.as_path);
  return reason == nullptr ? AttributeVerdict{} : AttributeVerdict::withdraw(UpdateError::MalformedAsPath, reason);
}

// RFC 7606 section 7.7: AGGREGATOR never costs a route.
std::optional<Aggregator> read_aggregator(Bytes value, AsnWidth width) {
  if (value.size() != (width == AsnWidth::FourOctets ? 8U : 6U)) return std::nullopt;
  const auto* const at = value.data();
  if (width == AsnWidth::FourOctets) return Aggregator{{load_u32(at)}, {load_u32(at + 4)}};
  return Aggregator{{load_u16(at)}, {load_u32(at + 2)}};
}

AttributeVerdict decode_aggregator(Bytes value, AsnWidth width, std::optional<Aggregator>& out) {
  const auto aggregator = read_aggregator(value, width);
  if (!aggregator) return AttributeVerdict::discard("wrong length");
  if (aggregator->asn == net::Asn{0}) return AttributeVerdict::discard("AS number 0");  // RFC 7607
  out = aggregator;
  return {};
}

AttributeVerdict decode_number(Bytes value, std::optional<std::uint32_t>& out) {
  if (value.size() != 4) return wrong_length();
  out = load_u32(value.data());
  return {};
}

// RFC 7606 sections 7.8 to 7.10 and 7.14, RFC 8092 section 6: a list is malformed when it is empty or ends
// within an element.
template <std::size_t size, class Element, class Load>
AttributeVerdict decode_list(Bytes value, std::vector<Element>& out, Load load) {
  if (value.empty() || value.size() % size != 0) return wrong_length();
  out.resize(value.size() / size);
  const auto* at = value.data();
  for (auto& element : out) {
    element = load(at);
    at += size;
  }
  return {};
}

// RFC 8092 section 3: a value counts once. The first stays in its place.
void remove_repeated(std::vector<LargeCommunity>& list) {
  constexpr std::size_t few = 32;
  if (list.size() > few) {
    std::set<LargeCommunity> seen;
    std::erase_if(list, [&](const auto& each) { return !seen.insert(each).second; });
    return;
  }
  auto end = list.begin();
  for (const auto& each : list)
    if (std::find(list.begin(), end, each) == end) *end++ = each;
  list.erase(end, list.end());
}

AttributeVerdict decode_large_communities(Bytes value, std::vector<LargeCommunity>& out) {
  const auto verdict = decode_list<12>(value, out, [](const auto* at) {
    return LargeCommunity{load_u32(at), load_u32(at + 4), load_u32(at + 8)};
  });
  remove_repeated(out);
  return verdict;
}

// RFC 6793 section 6 for both: what is wrong with them concerns nothing but them.
AttributeVerdict decode_as4_path(Bytes value, DecodedAttributes& into) {
  AsPath path;
  const auto* const reason = decode_as_path(value, AsnWidth::FourOctets, ConfederationSegments::LeaveOut, path);
  if (reason != nullptr) return AttributeVerdict::discard(reason);
  into.as4_path = std::move(path);
  return {};
}

/*  |   type    |  length: of the whole TLV   |  value |   RFC 7311 section 3. The first metric is the one that counts;
 * TLVs of other types, and further metrics, are no fault.
 */
AttributeVerdict decode_aigp(Bytes value, PathAttributes& out) {
  constexpr std::uint8_t metric_type = 1;
  constexpr std::size_t metric_octets = 11;
  if (value.empty()) return wrong_aigp();
  std::optional<std::uint64_t> metric;
  std::vector<std::uint8_t> rest;
  while (!value.empty()) {
    if (value.size() < 3) return wrong_aigp();
    const std::size_t length = load_u16(value.data() + 1);
    const bool is_metric = value[0] == metric_type;
    if (length < 3 || length > value.size() || (is_metric && length != metric_octets)) return wrong_aigp();
    const auto tlv = value.first(length);
    if (is_metric && !metric)
      metric = load_u64(tlv.data() + 3);
    else
      rest.insert(rest.end(), tlv.begin(), tlv.end());
    value = value.subspan(length);
  }
  if (metric) out.aigp = Aigp{*metric, std::move(rest)};
  return {};
}

AttributeVerdict judge_tunnel_encapsulation(Bytes value) {
  net::Reader in{value};
  while (in.remaining() > 0) {
    in.skip(2);  // tunnel type
    auto tunnel = in.sub(in.u16());
    while (tunnel.remaining() > 0) {
      // RFC 9012 section 2: sub-TLVs of type 128 and above have a two-octet length.
      const auto type = tunnel.u8();
      tunnel.skip(type < 128 ? tunnel.u8() : tunnel.u16());
    }
    if (!tunnel.ok()) in.set_failed();
  }
  return in.ok() && !value.empty() ? AttributeVerdict{}
                                   : AttributeVerdict::withdraw(UpdateError::Optional, "broken TLV");
}

AttributeVerdict judge_prefix_sid(Bytes value) {
  net::Reader in{value};
  while (in.remaining() > 0) {
    const auto type = in.u8();
    const auto length = in.u16();
    in.skip(length);
    const bool label_index = type == 1;      // RFC 8669 section 3.1
    const bool originator_srgb = type == 3;  // RFC 8669 section 3.2
    if ((label_index && length != 7) || (originator_srgb && (length < 8 || length % 6 != 2))) in.set_failed();
  }
  return in.ok() && !value.empty() ? AttributeVerdict{} : AttributeVerdict::discard("broken TLV");
}

AttributeVerdict judge_opaque(const RawAttribute& attribute) {
  const auto size = attribute.value.size();
  switch (static_cast<Opaque>(attribute.type)) {
    case Opaque::PmsiTunnel:
      return size >= 5 ? AttributeVerdict{} : wrong_length();
    case Opaque::TunnelEncapsulation:
      return judge_tunnel_encapsulation(attribute.value);
    case Opaque::PrefixSid:
      return judge_prefix_sid(attribute.value);
    case Opaque::LinkState:
      return {};  // not transitive: dropped unread
  }
  return {};
}

// RFC 4271 section 5 and section 9: unknown transitive attributes travel on, marked as not understood by
// all; unknown non-transitive ones end here without a word.
AttributeVerdict keep_unknown(const RawAttribute& attribute, PathAttributes& out) {
  if ((attribute.flags & flag_optional) == 0)
    return AttributeVerdict::reset(UpdateError::UnrecognizedWellKnown, "unknown well-known attribute");
  if ((attribute.flags & flag_transitive) == 0) return {};
  const auto verdict = judge_opaque(attribute);
  if (verdict.severity != Severity::None) return verdict;

  UnknownAttribute unknown{static_cast<std::uint8_t>(optional_transitive | flag_partial),
                           attribute.type,
                           {attribute.value.begin(), attribute.value.end()}};
  const auto place = std::find_if(out.unknown.begin(), out.unknown.end(),
                                  [&](const UnknownAttribute& other) { return other.type > attribute.type; });
  out.unknown.insert(place, std::move(unknown));
  return {};
}

// Attributes that mean something between internal peers only (RFC 7606 sections 7.5, 7.9 and 7.10).
constexpr bool internal_only(AttributeType type) {
  return type == AttributeType::LocalPref || type == AttributeType::OriginatorId || type == AttributeType::ClusterList;
}

}  // namespace

/*  |O|T|P|E|       |     type      |  length: one octet, or two when E is set  |  value */
std::optional<RawAttribute> next_attribute(Bytes& section) {
  if (section.size() < 3) return std::nullopt;
  const auto flags = section[0];
  const bool extended = (flags & flag_extended_length) != 0;
  const std::size_t header = extended ? 4 : 3;
  if (section.size() < header) return std::nullopt;
  const std::size_t length = extended ? load_u16(section.data() + 2) : section[2];
  if (section.size() - header < length) return std::nullopt;

  const RawAttribute attribute{flags, section[1], section.subspan(header, length), section.first(header + length)};
  section = section.subspan(header + length);
  return attribute;
}

AttributeVerdict judge_flags(const RawAttribute& attribute) {
  const auto specified = specified_flags(attribute.type);
  if (!specified) return {};
  const bool conflict = (attribute.flags & (flag_optional | flag_transitive)) != *specified;
  const bool partial = (attribute.flags & flag_partial) != 0 && *specified != optional_transitive;
  if (!conflict && !partial) return {};
  const char* const reason = "flags conflict with the type";
  // RFC 7311, RFC 9552 and RFC 8669 ask for attribute discard.
  const bool aigp = static_cast<AttributeType>(attribute.type) == AttributeType::Aigp;
  const auto opaque = static_cast<Opaque>(attribute.type);
  if (aigp || opaque == Opaque::LinkState || opaque == Opaque::PrefixSid) return AttributeVerdict::discard(reason);
  return AttributeVerdict::withdraw(UpdateError::Flags, reason);
}

namespace {

AttributeVerdict decode_value(const RawAttribute& attribute, const UpdateContext& context, DecodedAttributes& into) {
  const auto type = static_cast<AttributeType>(attribute.type);
  const auto value = attribute.value;
  auto& out = into.out;
  if (internal_only(type) && context.peer == PeerType::External)
    return AttributeVerdict::discard("not accepted from an external peer");
  if (context.asn_width == AsnWidth::FourOctets &&
      (type == AttributeType::As4Path || type == AttributeType::As4Aggregator))
    return AttributeVerdict::discard("not accepted from a peer with four-octet AS numbers");  // RFC 6793 section 4.1

  switch (type) {
    case AttributeType::Origin:
      return decode_origin(value, out);
    case AttributeType::AsPath:
      return decode_path(value, context, out);
    case AttributeType::NextHop:
      if (value.size() != 4) return wrong_length();
      out.next_hop.address = net::Ipv4Address{load_u32(value.data())};
      return {};
    case AttributeType::Med:
      return decode_number(value, out.med);
    case AttributeType::LocalPref:
      return decode_number(value, out.local_pref);
    case AttributeType::AtomicAggregate:
      if (!value.empty()) return AttributeVerdict::discard("wrong length");
      out.atomic_aggregate = true;
      return {};
    case AttributeType::Aggregator:
      return decode_aggregator(value, context.asn_width, out.aggregator);
    case AttributeType::Communities:
      return decode_list<4>(value, out.communities, [](const auto* at) { return Community{load_u32(at)}; });
    case AttributeType::OriginatorId:
      if (value.size() != 4) return wrong_length();
      out.originator_id = net::RouterId{load_u32(value.data())};
      return {};
    case AttributeType::ClusterList:
      return decode_list<4>(value, out.cluster_list, [](const auto* at) { return net::RouterId{load_u32(at)}; });
    case AttributeType::ExtendedCommunities:
      return decode_list<8>(value, out.extended_communities,
                            [](const auto* at) { return ExtendedCommunity{load_u64(at)}; });
    case AttributeType::Ipv6ExtendedCommunities:
      return decode_list<20>(value, out.ipv6_extended_communities, [](const auto* at) {
        Ipv6ExtendedCommunity community;
        std::copy_n(at, community.octets.size(), community.octets.begin());
        return community;
      });
    case AttributeType::As4Path:
      return decode_as4_path(value, into);
    case AttributeType::As4Aggregator:
      return decode_aggregator(value, AsnWidth::FourOctets, into.as4_aggregator);
    case AttributeType::LargeCommunities:
      return decode_large_communities(value, out.large_communities);
    case AttributeType::Aigp:
      return context.aigp ? decode_aigp(value, out) : AttributeVerdict{};
    case AttributeType::OnlyToCustomer:
      if (value.size() != 4) return wrong_length();
      out.only_to_customer = net::Asn{load_u32(value.data())};
      return {};
    case AttributeType::MpReach:
    case AttributeType::MpUnreach:
      return {};
  }
  return keep_unknown(attribute, out);
}

}  // namespace

AttributeVerdict decode_attribute(const RawAttribute& attribute, const UpdateContext& context,
                                  DecodedAttributes& into) {
  const auto verdict = decode_value(attribute, context, into);
  if ((attribute.flags & flag_partial) != 0 && verdict.severity == Severity::None)
    into.out.partial |= partial_bit(static_cast<AttributeType>(attribute.type));
  return verdict;
}

}  // namespace bgp
