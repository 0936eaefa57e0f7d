// SPDX-License-Identifier: Apache-2.0
// Inputs that broke other BGP speakers in what this one does not read: attributes that are passed on as they came,
// and prefixes of other families. Being too strict would be a defect, too: whoever reads them is behind us.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/notification.hpp"
#include "bgp/wire/text.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// Octets on the wire of the attribute sections that such a route is sent on with.
Bytes sent_on(const PathAttributes& attributes) {
  Bytes encoded;
  encode_attributes(attributes, net::Family::Ipv6, {}, encoded);
  return encoded;
}

// A route with the optional transitive attribute is accepted, and sent on with the same value and as Partial.
void expect_passed_on(unsigned type, const Bytes& value) {
  const auto extended = value.size() > 255 ? unsigned{flag_extended_length} : 0U;
  const auto bytes = body({}, join({mandatory, attribute(0xc0 | extended, type, value)}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value()) << describe(update.error());
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_EQ(prefixes(update->reachable), (std::vector<std::string>{"192.0.2.0/24"}));
  EXPECT_EQ(sent_on(update->attributes), join({origin, as_path, attribute(0xe0 | extended, type, value)}));
}

// A message with prefixes of a family that is not ours costs nothing, and says nothing.
void expect_ignored(const Bytes& multiprotocol) {
  const auto bytes = body({}, join({attribute(0x90, 14, multiprotocol), origin, as_path}), {});
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value()) << describe(update.error());
  EXPECT_TRUE(update->reachable.empty());
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_FALSE(update->end_of_rib);
}

// ---- prefixes of other families ---------------------------------------------------------------------------

TEST(FrrCve202637457, FlowSpecificationWithAnOperatorTooMany) {
  // Component 4 (port): as many operators as anybody has room for and one more, none of which is the last.
  for (const std::size_t operators : {1U, 10U, 50U, 51U, 117U}) {
    Bytes rule{4};
    for (std::size_t i = 0; i < operators; ++i) rule.insert(rule.end(), {0x01, 80});
    expect_ignored(join({hex("0001 85 00 00"), {static_cast<std::uint8_t>(rule.size())}, rule}));
  }
}

TEST(Frr499504b8ca, LongLabelStack) {
  // SAFI 4: 255 bits are ten labels, none with the bit that ends the stack; and far more in one octet's count.
  const auto head = hex("0001 04 04 0a000001 00");
  expect_ignored(join({head, {0xff}, Bytes(32, 0)}));
  Bytes many = head;
  for (unsigned i = 0; i < 900; ++i) many.insert(many.end(), {24, 0, 1, 0});
  expect_ignored(many);
}

TEST(Gobgp173621ff, LabelStackWithoutItsEnd) {
  expect_ignored(hex("0001 04 04 0a000001 00 30 000010 000020"));
  expect_ignored(hex("0002 80 18 0000000000000000 20010db8000000000000000000000001 00 58 000010 0000fde900000064"));
}

TEST(Bird4435247a9, LabelledPrefixWithoutANextHop) {
  expect_ignored(hex("0001 04 00 00 30 000011 c00002"));
  expect_ignored(hex("0002 04 00 00 38 000011 20010db8"));
  // In a family that is ours it is a next hop of a wrong length: nobody knows where the prefixes begin.
  for (const auto* const ours : {"0001 01 00 00 18 c00002", "0002 01 00 00 20 20010db8"}) {
    const auto reach = attribute(0x80, 14, hex(ours));
    EXPECT_EQ(decode_update(body({}, join({reach, origin, as_path}), {}), external()).error(),
              update_error(UpdateError::Optional, reach));
  }
}

// ---- segment routing --------------------------------------------------------------------------------------

// RFC 9252: TLV 5 of the Prefix-SID, the SRv6 layer 3 service, around one SID with its structure sub-sub-TLV.
Bytes srv6_service(const Bytes& structure) {
  const auto sid = join({{0}, hex("20010db8000000000000000000000001"), hex("00 003e 00"), structure});
  const auto information = join({{1}, u16(sid.size()), sid});
  return join({{5}, u16(information.size() + 1), {0}, information});
}

