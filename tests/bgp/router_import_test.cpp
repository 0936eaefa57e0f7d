// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/notification.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(RouterImport, IgnoresRoutesThatWentThroughItself) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001, 65000}));
  auto own_next_hop = path({65001});
  own_next_hop.next_hop.address = Speaker::router_address;
  sender.announce({pfx("198.51.100.0/24")}, own_next_hop);
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  EXPECT_EQ(lab.status(sender).ipv4.accepted, 0U);
  EXPECT_EQ(lab.status(sender).ipv4.filtered, 2U);
}

TEST(RouterImport, ReplacesAKnownRouteByNothingWhenTheNewOneIsALoop) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  sender.announce({pfx("203.0.113.0/24")}, path({65001, 65000}));
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
}

TEST(RouterImport, AcceptsNothingByDefault) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.config(sender).import = NeighborConfig{}.import;
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  EXPECT_EQ(lab.status(sender).ipv4.filtered, 1U);
}

// RFC 4271 section 6.3; a route server leaves its own number out.
TEST(RouterImport, WantsTheNeighboursAsInFrontUnlessToldOtherwise) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65009}));
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  lab.config(sender).enforce_first_as = false;
  const auto asked = sender.requests;
  lab.configure();
  lab.settle();
  EXPECT_GT(sender.requests, asked);
  sender.announce({pfx("203.0.113.0/24")}, path({65009}));
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(::testing::Key(pfx("203.0.113.0/24"))));
  EXPECT_EQ(lab.status(sender).session.established_count, 1U);
}

std::vector<LinkSubnets> one_link(const std::string& name) {
  return {{7, name, {pfx("10.0.1.0/24")}}};
}
FilterChain only_over(const std::string& interface) {
  FilterRule accept = rule("over", RuleAction::Accept);
  accept.match.interfaces = {interface};
  return {{"links", {accept}}};
}

TEST(RouterLinkConditions, AcceptRoutesOverALinkAndAskAgainWhenLinksChange) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.config(sender).import = only_over("eth*");
  lab.router.set_links(one_link("eth0"), start_time);
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(::testing::Key(pfx("203.0.113.0/24"))));
  const auto asked = sender.requests;
  lab.router.set_links(one_link("eth0"), start_time);
  lab.settle();
  EXPECT_EQ(sender.requests, asked);
  lab.router.set_links(one_link("wlan0"), start_time);
  lab.settle();
  EXPECT_GT(sender.requests, asked);
  EXPECT_EQ(lab.status(sender).session.established_count, 1U);
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
}

TEST(RouterLinkConditions, AreJudgedAgainForANeighbourThatCannotBeAsked) {
  Lab lab;
  auto& sender = lab.add(without_refresh(1));
  auto& receiver = lab.add(external(2));
  lab.config(sender).import = only_over("eth0");
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  lab.router.set_links(one_link("eth0"), start_time);
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(::testing::Key(pfx("203.0.113.0/24"))));
  lab.router.set_links({}, start_time);
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
}

TEST(RouterLinkConditions, OfAnExportFilterMakeRoutesKnowTheirLink) {
  Lab lab;
  auto& sender = lab.add(without_refresh(1));
  auto& receiver = lab.add(external(2));
  lab.router.set_links(one_link("eth0"), start_time);
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {{}}});
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 2U);
  lab.config(receiver).export_filter = only_over("*");
  lab.configure();
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(::testing::Key(pfx("203.0.113.0/24"))));  // ours has no link
  lab.router.set_links({}, start_time);
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
}

