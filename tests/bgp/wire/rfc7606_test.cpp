// SPDX-License-Identifier: Apache-2.0
// RFC 7606, item by item: what is malformed and what it costs. Section numbers are RFC 7606's where no
// other RFC is named.
#include <gtest/gtest.h>

#include "bgp/wire/notification.hpp"
#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

enum class Outcome : std::uint8_t { Clean, Discard, Withdraw, Reset };

void PrintTo(Outcome outcome, std::ostream* out) {
  constexpr const char* names[] = {"clean", "attribute discard", "treat-as-withdraw", "session reset"};
  *out << names[static_cast<std::size_t>(outcome)];
}

Outcome outcome_of(const Bytes& bytes, const UpdateContext& context) {
  const auto update = decode_update(bytes, context);
  if (!update) return Outcome::Reset;
  if (update->treat_as_withdraw) return Outcome::Withdraw;
  return update->faults.empty() ? Outcome::Clean : Outcome::Discard;
}

UpdateContext two_octets() {
  auto context = external();
  context.asn_width = AsnWidth::TwoOctets;
  return context;
}

// The mandatory attributes and one more, with a prefix to carry.
Bytes route_with(const Bytes& extra) {
  return body({}, join({mandatory, extra}), nlri4);
}
Bytes internal_route_with(const Bytes& extra) {
  return body({}, join({mandatory, local_pref, extra}), nlri4);
}

struct Row {
  std::string name;
  Bytes bytes;
  Outcome outcome;
  UpdateContext context = external();
};

class Rfc7606 : public testing::TestWithParam<Row> {};

TEST_P(Rfc7606, OutcomeIsAsSpecified) {
  EXPECT_EQ(outcome_of(GetParam().bytes, GetParam().context), GetParam().outcome);
}

const auto row_name = [](const auto& test) { return test.param.name; };
constexpr auto clean = Outcome::Clean;
constexpr auto discard = Outcome::Discard;
constexpr auto withdraw = Outcome::Withdraw;
constexpr auto reset = Outcome::Reset;

