// SPDX-License-Identifier: Apache-2.0
// Inputs that broke other BGP speakers, each under the name it is known by, and what we make of it. The
// messages are built here from what the reports and the RFCs say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/notification.hpp"
#include "bgp/wire/text.hpp"
#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// The body of a whole message, if its header stands.
Decoded<Bytes> body_of(const Bytes& whole, std::size_t limit = max_message_size) {
  const auto header = decode_header(whole, limit);
  if (!header) return net::fail(header.error());
  EXPECT_EQ(header->length, whole.size());
  return Bytes(whole.begin() + header_size, whole.end());
}

Bytes open_offering(const Bytes& capabilities) {
  const auto size = static_cast<std::uint8_t>(capabilities.size());
  return join({hex("04 fde9 005a 0a000001"), {static_cast<std::uint8_t>(size + 2), 2, size}, capabilities});
}

Bytes route_with(const Bytes& extra) {
  return body({}, join({mandatory, extra}), nlri4);
}

const auto unspecific = open_error(OpenError::Unspecific);

// The NOTIFICATION quotes the attribute and not one octet of what lies behind it.
TEST(FrrCve201715865, AttributeOfAWrongLengthIsQuotedWithinItsBounds) {
  const auto update = decode_update(body({}, hex("50 01 0002 0000"), {}), external());
  ASSERT_FALSE(update.has_value());
  EXPECT_EQ(update.error().data, hex("50 01 0002 0000"));
  const auto cut = decode_update(body({}, hex("50 01 ffff 0000"), {}), external());
  ASSERT_FALSE(cut.has_value());
  EXPECT_THAT(cut.error().data, IsEmpty());
}

TEST(FrrCve202240302, ExtendedOpenWithTwoOctetsLeft) {
  const auto bytes = hex("ffffffffffffffffffffffffffffffff 0022 01 04 dead 0005 c0a83901 ff ff 0002 0001");
  EXPECT_EQ(decode_open(*body_of(bytes)).error(), unspecific);
}

TEST(FrrCve202243681, OpenEndsBehindALengthOf255) {
  const auto bytes = hex("ffffffffffffffffffffffffffffffff 001d 01 04 dead 00de adbeef6b ff");
  EXPECT_EQ(decode_open(*body_of(bytes)).error(), unspecific);
}

TEST(FrrCve202240318, ExtendedOpenWithAShortParameterHeader) {
  EXPECT_EQ(decode_open(hex("04 dead 00de adbeef6b ff ff 0001 02")).error(), unspecific);
  EXPECT_EQ(decode_open(hex("04 dead 00de adbeef6b ff ff 0002 02 00")).error(), unspecific);
}

