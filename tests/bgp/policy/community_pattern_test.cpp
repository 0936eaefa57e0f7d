// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/community_pattern.hpp"

#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"

namespace bgp {
namespace {

TEST(CommunityPattern, PrintsAsItIsRead) {
  for (const auto* text : {"65001:100", "0:0", "*:5", "65535:*", "*:*", "large:4200000000:0:7", "large:*:1:*"})
    EXPECT_EQ(print(parse_community_pattern(text).value()), text);
}

TEST(CommunityPattern, MatchesExtendedCommunitiesByAdministratorAndNumber) {
  for (const auto* text : {"rt:65001:100", "rt:65001:*", "ro:*:7", "rt:10.0.0.1:*", "rt:4200000000:*", "rt:*:*",
                           "generic:0x4300000000000001"})
    EXPECT_EQ(print(parse_community_pattern(text).value()), text);
  for (const auto* text :
       {"rt:", "rt:1", "rt:*", "rt:1:2:3", "rt:x:*", "rt:1:4294967296", "xx:*:1", "generic:0x", "generic:1"})
    EXPECT_EQ(parse_community_pattern(text), std::nullopt) << text;
  constexpr ExtendedCommunity narrow{0x0002'fde9'0000'0064};  // rt:65001:100
  constexpr ExtendedCommunity wide{0x0202'0000'fde9'0064};    // the same in four octets
  constexpr ExtendedCommunity by_address{0x0102'0a00'0001'0064};
  constexpr ExtendedCommunity origin{0x0003'fde9'0000'0064};
  constexpr ExtendedCommunity opaque{0x4302'0000'0000'0001};
  const auto matches = [](const char* text, ExtendedCommunity community) {
    return parse_community_pattern(text)->matches(community);
  };
  EXPECT_TRUE(matches("rt:65001:100", narrow));
  EXPECT_FALSE(matches("rt:65001:100", origin));
  EXPECT_TRUE(matches("rt:65001:*", narrow));
  EXPECT_TRUE(matches("rt:65001:*", wide));
  EXPECT_FALSE(matches("rt:65002:*", wide));
  EXPECT_TRUE(matches("rt:10.0.0.1:*", by_address));
  EXPECT_FALSE(matches("rt:167772161:*", by_address));
  EXPECT_TRUE(matches("rt:*:100", by_address));
  EXPECT_FALSE(matches("rt:*:*", opaque));
  EXPECT_FALSE(matches("rt:*:*", origin));
  EXPECT_EQ(parse_community_pattern("rt:65001:100")->extended(), narrow);
  EXPECT_EQ(parse_community_pattern("rt:65001:*")->extended(), std::nullopt);
  EXPECT_FALSE(parse_community_pattern("rt:*:*")->matches(Community{1}));
}

TEST(CommunityPattern, MatchesIpv6AddressSpecificCommunities) {
  for (const auto* text : {"rt:[2001:db8::1]:100", "rt:[2001:db8::1]:*", "ro:[*]:7", "rt:[*]:*",
                           "generic:0x400220010db8000000000000000000000001fffe"})
    EXPECT_EQ(print(parse_community_pattern(text).value()), text);
  for (const auto* text : {"rt:[", "rt:[*", "rt:[*]", "rt:[*]:", "rt:[*]:65536", "rt:[x]:*", "ro:[2001:db8::*]:1"})
    EXPECT_EQ(parse_community_pattern(text), std::nullopt) << text;
  const auto target = *parse_ipv6_extended_community("rt:[2001:db8::1]:100");
  const auto matches = [&](const char* text) { return parse_community_pattern(text)->matches(target); };
  EXPECT_TRUE(matches("rt:[2001:db8::1]:100"));
  EXPECT_TRUE(matches("rt:[2001:db8::1]:*"));
  EXPECT_TRUE(matches("rt:[*]:100"));
  EXPECT_FALSE(matches("rt:[2001:db8::1]:101"));
  EXPECT_FALSE(matches("rt:[2001:db8::2]:*"));
  EXPECT_FALSE(matches("ro:[*]:*"));
  EXPECT_FALSE(matches("rt:*:*"));
  EXPECT_FALSE(parse_community_pattern("rt:[*]:*")->matches(ExtendedCommunity{0x0002'fde9'0000'0064}));
}

TEST(CommunityPattern, MatchesExtendedCommunitiesOfAnyTypeByWhatTheyBeginWith) {
  Ipv6ExtendedCommunity large;
  large.octets = {0x40, 0x04, 0x20, 0x01};
  for (const auto* text : {"generic:0x4*", "generic:0x4004*", "generic:0x40042001*", "generic:0x*"}) {
    const auto pattern = *parse_community_pattern(text);
    EXPECT_EQ(print(pattern), text);
    EXPECT_TRUE(pattern.matches(ExtendedCommunity{0x4004'2001'0000'0064})) << text;
    EXPECT_TRUE(pattern.matches(large)) << text;
    EXPECT_EQ(pattern.extended(), std::nullopt);
    EXPECT_FALSE(pattern.matches(Community{0x40042001})) << text;
  }
  const auto whole = *parse_community_pattern("generic:0x4004200100000064*");
  EXPECT_TRUE(whole.matches(ExtendedCommunity{0x4004'2001'0000'0064}));
  EXPECT_FALSE(whole.matches(ExtendedCommunity{0x4004'2001'0000'0065}));
  const auto long_one = *parse_community_pattern("generic:0x40042001000000000*");
  EXPECT_FALSE(long_one.matches(ExtendedCommunity{0x4004'2001'0000'0000}));
  EXPECT_TRUE(long_one.matches(large));
}

TEST(CommunityPattern, ReadsWellKnownNames) {
  EXPECT_EQ(parse_community_pattern("no-export")->standard(), community_no_export);
  EXPECT_EQ(parse_community_pattern("graceful-shutdown")->standard(), community_graceful_shutdown);
}

TEST(CommunityPattern, RefusesWhatIsNone) {
  for (const auto* text : {"",
                           ":",
                           "1",
                           "1:",
                           ":1",
                           "65536:1",
                           "1:65536",
                           "1:2:3",
                           "01:2",
                           "1:+2",
                           "1: 2",
                           "a:b",
                           "1:**",
                           "large:1:2",
                           "large:1:2:3:4",
                           "large:1:2:4294967296",
                           "no-such-name",
                           "generic:0xG*",
                           "generic:0x4004**",
                           "generic:0x4004*00",
                           "generic:0xAB*",
                           "generic:0x0000000000000000000000000000000000000000*"})
    EXPECT_EQ(parse_community_pattern(text), std::nullopt) << text;
}

TEST(CommunityPattern, MatchesItsOwnKindOnly) {
  const auto standard = *parse_community_pattern("1:*");
  EXPECT_TRUE(standard.matches(Community{0x00010009}));
  EXPECT_FALSE(standard.matches(Community{0x00020009}));
  EXPECT_FALSE(standard.matches(LargeCommunity{1, 9, 9}));
  const auto large = *parse_community_pattern("large:1:*:3");
  EXPECT_TRUE(large.matches(LargeCommunity{1, 9, 3}));
  EXPECT_FALSE(large.matches(LargeCommunity{1, 9, 4}));
  EXPECT_FALSE(large.matches(Community{0x00010003}));
}

TEST(CommunityPattern, IsACommunityWhenNoPartIsOpen) {
  EXPECT_EQ(parse_community_pattern("1:2")->standard(), Community{0x00010002});
  EXPECT_EQ(parse_community_pattern("1:*")->standard(), std::nullopt);
  EXPECT_EQ(parse_community_pattern("large:1:2:3")->large(), (LargeCommunity{1, 2, 3}));
  EXPECT_EQ(parse_community_pattern("large:1:2:3")->standard(), std::nullopt);
}

}  // namespace
}  // namespace bgp
