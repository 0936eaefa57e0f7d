// SPDX-License-Identifier: Apache-2.0
#include "controller/api/apply.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;
constexpr auto refuse = Apply::Conflicts::Refuse;
constexpr auto take_over = Apply::Conflicts::TakeOver;

class ServerSideApply : public testing::Test {
 public:
  ApiResult<json> apply(json configuration, std::string manager = "ops", Apply::Conflicts conflicts = refuse) {
    auto applied = server_side_apply(object, {std::move(configuration), std::move(manager), conflicts}, key, {});
    if (applied) object = *applied;
    return applied;
  }
  static json with_ports(json ports) { return {{"spec", {{"ports", std::move(ports)}}}}; }

  ObjectKey key{config::Kind::Service, "default", "web"};
  json object = nullptr;
};

TEST_F(ServerSideApply, MakesAnObjectAndNotesWhoSaidWhat) {
  ASSERT_TRUE(apply({{"metadata", {{"name", "web"}, {"labels", {{"a", "b"}}}}}, {"spec", {{"type", "NodePort"}}}}));
  const auto& entry = object["metadata"]["managedFields"].at(0);
  EXPECT_EQ(entry["manager"], "ops");
  EXPECT_EQ(entry["operation"], "Apply");
  EXPECT_EQ(entry["fieldsV1"], json::parse(R"({"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{"f:type":{}}})"));
}

TEST_F(ServerSideApply, LeavesAloneWhatOthersSaid) {
  object = {{"metadata", {{"name", "web"}}}, {"spec", {{"clusterIP", "10.0.0.1"}}}, {"status", {{"x", 1}}}};
  ASSERT_TRUE(apply({{"spec", {{"type", "NodePort"}}}}));
  EXPECT_EQ(object["spec"], json::parse(R"({"clusterIP":"10.0.0.1","type":"NodePort"})"));
  EXPECT_EQ(object["status"]["x"], 1);
}

TEST_F(ServerSideApply, TakesAwayWhatIsNotSaidAnyMore) {
  ASSERT_TRUE(apply({{"metadata", {{"labels", {{"a", "1"}, {"b", "2"}}}}}, {"spec", {{"type", "NodePort"}}}}));
  ASSERT_TRUE(apply({{"metadata", {{"labels", {{"b", "2"}}}}}}));
  EXPECT_EQ(object["metadata"]["labels"], json::parse(R"({"b":"2"})"));
  EXPECT_FALSE(object.contains("spec"));
}

TEST_F(ServerSideApply, MergesListsByKey) {
  ASSERT_TRUE(apply(with_ports(json::parse(R"([{"port":80,"protocol":"TCP","name":"http"}])"))));
  ASSERT_TRUE(apply(with_ports(json::parse(R"([{"port":443,"protocol":"TCP"}])")), "other"));
  EXPECT_EQ(object["spec"]["ports"].size(), 2U);
  ASSERT_TRUE(apply(with_ports(json::array())));
  EXPECT_EQ(object["spec"]["ports"], json::parse(R"([{"port":443,"protocol":"TCP"}])"));
}

TEST_F(ServerSideApply, RefusesToChangeWhatAnotherSaid) {
  ASSERT_TRUE(apply({{"spec", {{"type", "NodePort"}}}}, "first"));
  const auto conflict = apply({{"spec", {{"type", "ClusterIP"}}}}, "second");
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().code, 409U);
  EXPECT_EQ(conflict.error().message, "Apply failed with 1 conflict: conflict with \"first\": .spec.type");
  EXPECT_EQ(conflict.error().details["causes"].at(0)["reason"], "FieldManagerConflict");
}

TEST_F(ServerSideApply, AgreesWhenTwoSayTheSame) {
  ASSERT_TRUE(apply({{"spec", {{"type", "NodePort"}}}}, "first"));
  ASSERT_TRUE(apply({{"spec", {{"type", "NodePort"}}}}, "second"));
  // It stays as long as one of them says it.
  ASSERT_TRUE(apply({{"metadata", {{"labels", {{"a", "b"}}}}}}, "first"));
  EXPECT_EQ(object["spec"]["type"], "NodePort");
}

TEST_F(ServerSideApply, TakesOverByForce) {
  ASSERT_TRUE(apply({{"spec", {{"type", "NodePort"}}}}, "first"));
  ASSERT_TRUE(apply({{"spec", {{"type", "ClusterIP"}}}}, "second", take_over));
  EXPECT_EQ(object["spec"]["type"], "ClusterIP");
  EXPECT_EQ(object["metadata"]["managedFields"].size(), 1U);
  EXPECT_EQ(object["metadata"]["managedFields"][0]["manager"], "second");
}

TEST_F(ServerSideApply, ChangesNothingTheSecondTime) {
  const json wanted{{"spec", {{"type", "NodePort"}}}};
  ASSERT_TRUE(apply(wanted));
  const auto before = object;
  ASSERT_TRUE(apply(wanted));
  EXPECT_EQ(object, before);
}

}  // namespace
}  // namespace controller