TEST(FrrCve202338802, CorruptTunnelEncapsulationWithdrawsAndDoesNotReset) {
  for (const auto* const value : {"", "00", "0007", "00070001", "0007ffff01", "0007000204ff"}) {
    const auto bytes = hex(value);
    const auto route = route_with(attribute(0xc0, 23, bytes));
    const auto update = decode_update(route, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_TRUE(update->treat_as_withdraw);
  }
}

TEST(FrrCve202341358, PrefixesWithoutAnyAttribute) {
  const auto bytes = body({}, {}, nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
  EXPECT_FALSE(update->end_of_rib);
}

TEST(FrrCve202341359, AigpOfOneOrTwoOctets) {
  for (const auto* const value : {"01", "0100"}) {
    const auto bytes = route_with(attribute(0x80, 26, hex(value)));
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_FALSE(update->treat_as_withdraw);
    EXPECT_THAT(update->attributes.unknown, IsEmpty());
  }
}

TEST(FrrCve202341360, RouteRefreshEndsBeforeTheFilterHeader) {
  EXPECT_EQ(decode_route_refresh(hex("0001 00 01"))->kind, RefreshKind::Request);
  EXPECT_EQ(decode_route_refresh(hex("0001 00 01 01"))->kind, RefreshKind::Request);
  EXPECT_FALSE(decode_route_refresh(hex("0001 00")).has_value());
}

TEST(FrrCve202341361, SoftwareVersionWithAnInnerLengthThatLies) {
  for (const auto* const value : {"4b 02 ff 61", "4b 02 02 61", "4b 01 01", "4b 00"}) {
    const auto decoded = decode_open(open_offering(hex(value)));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_THAT(decoded->capabilities.unknown, SizeIs(1));
  }
}

TEST(FrrCve202338406, FlowSpecificationOfLengthZero) {
  const auto update =
      decode_update(body({}, join({attribute(0x80, 14, hex("0001 85 00 00 00")), origin, as_path}), {}), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->reachable.empty());
}

TEST(FrrCve202338407, LabeledPrefixRunsPastTheEnd) {
  const auto update = decode_update(
      body({}, join({attribute(0x80, 14, hex("0001 04 04 0a000001 00 78 000001")), origin, as_path}), {}), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->reachable.empty());
}

TEST(FrrCve202341909, FlowSpecificationWithoutAttributes) {
  const auto update = decode_update(body({}, attribute(0x80, 14, hex("0001 85 00 00 03 01 18 0a")), {}), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->reachable.empty());
}

TEST(FrrCve202346752, NextHopOf16OctetsThatAreNotThere) {
  for (std::size_t size = 0; size <= 16; ++size) {
    const auto reach = attribute(0x80, 14, join({hex("0002 01 10"), Bytes(size, 0x20)}));
    const auto update = decode_update(body({}, join({reach, origin, as_path}), {}), external());
    ASSERT_FALSE(update.has_value());
    EXPECT_EQ(update.error(), update_error(UpdateError::Optional, reach));
  }
}

TEST(FrrCve202346753, NothingButAnUnknownAttribute) {
  const auto content =
      body_of(hex("ffffffffffffffffffffffffffffffff 003c 02 0000 0014"
                  "ff1f001000040146464646460004464646464646664646f50d05800100010200ffff000000"));
  ASSERT_TRUE(content.has_value());
  // Behind the attribute stands a prefix of 0x46 bits: where the prefixes are is not known (RFC 7606 section 5.3).
  const auto update = decode_update(*content, external());
  ASSERT_FALSE(update.has_value());
  EXPECT_EQ(update.error(), update_error(UpdateError::InvalidNetwork));

  const auto tame = body({}, hex("ff 1f 0004 00040146"), nlri4);
  const auto withdrawn = decode_update(tame, external());
  ASSERT_TRUE(withdrawn.has_value());
  EXPECT_TRUE(withdrawn->treat_as_withdraw);
}

TEST(FrrCve202347234, MpUnreachBesideIpv4PrefixesWithoutMandatoryAttributes) {
  const auto bytes = body({}, attribute(0x80, 15, join({unreach6, nlri6})), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
  EXPECT_EQ(prefixes(update->withdrawn), (std::vector<std::string>{"2001:db8::/32"}));
  EXPECT_FALSE(update->end_of_rib);
}

TEST(FrrCve202347235, EmptyUnknownAttributeIsNoEndOfRib) {
  const auto bytes =
      hex("ffffffffffffffffffffffffffffffff 002b 02 0000 0003 c0ff00 010100eb00ac100b0b001ad908ac100b0b");
  const auto content = body_of(bytes);
  ASSERT_TRUE(content.has_value());
  // The third of the prefixes says that it has 0xeb bits.
  const auto update = decode_update(*content, external());
  ASSERT_FALSE(update.has_value());
  EXPECT_EQ(update.error(), update_error(UpdateError::InvalidNetwork));
  const auto tame = body({}, hex("c0 ff 00"), nlri4);
  const auto withdrawn = decode_update(tame, external());
  ASSERT_TRUE(withdrawn.has_value());
  EXPECT_TRUE(withdrawn->treat_as_withdraw);
  EXPECT_FALSE(withdrawn->end_of_rib);
}

TEST(Frr70ff940fd1, MalformedAttributeDoesNotShiftThePrefixes) {
  const auto bytes =
      body({}, join({origin, hex("40 02 07 0201 0000fde9 05"), next_hop, hex("c0 08 04 fde90064")}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
  EXPECT_EQ(prefixes(update->reachable), (std::vector<std::string>{"192.0.2.0/24"}));
  EXPECT_EQ(print(update->attributes.communities), "65001:100");
}

TEST(FrrCve202431948, PrefixSidWithWrongFlagsOrTlvs) {
  for (const auto& sid :
       {hex("80 28 0a 01 0007 00 0000 00000001"), hex("c0 28 03 01 ffff"), hex("c0 28 04 03 0001 00")}) {
    const auto update = decode_update(route_with(sid), external());
    ASSERT_TRUE(update.has_value());
    EXPECT_FALSE(update->treat_as_withdraw);
    EXPECT_THAT(update->attributes.unknown, IsEmpty());
  }
}

TEST(FrrCve202431949, DynamicCapabilityMessageIsOfAnUnknownType) {
  EXPECT_EQ(decode_header(message(6, hex("00 01 00")), max_message_size).error(),
            header_error(HeaderError::BadType, {6}));
}

TEST(FrrCve202444070, EncapsulationSubTlvBeyondTheAttribute) {
  const auto update = decode_update(route_with(hex("c0 17 08 0007 0004 04 ff 0000")), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
}

TEST(FrrE7bc47b501, ExtendedCommunitiesWithTwoOctetsTooMany) {
  const auto update = decode_update(route_with(hex("c0 10 0a 0002fde900000064 4004")), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
}

TEST(Frr0f5834d499, LinkBandwidthThatEndsEarlyOrIsNoNumber) {
  const auto whole = hex("4004 fde9 4e6e6b28");
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto bytes =
        route_with(attribute(0xc0, 16, join({whole, Bytes(whole.begin(), whole.begin() + 1), Bytes(size - 1, 0)})));
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_TRUE(update->treat_as_withdraw) << size;
  }
  // Infinite, no number, and negative: carried like any other community, and no bandwidth.
  for (const auto* const value : {"4004 fde9 7f800000", "4004 fde9 7fc00000", "4004 fde9 ce6e6b28"}) {
    const auto bytes = route_with(attribute(0xc0, 16, hex(value)));
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_THAT(update->faults, IsEmpty());
    ASSERT_THAT(update->attributes.extended_communities, SizeIs(1));
    EXPECT_EQ(link_bandwidth(update->attributes.extended_communities[0]), std::nullopt) << value;
  }
  // The same in the attribute for communities of twenty octets, RFC 5701.
  const auto small = route_with(attribute(0xc0, 25, whole));
  EXPECT_TRUE(decode_update(small, external())->treat_as_withdraw);
  const auto fits = route_with(attribute(0xc0, 25, join({whole, Bytes(12, 0)})));
  EXPECT_THAT(decode_update(fits, external())->faults, IsEmpty());
}

TEST(FrrB685ab5e1b, HostNameCapabilityWithLengthsThatLie) {
  for (const auto& value :
       {hex("49 02 01 61"), hex("49 01 ff"), hex("49 00"), join({hex("49 4a 01 61 47"), Bytes(71, 'x')})})
    EXPECT_TRUE(decode_open(open_offering(value)).has_value());
}

TEST(Frr5fd5e49544, OpenOfMoreThan4096OctetsIsRefusedEvenWithExtendedMessages) {
  const auto bytes = message(1, Bytes(5000, 0));
  EXPECT_EQ(decode_header(bytes, max_extended_message_size).error(), header_error(HeaderError::BadLength, u16(5019)));
}

TEST(Frr5fd5e49544, OpenFullOfUnknownCapabilitiesIsRead) {
  Bytes capabilities;
  while (capabilities.size() < 3900)
    capabilities.insert(capabilities.end(), {200, 1, static_cast<std::uint8_t>(capabilities.size() / 3)});
  const auto bytes = join(
      {hex("04 fde9 005a 0a000001 ff ff"), u16(capabilities.size() + 3), {2}, u16(capabilities.size()), capabilities});
  const auto decoded = decode_open(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(decoded->capabilities.unknown, SizeIs(256));
  EXPECT_LE(encode(*decoded).size(), max_message_size);
}

TEST(Frr4af8ea984f, MalformedAs4CapabilityIsRefused) {
  for (const auto* const value : {"41 00", "41 02 fde9", "41 08 0000fde90000fde9"})
    EXPECT_EQ(decode_open(open_offering(hex(value))).error(), unspecific);
  // Long-lived graceful restart of an odd length.
  EXPECT_EQ(decode_open(open_offering(hex("47 03 000101"))).error(), unspecific);
}

TEST(Frr5e55e12e4e, EncapsulationOfManyTinyTlvs) {
  Bytes value;
  while (value.size() < 60000) value.insert(value.end(), {0, 7, 0, 0});
  const auto many = route_with(attribute(0xd0, 23, value));
  EXPECT_FALSE(decode_update(many, external())->treat_as_withdraw);
  const auto odd = route_with(attribute(0xd0, 23, join({value, {0}})));
  EXPECT_TRUE(decode_update(odd, external())->treat_as_withdraw);
  EXPECT_TRUE(decode_update(route_with(hex("c0 17 01 00")), external())->treat_as_withdraw);
}

TEST(FrrCve202637459, NextHopCapabilitiesAttributeIsPassedOnUnread) {
  const auto bytes = route_with(hex("c0 27 08 0001 01 04 0a000001"));
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_THAT(update->attributes.unknown, SizeIs(1));
}

TEST(Frr22045, UnknownAttributeOfNearly64KIsUnreachableToOrdinaryPeersAndNoCrash) {
  const auto bytes = route_with(attribute(0xf0, 200, Bytes(65000, 1)));
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  auto attributes = update->attributes;
  attributes.next_hop = update->next_hop_ipv4;
  attributes.communities.assign(500, community_no_export);
  Bytes encoded;
  encode_attributes(attributes, net::Family::Ipv4, {}, encoded);
  const std::vector<net::Ipv4Prefix> one{net::Ipv4Prefix{}};
  Bytes out;
  for (const auto limit : {max_message_size, max_extended_message_size})
    EXPECT_EQ(
        encode_reachable(std::span<const std::uint8_t>{encoded}, {}, std::span<const net::Ipv4Prefix>{one}, limit, out),
        0U);
  EXPECT_THAT(out, IsEmpty());
}

std::vector<std::pair<std::string, std::uint32_t>> routes(const NlriRuns& runs) {
  std::vector<std::pair<std::string, std::uint32_t>> all;
  for (const auto& run : runs)
    for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) { all.emplace_back(net::print(prefix), id); });
  return all;
}

// Octets of an identifier are read as prefixes, which ends the session as soon as they are none.
TEST(FrrPr5423, PrefixesWithPathIdentifiersThatWereNotNegotiated) {
  // Identifier 1 before 192.0.2.0/24: three default routes, 0.0.0.0/1, and a prefix of 192 bits.
  const auto identified = hex("00000001 18c00002");
  for (const auto& bytes : {body({}, mandatory, identified), body(identified, {}, {})})
    EXPECT_EQ(decode_update(bytes, external()).error(), update_error(UpdateError::InvalidNetwork));
  // Identifier 1 before 2001:db8::/32: three default routes, ::/1, and a prefix that lacks an octet.
  const auto reach = attribute(0x80, 14, join({reach6, hex("00000001 20 20010db8")}));
  const auto unreach = attribute(0x80, 15, join({unreach6, hex("00000001 20 20010db8")}));
  EXPECT_EQ(decode_update(body({}, join({reach, origin, as_path}), {}), external()).error(),
            update_error(UpdateError::Optional, reach));
  EXPECT_EQ(decode_update(body({}, unreach, {}), external()).error(), update_error(UpdateError::Optional, unreach));
  // Identifier 0 is four default routes: nothing says that they are none, and nothing behind them is read.
  const auto zero = body({}, mandatory, hex("00000000 18c00002"));
  const auto update = decode_update(zero, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(prefixes(update->reachable),
            (std::vector<std::string>{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "192.0.2.0/24"}));
}

// The other way about, which was the heap overflow: prefixes are read as identifiers.
TEST(FrrPr5423, PrefixesWithoutThePathIdentifiersThatWereNegotiated) {
  auto context = external();
  context.path_ids = {true, true};
  // One prefix is too short for an identifier, a length and itself; so are a few default routes.
  for (const auto* const nlri : {"18c00002", "00", "00000000", "18c00002 18c633", "20c0000201 20c6336401"}) {
    for (const auto& bytes : {body({}, mandatory, hex(nlri)), body(hex(nlri), {}, {})})
      EXPECT_EQ(decode_update(bytes, context).error(), update_error(UpdateError::InvalidNetwork)) << nlri;
  }
  const auto reach = attribute(0x80, 14, join({reach6, nlri6}));
  const auto unreach = attribute(0x80, 15, join({unreach6, nlri6}));
  EXPECT_EQ(decode_update(body({}, join({reach, origin, as_path}), {}), context).error(),
            update_error(UpdateError::Optional, reach));
  EXPECT_EQ(decode_update(body({}, unreach, {}), context).error(), update_error(UpdateError::Optional, unreach));
  // 192.0.2.0/24 and 198.51.100.0/24 look like one prefix, whose identifier is the first of them.
  const auto pair = body({}, mandatory, hex("18c00002 18c63364"));
  const auto update = decode_update(pair, context);
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(routes(update->reachable),
            (std::vector<std::pair<std::string, std::uint32_t>>{{"198.51.100.0/24", 0x18c00002}}));
}

TEST(Frr22563, OriginRunsPastTheSectionAndThereIsNoPrefix) {
  const auto update = decode_update(body({}, hex("40 01 20 00"), {}), external());
  ASSERT_FALSE(update.has_value());
  EXPECT_EQ(update.error(), update_error(UpdateError::MalformedAttributeList));
}

TEST(Frr19336, PrefixSidOfZeroesStopsHereWithoutAReset) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 7U, 255U}) {
    const auto bytes = route_with(attribute(0xc0, 40, Bytes(size, 0)));
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_FALSE(update->treat_as_withdraw);
    const bool whole_tlvs = size != 0 && size % 3 == 0;
    EXPECT_THAT(update->attributes.unknown, SizeIs(whole_tlvs ? 1 : 0));
  }
}

TEST(GobgpCve202543971, SoftwareVersionLongerThanItsCapability) {
  const auto bytes =
      hex("ffffffffffffffffffffffffffffffff 0028 01 04fc00 005a c0a80a05 0b 02 09 4b 07 0a 000000000000");
  const auto decoded = decode_open(*body_of(bytes));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->capabilities.unknown[0], (RawCapability{75, hex("0a 000000000000")}));
}

TEST(GobgpCve202543972, RedirectToIpv6InAnEightOctetCommunity) {
  const auto bytes = route_with(hex("c0 10 08 000c 20010db80000"));
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(print(update->attributes.extended_communities), "generic:0x000c20010db80000");
}

TEST(GobgpCve202641642, UnrecognisedAttributeThatSaysItIsWellKnown) {
  for (const unsigned type : {0U, 11U, 22U, 35U, 99U, 128U, 255U}) {
    const auto extra = attribute(0x40, type, {1});
    const auto update = decode_update(route_with(extra), external());
    // Types that we check are known, and have wrong flags; all others are unrecognised.
    if (type == 22 || type == 35) {
      ASSERT_TRUE(update.has_value());
      EXPECT_TRUE(update->treat_as_withdraw);
    } else {
      ASSERT_FALSE(update.has_value()) << type;
      EXPECT_EQ(update.error(), update_error(UpdateError::UnrecognizedWellKnown, extra));
    }
  }
}

TEST(GobgpCve202641643, As4PathInFrontOfAsPath) {
  auto context = external();
  context.asn_width = AsnWidth::TwoOctets;
  const auto bytes =
      body({}, join({hex("c0 11 06 0201 00011170"), origin, hex("40 02 06 0202 fde9 5ba0"), next_hop}), nlri4);
  EXPECT_EQ(print(decode_update(bytes, context)->attributes.as_path), "65001 70000");
  const auto alone = body({}, join({hex("c0 11 06 0201 00011170"), origin, next_hop}), nlri4);
  EXPECT_TRUE(decode_update(alone, context)->treat_as_withdraw);
}

TEST(GobgpCve202642285, SectionLengthsSmallerThanTheirElements) {
  EXPECT_FALSE(decode_update(join({u16(2), hex("18c00002"), u16(0)}), external()).has_value());
  const auto bytes = join({u16(0), u16(2), hex("4001"), nlri4});
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
}

TEST(GobgpCve202630405, NextHopsOfEveryWrongLength) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 5U, 6U, 16U, 255U}) {
    const auto bytes = body({}, join({origin, as_path, attribute(0x40, 3, Bytes(size, 10))}), nlri4);
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_TRUE(update->treat_as_withdraw) << size;
  }
}

