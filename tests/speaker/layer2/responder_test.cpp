// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/responder.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/speaker/layer2/solicitation.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

const net::TimePoint t0{std::chrono::hours{1}};
const net::Mac asker = *net::parse_mac("02:00:00:00:00:aa");
const net::Mac mac2 = *net::parse_mac("02:00:00:00:00:02");
const net::Mac mac3 = *net::parse_mac("02:00:00:00:00:03");
const auto vip4 = ip("192.0.2.10");
const auto vip6 = ip("2001:db8::10");
const Responder::Ports both{{2, {mac2, 0}}, {3, {mac3, 0}}};

Responder owning(const Responder::Answers& answers) {
  Responder responder;
  responder.update(answers, both, t0);
  return responder;
}
Arp who_has(const net::IpAddress& target) {
  return {net::broadcast_mac, asker, Arp::Operation::Request, asker, ip("192.0.2.99").v4(), {}, target.v4()};
}
Solicitation solicitation(const net::IpAddress& target) {
  const auto group = solicited_node(target.v6());
  return {.destination_mac = multicast_mac(group),
          .source_mac = asker,
          .source = ip("2001:db8::99").v6(),
          .destination = group,
          .target = target.v6(),
          .source_link = asker,
          .more_options = {}};
}
std::optional<Arp> ask(Responder& responder, unsigned link, const Arp& arp, net::TimePoint now = t0) {
  const auto answer = responder.handle(link, encode_arp(arp), now);
  return answer ? decode_arp(answer->bytes()) : std::nullopt;
}
std::optional<Ndp> ask(Responder& responder, unsigned link, const Solicitation& ndp, net::TimePoint now = t0) {
  const auto answer = responder.handle(link, ndp.bytes(), now);
  return answer ? decode_ndp(answer->bytes()) : std::nullopt;
}

// ---- answers --------------------------------------------------------------------------------------------

TEST(ResponderAsked, AnswersWithTheMacOfTheLinkAsked) {
  auto responder = owning({{vip4, {2, 3}}});
  EXPECT_EQ(ask(responder, 2, who_has(vip4))->sender_mac, mac2);
  EXPECT_EQ(ask(responder, 3, who_has(vip4))->sender_mac, mac3);
  EXPECT_EQ(responder.counters().arp_requests, 2U);
  EXPECT_EQ(responder.counters().arp_replies, 2U);
  EXPECT_EQ(responder.counters(vip4)->replies, 2U);
}

TEST(ResponderAsked, IsSilentForOtherAddressesAndOnOtherLinks) {
  auto responder = owning({{vip4, {2}}, {vip6, {2}}});
  EXPECT_FALSE(ask(responder, 2, who_has(ip("192.0.2.11"))));
  EXPECT_FALSE(ask(responder, 3, who_has(vip4)));
  EXPECT_FALSE(ask(responder, 3, solicitation(vip6)));
  EXPECT_FALSE(ask(responder, 9, who_has(vip4)));
  EXPECT_EQ(responder.counters().others, 3U);
  EXPECT_EQ(responder.counters().arp_replies, 0U);
}

TEST(ResponderAsked, AnswersAProbeSentToItAlone) {
  auto responder = owning({{vip4, {2}}, {vip6, {2}}});
  auto arp = who_has(vip4);
  arp.destination = mac2;
  EXPECT_TRUE(ask(responder, 2, arp));
  auto ndp = solicitation(vip6);
  ndp.destination = vip6.v6();  // from a global address to the address itself: neighbour unreachability
  ndp.destination_mac = mac2;
  ndp.source_link = std::nullopt;
  const auto answer = ask(responder, 2, ndp);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->solicited);
  EXPECT_TRUE(answer->overrides);
}

TEST(ResponderAsked, LeavesFramesForOtherStationsAlone) {
  auto responder = owning({{vip4, {2}}, {vip6, {2}}});
  auto arp = who_has(vip4);
  arp.destination = mac3;
  EXPECT_FALSE(ask(responder, 2, arp));
  auto ndp = solicitation(vip6);
  ndp.destination_mac = mac3;
  EXPECT_FALSE(ask(responder, 2, ndp));
}

TEST(ResponderAsked, DoesNotAnswerRepliesAndAnnouncements) {
  auto responder = owning({{vip4, {2}}});
  auto reply = who_has(vip4);
  reply.operation = Arp::Operation::Reply;
  EXPECT_FALSE(ask(responder, 2, reply));
  EXPECT_FALSE(ask(responder, 2, arp_announcement(Arp::Operation::Request, vip4.v4(), asker)));
}

