// SPDX-License-Identifier: Apache-2.0
#include "bgp/router.hpp"

#include <memory>

#include <gmock/gmock.h>

#include "bgp/wire/notification.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}

PathAttributes path(std::vector<std::uint32_t> asns) {
  PathAttributes attributes;
  AsPathSegment segment;
  for (const auto asn : asns) segment.asns.push_back(net::Asn{asn});
  if (!asns.empty()) attributes.as_path.segments.push_back(segment);
  return attributes;
}

std::vector<std::uint32_t> asns(const PathAttributes& attributes) {
  std::vector<std::uint32_t> all;
  for (const auto& segment : attributes.as_path.segments) {
    for (const auto asn : segment.asns) all.push_back(asn.value);
  }
  return all;
}

SpeakerOptions external(unsigned number) {
  return {.name = "e" + std::to_string(number),
          .asn = net::Asn{65000 + number},
          .id = net::RouterId{0x0a000100 + number},
          .address = net::Ipv4Address{0x0a000100 + number}};
}
SpeakerOptions internal(unsigned number) {
  auto options = external(number);
  options.name = "i" + std::to_string(number);
  options.asn = net::Asn{65000};
  return options;
}

// A router AS 65000 and speakers that are its neighbours.
class Lab {
 public:
  Speaker& add(const SpeakerOptions& options) {
    speakers_.push_back(std::make_unique<Speaker>(router, options));
    neighbors.push_back(speakers_.back()->neighbor());
    return *speakers_.back();
  }
  NeighborConfig& config(const Speaker& speaker) {
    for (auto& each : neighbors) {
      if (each.name == speaker.options().name) return each;
    }
    throw std::out_of_range{"no such neighbour"};
  }
  void configure() { router.configure(router.config(), neighbors, start_time); }
  void establish() {
    configure();
    for (auto& speaker : speakers_) ASSERT_TRUE(speaker->establish());
    settle();
  }
  // Until nobody has anything to do or say.
  void settle() {
    for (bool busy = true; busy;) {
      busy = router.work();
      for (auto& speaker : speakers_) busy = speaker->listen() || busy;
    }
    take();
    for (auto& speaker : speakers_) EXPECT_THAT(speaker->complaints, IsEmpty());
  }
  void take() {
    for (auto& action : router.take_actions()) actions.push_back(std::move(action));
  }
  template <class Action>
  std::vector<Action> taken() {
    take();
    std::vector<Action> found;
    for (const auto& action : actions) {
      if (const auto* match = std::get_if<Action>(&action)) found.push_back(*match);
    }
    return found;
  }
  NeighborStatus status(const Speaker& speaker) {
    for (auto& each : router.neighbors()) {
      if (each.name == speaker.options().name) return each;
    }
    throw std::out_of_range{"no such neighbour"};
  }
  PeerId id(const Speaker& speaker) { return *router.find(speaker.options().name); }
  std::string best_reason(std::string_view prefix) {
    for (const auto& each : router.explain(pfx(prefix)).paths) {
      if (each.best) return each.peer + ": " + each.reason;
    }
    return "";
  }

  Router router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}, .decision = {}}, 1};
  std::vector<NeighborConfig> neighbors;
  std::vector<RouterAction> actions;

 private:
  std::vector<std::unique_ptr<Speaker>> speakers_;
};

FilterRule rule(std::string name, RuleAction action) {
  FilterRule made;
  made.name = std::move(name);
  made.action = action;
  return made;
}

// ---- what is passed on -----------------------------------------------------------------------------

