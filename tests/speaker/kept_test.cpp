// SPDX-License-Identifier: Apache-2.0
#include "speaker/kept.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "speaker/desired.hpp"
#include "speaker/desired_policy.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

template <class T>
T kept(T object) {
  config::Object any{std::move(object)};
  keep_needed(any);
  return std::get<T>(std::move(any));
}

std::vector<std::string> nodes_of(const config::EndpointSlice& slice) {
  std::vector<std::string> out;
  for (const auto& endpoint : slice.endpoints) out.push_back(endpoint.node_name);
  return out;
}

TEST(KeepNeeded, HasEachNodeWithAUsableEndpointOnce) {
  World world;
  auto slice = world.slice("web", {"n2", "n1", "n2", "n3", "n4"});
  slice.endpoints[3].ready = slice.endpoints[3].serving = false;
  slice.endpoints[4] = {false, true, true, "n4"};  // still serves while it ends
  const auto after = kept(slice);
  EXPECT_THAT(nodes_of(after), ElementsAre("n1", "n2", "n4"));
  EXPECT_EQ(after.meta.key(), "default/web-1");
  EXPECT_EQ(after.service_name, "web");
  EXPECT_THAT(after.addresses, IsEmpty());
  for (const auto& endpoint : after.endpoints) EXPECT_TRUE(usable(endpoint));
}

TEST(KeepNeeded, HasOneEndpointForAllThatAreOnNoNode) {
  World world;
  EXPECT_THAT(nodes_of(kept(world.slice("web", {"", ""}))), ElementsAre(""));
  EXPECT_THAT(nodes_of(kept(world.slice("web", {}))), IsEmpty());
}

TEST(KeepNeeded, DropsOfAServiceWhatNoRuleLooksAt) {
  World world;
  auto& service = world.service("web", {"192.0.2.1"});
  service.meta.labels = {{"tier", "front"}};
  service.meta.annotations = {{"kubectl.kubernetes.io/last-applied-configuration", std::string(1000, 'x')}};
  service.meta.uid = "d1b2";
  service.selector = {{"app", "web"}, {"tier", "front"}};
  service.conditions = {
      {"example.com/Other", "True", "", "", "", 0},
      {"herald.dev/Assigned", "True", "Assigned", "from IPAddressPool web", "2026-01-01T00:00:00Z", 3}};
  const auto after = kept(service);
  EXPECT_EQ(after.meta.labels, service.meta.labels);
  EXPECT_THAT(after.meta.annotations, IsEmpty());
  EXPECT_EQ(after.meta.uid, "");
  EXPECT_EQ(after.selector.size(), 1U);
  ASSERT_EQ(after.conditions.size(), 1U);
  EXPECT_EQ(after.conditions[0].message, "from IPAddressPool web") << "explain shows it";
}

TEST(KeepNeeded, LeavesOtherKindsAlone) {
  World world;
  auto& node = world.node("n1", {{"zone", "a"}});
  node.meta.annotations = {{"note", "kept"}};
  EXPECT_EQ(kept(node).meta.annotations, node.meta.annotations);
}

// The same answers from what was kept as from everything, for services of all sorts.
TEST(KeepNeeded, ChangesNoAnswer) {
  World world;
  world.pool("web", {"192.0.2.0/24"});
  world.peer("tor");
  world.bgp("web").ip_address_pools = {"web"};
  auto& l2 = world.l2("web");
  l2.ip_address_pools = {"web"};
  l2.service_selectors = {label("tier", "front")};
  for (const auto* node : {"n1", "n2"}) world.node(node);

  world.service("cluster", {"192.0.2.1"}).meta.labels = {{"tier", "front"}};
  world.slice("cluster", {"n2", "n2"});
  auto& local = world.service("local", {"192.0.2.2"});
  local.external_traffic_policy = config::TrafficPolicy::Local;
  local.meta.labels = {{"tier", "front"}};
  world.slice("local", {"n2", "n2", "n1"}).endpoints[2].ready = false;
  world.endpoint_slices.at("default/local-1").endpoints[2].serving = false;
  world.service("elsewhere", {"192.0.2.3"}).external_traffic_policy = config::TrafficPolicy::Local;
  world.slice("elsewhere", {"n1"});
  world.service("host", {"192.0.2.4"}).selector.clear();
  world.service("nothing-behind", {"192.0.2.5"});
  world.service("unready", {"192.0.2.6"});
  world.slice("unready", {"n1"}).endpoints[0].ready = false;
  world.endpoint_slices.at("default/unready-1").endpoints[0].serving = false;
  world.service("other-class", {"192.0.2.7"}).load_balancer_class = "example.com/other";
  world.service("internal", {}).type = "ClusterIP";
  world.service("waits", {});

  config::Resources less = world;
  for (auto& [key, service] : less.services) service = kept(service);
  for (auto& [key, slice] : less.endpoint_slices) slice = kept(slice);
  for (const auto* node : {"n1", "n2"}) {
    const auto all = desired_of(world, node);
    const auto few = desired_of(less, node);
    ASSERT_FALSE(all.routes().empty());
    ASSERT_FALSE(all.layer2().empty());
    EXPECT_EQ(outcome_of(all), outcome_of(few));
    for (const auto& [key, service] : world.services) {
      const auto before = all.explain(world, key);
      const auto after = few.explain(less, key);
      ASSERT_EQ(before.size(), after.size()) << key;
      for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_EQ(before[i].gate, after[i].gate) << key;
        EXPECT_EQ(before[i].detail, after[i].detail) << key;
      }
    }
  }
}

}  // namespace
}  // namespace speaker
