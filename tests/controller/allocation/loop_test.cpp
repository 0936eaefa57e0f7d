// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/controller/store/store_fixture.hpp"

namespace controller {
namespace {

using nlohmann::json;
using testing::create;
using testing::merge;
using testing::pool;
using testing::remove;
using testing::service;
using namespace std::chrono_literals;

json load_balancer() {
  return {{"spec", {{"type", "LoadBalancer"}, {"ports", {{{"port", 80}}}}}}};
}
json addresses(const char* range) {
  return {{"apiVersion", "herald.dev/v1"}, {"kind", "IPAddressPool"}, {"spec", {{"addresses", {range}}}}};
}

class AllocationLoopTest : public testing::StoreTest {
 public:
  AllocationLoopTest() {
    holdings = held_addresses;
    open();
  }
  void start() {
    loop.emplace(
        *store, "", AllocationClocks{[this] { return steady; }, [this] { return now; }},
        [this](std::function<void()> work) { queue.post(std::move(work)); }, pool_interval);
    loop->start();
    settle();
  }
  void restart() {
    loop.reset();
    open();
    start();
  }
  void settle() {
    ASSERT_TRUE(queue.run_until([this] { return loop->settled() && store->statistics().pending == 0; }));
  }
  // Does the write and everything that follows from it.
  void change(Write one) {
    ASSERT_TRUE(write(std::move(one)));
    settle_after_change();
  }
  void settle_after_change() {
    // The store wakes the loop by a post of its own: let that pass first.
    bool passed = false;
    queue.post([&passed] { passed = true; });
    ASSERT_TRUE(queue.run_until([&passed] { return passed; }));
    settle();
  }
  std::string ip(const std::string& name) {
    return get(service(name)).value("/status/loadBalancer/ingress/0/ip"_json_pointer, std::string{"none"});
  }
  std::vector<ObjectPtr> objects(config::Kind kind) { return std::move(store->list({.kind = kind})->objects); }
  std::vector<std::string> reasons() {
    std::vector<std::string> out;
    for (const auto& event : objects(config::Kind::Event)) out.push_back(json::parse(event->text)["reason"]);
    return out;
  }

  net::TimePoint steady{};
  net::TimePoint::duration pool_interval{0};
  std::optional<AllocationLoop> loop;
};

TEST_F(AllocationLoopTest, AssignsWhatComesAndCountsItOnThePool) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/30")));
  change(create(service("one"), load_balancer()));
  EXPECT_EQ(ip("one"), "192.0.2.0");
  EXPECT_EQ(get(pool("web"))["status"]["assignedIPv4"], 1);
  EXPECT_EQ(get(pool("web"))["status"]["availableIPv4"], 3);
  EXPECT_THAT(reasons(), ::testing::ElementsAre("IPAllocated"));
}

TEST_F(AllocationLoopTest, WritesTheNumbersOfAPoolAtOnceAndThenTogether) {
  pool_interval = 1s;
  start();
  change(create(pool("web"), addresses("192.0.2.0/29")));
  const auto assigned = [this] { return get(pool("web"))["status"]["assignedIPv4"]; };
  EXPECT_EQ(assigned(), 0);
  steady += 1s;
  ASSERT_TRUE(write(create(service("first"), load_balancer())));
  ASSERT_TRUE(queue.run_until([&] { return ip("first") != "none" && assigned() == 1; })) << "at once";
  const auto revision = store->get(pool("web"))->revision;
  for (const auto* name : {"second", "third", "fourth"}) {
    ASSERT_TRUE(write(create(service(name), load_balancer())));
    ASSERT_TRUE(queue.run_until([&] { return ip(name) != "none"; }));
  }
  steady += 999ms;
  loop->tick();
  EXPECT_EQ(store->get(pool("web"))->revision, revision) << "not yet";
  EXPECT_FALSE(loop->settled());
  steady += 1ms;
  loop->tick();
  settle();
  EXPECT_EQ(assigned(), 4);
}

TEST_F(AllocationLoopTest, TellsOfAnExhaustedPoolInItsStatus) {
  start();
  change(create(pool("tiny"), addresses("192.0.2.1/32")));
  const auto exhausted = [this] { return get(pool("tiny"))["status"]["conditions"][0]; };
  EXPECT_EQ(exhausted()["status"], "False");
  now += 10s;
  change(create(service("one"), load_balancer()));
  EXPECT_EQ(exhausted()["status"], "True");
  EXPECT_EQ(exhausted()["message"], "all 1 IPv4 addresses are assigned");
  EXPECT_EQ(exhausted()["lastTransitionTime"], "2023-11-14T22:13:30Z");
  now += 10s;
  change(remove(service("one")));
  EXPECT_EQ(get(pool("tiny"))["status"]["quarantinedIPv4"], 1);
  EXPECT_EQ(exhausted()["message"], "all 1 IPv4 addresses are assigned or in quarantine");
  EXPECT_EQ(exhausted()["lastTransitionTime"], "2023-11-14T22:13:30Z") << "it went on";
  now += 60s;
  steady += 60s;
  loop->tick();
  settle();
  EXPECT_EQ(get(pool("tiny"))["status"]["quarantinedIPv4"], 0);
  EXPECT_EQ(exhausted()["status"], "False");
  const auto text = store->get(pool("tiny"))->text;
  restart();
  EXPECT_EQ(store->get(pool("tiny"))->text, text) << "nothing to say anew";
}

TEST_F(AllocationLoopTest, KeepsReleasedAddressesFromOthersOverARestart) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  for (const auto* name : {"deleted", "retyped", "moved", "kept"}) change(create(service(name), load_balancer()));
  change(remove(service("deleted")));
  change(merge(service("retyped"), {{"spec", {{"type", "ClusterIP"}}}}));
  change(merge(service("moved"), {{"spec", {{"loadBalancerIP", "192.0.2.77"}}}}));
  now += 20s;
  steady += 1h;  // another boot, another steady clock
  restart();
  EXPECT_EQ(get(pool("web"))["status"]["quarantinedIPv4"], 3);
  change(create(service("fresh"), load_balancer()));
  EXPECT_EQ(ip("fresh"), "192.0.2.4");
  change(create(service("deleted"), load_balancer()));
  EXPECT_EQ(ip("deleted"), "192.0.2.0") << "it was its own";
  now += 40s;
  steady += 40s;
  loop->tick();
  settle();
  EXPECT_EQ(get(pool("web"))["status"]["quarantinedIPv4"], 0);
  change(create(service("late"), load_balancer()));
  EXPECT_EQ(ip("late"), "192.0.2.1");
}

