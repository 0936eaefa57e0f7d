// SPDX-License-Identifier: Apache-2.0
#include "controller/conditions.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;
using Status = Statement::Status;

constexpr auto then = "2026-01-01T00:00:00Z";
constexpr auto later = "2026-01-01T00:01:00Z";

Statement ready(Status status, const std::string& reason, const std::string& message = "as it is") {
  return {.type = "Ready", .status = status, .reason = reason, .message = message};
}
json with(json conditions) {
  return {{"metadata", {{"name", "web"}}}, {"status", {{"conditions", std::move(conditions)}}}};
}
// The object after the patch.
json patched(json object, const ObjectStatus& said, const char* now) {
  const auto patch = status_patch(object, said, now);
  EXPECT_TRUE(patch);
  if (patch) object.merge_patch({{"status", *patch}});
  return object;
}

TEST(Condition, IsAddedBesideThoseOfOthersAndKeepsItsPlace) {
  const json other{{"type", "Other"}, {"status", "True"}};
  const json last{{"type", "Last"}, {"status", "True"}};
  auto object = patched(with(json::array({other})), {.conditions = {ready(Status::True, "Yes")}}, then);
  object["status"]["conditions"].push_back(last);
  object = patched(object, {.conditions = {ready(Status::False, "No")}}, later);
  const auto& conditions = object["status"]["conditions"];
  ASSERT_EQ(conditions.size(), 3U);
  EXPECT_EQ(conditions[0], other);
  EXPECT_EQ(conditions[1]["reason"], "No");
  EXPECT_EQ(conditions[1]["lastTransitionTime"], later);
  EXPECT_EQ(conditions[2], last);
}

TEST(Condition, IsWrittenOnceAndTheTimeStaysWithTheStatus) {
  const auto first = patched(with(json::array()), {.conditions = {ready(Status::True, "Yes")}}, then);
  EXPECT_FALSE(status_patch(first, {.conditions = {ready(Status::True, "Yes")}}, later)) << "it says so already";
  const auto second = patched(first, {.conditions = {ready(Status::True, "Yes", "another message")}}, later);
  EXPECT_EQ(condition_of(second, "Ready")["lastTransitionTime"], then);
}

TEST(Condition, TellsTheGenerationThatWasLookedAt) {
  auto said = ready(Status::True, "Yes");
  said.observed_generation = 4;
  const auto object = patched(with(json::array()), {.conditions = {said}}, then);
  EXPECT_EQ(condition_of(object, "Ready")["observedGeneration"], 4);
  said.observed_generation = 5;
  EXPECT_TRUE(status_patch(object, {.conditions = {said}}, then));
}

TEST(Condition, GoesWhenThereIsNothingToSay) {
  const ObjectStatus nothing{.conditions = {ready(Status::Unsaid, "")}};
  EXPECT_FALSE(status_patch(with(json::array()), nothing, then));
  EXPECT_FALSE(status_patch({{"metadata", {{"name", "web"}}}}, nothing, then));
  const auto object = patched(with(json::array()), {.conditions = {ready(Status::True, "Yes")}}, then);
  EXPECT_TRUE(patched(object, nothing, later)["status"]["conditions"].empty());
}

TEST(Status, HasMembersBesideThoseOfOthersUntilTheyGo) {
  json object{{"status", {{"note", "kept"}}}};
  object = patched(object, {.members = {{"sessions", {{"nodes", 3}}}}}, then);
  EXPECT_EQ(object["status"], json({{"note", "kept"}, {"sessions", {{"nodes", 3}}}}));
  EXPECT_FALSE(status_patch(object, {.members = {{"sessions", {{"nodes", 3}}}}}, then));
  object = patched(object, {.members = {{"sessions", nullptr}}}, then);
  EXPECT_EQ(object["status"], json({{"note", "kept"}}));
  EXPECT_FALSE(status_patch(object, {.members = {{"sessions", nullptr}}}, then));
}

TEST(Status, SaysNothingOfConditionsThatAreRight) {
  const auto object = patched(with(json::array()), {.conditions = {ready(Status::True, "Yes")}}, then);
  const auto patch = status_patch(object, {.conditions = {ready(Status::True, "Yes")}, .members = {{"n", 1}}}, then);
  EXPECT_EQ(patch, json({{"n", 1}})) << "so that a condition written meanwhile is not written over";
}

TEST(Status, TakesNoOffenceAtAStatusOfTheWrongShape) {
  for (const auto& status :
       {json("nonsense"), json{{"conditions", "nonsense"}}, json{{"conditions", {"nonsense", 1}}}}) {
    const auto patch = status_patch({{"status", status}}, {.conditions = {ready(Status::True, "Yes")}}, then);
    ASSERT_TRUE(patch);
    EXPECT_EQ((*patch)["conditions"].back()["type"], "Ready");
  }
  EXPECT_TRUE(condition_of("nonsense", "Ready").is_null());
}

}  // namespace
}  // namespace controller
