// SPDX-License-Identifier: Apache-2.0
#include "speaker/metrics.hpp"

#include <gmock/gmock.h>

#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, CountWhatEachRpkiCacheSaysByFamily) {
  MetricsView view;
  EXPECT_THAT(Metrics{}.text(view), Not(HasSubstr("herald_rpki")));
  view.rpki_caches = {{ip("192.0.2.1"), 3323, true, 1, 5, 12, 3, ""},
                      {ip("2001:db8::1"), 323, false, 1, {}, 0, 1, "away"}};
  const auto text = Metrics{}.text(view);
  EXPECT_THAT(text, HasSubstr("herald_rpki_session_up{cache=\"192.0.2.1:3323\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("herald_rpki_session_up{cache=\"[2001:db8::1]:323\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("herald_rpki_payloads{cache=\"192.0.2.1:3323\",family=\"ipv4\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("herald_rpki_payloads{cache=\"192.0.2.1:3323\",family=\"ipv6\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("herald_rpki_payloads{cache=\"[2001:db8::1]:323\",family=\"ipv6\"} 1\n"));
}

}  // namespace
}  // namespace speaker
