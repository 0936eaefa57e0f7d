// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "bgp/wire/as_path_codec.hpp"
#include "bgp/wire/framing.hpp"
#include "bgp/wire/update.hpp"
#include "net/writer.hpp"

namespace bgp {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint8_t well_known = flag_transitive;
constexpr std::uint8_t optional_non_transitive = flag_optional;
constexpr std::uint8_t optional_transitive = flag_optional | flag_transitive;

// Two octets of withdrawn length and two of attribute length beside the header.
constexpr std::size_t update_overhead = header_size + 4;

// Flags, type and length; the length has two octets only where one cannot hold it.
void attribute_header(net::Writer& out, std::uint8_t flags, std::uint8_t type, std::size_t length) {
  const bool extended = length > 255;
  out.u8(static_cast<std::uint8_t>(extended ? flags | flag_extended_length : flags));
  out.u8(type);
  if (extended)
    out.u16(static_cast<std::uint16_t>(length));
  else
    out.u8(static_cast<std::uint8_t>(length));
}

class AttributeEncoder {
 public:
  AttributeEncoder(const PathAttributes& attributes, net::Family family, const EncodeContext& context, Bytes& out)
      : attributes_{attributes},
        family_{family},
        internal_{context.peer != PeerType::External},
        reflects_{context.peer == PeerType::Internal},
        width_{context.asn_width},
        bytes_{out},
        out_{out} {}

  void encode() {
    header(well_known, AttributeType::Origin, 1);
    out_.u8(static_cast<std::uint8_t>(attributes_.origin));
    path(well_known, AttributeType::AsPath, width_);
    if (family_ == net::Family::Ipv4 && attributes_.next_hop.address.is_v4()) {
      header(well_known, AttributeType::NextHop, 4);
      out_.bytes(attributes_.next_hop.address.bytes().first(4));
    }
    number(optional_non_transitive, AttributeType::Med, attributes_.med);
    if (internal_) number(well_known, AttributeType::LocalPref, attributes_.local_pref);
    if (attributes_.atomic_aggregate) header(well_known, AttributeType::AtomicAggregate, 0);
    aggregator(AttributeType::Aggregator, width_);
    list<4>(optional_transitive, AttributeType::Communities, attributes_.communities,
            [this](Community community) { out_.u32(community.value); });
    if (reflects_) reflection();
    list<8>(optional_transitive, AttributeType::ExtendedCommunities, attributes_.extended_communities,
            [this](ExtendedCommunity community) { out_.u64(community.value); });
    if (width_ == AsnWidth::TwoOctets) four_octet_twins();
    list<20>(optional_transitive, AttributeType::Ipv6ExtendedCommunities, attributes_.ipv6_extended_communities,
             [this](const Ipv6ExtendedCommunity& community) { out_.bytes(community.octets); });
    if (attributes_.aigp) aigp(*attributes_.aigp);
    list<12>(optional_transitive, AttributeType::LargeCommunities, attributes_.large_communities,
             [this](const LargeCommunity& community) {
               out_.u32(community.global);
               out_.u32(community.local1);
               out_.u32(community.local2);
             });
    if (attributes_.only_to_customer)
      number(optional_transitive, AttributeType::OnlyToCustomer, attributes_.only_to_customer->value);
    unknown_below(256);
  }

 private:
  void header(std::uint8_t flags, AttributeType type, std::size_t length) {
    unknown_below(static_cast<unsigned>(type));
    if ((attributes_.partial & partial_bit(type)) != 0) flags |= flag_partial;
    attribute_header(out_, flags, static_cast<std::uint8_t>(type), length);
  }

  // The unknown attributes, which are sorted, slip in where their type codes belong.
  void unknown_below(unsigned type) {
    for (; next_unknown_ < attributes_.unknown.size(); ++next_unknown_) {
      const auto& unknown = attributes_.unknown[next_unknown_];
      if (unknown.type >= type) return;
      attribute_header(out_, unknown.flags, unknown.type, unknown.value.size());
      out_.bytes(unknown.value);
    }
  }

  void path(std::uint8_t flags, AttributeType type, AsnWidth width) {
    const auto confederation =
        internal_ && type == AttributeType::AsPath ? ConfederationSegments::Keep : ConfederationSegments::LeaveOut;
    header(flags, type, as_path_octets(attributes_.as_path, width, confederation));
    encode_as_path(attributes_.as_path, width, confederation, bytes_);
  }

  void number(std::uint8_t flags, AttributeType type, std::optional<std::uint32_t> value) {
    if (!value) return;
    header(flags, type, 4);
    out_.u32(*value);
  }