TEST_F(AllocationLoopTest, KeepsAnAddressFromOthersWhoseServiceWentJustBeforeACrash) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  change(create(service("gone"), load_balancer()));
  ASSERT_TRUE(write(remove(service("gone"))));  // durable, and nobody has looked at it yet
  restart();
  change(create(service("fresh"), load_balancer()));
  EXPECT_EQ(ip("fresh"), "192.0.2.1");
}

TEST_F(AllocationLoopTest, GivesAWaitingServiceItsAddressWhenAPoolComes) {
  start();
  change(create(service("early"), load_balancer()));
  EXPECT_EQ(ip("early"), "none");
  EXPECT_EQ(loop->waiting(), 1U);
  change(create(pool("late"), addresses("192.0.2.0/30")));
  EXPECT_EQ(ip("early"), "192.0.2.0");
  EXPECT_EQ(loop->waiting(), 0U);
}

TEST_F(AllocationLoopTest, GivesAReleasedAddressToTheOneThatWaitsAfterItsQuarantine) {
  start();
  change(create(pool("one"), addresses("192.0.2.1/32")));
  change(create(service("first"), load_balancer()));
  change(create(service("second"), load_balancer()));
  EXPECT_EQ(ip("second"), "none");
  change(remove(service("first")));
  EXPECT_EQ(ip("second"), "none");
  steady += 60s;
  ASSERT_LE(*loop->next_deadline(), steady);
  loop->tick();
  settle();
  EXPECT_EQ(ip("second"), "192.0.2.1");
}

TEST_F(AllocationLoopTest, ChangesNothingOverARestart) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(write(create(service("s" + std::to_string(i)), load_balancer())));
  settle_after_change();
  ASSERT_TRUE(write(remove(service("s7"))));
  settle_after_change();
  std::map<std::string, std::string> before;
  for (const auto& object : objects(config::Kind::Service)) before[object->key.name] = object->text;
  const auto events = objects(config::Kind::Event).size();
  restart();
  for (const auto& object : objects(config::Kind::Service)) EXPECT_EQ(object->text, before[object->key.name]);
  EXPECT_EQ(ip("s8"), "192.0.2.8");
  EXPECT_EQ(objects(config::Kind::Event).size(), events) << "nothing happened that is worth an Event";
}