TEST(RouterImport, JudgesTheFamiliesApartWhereTheyShareAttributes) {
  Lab lab;
  auto options = without_refresh(1);
  options.ipv6_next_hops = true;
  auto& sender = lab.add(options);
  auto& receiver = lab.add(external(2));
  lab.establish();
  auto attributes = path({65001});
  attributes.next_hop.address = sender.next_hop(net::Family::Ipv6);
  const auto ipv4 = pfx("203.0.113.0/24");
  const auto ipv6 = pfx("2001:db8:1::/48");
  sender.announce({ipv4, ipv6}, attributes);
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 2U);
  for (const auto& wanted : {ipv6, ipv4}) {
    FilterRule accept = rule("family", RuleAction::Accept);
    accept.match.family = wanted.family();
    lab.config(sender).import = {{"f", {accept}}};
    lab.configure();
    lab.settle();
    EXPECT_THAT(receiver.heard, ElementsAre(::testing::Key(wanted)));
  }
}

TEST(RouterPrefixLimit, WarnsThenStopsThePeerUntilTheTimerEnds) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.config(sender).ipv4_limit = {.maximum = 4, .restart = net::Seconds{60}};
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24"), pfx("10.0.3.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(lab.taken<NeighborNotice>(),
              ElementsAre(::testing::Field(&NeighborNotice::notice, Notice::PrefixLimitWarning)));
  sender.announce({pfx("10.0.4.0/24"), pfx("10.0.5.0/24")}, path({65001}));
  const auto closed = lab.taken<CloseLink>();
  ASSERT_EQ(closed.size(), 1U);
  sender.hear(closed[0].last);
  ASSERT_TRUE(sender.notification);
  EXPECT_TRUE(is(*sender.notification, CeaseError::MaximumPrefixes));
  EXPECT_THAT(sender.notification->data, ElementsAre(0, 1, 1, 0, 0, 0, 4));
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  EXPECT_EQ(lab.status(sender).hold_down, "prefix limit reached");
  EXPECT_EQ(lab.status(sender).session.next_attempt, start_time + net::Seconds{60});
  EXPECT_FALSE(sender.establish(start_time + net::Seconds{59}));
  ASSERT_EQ(lab.router.next_deadline(), start_time + net::Seconds{60});
  lab.router.tick(start_time + net::Seconds{60});
  EXPECT_TRUE(sender.establish(start_time + net::Seconds{60}));
}

TEST(RouterPrefixLimit, MayOnlyWarn) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.config(sender).ipv4_limit = {.maximum = 1, .action = PrefixLimit::Action::Warn};
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24"), pfx("10.0.3.0/24")}, path({65001}));
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
  EXPECT_EQ(lab.taken<NeighborNotice>().size(), 1U);
}

TEST(RouterPrefixLimit, EndsItsHoldWhenAnOperatorRestartsThePeer) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.config(sender).ipv4_limit = {.maximum = 1};
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24")}, path({65001}));
  EXPECT_FALSE(sender.establish());
  lab.router.restart(lab.id(sender), "limit was looked at", start_time);
  EXPECT_TRUE(sender.establish());
}

TEST(RouterRefresh, SendsEverythingAgain) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, path({65001}));
  lab.settle();
  const auto advertised = lab.status(receiver).ipv4.advertised;
  receiver.heard.erase(pfx("203.0.113.0/24"));
  receiver.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}));
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 2U);
  EXPECT_EQ(lab.status(receiver).ipv4.advertised, advertised);
  EXPECT_THAT(receiver.refreshes, IsEmpty());
}

TEST(RouterRefresh, MarksBeginningAndEndWhereAgreed) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto options = external(2);
  options.enhanced_refresh = true;
  auto& receiver = lab.add(options);
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  receiver.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}));
  lab.settle();
  EXPECT_THAT(receiver.refreshes, ElementsAre(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh},
                                              RouteRefresh{ipv4_unicast, RefreshKind::EndOfRefresh}));
}

TEST(RouterRefresh, RemovesWhatThePeerDidNotSayAgain) {
  Lab lab;
  auto options = external(1);
  options.enhanced_refresh = true;
  auto& sender = lab.add(options);
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24"), pfx("198.51.100.0/24")}, path({65001}));
  lab.settle();
  sender.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh}));
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 2U);
  sender.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::EndOfRefresh}));
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Pair(pfx("203.0.113.0/24"), ::testing::_)));
}

}  // namespace
}  // namespace bgp
