// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_reconciler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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
  std::vector<EventText> events;
  int writes = 0;

  void settle(json& object, net::TimePoint now = t0) {
    for (int round = 0; round < 5; ++round) {
      const auto update = reconciler.reconcile(object.dump(), now, "2026-01-01T00:00:00Z").update;
      if (!update) return;
      object.merge_patch(json::parse(update->merge_patch));
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

std::map<std::string, config::IPAddressPool> pool_of(const std::string& name, const std::vector<const char*>& ranges) {
  auto pools = one_pool(name, ranges.front());
  for (std::size_t i = 1; i < ranges.size(); ++i) pools[name].addresses.push_back(*net::parse_range(ranges[i]));
  return pools;
}
std::vector<std::string> ips(const json& object) {
  std::vector<std::string> out;
  const auto ingress = object["status"]["loadBalancer"].value("ingress", json::array());
  for (const auto& entry : ingress) out.push_back(entry["ip"]);
  return out;
}
json dual(const std::string& name, const char* policy) {
  auto object = service(name);
  object["spec"]["ipFamilies"] = {"IPv4", "IPv6"};
  object["spec"]["ipFamilyPolicy"] = policy;
  return object;
}

TEST(DualStackService, KeepsTheOtherFamilyWhenItsPoolLosesOne) {
  World world;
  world.reconciler.set_pools(pool_of("a", {"192.0.2.0/24", "2001:db8::/64"}));
  auto other = service("other");
  auto object = dual("s", "PreferDualStack");
  world.settle(other);
  world.settle(object);
  world.reconciler.removed("default/other", t0);
  ASSERT_THAT(ips(object), testing::ElementsAre("192.0.2.1", "2001:db8::"));
  // Another pool has both families, and it is no reason to move.
  auto pools = one_pool("a", "192.0.2.0/24");
  pools.merge(pool_of("both", {"198.51.100.0/24", "2001:db8:1::/64"}));
  world.reconciler.set_pools(pools);
  world.settle(object, t0 + 600s);
  EXPECT_THAT(ips(object), testing::ElementsAre("192.0.2.1"));
  EXPECT_THAT(world.events.end()[-2].message, HasSubstr("2001:db8:: was taken back"));
  world.reconciler.set_pools(pool_of("a", {"192.0.2.0/24", "2001:db8::/64"}));
  world.settle(object, t0 + 600s);
  EXPECT_THAT(ips(object), testing::ElementsAre("192.0.2.1", "2001:db8::"));
}

TEST(DualStackService, ThatRequiresBothKeepsWhatIsLeftUntilAPoolHasBoth) {
  World world;
  world.reconciler.set_pools(pool_of("a", {"192.0.2.0/24", "2001:db8::/64"}));
  auto object = dual("s", "RequireDualStack");
  world.settle(object);
  auto pools = one_pool("a", "192.0.2.0/24");
  world.reconciler.set_pools(pools);
  world.settle(object);
  EXPECT_THAT(ips(object), testing::ElementsAre("192.0.2.0"));
  EXPECT_EQ(assigned(object)["reason"], "PoolExhausted");
  EXPECT_THAT(assigned(object)["message"].get<std::string>(), HasSubstr("keeps 192.0.2.0"));
  pools.merge(pool_of("both", {"198.51.100.0/24", "2001:db8:1::/64"}));
  world.reconciler.set_pools(pools);
  world.settle(object);
  EXPECT_THAT(ips(object), testing::ElementsAre("198.51.100.0", "2001:db8:1::"));
}

TEST(DualStackService, KeepsItsAddressWhenItsPolicyIsEdited) {
  World world;
  auto pools = one_pool("0-first", "203.0.113.0/24");
  world.reconciler.set_pools(pool_of("a", {"192.0.2.0/24", "2001:db8::/64"}));
  auto other = service("other");
  auto object = dual("s", "SingleStack");
  world.settle(other);
  world.settle(object);
  pools.merge(pool_of("a", {"192.0.2.0/24", "2001:db8::/64"}));
  pools.merge(pool_of("0-dual", {"198.51.100.0/24", "2001:db8:1::/64"}));
  world.reconciler.set_pools(pools);
  ASSERT_THAT(ips(object), testing::ElementsAre("192.0.2.1"));
  object["spec"]["ipFamilyPolicy"] = "RequireDualStack";
  world.settle(object);
  EXPECT_THAT(ips(object), testing::ElementsAre("192.0.2.1", "2001:db8::"));
  object["spec"]["ipFamilyPolicy"] = "PreferDualStack";
  world.settle(object);
  EXPECT_THAT(ips(object), testing::ElementsAre("192.0.2.1", "2001:db8::"));
  object["spec"]["ipFamilyPolicy"] = "SingleStack";
  object["spec"]["ipFamilies"] = {"IPv6"};
  world.settle(object);
  EXPECT_THAT(ips(object), testing::ElementsAre("2001:db8::"));
  EXPECT_EQ(world.reconciler.allocator().usage("a", net::Family::Ipv4).quarantined, 1U) << "what it gave up rests";
}

TEST(SharedAddress, IsLeftByTheServiceWhosePolicyComesToDiffer) {
  World world;
  world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto one = service("one");
  auto two = service("two");
  for (auto* object : {&one, &two}) (*object)["metadata"]["annotations"]["metallb.io/allow-shared-ip"] = "key";
  two["spec"]["ports"][0]["port"] = 81;
  world.settle(one);
  world.settle(two);
  ASSERT_EQ(ip(one), ip(two));
  two["spec"]["externalTrafficPolicy"] = "Local";
  world.settle(two);
  EXPECT_EQ(ip(one), "192.0.2.0");
  EXPECT_EQ(ip(two), "192.0.2.1");
  EXPECT_THAT(world.events.end()[-2].message, HasSubstr("externalTrafficPolicy differs"));
}

TEST(SharedAddress, ReachesTheNamespacesThatBothServicesName) {
  World world;
  world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto front = service("web");
  auto back = service("web");
  auto stranger = service("web");
  const auto settle = [&](json& object, const std::string& space, std::uint16_t port, const char* shares_with) {
    object["metadata"]["namespace"] = space;
    object["metadata"]["annotations"] = {{"metallb.io/allow-shared-ip", "key"},
                                         {"herald.dev/share-with-namespaces", shares_with}};
    object["spec"]["ports"][0]["port"] = port;
    world.settle(object);
    return ip(object);
  };
  EXPECT_EQ(settle(front, "front", 80, "other ,back, "), "192.0.2.0");
  EXPECT_EQ(settle(back, "back", 81, "front"), "192.0.2.0");
  EXPECT_EQ(settle(stranger, "stranger", 82, "*"), "192.0.2.1") << "the others do not name it";
}

TEST(ServiceReconciler, NamesThePoolInAnnotationsAndTakesThemAwayWithTheAddress) {
  World world;
  world.reconciler.set_pools(one_pool("web", "192.0.2.0/24"));
  auto object = service("s");
  object["metadata"]["annotations"]["mine"] = "stays";
  world.settle(object);
  EXPECT_EQ(object["metadata"]["annotations"], json({{"mine", "stays"},
                                                     {"herald.dev/ip-allocated-from-pool", "web"},
                                                     {"metallb.io/ip-allocated-from-pool", "web"}}));
  // Whoever replaces the object without them gets them back, and there is no event for that.
  object["metadata"]["annotations"] = {{"metallb.io/ip-allocated-from-pool", "another"}};
  world.settle(object);
  EXPECT_EQ(object["metadata"]["annotations"]["metallb.io/ip-allocated-from-pool"], "web");
  EXPECT_EQ(world.events.size(), 1U);
  object["spec"]["type"] = "ClusterIP";
  world.settle(object);
  EXPECT_EQ(object["metadata"]["annotations"], json::object());
}

TEST(ServiceReconciler, TellsAWaitingServiceOnceHoweverOftenTheQuarantineChanges) {
  World world;
  world.reconciler.set_pools(one_pool("tiny", "192.0.2.0/30"));
  std::vector<json> held;
  for (const auto* name : {"a", "b", "c", "d"}) world.settle(held.emplace_back(service(name)));
  auto waiting = service("waiting");
  world.settle(waiting);
  const auto events = world.events.size();
  for (int i = 0; i < 3; ++i) {
    world.reconciler.removed(std::string{"default/"} + "abcd"[i], t0);
    world.settle(waiting, t0 + std::chrono::seconds{i});
  }
  EXPECT_EQ(world.events.size(), events);
}

TEST(ServiceReconciler, QuarantinesWhatAServiceHadThatBecameAnothersWhileWeWereAway) {
  World before;
  before.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto one = service("one");
  before.settle(one);
  one["spec"]["type"] = "ClusterIP";
  World after;
  after.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  after.reconciler.adopt(one.dump(), t0);
  after.settle(one);
  auto fresh = service("fresh");
  after.settle(fresh);
  EXPECT_EQ(ip(fresh), "192.0.2.1");
}

TEST(ServiceReconciler, QuarantinesWhatAServiceHadThatAskedForAnotherWhileWeWereAway) {
  World before;
  before.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto one = service("one");
  before.settle(one);
  one["spec"]["loadBalancerIP"] = "192.0.2.9";
  World after;
  after.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  after.reconciler.adopt(one.dump(), t0);
  after.settle(one);
  EXPECT_EQ(ip(one), "192.0.2.9");
  auto fresh = service("fresh");
  after.settle(fresh);
  EXPECT_EQ(ip(fresh), "192.0.2.1");
}

TEST(HeldAddresses, AreThoseThatWeGave) {
  World world;
  world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
  auto ours = service("ours");
  world.settle(ours);
  EXPECT_THAT(held_addresses(config::Kind::Service, ours.dump()), testing::ElementsAre("192.0.2.0"));
  EXPECT_THAT(held_addresses(config::Kind::Node, ours.dump()), testing::IsEmpty());
  auto foreign = service("foreign");
  foreign["status"]["loadBalancer"]["ingress"] = {{{"ip", "203.0.113.9"}}};
  EXPECT_THAT(held_addresses(config::Kind::Service, foreign.dump()), testing::IsEmpty());
  world.settle(foreign);
  EXPECT_EQ(assigned(foreign)["reason"], foreign_address);
  EXPECT_THAT(held_addresses(config::Kind::Service, foreign.dump()), testing::IsEmpty());
  for (const auto& odd : {json{}, json{{"status", 3}}, json{{"status", {{"conditions", "x"}}}}})
    EXPECT_THAT(held_addresses(config::Kind::Service, odd.dump()), testing::IsEmpty());
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

TEST(ServiceReconciler, TakesNoOffenceAtAStatusOfTheWrongShape) {
  for (const auto& odd : {json{{"conditions", {"text", 3, {{"type", 3}}, json::array()}}},
                          json{{"conditions", "text"}, {"loadBalancer", 3}},
                          json{{"loadBalancer", {{"ingress", {3, {{"ip", 3}}, {{"ip", "banana"}}}}}}}}) {
    World world;
    world.reconciler.set_pools(one_pool("a", "192.0.2.0/24"));
    auto object = service("s");
    object["status"] = odd;
    world.settle(object);
    EXPECT_EQ(ip(object), "192.0.2.0") << odd.dump();
  }
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
  for (const auto* object : {&two, &one}) after.reconciler.adopt(object->dump(), t0);
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
