// SPDX-License-Identifier: Apache-2.0
// A router and speakers that restart (RFC 4724, RFC 8538, RFC 9494), and a router that does so itself.
#include <gmock/gmock.h>

#include "bgp/wire/notification.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {
namespace {

using Mode = GracefulRestart::Mode;
using net::Seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}
const auto one = pfx("192.0.2.0/24");
const auto other = pfx("198.51.100.0/24");

PathAttributes route(std::vector<net::Asn> path = {net::Asn{65001}}) {
  PathAttributes attributes;
  attributes.as_path.segments = {{AsPathSegment::Type::Sequence, std::move(path)}};
  return attributes;
}

SpeakerOptions restarter() {
  SpeakerOptions options{.name = "restarter"};
  options.graceful_restart =
      GracefulRestartCapability{false, true, Seconds{60}, {{ipv4_unicast, true}, {ipv6_unicast, true}}};
  return options;
}
SpeakerOptions listener() {
  return {.name = "listener",
          .asn = net::Asn{65002},
          .id = net::RouterId{0x0a000102},
          .address = net::Ipv4Address{0x0a000102}};
}

// A router with two speakers: one that restarts, one that looks on.
class RouterWithRestarts : public ::testing::Test {
 protected:
  void configure(GracefulRestart restart = {.mode = Mode::Full}) {
    neighbors = {peer.neighbor(), watcher.neighbor()};
    for (auto& each : neighbors) each.session.graceful_restart = restart;
    router.configure(router.config(), neighbors, now);
  }
  // Lets work and time pass until nobody has anything to do; the watcher hears it.
  void settle(net::Duration later = {}) {
    now += later;
    router.tick(now);
    while (router.work()) {
    }
    (void)router.take_actions();
    while (peer.listen() || watcher.listen()) {
    }
  }
  void meet() {
    configure();
    ASSERT_TRUE(peer.establish(now));
    ASSERT_TRUE(watcher.establish(now));
    peer.announce({one, other}, route());
    peer.say_end_of_rib(net::Family::Ipv4, now);
    settle();
    ASSERT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  }
  NeighborStatus status(std::string_view name = "restarter") {
    for (auto& each : router.neighbors())
      if (each.name == name) return each;
    return {};
  }

  Router router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, 7};
  Speaker peer{router, restarter()};
  Speaker watcher{router, listener()};
  std::vector<NeighborConfig> neighbors;
  net::TimePoint now = start_time;
};

TEST_F(RouterWithRestarts, KeepsTheRoutesOfAPeerThatIsAwayAndSweepsAtItsEndOfRib) {
  meet();
  peer.hang_up(now);
  settle(Seconds{5});
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other))) << "nobody hears of the restart";
  EXPECT_EQ(status().ipv4.stale, 2U);
  EXPECT_EQ(status().ipv4_restart.phase, StaleRoutes::Phase::Restarting);

  const auto updates = watcher.updates;
  ASSERT_TRUE(peer.establish(now));
  peer.announce({one}, route());
  settle();
  EXPECT_EQ(status().ipv4_restart.phase, StaleRoutes::Phase::Refreshing);
  EXPECT_EQ(watcher.updates, updates);
  peer.say_end_of_rib(net::Family::Ipv4, now);
  settle();
  EXPECT_THAT(watcher.heard, ElementsAre(Key(one))) << "what was not sent again is gone";
  EXPECT_EQ(status().ipv4.stale, 0U);
}

TEST_F(RouterWithRestarts, GivesUpOnAPeerThatDoesNotComeBackInTime) {
  meet();
  peer.hang_up(now);
  settle(Seconds{59});
  EXPECT_THAT(watcher.heard, Contains(Key(one)));
  settle(Seconds{1});
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, GivesUpOnAPeerThatNeverFinishes) {
  meet();
  peer.hang_up(now);
  ASSERT_TRUE(peer.establish(now));
  peer.announce({one}, route());
  settle(Seconds{360});
  EXPECT_THAT(watcher.heard, ElementsAre(Key(one)));
}

TEST_F(RouterWithRestarts, DropsAllAtOnceWhenThePeerLostItsForwardingState) {
  meet();
  peer.hang_up(now);
  for (auto& family : peer.options().graceful_restart->families) family.forwarding = false;
  ASSERT_TRUE(peer.establish(now));
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, DropsAllAtOnceWhenThePeerIsBackWithoutTheCapability) {
  meet();
  peer.hang_up(now);
  peer.options().graceful_restart.reset();
  ASSERT_TRUE(peer.establish(now));
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, RemovesWhatWasStaleAlreadyAtASecondRestart) {  // RFC 4724 section 4.2
  meet();
  peer.hang_up(now);
  ASSERT_TRUE(peer.establish(now));
  peer.announce({one}, route());
  settle();
  peer.hang_up(now);
  settle();
  EXPECT_THAT(watcher.heard, ElementsAre(Key(one)));
}

