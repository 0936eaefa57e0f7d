// SPDX-License-Identifier: Apache-2.0
#include "speaker/rpki/paced.hpp"

#include <chrono>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace speaker {
namespace {

TEST(PacedCall, IsMadeAtOnceThenOnceForAllThatAskInBetween) {
  constexpr std::chrono::milliseconds least{80};
  boost::asio::io_context io;
  std::vector<Paced::Clock::time_point> made;
  Paced call{io, least, [&] { made.push_back(Paced::Clock::now()); }};
  call.ask();
  EXPECT_EQ(made.size(), 1U);
  for (int i = 0; i < 100; ++i) call.ask();
  EXPECT_EQ(made.size(), 1U);
  io.run();  // ends when nothing waits any more
  ASSERT_EQ(made.size(), 2U);
  EXPECT_GE(made[1] - made[0], least);
  io.restart();
  call.ask();
  io.run();
  ASSERT_EQ(made.size(), 3U);
  EXPECT_GE(made[2] - made[1], least);
}

TEST(PacedCall, IsNotMadeOnceItIsGone) {
  boost::asio::io_context io;
  int made = 0;
  std::optional<Paced> call;
  call.emplace(io, std::chrono::milliseconds{1}, [&] { ++made; });
  call->ask();
  call->ask();
  call.reset();
  io.run();
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace speaker