  void aggregator(AttributeType type, AsnWidth width) {
    if (!attributes_.aggregator) return;
    const auto& [asn, address] = *attributes_.aggregator;
    header(optional_transitive, type, width == AsnWidth::FourOctets ? 8 : 6);
    if (width == AsnWidth::FourOctets)
      out_.u32(asn.value);
    else
      out_.u16(static_cast<std::uint16_t>(asn.four_octet() ? net::as_trans.value : asn.value));
    out_.ipv4(address);
  }

  template <std::size_t size, class Element, class Write>
  void list(std::uint8_t flags, AttributeType type, const std::vector<Element>& elements, Write write) {
    if (elements.empty()) return;
    header(flags, type, elements.size() * size);
    for (const auto& element : elements) write(element);
  }

  void reflection() {
    if (attributes_.originator_id) {
      header(optional_non_transitive, AttributeType::OriginatorId, 4);
      out_.u32(attributes_.originator_id->value);
    }
    list<4>(optional_non_transitive, AttributeType::ClusterList, attributes_.cluster_list,
            [this](net::RouterId id) { out_.u32(id.value); });
  }

  // RFC 7311 section 3: type, length of the whole TLV, and the metric.
  void aigp(const Aigp& value) {
    constexpr std::uint8_t metric_octets = 11;
    header(optional_non_transitive, AttributeType::Aigp, metric_octets + value.rest.size());
    out_.u8(1);
    out_.u16(metric_octets);
    out_.u64(value.metric);
    out_.bytes(value.rest);
  }

  // RFC 6793 section 4.2.2: only where something did not fit two octets.
  void four_octet_twins() {
    const auto needs = [](const AsPathSegment& segment) {
      return std::any_of(segment.asns.begin(), segment.asns.end(), [](net::Asn asn) { return asn.four_octet(); });
    };
    const auto& segments = attributes_.as_path.segments;
    if (std::any_of(segments.begin(), segments.end(), needs))
      path(optional_transitive, AttributeType::As4Path, AsnWidth::FourOctets);
    if (attributes_.aggregator && attributes_.aggregator->asn.four_octet())
      aggregator(AttributeType::As4Aggregator, AsnWidth::FourOctets);
  }

  const PathAttributes& attributes_;
  net::Family family_;
  bool internal_;  // or to another member of the confederation
  bool reflects_;
  AsnWidth width_;
  Bytes& bytes_;
  net::Writer out_;
  std::size_t next_unknown_ = 0;
};

struct Fitting {
  std::size_t count = 0;
  std::size_t octets = 0;
};

// How many prefixes from the front fit into `room` octets.
template <class Prefix>
Fitting fitting(std::span<const Prefix> prefixes, std::size_t room, PathId id) {
  Fitting fit;
  for (const auto& prefix : prefixes) {
    const auto size = (id ? 5 : 1) + prefix_octets(prefix.length());
    if (fit.octets + size > room) break;
    fit.octets += size;
    ++fit.count;
  }
  return fit;
}

template <class Prefix>
void encode_run(std::span<const Prefix> prefixes, PathId id, Bytes& out) {
  for (const auto& prefix : prefixes) {
    if (id) net::Writer{out}.u32(*id);
    encode_prefix(prefix, out);
  }
}

// What `limit` leaves beside `used` octets.
constexpr std::size_t room(std::size_t limit, std::size_t used) {
  limit = std::min(limit, max_extended_message_size);
  return limit > used ? limit - used : 0;
}

// RFC 7606 section 5.1: MP_REACH_NLRI stands first.
template <class Prefix>
std::size_t multiprotocol_reachable(AfiSafi family, std::span<const std::uint8_t> attributes, const NextHop& next_hop,
                                    std::span<const Prefix> prefixes, std::size_t limit, Bytes& out, PathId id) {
  const std::size_t hop_octets = next_hop.link_local ? 32 : 16;
  const std::size_t fixed = 4 + hop_octets + 1;                       // family, length, next hop, reserved
  const auto used = update_overhead + attributes.size() + 4 + fixed;  // 4: the attribute's header at its longest
  const auto fit = fitting(prefixes, room(limit, used), id);
  if (fit.count == 0) return 0;

  const Message message{out, MessageType::Update};
  net::Writer writer{out};
  writer.u16(0);
  {
    const auto length = writer.length_field_u16();
    attribute_header(writer, optional_non_transitive, static_cast<std::uint8_t>(AttributeType::MpReach),
                     fixed + fit.octets);
    writer.u16(family.afi);
    writer.u8(family.safi);
    writer.u8(static_cast<std::uint8_t>(hop_octets));
    writer.address(next_hop.address);
    if (next_hop.link_local) writer.ipv6(*next_hop.link_local);
    writer.u8(0);
    encode_run(prefixes.first(fit.count), id, out);
    writer.bytes(attributes);
  }
  message.finish();
  return fit.count;
}

std::size_t reachable(std::span<const std::uint8_t> attributes, const NextHop& next_hop,
                      std::span<const net::Ipv4Prefix> prefixes, std::size_t limit, Bytes& out, PathId id) {
  if (next_hop.address.is_v6())
    return multiprotocol_reachable(ipv4_unicast, attributes, next_hop, prefixes, limit, out, id);
  // The next hop is within the attributes.
  const auto fit = fitting(prefixes, room(limit, update_overhead + attributes.size()), id);
  if (fit.count == 0) return 0;
  const Message message{out, MessageType::Update};
  net::Writer writer{out};
  writer.u16(0);
  writer.u16(static_cast<std::uint16_t>(attributes.size()));
  writer.bytes(attributes);
  encode_run(prefixes.first(fit.count), id, out);
  message.finish();
  return fit.count;
}

std::size_t reachable(std::span<const std::uint8_t> attributes, const NextHop& next_hop,
                      std::span<const net::Ipv6Prefix> prefixes, std::size_t limit, Bytes& out, PathId id) {
  return multiprotocol_reachable(ipv6_unicast, attributes, next_hop, prefixes, limit, out, id);
}

std::size_t withdrawn(std::span<const net::Ipv4Prefix> prefixes, std::size_t limit, Bytes& out, PathId id) {
  const auto fit = fitting(prefixes, room(limit, update_overhead), id);
  if (fit.count == 0) return 0;
  const Message message{out, MessageType::Update};
  net::Writer writer{out};
  {
    const auto length = writer.length_field_u16();
    encode_run(prefixes.first(fit.count), id, out);
  }
  writer.u16(0);
  message.finish();
  return fit.count;
}

void unreach_attribute(std::span<const net::Ipv6Prefix> prefixes, std::size_t octets, PathId id, Bytes& out) {
  const Message message{out, MessageType::Update};
  net::Writer writer{out};
  writer.u16(0);
  {
    const auto length = writer.length_field_u16();
    attribute_header(writer, optional_non_transitive, static_cast<std::uint8_t>(AttributeType::MpUnreach), 3 + octets);
    writer.u16(ipv6_unicast.afi);
    writer.u8(ipv6_unicast.safi);
    encode_run(prefixes, id, out);
  }
  message.finish();
}

std::size_t withdrawn(std::span<const net::Ipv6Prefix> prefixes, std::size_t limit, Bytes& out, PathId id) {
  const auto fit = fitting(prefixes, room(limit, update_overhead + 4 + 3), id);
  if (fit.count != 0) unreach_attribute(prefixes.first(fit.count), fit.octets, id, out);
  return fit.count;
}

}  // namespace