TEST(RouterBetweenExternalPeers, PrependsItsAsAndBecomesTheNextHop) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  auto attributes = path({65001, 64999});
  attributes.med = 7;
  attributes.communities = {Community{0xfde80001}};
  sender.announce({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, attributes);
  lab.settle();
  ASSERT_EQ(receiver.heard.size(), 2U);
  const auto& got = receiver.heard[pfx("203.0.113.0/24")];
  EXPECT_THAT(asns(got), ElementsAre(65000, 65001, 64999));
  EXPECT_EQ(got.next_hop.address, net::IpAddress{Speaker::router_address});
  EXPECT_EQ(got.med, std::nullopt);
  EXPECT_EQ(got.local_pref, std::nullopt);
  EXPECT_THAT(got.communities, ElementsAre(Community{0xfde80001}));
  EXPECT_EQ(receiver.heard[pfx("2001:db8:1::/48")].next_hop.address, net::IpAddress{Speaker::router_address_ipv6});
  EXPECT_THAT(sender.heard, IsEmpty());  // not its own routes
}

TEST(RouterBetweenExternalPeers, WithdrawsWhatIsWithdrawn) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24"), pfx("203.0.112.0/24")}, path({65001}));
  lab.settle();
  sender.withdraw({pfx("203.0.113.0/24"), pfx("198.51.100.0/24")});
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Pair(pfx("203.0.112.0/24"), ::testing::_)));
}

TEST(RouterBetweenExternalPeers, SendsAChangeWithTheNextPull) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  ASSERT_THAT(lab.taken<WritableLink>(), ::testing::Contains(::testing::Field(&WritableLink::link, *receiver.link())));
  std::vector<std::uint8_t> bytes;
  ASSERT_TRUE(lab.router.pull(*receiver.link(), bytes, 1));
  receiver.hear(bytes);
  EXPECT_EQ(receiver.heard.size(), 1U);
}

TEST(RouterBetweenExternalPeers, SaysOnlyTheLatestStateOfAPrefix) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  const auto before = receiver.updates;
  for (std::uint32_t i = 1; i < 50; ++i) sender.announce({pfx("203.0.113.0/24")}, path({65001, 64000 + i}));
  sender.announce({pfx("198.51.100.0/24")}, path({65001}));
  sender.withdraw({pfx("198.51.100.0/24")});
  lab.settle();
  EXPECT_EQ(receiver.updates, before + 1);
  EXPECT_THAT(asns(receiver.heard[pfx("203.0.113.0/24")]), ElementsAre(65000, 65001, 64049));
}

TEST(RouterBetweenExternalPeers, PacksPrefixesOfOneAttributeSetIntoOneMessage) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  const auto before = receiver.updates;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const auto number = std::to_string(i);
    sender.announce({pfx("10.1." + number + ".0/24")}, path({65001}));
    sender.announce({pfx("10.2." + number + ".0/24")}, path({65001, 65010}));
  }
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 200U);
  EXPECT_EQ(receiver.updates, before + 2);
}

TEST(RouterBetweenExternalPeers, TellsNobodyOfARouteThatDidNotChange) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  const auto before = receiver.updates;
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  // A MED does not leave the AS, so the receiver would be told the same again.
  auto with_med = path({65001});
  with_med.med = 5;
  sender.announce({pfx("203.0.113.0/24")}, with_med);
  lab.settle();
  EXPECT_EQ(receiver.updates, before);
}

TEST(RouterBetweenExternalPeers, WithdrawsFromThePeerWhoseOwnRouteBecameTheBest) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  first.announce({pfx("203.0.113.0/24")}, path({65001, 64999}));
  lab.settle();
  EXPECT_EQ(second.heard.size(), 1U);
  second.announce({pfx("203.0.113.0/24")}, path({65002}));
  lab.settle();
  EXPECT_THAT(second.heard, IsEmpty());
  EXPECT_THAT(asns(first.heard[pfx("203.0.113.0/24")]), ElementsAre(65000, 65002));
  EXPECT_THAT(asns(third.heard[pfx("203.0.113.0/24")]), ElementsAre(65000, 65002));
  second.withdraw({pfx("203.0.113.0/24")});
  lab.settle();
  EXPECT_THAT(first.heard, IsEmpty());
  EXPECT_EQ(second.heard.size(), 1U);
  EXPECT_THAT(asns(third.heard[pfx("203.0.113.0/24")]), ElementsAre(65000, 65001, 64999));
}

