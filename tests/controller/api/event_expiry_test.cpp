// SPDX-License-Identifier: Apache-2.0
#include "controller/api/event_expiry.hpp"

#include "../store/store_fixture.hpp"

namespace controller::testing {
namespace {

class EventsInTheStore : public StoreTest {};

TEST_F(EventsInTheStore, GoAnHourAfterTheyHappenedLast) {
  const auto event = [](const char* name) { return ObjectKey{config::Kind::Event, "default", name}; };
  write(create(event("old")));
  write(create(event("lasting"), {{"lastTimestamp", rfc3339(now + std::chrono::minutes{50})}}));
  EXPECT_TRUE(expired_events(*store, now + std::chrono::minutes{59}).empty());
  const auto expired = expired_events(*store, now + std::chrono::minutes{61});
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].key.name, "old");
  EXPECT_EQ(expired_events(*store, now + std::chrono::minutes{111}).size(), 2U);
}

}  // namespace
}  // namespace controller::testing
