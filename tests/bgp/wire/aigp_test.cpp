// SPDX-License-Identifier: Apache-2.0
// The accumulated IGP metric (RFC 7311 section 3): between bytes and fields, and what becomes of broken ones.
#include <gmock/gmock.h>

#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

UpdateContext enabled() {
  auto context = external();
  context.aigp = true;
  return context;
}

Bytes with(const Bytes& extra) {
  return body({}, join({mandatory, extra}), nlri4);
}

const Bytes metric_300 = hex("80 1a 0b 01 000b 000000000000012c");

TEST(AccumulatedMetric, IsTheSameInBytesAndInFields) {
  struct Row {
    Bytes attribute;
    Aigp aigp;
  };
  const std::vector<Row> rows{
      {metric_300, {300, {}}},
      {hex("80 1a 0b 01 000b 0000000000000000"), {0, {}}},
      {hex("80 1a 0b 01 000b ffffffffffffffff"), {~std::uint64_t{0}, {}}},
      // A TLV of a type to come, one without a value, and a second metric.
      {hex("80 1a 1e 01 000b 000000000000012c 07 0005 beef 08 0003 01 000b 0000000000000001"),
       {300, hex("07 0005 beef 08 0003 01 000b 0000000000000001")}},
  };
  for (const auto& [bytes, aigp] : rows) {
    const auto read = with(bytes);
    const auto decoded = decode_update(read, enabled());
    ASSERT_TRUE(decoded);
    EXPECT_THAT(decoded->faults, IsEmpty());
    EXPECT_EQ(decoded->attributes.aigp, aigp);
    auto attributes = decoded->attributes;
    attributes.next_hop = decoded->next_hop_ipv4;
    Bytes section;
    encode_attributes(attributes, net::Family::Ipv4, {PeerType::External, AsnWidth::FourOctets}, section);
    EXPECT_EQ(section, join({mandatory, bytes}));
  }
}

TEST(AccumulatedMetric, IsFoundBehindTlvsOfOtherTypes) {
  const auto read = with(hex("80 1a 10 07 0005 beef 01 000b 000000000000012c"));
  const auto decoded = decode_update(read, enabled());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->attributes.aigp, (Aigp{300, hex("07 0005 beef")}));
}

TEST(AccumulatedMetric, MayBeMissingFromItsAttribute) {
  const auto read = with(hex("80 1a 05 07 0005 beef"));
  const auto decoded = decode_update(read, enabled());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->attributes.aigp, std::nullopt);
  EXPECT_THAT(decoded->faults, IsEmpty());
}

// Section 3.2: the attribute goes, the route stays.
TEST(AccumulatedMetric, IsDroppedWhereItIsBroken) {
  for (const auto* const value : {"", "01", "0100", "01 000a 0000000000002c", "01 000c 000000000000012c00",
                                  "01 000b 0000000000012c", "07 0002", "07 0000 00", "01 000b 000000000000012c 07",
                                  "01 000b 000000000000012c 07 0004", "01 000b 000000000000012c 01 0003"}) {
    const auto read = with(attribute(0x80, 26, hex(value)));
    const auto decoded = decode_update(read, enabled());
    ASSERT_TRUE(decoded) << value;
    EXPECT_FALSE(decoded->treat_as_withdraw) << value;
    ASSERT_THAT(decoded->faults, SizeIs(1)) << value;
    EXPECT_EQ(decoded->faults[0].type, 26) << value;
    EXPECT_EQ(decoded->faults[0].action, FaultAction::Discard) << value;
    EXPECT_EQ(decoded->attributes.aigp, std::nullopt) << value;
  }
  const auto transitive = with(hex("c0 1a 0b 01 000b 000000000000012c"));
  const auto decoded = decode_update(transitive, enabled());
  ASSERT_TRUE(decoded);
  EXPECT_THAT(decoded->faults, SizeIs(1));
  EXPECT_EQ(decoded->attributes.aigp, std::nullopt);
}

// Section 3.3: as an unknown attribute that is not transitive.
TEST(AccumulatedMetric, IsIgnoredWhereItIsNotEnabled) {
  for (const auto& bytes : {metric_300, attribute(0x80, 26, hex("0100"))}) {
    const auto read = with(bytes);
    const auto decoded = decode_update(read, external());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->attributes.aigp, std::nullopt);
    EXPECT_THAT(decoded->attributes.unknown, IsEmpty());
    EXPECT_THAT(decoded->faults, IsEmpty());
  }
}

}  // namespace
}  // namespace bgp
