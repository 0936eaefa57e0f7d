// SPDX-License-Identifier: Apache-2.0
// RFC 4456: who is told what by a route reflector, and RFC 5065: confederations.
#include "bgp/wire/text.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto route = pfx("203.0.113.0/24");

PathAttributes inner(std::vector<std::uint32_t> asns) {
  auto attributes = path(std::move(asns));
  attributes.local_pref = 200;
  return attributes;
}

struct ReflectionLab : Lab {
  Speaker& client = add(internal(1));
  Speaker& other_client = add(internal(2));
  Speaker& plain = add(internal(3));
  Speaker& other_plain = add(internal(4));
  Speaker& outside = add(external(5));
  ReflectionLab() {
    for (auto* each : {&client, &other_client}) config(*each).out.reflector_client = true;
  }
};

TEST(RouterReflection, PassesFromClientsToAll) {
  ReflectionLab lab;
  lab.establish();
  lab.client.announce({route}, inner({65009}));
  lab.settle();
  EXPECT_THAT(lab.client.heard, IsEmpty());
  for (auto* each : {&lab.other_client, &lab.plain, &lab.other_plain, &lab.outside})
    EXPECT_THAT(each->heard, SizeIs(1)) << each->options().name;
  const auto& told = lab.plain.heard[route];
  EXPECT_EQ(told.originator_id, lab.client.options().id);
  EXPECT_THAT(told.cluster_list, ElementsAre(net::RouterId{0x0a000001}));
  EXPECT_EQ(told.next_hop.address, lab.client.options().address);
  EXPECT_EQ(told.local_pref, 200U);
  EXPECT_EQ(print(told.as_path), "65009");
  const auto& beyond = lab.outside.heard[route];
  EXPECT_EQ(beyond.originator_id, std::nullopt);
  EXPECT_THAT(beyond.cluster_list, IsEmpty());
}

TEST(RouterReflection, PassesFromOthersToClientsOnly) {
  ReflectionLab lab;
  lab.establish();
  lab.plain.announce({route}, inner({65009}));
  lab.settle();
  EXPECT_THAT(lab.client.heard, SizeIs(1));
  EXPECT_THAT(lab.other_client.heard, SizeIs(1));
  EXPECT_THAT(lab.other_plain.heard, IsEmpty());
  for (const auto& each : lab.router.explain(route).exports) {
    if (each.peer != "i4") continue;
    EXPECT_THAT(each.reason, ::testing::HasSubstr("neither is a route reflector client"));
  }
}

TEST(RouterReflection, KeepsTheOriginatorAndPutsItsClusterInFront) {
  ReflectionLab lab;
  lab.establish();
  auto attributes = inner({65009});
  attributes.originator_id = net::RouterId{77};
  attributes.cluster_list = {net::RouterId{5}, net::RouterId{6}};
  lab.client.announce({route}, attributes);
  lab.settle();
  const auto& told = lab.plain.heard[route];
  EXPECT_EQ(told.originator_id, net::RouterId{77});
  EXPECT_THAT(told.cluster_list, ElementsAre(net::RouterId{0x0a000001}, net::RouterId{5}, net::RouterId{6}));
}

TEST(RouterReflection, IgnoresWhatWentThroughItsCluster) {
  ReflectionLab lab;
  auto config = lab.router.config();
  config.cluster_id = net::RouterId{9};
  lab.router.configure(config, {}, start_time);
  lab.establish();
  auto looped = inner({65009});
  looped.cluster_list = {net::RouterId{5}, net::RouterId{9}};
  lab.client.announce({route}, looped);
  auto own = inner({65009});
  own.originator_id = net::RouterId{0x0a000001};
  lab.other_client.announce({pfx("198.51.100.0/24")}, own);
  lab.settle();
  EXPECT_THAT(lab.plain.heard, IsEmpty());
  EXPECT_EQ(lab.status(lab.client).loops, (LoopCounters{0, 0, 1}));
  EXPECT_EQ(lab.status(lab.other_client).loops, (LoopCounters{0, 1, 0}));
  looped.cluster_list = {net::RouterId{0x0a000001}};  // the router's identifier is not its cluster's here
  lab.client.announce({route}, looped);
  lab.settle();
  ASSERT_THAT(lab.plain.heard, SizeIs(1));
  EXPECT_EQ(lab.plain.heard[route].cluster_list.front(), net::RouterId{9});
}

