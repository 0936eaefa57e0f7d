// SPDX-License-Identifier: Apache-2.0
#include "netlink/reconcile.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/netlink/kernel_model.hpp"

namespace netlink {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using State = std::map<std::string, std::vector<std::string>>;  // prefix -> gateways

net::Prefix prefix(const std::string& text) {
  return *net::parse_prefix(text);
}
NextHop hop(const std::string& gateway, std::uint16_t weight = 1) {
  return {*net::parse_ip(gateway), 0, weight};
}

// A reconciler, a kernel and links 1, 2, 3 with the subnets 10.0.N.0/24 and 2001:db8:N::/48.
struct World {
  explicit World(std::optional<Resilience> resilience = std::nullopt, Reporting reporting = Reporting::Problems)
      : reconciler{RouteOwner{}, resilience, reporting,
                   [this](const auto& gateway, auto) { return resolve(gateway); }} {}

  Resolution resolve(const net::IpAddress& gateway) const {
    if (via) return {Reach::Resolved, *via, 1, OnLink::No};
    for (std::uint32_t link = 1; link <= 3; ++link) {
      const auto n = std::to_string(link);
      if (!prefix("10.0." + n + ".0/24").contains(gateway) && !prefix("2001:db8:" + n + "::/48").contains(gateway))
        continue;
      if (down.count(link) != 0) return {Reach::LinkDown, gateway, link, OnLink::No};
      if (unnumbered.count(link) == 0) return {Reach::Resolved, gateway, link, OnLink::No};
    }
    return {};
  }

  void want_hops(const std::string& text, const std::vector<NextHop>& hops, std::uint32_t metric = owners_metric) {
    reconciler.want(prefix(text), reconciler.intern(hops), metric);
    metrics[text] = metric == owners_metric ? default_metric : metric;
  }
  void drop(const std::string& text) { reconciler.withdraw(prefix(text)); }
  void want(const std::string& text, const std::vector<std::string>& gateways, std::uint32_t metric = owners_metric) {
    std::vector<NextHop> hops;
    for (const auto& gateway : gateways) hops.push_back(hop(gateway));
    want_hops(text, hops, metric);
  }
  // Everything in `state` and nothing else.
  void want(const State& state) {
    for (const auto& text : known) {
      if (state.count(text) == 0) reconciler.withdraw(prefix(text));
    }
    for (const auto& [text, gateways] : state) {
      want(text, gateways);
      known.insert(text);
    }
  }

  // Until there is nothing left to do, or to do now. Returns what the kernel was asked.
  std::vector<std::string> settle(std::size_t limit = 7) {
    kernel.log.clear();
    std::vector<Operation> operations;
    for (int round = 0; round < 100'000; ++round) {
      reconciler.plan(operations, limit, now);
      if (operations.empty()) return kernel.log;
      const auto refusals = kernel.execute(operations);
      reconciler.complete(operations, refusals, now);
    }
    ADD_FAILURE() << "does not come to rest";
    return kernel.log;
  }

  void take_link_down(std::uint32_t link) {
    down.insert(link);
    kernel.drop_link(link);
    reconciler.link_lost(link);
    reconciler.links_changed();
  }
  void bring_link_up(std::uint32_t link) {
    down.erase(link);
    reconciler.links_changed();
  }

  // The kernel's routes of ours as gateways.
  State seen() const {
    State out;
    for (const auto& [key, route] : kernel.routes) {
      if (route.protocol != herald_protocol) continue;
      auto& gateways = out[net::print(key.first)];
      if (const auto single = kernel.singles.find(route.nexthop_id); single != kernel.singles.end())
        gateways.push_back(net::print(single->second.gateway));
      if (const auto group = kernel.groups.find(route.nexthop_id); group != kernel.groups.end()) {
        for (const auto& member : group->second) gateways.push_back(net::print(kernel.singles.at(member.id).gateway));
      }
    }
    return out;
  }
  // Every route of ours is there once, with its metric.
  bool has_right_metrics() const {
    std::set<net::Prefix> once;
    return std::ranges::all_of(kernel.routes, [&](const auto& entry) {
      const auto& [prefix, metric] = entry.first;
      return entry.second.protocol != herald_protocol ||
             (once.insert(prefix).second && metrics.at(net::print(prefix)) == metric);
    });
  }
  // What the desired state comes down to with the links as they are.
  State expected(const State& state) const {
    State out;
    for (const auto& [text, gateways] : state) {
      std::set<net::IpAddress> usable;
      for (const auto& gateway : gateways) {
        if (resolve(*net::parse_ip(gateway)).reach == Reach::Resolved) usable.insert(*net::parse_ip(gateway));
      }
      for (const auto& gateway : usable) out[text].push_back(net::print(gateway));
    }
    return out;
  }

