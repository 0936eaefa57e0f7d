// SPDX-License-Identifier: Apache-2.0
#include "config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Object service(const std::string& name, const std::string& type) {
  Service out;
  out.meta.name = name;
  out.meta.namespace_name = "default";
  out.type = type;
  return out;
}
ObjectId id(const std::string& name) {
  return {Kind::Service, "default/" + name};
}
std::vector<std::string> told(const Changes& changes) {
  std::vector<std::string> out;
  for (const auto& object : changes.set) out.push_back(meta_of(object).name + " " + std::get<Service>(object).type);
  return out;
}

TEST(ChangesTogether, SayOfAnObjectThatCameWentAndCameAgainThatItIsThere) {
  std::vector<Changes> all(3);
  all[0].set = {service("web", "ClusterIP"), service("stays", "ClusterIP")};
  all[1].removed = {id("web")};
  all[2].set = {service("web", "LoadBalancer")};
  const auto one = together(std::move(all));
  EXPECT_THAT(told(one), UnorderedElementsAre("web LoadBalancer", "stays ClusterIP"));
  EXPECT_THAT(one.removed, IsEmpty());
}

TEST(ChangesTogether, SayOfAnObjectThatWentLastThatItIsGone) {
  std::vector<Changes> all(2);
  all[0].set = {service("web", "ClusterIP")};
  all[1].removed = {id("web")};
  const auto one = together(std::move(all));
  EXPECT_THAT(one.set, IsEmpty());
  EXPECT_THAT(one.removed, ElementsAre(id("web")));
}

TEST(ChangesTogether, TellTheLastStateOfAnObjectThatCouldNotBeReadInBetween) {
  std::vector<Changes> all(4);
  all[0].set = {service("mended", "ClusterIP"), service("broken", "ClusterIP")};
  all[1].refused = {{id("mended"), {}}};
  all[2].set = {service("mended", "LoadBalancer")};
  all[3].refused = {{id("broken"), {}}};
  const auto one = together(std::move(all));
  EXPECT_THAT(told(one), ElementsAre("mended LoadBalancer"));
  ASSERT_EQ(one.refused.size(), 1U);
  EXPECT_EQ(one.refused[0].id, id("broken"));
}

TEST(ChangesTogether, AreNothingWhenNothingWasTold) {
  EXPECT_TRUE(together({}).empty());
  EXPECT_TRUE(together(std::vector<Changes>(2)).empty());
}

}  // namespace
}  // namespace config
