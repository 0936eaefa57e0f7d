// SPDX-License-Identifier: Apache-2.0
// Routes that come and go with the tables: aggregates, default routes, conditional announcements.
#include "bgp/wire/text.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

const auto whole = pfx("10.0.0.0/16");
const auto first = pfx("10.0.1.0/24");
const auto second = pfx("10.0.2.0/24");
const auto elsewhere = pfx("203.0.113.0/24");
const auto anywhere = pfx("0.0.0.0/0");

struct Tables : Lab {
  Speaker& sender = add(external(1));
  Speaker& other = add(external(3));
  Speaker& receiver = add(external(2));
  void aggregate(Aggregate with) {
    auto config = router.config();
    config.aggregates = {std::move(with)};
    router.configure(config, neighbors, start_time);
  }
  std::size_t hops(const net::Prefix& prefix) {
    router.replay_routes();
    std::size_t found = 0;
    router.drain_route_changes(100000, [&](const net::Prefix& each, std::span<const RouteHop> all) {
      if (each == prefix) found = all.size();
    });
    return found;
  }
};

TEST(RouterAggregates, AreThereWhileThereIsSomethingWithin) {
  Tables lab;
  lab.aggregate({.prefix = whole});
  lab.establish();
  EXPECT_THAT(lab.receiver.heard, IsEmpty());
  lab.sender.announce({first, second, elsewhere}, path({65001, 65009}));
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(whole), Key(first), Key(second), Key(elsewhere)));
  const auto& told = lab.receiver.heard[whole];
  EXPECT_EQ(print(told.as_path), "65000");
  EXPECT_TRUE(told.atomic_aggregate);
  EXPECT_EQ(told.aggregator, (Aggregator{net::Asn{65000}, {0x0a000001}}));
  EXPECT_EQ(lab.hops(whole), 0U);
  lab.sender.withdraw({first});
  lab.settle();
  EXPECT_TRUE(lab.receiver.heard.contains(whole));
  lab.sender.withdraw({second});
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(elsewhere)));
}

TEST(RouterAggregates, HideWhatIsWithinWhereTheyAreToBeASummary) {
  Tables lab;
  lab.establish();
  lab.sender.announce({first, elsewhere}, path({65001}));
  lab.settle();
  lab.aggregate({.prefix = whole, .summary_only = true, .communities = {Community{0xfde80007}}});
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(whole), Key(elsewhere)));
  EXPECT_THAT(lab.receiver.heard[whole].communities, ElementsAre(Community{0xfde80007}));
  for (const auto& each : lab.router.explain(first).exports) {
    if (each.peer != "e2") continue;
    EXPECT_EQ(each.reason, "within a summary-only aggregate");
  }
  // A route that comes later is hidden, too, and all come back with the end of the aggregate.
  lab.sender.announce({second}, path({65001}));
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(whole), Key(elsewhere)));
  lab.router.configure({.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, lab.neighbors, start_time);
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(first), Key(second), Key(elsewhere)));
}

TEST(RouterAggregates, HoldTheNumbersOfAllPathsAsASet) {
  Tables lab;
  lab.aggregate({.prefix = whole, .as_set = true});
  lab.establish();
  lab.sender.announce({first}, path({65001, 65009, 65010}));
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[whole].as_path), "65000 65001 65009 65010");
  EXPECT_FALSE(lab.receiver.heard[whole].atomic_aggregate);
  auto incomplete = path({65001, 65009, 65011});
  incomplete.origin = Origin::Incomplete;
  lab.sender.announce({second}, incomplete);
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[whole].as_path), "65000 65001 65009 {65010 65011}");
  EXPECT_EQ(lab.receiver.heard[whole].origin, Origin::Incomplete);
  lab.sender.announce({second}, path({65001, 65012}));
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[whole].as_path), "65000 65001 {65009 65010 65012}");
}

// RFC 4271 section 9.2.2.2
TEST(RouterAggregates, AreOfTheWorstOriginWithin) {
  Tables lab;
  lab.aggregate({.prefix = whole});
  lab.establish();
  lab.sender.announce({first}, path({65001}));
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[whole].origin, Origin::Igp);
  auto other = path({65001});
  other.origin = Origin::Incomplete;
  lab.sender.announce({second}, other);
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[whole].origin, Origin::Incomplete);
  other.origin = Origin::Egp;
  lab.sender.announce({second}, other);
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[whole].origin, Origin::Egp);
  lab.sender.withdraw({second});
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[whole].origin, Origin::Igp);
}

TEST(RouterAggregates, StayAtomicWhenARouteWithinIs) {
  Tables lab;
  lab.aggregate({.prefix = whole, .as_set = true});
  lab.establish();
  lab.sender.announce({first}, path({65001}));
  lab.settle();
  EXPECT_FALSE(lab.receiver.heard[whole].atomic_aggregate);
  auto atomic = path({65001, 65009});
  atomic.atomic_aggregate = true;
  lab.sender.announce({second}, atomic);
  lab.settle();
  EXPECT_TRUE(lab.receiver.heard[whole].atomic_aggregate);
}