TEST_F(AllocationLoopTest, SetsAnUnreadablePoolAsideAndServesTheRest) {
  start();
  change(create(pool("bad"), addresses("192.0.2.300/24")));
  change(create(pool("good"), addresses("198.51.100.0/24")));
  change(create(pool("overlaps"), addresses("198.51.100.128/25")));
  change(create(service("s"), load_balancer()));
  EXPECT_EQ(ip("s"), "198.51.100.0");
  EXPECT_THAT(loop->pools(), ::testing::ElementsAre("good"));
}

TEST_F(AllocationLoopTest, LooksAtTheServiceThatChangedAndAtNoOthers) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(write(create(service("s" + std::to_string(i)), load_balancer())));
  settle_after_change();
  settle_after_change();
  const auto before = loop->counters().looked;
  change(create(service("one"), load_balancer()));
  settle_after_change();  // the status of the pool has changed, too
  EXPECT_LE(loop->counters().looked - before, 3U);
  change(merge(pool("web"), {{"spec", {{"autoAssign", false}}}}));
  EXPECT_GE(loop->counters().looked - before, 100U) << "an edit of the pool concerns them all";
}

TEST_F(AllocationLoopTest, LooksOnceAtAServiceThatNobodyElseTouches) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  const auto before = loop->counters().looked;
  change(create(service("one"), load_balancer()));
  settle_after_change();
  EXPECT_EQ(ip("one"), "192.0.2.0");
  EXPECT_EQ(loop->counters().looked - before, 1U) << "what it wrote itself is no news";
  restart();
  settle_after_change();
  EXPECT_EQ(loop->counters().looked, 0U) << "it is as it should be";
  change(merge(service("one"), {{"spec", {{"type", "ClusterIP"}}}}));
  EXPECT_EQ(ip("one"), "none");
}

TEST_F(AllocationLoopTest, LooksAgainAtAServiceThatChangedWhileItWasWritten) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  ASSERT_TRUE(write(create(service("one"), load_balancer())));
  // Once the loop has written, and before that is durable.
  ASSERT_TRUE(queue.run_until([this] { return store->statistics().pending != 0; }));
  ASSERT_TRUE(
      write(merge(service("one"), {{"metadata", {{"annotations", {{"herald.dev/loadBalancerIPs", "192.0.2.9"}}}}}})));
  settle_after_change();
  EXPECT_EQ(ip("one"), "192.0.2.9");
}

TEST_F(AllocationLoopTest, GoesOnWaitingOverARestart) {
  start();
  change(create(pool("one"), addresses("192.0.2.1/32")));
  change(create(service("first"), load_balancer()));
  change(create(service("second"), load_balancer()));
  restart();
  EXPECT_EQ(loop->waiting(), 1U);
  change(remove(service("first")));
  now += 61s;
  steady += 61s;
  loop->tick();
  settle();
  EXPECT_EQ(ip("second"), "192.0.2.1");
}

TEST_F(AllocationLoopTest, DoesNotCountAsWaitingWhatIsNoLoadBalancerAnyMore) {
  start();
  change(create(pool("web"), addresses("192.0.2.0/24")));
  change(create(service("one"), load_balancer()));
  change(merge(service("one"), {{"spec", {{"type", "ClusterIP"}}}}));
  EXPECT_EQ(loop->waiting(), 0U);
}

TEST_F(AllocationLoopTest, ForgetsTheLabelsOfANamespaceThatIsGone) {
  start();
  auto picky = addresses("192.0.2.0/24");
  picky["spec"]["serviceAllocation"]["namespaceSelectors"] = {{{"matchLabels", {{"team", "web"}}}}};
  change(create(pool("picky"), picky));
  const ObjectKey shop{config::Kind::Namespace, "", "shop"};
  change(create(shop, {{"metadata", {{"labels", {{"team", "web"}}}}}}));
  change(remove(shop));
  change(create(service("s", "shop"), load_balancer()));
  EXPECT_EQ(loop->waiting(), 1U);
}

TEST_F(AllocationLoopTest, FollowsTheLabelsOfNamespaces) {
  start();
  auto picky = addresses("192.0.2.0/24");
  picky["spec"]["serviceAllocation"]["namespaceSelectors"] = {{{"matchLabels", {{"team", "web"}}}}};
  change(create(pool("picky"), picky));
  change(create({config::Kind::Namespace, "", "shop"}, json::object()));
  change(create(service("s", "shop"), load_balancer()));
  EXPECT_EQ(loop->waiting(), 1U);
  change(merge({config::Kind::Namespace, "", "shop"}, {{"metadata", {{"labels", {{"team", "web"}}}}}}));
  EXPECT_EQ(loop->waiting(), 0U);
}

}  // namespace
}  // namespace controller