TEST_F(RouterWithRestarts, DropsTheRoutesOfAPeerThatComesBackAsAnotherSpeaker) {
  meet();
  peer.hang_up(now);
  peer.options().id = net::RouterId{0x0a0001ff};
  ASSERT_TRUE(peer.establish(now));
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
  EXPECT_EQ(status().ipv4.stale, 0U);
  peer.announce({one}, route());
  settle();
  EXPECT_THAT(watcher.heard, ElementsAre(Key(one)));
}

TEST_F(RouterWithRestarts, CountsRightHoweverOftenThePeerBeginsARefresh) {
  peer.options().enhanced_refresh = true;
  meet();
  for (int i = 0; i < 600; ++i) {
    peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh}), now);
    if (i % 100 == 0) peer.announce({other}, route());
  }
  settle();
  EXPECT_EQ(status().ipv4.stale, 2U);
  EXPECT_EQ(status().ipv4.received, 0U);
  peer.announce({one}, route());
  settle();
  EXPECT_EQ(status().ipv4.stale, 1U);
  EXPECT_EQ(status().ipv4.received, 1U);
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::EndOfRefresh}), now);
  settle();
  EXPECT_THAT(watcher.heard, ElementsAre(Key(one)));
}

TEST_F(RouterWithRestarts, IgnoresARefreshThatBeginsBeforeEndOfRib) {  // RFC 7313 section 4
  peer.options().enhanced_refresh = true;
  meet();
  peer.hang_up(now);
  ASSERT_TRUE(peer.establish(now));
  for (const auto kind : {RefreshKind::BeginOfRefresh, RefreshKind::EndOfRefresh})
    peer.say(encode(RouteRefresh{ipv4_unicast, kind}), now);
  settle();
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other))) << "they wait for End-of-RIB";
  peer.say_end_of_rib(net::Family::Ipv4, now);
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, EndsItsTableBeforeARefreshBegins) {  // RFC 7313 section 4
  peer.options().enhanced_refresh = true;
  configure();
  ASSERT_TRUE(watcher.establish(now));
  watcher.announce({one, other}, route({net::Asn{65002}}));
  settle();
  ASSERT_TRUE(peer.establish(now));
  peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}), now);
  settle();
  EXPECT_THAT(peer.heard, UnorderedElementsAre(Key(one), Key(other)));
  EXPECT_THAT(peer.end_of_rib, Contains(net::Family::Ipv4));
  EXPECT_THAT(peer.refreshes, IsEmpty()) << "what ends is the first table";
  peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}), now);
  settle();
  ASSERT_EQ(peer.refreshes.size(), 2U);
  EXPECT_EQ(peer.refreshes[0].kind, RefreshKind::BeginOfRefresh);
  EXPECT_EQ(peer.refreshes[1].kind, RefreshKind::EndOfRefresh);
}

TEST_F(RouterWithRestarts, CountsWhatARefreshHasNotComeToTowardsTheLimit) {
  peer.options().enhanced_refresh = true;
  peer.options().graceful_restart.reset();
  configure();
  neighbors[0].ipv4_limit.maximum = 2;
  router.configure(router.config(), neighbors, now);
  ASSERT_TRUE(peer.establish(now));
  peer.announce({one, other}, route());
  peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh}), now);
  peer.announce({one, other}, route());
  EXPECT_TRUE(peer.up());
  peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh}), now);
  peer.announce({pfx("203.0.113.0/24")}, route());
  settle();
  ASSERT_TRUE(status().session.last_reset);
  EXPECT_EQ(status().session.last_reset->text, "Cease/Maximum Number of Prefixes Reached");
}

TEST_F(RouterWithRestarts, DropsTheRoutesOfAPeerThatSaysGoodbyeTheOldWay) {
  peer.options().graceful_restart->notification = false;
  meet();
  peer.say(encode(hold_timer_expired()), now);
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, KeepsThemOverANotificationThatIsNoHardReset) {  // RFC 8538
  meet();
  peer.say(encode(hold_timer_expired()), now);
  settle();
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  ASSERT_TRUE(peer.establish(now + Seconds{6}));
  peer.say(encode(hard_reset(cease(CeaseError::AdministrativeReset))), now);
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, KeepsThemWhenBfdMayOnlyHaveLostTheControlPlane) {  // RFC 5882 section 4.3.2
  meet();
  router.bfd_down(*router.find("restarter"), BfdLoss::Unknown, now);
  settle();
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  router.bfd_down(*router.find("restarter"), BfdLoss::Path, now);
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty()) << "while it is away, BFD finds that nothing is forwarded";
}

