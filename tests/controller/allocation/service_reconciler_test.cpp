// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_reconciler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr net::TimePoint t0{};

std::map<std::string, config::IPAddressPool> one_pool(const std::string& name, const char* range) {
  config::IPAddressPool pool;
  pool.meta.name = name;
  pool.addresses = {*net::parse_range(range)};
  return {{name, pool}};
}

json service(const std::string& name) {
  return {{"metadata", {{"name", name}, {"namespace", "default"}}},
          {"spec", {{"type", "LoadBalancer"}, {"ports", {{{"port", 80}, {"protocol", "TCP"}}}}}}};
}

// A service in a world of its own: reconciles until nothing is left to write, and applies what is written.
struct World {
  ServiceReconciler reconciler{""};
  std::vector<ServiceEvent> events;
  int writes = 0;

  void settle(json& object, net::TimePoint now = t0) {
    for (int round = 0; round < 5; ++round) {
      const auto update = reconciler.reconcile(object, now, "2026-01-01T00:00:00Z");
      if (!update) return;
      object.merge_patch(update->merge_patch);
      events.insert(events.end(), update->events.begin(), update->events.end());
      ++writes;
    }
    FAIL() << "does not come to rest: " << object.dump();
  }
};

std::string ip(const json& object) {
  return object["status"]["loadBalancer"].value("/ingress/0/ip"_json_pointer, std::string{"none"});
}
json assigned(const json& object) {
  for (const auto& entry : object["status"]["conditions"])
    if (entry["type"] == assigned_condition) return entry;
  return nullptr;
}

TEST(ServiceReconciler, WritesAddressConditionAndOneEventInOneWrite) {
  World world;
  world.reconciler.set_pools(one_pool("web", "192.0.2.0/24"));
  auto object = service("s");
  object["status"]["conditions"] = {{{"type", "Other"}, {"status", "True"}}};
  world.settle(object);
  EXPECT_EQ(ip(object), "192.0.2.0");
  EXPECT_EQ(assigned(object)["status"], "True");
  EXPECT_EQ(assigned(object)["message"], "192.0.2.0 from pool web");
  EXPECT_EQ(object["status"]["conditions"].size(), 2U);
  EXPECT_EQ(world.writes, 1);
  ASSERT_EQ(world.events.size(), 1U);
  EXPECT_EQ(world.events[0].reason, "IPAllocated");
}

TEST(ServiceReconciler, SaysOnceWhyThereIsNoAddress) {
  World world;
  world.reconciler.set_pools(one_pool("tiny", "192.0.2.1/32"));
  auto first = service("first");
  auto second = service("second");
  world.settle(first);
  world.settle(second);
  world.settle(second);
  EXPECT_EQ(assigned(second)["status"], "False");
  EXPECT_EQ(assigned(second)["reason"], "PoolExhausted");
  EXPECT_EQ(world.events.back().reason, "AllocationFailed");
  EXPECT_EQ(world.events.size(), 2U);
  world.reconciler.removed("default/first", t0);
  world.settle(second, t0 + 61s);
  EXPECT_EQ(ip(second), "192.0.2.1");
}

TEST(ServiceReconciler, ReleasesWhenTheTypeChangesAndLeavesNothingBehind) {
  World world;
  world.reconciler.set_pools(one_pool("web", "192.0.2.0/24"));
  auto object = service("s");
  world.settle(object);
  object["spec"]["type"] = "ClusterIP";
  world.settle(object);
  EXPECT_FALSE(object["status"]["loadBalancer"].contains("ingress"));
  EXPECT_TRUE(assigned(object).is_null());
  EXPECT_EQ(world.reconciler.allocator().usage("web", net::Family::Ipv4).assigned, 0U);
}

TEST(ServiceReconciler, NeverTouchesAServiceOfAnotherClass) {
  World world;
  world.reconciler.set_pools(one_pool("web", "192.0.2.0/24"));
  auto object = service("s");
  object["spec"]["loadBalancerClass"] = "example.com/other";
  object["status"]["loadBalancer"]["ingress"] = {{{"ip", "203.0.113.9"}}};
  const auto before = object;
  world.settle(object);
  EXPECT_EQ(object, before);
}