TEST(RouterBetweenExternalPeers, HonoursNoExportAndNoAdvertise) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& outside = lab.add(external(2));
  auto& inside = lab.add(internal(3));
  lab.establish();
  auto no_export = path({65001});
  no_export.communities = {community_no_export};
  sender.announce({pfx("203.0.113.0/24")}, no_export);
  auto no_advertise = path({65001});
  no_advertise.communities = {community_no_advertise};
  sender.announce({pfx("198.51.100.0/24")}, no_advertise);
  lab.settle();
  EXPECT_THAT(outside.heard, IsEmpty());
  EXPECT_THAT(inside.heard, ElementsAre(Pair(pfx("203.0.113.0/24"), ::testing::_)));
}

TEST(RouterWithInternalPeers, KeepsNextHopAndAddsLocalPref) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& inside = lab.add(internal(2));
  lab.establish();
  auto attributes = path({65001});
  attributes.med = 7;
  sender.announce({pfx("203.0.113.0/24")}, attributes);
  lab.settle();
  const auto& got = inside.heard[pfx("203.0.113.0/24")];
  EXPECT_THAT(asns(got), ElementsAre(65001));
  EXPECT_EQ(got.local_pref, 100U);
  EXPECT_EQ(got.med, 7U);
  EXPECT_EQ(got.next_hop.address, sender.options().address);
}

TEST(RouterWithInternalPeers, IsTheNextHopWhereItIsToldSo) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& inside = lab.add(internal(2));
  lab.config(inside).next_hop = InternalNextHop::Self;
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_EQ(inside.heard[pfx("203.0.113.0/24")].next_hop.address, net::IpAddress{Speaker::router_address});
}

TEST(RouterWithInternalPeers, DoesNotPassInternalRoutesToInternalPeers) {
  Lab lab;
  auto& first = lab.add(internal(1));
  auto& second = lab.add(internal(2));
  auto& outside = lab.add(external(3));
  lab.establish();
  auto attributes = path({});
  attributes.local_pref = 300;
  first.announce({pfx("203.0.113.0/24")}, attributes);
  lab.settle();
  EXPECT_THAT(second.heard, IsEmpty());
  ASSERT_EQ(outside.heard.size(), 1U);
  EXPECT_THAT(asns(outside.heard[pfx("203.0.113.0/24")]), ElementsAre(65000));
}

TEST(RouterWithATwoOctetPeer, SendsAsTransAndAs4Path) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto options = external(2);
  options.asn_width = AsnWidth::TwoOctets;
  auto& old = lab.add(options);
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001, 4200000000}));
  lab.settle();
  EXPECT_THAT(asns(old.heard[pfx("203.0.113.0/24")]), ElementsAre(65000, 65001, 4200000000));
}

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

TEST(RouterExport, AnnouncesNothingLearnedByDefault) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.config(receiver).export_filter.reset();
  lab.establish();
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.router.set_local(pfx("192.0.2.0/24"), LocalRoute{.announcements = {{}}});
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Pair(pfx("192.0.2.0/24"), ::testing::_)));
}

// ---- sessions ---------------------------------------------------------------------------------------

TEST(RouterSession, SendsEndOfRibForEveryFamilyAfterTheTable) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.establish();
  EXPECT_THAT(sender.end_of_rib, UnorderedElementsAre(net::Family::Ipv4, net::Family::Ipv6));
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  auto& late = lab.add(external(2));
  lab.configure();
  ASSERT_TRUE(late.establish());
  lab.settle();
  EXPECT_EQ(late.heard.size(), 1U);
  EXPECT_THAT(late.end_of_rib, UnorderedElementsAre(net::Family::Ipv4, net::Family::Ipv6));
}

