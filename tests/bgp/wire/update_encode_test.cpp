// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"
#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr EncodeContext to_external{};
constexpr EncodeContext to_internal{.peer = PeerType::Internal};
constexpr EncodeContext to_two_octets{.asn_width = AsnWidth::TwoOctets};

Bytes attributes_of(const PathAttributes& attributes, const EncodeContext& context = to_external,
                    net::Family family = net::Family::Ipv4) {
  Bytes out;
  encode_attributes(attributes, family, context, out);
  return out;
}

PathAttributes plain() {
  PathAttributes attributes;
  attributes.as_path = sequence({65001});
  attributes.next_hop.address = *net::parse_ip("10.0.0.2");
  return attributes;
}

PathAttributes everything() {
  auto attributes = plain();
  attributes.origin = Origin::Egp;
  attributes.as_path = *parse_as_path("65001 70000 {3 4}");
  attributes.med = 0;
  attributes.local_pref = 200;
  attributes.atomic_aggregate = true;
  attributes.aggregator = Aggregator{net::Asn{70000}, *net::parse_ipv4("10.0.0.9")};
  attributes.communities = {*parse_community("65001:100"), community_no_export};
  attributes.originator_id = *net::parse_router_id("10.0.0.99");
  attributes.cluster_list = {*net::parse_router_id("10.0.0.97"), *net::parse_router_id("10.0.0.98")};
  attributes.extended_communities = {*parse_extended_community("rt:65001:100")};
  attributes.large_communities = {{65001, 1, 2}};
  attributes.ipv6_extended_communities = {*parse_ipv6_extended_community("rt:[2001:db8::1]:100")};
  attributes.unknown = {{0xe0, 11, {1}}, {0xe0, 254, Bytes(300, 9)}};
  return attributes;
}

TEST(EncodedAttributes, OfAPlainRouteAreTheMandatoryOnes) {
  EXPECT_EQ(attributes_of(plain()), mandatory);
}

TEST(EncodedAttributes, OfAnIpv6RouteHaveNoNextHop) {
  EXPECT_EQ(attributes_of(plain(), to_external, net::Family::Ipv6), join({origin, as_path}));
}

TEST(EncodedAttributes, AreInAscendingOrderWithTheirFlags) {
  const auto expected = join(
      {hex("40 01 01 01"), hex("40 02 14 0202 0000fde9 00011170 0102 00000003 00000004"), next_hop,
       hex("80 04 04 00000000"), hex("40 05 04 000000c8"), hex("40 06 00"), hex("c0 07 08 00011170 0a000009"),
       hex("c0 08 08 fde90064 ffffff01"), hex("80 09 04 0a000063"), hex("80 0a 08 0a000061 0a000062"),
       hex("e0 0b 01 01"), hex("c0 10 08 0002fde900000064"), hex("c0 19 14 0002 20010db8000000000000000000000001 0064"),
       hex("c0 20 0c 0000fde9 00000001 00000002"), attribute(0xf0, 254, Bytes(300, 9))});
  EXPECT_EQ(attributes_of(everything(), to_internal), expected);
}

