// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/as_path_codec.hpp"

#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using Type = AsPathSegment::Type;

Bytes encoded(const AsPath& path, AsnWidth width, ConfederationSegments confederation = ConfederationSegments::Keep) {
  Bytes out;
  encode_as_path(path, width, confederation, out);
  return out;
}

struct PathVector {
  std::string text;
  Bytes two;
  Bytes four;
};

TEST(AnAsPathOnTheWire, IsTheSameInBothWidthsAndInFields) {
  const std::vector<PathVector> vectors{
      {"", {}, {}},
      {"65001", hex("0201fde9"), hex("02010000fde9")},
      {"65001 65002 {3 4}", hex("0202fde9fdea 010200030004"), hex("02020000fde90000fdea 01020000000300000004")},
      {"(64512) [64513] 65001", hex("0301fc00 0401fc01 0201fde9"), hex("03010000fc00 04010000fc01 02010000fde9")},
  };
  for (const auto& [text, two, four] : vectors) {
    const auto path = *parse_as_path(text);
    EXPECT_EQ(encoded(path, AsnWidth::TwoOctets), two) << text;
    EXPECT_EQ(encoded(path, AsnWidth::FourOctets), four) << text;
    for (const auto width : {AsnWidth::TwoOctets, AsnWidth::FourOctets}) {
      AsPath decoded;
      EXPECT_EQ(decode_as_path(encoded(path, width), width, ConfederationSegments::Keep, decoded), nullptr);
      EXPECT_EQ(decoded, path) << text;
    }
  }
}

TEST(AnAsPathOnTheWire, CarriesAsTransWhereTwoOctetsAreTooFew) {
  EXPECT_EQ(encoded(sequence({65001, 70000, 65002}), AsnWidth::TwoOctets), hex("0203 fde9 5ba0 fdea"));
}

TEST(AnAsPathOnTheWire, SplitsSegmentsOfMoreThan255Numbers) {
  const AsPath path{{{Type::Sequence, std::vector<net::Asn>(256, net::Asn{7})}}};
  const auto bytes = encoded(path, AsnWidth::FourOctets);
  EXPECT_EQ(bytes.size(), 2 + 255 * 4 + 2 + 4U);
  AsPath decoded;
  EXPECT_EQ(decode_as_path(bytes, AsnWidth::FourOctets, ConfederationSegments::Refuse, decoded), nullptr);
  EXPECT_EQ(decoded.segments.size(), 2U);
  EXPECT_EQ(decoded.length(), 256U);
}

TEST(AnAsPathOnTheWire, LeavesOutEmptySegments) {
  EXPECT_EQ(encoded({{{Type::Sequence, {}}, {Type::Set, asns({5})}}}, AsnWidth::TwoOctets), hex("01010005"));
}

TEST(AnAsPathOnTheWire, LeavesTheConfederationAtItsBorder) {
  const auto path = *parse_as_path("(64512 64513) 65001 [64514]");
  EXPECT_EQ(encoded(path, AsnWidth::TwoOctets, ConfederationSegments::LeaveOut), hex("0201fde9"));
  AsPath decoded;
  EXPECT_EQ(
      decode_as_path(encoded(path, AsnWidth::TwoOctets), AsnWidth::TwoOctets, ConfederationSegments::LeaveOut, decoded),
      nullptr);
  EXPECT_EQ(decoded, sequence({65001}));
}

TEST(AMalformedAsPath, SaysWhatIsWrong) {
  const std::vector<std::pair<Bytes, const char*>> vectors{
      {hex("02"), "segment without a header"},
      {hex("0201fde9 02"), "segment without a header"},
      {hex("0001fde9"), "undefined segment type"},
      {hex("0501fde9"), "undefined segment type"},
      {hex("0200"), "empty segment"},
      {hex("0202fde9"), "segment runs past the attribute"},
      {hex("02ff"), "segment runs past the attribute"},
      {hex("0201fd"), "segment runs past the attribute"},
      {hex("0202 fde9 0000"), "AS number 0"},
      {hex("0301fde9"), "confederation segment from outside of the confederation"},
      {hex("0401fde9"), "confederation segment from outside of the confederation"},
  };
  for (const auto& [bytes, reason] : vectors) {
    AsPath path;
    EXPECT_STREQ(decode_as_path(bytes, AsnWidth::TwoOctets, ConfederationSegments::Refuse, path), reason);
  }
}

// RFC 6793 section 4.2.3.
TEST(APathThatCrossedATwoOctetSpeaker, IsRebuilt) {
  struct Case {
    const char* as_path;
    const char* as4_path;
    const char* merged;
  };
  for (const auto& [as_path, as4_path, merged] : {
           Case{"65001 23456 65002", "65001 70000 65002", "65001 70000 65002"},
           Case{"65003 65001 23456 65002", "70000 65002", "65003 65001 70000 65002"},
           Case{"65003 23456", "70000", "65003 70000"},
           Case{"65003 65004", "", "65003 65004"},
           // A path that is longer than AS_PATH is not its tail.
           Case{"65001 23456", "65003 65002 70000", "65001 23456"},
           // A set counts as one, on both sides.
           Case{"65001 {23456 65002} 23456", "{70000 65002} 70001", "65001 {70000 65002} 70001"},
           Case{"{1 2} 65001 23456", "70000", "{1 2} 65001 70000"},
           // Segments of a confederation are taken over with what they stand beside, and do not count.
           Case{"(64512) 65001 23456", "65001 70000", "(64512) 65001 70000"},
           Case{"(64512) 65003 (64513) 65001 23456", "65001 70000", "(64512) 65003 (64513) 65001 70000"},
       })
    EXPECT_EQ(print(merge_as4_path(*parse_as_path(as_path), *parse_as_path(as4_path))), merged) << as_path;
}

TEST(APathThatCrossedATwoOctetSpeaker, IsOneSequenceAgainWhereItFits) {
  EXPECT_EQ(merge_as4_path(sequence({1, 2, 23456}), sequence({70000})), sequence({1, 2, 70000}));
  AsPath front;
  front.prepend(net::Asn{1}, 200);
  AsPath back;
  back.prepend(net::Asn{70000}, 200);
  AsPath whole;
  whole.prepend(net::Asn{23456}, 200);
  whole.prepend(net::Asn{1}, 200);
  const auto merged = merge_as4_path(whole, back);
  EXPECT_EQ(merged.length(), 400U);
  for (const auto& segment : merged.segments) EXPECT_LE(segment.asns.size(), 255U);
  EXPECT_EQ(merged.count(net::Asn{70000}), 200U);
}

}  // namespace
}  // namespace bgp
