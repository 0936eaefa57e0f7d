// SPDX-License-Identifier: Apache-2.0
// What well-formed UPDATE messages say. What malformed ones lead to is in rfc7606_test.cpp.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"
#include "bgp/wire/update.hpp"
#include "net/writer.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A decoded message together with the bytes that its runs point into.
struct Read {
  Bytes bytes;
  Decoded<Update> update;
  const Update* operator->() const { return &*update; }
};

Read read(Bytes bytes, const UpdateContext& context = external()) {
  Read result{std::move(bytes), {}};
  result.update = decode_update(result.bytes, context);
  EXPECT_TRUE(result.update.has_value()) << describe(result.update.error());
  if (!result.update) result.update = Update{};
  return result;
}

TEST(AnUpdate, AnnouncesAndWithdrawsIpv4) {
  const auto update = read(body(hex("10 0a01 08 0b"), mandatory, hex("18 c00002 20 c6336401 00")));
  EXPECT_THAT(prefixes(update->withdrawn), ElementsAre("10.1.0.0/16", "11.0.0.0/8"));
  EXPECT_THAT(prefixes(update->reachable), ElementsAre("192.0.2.0/24", "198.51.100.1/32", "0.0.0.0/0"));
  EXPECT_EQ(update->next_hop_ipv4.address, *net::parse_ip("10.0.0.2"));
  EXPECT_EQ(update->attributes.as_path, sequence({65001}));
  EXPECT_EQ(update->attributes.next_hop, NextHop{});
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_FALSE(update->treat_as_withdraw);
  EXPECT_FALSE(update->end_of_rib);
}

TEST(AnUpdate, AnnouncesAndWithdrawsIpv6) {
  const auto reach = attribute(0x80, 14, join({reach6, nlri6, hex("80 20010db8000000000000000000000007")}));
  const auto unreach = attribute(0x90, 15, join({unreach6, hex("30 20010db80001")}));
  const auto update = read(body({}, join({reach, origin, as_path, unreach}), {}));
  EXPECT_THAT(prefixes(update->reachable), ElementsAre("2001:db8::/32", "2001:db8::7/128"));
  EXPECT_THAT(prefixes(update->withdrawn), ElementsAre("2001:db8:1::/48"));
  EXPECT_EQ(update->next_hop_ipv6.address, *net::parse_ip("2001:db8::1"));
  EXPECT_FALSE(update->next_hop_ipv6.link_local);
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdate, AnnouncesBothFamiliesAtOnce) {
  const auto reach = attribute(0x80, 14, join({reach6, nlri6}));
  const auto update =
      read(body(hex("08 0b"), join({reach, mandatory, attribute(0x80, 15, join({unreach6, hex("00")}))}), nlri4));
  EXPECT_THAT(prefixes(update->reachable), ElementsAre("2001:db8::/32", "192.0.2.0/24"));
  EXPECT_THAT(prefixes(update->withdrawn), ElementsAre("11.0.0.0/8", "::/0"));
  EXPECT_EQ(update->next_hop_ipv4.address, *net::parse_ip("10.0.0.2"));
  EXPECT_EQ(update->next_hop_ipv6.address, *net::parse_ip("2001:db8::1"));
}

TEST(AnUpdate, WithdrawsWithoutAnyAttribute) {
  const auto update = read(body(nlri4, {}, {}));
  EXPECT_THAT(prefixes(update->withdrawn), ElementsAre("192.0.2.0/24"));
  EXPECT_TRUE(update->reachable.empty());
  EXPECT_FALSE(update->end_of_rib);
}

TEST(AnUpdate, HasANextHopOf32OctetsWithALinkLocalAddress) {
  const auto value = hex("0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000009 00 2020010db8");
  const auto update = read(body({}, join({attribute(0x80, 14, value), origin, as_path}), {}));
  EXPECT_EQ(update->next_hop_ipv6.address, *net::parse_ip("2001:db8::1"));
  EXPECT_EQ(update->next_hop_ipv6.link_local, *net::parse_ipv6("fe80::9"));
}