TEST(EncodedAttributes, KeepInternalMattersFromExternalPeers) {
  const auto bytes = attributes_of(everything(), to_external);
  const auto update = decode_update(body({}, bytes, nlri4), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_FALSE(update->attributes.local_pref);
  EXPECT_FALSE(update->attributes.originator_id);
  EXPECT_THAT(update->attributes.cluster_list, IsEmpty());
}

TEST(EncodedAttributes, UseTwoOctetsOfLengthAbove255Only) {
  auto attributes = plain();
  attributes.unknown = {{0xe0, 200, Bytes(255, 1)}, {0xe0, 201, Bytes(256, 1)}};
  EXPECT_EQ(attributes_of(attributes),
            join({mandatory, attribute(0xe0, 200, Bytes(255, 1)), attribute(0xf0, 201, Bytes(256, 1))}));
}

TEST(EncodedAttributes, ForATwoOctetPeerHaveAs4TwinsWhereTheyAreNeeded) {
  auto attributes = plain();
  attributes.aggregator = Aggregator{net::Asn{65001}, *net::parse_ipv4("10.0.0.9")};
  EXPECT_EQ(attributes_of(attributes, to_two_octets),
            join({origin, hex("40 02 04 0201fde9"), next_hop, hex("c0 07 06 fde90a000009")}));

  attributes.as_path = sequence({65001, 70000});
  attributes.aggregator->asn = net::Asn{70001};
  EXPECT_EQ(attributes_of(attributes, to_two_octets),
            join({origin, hex("40 02 06 0202fde95ba0"), next_hop, hex("c0 07 06 5ba00a000009"),
                  hex("c0 11 0a 0202 0000fde9 00011170"), hex("c0 12 08 00011171 0a000009")}));
}

TEST(EncodedAttributes, ForATwoOctetPeerComeBackWhole) {
  auto attributes = everything();
  attributes.local_pref.reset();
  attributes.originator_id.reset();
  attributes.cluster_list.clear();
  auto context = external();
  context.asn_width = AsnWidth::TwoOctets;
  const auto bytes = body({}, attributes_of(attributes, to_two_octets), nlri4);
  const auto update = decode_update(bytes, context);
  ASSERT_TRUE(update.has_value());
  EXPECT_THAT(update->faults, IsEmpty());
  attributes.next_hop = {};
  EXPECT_EQ(update->attributes, attributes);
}

TEST(EncodedAttributes, KeepAConfederationAmongInternalPeers) {
  auto attributes = plain();
  attributes.as_path = *parse_as_path("(64512) 65001");
  EXPECT_EQ(attributes_of(attributes), mandatory);
  EXPECT_EQ(attributes_of(attributes, to_internal),
            join({origin, hex("40 02 0c 03010000fc00 02010000fde9"), next_hop}));
}

TEST(CanonicalAttributes, AreReadBackAsTheyWere) {
  const auto attributes = everything();
  EXPECT_EQ(decode_canonical_attributes(attributes_of(attributes, to_internal)), attributes);
  EXPECT_EQ(decode_canonical_attributes(attributes_of(plain(), to_internal)), plain());
  auto without_next_hop = everything();
  without_next_hop.next_hop = {};
  EXPECT_EQ(decode_canonical_attributes(attributes_of(everything(), to_internal, net::Family::Ipv6)), without_next_hop);
}

template <class Prefix>
std::vector<Prefix> many(std::size_t count) {
  std::vector<Prefix> all;
  for (unsigned i = 0; i < count; ++i) {
    const auto low = static_cast<std::uint8_t>(i);
    const auto high = static_cast<std::uint8_t>(i >> 8);
    if constexpr (std::is_same_v<Prefix, net::Ipv4Prefix>)
      all.push_back(*Prefix::make({0x0a000000U | i << 8}, 16 + i % 17));
    else
      all.push_back(*Prefix::make({{0x20, 1, 0xd, 0xb8, high, low}}, 32 + i % 97));
  }
  return all;
}

// Sends everything as often as it takes, and reads it again.
template <class Prefix, class Encode>
std::vector<std::string> sent_and_read(const std::vector<Prefix>& all, std::size_t limit, Encode encode) {
  std::vector<std::string> read;
  std::span<const Prefix> rest{all};
  while (!rest.empty()) {
    Bytes bytes;
    const auto count = encode(rest, bytes);
    EXPECT_GT(count, 0U);
    if (count == 0) break;
    EXPECT_LE(bytes.size(), limit);
    // As full as can be: what did not fit would not have fitted.
    const auto next = count < rest.size() ? 1 + prefix_octets(rest[count].length()) : limit;
    EXPECT_GT(bytes.size() + next + 1, limit);
    EXPECT_TRUE(decode_header(bytes, limit).has_value());
    const Bytes content(bytes.begin() + header_size, bytes.end());
    const auto update = decode_update(content, external());
    EXPECT_TRUE(update.has_value() && update->faults.empty() && !update->end_of_rib);
    for (const auto& runs : {update->reachable, update->withdrawn})
      for (auto& text : prefixes(runs)) read.push_back(std::move(text));
    rest = rest.subspan(count);
  }
  return read;
}

template <class Prefix>
std::vector<std::string> texts(const std::vector<Prefix>& all) {
  std::vector<std::string> result;
  for (const auto& prefix : all) result.push_back(net::print(prefix));
  return result;
}

const NextHop hop6{*net::parse_ip("2001:db8::1"), std::nullopt};
const NextHop hop6_with_link_local{*net::parse_ip("2001:db8::1"), *net::parse_ipv6("fe80::9")};

template <class Prefix>
class EncodedPrefixes : public testing::Test {};
using Families46 = testing::Types<net::Ipv4Prefix, net::Ipv6Prefix>;
TYPED_TEST_SUITE(EncodedPrefixes, Families46);

template <class Prefix>
Bytes family_attributes() {
  constexpr bool ipv4 = std::is_same_v<Prefix, net::Ipv4Prefix>;
  return attributes_of(plain(), to_external, ipv4 ? net::Family::Ipv4 : net::Family::Ipv6);
}

// Within the attributes for IPv4, in front of the prefixes for IPv6.
template <class Prefix>
std::vector<NextHop> family_next_hops() {
  if constexpr (std::is_same_v<Prefix, net::Ipv4Prefix>) return {plain().next_hop};
  return {hop6, hop6_with_link_local};
}

TYPED_TEST(EncodedPrefixes, FillMessagesToTheLimit) {
  const auto all = many<TypeParam>(20000);
  const auto attributes = family_attributes<TypeParam>();
  for (const std::size_t limit : {std::size_t{300}, max_message_size, max_extended_message_size}) {
    for (const auto& hop : family_next_hops<TypeParam>())
      EXPECT_EQ(
          sent_and_read(all, limit,
                        [&](auto rest, Bytes& out) { return encode_reachable(attributes, hop, rest, limit, out); }),
          texts(all));
    EXPECT_EQ(sent_and_read(all, limit, [&](auto rest, Bytes& out) { return encode_withdrawn(rest, limit, out); }),
              texts(all));
  }
}

// One octet more or less of room around the length where MP_REACH_NLRI changes its length field, and
// around the end of the message.
TYPED_TEST(EncodedPrefixes, FitAtEveryLimit) {
  const auto all = many<TypeParam>(40);
  const auto attributes = family_attributes<TypeParam>();
  const auto hop = family_next_hops<TypeParam>().front();
  for (std::size_t limit = 100; limit < 420; ++limit) {
    EXPECT_EQ(sent_and_read(all, limit,
                            [&](auto rest, Bytes& out) { return encode_reachable(attributes, hop, rest, limit, out); }),
              texts(all));
    EXPECT_EQ(sent_and_read(all, limit, [&](auto rest, Bytes& out) { return encode_withdrawn(rest, limit, out); }),
              texts(all));
  }
}

TYPED_TEST(EncodedPrefixes, DoNotFitBesideAttributesThatFillTheMessage) {
  const auto all = many<TypeParam>(3);
  auto attributes = family_attributes<TypeParam>();
  const auto hop = family_next_hops<TypeParam>().front();
  for (const std::size_t size : {4030U, 4073U, 4096U, 5000U, 65535U, 70000U}) {
    const auto big = join({attributes, attribute(0xf0, 200, Bytes(size - attributes.size() - 4, 1))});
    Bytes out{1, 2, 3};
    const auto count = encode_reachable(std::span<const std::uint8_t>{big}, hop, std::span<const TypeParam>{all},
                                        max_message_size, out);
    EXPECT_EQ(count == 0, out == (Bytes{1, 2, 3}));
    EXPECT_TRUE(count == 0 || size < 4073);
  }
  Bytes out;
  EXPECT_EQ(encode_withdrawn(std::span<const TypeParam>{all}, 23, out), 0U);
  EXPECT_THAT(out, IsEmpty());
}

TYPED_TEST(EncodedPrefixes, AreAppendedToWhatIsThere) {
  const auto all = many<TypeParam>(1);
  Bytes out = encode_keepalive();
  encode_withdrawn(std::span<const TypeParam>{all}, max_message_size, out);
  EXPECT_EQ(decode_header(std::span{out}.subspan(19), max_message_size)->length, out.size() - 19);
}

TEST(EncodedPrefixes6, StandInFrontOfTheOtherAttributes) {
  const std::vector<net::Ipv6Prefix> one{net::parse_prefix("2001:db8::/32")->v6()};
  Bytes out;
  encode_reachable(std::span<const std::uint8_t>{join({origin, as_path})}, hop6, std::span<const net::Ipv6Prefix>{one},
                   max_message_size, out);
  EXPECT_EQ(out, message(2, body({}, join({attribute(0x80, 14, join({reach6, nlri6})), origin, as_path}), {})));
}

TEST(EncodedPrefixes4, StandBehindTheAttributes) {
  const std::vector<net::Ipv4Prefix> one{net::parse_prefix("192.0.2.0/24")->v4()};
  Bytes out;
  encode_reachable(std::span<const std::uint8_t>{mandatory}, {}, std::span<const net::Ipv4Prefix>{one},
                   max_message_size, out);
  EXPECT_EQ(out, message(2, body({}, mandatory, nlri4)));
  out.clear();
  encode_withdrawn(std::span<const net::Ipv4Prefix>{one}, max_message_size, out);
  EXPECT_EQ(out, message(2, body(nlri4, {}, {})));
}

TEST(AnEncodedEndOfRib, IsRecognised) {
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    Bytes out;
    encode_end_of_rib(family, out);
    EXPECT_EQ(decode_update(std::span{out}.subspan(header_size), external())->end_of_rib, family);
  }
  Bytes out;
  encode_end_of_rib(net::Family::Ipv4, out);
  EXPECT_THAT(out, SizeIs(23));
}