bool encodable(const PathAttributes& attributes) {
  constexpr std::size_t longest = 65535 - 64;
  const auto fits = [](const auto& list, std::size_t element) { return list.size() * element <= longest; };
  return as_path_octets(attributes.as_path, AsnWidth::FourOctets, ConfederationSegments::Keep) <= longest &&
         fits(attributes.communities, 4) && fits(attributes.extended_communities, 8) &&
         fits(attributes.large_communities, 12) && fits(attributes.ipv6_extended_communities, 20) &&
         fits(attributes.cluster_list, 4);
}

void encode_attributes(const PathAttributes& attributes, net::Family family, const EncodeContext& context, Bytes& out) {
  AttributeEncoder{attributes, family, context, out}.encode();
}

template <class Prefix>
std::size_t encode_reachable(std::span<const std::uint8_t> attribute_bytes, const NextHop& next_hop,
                             std::span<const Prefix> prefixes, std::size_t limit, std::vector<std::uint8_t>& out,
                             PathId path_id) {
  return reachable(attribute_bytes, next_hop, prefixes, limit, out, path_id);
}

template <class Prefix>
std::size_t encode_withdrawn(std::span<const Prefix> prefixes, std::size_t limit, std::vector<std::uint8_t>& out,
                             PathId path_id) {
  return withdrawn(prefixes, limit, out, path_id);
}

template std::size_t encode_reachable(std::span<const std::uint8_t>, const NextHop&, std::span<const net::Ipv4Prefix>,
                                      std::size_t, std::vector<std::uint8_t>&, PathId);
template std::size_t encode_reachable(std::span<const std::uint8_t>, const NextHop&, std::span<const net::Ipv6Prefix>,
                                      std::size_t, std::vector<std::uint8_t>&, PathId);
template std::size_t encode_withdrawn(std::span<const net::Ipv4Prefix>, std::size_t, std::vector<std::uint8_t>&,
                                      PathId);
template std::size_t encode_withdrawn(std::span<const net::Ipv6Prefix>, std::size_t, std::vector<std::uint8_t>&,
                                      PathId);

void encode_end_of_rib(net::Family family, std::vector<std::uint8_t>& out) {
  if (family == net::Family::Ipv6) return unreach_attribute({}, 0, std::nullopt, out);
  const Message message{out, MessageType::Update};
  net::Writer{out}.u32(0);
  message.finish();
}

}  // namespace bgp