TEST(RouterAggregates, CarryTheCommunitiesOfAllWithin) {
  Tables lab;
  lab.aggregate({.prefix = whole, .as_set = true, .communities = {*parse_community("65000:9")}});
  lab.establish();
  auto one = path({65001});
  one.communities = {*parse_community("65001:2"), *parse_community("65001:1"), community_graceful_shutdown};
  one.extended_communities = {*parse_extended_community("rt:65001:1"), link_bandwidth(net::Asn{65001}, 1e9F)};
  one.large_communities = {{65001, 1, 2}};
  auto other = path({65001});
  other.communities = {*parse_community("65000:9"), *parse_community("65001:1"), *parse_community("65001:3")};
  other.ipv6_extended_communities = {*parse_ipv6_extended_community("rt:[2001:db8::1]:1")};
  lab.sender.announce({first}, one);
  lab.sender.announce({second}, other);
  auto dropped = path({65001});
  dropped.communities = {community_blackhole, community_no_advertise};
  lab.sender.announce({pfx("10.0.3.1/32")}, dropped);
  lab.settle();
  auto& told = lab.receiver.heard[whole];
  EXPECT_EQ(print(told.communities), "65000:9 65001:1 65001:2 65001:3");
  EXPECT_EQ(print(told.extended_communities), "rt:65001:1");
  EXPECT_EQ(print(told.large_communities), "65001:1:2");
  EXPECT_EQ(print(told.ipv6_extended_communities), "rt:[2001:db8::1]:1");
  lab.sender.withdraw({first});
  lab.settle();
  EXPECT_EQ(print(told.communities), "65000:9 65001:1 65001:3");
  EXPECT_THAT(told.extended_communities, IsEmpty());
  lab.aggregate({.prefix = whole});
  lab.settle();
  EXPECT_THAT(lab.receiver.heard[whole].communities, IsEmpty()) << "ATOMIC_AGGREGATE says that something is missing";
}

TEST(RouterAggregates, GoNoFartherThanWhatIsWithin) {
  Tables lab;
  auto& inside = lab.add(internal(4));
  lab.aggregate({.prefix = whole, .as_set = true});
  lab.establish();
  const auto announce = [&](std::vector<Community> communities) {
    auto attributes = path({65001});
    attributes.communities = std::move(communities);
    lab.sender.announce({second}, attributes);
    lab.settle();
  };
  lab.sender.announce({first}, path({65001}));
  announce({community_no_export});
  EXPECT_FALSE(lab.receiver.heard.contains(whole));
  EXPECT_EQ(print(inside.heard[whole].communities), "no-export");
  announce({community_no_advertise});
  EXPECT_FALSE(inside.heard.contains(whole));
  announce({});
  EXPECT_TRUE(lab.receiver.heard.contains(whole));
  EXPECT_TRUE(inside.heard.contains(whole));
  // Its own communities are for those who hear it.
  lab.aggregate({.prefix = whole, .as_set = true, .communities = {community_no_export}});
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[whole].communities), "no-export");
}

TEST(RouterAggregates, AreWithoutCommunitiesThatAreTooMany) {
  Tables lab;
  lab.aggregate({.prefix = whole, .as_set = true, .communities = {*parse_community("65000:9")}});
  lab.establish();
  for (std::uint32_t i = 0; i < 6; ++i) {
    auto attributes = path({65001});
    for (std::uint32_t k = 0; k < 100; ++k) attributes.communities.push_back({65001U << 16 | (i * 100 + k)});
    lab.sender.announce({*net::parse_prefix("10.0." + std::to_string(i) + ".0/24")}, attributes);
  }
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[whole].communities), "65000:9");
  EXPECT_TRUE(lab.receiver.heard[whole].atomic_aggregate);
  auto& inside = lab.add(internal(4));
  lab.configure();
  ASSERT_TRUE(inside.establish());
  auto attributes = path({65001});
  attributes.communities = {community_no_export};
  lab.sender.announce({pfx("10.0.9.0/24")}, attributes);
  lab.settle();
  EXPECT_EQ(print(inside.heard[whole].communities), "65000:9 no-export");
  EXPECT_FALSE(lab.receiver.heard.contains(whole));
}

// A set of all numbers of a large table has no room in a path.
TEST(RouterAggregates, AreWithoutASetThatIsTooLong) {
  Tables lab;
  lab.aggregate({.prefix = whole, .as_set = true});
  lab.establish();
  for (std::uint32_t i = 0; i < 20; ++i) {
    std::vector<std::uint32_t> numbers{65001};
    for (std::uint32_t k = 0; k < 900; ++k) numbers.push_back(100000 + i * 1000 + k);
    lab.sender.announce({*net::parse_prefix("10.0." + std::to_string(i) + ".0/24")}, path(numbers));
  }
  lab.settle();
  const auto explained = lab.router.explain(whole).paths;
  ASSERT_EQ(explained.size(), 1U);
  EXPECT_EQ(print(explained[0].attributes.as_path), "");
  EXPECT_TRUE(explained[0].attributes.atomic_aggregate);
}