  std::set<std::uint32_t> down;
  std::set<std::uint32_t> unnumbered;
  std::optional<net::IpAddress> via;  // a route that leads everywhere
  std::set<std::string> known;
  std::map<std::string, std::uint32_t> metrics;  // that were asked for last
  KernelModel kernel;
  Reconciler reconciler;
  net::TimePoint now{};
};

TEST(Reconciler, InstallsNexthopsThenGroupsThenRoutes) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.want("198.51.100.0/24", {"10.0.1.1"});
  EXPECT_THAT(world.settle(),
              ElementsAre("add nexthop", "add nexthop", "add group", "add 192.0.2.0/24", "add 198.51.100.0/24"));
  EXPECT_THAT(world.settle(), IsEmpty());
}

TEST(Reconciler, RemovesRoutesThenGroupsThenNexthops) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.settle();
  world.drop("192.0.2.0/24");
  EXPECT_THAT(world.settle(), ElementsAre("delete 192.0.2.0/24", "delete nexthop", "delete nexthop", "delete nexthop"));
  EXPECT_TRUE(world.kernel.groups.empty());
  EXPECT_TRUE(world.kernel.singles.empty());
}

TEST(Reconciler, GivesTheSameSetInAnyOrderTheSameGroup) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.want("198.51.100.0/24", {"10.0.2.1", "10.0.1.1"});
  world.want("203.0.113.0/24", {"10.0.2.1", "10.0.1.1", "10.0.2.1"});
  world.settle();
  EXPECT_EQ(world.kernel.groups.size(), 1U);
  EXPECT_EQ(world.kernel.singles.size(), 2U);
}

TEST(Reconciler, ReducesWeightsSoThatEqualSharesAreOneSet) {
  World world;
  world.want_hops("192.0.2.0/24", {hop("10.0.1.1", 5), hop("10.0.2.1", 10)});
  world.want_hops("198.51.100.0/24", {hop("10.0.1.1", 1), hop("10.0.2.1", 2)});
  world.settle();
  ASSERT_EQ(world.kernel.groups.size(), 1U);
  EXPECT_EQ(world.kernel.groups.begin()->second.at(1).weight, 2U);
}

TEST(Reconciler, FollowsAListOfStatesForwardAndReversed) {
  const std::vector<State> states = {
      {},
      {{"192.0.2.0/24", {"10.0.1.1"}}},
      {{"192.0.2.0/24", {"10.0.1.1"}}},
      {{"192.0.2.0/24", {"10.0.1.1", "10.0.2.1"}}, {"2001:db8:aaaa::/48", {"2001:db8:1::1"}}},
      {{"192.0.2.0/24", {"10.0.1.1", "10.0.2.1", "10.0.3.1"}}, {"0.0.0.0/0", {"2001:db8:1::1"}}},
      {{"192.0.2.0/24", {"172.16.0.1"}}, {"::/0", {"2001:db8:1::1", "2001:db8:2::1"}}},
      {{"192.0.2.0/24", {"10.0.1.1", "172.16.0.1"}}},
      {{"198.51.100.0/24", {"10.0.1.1", "10.0.2.1"}}, {"192.0.2.0/24", {"10.0.1.1", "10.0.2.1"}}},
  };
  auto backward = states;
  std::reverse(backward.begin(), backward.end());
  for (const auto& list : {states, backward}) {
    for (const auto empties : {false, true}) {
      World world;
      for (const auto& state : list) {
        world.want(state);
        world.settle(2);
        EXPECT_EQ(world.seen(), world.expected(state));
        world.want(state);
        EXPECT_THAT(world.settle(2), IsEmpty());
        if (!empties) continue;
        world.want(State{});
        world.settle(2);
        EXPECT_TRUE(world.kernel.routes.empty());
        EXPECT_TRUE(world.kernel.singles.empty());
        EXPECT_TRUE(world.kernel.groups.empty());
      }
    }
  }
}

TEST(Reconciler, WritesOnlyTheLastStateOfAPrefix) {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.want("192.0.2.0/24", {"10.0.1.1"});
    world.drop("192.0.2.0/24");
    world.want("192.0.2.0/24", {"10.0.2.1"});
    world.want("198.51.100.0/24", {"10.0.1.1"});
    world.drop("198.51.100.0/24");
  }
  const auto log = world.settle();
  EXPECT_EQ(std::count(log.begin(), log.end(), "add 192.0.2.0/24"), 1);
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.2.1"}}}));
  EXPECT_EQ(world.kernel.singles.size(), 1U);
}

