// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Optional;
using ::testing::Pair;

TEST(RouterLocalRoute, IsAnnouncedToEachPeerAsItIsToldTo) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& inside = lab.add(internal(3));
  lab.establish();
  Announcement for_first{.peers = {"e1"}, .med = 50, .prepend = 2, .communities = {Community{0xfde80064}}};
  Announcement for_inside{.peers = {"i3"}, .local_pref = 250, .prepend = 1};
  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {for_first, for_inside}});
  lab.settle();
  const auto& got = first.heard.at(pfx("192.0.2.1/32"));
  EXPECT_THAT(asns(got), ElementsAre(65000, 65000, 65000));
  EXPECT_EQ(got.med, 50U);
  EXPECT_THAT(got.communities, ElementsAre(Community{0xfde80064}));
  EXPECT_THAT(second.heard, IsEmpty());
  EXPECT_EQ(inside.heard.at(pfx("192.0.2.1/32")).local_pref, 250U);
  EXPECT_THAT(asns(inside.heard.at(pfx("192.0.2.1/32"))), IsEmpty());

  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {for_inside, {}}});
  lab.settle();
  EXPECT_THAT(asns(first.heard.at(pfx("192.0.2.1/32"))), ElementsAre(65000));
  EXPECT_EQ(second.heard.size(), 1U);

  lab.router.set_local(pfx("192.0.2.1/32"), std::nullopt);
  lab.settle();
  EXPECT_THAT(first.heard, IsEmpty());
  EXPECT_THAT(second.heard, IsEmpty());
  EXPECT_THAT(inside.heard, IsEmpty());
}

TEST(RouterLocalRoute, ChangesNothingForPeersThatSeeNoDifference) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  lab.establish();
  const LocalRoute route{.announcements = {{.peers = {"e1"}, .med = 1}, {}}};
  lab.router.set_local(pfx("192.0.2.1/32"), route);
  lab.settle();
  const auto before = second.updates;
  lab.router.set_local(pfx("192.0.2.1/32"), route);
  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {{.peers = {"e1"}, .med = 2}, {}}});
  lab.settle();
  EXPECT_EQ(first.heard.at(pfx("192.0.2.1/32")).med, 2U);
  EXPECT_EQ(second.updates, before);
}

TEST(RouterLocalRoute, IsPreferredAndKeepsLearnedRoutesOfItsPrefixOutOfTheKernel) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  lab.establish();
  first.announce({pfx("192.0.2.1/32")}, path({65001}));
  std::map<net::Prefix, std::size_t> kernel;
  const auto visit = [&](const net::Prefix& prefix, std::span<const RouteHop> hops) { kernel[prefix] = hops.size(); };
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(kernel, ElementsAre(Pair(pfx("192.0.2.1/32"), 1)));
  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {{}}});
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(kernel, ElementsAre(Pair(pfx("192.0.2.1/32"), 0)));
  lab.settle();
  EXPECT_THAT(asns(second.heard.at(pfx("192.0.2.1/32"))), ElementsAre(65000));
  EXPECT_EQ(lab.best_reason("192.0.2.1/32"), ": Local Route");
}

TEST(RouterRouteFeed, GivesTheMetricThatAFilterSetAndTellsItToNobody) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(internal(2));
  FilterRule low = rule("low", RuleAction::Accept);
  low.match.communities = {CommunityPattern::exactly(Community{7})};
  low.set.kernel_metric = 512;
  lab.config(sender).import = {{"priorities", {low}}, accept_all()};
  lab.establish();
  std::map<net::Prefix, std::uint32_t> metrics;
  const auto visit = [&](const net::Prefix& prefix, std::span<const RouteHop> hops) {
    metrics[prefix] = hops.front().metric;
  };
  auto marked = path({65001});
  marked.communities = {Community{7}};
  sender.announce({pfx("203.0.113.0/24")}, marked);
  sender.announce({pfx("198.51.100.0/24")}, path({65001}));
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(metrics, ElementsAre(Pair(pfx("198.51.100.0/24"), 0), Pair(pfx("203.0.113.0/24"), 512)));
  lab.settle();
  EXPECT_EQ(receiver.heard.at(pfx("203.0.113.0/24")).communities, marked.communities);
  // The metric alone changes: another route for the kernel.
  metrics.clear();
  lab.config(sender).import[0].rules[0].set.kernel_metric = 100;
  lab.configure();
  sender.announce({pfx("203.0.113.0/24")}, marked);
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(metrics, ElementsAre(Pair(pfx("203.0.113.0/24"), 100)));
}

