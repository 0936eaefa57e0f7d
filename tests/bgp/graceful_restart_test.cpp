// SPDX-License-Identifier: Apache-2.0
#include "bgp/graceful_restart.hpp"

#include <gmock/gmock.h>

#include "bgp/negotiate.hpp"
#include "bgp/wire/notification.hpp"
#include "tests/bgp/session_fixture.hpp"

namespace bgp {
namespace {

using Mode = GracefulRestart::Mode;
using Phase = StaleRoutes::Phase;
using Step = StaleRoutes::Step;
using net::Seconds;

constexpr Families both{true, true};

GracefulRestart full() {
  return {.mode = Mode::Full, .restart_time = Seconds{90}, .long_lived_time = Seconds{600}};
}

Capabilities offered_by_peer() {
  Capabilities theirs;
  theirs.graceful_restart =
      GracefulRestartCapability{false, true, Seconds{60}, {{ipv4_unicast, true}, {ipv6_unicast, false}}};
  theirs.long_lived = std::vector<LongLivedFamily>{{ipv4_unicast, true, Seconds{3600}}};
  return theirs;
}

RestartTerms capable(RestartTerms::Family ipv4 = {}) {
  RestartTerms terms;
  terms.capable = true;
  terms.time = Seconds{60};
  terms.ipv4 = ipv4;
  return terms;
}

// ---- what is offered --------------------------------------------------------------------------------

TEST(RestartOffer, IsNothingWhenOff) {
  EXPECT_EQ(offer_graceful_restart({}, both, {true, true}), std::nullopt);
  EXPECT_EQ(offer_long_lived({.mode = Mode::Off, .long_lived_time = Seconds{60}}, both, {}), std::nullopt);
}

TEST(RestartOffer, OfAHelperNamesNoFamilies) {
  const auto offer = offer_graceful_restart({.mode = Mode::Helper}, both, {true, true});
  ASSERT_TRUE(offer);
  EXPECT_EQ(*offer, (GracefulRestartCapability{false, true, Seconds{0}, {}}));
  EXPECT_EQ(offer_long_lived({.mode = Mode::Helper, .long_lived_time = Seconds{60}}, both, {}),
            std::vector<LongLivedFamily>{});
}

TEST(RestartOffer, SaysWhatOutlivedTheRestart) {
  EXPECT_EQ(offer_graceful_restart(full(), both, {}),
            (GracefulRestartCapability{false, true, Seconds{90}, {{ipv4_unicast, false}, {ipv6_unicast, false}}}));
  EXPECT_EQ(offer_graceful_restart(full(), {true, false}, {true, true}),
            (GracefulRestartCapability{true, true, Seconds{90}, {{ipv4_unicast, true}}}));
  EXPECT_EQ(offer_long_lived(full(), {false, true}, {false, true}),
            (std::vector<LongLivedFamily>{{ipv6_unicast, true, Seconds{600}}}));
}

// ---- what is agreed on ------------------------------------------------------------------------------

TEST(RestartTerms, AreWhatBothSidesSay) {
  const auto terms = agree_on_restart(full(), both, offered_by_peer());
  EXPECT_TRUE(terms.capable);
  EXPECT_TRUE(terms.notification);
  EXPECT_TRUE(terms.ours_kept);
  EXPECT_TRUE(terms.long_lived_capable);
  EXPECT_EQ(terms.time, Seconds{60});
  EXPECT_EQ(terms.ipv4, (RestartTerms::Family{true, true, Seconds{600}, true}));
  EXPECT_EQ(terms.ipv6, (RestartTerms::Family{true, false, Seconds{0}, false}));
}

TEST(RestartTerms, LeaveOutFamiliesThatTheSessionHasNot) {
  EXPECT_EQ(agree_on_restart(full(), {false, true}, offered_by_peer()).ipv4, RestartTerms::Family{});
}

TEST(RestartTerms, AreNothingWithoutTheCapability) {
  auto theirs = offered_by_peer();
  theirs.graceful_restart.reset();
  EXPECT_EQ(agree_on_restart(full(), both, theirs), RestartTerms{}) << "RFC 9494 section 3.1: not the other one alone";
  EXPECT_EQ(agree_on_restart({}, both, offered_by_peer()), RestartTerms{});
}

TEST(RestartTerms, ComeWithTheNegotiation) {
  auto config = external_config();
  config.graceful_restart = full();
  auto open = peer_open();
  open.capabilities.graceful_restart = offered_by_peer().graceful_restart;
  EXPECT_TRUE(negotiate(config, Offer::Full, open)->restart.ipv4.kept);
  EXPECT_FALSE(negotiate(config, Offer::Bare, open)->restart.capable) << "an OPEN without capabilities offered nothing";
  EXPECT_TRUE(make_open(config, Offer::Full, {true, true}).capabilities.graceful_restart->restarting);
}

// ---- how a session ended ----------------------------------------------------------------------------

TEST(RoutesOfAPeer, StayWhenTcpFails) {
  EXPECT_TRUE(keeps_routes(capable(), ClosedBy::Transport, std::nullopt));
  EXPECT_FALSE(keeps_routes({}, ClosedBy::Transport, std::nullopt));
}

TEST(RoutesOfAPeer, StayOverANotificationOnlyByRfc8538) {
  const auto old = capable();
  auto with_bit = capable();
  with_bit.notification = true;
  for (const auto by : {ClosedBy::Us, ClosedBy::Peer}) {
    EXPECT_FALSE(keeps_routes(old, by, hold_timer_expired()));
    EXPECT_TRUE(keeps_routes(with_bit, by, hold_timer_expired()));
    EXPECT_TRUE(keeps_routes(with_bit, by, cease(CeaseError::OtherConfigurationChange)));
    EXPECT_FALSE(keeps_routes(with_bit, by, cease(CeaseError::HardReset)));
  }
  EXPECT_FALSE(keeps_routes(with_bit, ClosedBy::Us, cease(CeaseError::AdministrativeShutdown)));
  EXPECT_TRUE(keeps_routes(with_bit, ClosedBy::Peer, cease(CeaseError::AdministrativeShutdown)))
      << "a peer that means it says Hard Reset";
}

TEST(HardReset, WrapsWhatItStandsFor) {
  EXPECT_EQ(hard_reset(cease(CeaseError::AdministrativeShutdown, "bye")),
            (Notification{6, 9, {6, 2, 3, 'b', 'y', 'e'}}));
  EXPECT_EQ(describe(hard_reset(cease(CeaseError::AdministrativeShutdown, "bye"))),
            "Cease/Hard Reset (Cease/Administrative Shutdown: bye)");
}

// ---- how long stale routes stay ---------------------------------------------------------------------

TEST(StaleRoutes, GoWhenThePeerStaysAway) {
  StaleRoutes stale;
  (void)stale.begin(capable({.kept = true}), net::Family::Ipv4, t0);
  EXPECT_EQ(stale.phase(), Phase::Restarting);
  EXPECT_EQ(stale.tick(t0 + Seconds{59}), Step::Nothing);
  EXPECT_EQ(stale.deadline(), t0 + Seconds{60});
  EXPECT_EQ(stale.tick(t0 + Seconds{60}), Step::Drop);
  EXPECT_EQ(stale.phase(), Phase::None);
  EXPECT_EQ(stale.deadline(), std::nullopt);
}

TEST(StaleRoutes, StayUntilEndOfRibWhenThePeerIsBackAndForwards) {
  const auto terms = capable({.kept = true, .forwarding = true});
  StaleRoutes stale;
  (void)stale.begin(terms, net::Family::Ipv4, t0);
  EXPECT_EQ(stale.end_of_rib(), Step::Nothing) << "of nobody's session";
  EXPECT_EQ(stale.returned(terms, net::Family::Ipv4, Seconds{30}, t0 + Seconds{5}), Step::Nothing);
  EXPECT_EQ(stale.phase(), Phase::Refreshing);
  EXPECT_EQ(stale.deadline(), t0 + Seconds{35});
  auto other = stale;
  EXPECT_EQ(stale.end_of_rib(), Step::Drop);
  EXPECT_EQ(other.tick(t0 + Seconds{35}), Step::Drop) << "a peer that never says it";
}

TEST(StaleRoutes, GoAtOnceWhenThePeerIsBackAndDoesNotForward) {
  auto terms = capable({.kept = true, .forwarding = true});
  StaleRoutes stale;
  (void)stale.begin(terms, net::Family::Ipv4, t0);
  auto other = stale;
  terms.ipv4.forwarding = false;
  EXPECT_EQ(stale.returned(terms, net::Family::Ipv4, Seconds{30}, t0), Step::Drop);
  EXPECT_EQ(other.returned({}, net::Family::Ipv4, Seconds{30}, t0), Step::Drop) << "without the capability";
}

TEST(StaleRoutes, BecomeALastResortWhereBothSidesHaveThat) {
  const auto terms = capable({.kept = true, .forwarding = true, .long_lived = Seconds{600}});
  StaleRoutes stale;
  (void)stale.begin(terms, net::Family::Ipv4, t0);
  EXPECT_EQ(stale.tick(t0 + Seconds{60}), Step::Fade);
  EXPECT_EQ(stale.phase(), Phase::LongLived);
  auto returned = stale;
  EXPECT_EQ(stale.tick(t0 + Seconds{659}), Step::Nothing);
  EXPECT_EQ(stale.tick(t0 + Seconds{660}), Step::Drop);

  auto without = returned;
  EXPECT_EQ(without.returned(terms, net::Family::Ipv4, Seconds{360}, t0 + Seconds{100}), Step::Drop)
      << "the forwarding bit of the long-lived capability counts";
  auto with = terms;
  with.ipv4.long_lived_forwarding = true;
  EXPECT_EQ(returned.returned(with, net::Family::Ipv4, Seconds{360}, t0 + Seconds{400}), Step::Nothing);
  EXPECT_EQ(returned.deadline(), t0 + Seconds{660}) << "the long-lived stale time goes on";
}

TEST(StaleRoutes, FadeAtOnceWithALongLivedTimeAlone) {
  StaleRoutes stale;
  (void)stale.begin(capable({.long_lived = Seconds{600}}), net::Family::Ipv4, t0);
  EXPECT_EQ(stale.tick(t0), Step::Fade);
  EXPECT_EQ(stale.deadline(), t0 + Seconds{600});
}

TEST(StaleRoutes, AreKeptOverAnotherLossWhileTheirLongLivedTimeLasts) {  // RFC 9494 section 4.2
  auto terms = capable({.kept = true, .forwarding = true, .long_lived = Seconds{600}});
  terms.ipv4.long_lived_forwarding = true;
  StaleRoutes stale;
  EXPECT_FALSE(stale.begin(terms, net::Family::Ipv4, t0));
  EXPECT_EQ(stale.tick(t0 + Seconds{60}), Step::Fade);
  EXPECT_EQ(stale.returned(terms, net::Family::Ipv4, Seconds{360}, t0 + Seconds{100}), Step::Nothing);
  EXPECT_TRUE(stale.begin(terms, net::Family::Ipv4, t0 + Seconds{110}));
  EXPECT_EQ(stale.phase(), Phase::Restarting);
  auto without = stale;
  auto without_forwarding = terms;
  without_forwarding.ipv4.long_lived_forwarding = false;
  EXPECT_EQ(without.returned(without_forwarding, net::Family::Ipv4, Seconds{360}, t0 + Seconds{120}), Step::Drop);

  EXPECT_EQ(stale.tick(t0 + Seconds{170}), Step::Fade);
  EXPECT_EQ(stale.deadline(), t0 + Seconds{660}) << "of those that were there before";
  EXPECT_EQ(stale.tick(t0 + Seconds{660}), Step::DropOlder);
  EXPECT_EQ(stale.tick(t0 + Seconds{769}), Step::Nothing);
  EXPECT_EQ(stale.tick(t0 + Seconds{770}), Step::Drop);
  EXPECT_FALSE(stale.begin(terms, net::Family::Ipv4, t0 + Seconds{800}));
}

// ---- our own restart --------------------------------------------------------------------------------

TEST(Deferral, EndsByFamilyOrByTime) {
  Deferral deferral;
  EXPECT_FALSE(deferral.active());
  EXPECT_EQ(deferral.deadline(t0), std::nullopt);
  deferral.begin(t0, Seconds{120}, {.absent = Seconds{30}, .restarting = Seconds{5}});
  EXPECT_TRUE(deferral.active(net::Family::Ipv6));
  EXPECT_EQ(deferral.deadline(t0), t0 + Seconds{5});
  EXPECT_FALSE(deferral.waits_for_restarting(t0 + Seconds{5}));
  EXPECT_EQ(deferral.deadline(t0 + Seconds{5}), t0 + Seconds{30});
  EXPECT_FALSE(deferral.waits_for_absent(t0 + Seconds{30}));
  EXPECT_EQ(deferral.deadline(t0 + Seconds{30}), t0 + Seconds{120});
  deferral.end(net::Family::Ipv6);
  EXPECT_FALSE(deferral.active(net::Family::Ipv6));
  EXPECT_TRUE(deferral.active());
  EXPECT_TRUE(deferral.expired(t0 + Seconds{120}));
  deferral.end(net::Family::Ipv4);
  EXPECT_EQ(deferral.deadline(t0), std::nullopt);
}

}  // namespace
}  // namespace bgp
