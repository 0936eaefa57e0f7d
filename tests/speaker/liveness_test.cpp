// SPDX-License-Identifier: Apache-2.0
#include "speaker/liveness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace speaker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr net::TimePoint t0{};

config::SpeakerState beat(const std::string& node, std::uint64_t heartbeat, const std::string& instance = "a") {
  config::SpeakerState state;
  state.meta.name = node;
  state.heartbeat = heartbeat;
  state.instance = instance;
  state.heartbeat_interval = 1000ms;
  return state;
}

TEST(Liveness, EndsWhenThreeHeartbeatsAreMissing) {
  Liveness liveness;
  liveness.observe(beat("n1", 1), t0);
  liveness.observe(beat("n2", 1), t0);
  liveness.observe(beat("n1", 2), t0 + 1s);
  EXPECT_THAT(liveness.live(t0 + 2999ms), ElementsAre("n1", "n2"));
  EXPECT_EQ(liveness.next_deadline(t0 + 2s), t0 + 3s);
  EXPECT_THAT(liveness.live(t0 + 3s), ElementsAre("n1"));
  EXPECT_EQ(liveness.next_deadline(t0 + 3s), t0 + 4s);
  EXPECT_THAT(liveness.live(t0 + 4s), IsEmpty());
  EXPECT_EQ(liveness.next_deadline(t0 + 4s), std::nullopt);
}

TEST(Liveness, IsNotProlongedByTheSameHeartbeatSeenAgain) {
  Liveness liveness;
  liveness.observe(beat("n1", 7), t0);
  liveness.observe(beat("n1", 7), t0 + 2s);
  EXPECT_THAT(liveness.live(t0 + 3s), IsEmpty());
  liveness.observe(beat("n1", 1, "restarted"), t0 + 4s);
  EXPECT_THAT(liveness.live(t0 + 4s), ElementsAre("n1"));
}

TEST(Liveness, IsFrozenWhileTheApiIsAwayAndStartsAfreshAfter) {
  Liveness liveness;
  liveness.observe(beat("n1", 1), t0);
  liveness.set_api(Liveness::Api::Away, t0 + 1s);
  EXPECT_THAT(liveness.live(t0 + 1h), ElementsAre("n1"));
  EXPECT_EQ(liveness.next_deadline(t0 + 1h), std::nullopt);
  liveness.set_api(Liveness::Api::Reachable, t0 + 1h);
  EXPECT_THAT(liveness.live(t0 + 1h + 2s), ElementsAre("n1"));
  EXPECT_THAT(liveness.live(t0 + 1h + 3s), IsEmpty());
}

TEST(Liveness, KeepsTheLastWordWhenTheApiReturnsWithAnOlderOne) {
  Liveness liveness;
  auto state = beat("n1", 1);
  liveness.observe(state, t0);
  state.heartbeat = 5;
  state.owned = {*net::parse_ip("192.0.2.1")};
  liveness.observe(state, t0 + 1s);
  liveness.observe(beat("n1", 2), t0 + 2s);
  EXPECT_EQ(liveness.states().at("n1").owned, state.owned);
  EXPECT_EQ(liveness.next_deadline(t0 + 2s), t0 + 4s) << "and that is no heartbeat";
  liveness.observe(beat("n1", 1, "restarted"), t0 + 3s);
  EXPECT_THAT(liveness.states().at("n1").owned, IsEmpty()) << "a speaker that restarted counts anew";
}

TEST(Liveness, EndsAtOnceWhenASpeakerLeavesInOrder) {
  Liveness liveness;
  liveness.observe(beat("n1", 1), t0);
  liveness.forget("n1");
  EXPECT_THAT(liveness.live(t0), IsEmpty());
}

}  // namespace
}  // namespace speaker
