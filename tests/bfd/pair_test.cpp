// SPDX-License-Identifier: Apache-2.0
#include "tests/bfd/pair.hpp"

namespace bfd {
namespace {

using net::Seconds;
using ::testing::IsEmpty;

SessionConfig every(std::uint32_t milliseconds, std::uint8_t multiplier = 3) {
  return {.desired_min_tx = Interval{milliseconds * 1000},
          .required_min_rx = Interval{milliseconds * 1000},
          .detect_multiplier = multiplier};
}

TEST(BfdPair, ComesUpWithinAFewPackets) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Pair pair{every(50), every(50), {}, seed};
    pair.run(Milliseconds{100});
    ASSERT_TRUE(pair.both(State::Up)) << "seed " << seed;
    ASSERT_LE(pair.packets, 20U) << "seed " << seed;
    pair.run(Seconds{1});
    for (std::size_t i = 0; i < 2; ++i) {
      const auto status = pair.session(i).status();
      ASSERT_EQ(status.transmit_interval, Interval{50'000});
      ASSERT_EQ(status.detection_time, Milliseconds{150});
      ASSERT_FALSE(status.polling);
    }
    ASSERT_THAT(pair.broken, IsEmpty());
  }
}

TEST(BfdPair, ComesUpWithAPassiveSideButNotWithTwo) {
  auto passive = every(50);
  passive.role = Role::Passive;
  Pair one{every(50), passive, {}, 1};
  one.run(Seconds{3});
  EXPECT_TRUE(one.both(State::Up));
  Pair two{passive, passive, {}, 1};
  two.run(Seconds{60});
  EXPECT_TRUE(two.both(State::Down));
  EXPECT_EQ(two.packets, 0U);
}

TEST(BfdPair, ComesUpWithEveryKindOfAuthentication) {
  for (const auto type : {AuthType::SimplePassword, AuthType::KeyedMd5, AuthType::MeticulousKeyedMd5,
                          AuthType::KeyedSha1, AuthType::MeticulousKeyedSha1}) {
    auto config = every(50);
    config.key = AuthKey{type, 1, "secret"};
    Pair pair{config, config, {.most_delay = Milliseconds{4}, .loss = 0.05}, 3};
    pair.run(Seconds{60});
    EXPECT_TRUE(pair.both(State::Up)) << print(type);
    auto other = config;
    other.key->secret = "Secret";
    Pair strangers{config, other, {}, 3};
    strangers.run(Seconds{10});
    EXPECT_TRUE(strangers.both(State::Down)) << print(type);
  }
}

TEST(BfdPair, DetectsACutWithinTheDetectionTime) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Pair pair{every(50), every(50), {}, seed};
    pair.run(Seconds{5});
    ASSERT_TRUE(pair.both(State::Up));
    pair.set_loss(1);
    const auto cut = pair.now;
    pair.run(Seconds{1});
    for (std::size_t i = 0; i < 2; ++i) {
      const auto down = pair.moved(i, State::Down, cut);
      ASSERT_TRUE(down);
      // What was on its way may arrive 5 ms later; the last packet may be as old as an interval and a delay.
      ASSERT_LE(*down - cut, Milliseconds{155}) << "seed " << seed;
      ASSERT_GE(*down - cut, Milliseconds{150 - 50 - 5}) << "seed " << seed;
    }
    pair.set_loss(0);
    pair.run(Seconds{3});
    ASSERT_TRUE(pair.both(State::Up)) << "seed " << seed;
  }
}

TEST(BfdPair, SurvivesAnHourWithoutLossAndWithJitter) {
  for (const auto multiplier : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}}) {
    Pair pair{every(50, multiplier),
              every(50, multiplier),
              {.least_delay = Milliseconds{1}, .most_delay = Milliseconds{4}},
              multiplier};
    pair.run(std::chrono::hours{1});
    EXPECT_EQ(pair.session(0).status().times_down + pair.session(1).status().times_down, 0U) << int{multiplier};
    EXPECT_TRUE(pair.both(State::Up));
    EXPECT_THAT(pair.broken, IsEmpty());
  }
}

TEST(BfdPair, FollowsChangesOfTimersWithoutFalling) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    // In order: BFD has no numbers to tell an old packet, and an old interval that comes late would be believed.
    Pair pair{every(50), every(50), {.least_delay = Milliseconds{3}, .most_delay = Milliseconds{3}}, seed};
    pair.run(Seconds{2});
    std::mt19937_64 random{seed};
    for (int i = 0; i < 30; ++i) {
      const auto config =
          every(static_cast<std::uint32_t>(10 + random() % 1000), static_cast<std::uint8_t>(2 + random() % 4));
      pair.configure(random() % 2, config);
      pair.run(Milliseconds{random() % 3000});
      ASSERT_TRUE(pair.both(State::Up)) << "seed " << seed << " change " << i;
    }
    pair.run(Seconds{10});
    const auto left = pair.session(0).status();
    const auto right = pair.session(1).status();
    EXPECT_EQ(left.transmit_interval, right.receive_interval);
    EXPECT_EQ(right.transmit_interval, left.receive_interval);
    EXPECT_FALSE(left.polling || right.polling);
    EXPECT_EQ(left.times_down + right.times_down, 0U);
  }
}

TEST(BfdPair, TellsTheOtherSideWhenItIsTakenAway) {
  Pair pair{every(50), every(50), {.least_delay = Milliseconds{3}, .most_delay = Milliseconds{3}}, 5};
  pair.run(Seconds{2});
  pair.remove(0);
  pair.run(Milliseconds{20});
  EXPECT_EQ(pair.session(1).state(), State::Down);
  EXPECT_EQ(pair.session(1).remote_state(), State::AdminDown);
}

TEST(BfdPair, ComesBackAfterOneSideWasStartedAnew) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    for (const bool with_key : {false, true}) {
      auto config = every(50);
      if (with_key) config.key = AuthKey{AuthType::MeticulousKeyedSha1, 1, "secret"};
      Pair pair{config, config, {}, seed};
      pair.run(Seconds{2});
      pair.restart(0, config);
      pair.run(Seconds{4});
      ASSERT_TRUE(pair.both(State::Up)) << "seed " << seed;
    }
  }
}

// Whatever happens, what packets and changes say holds together, and two healthy systems on a healthy link end Up.
TEST(BfdPair, ConvergesAfterAnything) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937_64 random{seed};
    const auto some = [&] {
      auto config = every(static_cast<std::uint32_t>(10 + random() % 500), static_cast<std::uint8_t>(1 + random() % 5));
      if (random() % 4 == 0) config.role = Role::Passive;
      return config;
    };
    Pair pair{some(), some(), {.least_delay = Milliseconds{0}, .most_delay = Milliseconds{random() % 40}}, seed};
    for (int i = 0; i < 15; ++i) {
      const auto side = random() % 2;
      switch (random() % 4) {
        case 0:
          pair.set_loss(static_cast<double>(random() % 11) / 10);
          break;
        case 1:
          pair.configure(side, some());
          break;
        case 2:
          pair.restart(side, some());
          break;
        default:
          break;
      }
      pair.run(Milliseconds{random() % 2000});
    }
    pair.set_loss(0);
    pair.configure(0, every(100));
    pair.configure(1, every(100));
    pair.run(Seconds{20});
    ASSERT_TRUE(pair.both(State::Up)) << "seed " << seed;
    ASSERT_THAT(pair.broken, IsEmpty()) << "seed " << seed;
    ASSERT_EQ(pair.session(0).status().detection_time, Milliseconds{300}) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bfd