TEST(AnUpdate, IgnoresASecondNextHopThatIsNotLinkLocal) {
  const auto value = hex("0002 01 20 20010db8000000000000000000000001 00000000000000000000000000000000 00 2020010db8");
  const auto update = read(body({}, join({attribute(0x80, 14, value), origin, as_path}), {}));
  EXPECT_EQ(update->next_hop_ipv6.link_local, std::nullopt);
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdate, MayCarryIpv4InTheMultiprotocolAttributes) {
  const auto reach = attribute(0x80, 14, hex("0001 01 04 0a000009 00 18c00002"));
  const auto unreach = attribute(0x80, 15, hex("0001 01 080b"));
  const auto update = read(body({}, join({reach, origin, as_path, unreach}), {}));
  EXPECT_THAT(prefixes(update->reachable), ElementsAre("192.0.2.0/24"));
  EXPECT_THAT(prefixes(update->withdrawn), ElementsAre("11.0.0.0/8"));
  EXPECT_EQ(update->next_hop_ipv4.address, *net::parse_ip("10.0.0.9"));
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdate, CannotHaveTwoIpv4NextHops) {
  const auto same = attribute(0x80, 14, hex("0001 01 04 0a000002 00 18c00003"));
  EXPECT_THAT(read(body({}, join({same, mandatory}), nlri4))->faults, IsEmpty());
  const auto other = attribute(0x80, 14, hex("0001 01 04 0a000003 00 18c00003"));
  const auto update = read(body({}, join({other, mandatory}), nlri4));
  EXPECT_TRUE(update->treat_as_withdraw);
  EXPECT_THAT(prefixes(update->reachable), ElementsAre("192.0.3.0/24", "192.0.2.0/24"));
}

TEST(AnUpdate, CarriesEveryAttributeOfAnInternalPeer) {
  const auto attributes =
      join({hex("40 01 01 02"), hex("40 02 10 0202 0000fde9 0000fdea 0101 0000fdeb"), next_hop,
            hex("80 04 04 00000005"), hex("40 05 04 000000c8"), hex("40 06 00"), hex("c0 07 08 0000fde9 0a000001"),
            hex("c0 08 08 fde90064 ffffff01"), hex("80 09 04 0a000063"), hex("80 0a 08 0a000061 0a000062"),
            hex("c0 10 08 0002fde900000064"), hex("c0 20 0c 0000fde9 00000001 00000002")});
  const auto update = read(body({}, attributes, nlri4), internal());
  const auto& got = update->attributes;
  EXPECT_EQ(got.origin, Origin::Incomplete);
  EXPECT_EQ(print(got.as_path), "65001 65002 {65003}");
  EXPECT_EQ(got.med, 5U);
  EXPECT_EQ(got.local_pref, 200U);
  EXPECT_TRUE(got.atomic_aggregate);
  EXPECT_EQ(got.aggregator, (Aggregator{net::Asn{65001}, *net::parse_ipv4("10.0.0.1")}));
  EXPECT_EQ(print(got.communities), "65001:100 no-export");
  EXPECT_EQ(got.originator_id, net::parse_router_id("10.0.0.99"));
  EXPECT_THAT(got.cluster_list, ElementsAre(*net::parse_router_id("10.0.0.97"), *net::parse_router_id("10.0.0.98")));
  EXPECT_EQ(print(got.extended_communities), "rt:65001:100");
  EXPECT_EQ(print(got.large_communities), "65001:1:2");
  EXPECT_THAT(got.unknown, IsEmpty());
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdate, HasEachLargeCommunityOnceWhereItStoodFirst) {
  const auto twice = hex("0000fde9 00000002 00000000 0000fde9 00000001 00000002 0000fde9 00000002 00000000");
  const auto update = read(body({}, join({mandatory, attribute(0xc0, 32, twice)}), nlri4));
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_EQ(print(update->attributes.large_communities), "65001:2:0 65001:1:2");

  Bytes sent;
  encode_attributes(update->attributes, net::Family::Ipv4, {.peer = PeerType::External}, sent);
  const auto once = hex("c0 20 18 0000fde9 00000002 00000000 0000fde9 00000001 00000002");
  EXPECT_NE(std::search(sent.begin(), sent.end(), once.begin(), once.end()), sent.end());
}

TEST(AnUpdate, HasEachOfManyLargeCommunitiesOnce) {
  Bytes many;
  for (const std::uint32_t number : {2U, 1U}) {
    for (std::uint32_t each = 100; each > 0; --each) {
      net::Writer out{many};
      for (const auto part : {65001U, number, each}) out.u32(part);
      if (each % 3 == 0)
        for (const auto part : {65001U, number, 100U}) out.u32(part);
    }
  }
  const auto update = read(body({}, join({mandatory, attribute(0xd0, 32, many)}), nlri4));
  const auto& got = update->attributes.large_communities;
  ASSERT_EQ(got.size(), 200U);
  EXPECT_EQ(got.front(), (LargeCommunity{65001, 2, 100}));
  EXPECT_EQ(got[100], (LargeCommunity{65001, 1, 100}));
  EXPECT_EQ(got.back(), (LargeCommunity{65001, 1, 1}));
}