TEST(Reconciler, MovesAllRoutesInOneMessageWhenAMemberIsSuspended) {
  World world;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const auto set = world.reconciler.intern(std::vector<NextHop>{hop("10.0.1.1"), hop("10.0.2.1"), hop("10.0.3.1")});
    world.reconciler.want(net::Ipv4Prefix::host({0xc0000000U + i}), set);
  }
  world.settle(2000);
  world.reconciler.allow(*net::parse_ip("10.0.2.1"), Use::Suspended);
  EXPECT_THAT(world.settle(), ElementsAre("replace group"));
  EXPECT_EQ(world.kernel.groups.begin()->second.size(), 2U);
  world.reconciler.allow(*net::parse_ip("10.0.2.1"), Use::Allowed);
  EXPECT_THAT(world.settle(), ElementsAre("replace group"));
  EXPECT_EQ(world.kernel.groups.begin()->second.size(), 3U);
}

TEST(Reconciler, KeepsAGroupWhenEveryMemberIsSuspended) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.settle();
  for (const auto* gateway : {"10.0.1.1", "10.0.2.1"}) world.reconciler.allow(*net::parse_ip(gateway), Use::Suspended);
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1", "10.0.2.1"}}}));
}

// ---- silent deletions ----

TEST(ReconcilerWhenALinkGoesDown, ShrinksGroupsWithoutAMessage) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.settle();
  world.take_link_down(2);
  EXPECT_THAT(world.settle(), IsEmpty());  // the kernel has done it
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1"}}}));
  world.bring_link_up(2);
  EXPECT_THAT(world.settle(), ElementsAre("add nexthop", "replace group"));
}

TEST(ReconcilerWhenALinkGoesDown, PutsNexthopGroupAndRoutesBack) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.1.2"});
  world.want("198.51.100.0/24", {"10.0.1.1"});
  world.settle();
  world.take_link_down(1);
  EXPECT_THAT(world.settle(), IsEmpty());
  const auto status = world.reconciler.status(prefix("192.0.2.0/24"));
  EXPECT_EQ(status.outcome, Outcome::Waiting);
  EXPECT_THAT(*status.text, testing::HasSubstr("10.0.1.1 is down"));
  EXPECT_EQ(world.reconciler.counters().waiting, 2U);
  world.bring_link_up(1);
  const auto asked = world.settle();
  ASSERT_EQ(asked.size(), 5U);
  EXPECT_THAT(std::vector(asked.begin(), asked.begin() + 3), ElementsAre("add nexthop", "add nexthop", "add group"));
  EXPECT_THAT(std::vector(asked.begin() + 3, asked.end()),
              UnorderedElementsAre("add 192.0.2.0/24", "add 198.51.100.0/24"));
  EXPECT_EQ(world.reconciler.counters().reasserted, 2U);
  EXPECT_EQ(world.reconciler.counters().waiting, 0U);
}

TEST(ReconcilerWhenALinkGoesDown, SeesAFlapThatIsOverBeforeItLooks) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  world.take_link_down(1);
  world.bring_link_up(1);
  EXPECT_THAT(world.settle(), ElementsAre("add nexthop", "add 192.0.2.0/24"));
}

TEST(ReconcilerWhenANexthopIsDeleted, RestoresTheGroupAndItsRoutes) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.settle();
  for (const auto id : {world.kernel.singles.begin()->first, world.kernel.singles.rbegin()->first}) {
    world.kernel.drop_nexthop(id);
    NexthopMessage gone;
    gone.change = Change::Deleted;
    gone.id = id;
    world.reconciler.kernel_says(gone);
  }
  EXPECT_TRUE(world.kernel.routes.empty());
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1", "10.0.2.1"}}}));
  EXPECT_EQ(world.reconciler.counters().reasserted, 1U);
}

TEST(ReconcilerWhenASubnetGoes, WithdrawsWhatHasNoWayAndBringsItBack) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.want("198.51.100.0/24", {"10.0.1.1", "10.0.2.1"});
  world.settle();
  world.unnumbered.insert(1);
  world.reconciler.links_changed();
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"198.51.100.0/24", {"10.0.2.1"}}}));
  EXPECT_EQ(world.kernel.singles.size(), 1U);
  world.unnumbered.erase(1);
  world.reconciler.links_changed();
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1"}}, {"198.51.100.0/24", {"10.0.1.1", "10.0.2.1"}}}));
}

TEST(Reconciler, MovesTheNexthopObjectWhenTheWayToTheGatewayChanges) {
  World world;
  world.via = net::parse_ip("10.0.1.254");
  world.want("192.0.2.0/24", {"172.16.0.1"});
  world.settle();
  world.via = net::parse_ip("10.0.1.253");
  world.reconciler.resolve_again();
  EXPECT_THAT(world.settle(), ElementsAre("replace nexthop"));
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.253"}}}));
}

// ---- restart ----