TEST_F(RouterWithRestarts, DropsThemWhenBfdHasLostThePath) {
  meet();
  router.bfd_down(*router.find("restarter"), BfdLoss::Path, now);
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, SaysHardResetWhenItMeansIt) {
  meet();
  router.restart(*router.find("restarter"), "maintenance", now);
  ASSERT_FALSE(router.take_actions().empty());
  const auto reason = status().session.last_reset;
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->text, "Cease/Administrative Reset: maintenance");
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, KeepsRoutesOverAChangeOfConfigurationThatReopensTheSession) {
  meet();
  neighbors[0].session.extended_messages = false;
  router.configure(router.config(), neighbors, now);
  settle();
  EXPECT_EQ(status().session.state != State::Established, true);
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
}

TEST_F(RouterWithRestarts, ForgetsAtOnceANeighbourThatIsRemovedWhileItIsAway) {
  meet();
  peer.hang_up(now);
  neighbors.erase(neighbors.begin());
  router.configure(router.config(), neighbors, now);
  settle();
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithRestarts, TakesANewConnectionForARestart) {  // RFC 4724 section 5
  meet();
  now += Seconds{10};
  const auto before = peer.link();
  ASSERT_TRUE(peer.establish(now)) << "no hold timer has to pass first";
  EXPECT_NE(peer.link(), before);
  settle();
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  EXPECT_EQ(status().session.established_count, 2U);
}

TEST_F(RouterWithRestarts, HelpsWithoutAskingForHelp) {
  configure({.mode = Mode::Helper});
  ASSERT_TRUE(peer.establish(now));
  ASSERT_TRUE(peer.opened_with);
  EXPECT_EQ(peer.opened_with->capabilities.graceful_restart, (GracefulRestartCapability{false, true, Seconds{0}, {}}));
  peer.announce({one}, route());
  peer.hang_up(now);
  settle();
  EXPECT_EQ(status().ipv4.stale, 1U);
}

// ---- long-lived -------------------------------------------------------------------------------------

class RouterWithLongLivedRoutes : public RouterWithRestarts {
 protected:
  void SetUp() override {
    peer.options().long_lived = std::vector<LongLivedFamily>{{ipv4_unicast, true, Seconds{3600}}};
  }
  void lose_peer(std::vector<Community> communities = {}) {
    configure({.mode = Mode::Full, .long_lived_time = Seconds{1000}});
    ASSERT_TRUE(peer.establish(now));
    ASSERT_TRUE(watcher.establish(now));
    auto with = route();
    with.communities = std::move(communities);
    peer.announce({one}, with);
    settle();
    ASSERT_THAT(watcher.heard, ElementsAre(Key(one)));
    peer.hang_up(now);
    settle(Seconds{60});
  }
};

TEST_F(RouterWithLongLivedRoutes, MarksThemAndTellsThoseWhoUnderstand) {
  watcher.options().graceful_restart = GracefulRestartCapability{};
  watcher.options().long_lived = std::vector<LongLivedFamily>{};
  lose_peer();
  ASSERT_THAT(watcher.heard, ElementsAre(Key(one)));
  EXPECT_THAT(watcher.heard.at(one).communities, ElementsAre(community_llgr_stale));
  EXPECT_EQ(status().ipv4_restart.phase, StaleRoutes::Phase::LongLived);
  settle(Seconds{1000});
  EXPECT_THAT(watcher.heard, IsEmpty()) << "our own limit is the shorter one";
}

TEST_F(RouterWithLongLivedRoutes, KeepsThemFromThoseWhoDoNot) {
  lose_peer();
  EXPECT_THAT(watcher.heard, IsEmpty());
  EXPECT_EQ(status().ipv4.stale, 1U);
  const auto explained = router.explain(one);
  ASSERT_EQ(explained.exports.size(), 1U);
  EXPECT_THAT(explained.exports[0].reason, ::testing::HasSubstr("long-lived stale"));
}

TEST_F(RouterWithLongLivedRoutes, DropsPathsThatForbidIt) {
  lose_peer({community_no_llgr});
  EXPECT_EQ(status().ipv4.stale, 0U);
}