TEST(RouterReflection, DoesNotTouchTheNextHopOfWhatItReflects) {
  ReflectionLab lab;
  lab.config(lab.plain).out.next_hop = NextHopMode::Self;
  lab.establish();
  lab.client.announce({route}, inner({65009}));
  lab.outside.announce({pfx("198.51.100.0/24")}, path({65005}));
  lab.settle();
  EXPECT_EQ(lab.plain.heard[route].next_hop.address, lab.client.options().address);
  EXPECT_EQ(lab.plain.heard[pfx("198.51.100.0/24")].next_hop.address, net::IpAddress{Speaker::router_address});
}

// RFC 8950: an IPv6 next hop of an IPv4 route is one as good as others, where the session allows it.
TEST(RouterReflection, DoesNotTouchIpv6NextHopsOfIpv4RoutesWhereTheyWereAgreedOn) {
  Lab lab;
  const auto client = [&](unsigned number, bool ipv6_next_hops) -> Speaker& {
    auto options = internal(number);
    options.ipv6_next_hops = ipv6_next_hops;
    auto& added = lab.add(options);
    lab.config(added).out.reflector_client = true;
    return added;
  };
  auto& sender = client(1, true);
  auto& agreed = client(2, true);
  auto& without = client(3, false);
  lab.establish();
  auto attributes = inner({65009});
  attributes.next_hop.address = sender.next_hop(net::Family::Ipv6);
  sender.announce({route}, attributes);
  lab.settle();
  EXPECT_EQ(agreed.heard[route].next_hop.address, attributes.next_hop.address);
  EXPECT_EQ(without.heard[route].next_hop.address, net::IpAddress{Speaker::router_address});
}

TEST(RouterReflection, TellsTheSameToClientsInOneEncoding) {
  ReflectionLab lab;
  lab.establish();
  EXPECT_EQ(lab.status(lab.client).ipv4_group, lab.status(lab.other_client).ipv4_group);
  EXPECT_NE(lab.status(lab.client).ipv4_group, lab.status(lab.plain).ipv4_group);
}

TEST(RouterReflection, OpensTheSessionAnewWhenAClientBecomesNone) {
  ReflectionLab lab;
  lab.establish();
  lab.client.announce({route}, inner({65009}));
  lab.settle();
  ASSERT_THAT(lab.plain.heard, SizeIs(1));
  lab.config(lab.client).out.reflector_client = false;
  EXPECT_EQ(lab.router.plan(lab.router.config(), lab.neighbors).at(0).kind, PlannedChange::Kind::Reopen);
  lab.configure();
  lab.settle();
  EXPECT_THAT(lab.plain.heard, IsEmpty());
}

// The session ends with a NOTIFICATION that is no Hard Reset, so that its routes are kept.
SpeakerOptions restarting(unsigned number) {
  auto options = internal(number);
  options.graceful_restart = GracefulRestartCapability{false, true, net::Seconds{60}, {{ipv4_unicast, true}}};
  return options;
}

struct MovingLab : ReflectionLab {
  Speaker& mover = add(restarting(6));
  explicit MovingLab(bool is_client) {
    config(mover).session.graceful_restart.mode = GracefulRestart::Mode::Full;
    config(mover).out.reflector_client = is_client;
    establish();
    mover.announce({route}, inner({65009}));
    settle();
  }
  // It comes back and says what it had said.
  void become(bool is_client) {
    config(mover).out.reflector_client = is_client;
    configure();
    settle();
    ASSERT_TRUE(mover.establish());
    mover.announce({route}, inner({65009}));
    settle();
  }
};

TEST(RouterReflection, TakesBackWhatAClientHadToldWhoBecomesNone) {
  MovingLab lab{true};
  ASSERT_THAT(lab.plain.heard, SizeIs(1));
  lab.become(false);
  EXPECT_THAT(lab.plain.heard, IsEmpty());
  EXPECT_THAT(lab.client.heard, SizeIs(1));
}

