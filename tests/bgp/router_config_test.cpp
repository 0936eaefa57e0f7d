// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/notification.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Pair;

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

TEST(RouterConfiguration, JudgesAgainWhatAPeerWithoutRefreshSaid) {
  Lab lab;
  auto& sender = lab.add(without_refresh(1));
  auto& receiver = lab.add(external(2));
  auto drop = rule("drop", RuleAction::Reject);
  drop.match.prefixes = {{pfx("10.0.1.0/24"), 24, 24}};
  auto mark = rule("mark", RuleAction::Accept);
  mark.set.add_communities = {Community{0xfde80007}};
  lab.config(sender).import = {{"f", {drop, mark}}};
  lab.establish();
  sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24"), pfx("10.0.3.0/24")}, path({65001}));
  sender.announce({pfx("2001:db8:1::/48")}, path({65001}));
  sender.withdraw({pfx("10.0.3.0/24")});
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Key(pfx("10.0.2.0/24")), Key(pfx("2001:db8:1::/48"))));

  lab.config(sender).import = {accept_all()};
  lab.configure();
  lab.settle();
  EXPECT_THAT(receiver.heard,
              ElementsAre(Key(pfx("10.0.1.0/24")), Key(pfx("10.0.2.0/24")), Key(pfx("2001:db8:1::/48"))));
  // As it was said, not as the filters before had left it.
  EXPECT_THAT(receiver.heard[pfx("10.0.2.0/24")].communities, IsEmpty());
  lab.config(sender).import = {reject_all()};
  lab.configure();
  lab.settle();
  EXPECT_THAT(receiver.heard, IsEmpty());
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
  EXPECT_EQ(sender.requests, 0U);
  EXPECT_EQ(lab.status(sender).session.established_count, 1U);
}

TEST(RouterConfiguration, KeepsNothingOfAPeerWithoutRefreshBeyondItsSession) {
  Lab lab;
  auto& sender = lab.add(without_refresh(1));
  lab.config(sender).import = {reject_all()};
  lab.establish();
  sender.announce({pfx("10.0.1.0/24")}, path({65001}));
  lab.settle();
  sender.hang_up();
  lab.config(sender).import = {accept_all()};
  lab.configure();
  ASSERT_TRUE(sender.establish());
  lab.settle();
  EXPECT_EQ(lab.status(sender).ipv4.accepted, 0U);
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

}  // namespace
}  // namespace bgp