TEST(AnUpdate, MayHaveItsAttributesInAnyOrder) {
  const auto attributes =
      join({hex("c0 20 0c 0000fde9 00000001 00000002"), hex("c0 08 04 fde90064"), next_hop, as_path, origin});
  const auto update = read(body({}, attributes, nlri4));
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_EQ(print(update->attributes.communities), "65001:100");
}

TEST(AnUpdate, MayUseTwoOctetLengthsForShortAttributes) {
  const auto attributes = join({hex("50 01 0001 00"), hex("50 02 0006 0201 0000fde9"), hex("50 03 0004 0a000002")});
  EXPECT_THAT(read(body({}, attributes, nlri4))->faults, IsEmpty());
}

TEST(AnUpdate, IgnoresTheLowBitsOfTheFlags) {
  const auto attributes =
      join({hex("4f 01 01 00"), hex("4a 02 06 0201 0000fde9"), hex("41 03 04 0a000002"), hex("cf fe 01 07")});
  const auto update = read(body({}, attributes, nlri4));
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_THAT(update->attributes.unknown, ElementsAre(UnknownAttribute{0xe0, 254, {7}}));
}

TEST(AnUpdate, PassesOnUnknownTransitiveAttributesMarkedPartial) {
  const auto attributes = join({hex("c0 fe 01 07"), mandatory, hex("e0 c8 00"), hex("d0 63 0002 0102")});
  const auto update = read(body({}, attributes, nlri4));
  EXPECT_THAT(update->attributes.unknown,
              ElementsAre(UnknownAttribute{0xe0, 99, {1, 2}}, UnknownAttribute{0xe0, 200, {}},
                          UnknownAttribute{0xe0, 254, {7}}));
  EXPECT_THAT(update->faults, IsEmpty());
}

// RFC 4271 section 5: no speaker on the way may set the bit back to 0.
TEST(AnUpdate, PassesOnThePartialBitOfAttributesThatItKnows) {
  const auto known =
      join({hex("e0 07 08 0000fde9 0a000001"), hex("e0 08 04 fde90064"), hex("e0 10 08 0002fde900000064"),
            hex("c0 20 0c 0000fde9 00000001 00000002"), hex("e0 23 04 0000fde9")});
  const auto update = read(body({}, join({mandatory, known}), nlri4));
  EXPECT_THAT(update->faults, IsEmpty());
  std::vector<std::uint8_t> sent;
  encode_attributes(update->attributes, net::Family::Ipv6, {PeerType::External, AsnWidth::FourOctets, 4096}, sent);
  ASSERT_GE(sent.size(), known.size());
  EXPECT_EQ(std::vector<std::uint8_t>(sent.end() - static_cast<std::ptrdiff_t>(known.size()), sent.end()), known);
  // Of one that is discarded it means nothing.
  const auto broken = read(body({}, join({mandatory, hex("e0 07 01 00")}), nlri4));
  EXPECT_EQ(broken->attributes.partial, 0);
}

TEST(AnUpdate, DropsUnknownAttributesThatAreNotTransitive) {
  const auto update = read(body({}, join({mandatory, hex("80 fd 01 07"), hex("a0 fc 00")}), nlri4));
  EXPECT_THAT(update->attributes.unknown, IsEmpty());
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdate, OfAFamilyThatIsNotOursIsIgnored) {
  const auto vpn = attribute(0x80, 14, hex("0001 80 0c 0000000000000000c0a80001 00 ffffffffff"));
  const auto evpn_unreach = attribute(0x80, 15, hex("0019 46 ffff"));
  const auto update = read(body({}, join({vpn, origin, as_path, evpn_unreach}), {}));
  EXPECT_TRUE(update->reachable.empty());
  EXPECT_TRUE(update->withdrawn.empty());
  EXPECT_FALSE(update->end_of_rib);
  EXPECT_FALSE(update->treat_as_withdraw);
}