TEST_F(RouterWithLongLivedRoutes, PrefersEveryOtherPath) {
  lose_peer();
  auto worse = route({net::Asn{65002}, net::Asn{1}, net::Asn{2}, net::Asn{3}});
  watcher.announce({one}, worse);
  settle();
  const auto explained = router.explain(one);
  ASSERT_EQ(explained.paths.size(), 2U);
  for (const auto& path : explained.paths) {
    EXPECT_EQ(path.best, path.peer == "listener");
    EXPECT_EQ(path.reason, "Long-lived stale");
  }
}

TEST_F(RouterWithLongLivedRoutes, AreFreshAgainWhenThePeerIsBack) {
  watcher.options().graceful_restart = GracefulRestartCapability{};
  watcher.options().long_lived = std::vector<LongLivedFamily>{};
  lose_peer();
  ASSERT_TRUE(peer.establish(now));
  peer.announce({one}, route());
  peer.say_end_of_rib(net::Family::Ipv4, now);
  settle();
  EXPECT_THAT(watcher.heard.at(one).communities, IsEmpty());
}

TEST_F(RouterWithLongLivedRoutes, StayFreshOverARefreshThatComesLater) {
  watcher.options().graceful_restart = GracefulRestartCapability{};
  watcher.options().long_lived = std::vector<LongLivedFamily>{};
  peer.options().enhanced_refresh = true;
  lose_peer();
  ASSERT_TRUE(peer.establish(now));
  peer.announce({one, other}, route());
  peer.say_end_of_rib(net::Family::Ipv4, now);
  peer.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh}), now);
  router.set_unreachable({net::Ipv4Address{0x0a0001fd}});  // all is decided again
  settle();
  ASSERT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  for (const auto& [prefix, told] : watcher.heard) EXPECT_THAT(told.communities, IsEmpty()) << print(prefix);
}

TEST_F(RouterWithLongLivedRoutes, OutliveAnotherLossBeforeEndOfRib) {  // RFC 9494 section 4.2
  watcher.options().graceful_restart = GracefulRestartCapability{};
  watcher.options().long_lived = std::vector<LongLivedFamily>{};
  lose_peer();
  settle(Seconds{100});
  ASSERT_TRUE(peer.establish(now));
  peer.announce({other}, route());
  settle();
  peer.hang_up(now);
  settle(Seconds{10});
  ASSERT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  EXPECT_THAT(watcher.heard.at(one).communities, ElementsAre(community_llgr_stale));
  EXPECT_THAT(watcher.heard.at(other).communities, IsEmpty());
  settle(Seconds{50});
  EXPECT_THAT(watcher.heard.at(other).communities, ElementsAre(community_llgr_stale));
  settle(Seconds{840});
  EXPECT_THAT(watcher.heard, ElementsAre(Key(other))) << "each has its own 1,000 s";
  EXPECT_EQ(status().ipv4.stale, 1U);
  settle(Seconds{160});
  EXPECT_THAT(watcher.heard, IsEmpty());
}

TEST_F(RouterWithLongLivedRoutes, OutliveAnyNumberOfLosses) {
  watcher.options().graceful_restart = GracefulRestartCapability{};
  watcher.options().long_lived = std::vector<LongLivedFamily>{};
  lose_peer();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(peer.establish(now));
    peer.announce({other}, route());
    peer.hang_up(now);
    settle();
    ASSERT_EQ(status().ipv4.stale, 2U) << i;
  }
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(other)));
  settle(Seconds{1000});
  EXPECT_THAT(watcher.heard, ElementsAre(Key(other)));
}

// ---- the router's own restart -----------------------------------------------------------------------

class RestartedRouter : public RouterWithRestarts {
 protected:
  void SetUp() override {
    watcher.options().graceful_restart = GracefulRestartCapability{};
    router.begin_restart(Seconds{120}, now);
    configure();
    router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{}}});
  }
  std::size_t fed() {
    std::size_t count = 0;
    router.drain_route_changes(1000, [&](const net::Prefix&, std::span<const RouteHop>) { ++count; });
    return count;
  }
};

TEST_F(RestartedRouter, SaysSoInItsOpen) {
  ASSERT_TRUE(peer.establish(now));
  ASSERT_TRUE(peer.opened_with);
  EXPECT_EQ(peer.opened_with->capabilities.graceful_restart,
            (GracefulRestartCapability{true, true, Seconds{120}, {{ipv4_unicast, true}, {ipv6_unicast, true}}}));
}

