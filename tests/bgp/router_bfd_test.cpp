// SPDX-License-Identifier: Apache-2.0
// What BFD does to a session: RFC 5882 section 3.2, RFC 9384.
#include "bgp/wire/notification.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::IsEmpty;

TEST(RouterBfd, EndsTheSessionWithBfdDownAndItsRoutesGo) {
  Lab lab;
  auto& lost = lab.add(external(1));
  auto& other = lab.add(external(2));
  lab.establish();
  lost.announce({pfx("10.0.1.0/24")}, path({65001}));
  lab.settle();
  ASSERT_EQ(other.heard.size(), 1U);
  lab.actions.clear();
  lab.router.bfd_down(lab.id(lost), BfdLoss::Unknown, start_time);
  const auto closed = lab.taken<CloseLink>();
  ASSERT_EQ(closed.size(), 1U);
  lost.hear(closed[0].last);
  EXPECT_TRUE(is(lost.notification.value(), CeaseError::BfdDown));
  lab.settle();
  EXPECT_THAT(other.heard, IsEmpty());
  const auto reset = lab.status(lost).session.last_reset;
  ASSERT_TRUE(reset);
  EXPECT_TRUE(is(reset->notification.value(), CeaseError::BfdDown));
  // It is opened again without a pause.
  EXPECT_EQ(lab.status(lost).session.state, State::Active);
  EXPECT_FALSE(lab.status(lost).waits_for_bfd);
  EXPECT_TRUE(lost.establish());
}

TEST(RouterBfd, DoesNothingToASessionThatIsNotUp) {
  Lab lab;
  auto& peer = lab.add(external(1));
  lab.configure();
  lab.take();
  lab.actions.clear();
  lab.router.bfd_down(lab.id(peer), BfdLoss::Path, start_time);
  lab.router.bfd_ready(lab.id(peer), BfdReady::No, start_time);
  EXPECT_TRUE(lab.taken<CloseLink>().empty());
  EXPECT_EQ(lab.status(peer).session.state, State::Active);
  lab.router.bfd_down(PeerId{999}, BfdLoss::Path, start_time);
}

TEST(RouterBfd, KeepsAStrictNeighbourClosedUntilItIsReady) {
  Lab lab;
  auto& peer = lab.add(external(1));
  lab.config(peer).wait_for = WaitFor::Bfd;
  lab.configure();
  EXPECT_FALSE(peer.establish());
  EXPECT_TRUE(lab.status(peer).waits_for_bfd);
  EXPECT_EQ(lab.status(peer).session.state, State::Idle);

  lab.router.bfd_ready(lab.id(peer), BfdReady::Yes, start_time);
  EXPECT_EQ(lab.status(peer).session.state, State::Active);
  EXPECT_FALSE(lab.status(peer).waits_for_bfd);
  ASSERT_TRUE(peer.establish());
}

TEST(RouterBfd, HoldsAStrictNeighbourAgainAfterALoss) {
  Lab lab;
  auto& peer = lab.add(external(1));
  lab.config(peer).wait_for = WaitFor::Bfd;
  lab.configure();
  lab.router.bfd_ready(lab.id(peer), BfdReady::Yes, start_time);
  ASSERT_TRUE(peer.establish());
  // Not ready is no reason to end a session; a loss is.
  lab.router.bfd_ready(lab.id(peer), BfdReady::No, start_time);
  EXPECT_EQ(lab.status(peer).session.state, State::Established);
  lab.take();
  lab.actions.clear();
  lab.router.bfd_down(lab.id(peer), BfdLoss::Unknown, start_time);
  EXPECT_EQ(lab.taken<CloseLink>().size(), 1U);
  EXPECT_EQ(lab.status(peer).session.state, State::Idle);
  EXPECT_TRUE(lab.status(peer).waits_for_bfd);
}

TEST(RouterBfd, TakesStrictnessLive) {
  Lab lab;
  auto& peer = lab.add(external(1));
  lab.establish();
  lab.config(peer).wait_for = WaitFor::Bfd;
  ASSERT_THAT(lab.router.plan(lab.router.config(), lab.neighbors),
              ::testing::ElementsAre(::testing::Field(&PlannedChange::kind, PlannedChange::Kind::Live)));
  lab.configure();
  EXPECT_EQ(lab.status(peer).session.state, State::Established);
  lab.router.restart(lab.id(peer), "", start_time);
  // And back: what waited need not wait any more.
  lab.config(peer).wait_for = WaitFor::Nothing;
  lab.configure();
  EXPECT_FALSE(lab.status(peer).waits_for_bfd);
}

}  // namespace
}  // namespace bgp
