// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/text.hpp"

#include <gtest/gtest.h>

#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using Type = AsPathSegment::Type;

TEST(AnOriginInText, IsItsName) {
  for (const auto& [origin_value, text] :
       {std::pair{Origin::Igp, "igp"}, {Origin::Egp, "egp"}, {Origin::Incomplete, "incomplete"}}) {
    EXPECT_EQ(print(origin_value), text);
    EXPECT_EQ(parse_origin(text), origin_value);
  }
  EXPECT_EQ(parse_origin("IGP"), std::nullopt);
  EXPECT_EQ(parse_origin(""), std::nullopt);
}

TEST(AnAsPathInText, HasBracketsForWhatIsNoSequence) {
  const std::vector<std::pair<AsPath, std::string>> vectors{
      {{}, ""},
      {sequence({65001, 4200000000}), "65001 4200000000"},
      {{{{Type::Sequence, asns({65001, 65002})}, {Type::Set, asns({65003, 65004})}}}, "65001 65002 {65003 65004}"},
      {{{{Type::Set, asns({1})}, {Type::Set, asns({2})}}}, "{1} {2}"},
      {{{{Type::ConfedSequence, asns({1, 2})}, {Type::ConfedSet, asns({3})}, {Type::Sequence, asns({4})}}},
       "(1 2) [3] 4"},
  };
  for (const auto& [path, text] : vectors) {
    EXPECT_EQ(print(path), text);
    EXPECT_EQ(parse_as_path(text), path) << text;
  }
}

TEST(AnAsPathInText, IsReadWithCommasAndWithoutBlanks) {
  EXPECT_EQ(print(*parse_as_path("  65001   {65003,65004}65005 1.10 ")), "65001 {65003 65004} 65005 65546");
}

TEST(AnAsPathInText, IsRefusedWhenItIsNone) {
  for (const auto* const text :
       {"{", "}", "{}", "{1", "1}", "{1)", "{{1}}", "1,2", "a", "4294967296", "-1", "1 2x", "{1 (2)}"})
    EXPECT_EQ(parse_as_path(text), std::nullopt) << text;
}

TEST(ACommunityInText, IsTwoNumbersOrAName) {
  const std::vector<std::pair<std::uint32_t, std::string>> vectors{
      {0, "0:0"},
      {0xfde90064, "65001:100"},
      {0xffffffff, "65535:65535"},
      {0xffff0000, "graceful-shutdown"},
      {0xffff0001, "accept-own"},
      {0xffff0006, "llgr-stale"},
      {0xffff0007, "no-llgr"},
      {0xffff029a, "blackhole"},
      {0xffffff01, "no-export"},
      {0xffffff02, "no-advertise"},
      {0xffffff03, "no-export-subconfed"},
      {0xffffff04, "no-peer"},
  };
  for (const auto& [value, text] : vectors) {
    EXPECT_EQ(print(Community{value}), text);
    EXPECT_EQ(parse_community(text), Community{value});
  }
  EXPECT_EQ(parse_community("65535:65281"), community_no_export);
  for (const auto* const text :
       {"", "1", ":", "1:", ":1", "65536:1", "1:65536", "1:2:3", "no-such", " 1:2", "1:2 ", "+1:2", "0x1:2"})
    EXPECT_EQ(parse_community(text), std::nullopt) << text;
}

TEST(ALargeCommunityInText, IsThreeNumbers) {
  const LargeCommunity community{64500, 1, 4294967295};
  EXPECT_EQ(print(community), "64500:1:4294967295");
  EXPECT_EQ(parse_large_community("64500:1:4294967295"), community);
  for (const auto* const text : {"", "1:2", "1:2:3:4", "1:2:4294967296", "1::3", "1:2:", "a:1:2", "1:-2:3"})
    EXPECT_EQ(parse_large_community(text), std::nullopt) << text;
}

TEST(AnExtendedCommunityInText, IsATargetAnOriginOrANumber) {
  const std::vector<std::pair<std::uint64_t, std::string>> vectors{
      {0x0002fde900000064, "rt:65001:100"},
      {0x0002fde9ffffffff, "rt:65001:4294967295"},
      {0x0003fde900000064, "ro:65001:100"},
      {0x01020a0000010064, "rt:10.0.0.1:100"},
      {0x01030a000001ffff, "ro:10.0.0.1:65535"},
      {0x0202000111700001, "rt:70000:1"},
      {0x02020000fde90064, "generic:0x02020000fde90064"},  // a small AS number in the wide form
      {0x4002fde900000064, "generic:0x4002fde900000064"},  // not transitive
      {0x4004fde94b189680, "generic:0x4004fde94b189680"},  // link bandwidth
      {0, "generic:0x0000000000000000"},
  };
  for (const auto& [value, text] : vectors) {
    EXPECT_EQ(print(ExtendedCommunity{value}), text);
    EXPECT_EQ(parse_extended_community(text), ExtendedCommunity{value}) << text;
  }
  for (const auto* const text :
       {"", "rt", "rt:1", "rt:1:2:3", "xx:1:2", "rt:10.0.0.1:65536", "rt:70000:65536", "rt:1:4294967296",
        "rt:4294967296:1", "rt:10.0.0:1", "generic:", "generic:0x", "generic:0x1g", "generic:0x11111111111111111"})
    EXPECT_EQ(parse_extended_community(text), std::nullopt) << text;
}

// RFC 5701 sections 2 and 3.
TEST(Ipv6ExtendedCommunityInText, IsReadAsItIsPrinted) {
  Ipv6ExtendedCommunity target{{0, 2, 0x20, 0x01, 0x0d, 0xb8}};
  target.octets[17] = 1;
  target.octets[18] = 0xff;
  target.octets[19] = 0xfe;
  auto origin = target;
  origin.octets[1] = 3;
  auto intransitive = target;
  intransitive.octets[0] = 0x40;
  const std::vector<std::pair<Ipv6ExtendedCommunity, std::string>> vectors{
      {target, "rt:[2001:db8::1]:65534"},
      {origin, "ro:[2001:db8::1]:65534"},
      {intransitive, "generic:0x400220010db8000000000000000000000001fffe"},
  };
  for (const auto& [community, text] : vectors) {
    EXPECT_EQ(print(community), text);
    EXPECT_EQ(parse_ipv6_extended_community(text), community) << text;
  }
  for (const auto* const text :
       {"", "rt:[]:1", "rt:[2001:db8::1]", "rt:[2001:db8::1]:65536", "rt:[10.0.0.1]:1", "rt:2001:db8::1:1", "rt:1:2",
        "generic:0x4002fde900000064", "generic:0x400220010db8000000000000000000000001fffg",
        "generic:0x400220010db8000000000000000000000001fffe0"})
    EXPECT_EQ(parse_ipv6_extended_community(text), std::nullopt) << text;
}

TEST(CommunitiesInText, AreSeparatedByBlanks) {
  EXPECT_EQ(print(std::vector<Community>{}), "");
  EXPECT_EQ(print(std::vector<Community>{{0xfde90064}, community_no_export}), "65001:100 no-export");
  EXPECT_EQ(print(std::vector<LargeCommunity>{{1, 2, 3}, {4, 5, 6}}), "1:2:3 4:5:6");
  EXPECT_EQ(print(std::vector<ExtendedCommunity>{{0x0002fde900000064}, {0x0003fde900000064}}),
            "rt:65001:100 ro:65001:100");
}

}  // namespace
}  // namespace bgp