TEST(RouterSession, WithdrawsARouteWhenItsSessionEnds) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, path({65001}));
  lab.settle();
  sender.hang_up();
  EXPECT_TRUE(lab.router.has_work());
  EXPECT_TRUE(lab.status(sender).clearing);
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  EXPECT_FALSE(lab.status(sender).clearing);
  lab.router.drain_route_changes(100,
                                 [](const net::Prefix&, std::span<const NextHop> hops) { EXPECT_TRUE(hops.empty()); });
  EXPECT_EQ(lab.router.table().ipv4_prefixes, 0U);
  EXPECT_EQ(lab.router.table().attribute_sets, 0U);
}

TEST(RouterSession, KeepsWhatANewSessionAnnouncedBeforeTheOldOneWasCleared) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24"), pfx("198.51.100.0/24")}, path({65001}));
  lab.settle();
  const auto before = receiver.updates;
  sender.hang_up();
  ASSERT_TRUE(sender.establish());
  sender.announce({pfx("203.0.113.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Pair(pfx("203.0.113.0/24"), ::testing::_)));
  EXPECT_EQ(receiver.updates, before + 1);  // the withdrawal alone
  EXPECT_EQ(lab.status(sender).ipv4.received, 1U);
}

TEST(RouterSession, ReadsUpdatesThatArriveByteByByte) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  const auto bytes = sender.update({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, path({65001, 65010}));
  for (const auto byte : bytes) sender.say({byte});
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 2U);
}

TEST(RouterSession, EndsForAnUpdateThatCannotBeRead) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.establish();
  auto bytes = sender.update({pfx("203.0.113.0/24")}, path({65001}));
  bytes[header_size + 1] = 200;  // withdrawn routes that run past the message
  sender.say(bytes);
  const auto closed = lab.taken<CloseLink>();
  ASSERT_EQ(closed.size(), 1U);
  sender.hear(closed[0].last);
  ASSERT_TRUE(sender.notification);
  EXPECT_EQ(sender.notification->code, 3);
  EXPECT_EQ(lab.status(sender).malformed.size(), 1U);
}

TEST(RouterSession, TreatsAMalformedAttributeAsAWithdrawal) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("203.0.113.0/24"), pfx("198.51.100.0/24")}, path({65001}));
  lab.settle();
  auto bytes = sender.update({pfx("203.0.113.0/24")}, path({65001}));
  bytes[header_size + 4 + 3] = 9;  // ORIGIN
  sender.say(bytes);
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Pair(pfx("198.51.100.0/24"), ::testing::_)));
  EXPECT_EQ(lab.status(sender).attribute_faults.at(1), 1U);
  ASSERT_EQ(lab.status(sender).malformed.size(), 1U);
  EXPECT_THAT(lab.status(sender).malformed[0].reason, HasSubstr("attribute 1"));
  EXPECT_THAT(lab.taken<NeighborNotice>(),
              ElementsAre(::testing::Field(&NeighborNotice::notice, Notice::MalformedUpdate)));
}

// ---- refresh ----------------------------------------------------------------------------------------

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

// ---- limits -----------------------------------------------------------------------------------------

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

// ---- configuration ----------------------------------------------------------------------------------

TEST(RouterConfiguration, KeepsSessionsThatAreNotConcerned) {
  Lab lab;
  auto& first = lab.add(external(1));
  lab.establish();
  auto& second = lab.add(external(2));
  EXPECT_THAT(lab.router.plan(lab.router.config(), lab.neighbors),
              ElementsAre(::testing::Field(&PlannedChange::kind, PlannedChange::Kind::Added)));
  lab.configure();
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
  EXPECT_EQ(lab.status(first).session.state, State::Established);
  lab.neighbors.pop_back();
  lab.configure();
  EXPECT_EQ(lab.router.find(second.options().name), std::nullopt);
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
  EXPECT_EQ(lab.taken<NeighborsChanged>().size(), 3U);
}

