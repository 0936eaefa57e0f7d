// SPDX-License-Identifier: Apache-2.0
#include "config/resource_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/range.hpp"

namespace config {
namespace {

using Effect = ResourceSet::Effect;

IPAddressPool pool(const std::string& name, const char* range, std::int64_t generation) {
  IPAddressPool out;
  out.meta.name = name;
  out.meta.uid = "uid-" + name;
  out.meta.generation = generation;
  out.addresses = {*net::parse_range(range)};
  return out;
}

Changes setting(Object object) {
  Changes changes;
  changes.set.push_back(std::move(object));
  return changes;
}

TEST(ResourceSetWithAPool, TakesAnotherGenerationForAChangeOfConfiguration) {
  ResourceSet set;
  EXPECT_EQ(set.apply(setting(pool("web", "192.0.2.0/24", 1))), Effect::Configuration);
  EXPECT_EQ(set.apply(setting(pool("web", "198.51.100.0/24", 2))), Effect::Configuration);
  EXPECT_EQ(set.current().resources.pools.at("web").addresses.front(), *net::parse_range("198.51.100.0/24"));
}

TEST(ResourceSetWithAPool, PassesOverAChangeOfItsStatus) {
  ResourceSet set;
  set.apply(setting(pool("web", "192.0.2.0/24", 1)));
  auto counted = pool("web", "192.0.2.0/24", 1);
  counted.meta.resource_version = "7";
  EXPECT_EQ(set.apply(setting(counted)), Effect::Objects);
  EXPECT_EQ(set.current().resources.pools.at("web").meta.resource_version, "7");
}

TEST(ResourceSetWithAPool, TakesOtherLabelsOrANewObjectOfTheNameForAChange) {
  ResourceSet set;
  set.apply(setting(pool("web", "192.0.2.0/24", 1)));
  auto labelled = pool("web", "192.0.2.0/24", 1);
  labelled.meta.labels["tier"] = "front";
  EXPECT_EQ(set.apply(setting(labelled)), Effect::Configuration);
  auto recreated = labelled;
  recreated.meta.uid = "another";
  EXPECT_EQ(set.apply(setting(recreated)), Effect::Configuration);
}

TEST(ResourceSetWithAPool, JudgesEveryChangeWhereNobodyCountsGenerations) {
  ResourceSet set;
  set.apply(setting(pool("web", "192.0.2.0/24", 0)));
  EXPECT_EQ(set.apply(setting(pool("web", "198.51.100.0/24", 0))), Effect::Configuration);
}

TEST(ResourceSetWithAPoolSetAside, LeavesItThereWhenItsStatusChanges) {
  ResourceSet set;
  set.apply(setting(pool("a", "192.0.2.0/24", 1)));
  set.apply(setting(pool("b", "192.0.2.0/25", 1)));
  ASSERT_EQ(set.current().resources.pools.size(), 1U);
  ASSERT_EQ(set.current().set_aside.size(), 1U);
  for (const auto& [name, range] : {std::pair{"a", "192.0.2.0/24"}, std::pair{"b", "192.0.2.0/25"}})
    EXPECT_EQ(set.apply(setting(pool(name, range, 1))), Effect::Objects);
  EXPECT_EQ(set.current().resources.pools.size(), 1U);
}

}  // namespace
}  // namespace config