TEST(RouterReflection, TellsAllOfWhoBecomesAClient) {
  MovingLab lab{false};
  ASSERT_THAT(lab.plain.heard, IsEmpty());
  lab.become(true);
  EXPECT_THAT(lab.plain.heard, SizeIs(1));
  lab.mover.withdraw({route});
  lab.settle();
  EXPECT_THAT(lab.plain.heard, IsEmpty());
}

// What waits to be told when the session comes up anew is told by what the peer was.
TEST(RouterReflection, TakesBackWhatNobodyHadReadYet) {
  ReflectionLab lab;
  lab.establish();
  lab.client.announce({route}, inner({65009}));
  lab.settle();
  lab.config(lab.client).out.reflector_client = false;
  lab.configure();
  while (lab.router.work()) {
  }
  ASSERT_TRUE(lab.client.establish());
  lab.settle();
  EXPECT_THAT(lab.plain.heard, IsEmpty());
}

// ---- RFC 5065 -----------------------------------------------------------------------------------------

// The router is AS 65000 of confederation 64999; member AS 65001 is in it, 65005 is not.
struct ConfederationLab : Lab {
  Speaker& member = add([] {
    auto options = external(1);
    options.confederation = true;
    return options;
  }());
  Speaker& inside = add(internal(2));
  Speaker& outside = add([] {
    auto options = external(5);
    options.router_asn = net::Asn{64999};
    return options;
  }());
  ConfederationLab() {
    auto with = router.config();
    with.confederation = net::Asn{64999};
    router.configure(with, {}, start_time);
  }
};
PathAttributes from_member(std::vector<std::uint32_t> asns) {
  auto attributes = inner(std::move(asns));
  attributes.as_path.segments.insert(attributes.as_path.segments.begin(),
                                     {AsPathSegment::Type::ConfedSequence, {{65001}}});
  return attributes;
}

TEST(RouterConfederation, ShowsOneAsToTheOutside) {
  ConfederationLab lab;
  lab.establish();
  lab.member.announce({route}, from_member({65009}));
  lab.settle();
  EXPECT_EQ(print(lab.outside.heard[route].as_path), "64999 65009");
  EXPECT_EQ(print(lab.inside.heard[route].as_path), "(65001) 65009");
  EXPECT_EQ(lab.inside.heard[route].local_pref, 200U);
  EXPECT_EQ(lab.inside.heard[route].next_hop.address, lab.member.options().address);
}

TEST(RouterConfederation, TellsMembersWithItsNumberInTheConfederationsPath) {
  ConfederationLab lab;
  lab.establish();
  lab.outside.announce({route}, path({65005}));
  auto internal_route = inner({65009});
  internal_route.med = 5;
  lab.inside.announce({pfx("198.51.100.0/24")}, internal_route);
  lab.settle();
  EXPECT_EQ(print(lab.member.heard[route].as_path), "(65000) 65005");
  EXPECT_EQ(lab.member.heard[route].local_pref, 100U);
  const auto& second = lab.member.heard[pfx("198.51.100.0/24")];
  EXPECT_EQ(print(second.as_path), "(65000) 65009");
  EXPECT_EQ(second.local_pref, 200U);
  EXPECT_EQ(second.med, 5U);
  EXPECT_EQ(second.next_hop.address, lab.inside.options().address);
}

FilterChain prepending(std::uint8_t times) {
  auto prepends = rule("prepend", RuleAction::Accept);
  prepends.set.prepend = times;
  return {{"f", {prepends}}};
}

TEST(RouterConfederation, IsPrependedToWithinItself) {
  ConfederationLab lab;
  for (auto* each : {&lab.member, &lab.inside, &lab.outside}) lab.config(*each).export_filter = prepending(2);
  lab.establish();
  lab.outside.announce({route}, path({65005}));
  lab.member.announce({pfx("198.51.100.0/24")}, from_member({65009}));
  lab.router.set_local(pfx("192.0.2.0/24"), LocalRoute{.announcements = {{}}});
  lab.settle();
  EXPECT_EQ(print(lab.member.heard[route].as_path), "(65000 65000 65000) 65005");
  EXPECT_EQ(print(lab.member.heard[pfx("192.0.2.0/24")].as_path), "(65000 65000 65000)");
  EXPECT_EQ(print(lab.inside.heard[route].as_path), "65005") << "it would look like a loop";
  EXPECT_EQ(print(lab.outside.heard[pfx("198.51.100.0/24")].as_path), "64999 64999 64999 65009");
}