TEST(AnUpdate, OfAFamilyThatWasNotNegotiatedIsIgnored) {
  auto context = external();
  context.families = {.ipv4 = true, .ipv6 = false};
  const auto reach = attribute(0x80, 14, join({reach6, nlri6}));
  const auto update =
      read(body({}, join({reach, mandatory, attribute(0x80, 15, join({unreach6, nlri6}))}), nlri4), context);
  EXPECT_THAT(prefixes(update->reachable), ElementsAre("192.0.2.0/24"));
  EXPECT_TRUE(update->withdrawn.empty());

  context.families = {.ipv4 = false, .ipv6 = true};
  const auto other = read(body(hex("080b"), join({reach, mandatory}), nlri4), context);
  EXPECT_THAT(prefixes(other->reachable), ElementsAre("2001:db8::/32"));
  EXPECT_TRUE(other->withdrawn.empty());
}

TEST(AnUpdate, WithAttributesAndNoPrefixAnnouncesNothing) {
  const auto update = read(body({}, mandatory, {}));
  EXPECT_TRUE(update->reachable.empty());
  EXPECT_FALSE(update->end_of_rib);
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdate, OfAnExternalPeerNeedsItsAsInFrontOnlyWhenThatIsAsked) {
  auto context = external();
  context.peer_asn = net::Asn{65009};
  const auto bytes = body({}, mandatory, nlri4);
  EXPECT_TRUE(decode_update(bytes, context)->treat_as_withdraw);
  context.enforce_first_as = false;
  EXPECT_FALSE(decode_update(bytes, context)->treat_as_withdraw);
  context.enforce_first_as = true;
  context.peer = PeerType::Internal;
  EXPECT_FALSE(decode_update(body({}, join({mandatory, local_pref}), nlri4), context)->treat_as_withdraw);
}

// RFC 4724 section 2.
TEST(AnEndOfRib, IsAnUpdateWithNothingInIt) {
  EXPECT_EQ(read(body({}, {}, {}))->end_of_rib, net::Family::Ipv4);
}

TEST(AnEndOfRib, IsAnMpUnreachWithNoPrefix) {
  EXPECT_EQ(read(body({}, attribute(0x80, 15, unreach6), {}))->end_of_rib, net::Family::Ipv6);
  EXPECT_EQ(read(body({}, attribute(0x90, 15, unreach6), {}))->end_of_rib, net::Family::Ipv6);
  EXPECT_EQ(read(body({}, attribute(0x80, 15, hex("0001 01")), {}))->end_of_rib, net::Family::Ipv4);
}

TEST(AnEndOfRib, IsOfANegotiatedFamilyOnly) {
  auto context = external();
  context.families = {.ipv4 = false, .ipv6 = false};
  EXPECT_EQ(read(body({}, {}, {}), context)->end_of_rib, std::nullopt);
  EXPECT_EQ(read(body({}, attribute(0x80, 15, unreach6), {}), context)->end_of_rib, std::nullopt);
  EXPECT_EQ(read(body({}, attribute(0x80, 15, hex("0019 46")), {}))->end_of_rib, std::nullopt);
}

TEST(AnEndOfRib, HasNothingElseInIt) {
  const auto unreach = attribute(0x80, 15, unreach6);
  EXPECT_EQ(read(body(nlri4, unreach, {}))->end_of_rib, std::nullopt);
  EXPECT_EQ(read(body({}, join({unreach, mandatory}), nlri4))->end_of_rib, std::nullopt);
  EXPECT_EQ(read(body({}, join({unreach, mandatory}), {}))->end_of_rib, std::nullopt);
  EXPECT_EQ(read(body({}, join({unreach, hex("c0 fe 00")}), {}))->end_of_rib, std::nullopt);
  EXPECT_EQ(read(body({}, attribute(0x80, 15, join({unreach6, nlri6})), {}))->end_of_rib, std::nullopt);
}

UpdateContext two_octets() {
  auto context = external();
  context.asn_width = AsnWidth::TwoOctets;
  return context;
}

TEST(AnUpdateOfATwoOctetPeer, HasItsPathRebuilt) {
  const auto attributes = join({origin, hex("40 02 06 0202 fde9 5ba0"), next_hop, hex("c0 11 06 0201 00011170")});
  const auto update = read(body({}, attributes, nlri4), two_octets());
  EXPECT_EQ(print(update->attributes.as_path), "65001 70000");
  EXPECT_THAT(update->faults, IsEmpty());
}

