// SPDX-License-Identifier: Apache-2.0
// The tables as a whole, against the plain model.
#include "bgp/rib/rib.hpp"

#include <gmock/gmock.h>

#include "bgp/timers.hpp"
#include "tests/bgp/rib/scenario.hpp"

namespace bgp {
namespace {

std::vector<std::uint8_t> random_choices(std::uint64_t seed, std::size_t count) {
  Random random{seed};
  std::vector<std::uint8_t> choices(count);
  for (auto& each : choices) each = static_cast<std::uint8_t>(random.next() >> 32);
  return choices;
}

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HERALD_SANITIZED
#endif
#endif
#ifdef HERALD_SANITIZED
constexpr std::uint64_t scenarios = 150;  // each takes ten times as long
#else
constexpr std::uint64_t scenarios = 1000;
#endif

TEST(RibUnderRandomEvents, TellsEverybodyWhatThePlainModelTells) {
  for (std::uint64_t seed = 1; seed <= scenarios; ++seed) {
    const auto choices = random_choices(seed, 1200);
    Scenario scenario{choices};
    ASSERT_THAT(scenario.run_all(), ::testing::IsEmpty()) << "seed " << seed;
  }
}

TEST(RibUnderRandomEvents, StaysRightOverLongRuns) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto choices = random_choices(1000 + seed, 60000);
    Scenario scenario{choices};
    ASSERT_THAT(scenario.run_all(), ::testing::IsEmpty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bgp