TEST(ReconcilerAfterARestart, TouchesNothingThatIsStillWanted) {
  World before;
  before.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  before.want("198.51.100.0/24", {"10.0.1.1"});
  before.settle();

  World after;
  after.kernel = before.kernel;
  after.kernel.dump_into(after.reconciler);
  EXPECT_EQ(after.reconciler.counters().adopted, 2U);
  EXPECT_EQ(after.reconciler.status(prefix("192.0.2.0/24")).outcome, Outcome::Stale);
  EXPECT_THAT(after.settle(), IsEmpty());
  after.want("198.51.100.0/24", {"10.0.1.1"});
  after.want("192.0.2.0/24", {"10.0.2.1", "10.0.1.1"});
  EXPECT_THAT(after.settle(), IsEmpty());
  after.reconciler.sweep();
  EXPECT_THAT(after.settle(), IsEmpty());
  EXPECT_EQ(after.reconciler.counters().programmed, 2U);
  EXPECT_EQ(after.reconciler.counters().swept, 0U);
}

TEST(ReconcilerAfterARestart, SweepsWhatIsNotWantedOnlyWhenTold) {
  World before;
  before.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  before.want("198.51.100.0/24", {"10.0.3.1"});
  before.settle();

  World after;
  after.kernel = before.kernel;
  after.kernel.dump_into(after.reconciler);
  after.want("192.0.2.0/24", {"10.0.1.1"});
  EXPECT_THAT(after.settle(), ElementsAre("replace 192.0.2.0/24"));
  EXPECT_EQ(after.kernel.routes.size(), 2U);
  after.reconciler.sweep();
  after.settle();
  EXPECT_EQ(after.seen(), (State{{"192.0.2.0/24", {"10.0.1.1"}}}));
  EXPECT_EQ(after.kernel.singles.size(), 1U);
  EXPECT_TRUE(after.kernel.groups.empty());
  EXPECT_EQ(after.reconciler.counters().swept, 1U);
}

TEST(ReconcilerAfterARestart, RemovesRoutesOfAnEarlierMetric) {
  World world;
  world.kernel.singles[first_nexthop_id] = {*net::parse_ip("10.0.1.1"), 1};
  world.kernel.routes[{prefix("192.0.2.0/24"), 77}] = {first_nexthop_id, herald_protocol};
  world.kernel.routes[{prefix("198.51.100.0/24"), 77}] = {first_nexthop_id, herald_protocol};
  world.kernel.dump_into(world.reconciler);
  world.want("192.0.2.0/24", {"10.0.1.1"});
  // One that has its successor goes at once, one of which nobody has spoken yet stays until the sweep.
  EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24", "delete 192.0.2.0/24"));
  world.reconciler.sweep();
  EXPECT_THAT(world.settle(), ElementsAre("delete 198.51.100.0/24"));
  EXPECT_TRUE(world.has_right_metrics());
}

TEST(ReconcilerAfterARestart, TakesOverARouteWithAMetricOfItsOwn) {
  World world;
  world.kernel.singles[first_nexthop_id] = {*net::parse_ip("10.0.1.1"), 1};
  world.kernel.routes[{prefix("192.0.2.0/24"), 77}] = {first_nexthop_id, herald_protocol};
  world.kernel.dump_into(world.reconciler);
  EXPECT_EQ(world.reconciler.counters().adopted, 1U);
  world.want("192.0.2.0/24", {"10.0.1.1"}, 77);
  EXPECT_THAT(world.settle(), IsEmpty());
  world.reconciler.sweep();
  EXPECT_THAT(world.settle(), IsEmpty());
  EXPECT_EQ(world.reconciler.status(prefix("192.0.2.0/24")).outcome, Outcome::Programmed);
  world.drop("192.0.2.0/24");
  EXPECT_THAT(world.settle(), ElementsAre("delete 192.0.2.0/24", "delete nexthop"));
}

TEST(ReconcilerMetric, IsChangedByANewRouteBeforeTheOldOneGoes) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"}, 100);
  world.settle();
  world.want("192.0.2.0/24", {"10.0.2.1"}, 50);
  EXPECT_THAT(world.settle(1), ElementsAre("add nexthop", "add 192.0.2.0/24", "delete 192.0.2.0/24", "delete nexthop"));
  EXPECT_TRUE(world.has_right_metrics());
  // Back and forth before anything is written: nothing to do.
  world.want("192.0.2.0/24", {"10.0.2.1"});
  world.want("192.0.2.0/24", {"10.0.2.1"}, 50);
  EXPECT_THAT(world.settle(), IsEmpty());
  world.want("192.0.2.0/24", {"10.0.2.1"});
  EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24", "delete 192.0.2.0/24"));
  EXPECT_TRUE(world.has_right_metrics());
}

TEST(ReconcilerMetric, LeavesTheOldRouteWhereSomebodyElseHasTheNewOne) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  world.kernel.routes[{prefix("192.0.2.0/24"), 50}] = {0, 4};
  world.want("192.0.2.0/24", {"10.0.1.1"}, 50);
  EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24"));
  EXPECT_EQ(world.reconciler.status(prefix("192.0.2.0/24")).outcome, Outcome::Failed);
  EXPECT_EQ(world.kernel.routes.size(), 2U);
  world.kernel.routes.erase({prefix("192.0.2.0/24"), 50});
  world.reconciler.kernel_says(KernelModel::message({prefix("192.0.2.0/24"), 50}, {0, 4}, Change::Deleted));
  EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24", "delete 192.0.2.0/24"));
}

