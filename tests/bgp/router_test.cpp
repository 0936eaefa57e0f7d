// SPDX-License-Identifier: Apache-2.0
#include "bgp/router.hpp"

#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

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
  EXPECT_TRUE(lab.router.pull(*receiver.link(), bytes, 1)) << "as much as was asked for";
  EXPECT_FALSE(lab.router.pull(*receiver.link(), bytes, bytes.size() + 1)) << "no more";
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
  lab.config(inside).out.next_hop = NextHopMode::Self;
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

}  // namespace
}  // namespace bgp
