// SPDX-License-Identifier: Apache-2.0
#include "config/resource_set.hpp"

#include <gtest/gtest.h>

#include "net/range.hpp"

namespace config {
namespace {

using Effect = ResourceSet::Effect;

IPAddressPool pool(const char* range, std::int64_t generation) {
  IPAddressPool out;
  out.meta.name = "web";
  out.meta.uid = "1";
  out.meta.generation = generation;
  out.addresses = {*net::parse_range(range)};
  return out;
}

Effect set(ResourceSet& resources, Object object) {
  Changes changes;
  changes.set.push_back(std::move(object));
  return resources.apply(std::move(changes));
}

TEST(ResourceSet, TakesAnEditForANewConfigurationAndAStatusForNone) {
  ResourceSet resources;
  EXPECT_EQ(set(resources, pool("192.0.2.0/24", 1)), Effect::Configuration);
  auto with_status = pool("192.0.2.0/24", 1);
  with_status.meta.resource_version = "7";
  EXPECT_EQ(set(resources, with_status), Effect::Objects);
  EXPECT_EQ(resources.current().resources.pools.at("web").meta.resource_version, "7");
  EXPECT_EQ(set(resources, pool("192.0.2.0/25", 2)), Effect::Configuration);
  EXPECT_EQ(resources.current().resources.pools.at("web").addresses.front(), *net::parse_range("192.0.2.0/25"));
}

TEST(ResourceSet, TakesLabelsAndAnotherObjectOfTheSameNameForANewConfiguration) {
  ResourceSet resources;
  set(resources, pool("192.0.2.0/24", 1));
  auto labelled = pool("192.0.2.0/24", 1);
  labelled.meta.labels = {{"tier", "web"}};
  EXPECT_EQ(set(resources, labelled), Effect::Configuration);
  auto another = labelled;
  another.meta.uid = "2";
  EXPECT_EQ(set(resources, another), Effect::Configuration);
}

TEST(ResourceSet, LooksAgainWhereTheApiCountsNoGenerations) {
  ResourceSet resources;
  set(resources, pool("192.0.2.0/24", 0));
  EXPECT_EQ(set(resources, pool("192.0.2.0/25", 0)), Effect::Configuration);
}

TEST(ResourceSet, LooksAtTheLabelsOfANodeAlone) {
  ResourceSet resources;
  Node node;
  node.meta.name = "n1";
  EXPECT_EQ(set(resources, node), Effect::Configuration);
  node.conditions.push_back({"NetworkUnavailable", "True", "", "", "", 0});
  EXPECT_EQ(set(resources, node), Effect::Objects);
  EXPECT_EQ(resources.current().resources.nodes.at("n1").conditions.size(), 1U);
}

TEST(ResourceSet, IsMendedByWhatComesAfterARefusal) {
  ResourceSet resources;
  set(resources, pool("192.0.2.0/24", 1));
  Changes refusal;
  refusal.refused.push_back({{Kind::IPAddressPool, "web"}, {{{}, "IPAddressPool/web", "spec", "makes no sense"}}});
  EXPECT_EQ(resources.apply(std::move(refusal)), Effect::Configuration);
  EXPECT_TRUE(resources.current().resources.pools.empty());
  EXPECT_EQ(set(resources, pool("192.0.2.0/24", 1)), Effect::Configuration);
  EXPECT_EQ(resources.current().resources.pools.size(), 1U);
}

}  // namespace
}  // namespace config
