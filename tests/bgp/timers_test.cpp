// SPDX-License-Identifier: Apache-2.0
#include "bgp/timers.hpp"

#include <gtest/gtest.h>

namespace bgp {
namespace {

const net::TimePoint t0{std::chrono::hours{1}};

TEST(Jitter, TakesUpToAQuarterAndRepeatsFromTheSeed) {
  Random one{5};
  Random same{5};
  auto least = net::Duration::max();
  for (int i = 0; i < 1000; ++i) {
    const auto jittered = one.jittered(net::Seconds{100});
    EXPECT_EQ(jittered, same.jittered(net::Seconds{100}));
    EXPECT_LE(jittered, net::Seconds{100});
    EXPECT_GE(jittered, net::Seconds{75});
    least = std::min(least, jittered);
  }
  EXPECT_LT(least, net::Seconds{77});
}

TEST(Backoff, DoublesToTheCeilingAndNeverOverflows) {
  Backoff backoff{net::Duration{0}};
  EXPECT_EQ(backoff.next(net::Seconds{5}), net::Duration{0});
  for (const auto seconds : {1, 2, 4, 5, 5}) EXPECT_EQ(backoff.next(net::Seconds{5}), net::Seconds{seconds});
  for (int i = 0; i < 200; ++i) EXPECT_EQ(backoff.next(net::Seconds{5}), net::Seconds{5});
  backoff.reset();
  EXPECT_EQ(backoff.next(net::Seconds{5}), net::Duration{0});
}

TEST(Deadlines, FireInOrderAndOnce) {
  Deadlines deadlines;
  EXPECT_EQ(deadlines.next(), std::nullopt);
  deadlines.arm(Timer::Hold, t0 + net::Seconds{2});
  deadlines.arm(Timer::Keepalive, t0 + net::Seconds{1});
  EXPECT_EQ(deadlines.next(), t0 + net::Seconds{1});
  EXPECT_EQ(deadlines.take_due(t0), std::nullopt);
  EXPECT_EQ(deadlines.take_due(t0 + net::Seconds{3}), Timer::Keepalive);
  EXPECT_EQ(deadlines.take_due(t0 + net::Seconds{3}), Timer::Hold);
  EXPECT_EQ(deadlines.take_due(t0 + net::Seconds{3}), std::nullopt);
}

}  // namespace
}  // namespace bgp
