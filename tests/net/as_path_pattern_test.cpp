// SPDX-License-Identifier: Apache-2.0
#include "net/as_path_pattern.hpp"

#include <chrono>

#include <gmock/gmock.h>

namespace net {
namespace {

using ::testing::HasSubstr;

bool found(std::string_view pattern, std::string_view path) {
  const auto parsed = parse_as_path_pattern(pattern);
  EXPECT_TRUE(parsed) << pattern << (parsed ? "" : ": " + parsed.error());
  return parsed && parsed->matches(path);
}
std::string refusal(std::string_view pattern) {
  const auto parsed = parse_as_path_pattern(pattern);
  return parsed ? "accepted" : parsed.error();
}

struct Case {
  std::string_view pattern;
  std::string_view path;
  bool matches;
};

TEST(AsPathPattern, MatchesAsRoutersDo) {
  constexpr Case cases[] = {
      {"^$", "", true},
      {"^$", "65001", false},
      {".*", "", true},
      {"_65001_", "65001", true},
      {"_65001_", "65001 65002", true},
      {"_65001_", "65000 65001", true},
      {"_65001_", "165001", false},
      {"_65001_", "650011 65002", false},
      {"_65003_", "65001 {65002 65003}", true},
      {"_65010_", "(65010 65011) 65001", true},
      {"^65001_", "65001 65002", true},
      {"^65001_", "65000 65001", false},
      {"_65002$", "65001 65002", true},
      {"_65002$", "65002 65001", false},
      {"^65001(_65002)+$", "65001 65002 65002", true},
      {"^65001(_65002)+$", "65001", false},
      {"^65001(_65002)*$", "65001", true},
      {"^[0-9]+$", "65001", true},
      {"^[0-9]+$", "65001 65002", false},
      {"^[0-9]+ [0-9]+$", "65001 65002", true},
      {"^6500[1-3]$", "65003", true},
      {"^6500[^1-3]$", "65003", false},
      {"^6500[^1-3]$", "65004", true},
      {"^(65001|65002)_65003$", "65002 65003", true},
      {"^(65001|65002)_65003$", "65003 65003", false},
      {"650", "165001", true},
      {"^65001?$", "6500", true},
      {"^(65001_)?65002$", "65002", true},
      {"\\{", "65001 {65002}", true},
      {"\\(65010", "(65010 65011)", true},
      {"65001|", "anything", true},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(found(each.pattern, each.path), each.matches) << each.pattern << " on " << each.path;
  }
}

TEST(AsPathPattern, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("(65001"), HasSubstr("lacks a \")\" at character 7"));
  EXPECT_THAT(refusal("65001)"), HasSubstr("without its \"(\" at character 6"));
  EXPECT_THAT(refusal("*1"), HasSubstr("nothing to repeat at character 1"));
  EXPECT_THAT(refusal("[0-9"), HasSubstr("lacks a \"]\""));
  EXPECT_THAT(refusal("[9-0]"), HasSubstr("ends before it begins"));
  EXPECT_THAT(refusal("65001x"), HasSubstr("in no AS path at character 6"));
  EXPECT_THAT(refusal("\\"), HasSubstr("in no AS path"));
  EXPECT_THAT(refusal(std::string(257, '1')), HasSubstr("more than 256 characters"));
  EXPECT_THAT(refusal(std::string(40, '(') + std::string(40, ')')), HasSubstr("too many groups"));
}

TEST(AsPathPattern, IsEqualWhenItsTextIs) {
  EXPECT_EQ(*parse_as_path_pattern("_1_"), *parse_as_path_pattern("_1_"));
  EXPECT_FALSE(*parse_as_path_pattern("_1_") == *parse_as_path_pattern("_2_"));
}

// What makes backtracking matchers take for ever. A thousand hops against the largest pattern stay in milliseconds.
TEST(AsPathPattern, CostsNoMoreThanPatternTimesPath) {
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "1111 ";
  std::string nested = "1";
  for (int i = 0; i < 25; ++i) nested = "(" + nested + "*)*";
  std::string wide;
  for (int i = 0; i < 50; ++i) wide += "(1*)*";
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(found("^" + nested + "$", path + "2"));
  EXPECT_FALSE(found(wide + "3", path));
  EXPECT_TRUE(found("^(1+ )*2$", path + "2"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{10});
}

}  // namespace
}  // namespace net