TEST(ResponderAsked, DefendsAgainstProbesOfThoseWhoWantTheAddress) {
  auto responder = owning({{vip4, {2}}, {vip6, {2}}});
  auto probe = who_has(vip4);
  probe.sender = {};
  EXPECT_EQ(ask(responder, 2, probe)->sender_mac, mac2);
  auto detection = solicitation(vip6);
  detection.source = {};
  detection.source_link = std::nullopt;
  EXPECT_EQ(ask(responder, 2, detection)->destination, all_nodes);
}

TEST(ResponderAsked, CountsWhatIsMalformed) {
  auto responder = owning({{vip4, {2}}});
  const auto bytes = encode_arp(who_has(vip4));
  EXPECT_FALSE(responder.handle(2, std::span{bytes}.first(30), t0));
  EXPECT_FALSE(responder.handle(2, std::span{bytes}.first(3), t0));
  auto ndp = solicitation(vip6).bytes();
  ndp.back() ^= 1;
  EXPECT_FALSE(responder.handle(2, ndp, t0));
  EXPECT_EQ(responder.counters().malformed, 3U);
}

TEST(ResponderAsked, ForgetsAnAddressGivenAway) {
  auto responder = owning({{vip4, {2}}});
  responder.update({}, both, t0);
  EXPECT_FALSE(ask(responder, 2, who_has(vip4)));
  EXPECT_EQ(responder.next_deadline(), std::nullopt);
  EXPECT_THAT(responder.tick(t0 + seconds{100}), IsEmpty());
  EXPECT_EQ(responder.counters(vip4), nullptr);
}

// ---- announcements ------------------------------------------------------------------------------------------

// When something was sent, from now on for a while, following the deadlines.
std::vector<net::Milliseconds> rounds(Responder& responder, net::TimePoint from, net::Duration length) {
  std::vector<net::Milliseconds> times;
  for (auto due = responder.next_deadline(); due && *due <= from + length; due = responder.next_deadline()) {
    if (!responder.tick(*due).empty()) times.push_back(std::chrono::duration_cast<net::Milliseconds>(*due - from));
  }
  return times;
}

TEST(ResponderTakingOver, AnnouncesInABurstAndThenNowAndAgain) {
  auto responder = owning({{vip4, {2}}});
  using ms = net::Milliseconds;
  EXPECT_THAT(rounds(responder, t0, seconds{10}), ElementsAre(ms{0}, ms{100}, ms{300}, ms{1100}, ms{2200}));
  const auto later = rounds(responder, t0, std::chrono::minutes{60});
  EXPECT_GE(later.size(), 48U);
  EXPECT_LE(later.size(), 80U);
  for (std::size_t i = 1; i < later.size(); ++i) {
    EXPECT_GE(later[i] - later[i - 1], seconds{45});
    EXPECT_LE(later[i] - later[i - 1], seconds{76});
  }
}

TEST(ResponderTakingOver, SendsBothFormsOfArpOnEveryLink) {
  auto responder = owning({{vip4, {2, 3}}});
  const auto frames = responder.tick(t0);
  ASSERT_EQ(frames.size(), 4U);
  std::set<std::pair<unsigned, Arp::Operation>> seen;
  for (const auto& frame : frames) {
    const auto arp = *decode_arp(frame.bytes());
    EXPECT_EQ(arp.sender, vip4.v4());
    EXPECT_EQ(arp.sender_mac, frame.link == 2 ? mac2 : mac3);
    seen.emplace(frame.link, arp.operation);
  }
  EXPECT_EQ(seen.size(), 4U);
  EXPECT_EQ(responder.counters().arp_announcements, 4U);
}

TEST(ResponderTakingOver, SendsAnOverridingAdvertisement) {
  auto responder = owning({{vip6, {3}}});
  const auto frames = responder.tick(t0);
  ASSERT_EQ(frames.size(), 1U);
  const auto ndp = *decode_ndp(frames[0].bytes());
  EXPECT_EQ(ndp, ndp_announcement(vip6.v6(), mac3));
}

TEST(ResponderUpdated, AnnouncesNothingWhenNothingChanged) {
  auto responder = owning({{vip4, {2}}});
  rounds(responder, t0, seconds{10});
  const auto deadline = responder.next_deadline();
  for (unsigned i = 0; i < 100; ++i) responder.update({{vip4, {2}}}, both, t0 + seconds{11});
  EXPECT_EQ(responder.next_deadline(), deadline);
  EXPECT_THAT(responder.tick(t0 + seconds{11}), IsEmpty());
}