TEST(RouterConfiguration, ClosesTheSessionOfANeighborThatIsGone) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  lab.establish();
  first.announce({pfx("10.0.1.0/24")}, path({65001}));
  lab.settle();
  lab.neighbors.erase(lab.neighbors.begin());
  lab.configure();
  const auto closed = lab.taken<CloseLink>();
  ASSERT_EQ(closed.size(), 1U);
  first.hear(closed[0].last);
  EXPECT_TRUE(is(first.notification.value(), CeaseError::PeerDeconfigured));
  EXPECT_FALSE(first.establish());
  lab.settle();
  EXPECT_THAT(second.heard, IsEmpty());
}

TEST(RouterConfiguration, AsksForARefreshWhenImportFiltersChange) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.establish();
  lab.config(sender).import = {reject_all()};
  ASSERT_THAT(lab.router.plan(lab.router.config(), lab.neighbors),
              ElementsAre(::testing::Field(&PlannedChange::kind, PlannedChange::Kind::Live)));
  lab.configure();
  lab.settle();
  EXPECT_EQ(sender.requests, 2U);  // one for each family
  EXPECT_TRUE(sender.up());
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
}

TEST(RouterConfiguration, OpensTheSessionAnewWhenThePeerLacksRefresh) {
  Lab lab;
  auto options = external(1);
  options.refresh = false;
  auto& sender = lab.add(options);
  lab.establish();
  lab.config(sender).import = {reject_all()};
  lab.configure();
  EXPECT_EQ(lab.taken<CloseLink>().size(), 1U);
  EXPECT_THAT(lab.taken<NeighborNotice>(),
              ElementsAre(::testing::Field(&NeighborNotice::notice, Notice::RefreshMissing)));
}

TEST(RouterConfiguration, SendsTheDifferenceWhenExportFiltersChange) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& receiver = lab.add(external(2));
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24")}, path({65001}));
  lab.settle();
  const auto before = receiver.updates;
  auto drop = rule("drop", RuleAction::Reject);
  drop.match.prefixes = {{pfx("10.0.1.0/24"), 24, 24}};
  lab.config(receiver).export_filter = FilterChain{{"some", {drop}}, accept_all()};
  lab.configure();
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Pair(pfx("10.0.2.0/24"), ::testing::_)));
  EXPECT_EQ(receiver.updates, before + 1);
  EXPECT_EQ(lab.status(receiver).ipv4.advertised, 1U);
  lab.config(receiver).export_filter = FilterChain{accept_all()};
  lab.configure();
  lab.settle();
  EXPECT_EQ(receiver.heard.size(), 2U);
  EXPECT_EQ(receiver.updates, before + 2);
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
}

TEST(RouterConfiguration, HoldsANeighborDownAndSaysWhy) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.config(sender).hold_down = "filter edge is missing";
  lab.configure();
  EXPECT_FALSE(sender.establish());
  EXPECT_EQ(lab.status(sender).hold_down, "filter edge is missing");
  lab.config(sender).hold_down.clear();
  lab.configure();
  EXPECT_TRUE(sender.establish());
}

TEST(RouterConfiguration, ShutsANeighborDownWithItsText) {
  Lab lab;
  auto& sender = lab.add(external(1));
  lab.establish();
  lab.config(sender).shutdown = "rack 4 maintenance";
  lab.configure();
  const auto closed = lab.taken<CloseLink>();
  ASSERT_EQ(closed.size(), 1U);
  sender.hear(closed[0].last);
  EXPECT_EQ(shutdown_communication(sender.notification.value()), "rack 4 maintenance");
  EXPECT_FALSE(sender.establish());
}

TEST(RouterShutDown, TellsEverybodyAndOpensNothingAgain) {
  Lab lab;
  auto& first = lab.add(external(1));
  lab.add(external(2));
  lab.establish();
  lab.router.shut_down("upgrade", start_time);
  EXPECT_EQ(lab.taken<CloseLink>().size(), 2U);
  EXPECT_FALSE(first.establish());
  EXPECT_EQ(lab.router.next_deadline(), std::nullopt);
}