TEST(Gobgp3392, OriginWithoutTheTransitiveFlag) {
  const auto bytes = body({}, join({hex("00 01 01 00"), as_path, next_hop}), nlri4);
  EXPECT_TRUE(decode_update(bytes, external())->treat_as_withdraw);
}

TEST(GobgpGhsaGjrg, EmptyAs4CapabilityDoesNotReadTheNextOne) {
  EXPECT_EQ(decode_open(open_offering(hex("41 00 02 00 46 00"))).error(), unspecific);
}

TEST(GobgpGhsaFrrj, EmptyAsPathOfAnExternalPeer) {
  const auto bytes = body({}, join({origin, hex("40 02 00"), next_hop}), nlri4);
  EXPECT_TRUE(decode_update(bytes, external())->treat_as_withdraw);
}

TEST(Gobgp7b3e5553, NextHopOfLengthZero) {
  EXPECT_FALSE(
      decode_update(body({}, join({hex("80 0e 05 0002 01 00 00"), origin, as_path}), {}), external()).has_value());
  EXPECT_FALSE(
      decode_update(body({}, join({hex("80 0e 05 0001 01 00 00"), origin, as_path}), {}), external()).has_value());
}

// Being too strict is a defect too: an empty prefix of BGP-LS is no reason for a reset.
TEST(Gobgp3458, LinkStatePrefixOfLengthZeroIsNoReset) {
  const auto reach = attribute(0x80, 14, hex("4004 47 04 0a000001 00 0003 0000"));
  EXPECT_TRUE(decode_update(body({}, join({reach, origin, as_path}), {}), external()).has_value());
}