TEST(RouterRouteFeed, GivesEqualPathsTogetherAndOnlyTheLatestState) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  std::vector<std::pair<net::Prefix, std::vector<net::IpAddress>>> seen;
  const auto visit = [&](const net::Prefix& prefix, std::span<const RouteHop> hops) {
    seen.emplace_back(prefix, std::vector<net::IpAddress>{});
    for (const auto& hop : hops) seen.back().second.push_back(hop.address);
  };
  second.announce({pfx("203.0.113.0/24")}, path({65002, 64999}));
  first.announce({pfx("203.0.113.0/24")}, path({65001, 64999}));
  third.announce({pfx("203.0.113.0/24")}, path({65003, 64998, 64999}));
  EXPECT_EQ(lab.router.drain_route_changes(100, visit), 0U);
  EXPECT_THAT(seen,
              ElementsAre(Pair(pfx("203.0.113.0/24"), ElementsAre(first.options().address, second.options().address))));
  seen.clear();
  second.withdraw({pfx("203.0.113.0/24")});  // not the best, but one of those in use
  third.withdraw({pfx("203.0.113.0/24")});
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(seen, ElementsAre(Pair(pfx("203.0.113.0/24"), ElementsAre(first.options().address))));
  seen.clear();
  third.announce({pfx("203.0.113.0/24")}, path({65003, 64998, 64999}));  // neither
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(seen, IsEmpty());
  first.withdraw({pfx("203.0.113.0/24")});
  third.withdraw({pfx("203.0.113.0/24")});
  lab.settle();
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(seen, ElementsAre(Pair(pfx("203.0.113.0/24"), IsEmpty())));
  EXPECT_EQ(lab.router.table().ipv4_prefixes, 0U);
}

TEST(RouterRouteFeed, LeavesOutUnreachableNextHops) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  first.announce({pfx("203.0.113.0/24")}, path({65001}));
  second.announce({pfx("203.0.113.0/24")}, path({65002, 64999}));
  lab.settle();
  lab.router.set_unreachable({first.options().address});
  lab.settle();
  EXPECT_THAT(asns(third.heard.at(pfx("203.0.113.0/24"))), ElementsAre(65000, 65002, 64999));
  const auto explained = lab.router.explain(pfx("203.0.113.0/24"));
  ASSERT_EQ(explained.paths.size(), 2U);
  EXPECT_EQ(explained.paths[1].peer, "e1");
  EXPECT_EQ(explained.paths[1].reason, "Next hop unreachable");
  lab.router.set_unreachable({});
  lab.settle();
  EXPECT_THAT(asns(third.heard.at(pfx("203.0.113.0/24"))), ElementsAre(65000, 65001));
}

TEST(RouterRouteFeed, NeedsNoWayToWherePacketsAreDropped) {
  Lab lab;
  auto& first = lab.add(external(1));
  lab.config(first).accept_blackhole = true;
  lab.establish();
  lab.router.set_unreachable({first.options().address});
  auto black = path({65001});
  black.communities = {community_blackhole};
  first.announce({pfx("203.0.113.1/32")}, black);
  lab.settle();
  EXPECT_EQ(lab.best_reason("203.0.113.1/32"), "e1: Only path");
  lab.config(first).accept_blackhole = false;
  lab.configure();
  lab.settle();
  EXPECT_EQ(lab.best_reason("203.0.113.1/32"), "");
  lab.config(first).accept_blackhole = true;
  lab.configure();
  lab.settle();
  EXPECT_EQ(lab.best_reason("203.0.113.1/32"), "e1: Only path");
}