TEST(RouterAggregates, GiveWayToWhatIsOriginatedByHand) {
  Tables lab;
  lab.aggregate({.prefix = whole});
  lab.establish();
  lab.sender.announce({first}, path({65001}));
  lab.settle();
  lab.router.set_local(whole, LocalRoute{.announcements = {{.med = 7}}});
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[whole].med, 7U);
  lab.router.set_local(whole, std::nullopt);
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[whole].med, std::nullopt);
  EXPECT_TRUE(lab.receiver.heard[whole].atomic_aggregate);
  lab.sender.withdraw({first});
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, IsEmpty());
}

// ---- default routes -----------------------------------------------------------------------------------

TEST(RouterDefaultOriginate, IsAlwaysThereForTheNeighbour) {
  Tables lab;
  lab.config(lab.receiver).default_originate.emplace();
  lab.establish();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(anywhere), Key(pfx("::/0"))));
  EXPECT_THAT(lab.sender.heard, IsEmpty());
  EXPECT_EQ(print(lab.receiver.heard[anywhere].as_path), "65000");
}

TEST(RouterDefaultOriginate, DoesNotKeepALearnedOneFromBeingUsed) {
  Tables lab;
  lab.config(lab.receiver).default_originate.emplace();
  lab.config(lab.receiver).export_filter.reset();
  lab.establish();
  lab.sender.announce({anywhere, elsewhere}, path({65001}));
  lab.settle();
  EXPECT_EQ(lab.hops(anywhere), 1U);
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(anywhere), Key(pfx("::/0"))));
  EXPECT_EQ(print(lab.receiver.heard[anywhere].as_path), "65000 65001");
  EXPECT_EQ(lab.receiver.heard[anywhere].next_hop.address, net::IpAddress{Speaker::router_address});
  lab.sender.withdraw({anywhere});
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[anywhere].as_path), "65000");
  EXPECT_EQ(lab.hops(anywhere), 0U);
}

TEST(RouterDefaultOriginate, DependsOnOtherRoutes) {
  Tables lab;
  lab.config(lab.receiver).default_originate = DefaultOriginate{.when_present = {elsewhere}};
  lab.establish();
  EXPECT_THAT(lab.receiver.heard, IsEmpty());
  lab.sender.announce({elsewhere}, path({65001}));
  lab.settle();
  EXPECT_TRUE(lab.receiver.heard.contains(anywhere));
  lab.sender.hang_up();
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, IsEmpty());
  lab.config(lab.receiver).default_originate = DefaultOriginate{};
  lab.configure();
  lab.settle();
  EXPECT_TRUE(lab.receiver.heard.contains(anywhere));
  lab.config(lab.receiver).default_originate.reset();
  lab.configure();
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, IsEmpty());
}

// ---- conditional announcements ------------------------------------------------------------------------

TEST(RouterConditions, AnnounceWhileAnotherRouteIsThereOrNot) {
  Tables lab;
  auto backup = rule("backup", RuleAction::Accept);
  backup.match.prefixes = {{first, 24, 24}};
  backup.match.when_absent = {elsewhere};
  auto main = rule("main", RuleAction::Accept);
  main.match.prefixes = {{second, 24, 24}};
  main.match.when_present = {elsewhere};
  lab.config(lab.receiver).export_filter = FilterChain{{"conditional", {backup, main}}};
  lab.establish();
  lab.sender.announce({first, second}, path({65001}));
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(first)));
  lab.other.announce({elsewhere}, path({65003}));
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(second)));
  lab.other.withdraw({elsewhere});
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(first)));
  EXPECT_EQ(lab.status(lab.receiver).session.established_count, 1U);
  lab.config(lab.receiver).export_filter = FilterChain{accept_all()};
  lab.configure();
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(Key(first), Key(second)));
}

TEST(RouterConditions, LeaveNothingInTheTables) {
  Tables lab;
  lab.aggregate({.prefix = whole, .as_set = true});
  lab.config(lab.receiver).default_originate.emplace();
  lab.establish();
  lab.sender.announce({first, second}, path({65001}));
  lab.settle();
  lab.sender.hang_up();
  lab.config(lab.receiver).default_originate.reset();
  lab.router.configure({.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, lab.neighbors, start_time);
  lab.settle();
  lab.router.drain_route_changes(100000, [](const auto&, auto) {});
  EXPECT_EQ(lab.router.table().ipv4_prefixes, 0U);
  EXPECT_EQ(lab.router.table().attribute_sets, 0U);
}

}  // namespace
}  // namespace bgp
