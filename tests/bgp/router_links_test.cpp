// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

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
                                 [](const net::Prefix&, std::span<const RouteHop> hops) { EXPECT_TRUE(hops.empty()); });
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

}  // namespace
}  // namespace bgp