TEST(ReconcilerMetric, TakesTheOldRouteAwayWithItsLastNextHop) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"}, 100);
  world.settle();
  world.want("192.0.2.0/24", {"10.0.9.9"}, 50);  // on no link
  world.settle();
  EXPECT_THAT(world.kernel.routes, IsEmpty());
  world.want("192.0.2.0/24", {"10.0.1.1"}, 50);
  world.settle();
  world.want("192.0.2.0/24", {"10.0.1.1"}, 60);
  world.drop("192.0.2.0/24");
  world.settle();
  EXPECT_THAT(world.kernel.routes, IsEmpty());
  EXPECT_THAT(world.kernel.singles, IsEmpty());
}

TEST(ReconcilerAfterARestart, DoesNotReuseAGroupOfAnotherType) {
  World before;
  before.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  before.settle();
  const auto old_id = before.kernel.groups.begin()->first;

  World after{Resilience{64, 100, 0}};
  after.kernel = before.kernel;
  after.reconciler.begin_resync();
  for (const auto& [id, single] : after.kernel.singles) after.reconciler.kernel_says(KernelModel::message(id, single));
  NexthopMessage group;
  group.id = old_id;
  group.protocol = herald_protocol;
  group.members = after.kernel.groups[old_id];
  after.reconciler.kernel_says(group);
  for (const auto& [key, route] : after.kernel.routes) after.reconciler.kernel_says(KernelModel::message(key, route));
  after.reconciler.end_resync();
  after.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  EXPECT_THAT(after.settle(), ElementsAre("add group", "replace 192.0.2.0/24"));
  after.reconciler.sweep();
  EXPECT_THAT(after.settle(), ElementsAre("delete nexthop"));
  EXPECT_EQ(after.kernel.groups.count(old_id), 0U);
}

TEST(ReconcilerAfterARestart, NoticesLinksThatTookAdoptedRoutesAway) {
  World before;
  before.want("192.0.2.0/24", {"10.0.1.1", "10.0.1.2"});
  before.settle();
  World after;
  after.kernel = before.kernel;
  after.kernel.dump_into(after.reconciler);
  after.take_link_down(1);
  after.want("192.0.2.0/24", {"10.0.1.1", "10.0.1.2"});
  EXPECT_THAT(after.settle(), IsEmpty());
  after.bring_link_up(1);
  after.settle();
  EXPECT_EQ(after.seen(), (State{{"192.0.2.0/24", {"10.0.1.1", "10.0.1.2"}}}));
}

// ---- others ----

TEST(ReconcilerBesideOthers, PutsBackWhatSomebodyDeleted) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  const auto [key, route] = *world.kernel.routes.begin();
  world.kernel.routes.clear();
  world.reconciler.kernel_says(KernelModel::message(key, route, Change::Deleted));
  EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24"));
  EXPECT_EQ(world.reconciler.counters().reasserted, 1U);
}

TEST(ReconcilerBesideOthers, CorrectsWhatSomebodyChanged) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  auto [key, route] = *world.kernel.routes.begin();
  route.nexthop_id = 99;
  world.reconciler.kernel_says(KernelModel::message(key, route));
  EXPECT_THAT(world.settle(), ElementsAre("replace 192.0.2.0/24"));
  EXPECT_EQ(world.reconciler.counters().reasserted, 1U);
}

TEST(ReconcilerBesideOthers, LeavesAForeignRouteAloneAndSaysSo) {
  World world;
  const KernelModel::Key key{prefix("192.0.2.0/24"), default_metric};
  world.kernel.routes[key] = {4711, 4};
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.want("198.51.100.0/24", {"10.0.1.1"});
  world.settle();
  EXPECT_EQ(world.kernel.routes[key].nexthop_id, 4711U);
  EXPECT_TRUE(world.reconciler.take_doubt());
  const auto reports = world.reconciler.take_reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].outcome, Outcome::Failed);
  EXPECT_THAT(*reports[0].text, testing::HasSubstr("another route"));
  EXPECT_EQ(world.reconciler.counters().failed, 1U);

  // Time alone changes nothing, and is not reported again.
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(world.reconciler.next_deadline());
    world.now = *world.reconciler.next_deadline();
    EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24"));
  }
  EXPECT_THAT(world.reconciler.take_reports(), IsEmpty());
  // The other's leaving is heard and acted upon at once.
  world.reconciler.kernel_says(KernelModel::message(key, world.kernel.routes[key], Change::Deleted));
  world.kernel.routes.erase(key);
  EXPECT_THAT(world.settle(), ElementsAre("add 192.0.2.0/24"));
  EXPECT_EQ(world.reconciler.take_reports().at(0).outcome, Outcome::Programmed);
  EXPECT_EQ(world.reconciler.counters().failed, 0U);
}