TEST_F(RestartedRouter, TellsNobodyAnythingBeforeAllHaveFinished) {
  ASSERT_TRUE(peer.establish(now));
  ASSERT_TRUE(watcher.establish(now));
  peer.announce({one}, route());
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) peer.say_end_of_rib(family, now);
  settle();
  EXPECT_TRUE(router.restarting());
  EXPECT_THAT(watcher.heard, IsEmpty());
  EXPECT_THAT(watcher.end_of_rib, IsEmpty());
  EXPECT_EQ(fed(), 0U);

  watcher.say_end_of_rib(net::Family::Ipv4, now);
  settle();
  EXPECT_THAT(watcher.heard, UnorderedElementsAre(Key(one), Key(pfx("203.0.113.0/24"))));
  EXPECT_THAT(watcher.end_of_rib, ElementsAre(net::Family::Ipv4)) << "family by family";
  EXPECT_TRUE(router.restarting());
  EXPECT_EQ(fed(), 2U);
  watcher.say_end_of_rib(net::Family::Ipv6, now);
  settle();
  EXPECT_FALSE(router.restarting());
  peer.hang_up(now);
  ASSERT_TRUE(peer.establish(now));
  EXPECT_FALSE(peer.opened_with->capabilities.graceful_restart->restarting);
  EXPECT_TRUE(peer.opened_with->capabilities.graceful_restart->families.at(0).forwarding);
}

TEST_F(RestartedRouter, HardlyWaitsForPeersThatRestartThemselvesAndNotForThoseThatCannot) {
  peer.options().graceful_restart->restarting = true;
  watcher.options().graceful_restart.reset();
  ASSERT_TRUE(peer.establish(now));
  EXPECT_TRUE(router.restarting());
  ASSERT_TRUE(watcher.establish(now));
  settle(Seconds{4});
  EXPECT_TRUE(router.restarting());
  settle(Seconds{1});
  EXPECT_FALSE(router.restarting());
}

TEST_F(RestartedRouter, IsDoneWithAPeerThatRestartsItselfAtItsEndOfRib) {
  peer.options().graceful_restart->restarting = true;
  watcher.options().graceful_restart.reset();
  ASSERT_TRUE(watcher.establish(now));
  ASSERT_TRUE(peer.establish(now));
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) peer.say_end_of_rib(family, now);
  settle();
  EXPECT_FALSE(router.restarting());
}

TEST_F(RestartedRouter, WaitsForAnAbsentPeerForAWhileOnly) {
  ASSERT_TRUE(peer.establish(now));
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) peer.say_end_of_rib(family, now);
  settle(Seconds{29});
  EXPECT_TRUE(router.restarting());
  settle(Seconds{1});
  EXPECT_FALSE(router.restarting());
  EXPECT_THAT(peer.heard, ElementsAre(Key(pfx("203.0.113.0/24"))));
}

TEST_F(RestartedRouter, WaitsNoLongerThanItWasToldFor) {
  ASSERT_TRUE(peer.establish(now));
  ASSERT_TRUE(watcher.establish(now));
  settle(Seconds{119});
  EXPECT_TRUE(router.restarting());
  settle(Seconds{1});
  EXPECT_FALSE(router.restarting());
  EXPECT_THAT(peer.heard, Contains(Key(pfx("203.0.113.0/24"))));
}

TEST_F(RouterWithRestarts, LeavesWithoutAWordThoseWhoKeepItsRoutes) {
  meet();
  router.shut_down("", now, Router::Leaving::ToRestart);
  std::map<PeerId, std::size_t> last;
  for (const auto& action : router.take_actions())
    if (const auto* close = std::get_if<CloseLink>(&action)) last[close->link.peer] = close->last.size();
  EXPECT_EQ(last.at(*router.find("restarter")), 0U);
  EXPECT_GT(last.at(*router.find("listener")), 0U) << "it does not know about restarts, so it is told";
  std::size_t fed = 0;
  router.drain_route_changes(1000, [&](const net::Prefix&, std::span<const RouteHop>) { ++fed; });
  EXPECT_EQ(fed, 0U) << "the kernel keeps what it has";
}

TEST_F(RouterWithRestarts, StartedFromNothingSaysThatNothingIsForwarded) {
  configure();
  ASSERT_TRUE(peer.establish(now));
  const auto& offer = *peer.opened_with->capabilities.graceful_restart;
  EXPECT_FALSE(offer.restarting);
  EXPECT_FALSE(offer.families.at(0).forwarding);
  peer.hang_up(now);
  ASSERT_TRUE(peer.establish(now));
  EXPECT_TRUE(peer.opened_with->capabilities.graceful_restart->families.at(0).forwarding)
      << "a session later there is something";
}

}  // namespace
}  // namespace bgp
