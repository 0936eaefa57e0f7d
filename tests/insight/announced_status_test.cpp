// SPDX-License-Identifier: Apache-2.0
#include "insight/announced_status.hpp"

#include <gtest/gtest.h>

namespace insight {
namespace {

using nlohmann::json;

const Announced yes{Announced::Status::Yes, "Announced", "192.0.2.1: by BGP from n1"};
const Announced no{Announced::Status::No, "NoEndpoints", "192.0.2.1: no endpoint is ready"};
constexpr auto then = "2026-01-01T00:00:00Z";
constexpr auto later = "2026-01-01T00:01:00Z";

json service(json conditions) {
  return {{"metadata", {{"name", "web"}}}, {"status", {{"conditions", std::move(conditions)}}}};
}

TEST(AnnouncedCondition, IsAddedBesideThoseOfOthers) {
  const json other{{"type", "herald.dev/Assigned"}, {"status", "True"}};
  const auto after = conditions_with(service({other}), yes, then);
  ASSERT_TRUE(after);
  ASSERT_EQ(after->size(), 2U);
  EXPECT_EQ((*after)[0], other);
  EXPECT_EQ((*after)[1]["type"], announced_condition);
  EXPECT_EQ((*after)[1]["status"], "True");
  EXPECT_EQ((*after)[1]["lastTransitionTime"], then);
}

TEST(AnnouncedCondition, IsWrittenOnceAndTheTimeStaysWithTheStatus) {
  const auto first = conditions_with(service(json::array()), yes, then);
  ASSERT_TRUE(first);
  EXPECT_FALSE(conditions_with(service(*first), yes, later)) << "it says so already";
  auto other_nodes = yes;
  other_nodes.message += " and n2";
  const auto second = conditions_with(service(*first), other_nodes, later);
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)[0]["lastTransitionTime"], then);
  const auto third = conditions_with(service(*second), no, later);
  ASSERT_TRUE(third);
  EXPECT_EQ((*third)[0]["status"], "False");
  EXPECT_EQ((*third)[0]["reason"], "NoEndpoints");
  EXPECT_EQ((*third)[0]["lastTransitionTime"], later);
}

TEST(AnnouncedCondition, GoesWhenThereIsNothingToSay) {
  EXPECT_FALSE(conditions_with(service(json::array()), std::nullopt, then));
  EXPECT_FALSE(conditions_with(json{{"metadata", {{"name", "web"}}}}, std::nullopt, then));
  const auto first = conditions_with(service(json::array()), yes, then);
  const auto after = conditions_with(service(*first), std::nullopt, later);
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->empty());
}

TEST(AnnouncedCondition, TakesNoOffenceAtAStatusOfTheWrongShape) {
  for (const auto& status :
       {json("nonsense"), json{{"conditions", "nonsense"}}, json{{"conditions", {"nonsense", 1}}}}) {
    const auto after = conditions_with({{"status", status}}, yes, then);
    ASSERT_TRUE(after);
    EXPECT_EQ(after->back()["type"], announced_condition);
  }
}

}  // namespace
}  // namespace insight