INSTANTIATE_TEST_SUITE_P(
    Lengths, Rfc7606,
    testing::Values(Row{"Section3a_WithdrawnLengthBeyondMessage", hex("0005 00 0000"), reset},
                    Row{"Section3a_AttributeLengthBeyondMessage", hex("0000 0005 400101"), reset},
                    Row{"Section3a_BothLengthsTogetherBeyondMessage", join({u16(4), nlri4, u16(1)}), reset},
                    Row{"Section3a_NoAttributeLength", hex("0000 00"), reset}, Row{"Section3a_NothingAtAll", {}, reset},
                    Row{"Section4_AttributeRunsPastTheSection", route_with(hex("c0 08 08 fde90064")), withdraw},
                    Row{"Section4_OneOctetTooMany", route_with(hex("c0")), withdraw},
                    Row{"Section4_TwoOctetsTooMany", route_with(hex("c0 08")), withdraw},
                    Row{"Section4_ThreeOctetsTooManyWithExtendedLength", route_with(hex("d0 08 00")), withdraw},
                    Row{"Section4_ExtendedLengthRunsPastTheSection", route_with(hex("d0 08 ffff 00")), withdraw}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Prefixes, Rfc7606,
    testing::Values(
        Row{"Section53_NlriLengthAbove32", body({}, mandatory, hex("21 c000020100")), reset},
        Row{"Section53_NlriRunsPastTheMessage", body({}, mandatory, hex("18 c000")), reset},
        Row{"Section53_WithdrawnLengthAbove32", body(hex("21 c000020100"), {}, {}), reset},
        Row{"Section53_WithdrawnRunsPastItsField", body(hex("18 c000"), {}, {}), reset},
        Row{"Section53_TrailingHostBitsAreNoError", body(hex("08 0b 01 ff"), mandatory, hex("09 0aff 1f c0000203")),
            clean},
        Row{"Section53_Ipv6LengthAbove128",
            body({}, join({attribute(0x80, 14, join({reach6, {0x81}, Bytes(17, 0)})), origin, as_path}), {}), reset},
        Row{"Section53_Ipv6RunsPastTheAttribute",
            body({}, join({attribute(0x80, 14, join({reach6, hex("40 20010db8")})), origin, as_path}), {}), reset},
        Row{"Section53_Ipv6WithdrawnLengthAbove128",
            body({}, attribute(0x80, 15, join({unreach6, {0x81}, Bytes(17, 0)})), {}), reset},
        Row{"Section53_Ipv6WithdrawnRunsPastTheAttribute",
            body({}, attribute(0x80, 15, join({unreach6, hex("40 2001")})), {}), reset}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    NoReachablePrefix, Rfc7606,
    testing::Values(
        Row{"Section52_ErrorWithoutPrefix", body({}, join({hex("40 01 01 03"), as_path, next_hop}), {}), reset},
        Row{"Section52_ErrorWithWithdrawnOnly", body(nlri4, hex("40 01 01 03"), {}), reset},
        Row{"Section52_ErrorBesideMpUnreach",
            body({}, join({hex("40 01 01 03"), attribute(0x80, 15, join({unreach6, nlri6}))}), {}), reset},
        Row{"Section52_ErrorInMpUnreachAloneOnlyWithdraws", body({}, attribute(0xc0, 15, join({unreach6, nlri6})), {}),
            withdraw},
        Row{"Section52_EmptyMpReach", body({}, join({attribute(0x80, 14, reach6), hex("40 01 01 03"), as_path}), {}),
            reset},
        Row{"Section52_BrokenSection", body({}, join({mandatory, hex("c0 08 08")}), {}), reset},
        Row{"Section52_DiscardIsNoReason", body({}, join({mandatory, hex("40 06 01 00")}), {}), discard},
        Row{"Section52_Ipv6PrefixIsAPrefix",
            body({}, join({attribute(0x80, 14, join({reach6, nlri6})), hex("40 01 01 03"), as_path}), {}), withdraw},
        Row{"Section52_PrefixOfAnotherFamilyIsAPrefix",
            body({}, join({hex("80 0e 0a 0001 85 00 00 0401020304"), hex("40 01 01 03"), as_path}), {}), withdraw}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Flags, Rfc7606,
    testing::Values(
        Row{"Section3c_OriginOptional", body({}, join({hex("c0 01 01 00"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section3c_OriginNotTransitive", body({}, join({hex("00 01 01 00"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section3c_OriginPartial", body({}, join({hex("60 01 01 00"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section3c_AsPathOptional", body({}, join({origin, hex("c0 02 06 02010000fde9"), next_hop}), nlri4),
            withdraw},
        Row{"Section3c_AsPathPartial", body({}, join({origin, hex("60 02 06 02010000fde9"), next_hop}), nlri4),
            withdraw},
        Row{"Section3c_NextHopOptional", body({}, join({origin, as_path, hex("c0 03 04 0a000002")}), nlri4), withdraw},
        Row{"Section3c_MedTransitive", route_with(hex("c0 04 04 00000001")), withdraw},
        Row{"Section3c_MedPartial", route_with(hex("a0 04 04 00000001")), withdraw},
        Row{"Section3c_MedWellKnown", route_with(hex("40 04 04 00000001")), withdraw},
        Row{"Section3c_LocalPrefOptional", body({}, join({mandatory, hex("c0 05 04 00000064")}), nlri4), withdraw,
            internal()},
        Row{"Section3c_AtomicAggregateOptional", route_with(hex("c0 06 00")), withdraw},
        Row{"Section3c_AggregatorNotTransitive", route_with(hex("80 07 08 0000fde90a000001")), withdraw},
        Row{"Section3c_CommunitiesNotTransitive", route_with(hex("80 08 04 fde90064")), withdraw},
        Row{"Section3c_CommunitiesWellKnown", route_with(hex("40 08 04 fde90064")), withdraw},
        Row{"Section3c_CommunitiesPartialIsRight", route_with(hex("e0 08 04 fde90064")), clean},
        Row{"Section3c_OriginatorIdTransitive", internal_route_with(hex("c0 09 04 0a000002")), withdraw, internal()},
        Row{"Section3c_ClusterListTransitive", internal_route_with(hex("c0 0a 04 0a000002")), withdraw, internal()},
        Row{"Section3c_MpReachTransitive",
            body({}, join({attribute(0xc0, 14, join({reach6, nlri6})), origin, as_path}), {}), withdraw},
        Row{"Section3c_MpReachWellKnown",
            body({}, join({attribute(0x40, 14, join({reach6, nlri6})), origin, as_path}), {}), withdraw},
        Row{"Section3c_ExtendedCommunitiesNotTransitive", route_with(hex("80 10 08 0002fde900000064")), withdraw},
        Row{"Section3c_As4PathNotTransitive", route_with(hex("80 11 06 02010000fde9")), withdraw},
        Row{"Section3c_LargeCommunitiesNotTransitive", route_with(hex("80 20 0c 0000fde90000000100000002")), withdraw},
        Row{"Section3c_OnlyToCustomerNotTransitive", route_with(hex("80 23 04 0000fde9")), withdraw},
        Row{"Section3c_LowNibbleIsIgnored", body({}, join({hex("4f 01 01 00"), as_path, next_hop}), nlri4), clean},
        Row{"Rfc7311_AigpTransitive", route_with(hex("c0 1a 0b 01 000b 000000000000000a")), discard},
        Row{"Rfc9552_LinkStateTransitive", route_with(hex("c0 1d 04 0400 0000")), discard},
        Row{"Rfc8669_PrefixSidNotTransitive", route_with(hex("80 28 0a 01 0007 00 0000 00000001")), discard}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Presence, Rfc7606,
    testing::Values(
        Row{"Section3d_OriginMissing", body({}, join({as_path, next_hop}), nlri4), withdraw},
        Row{"Section3d_AsPathMissing", body({}, join({origin, next_hop}), nlri4), withdraw},
        Row{"Section3d_NextHopMissing", body({}, join({origin, as_path}), nlri4), withdraw},
        Row{"Section3d_NextHopNotNeededForIpv6",
            body({}, join({attribute(0x80, 14, join({reach6, nlri6})), origin, as_path}), {}), clean},
        Row{"Section3d_NextHopNeededBesideIpv6",
            body({}, join({attribute(0x80, 14, join({reach6, nlri6})), origin, as_path}), nlri4), withdraw},
        Row{"Section3d_LocalPrefMissingInternally", route_with({}), withdraw, internal()},
        Row{"Section3d_AllMissing", body({}, {}, nlri4), withdraw},
        Row{"Section3g_OriginTwice", route_with(hex("40 01 01 02")), discard},
        Row{"Section3g_MalformedSecondOriginIsNotLookedAt", route_with(hex("40 01 01 09")), discard},
        Row{"Section3g_CommunitiesTwice", route_with(hex("c0 08 04 fde90064 c0 08 04 fde90065")), discard},
        Row{"Section3g_UnknownTwice", route_with(hex("c0 fe 01 01 c0 fe 01 02")), discard},
        Row{"Section3g_MpReachTwice",
            body({},
                 join({attribute(0x80, 14, join({reach6, nlri6})), attribute(0x80, 14, join({reach6, nlri6})), origin,
                       as_path}),
                 {}),
            reset},
        Row{"Section3g_MpUnreachTwice",
            body({}, join({attribute(0x80, 15, join({unreach6, nlri6})), attribute(0x80, 15, join({unreach6, nlri6}))}),
                 {}),
            reset},
        Row{"Section3g_MpReachOfAnotherFamilyTwice", route_with(hex("80 0e 05 0019460000 80 0e 05 0019460000")), reset},
        Row{"Rfc4271Section63_UnknownWellKnown", route_with(hex("40 c8 01 00")), reset},
        Row{"Rfc4271Section63_UnknownWellKnownNotTransitive", route_with(hex("00 c8 01 00")), reset},
        Row{"Section3h_WithdrawBeatsDiscard", route_with(hex("40 06 01 00 80 04 03 000000")), withdraw},
        Row{"Section3h_ResetBeatsWithdraw", route_with(hex("80 04 03 000000 40 c8 01 00")), reset},
        Row{"Section3h_ResetBeatsDiscard", route_with(hex("40 06 01 00 40 c8 01 00")), reset}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    PathAndOrigin, Rfc7606,
    testing::Values(
        Row{"Section71_OriginOfLength0", body({}, join({hex("40 01 00"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section71_OriginOfLength2", body({}, join({hex("40 01 02 0000"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section71_Origin3", body({}, join({hex("40 01 01 03"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section71_Origin255", body({}, join({hex("40 01 01 ff"), as_path, next_hop}), nlri4), withdraw},
        Row{"Section72_SegmentType0", body({}, join({origin, hex("40 02 06 00010000fde9"), next_hop}), nlri4),
            withdraw},
        Row{"Section72_SegmentType5", body({}, join({origin, hex("40 02 06 05010000fde9"), next_hop}), nlri4),
            withdraw},
        Row{"Section72_SegmentOfLength0", body({}, join({origin, hex("40 02 08 02010000fde9 0200"), next_hop}), nlri4),
            withdraw},
        Row{"Section72_SegmentOverrun", body({}, join({origin, hex("40 02 06 02020000fde9"), next_hop}), nlri4),
            withdraw},
        Row{"Section72_SegmentUnderrun", body({}, join({origin, hex("40 02 07 02010000fde9 02"), next_hop}), nlri4),
            withdraw},
        Row{"Section72_ConfederationFromOutside",
            body({}, join({origin, hex("40 02 06 03010000fde9"), next_hop}), nlri4), withdraw},
        Row{"Rfc7607_AsZeroInAsPath", body({}, join({origin, hex("40 02 0a 02020000fde900000000"), next_hop}), nlri4),
            withdraw},
        Row{"Rfc4271Section63_LeftmostIsNotThePeer",
            body({}, join({origin, hex("40 02 06 02010000fdea"), next_hop}), nlri4), withdraw},
        Row{"Rfc4271Section63_LeftmostIsASet", body({}, join({origin, hex("40 02 06 01010000fde9"), next_hop}), nlri4),
            withdraw},
        Row{"Rfc4271Section63_EmptyPathOfAnExternalPeer", body({}, join({origin, hex("40 02 00"), next_hop}), nlri4),
            withdraw},
        Row{"EmptyPathOfAnInternalPeer", body({}, join({origin, hex("40 02 00"), next_hop, local_pref}), nlri4), clean,
            internal()},
        Row{"Section73_NextHopOfLength3", body({}, join({origin, as_path, hex("40 03 03 0a0000")}), nlri4), withdraw},
        Row{"Section73_NextHopOfLength5", body({}, join({origin, as_path, hex("40 03 05 0a00000200")}), nlri4),
            withdraw},
        Row{"Section73_NextHopOfLength0", body({}, join({origin, as_path, hex("40 03 00")}), nlri4), withdraw},
        Row{"Rfc4271Section63_NextHopZero", body({}, join({origin, as_path, hex("40 03 04 00000000")}), nlri4),
            withdraw},
        Row{"Rfc4271Section63_NextHopLoopback", body({}, join({origin, as_path, hex("40 03 04 7f000001")}), nlri4),
            withdraw},
        Row{"Rfc4271Section63_NextHopMulticast", body({}, join({origin, as_path, hex("40 03 04 e0000001")}), nlri4),
            withdraw},
        Row{"Rfc4271Section63_NextHopBroadcast", body({}, join({origin, as_path, hex("40 03 04 ffffffff")}), nlri4),
            withdraw},
        Row{"Rfc4271Section63_NextHopWithoutPrefixIsNotUsed",
            body({}, join({origin, as_path, hex("40 03 04 00000000")}), {}), clean},
        Row{"NextHop6Unspecified",
            body({}, join({attribute(0x80, 14, join({hex("0002 01 10"), Bytes(17, 0), nlri6})), origin, as_path}), {}),
            withdraw},
        Row{"NextHop6Multicast",
            body({}, join({attribute(0x80, 14, join({hex("0002 01 10 ff02"), Bytes(15, 0), nlri6})), origin, as_path}),
                 {}),
            withdraw}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Others, Rfc7606,
    testing::Values(
        Row{"Section74_MedOfLength0", route_with(hex("80 04 00")), withdraw},
        Row{"Section74_MedOfLength3", route_with(hex("80 04 03 000000")), withdraw},
        Row{"Section74_MedOfLength5", route_with(hex("80 04 05 0000000000")), withdraw},
        Row{"Section75_LocalPrefFromExternal", route_with(local_pref), discard},
        Row{"Section75_LocalPrefOfLength3FromExternal", route_with(hex("40 05 03 000000")), discard},
        Row{"Section75_LocalPrefOfLength3", body({}, join({mandatory, hex("40 05 03 000000")}), nlri4), withdraw,
            internal()},
        Row{"Section75_LocalPrefOfLength0", body({}, join({mandatory, hex("40 05 00")}), nlri4), withdraw, internal()},
        Row{"Section76_AtomicAggregateOfLength1", route_with(hex("40 06 01 00")), discard},
        Row{"Section77_AggregatorOfLength6", route_with(hex("c0 07 06 fde90a000001")), discard},
        Row{"Section77_AggregatorOfLength7", route_with(hex("c0 07 07 00fde90a000001")), discard},
        Row{"Section77_AggregatorOfLength9", route_with(hex("c0 07 09 0000fde90a00000100")), discard},
        Row{"Section77_AggregatorOfLength8FromTwoOctets",
            body({}, join({origin, hex("40 02 04 0201fde9"), next_hop, hex("c0 07 08 0000fde90a000001")}), nlri4),
            discard, two_octets()},
        Row{"Rfc7607_AsZeroInAggregator", route_with(hex("c0 07 08 000000000a000001")), discard},
        Row{"Section78_CommunitiesOfLength0", route_with(hex("c0 08 00")), withdraw},
        Row{"Section78_CommunitiesOfLength5", route_with(hex("c0 08 05 fde9006400")), withdraw},
        Row{"Section79_OriginatorIdFromExternal", route_with(hex("80 09 04 0a000002")), discard},
        Row{"Section79_OriginatorIdOfLength3FromExternal", route_with(hex("80 09 03 0a0000")), discard},
        Row{"Section79_OriginatorIdOfLength3", internal_route_with(hex("80 09 03 0a0000")), withdraw, internal()},
        Row{"Section79_OriginatorIdOfLength5", internal_route_with(hex("80 09 05 0a00000200")), withdraw, internal()},
        Row{"Section710_ClusterListFromExternal", route_with(hex("80 0a 04 0a000002")), discard},
        Row{"Section710_ClusterListOfLength0FromExternal", route_with(hex("80 0a 00")), discard},
        Row{"Section710_ClusterListOfLength0", internal_route_with(hex("80 0a 00")), withdraw, internal()},
        Row{"Section710_ClusterListOfLength5", internal_route_with(hex("80 0a 05 0a00000200")), withdraw, internal()},
        Row{"Section714_ExtendedCommunitiesOfLength0", route_with(hex("c0 10 00")), withdraw},
        Row{"Section714_ExtendedCommunitiesOfLength9", route_with(hex("c0 10 09 0002fde90000006400")), withdraw},
        Row{"Section715_Ipv6ExtendedCommunitiesOfLength0", route_with(hex("c0 19 00")), withdraw},
        Row{"Section715_Ipv6ExtendedCommunitiesOfLength21", route_with(attribute(0xc0, 25, Bytes(21, 0))), withdraw},
        Row{"Section715_Ipv6ExtendedCommunitiesOfLength20", route_with(attribute(0xc0, 25, Bytes(20, 0))), clean},
        Row{"Rfc8092_LargeCommunitiesOfLength0", route_with(hex("c0 20 00")), withdraw},
        Row{"Rfc8092_LargeCommunitiesOfLength13", route_with(attribute(0xc0, 32, Bytes(13, 1))), withdraw},
        Row{"Rfc6793_As4PathFromFourOctetPeer", route_with(hex("c0 11 06 02010000fde9")), discard},
        Row{"Rfc6793_As4AggregatorFromFourOctetPeer", route_with(hex("c0 12 08 0000fde90a000001")), discard},
        Row{"Rfc6793_MalformedAs4Path",
            body({}, join({origin, hex("40 02 04 0201fde9"), next_hop, hex("c0 11 06 00010000fde9")}), nlri4), discard,
            two_octets()},
        Row{"Rfc7607_AsZeroInAs4Path",
            body({}, join({origin, hex("40 02 04 0201fde9"), next_hop, hex("c0 11 06 020100000000")}), nlri4), discard,
            two_octets()},
        Row{"Rfc6793_As4AggregatorOfLength7",
            body({}, join({origin, hex("40 02 04 0201fde9"), next_hop, hex("c0 12 07 0000fde90a0000")}), nlri4),
            discard, two_octets()},
        Row{"Rfc7607_AsZeroInAs4Aggregator",
            body({}, join({origin, hex("40 02 04 0201fde9"), next_hop, hex("c0 12 08 000000000a000001")}), nlri4),
            discard, two_octets()},
        Row{"Rfc6514_PmsiTunnelTooShort", route_with(hex("c0 16 04 00060000")), withdraw},
        Row{"Rfc6514_PmsiTunnelOfATypeOfTheFuture", route_with(hex("c0 16 05 00 63 000000")), clean},
        Row{"Rfc9012_TunnelEncapsulationCutOff", route_with(hex("c0 17 03 000700")), withdraw},
        Row{"Rfc9012_TunnelBeyondTheAttribute", route_with(hex("c0 17 05 0007 0004 01")), withdraw},
        Row{"Rfc9012_SubTlvBeyondTheTunnel", route_with(hex("c0 17 06 0007 0002 0401")), withdraw},
        Row{"Rfc9012_WellFormedTunnel", route_with(hex("c0 17 0c 0008 0008 0401aa 800002bbcc")), clean},
        Row{"Rfc9234_OnlyToCustomerOfLength3", route_with(hex("c0 23 03 00fde9")), withdraw},
        Row{"Rfc9234_OnlyToCustomerOfLength5", route_with(hex("c0 23 05 0000fde900")), withdraw},
        Row{"Rfc9234_OnlyToCustomer", route_with(hex("c0 23 04 0000fde9")), clean},
        Row{"Rfc7311_AigpIsDroppedUnread", route_with(hex("80 1a 02 0100")), clean},
        Row{"Rfc9552_LinkStateIsDroppedUnread", route_with(hex("80 1d 03 040000")), clean},
        Row{"Rfc8669_PrefixSidTlvOverrun", route_with(hex("c0 28 04 01 0007 00")), discard},
        Row{"Rfc8669_PrefixSidCutOff", route_with(hex("c0 28 02 01 00")), discard},
        Row{"Rfc8669_PrefixSidLabelIndexOfLength6", route_with(hex("c0 28 09 01 0006 000000000000")), discard},
        Row{"Rfc8669_PrefixSid", route_with(hex("c0 28 0a 01 0007 00 0000 00000001")), clean}),
    row_name);

INSTANTIATE_TEST_SUITE_P(
    Multiprotocol, Rfc7606,
    testing::Values(
        Row{"Section711_MpReachOfLength0", route_with(hex("80 0e 00")), reset},
        Row{"Section711_MpReachWithoutNextHopLength", route_with(hex("80 0e 03 000201")), reset},
        Row{"Section711_MpReachWithoutReserved", route_with(join({hex("80 0e 14 0002 01 10"), Bytes(16, 0x20)})),
            reset},
        Row{"Section711_NextHopOfLength0", route_with(hex("80 0e 05 0002 01 00 00")), reset},
        Row{"Section711_NextHopOfLength4ForIpv6", route_with(hex("80 0e 09 0002 01 04 0a000001 00")), reset},
        Row{"Section711_NextHopOfLength24", route_with(attribute(0x80, 14, join({hex("0002 01 18"), Bytes(25, 0x20)}))),
            reset},
        Row{"Section711_NextHopOfLength48", route_with(attribute(0x80, 14, join({hex("0002 01 30"), Bytes(49, 0x20)}))),
            reset},
        Row{"Section711_NextHopOfLength16ForIpv4",
            route_with(attribute(0x80, 14, join({hex("0001 01 10"), Bytes(17, 0x20)}))), reset},
        Row{"Section711_NextHopBeyondTheAttribute", route_with(hex("80 0e 08 0002 01 10 20010db8")), reset},
        Row{"Section711_MpReachCutOff", body({}, join({origin, as_path, hex("80 0e 30 0002 01 10 2001")}), nlri4),
            reset},
        Row{"Section712_MpUnreachOfLength2", route_with(hex("80 0f 02 0002")), reset},
        Row{"Section712_MpUnreachCutOff", body({}, join({mandatory, hex("80 0f 10 0002 01 20")}), nlri4), reset},
        Row{"UnknownFamilyInMpReachIsIgnored", route_with(hex("80 0e 08 0019 46 ff ffffffff")), clean},
        Row{"UnknownFamilyInMpUnreachIsIgnored", route_with(hex("80 0f 06 0019 46 ffffff")), clean}),
    row_name);

// What the NOTIFICATION of a reset says (RFC 4271 section 6.3).
struct Answer {
  std::string name;
  Bytes bytes;
  Notification notification;
};

class ResetByAnUpdate : public testing::TestWithParam<Answer> {};

TEST_P(ResetByAnUpdate, SaysWhy) {
  const auto update = decode_update(GetParam().bytes, external());
  ASSERT_FALSE(update.has_value());
  EXPECT_EQ(update.error(), GetParam().notification);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4271Section63, ResetByAnUpdate,
    testing::Values(
        Answer{"LengthsDisagree", hex("0005 0000"), {3, 1, {}}},
        Answer{"BadPrefix", body({}, mandatory, hex("21")), {3, 10, {}}},
        Answer{"BadWithdrawnPrefix", body(hex("21"), {}, {}), {3, 10, {}}},
        Answer{"UnknownWellKnown", route_with(hex("40 c8 02 0102")), {3, 2, hex("40 c8 02 0102")}},
        Answer{
            "UnknownWellKnownWithExtendedLength", route_with(hex("50 c8 0002 0102")), {3, 2, hex("50 c8 0002 0102")}},
        Answer{"BadMpReach", route_with(hex("80 0e 05 0002 01 00 00")), {3, 9, hex("80 0e 05 0002 01 00 00")}},
        Answer{"BadMpUnreach", route_with(hex("80 0f 02 0002")), {3, 9, hex("80 0f 02 0002")}},
        Answer{"RepeatedMpUnreach", body({}, hex("80 0f 03 000201 80 0f 03 000201"), {}), {3, 1, {}}},
        Answer{"NoPrefixAndWrongFlags", body({}, hex("c0 01 01 00"), {}), {3, 4, hex("c0 01 01 00")}},
        Answer{"NoPrefixAndWrongLength", body({}, hex("40 01 02 0000"), {}), {3, 5, hex("40 01 02 0000")}},
        Answer{"NoPrefixAndBadOrigin", body({}, hex("40 01 01 03"), {}), {3, 6, hex("40 01 01 03")}},
        Answer{"NoPrefixAndBadAsPath", body({}, hex("40 02 02 0200"), {}), {3, 11, {}}},
        Answer{"NoPrefixAndABrokenSection", body({}, hex("40 01 20 00"), {}), {3, 1, {}}},
        Answer{
            "TheFirstErrorIsTheReason", body({}, hex("40 01 01 03 80 04 03 000000"), {}), {3, 6, hex("40 01 01 03")}}),
    [](const auto& test) { return test.param.name; });

TEST(AWithdrawnRoute, IsWithdrawnThoughItsAttributesAreMalformed) {
  const auto bytes = body(
      hex("080b"), join({attribute(0x80, 15, join({unreach6, nlri6})), hex("40 01 01 03"), as_path, next_hop}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
  EXPECT_EQ(prefixes(update->withdrawn), (std::vector<std::string>{"11.0.0.0/8", "2001:db8::/32"}));
  EXPECT_EQ(prefixes(update->reachable), (std::vector<std::string>{"192.0.2.0/24"}));
}

// Section 4: NLRI begin where Total Attribute Length says, not where the broken attribute ends.
TEST(ABrokenAttributeSection, DoesNotMoveThePrefixes) {
  const auto bytes = body({}, join({mandatory, hex("c0 08 ff 18")}), hex("18 c63364"));
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(prefixes(update->reachable), (std::vector<std::string>{"198.51.100.0/24"}));
  ASSERT_EQ(update->faults.size(), 1U);
  EXPECT_EQ(update->faults[0].type, 0);
}

TEST(AFault, NamesTheAttributeAndTheReason) {
  const auto update = decode_update(route_with(hex("40 06 01 00 80 04 03 000000")), external());
  ASSERT_TRUE(update.has_value());
  ASSERT_EQ(update->faults.size(), 2U);
  EXPECT_EQ(update->faults[0].type, 6);
  EXPECT_EQ(update->faults[0].action, FaultAction::Discard);
  EXPECT_STREQ(update->faults[0].reason, "wrong length");
  EXPECT_EQ(update->faults[1].type, 4);
  EXPECT_EQ(update->faults[1].action, FaultAction::TreatAsWithdraw);
}

TEST(ARepeatedAttribute, CountsOnce) {
  const auto update = decode_update(route_with(hex("80 04 04 00000001 80 04 04 00000002")), external());
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(update->attributes.med, 1U);
}

TEST(ADiscardedAttribute, IsGone) {
  const auto update = decode_update(
      route_with(
          join({local_pref, hex("80 09 04 0a000002 80 0a 04 0a000002 c0 07 08 000000000a000001 c0 28 02 0100")})),
      external());
  ASSERT_TRUE(update.has_value());
  EXPECT_FALSE(update->attributes.local_pref);
  EXPECT_FALSE(update->attributes.originator_id);
  EXPECT_TRUE(update->attributes.cluster_list.empty());
  EXPECT_FALSE(update->attributes.aggregator);
  EXPECT_TRUE(update->attributes.unknown.empty());
  EXPECT_EQ(update->faults.size(), 5U);
}

}  // namespace
}  // namespace bgp
