// SPDX-License-Identifier: Apache-2.0
// Attributes as MRT files have them: those of an UPDATE, but for MP_REACH_NLRI.
#include "bgp/mrt/record.hpp"
#include "bgp/wire/as_path_codec.hpp"
#include "bgp/wire/attribute_decode.hpp"
#include "net/reader.hpp"
#include "net/writer.hpp"

namespace bgp::mrt {
namespace {

bool next_hop(net::Reader in, std::size_t length, NextHop& out) {
  if (length == 4) {
    out = {in.ipv4(), std::nullopt};
  } else if (length == 16) {
    out = {in.ipv6(), std::nullopt};
  } else if (length == 32) {
    out.address = in.ipv6();
    out.link_local = in.ipv6();
  } else {
    return false;
  }
  return in.ok();
}

// A next hop is never of length 0, and an address family's number always begins with that octet.
bool multiprotocol_next_hop(std::span<const std::uint8_t> value, NextHop& out) {
  net::Reader in{value};
  if (!value.empty() && value[0] == 0) in.skip(3);
  const auto length = in.u8();
  return next_hop(in, length, out);
}

}  // namespace

net::Result<PathAttributes, const char*> decode_attributes(std::span<const std::uint8_t> attributes, AsnWidth width) {
  PathAttributes made;
  DecodedAttributes into{made, std::nullopt, std::nullopt};
  UpdateContext context;
  context.peer = PeerType::Internal;  // whatever the peer was, what is there is shown
  context.asn_width = width;
  context.aigp = true;
  auto rest = attributes;
  while (!rest.empty()) {
    const auto attribute = next_attribute(rest);
    if (!attribute) return net::fail("an attribute does not fit");
    const auto type = static_cast<AttributeType>(attribute->type);
    if (type == AttributeType::MpReach) {
      if (!multiprotocol_next_hop(attribute->value, made.next_hop)) return net::fail("the next hop does not fit");
      continue;
    }
    if (type == AttributeType::MpUnreach) continue;
    const auto verdict = decode_attribute(*attribute, context, into);
    if (verdict.severity > Severity::Discard) return net::fail(verdict.reason);
  }
  if (into.as4_path) made.as_path = merge_as4_path(made.as_path, *into.as4_path);
  if (into.as4_aggregator && made.aggregator) made.aggregator = into.as4_aggregator;
  return made;
}

void encode_attributes(const PathAttributes& attributes, net::Family family, std::vector<std::uint8_t>& out) {
  bgp::encode_attributes(attributes, family, {PeerType::Internal, AsnWidth::FourOctets, max_extended_message_size},
                         out);
  const auto& [address, link_local, interface] = attributes.next_hop;
  if (address.is_v4()) return;
  net::Writer writer{out};
  writer.u8(flag_optional);
  writer.u8(static_cast<std::uint8_t>(AttributeType::MpReach));
  const auto octets = static_cast<std::uint8_t>(link_local ? 32 : 16);
  writer.u8(static_cast<std::uint8_t>(octets + 1));
  writer.u8(octets);
  writer.address(address);
  if (link_local) writer.ipv6(*link_local);
}

}  // namespace bgp::mrt