TEST(ReconcilerBesideOthers, DoesNotReplaceBesideAForeignRoute) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  world.reconciler.kernel_says(KernelModel::message({prefix("192.0.2.0/24"), default_metric}, {4711, 4}));
  world.want("192.0.2.0/24", {"10.0.2.1"});
  EXPECT_THAT(world.settle(), ElementsAre("add nexthop", "delete 192.0.2.0/24", "add 192.0.2.0/24", "delete nexthop"));
}

TEST(ReconcilerBesideOthers, StepsAsideWhenReplaced) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  const KernelModel::Key key{prefix("192.0.2.0/24"), default_metric};
  world.kernel.routes[key] = {4711, 4};
  auto message = KernelModel::message(key, world.kernel.routes[key]);
  message.replaced = true;
  world.reconciler.kernel_says(message);
  world.settle();
  EXPECT_EQ(world.kernel.routes[key].protocol, 4);
  EXPECT_EQ(world.reconciler.status(prefix("192.0.2.0/24")).outcome, Outcome::Failed);
}

TEST(ReconcilerBesideOthers, IgnoresOtherTablesAndMetrics) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  auto message = KernelModel::message({prefix("192.0.2.0/24"), default_metric}, {0, herald_protocol}, Change::Deleted);
  message.table = 100;
  world.reconciler.kernel_says(message);
  message.table = main_table;
  message.metric = 5;
  world.reconciler.kernel_says(message);
  message.metric = default_metric;
  message.protocol = 4;
  world.reconciler.kernel_says(message);
  EXPECT_THAT(world.settle(), IsEmpty());
}

TEST(ReconcilerBesideOthers, RemovesARouteThatClaimsToBeOurs) {
  World world;
  world.reconciler.sweep();
  const KernelModel::Key key{prefix("192.0.2.0/24"), default_metric};
  world.kernel.routes[key] = {4711, herald_protocol};
  world.reconciler.kernel_says(KernelModel::message(key, world.kernel.routes[key]));
  EXPECT_THAT(world.settle(), ElementsAre("delete 192.0.2.0/24"));
}

TEST(ReconcilerBesideOthers, TakesAnotherIdWhenItsIdIsTaken) {
  World world;
  world.kernel.singles[first_nexthop_id] = {*net::parse_ip("10.9.9.9"), 9, 4};
  world.kernel.singles[first_nexthop_id + 1] = {*net::parse_ip("10.9.9.9"), 9, 4};
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1"}}}));
  EXPECT_EQ(world.kernel.singles[first_nexthop_id].gateway, *net::parse_ip("10.9.9.9"));
  EXPECT_TRUE(world.reconciler.take_doubt());
}

TEST(ReconcilerBesideOthers, CorrectsANexthopThatSomebodyChanged) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1", "10.0.2.1"});
  world.settle();
  auto changed = KernelModel::message(world.kernel.singles.begin()->first, world.kernel.singles.begin()->second);
  changed.gateway = *net::parse_ip("10.0.1.66");
  world.reconciler.kernel_says(changed);
  EXPECT_THAT(world.settle(), ElementsAre("replace nexthop"));
  NexthopMessage group;
  group.id = world.kernel.groups.begin()->first;
  group.members = {world.kernel.groups.begin()->second[0]};
  world.reconciler.kernel_says(group);
  EXPECT_THAT(world.settle(), ElementsAre("replace group"));
}

TEST(Reconciler, IgnoresARepeatedMessageAboutItsRoute) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  auto message = KernelModel::message(world.kernel.routes.begin()->first, world.kernel.routes.begin()->second);
  message.flags = 0x4000;  // RTM_F_OFFLOAD: hardware has it now
  world.reconciler.kernel_says(message);
  EXPECT_THAT(world.settle(), IsEmpty());
}

// ---- lost events, refusals ----

TEST(ReconcilerAfterLostEvents, FindsWhatIsMissingOrWrong) {
  World world;
  const State state = {
      {"192.0.2.0/24", {"10.0.1.1"}}, {"198.51.100.0/24", {"10.0.1.1", "10.0.2.1"}}, {"203.0.113.0/24", {"10.0.3.1"}}};
  world.want(state);
  world.settle();
  world.reconciler.sweep();
  const auto id_of = [&](const char* text) { return world.kernel.routes[{prefix(text), default_metric}].nexthop_id; };
  world.kernel.drop_nexthop(id_of("203.0.113.0/24"));
  world.kernel.drop_nexthop(id_of("198.51.100.0/24"));
  world.kernel.routes[{prefix("233.252.0.0/24"), default_metric}] = {id_of("192.0.2.0/24"), herald_protocol};
  world.kernel.dump_into(world.reconciler);
  world.settle();
  EXPECT_EQ(world.seen(), state);
  EXPECT_EQ(world.reconciler.counters().reasserted, 2U);
}

