// SPDX-License-Identifier: Apache-2.0
#include "config/source/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace config {
namespace {

using std::chrono::milliseconds;
const RateLimiter::Time start{std::chrono::hours{1}};

TEST(RateLimiter, LetsABurstThroughAndThenKeepsTheRate) {
  RateLimiter limiter{10, 3};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.reserve(start).count(), 0) << i;
  EXPECT_EQ(limiter.reserve(start), milliseconds{100});
  EXPECT_EQ(limiter.reserve(start), milliseconds{200});
  // Those two are spoken for; the next is due 300 ms after the start.
  EXPECT_EQ(limiter.reserve(start + milliseconds{250}), milliseconds{50});
}

TEST(RateLimiter, FillsUpToTheBurstAndNotBeyond) {
  RateLimiter limiter{10, 3};
  for (int i = 0; i < 5; ++i) (void)limiter.reserve(start);
  const auto later = start + std::chrono::hours{1};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.reserve(later).count(), 0) << i;
  EXPECT_GT(limiter.reserve(later).count(), 0);
}

TEST(RateLimiter, TakesATokenOnlyWhenThereIsOne) {
  RateLimiter limiter{10, 3};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.take(start)) << i;
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.take(start + milliseconds{99})) << "and asking costs nothing";
  EXPECT_TRUE(limiter.take(start + milliseconds{100}));
  EXPECT_FALSE(limiter.take(start + milliseconds{100}));
}

TEST(RateLimiter, HoldsBackWhenTheServerAsksForIt) {
  RateLimiter limiter{10, 3};
  limiter.hold_back(start + std::chrono::seconds{5});
  EXPECT_EQ(limiter.reserve(start), std::chrono::seconds{5});
}

}  // namespace
}  // namespace config