TEST(AnEncodedPathOf2000Numbers, IsReadBack) {
  auto attributes = plain();
  attributes.as_path = {};
  attributes.as_path.prepend(net::Asn{70000}, 1999);
  attributes.as_path.prepend(net::Asn{65001});
  for (const auto width : {AsnWidth::TwoOctets, AsnWidth::FourOctets}) {
    auto context = external();
    context.asn_width = width;
    const auto bytes = attributes_of(attributes, {.asn_width = width});
    const std::vector<net::Ipv4Prefix> one{net::parse_prefix("192.0.2.0/24")->v4()};
    Bytes out;
    EXPECT_EQ(encode_reachable(std::span<const std::uint8_t>{bytes}, {}, std::span<const net::Ipv4Prefix>{one},
                               max_extended_message_size, out),
              1U);
    const auto update = decode_update(std::span{out}.subspan(header_size), context);
    ASSERT_TRUE(update.has_value());
    EXPECT_THAT(update->faults, IsEmpty());
    EXPECT_EQ(update->attributes.as_path.length(), 2000U);
    EXPECT_EQ(update->attributes.as_path.count(net::Asn{70000}), 1999U);
    Bytes too_long;
    EXPECT_EQ(encode_reachable(std::span<const std::uint8_t>{bytes}, {}, std::span<const net::Ipv4Prefix>{one},
                               max_message_size, too_long),
              0U);
  }
}

}  // namespace
}  // namespace bgp