// ---- local routes -----------------------------------------------------------------------------------

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
  const auto visit = [&](const net::Prefix& prefix, std::span<const NextHop> hops) { kernel[prefix] = hops.size(); };
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(kernel, ElementsAre(Pair(pfx("192.0.2.1/32"), 1)));
  lab.router.set_local(pfx("192.0.2.1/32"), LocalRoute{.announcements = {{}}});
  lab.router.drain_route_changes(100, visit);
  EXPECT_THAT(kernel, ElementsAre(Pair(pfx("192.0.2.1/32"), 0)));
  lab.settle();
  EXPECT_THAT(asns(second.heard.at(pfx("192.0.2.1/32"))), ElementsAre(65000));
  EXPECT_EQ(lab.best_reason("192.0.2.1/32"), ": Local Route");
}

// ---- kernel ----------------------------------------------------------------------------------------

TEST(RouterRouteFeed, GivesEqualPathsTogetherAndOnlyTheLatestState) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  std::vector<std::pair<net::Prefix, std::vector<net::IpAddress>>> seen;
  const auto visit = [&](const net::Prefix& prefix, std::span<const NextHop> hops) {
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

TEST(RouterRouteFeed, CanBeReplayed) {
  Lab lab;
  auto& first = lab.add(external(1));
  lab.establish();
  first.announce({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, path({65001}));
  std::size_t visits = 0;
  const auto visit = [&](const net::Prefix&, std::span<const NextHop>) { ++visits; };
  EXPECT_EQ(lab.router.drain_route_changes(1, visit), 1U);
  lab.router.drain_route_changes(100, visit);
  lab.router.replay_routes();
  lab.router.drain_route_changes(100, visit);
  EXPECT_EQ(visits, 4U);
}

// ---- groups ----------------------------------------------------------------------------------------

TEST(RouterOutGroup, SendsItsMembersTheSameBytes) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  EXPECT_EQ(lab.status(second).ipv4_group, lab.status(third).ipv4_group);
  second.record = third.record = true;
  for (std::uint32_t i = 0; i < 200; ++i)
    sender.announce({pfx("10.1." + std::to_string(i) + ".0/24")}, path({65001, 64000 + i % 7}));
  lab.settle();
  EXPECT_EQ(second.heard.size(), 200U);
  EXPECT_EQ(second.recorded, third.recorded);
}

TEST(RouterOutGroup, LetsASlowMemberCatchUpWithoutAQueue) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& fast = lab.add(external(2));
  auto& slow = lab.add(external(3));
  lab.establish();
  // The slow one reads nothing while every prefix changes many times.
  const auto round = [&](std::uint32_t number) {
    for (std::uint32_t i = 0; i < 2000; ++i) {
      const auto prefix = *net::Ipv4Prefix::make({0x0a000000 + (i << 8)}, 24);
      sender.announce({prefix}, path({65001, 64000 + number, 1000000 + i}));
    }
    fast.listen();
    lab.take();
  };
  for (std::uint32_t number = 0; number < 5; ++number) round(number);
  const auto bytes_early = lab.router.table().bytes;
  for (std::uint32_t number = 5; number < 40; ++number) round(number);
  EXPECT_TRUE(lab.status(slow).catching_up);
  EXPECT_FALSE(lab.status(fast).catching_up);
  EXPECT_LT(lab.router.table().bytes, bytes_early + 100000);
  lab.settle();
  EXPECT_EQ(slow.heard, fast.heard);
  EXPECT_FALSE(lab.status(slow).catching_up);
  EXPECT_LT(slow.updates, fast.updates);
}

TEST(RouterOutGroup, CountsWhatEachMemberHas) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  first.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24"), pfx("10.0.3.0/24")}, path({65001}));
  second.announce({pfx("10.0.4.0/24")}, path({65002}));
  lab.settle();
  second.announce({pfx("10.0.1.0/24")}, path({65002, 64999}));
  third.announce({pfx("10.0.4.0/24")}, path({65003, 64999}));
  lab.settle();
  for (auto* speaker : {&first, &second, &third})
    EXPECT_EQ(lab.status(*speaker).ipv4.advertised, speaker->heard.size()) << speaker->options().name;
  EXPECT_EQ(lab.status(first).ipv4.best, 3U);
  EXPECT_EQ(lab.status(second).ipv4.best, 1U);
  EXPECT_EQ(lab.status(third).ipv4.received, 1U);
}