TEST(ResponderUpdated, AnnouncesAgainOnANewLinkANewMacAndARegainedCarrier) {
  const auto quiet = [] {
    auto responder = owning({{vip4, {2}}});
    rounds(responder, t0, seconds{10});
    return responder;
  };
  const auto now = t0 + seconds{11};
  auto responder = quiet();
  responder.update({{vip4, {2, 3}}}, both, now);
  EXPECT_EQ(responder.tick(now).size(), 4U);

  responder = quiet();
  responder.update({{vip4, {2}}}, {{2, {asker, 0}}}, now);
  ASSERT_EQ(responder.tick(now).size(), 2U);
  EXPECT_EQ(ask(responder, 2, who_has(vip4))->sender_mac, asker);

  responder = quiet();
  responder.update({{vip4, {2}}}, {{2, {mac2, 2}}}, now);
  EXPECT_EQ(responder.tick(now).size(), 2U);

  responder = quiet();
  responder.update({}, {}, now);                            // the link went away …
  responder.update({{vip4, {2}}}, both, now + seconds{1});  // … and came back
  EXPECT_EQ(responder.tick(now + seconds{1}).size(), 2U);
}

TEST(ResponderUpdated, DoesNotAnnounceForALinkThatIsGone) {
  auto responder = owning({{vip4, {2, 3}}});
  rounds(responder, t0, seconds{10});
  responder.update({{vip4, {2}}}, {{2, {mac2, 0}}}, t0 + seconds{11});
  EXPECT_THAT(responder.tick(t0 + seconds{11}), IsEmpty());
  EXPECT_THAT(responder.links(vip4), ElementsAre(2));
}

TEST(ResponderTakingOverThousands, KeepsThePaceAndStartsWithOneRoundForAll) {
  Responder::Answers answers;
  for (unsigned i = 0; i < 5000; ++i) answers[*net::advance(ip("10.0.0.1"), i)] = {2};
  auto responder = owning(answers);
  std::set<net::Ipv4Address> announced;
  std::size_t sent = 0;
  std::size_t sent_until_all = 0;
  auto last_tick = t0 - seconds{1};
  while (*responder.next_deadline() < t0 + seconds{20}) {
    const auto now = *responder.next_deadline();
    const auto frames = responder.tick(now);
    ASSERT_LE(frames.size(), Responder::most_per_tick + 2);
    if (frames.size() >= Responder::most_per_tick) {
      ASSERT_GE(now - last_tick, Responder::tick_gap);
      last_tick = now;
    }
    EXPECT_THAT(responder.tick(now), testing::SizeIs(testing::Le(Responder::most_per_tick)));
    sent += frames.size();
    for (const auto& frame : frames) announced.insert(decode_arp(frame.bytes())->sender);
    if (sent_until_all == 0 && announced.size() == 5000) {
      sent_until_all = sent;
      EXPECT_LE(now - t0, seconds{1});
    }
  }
  EXPECT_EQ(announced.size(), 5000U);
  EXPECT_GE(sent, 5U * 2 * 5000);
}

TEST(ResponderTickedTooEarly, SendsNothing) {
  auto responder = owning({{vip4, {2}}});
  EXPECT_EQ(responder.tick(t0).size(), 2U);
  EXPECT_THAT(responder.tick(t0 + net::Milliseconds{99}), IsEmpty());
  EXPECT_EQ(responder.next_deadline(), t0 + net::Milliseconds{100});
}

// ---- conflicts ---------------------------------------------------------------------------------------------

TEST(ResponderContested, CountsReportsAndDefendsWithinLimits) {
  auto responder = owning({{vip4, {2}}, {vip6, {2}}});
  rounds(responder, t0, seconds{10});
  const auto now = t0 + seconds{11};
  const auto claim = arp_announcement(Arp::Operation::Reply, vip4.v4(), asker);
  for (unsigned i = 0; i < 5; ++i) ask(responder, 2, claim, now + net::Milliseconds{i});
  EXPECT_EQ(responder.counters().foreign_claims, 5U);
  const auto claims = responder.take_claims();
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].address, vip4);
  EXPECT_EQ(claims[0].mac, asker);
  EXPECT_EQ(responder.tick(now + net::Milliseconds{5}).size(), 2U);
  ask(responder, 2, claim, now + seconds{10});
  EXPECT_EQ(responder.take_claims().size(), 1U);

  responder.handle(2, encode_ndp(ndp_announcement(vip6.v6(), asker)), now);
  ASSERT_EQ(responder.take_claims().size(), 1U);
}

TEST(ResponderContested, TakesItsOwnFramesOnAnotherLinkForNoConflict) {
  auto responder = owning({{vip4, {2, 3}}, {vip6, {2, 3}}});
  ask(responder, 2, arp_announcement(Arp::Operation::Request, vip4.v4(), mac3));
  responder.handle(2, encode_ndp(ndp_announcement(vip6.v6(), mac3)), t0);
  EXPECT_EQ(responder.counters().foreign_claims, 0U);
}

TEST(ResponderContested, SeesARequestFromTheAddressToo) {
  auto responder = owning({{vip4, {2}}});
  auto request = who_has(ip("192.0.2.55"));
  request.sender = vip4.v4();
  ask(responder, 2, request);
  EXPECT_EQ(responder.counters().foreign_claims, 1U);
}

}  // namespace
}  // namespace speaker