TEST(AnUpdateOfATwoOctetPeer, MayHaveAs4PathInFrontOfAsPath) {
  const auto attributes = join({hex("c0 11 06 0201 00011170"), hex("40 02 06 0202 fde9 5ba0"), origin, next_hop});
  EXPECT_EQ(print(read(body({}, attributes, nlri4), two_octets())->attributes.as_path), "65001 70000");
}

TEST(AnUpdateOfATwoOctetPeer, IgnoresAnAs4PathLongerThanAsPath) {
  const auto attributes = join({origin, hex("40 02 04 0201 fde9"), next_hop, hex("c0 11 0a 0202 0000fde9 00011170")});
  const auto update = read(body({}, attributes, nlri4), two_octets());
  EXPECT_EQ(print(update->attributes.as_path), "65001");
}

TEST(AnUpdateOfATwoOctetPeer, LeavesConfederationSegmentsOutOfAs4Path) {
  const auto attributes =
      join({origin, hex("40 02 06 0202 fde9 5ba0"), next_hop, hex("c0 11 0c 0301 0000fc00 0201 00011170")});
  const auto update = read(body({}, attributes, nlri4), two_octets());
  EXPECT_EQ(print(update->attributes.as_path), "65001 70000");
  EXPECT_FALSE(update->treat_as_withdraw);
}

TEST(AnUpdateOfATwoOctetPeer, HasItsAggregatorRebuilt) {
  const auto attributes = join({origin, hex("40 02 06 0202 fde9 5ba0"), next_hop, hex("c0 07 06 5ba0 0a000001"),
                                hex("c0 11 06 0201 00011170"), hex("c0 12 08 00011170 0a000001")});
  const auto update = read(body({}, attributes, nlri4), two_octets());
  EXPECT_EQ(update->attributes.aggregator, (Aggregator{net::Asn{70000}, *net::parse_ipv4("10.0.0.1")}));
  EXPECT_EQ(print(update->attributes.as_path), "65001 70000");
}

// RFC 6793 section 4.2.3: who aggregated spoke two octets, so the AS4 attributes are older than that.
TEST(AnUpdateOfATwoOctetPeer, IgnoresBothAs4AttributesThatAreOlderThanTheAggregation) {
  const auto attributes = join({origin, hex("40 02 06 0202 fde9 5ba0"), next_hop, hex("c0 07 06 fdea 0a000001"),
                                hex("c0 11 06 0201 00011170"), hex("c0 12 08 00011170 0a000009")});
  const auto update = read(body({}, attributes, nlri4), two_octets());
  EXPECT_EQ(update->attributes.aggregator, (Aggregator{net::Asn{65002}, *net::parse_ipv4("10.0.0.1")}));
  EXPECT_EQ(print(update->attributes.as_path), "65001 23456");
}

TEST(AnUpdateOfATwoOctetPeer, UsesAs4PathBesideATwoOctetAggregatorAlone) {
  const auto attributes = join(
      {origin, hex("40 02 06 0202 fde9 5ba0"), next_hop, hex("c0 07 06 fdea 0a000001"), hex("c0 11 06 0201 00011170")});
  const auto update = read(body({}, attributes, nlri4), two_octets());
  EXPECT_EQ(update->attributes.aggregator, (Aggregator{net::Asn{65002}, *net::parse_ipv4("10.0.0.1")}));
  EXPECT_EQ(print(update->attributes.as_path), "65001 70000");
}

TEST(AnUpdateOfAnInternalPeer, MayCarryTheSegmentsOfItsConfederation) {
  const auto path = hex("40 02 0c 0301 0000fc00 0201 0000fde9");
  const auto update = read(body({}, join({origin, path, next_hop, local_pref}), nlri4), internal());
  EXPECT_EQ(print(update->attributes.as_path), "(64512) 65001");
  EXPECT_FALSE(update->treat_as_withdraw);
  EXPECT_TRUE(read(body({}, join({origin, path, next_hop}), nlri4))->treat_as_withdraw);
}

TEST(AnUpdateOf65535Octets, IsReadToItsEnd) {
  Bytes nlri;
  const std::size_t room = max_extended_message_size - header_size - 4 - mandatory.size();
  while (nlri.size() + 5 <= room)
    nlri.insert(nlri.end(), {0x20, 10, 0, static_cast<std::uint8_t>(nlri.size() >> 8), 1});
  const auto update = read(body({}, mandatory, nlri));
  EXPECT_EQ(prefixes(update->reachable).size(), nlri.size() / 5);
}

}  // namespace
}  // namespace bgp
