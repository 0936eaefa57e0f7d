// SPDX-License-Identifier: Apache-2.0
#include "config/source/http_connection.hpp"

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(WarningText, IsWhatStandsBetweenTheQuotes) {
  EXPECT_EQ(warning_text(R"(299 - "spec.import: names BGPFilter/later")"), "spec.import: names BGPFilter/later");
  EXPECT_EQ(warning_text(R"(299 - "a \"b\" \\ c")"), R"(a "b" \ c)");
  EXPECT_EQ(warning_text(R"(299 herald.example:7472 "x" "Wed, 25 Nov 2026 17:00:00 GMT")"), "x");
  EXPECT_EQ(warning_text(R"(299 - "")"), "");
}

TEST(WarningText, IsNothingWhereTheHeaderIsNot) {
  for (const auto* header : {"", "299", "299 -", "299 - text", "29 - \"x\"", "\"x\"", "299 \"x\""})
    EXPECT_FALSE(warning_text(header)) << header;
}

TEST(WarningText, EndsWithTheHeaderWhereItIsCut) {
  EXPECT_EQ(warning_text("299 - \"cut"), "cut");
  EXPECT_EQ(warning_text("299 - \"cut\\"), "cut\\");
}

}  // namespace
}  // namespace config
