// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/community_pattern.hpp"

#include <gtest/gtest.h>

namespace bgp {
namespace {

TEST(CommunityPattern, PrintsAsItIsRead) {
  for (const auto* text : {"65001:100", "0:0", "*:5", "65535:*", "*:*", "large:4200000000:0:7", "large:*:1:*"})
    EXPECT_EQ(print(parse_community_pattern(text).value()), text);
}

TEST(CommunityPattern, ReadsWellKnownNames) {
  EXPECT_EQ(parse_community_pattern("no-export")->standard(), community_no_export);
  EXPECT_EQ(parse_community_pattern("graceful-shutdown")->standard(), community_graceful_shutdown);
}

TEST(CommunityPattern, RefusesWhatIsNone) {
  for (const auto* text : {"", ":", "1", "1:", ":1", "65536:1", "1:65536", "1:2:3", "01:2", "1:+2", "1: 2", "a:b",
                           "1:**", "large:1:2", "large:1:2:3:4", "large:1:2:4294967296", "no-such-name"})
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