TEST(RouterNextHops, AreThoseOfAllRoutesEachOnce) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  lab.establish();
  (void)lab.router.take_next_hops();
  EXPECT_EQ(lab.router.take_next_hops(), std::nullopt);
  first.announce({pfx("203.0.113.0/24")}, path({65001}));
  first.announce({pfx("198.51.100.0/24")}, path({65001, 64999}));
  second.announce({pfx("203.0.113.0/24")}, path({65002}));
  EXPECT_THAT(lab.router.take_next_hops(), Optional(ElementsAre(first.options().address, second.options().address)));
  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {{}}});
  first.withdraw({pfx("203.0.113.0/24")});
  EXPECT_EQ(lab.router.take_next_hops(), std::nullopt);
  first.withdraw({pfx("198.51.100.0/24")});
  lab.settle();
  EXPECT_THAT(lab.router.take_next_hops(), Optional(ElementsAre(second.options().address)));
}

TEST(RouterRouteFeed, CanBeReplayed) {
  Lab lab;
  auto& first = lab.add(external(1));
  lab.establish();
  first.announce({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, path({65001}));
  std::size_t visits = 0;
  const auto visit = [&](const net::Prefix&, std::span<const RouteHop>) { ++visits; };
  EXPECT_EQ(lab.router.drain_route_changes(1, visit), 1U);
  lab.router.drain_route_changes(100, visit);
  lab.router.replay_routes();
  lab.router.drain_route_changes(100, visit);
  EXPECT_EQ(visits, 4U);
}

// ---- shares of paths that are used together -----------------------------------------------------------------

PathAttributes with_bandwidth(std::vector<std::uint32_t> asns, float bandwidth) {
  auto attributes = path(std::move(asns));
  attributes.extended_communities = {link_bandwidth(net::Asn{65001}, bandwidth)};
  return attributes;
}
std::vector<unsigned> shares(Lab& lab, const net::Prefix& wanted) {
  std::vector<unsigned> all;
  lab.router.drain_route_changes(100, [&](const net::Prefix& prefix, std::span<const RouteHop> hops) {
    if (prefix != wanted) return;
    all.clear();
    for (const auto& hop : hops) all.push_back(hop.weight);
  });
  return all;
}

TEST(RouterLinkBandwidth, WeighsPathsThatAreUsedTogether) {
  Lab lab;
  auto& one = lab.add(external(1));
  auto& two = lab.add(external(2));
  lab.establish();
  const auto route = pfx("203.0.113.0/24");
  one.announce({route}, with_bandwidth({65001}, 1e9F));
  two.announce({route}, with_bandwidth({65002}, 25e7F));
  EXPECT_THAT(shares(lab, route), ElementsAre(100, 25));
  // Another bandwidth alone is a change for the kernel.
  two.announce({route}, with_bandwidth({65002}, 5e8F));
  EXPECT_THAT(shares(lab, route), ElementsAre(100, 50));
  one.announce({route}, with_bandwidth({65001}, 25e7F));
  EXPECT_THAT(shares(lab, route), ElementsAre(50, 100));
  // One without: all alike.
  two.announce({route}, path({65002}));
  EXPECT_THAT(shares(lab, route), ElementsAre(1, 1));
}

TEST(RouterLinkBandwidth, IsIgnoredWhereThatIsWanted) {
  Lab lab;
  auto& one = lab.add(external(1));
  auto& two = lab.add(external(2));
  auto config = lab.router.config();
  config.decision.link_bandwidth = LinkBandwidth::Ignored;
  lab.router.configure(config, {}, start_time);
  lab.establish();
  const auto route = pfx("203.0.113.0/24");
  one.announce({route}, with_bandwidth({65001}, 1e9F));
  two.announce({route}, with_bandwidth({65002}, 25e7F));
  EXPECT_THAT(shares(lab, route), ElementsAre(1, 1));
}

// RFC 7999
TEST(RouterBlackhole, DropsPacketsOnlyForNeighboursThatMayAskForIt) {
  Lab lab;
  auto& trusted = lab.add(external(1));
  auto& other = lab.add(external(2));
  lab.config(trusted).accept_blackhole = true;
  lab.establish();
  auto attack = path({65001});
  attack.communities = {community_blackhole};
  trusted.announce({pfx("203.0.113.1/32")}, attack);
  auto untrusted = path({65002});
  untrusted.communities = {community_blackhole};
  other.announce({pfx("203.0.113.2/32")}, untrusted);
  std::map<net::Prefix, bool> dropped;
  const auto visit = [&](const net::Prefix& prefix, std::span<const RouteHop> hops) {
    ASSERT_EQ(hops.size(), 1U);
    dropped[prefix] = hops[0].blackhole;
  };
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(dropped, ElementsAre(Pair(pfx("203.0.113.1/32"), true), Pair(pfx("203.0.113.2/32"), false)));
  lab.config(other).accept_blackhole = true;
  lab.configure();
  lab.router.drain_route_changes(100, visit);
  EXPECT_TRUE(dropped[pfx("203.0.113.2/32")]);
  EXPECT_EQ(lab.status(other).session.established_count, 1U);
}

TEST(RouterLocalRoute, HasTheUnspecifiedNextHopOfItsFamily) {
  Lab lab;
  lab.add(external(1));
  auto config = lab.router.config();
  config.aggregates = {{.prefix = pfx("2001:db8::/32")}};
  lab.router.configure(config, lab.neighbors, start_time);
  lab.establish();
  lab.router.set_local(pfx("2001:db8:1::/48"), LocalRoute{.announcements = {{}}});
  lab.router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{}}});
  lab.add(external(2));
  lab.configure();
  lab.settle();
  const auto next_hop = [&](const char* prefix) {
    return lab.router.explain(pfx(prefix)).paths.at(0).attributes.next_hop.address;
  };
  EXPECT_EQ(next_hop("2001:db8:1::/48"), net::IpAddress{net::Ipv6Address{}});
  EXPECT_EQ(next_hop("203.0.113.0/24"), net::IpAddress{net::Ipv4Address{}});
}