TEST(BirdCve202649943, PathOfMoreThan2048NumbersIsReadAndPrinted) {
  Bytes path;
  for (unsigned segment = 0; segment < 60; ++segment) {
    path.insert(path.end(), {2, 255});
    for (unsigned i = 0; i < 255; ++i) path.insert(path.end(), {0, 0, 0xfd, 0xe9});
  }
  const auto bytes = body({}, join({origin, attribute(0x50, 2, path), next_hop}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_FALSE(update->treat_as_withdraw);
  EXPECT_EQ(update->attributes.as_path.length(), 60U * 255);
  EXPECT_EQ(parse_as_path(print(update->attributes.as_path))->length(), 60U * 255);
}

TEST(BirdCve202559688, NotificationWithText) {
  EXPECT_EQ(describe(decode_notification(hex("06 02 05 68656c6c6f"))), "Cease/Administrative Shutdown: hello");
}

TEST(BirdCve201916159, ShutdownCommunicationOfMoreThan128Octets) {
  const auto text = std::string(200, 'x');
  EXPECT_EQ(describe(decode_notification(join({hex("06 02 c8"), Bytes(200, 'x')}))),
            "Cease/Administrative Shutdown: " + text);
  EXPECT_EQ(describe(decode_notification(join({hex("06 02 c8"), Bytes(199, 'x')}))),
            "Cease/Administrative Shutdown (unreadable shutdown communication)");
}

TEST(BirdAb59af36f, FlowSpecificationOf4095OctetsIsIgnored) {
  const auto reach = attribute(0x90, 14, join({hex("0001 85 00 00 ffff"), Bytes(4095, 3)}));
  EXPECT_TRUE(decode_update(body({}, join({reach, origin, as_path}), {}), external()).has_value());
}

TEST(Bird208, OnlyToCustomerOfLength1024IsNotPassedOn) {
  const auto bytes = route_with(attribute(0xf0, 35, Bytes(1024, 1)));
  EXPECT_TRUE(decode_update(bytes, external())->treat_as_withdraw);
}

TEST(OpenbgpdCve202338283, AttributeLengthErrorsDoNotReset) {
  for (const unsigned type : {1U, 2U, 3U, 4U, 6U, 7U, 8U, 16U, 32U}) {
    const unsigned flags = type <= 3 || type == 6 ? 0x40 : type == 4 ? 0x80 : 0xc0;
    const auto bytes = body({}, join({attribute(flags, type, Bytes(7, 1)), origin, as_path, next_hop}), nlri4);
    EXPECT_TRUE(decode_update(bytes, external()).has_value()) << type;
  }
}

TEST(Openbgpd68bcde75f, OptionalAttributeOfMoreThan255OctetsKeepsItsLength) {
  const auto bytes = route_with(attribute(0xf0, 200, Bytes(256, 5)));
  const auto update = decode_update(bytes, external());
  Bytes encoded;
  encode_attributes(update->attributes, net::Family::Ipv6, {}, encoded);
  EXPECT_EQ(encoded, join({origin, as_path, attribute(0xf0, 200, Bytes(256, 5))}));
}

TEST(Openbgpd, UnknownAddressFamiliesAreNotFatal) {
  for (const unsigned afi : {0U, 3U, 25U, 16388U, 65535U}) {
    const auto reach = attribute(0x80, 14, join({u16(afi), hex("01 00 00")}));
    EXPECT_TRUE(decode_update(body({}, join({reach, origin, as_path}), {}), external()).has_value());
  }
}

TEST(Openbgpd, FullSegmentIsPrependedByAnother) {
  auto path = *parse_as_path("1");
  path.prepend(net::Asn{2}, 255);
  EXPECT_EQ(path.segments.size(), 2U);
}

// The attributes of the outages of 2010, 2019 and 2023.
TEST(InternetIncidents, UnknownTransitiveAttributesTravelOn) {
  for (const unsigned type : {28U, 99U, 255U}) {
    const auto bytes = route_with(attribute(0xf0, type, Bytes(3000, 0)));
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_THAT(update->faults, IsEmpty());
    ASSERT_THAT(update->attributes.unknown, SizeIs(1));
    EXPECT_THAT(update->attributes.unknown[0].value, SizeIs(3000));
  }
}

TEST(InternetIncidents, ConfederationSegmentsInAs4Path) {
  auto context = external();
  context.asn_width = AsnWidth::TwoOctets;
  const auto bytes = body(
      {}, join({origin, hex("40 02 06 0202 fde9 5ba0"), next_hop, hex("c0 11 0c 0301 0000fc00 0201 00011170")}), nlri4);
  const auto update = decode_update(bytes, context);
  ASSERT_TRUE(update.has_value());
  EXPECT_FALSE(update->treat_as_withdraw);
  EXPECT_EQ(print(update->attributes.as_path), "65001 70000");
}

TEST(InternetIncidents, PathOf300Numbers) {
  auto path = sequence({65001});
  path.prepend(net::Asn{65001}, 299);
  PathAttributes attributes;
  attributes.as_path = path;
  Bytes encoded;
  encode_attributes(attributes, net::Family::Ipv6, {}, encoded);
  const auto bytes = body({}, join({encoded, next_hop}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_EQ(update->attributes.as_path, path);
}

}  // namespace
}  // namespace bgp