TEST(ServiceReconciler, ShowsButKeepsAnAddressThatSomebodyElseWrote) {
  World world;
  world.reconciler.set_pools(one_pool("web", "192.0.2.1/32"));
  auto taken = service("taken");
  world.settle(taken);
  auto object = service("s");
  object["status"]["loadBalancer"]["ingress"] = {{{"ip", "203.0.113.9"}}};
  world.settle(object);
  EXPECT_EQ(ip(object), "203.0.113.9");
  EXPECT_THAT(assigned(object)["message"].get<std::string>(), HasSubstr("keeps 203.0.113.9"));
}

TEST(ServiceReconciler, MovesToAnotherPoolOnlyWhenAsked) {
  World world;
  auto pools = one_pool("a", "192.0.2.0/24");
  pools.merge(one_pool("b", "198.51.100.0/24"));
  world.reconciler.set_pools(pools);
  auto object = service("s");
  world.settle(object);
  EXPECT_EQ(ip(object), "192.0.2.0");
  object["metadata"]["annotations"]["metallb.io/address-pool"] = "b";
  world.settle(object);
  EXPECT_EQ(ip(object), "198.51.100.0");
  EXPECT_EQ(world.events[1].reason, "ClearAssignment");
  EXPECT_EQ(world.events[2].reason, "IPAllocated");
}

TEST(ServiceReconciler, KeepsTheOldAddressWhileTheRequestedOneIsTaken) {
  World world;
  world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto other = service("other");
  auto object = service("s");
  world.settle(other);
  world.settle(object);
  object["spec"]["loadBalancerIP"] = "192.0.2.0";
  world.settle(object);
  EXPECT_EQ(ip(object), "192.0.2.1");
  EXPECT_EQ(assigned(object)["reason"], "AddressInUse");
  EXPECT_EQ(assigned(object)["status"], "True");
}

TEST(ServiceReconciler, NamesTheAnnotationThatItCannotRead) {
  World world;
  world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto object = service("s");
  object["metadata"]["annotations"]["metallb.io/loadBalancerIPs"] = "192.0.2.1,banana";
  world.settle(object);
  EXPECT_EQ(assigned(object)["message"], "annotation loadBalancerIPs: \"banana\" is not an IP address");
  object["spec"]["loadBalancerIP"] = "192.0.2.1";
  world.settle(object);
  EXPECT_EQ(assigned(object)["reason"], "AmbiguousRequest");
}

TEST(ServiceReconciler, AfterARestartGivesHoldersWhatTheyHadBeforeAnybodyElse) {
  World before;
  before.reconciler.set_pools(one_pool("a", "192.0.2.0/31"));
  auto one = service("one");
  auto two = service("two");
  before.settle(one);
  before.settle(two);
  World after;
  after.reconciler.set_pools(one_pool("a", "192.0.2.0/31"));
  auto fresh = service("fresh");
  for (const auto* object : {&two, &one}) after.reconciler.adopt(*object, t0);
  after.settle(fresh);
  after.settle(one);
  after.settle(two);
  EXPECT_EQ(ip(one), "192.0.2.0");
  EXPECT_EQ(ip(two), "192.0.2.1");
  EXPECT_EQ(ip(fresh), "none");
  EXPECT_EQ(after.writes, 1);
}

TEST(ServiceReconciler, ReallocatesWhenThePoolIsGone) {
  World world;
  world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto object = service("s");
  world.settle(object);
  world.reconciler.set_pools(one_pool("b", "198.51.100.0/24"));
  world.settle(object);
  EXPECT_EQ(ip(object), "198.51.100.0");
  world.reconciler.set_pools({});
  world.settle(object);
  EXPECT_EQ(ip(object), "none");
  EXPECT_EQ(assigned(object)["reason"], "NoPools");
}

}  // namespace
}  // namespace controller