TEST(Frr22042, TranspositionBeyondEveryBuffer) {
  // Locator block, node, function and argument, then length and offset of the transposition.
  expect_passed_on(40, srv6_service(hex("01 0006 28 18 10 00 ff 80")));
  expect_passed_on(40, srv6_service(hex("01 0006 ff ff ff ff ff ff")));
}

TEST(Frr22041, Srv6ServiceWithNothingButAnUnknownSubTlv) {
  expect_passed_on(40, hex("05 0005 00 04 0001 00"));
  expect_passed_on(40, hex("04 0004 00000000"));
  expect_passed_on(40, hex("05 0001 00"));
}

TEST(GobgpB6c58c87, SidStructureOfAWrongLength) {
  for (std::size_t length = 0; length <= 7; ++length)
    expect_passed_on(40, srv6_service(join({{1}, u16(length), Bytes(length, 8)})));
  // A length that runs past the attribute; but the TLV around it does not.
  expect_passed_on(40, srv6_service(hex("01 ffff 28")));
}

TEST(Gobgp7e767a8d, UnknownSrv6SubTlvsOfLengthZero) {
  expect_passed_on(40, hex("05 000d 00 7f 0000 7f 0000 7f 0000 7f 0000"));
}

// RFC 9830: a segment list within the sub-TLV of type 128 of a tunnel of type 15.
TEST(GobgpF9f7b55e, SegmentListLongerThanItsSubTlv) {
  // The list holds a weight and a segment that says it has 200 octets.
  const auto list = hex("00 09 06 00 00000001 01 c8 00");
  const auto sub_tlv = join({{128}, u16(list.size()), list});
  expect_passed_on(23, join({hex("000f"), u16(sub_tlv.size()), sub_tlv}));
  // One octet more than there is: the outer form is ours to check, RFC 9012 section 13.
  const auto broken = join({{128}, u16(list.size() + 1), list});
  const auto bytes =
      body({}, join({mandatory, attribute(0xc0, 23, join({hex("000f"), u16(broken.size()), broken}))}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->treat_as_withdraw);
}

// ---- of the Internet --------------------------------------------------------------------------------------

TEST(InternetIncidents, EmptyEntropyLabelCapability) {
  expect_passed_on(28, {});
  expect_passed_on(28, hex("00"));
}

TEST(InternetIncidents, UnknownAttributesOfEverySizeKeepTheirLength) {
  for (const std::size_t size : {0U, 1U, 254U, 255U, 256U, 3000U, 65000U}) expect_passed_on(99, Bytes(size, 0xab));
}

// The four lower bits of the flags "MUST be zero when sent and MUST be ignored when received" (RFC 4271 section 4.3).
TEST(InternetIncidents, ReservedBitsOfFlagsAreIgnoredAndNotSentOn) {
  const auto aggregator = hex("07 08 0000fde9 0a000001");
  const auto communities = hex("08 04 fde90064");
  const auto opaque = hex("63 01 aa");
  for (unsigned reserved = 0; reserved < 16; ++reserved) {
    const auto with = [&](unsigned flags, const Bytes& rest) {
      return join({{static_cast<std::uint8_t>(flags | reserved)}, rest});
    };
    const auto bytes = body(
        {},
        join({with(0x40, hex("01 01 00")), with(0x40, hex("02 06 0201 0000fde9")), with(0x40, hex("03 04 0a000002")),
              with(0xc0, aggregator), with(0xc0, communities), with(0xc0, opaque)}),
        nlri4);
    const auto update = decode_update(bytes, external());
    ASSERT_TRUE(update.has_value());
    EXPECT_THAT(update->faults, IsEmpty()) << reserved;
    EXPECT_EQ(sent_on(update->attributes),
              join({origin, as_path, {0xc0}, aggregator, {0xc0}, communities, {0xe0}, opaque}));
  }
}

// Whatever length it came with elsewhere, it leaves with four octets.
TEST(Bird208, OnlyToCustomerIsSentWithFourOctets) {
  const auto bytes = body({}, join({mandatory, hex("f0 23 0004 0000fde9")}), nlri4);
  const auto update = decode_update(bytes, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_THAT(update->faults, IsEmpty());
  EXPECT_EQ(sent_on(update->attributes), join({origin, as_path, hex("e0 23 04 0000fde9")}));
}

}  // namespace
}  // namespace bgp