TEST(ReconcilerAfterLostAnswers, TriesAgainAndRests) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  std::vector<Operation> operations;
  for (int i = 0; i < 3; ++i) {
    world.reconciler.plan(operations, 10, world.now);
    (void)world.kernel.execute(operations);
    world.reconciler.lost_answers(operations, world.now);
    EXPECT_TRUE(world.reconciler.take_doubt());
    world.kernel.dump_into(world.reconciler);
    world.now += net::Seconds{60};
  }
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1"}}}));
  EXPECT_EQ(world.reconciler.counters().failed, 0U);
  EXPECT_EQ(world.kernel.singles.size(), 1U);
}

TEST(Reconciler, RepliesToARefusedNexthopByWaitingLongerEachTime) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  std::vector<Operation> operations;
  net::Duration last{};
  for (int i = 0; i < 12; ++i) {
    world.reconciler.plan(operations, 10, world.now);
    ASSERT_EQ(operations.size(), 1U);
    world.reconciler.complete(operations, std::vector<Refusal>{{0, {EINVAL, "Nexthop has invalid gateway"}}},
                              world.now);
    world.reconciler.plan(operations, 10, world.now);
    EXPECT_THAT(operations, IsEmpty());
    const auto wait = *world.reconciler.next_deadline() - world.now;
    EXPECT_GE(wait, last);
    EXPECT_LE(wait, net::Seconds{30});
    last = wait;
    world.now = *world.reconciler.next_deadline();
  }
  const auto status = world.reconciler.status(prefix("192.0.2.0/24"));
  EXPECT_EQ(status.outcome, Outcome::Waiting);
  EXPECT_EQ(*status.text, "next hop 10.0.1.1: Nexthop has invalid gateway (EINVAL)");
  // A change of the links is a reason to try at once.
  world.now -= net::Seconds{10};
  world.reconciler.links_changed();
  world.settle();
  EXPECT_EQ(world.seen(), (State{{"192.0.2.0/24", {"10.0.1.1"}}}));
}

TEST(Reconciler, ReportsAnUnresolvableNextHopOnEveryRouteOnce) {
  World world;
  world.want("192.0.2.0/24", {"172.16.0.1"});
  world.want("198.51.100.0/24", {"172.16.0.1"});
  EXPECT_THAT(world.settle(), IsEmpty());
  auto reports = world.reconciler.take_reports();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].outcome, Outcome::Waiting);
  EXPECT_EQ(*reports[0].text, "no interface is connected to next hop 172.16.0.1");
  EXPECT_EQ(reports[0].text, reports[1].text);  // one text for all
  world.want("192.0.2.0/24", {"172.16.0.1"});
  world.settle();
  EXPECT_THAT(world.reconciler.take_reports(), IsEmpty());
  world.drop("192.0.2.0/24");
  world.settle();
  reports = world.reconciler.take_reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].outcome, Outcome::Absent);
}

TEST(Reconciler, ReportsEveryChangeWhenAsked) {
  World world{std::nullopt, Reporting::Every};
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  EXPECT_EQ(world.reconciler.take_reports().at(0).outcome, Outcome::Programmed);
  world.drop("192.0.2.0/24");
  world.settle();
  EXPECT_EQ(world.reconciler.take_reports().at(0).outcome, Outcome::Absent);
}

// Who waits for the answer to a wish gets one, also when there is nothing to do.
TEST(Reconciler, AnswersEveryWishWhenAsked) {
  World world;
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.want("198.51.100.0/24", {"172.16.0.1"});
  world.settle();
  (void)world.reconciler.take_reports();
  const auto outcomes = [&] {
    std::map<std::string, Outcome> found;
    for (const auto& report : world.reconciler.take_reports()) found[net::print(report.prefix)] = report.outcome;
    return found;
  };
  const std::map<std::string, Outcome> all{{"192.0.2.0/24", Outcome::Programmed},
                                           {"198.51.100.0/24", Outcome::Waiting}};
  world.reconciler.set_reporting(Reporting::Every);
  world.settle();
  EXPECT_EQ(outcomes(), all);
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.want("198.51.100.0/24", {"172.16.0.1"});
  world.settle();
  EXPECT_EQ(outcomes(), all);
  world.reconciler.set_reporting(Reporting::Problems);
  world.want("192.0.2.0/24", {"10.0.1.1"});
  world.settle();
  EXPECT_THAT(outcomes(), IsEmpty());
}