TEST(RouterConfederation, KeepsWhatItPrependsOnImportToItself) {
  ConfederationLab lab;
  for (auto* each : {&lab.member, &lab.inside}) lab.config(*each).import = prepending(2);
  lab.establish();
  lab.member.announce({route}, from_member({65009}));
  lab.inside.announce({pfx("198.51.100.0/24")}, inner({65009}));
  lab.settle();
  EXPECT_EQ(print(lab.inside.heard[route].as_path), "(65000 65000 65001) 65009");
  EXPECT_EQ(print(lab.outside.heard[route].as_path), "64999 65009");
  EXPECT_EQ(print(lab.outside.heard[pfx("198.51.100.0/24")].as_path), "64999 65009");
}

// RFC 7705: behind another local AS stands the one that others know.
TEST(RouterConfederation, StandsBehindALocalAsByItsIdentifier) {
  ConfederationLab lab;
  auto options = external(6);
  options.router_asn = net::Asn{64990};
  auto& migrating = lab.add(options);
  lab.config(migrating).out.prepend_own_as = true;
  lab.establish();
  lab.member.announce({route}, from_member({65009}));
  lab.router.set_local(pfx("192.0.2.0/24"), LocalRoute{.announcements = {{.prepend = 1}}});
  lab.settle();
  EXPECT_EQ(print(migrating.heard[route].as_path), "64990 64999 65009");
  EXPECT_EQ(print(migrating.heard[pfx("192.0.2.0/24")].as_path), "64990 64999 64990");
}

TEST(RouterConfederation, FindsLoopsInAnyKindOfSegment) {
  ConfederationLab lab;
  lab.establish();
  auto through_us = from_member({65009});
  through_us.as_path.segments.front().asns.push_back({65000});
  lab.member.announce({route}, through_us);
  lab.member.announce({pfx("198.51.100.0/24")}, from_member({64999}));
  lab.settle();
  EXPECT_THAT(lab.inside.heard, IsEmpty());
  EXPECT_EQ(lab.status(lab.member).ipv4.filtered, 2U);
}

TEST(RouterConfederation, KeepsNoExportSubconfedWithinTheMemberAs) {
  ConfederationLab lab;
  lab.establish();
  auto sub = inner({65009});
  sub.communities = {community_no_export_subconfed};
  lab.inside.announce({route}, sub);
  auto confed = inner({65009});
  confed.communities = {community_no_export};
  lab.inside.announce({pfx("198.51.100.0/24")}, confed);
  lab.settle();
  EXPECT_THAT(lab.outside.heard, IsEmpty());
  EXPECT_THAT(lab.member.heard, ElementsAre(::testing::Key(pfx("198.51.100.0/24"))));
}

// RFC 5065 section 5: a member's path begins with its number in a confederation's sequence.
TEST(RouterConfederation, TreatsAMembersPathWithoutItsNumberAsWithdrawn) {
  ConfederationLab lab;
  lab.config(lab.member).enforce_first_as = false;  // which is about external neighbours
  lab.establish();
  lab.member.announce({route}, from_member({65009}));
  lab.settle();
  ASSERT_THAT(lab.inside.heard, SizeIs(1));
  lab.member.announce({route}, inner({65001, 65009}));
  lab.settle();
  EXPECT_THAT(lab.inside.heard, IsEmpty());
  EXPECT_TRUE(lab.member.up());
}

TEST(RouterConfederation, PrefersExternalRoutesToThoseOfMembers) {
  ConfederationLab lab;
  lab.establish();
  auto attributes = from_member({65009});
  attributes.local_pref = 100;
  lab.member.announce({route}, attributes);
  lab.outside.announce({route}, path({65005}));
  lab.settle();
  EXPECT_EQ(lab.best_reason("203.0.113.0/24"), "e5: Peer Type");
}

}  // namespace
}  // namespace bgp