// ---- to look at -------------------------------------------------------------------------------------

TEST(RouterExplain, NamesTheGateThatStopsARoute) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& inside = lab.add(internal(2));
  auto& filtered = lab.add(external(3));
  auto& closed = lab.add(external(4));
  auto reject = rule("no-more-specifics", RuleAction::Reject);
  reject.match.prefixes = {{pfx("0.0.0.0/0"), 24, 32}};
  lab.config(filtered).export_filter = FilterChain{{"edge", {reject}}, accept_all()};
  lab.config(closed).export_filter.reset();
  lab.establish();
  sender.announce({pfx("10.0.1.0/24")}, path({65001}));
  lab.settle();
  std::map<std::string, std::string> gates;
  for (const auto& each : lab.router.explain(pfx("10.0.1.0/24")).exports) gates[each.peer] = each.reason;
  EXPECT_THAT(gates, UnorderedElementsAre(Pair("e1", "learned from this neighbor"), Pair("i2", "sent"),
                                          Pair("e3", "rejected by export filters: filter edge, rule no-more-specifics"),
                                          Pair("e4", "no export filter: learned routes are not announced")));
  EXPECT_FALSE(lab.router.explain(pfx("10.0.9.0/24")).known);
  EXPECT_EQ(inside.heard.size(), 1U);
}

TEST(RouterExplain, ShowsRejectedRoutesWhereTheyAreKept) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto reject = rule("bogons", RuleAction::Reject);
  reject.match.prefixes = {{pfx("10.0.0.0/8"), 8, 32}};
  lab.config(sender).import = {{"edge", {reject}}, accept_all()};
  lab.config(sender).rejected = Kept::Yes;
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("203.0.113.0/24")}, path({65001}));
  sender.announce({pfx("198.51.100.0/24")}, path({65001, 65000}));
  lab.settle();
  std::map<net::Prefix, std::string> reasons;
  TableCursor cursor;
  while (!cursor.done())
    lab.router.walk_in(lab.id(sender), cursor, 1, [&](const RouteRow& row) { reasons[row.prefix] = row.reason; });
  EXPECT_THAT(reasons,
              UnorderedElementsAre(
                  Pair(pfx("10.0.1.0/24"), "filter edge, rule bogons"), Pair(pfx("203.0.113.0/24"), "Only path"),
                  Pair(pfx("198.51.100.0/24"), "loop: the path holds this router's AS or identifier")));
  const auto counters = lab.status(sender).ipv4;
  EXPECT_EQ(counters.received, 3U);
  EXPECT_EQ(counters.accepted, 1U);
}

TEST(RouterWalks, ShowBestAndSentRoutes) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  lab.establish();
  first.announce({pfx("10.0.1.0/24"), pfx("2001:db8:1::/48")}, path({65001}));
  second.announce({pfx("10.0.1.0/24")}, path({65002}));
  lab.settle();
  std::multimap<net::Prefix, std::string> best;
  TableCursor cursor;
  while (!cursor.done())
    lab.router.walk_best(cursor, 1, [&](const RouteRow& row) { best.emplace(row.prefix, row.peer); });
  EXPECT_THAT(best, UnorderedElementsAre(Pair(pfx("10.0.1.0/24"), "e1"), Pair(pfx("10.0.1.0/24"), "e2"),
                                         Pair(pfx("2001:db8:1::/48"), "e1")));
  std::map<net::Prefix, PathAttributes> out;
  cursor = {};
  while (!cursor.done())
    lab.router.walk_out(lab.id(second), cursor, 1, [&](const RouteRow& row) { out[row.prefix] = row.attributes; });
  EXPECT_EQ(out, second.heard);
}

}  // namespace
}  // namespace bgp