// RFC 7999 section 3.2
TEST(RouterBlackhole, KeepsToItselfWhatItDrops) {
  Lab lab;
  auto& trusted = lab.add(external(1));
  auto& untrusted = lab.add(external(2));
  auto& receiver = lab.add(external(3));
  lab.config(trusted).accept_blackhole = true;
  lab.establish();
  auto attack = path({65001});
  attack.communities = {community_blackhole};
  trusted.announce({pfx("203.0.113.1/32")}, attack);
  trusted.announce({pfx("203.0.113.0/24")}, path({65001}));
  attack = path({65002});
  attack.communities = {community_blackhole};
  untrusted.announce({pfx("203.0.113.2/32")}, attack);
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Key(pfx("203.0.113.0/24")), Key(pfx("203.0.113.2/32"))));
  EXPECT_THAT(lab.router.explain(pfx("203.0.113.1/32")).paths.at(0).attributes.communities,
              ElementsAre(community_blackhole, community_no_export));
}

TEST(LinkBandwidthCommunity, IsReadWhetherTransitiveOrNot) {
  EXPECT_EQ(link_bandwidth(link_bandwidth(net::Asn{65001}, 125000)), 125000.0F);
  EXPECT_EQ(link_bandwidth(ExtendedCommunity{0x4004'fde9'47f4'2400}), 125000.0F);
  EXPECT_EQ(link_bandwidth(ExtendedCommunity{0x0002'fde9'0000'0064}), std::nullopt);
  EXPECT_EQ(link_bandwidth(ExtendedCommunity{0x4004'fde9'7f80'0000}), std::nullopt);  // infinite
  EXPECT_EQ(link_bandwidth(ExtendedCommunity{0x4004'fde9'ffff'ffff}), std::nullopt);  // no number
  EXPECT_EQ(link_bandwidth(ExtendedCommunity{0x4004'fde9'bf80'0000}), std::nullopt);  // negative
}

}  // namespace
}  // namespace bgp