TEST(Reconciler, ScalesWeightsWhereTheKernelTakesOneByte) {
  World world;
  world.kernel.narrow_weights = 256;
  world.want_hops("192.0.2.0/24", {hop("10.0.1.1", 1000), hop("10.0.2.1", 501)});
  world.settle();
  ASSERT_EQ(world.kernel.groups.size(), 1U);
  const auto& members = world.kernel.groups.begin()->second;
  EXPECT_EQ(members[0].weight, 256U);
  EXPECT_EQ(members[1].weight, 128U);
}

TEST(Reconciler, UsesTheKernelsDefaultMetricForIpv6Zero) {
  Reconciler reconciler{RouteOwner{.metric = 0}, std::nullopt, Reporting::Problems, [](const auto& gateway, auto) {
                          return Resolution{Reach::Resolved, gateway, 1, OnLink::No};
                        }};
  reconciler.want(prefix("2001:db8::/32"), reconciler.intern(std::vector<NextHop>{hop("2001:db8:1::1")}));
  KernelModel kernel;
  std::vector<Operation> operations;
  for (reconciler.plan(operations, 9, {}); !operations.empty(); reconciler.plan(operations, 9, {}))
    reconciler.complete(operations, kernel.execute(operations), {});
  EXPECT_EQ(kernel.routes.begin()->first.second, 1024U);
}

// Wishes, link flaps, deletions by others, heard of or not: once all is said, the kernel has what can be
// had and not one object more.
TEST(Reconciler, ComesToTheRightStateFromAnyHistory) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 random{seed};
    const auto pick = [&](unsigned below) { return static_cast<std::uint32_t>(random() % below); };
    World world;
    world.reconciler.sweep();
    State state;
    for (int step = 0; step < 120; ++step) {
      const auto text = net::print(net::Prefix{*net::Ipv4Prefix::make({0xc0000000U + (pick(12) << 8)}, 24)});
      switch (pick(9)) {
        case 0:
          state.erase(text);
          world.drop(text);
          break;
        case 1:
        case 2:
        case 3: {
          std::set<std::string> gateways;
          for (auto n = pick(3) + 1; n > 0; --n)
            gateways.insert("10.0." + std::to_string(pick(4) + 1) + "." + std::to_string(pick(2) + 1));
          state[text] = {gateways.begin(), gateways.end()};
          world.want(text, state[text], std::array{owners_metric, 7U, 300U}[pick(3)]);
          break;
        }
        case 4:
          world.take_link_down(pick(3) + 1);
          break;
        case 5:
          world.bring_link_up(pick(3) + 1);
          break;
        case 6:  // a route is deleted, and we hear of it
          if (const auto at = world.kernel.routes.begin(); at != world.kernel.routes.end()) {
            world.reconciler.kernel_says(KernelModel::message(at->first, at->second, Change::Deleted));
            world.kernel.routes.erase(at);
          }
          break;
        case 7: {  // an object is deleted unheard, which the dump tells
          std::vector<std::uint32_t> ids;
          for (const auto& [id, single] : world.kernel.singles) ids.push_back(id);
          for (const auto& [id, members] : world.kernel.groups) ids.push_back(id);
          if (!ids.empty()) world.kernel.drop_nexthop(ids[pick(static_cast<unsigned>(ids.size()))]);
          world.kernel.dump_into(world.reconciler);
          break;
        }
        default: {  // some of the work gets done
          std::vector<Operation> operations;
          for (auto rounds = pick(4); rounds > 0; --rounds) {
            world.reconciler.plan(operations, pick(3) + 1, world.now);
            world.reconciler.complete(operations, world.kernel.execute(operations), world.now);
          }
        }
      }
      if (pick(4) == 0) {
        world.settle(3);
        ASSERT_EQ(world.seen(), world.expected(state)) << "seed " << seed << " step " << step;
        ASSERT_TRUE(world.has_right_metrics()) << "seed " << seed << " step " << step;
      }
    }
    world.down.clear();
    world.reconciler.links_changed();
    world.settle(3);
    ASSERT_EQ(world.seen(), world.expected(state)) << "seed " << seed;
    const auto counters = world.reconciler.counters();
    EXPECT_EQ(counters.failed, 0U);
    EXPECT_EQ(counters.nexthops, world.kernel.singles.size());
    EXPECT_EQ(counters.groups, world.kernel.groups.size());
    for (const auto& [text, gateways] : state) world.drop(text);
    world.settle(3);
    EXPECT_TRUE(world.kernel.routes.empty());
    EXPECT_TRUE(world.kernel.singles.empty()) << "seed " << seed;
    EXPECT_TRUE(world.kernel.groups.empty()) << "seed " << seed;
    EXPECT_EQ(world.reconciler.counters().programmed, 0U);
    EXPECT_EQ(world.reconciler.counters().wanted, 0U);
    EXPECT_EQ(world.reconciler.counters().waiting, 0U);
  }
}

}  // namespace
}  // namespace netlink
