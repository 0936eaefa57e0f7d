// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/pool_status.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;

constexpr net::TimePoint t0{};
constexpr auto then = "2026-01-01T00:00:00Z";
constexpr auto later = "2026-01-01T00:00:09Z";

struct World {
  explicit World(std::initializer_list<const char*> ranges) {
    config::IPAddressPool pool;
    pool.meta.name = "web";
    for (const auto* range : ranges) pool.addresses.push_back(*net::parse_range(range));
    allocator.set_pools({{"web", pool}});
  }
  void give(const std::string& service, config::IpFamilyPolicy policy = config::IpFamilyPolicy::SingleStack) {
    AddressRequest request;
    request.service = service;
    request.policy = policy;
    ASSERT_TRUE(allocator.allocate(request, t0));
  }
  // Brings the object up to date; false when there was nothing to do.
  bool update(const char* now = then) {
    const auto status = pool_status(allocator, object, now);
    if (status) object["status"].update(*status);
    return status.has_value();
  }

  Allocator allocator;
  json object{{"metadata", {{"name", "web"}}}};
};

TEST(PoolStatus, CountsEachFamily) {
  World world{"192.0.2.0/30", "2001:db8::/126"};
  world.give("a/single");
  world.give("a/both", config::IpFamilyPolicy::RequireDualStack);
  world.give("a/gone");
  world.allocator.release("a/gone", t0);
  EXPECT_TRUE(world.update());
  auto status = world.object["status"];
  status.erase("conditions");
  EXPECT_EQ(status, json({{"capacityIPv4", 4},
                          {"assignedIPv4", 2},
                          {"quarantinedIPv4", 1},
                          {"availableIPv4", 1},
                          {"capacityIPv6", 4},
                          {"assignedIPv6", 1},
                          {"quarantinedIPv6", 0},
                          {"availableIPv6", 3}}));
  EXPECT_FALSE(world.update(later)) << "time alone is no change";
}

TEST(PoolStatus, DoesNotOverflowForPoolsOfIpv6) {
  World world{"2001:db8::/32", "2001:db9::/64", "2001:dba::/126"};
  world.give("a/one");
  world.update();
  const auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(world.object["status"]["capacityIPv6"], most);
  EXPECT_EQ(world.object["status"]["availableIPv6"], most);
  EXPECT_EQ(world.object["status"]["assignedIPv6"], 1);
  EXPECT_EQ(world.object["status"]["conditions"][0]["status"], "False");
}

TEST(PoolStatus, NamesTheFamilyThatHasNoneLeft) {
  World world{"192.0.2.1/32", "2001:db8::/127"};
  const auto& condition = [&]() -> const json& { return world.object["status"]["conditions"][0]; };
  world.update(then);
  EXPECT_EQ(condition()["type"], exhausted_condition);
  EXPECT_EQ(condition()["reason"], "AddressesLeft");
  world.give("a/one", config::IpFamilyPolicy::RequireDualStack);
  world.update(later);
  EXPECT_EQ(condition()["status"], "True");
  EXPECT_EQ(condition()["reason"], "NoIPv4Left");
  EXPECT_EQ(condition()["message"], "all 1 IPv4 addresses are assigned");
  EXPECT_EQ(condition()["lastTransitionTime"], later);
  world.give("a/two");
  world.update("2026-01-01T00:01:00Z");
  EXPECT_EQ(condition()["reason"], "NothingLeft");
  EXPECT_EQ(condition()["lastTransitionTime"], later) << "it went on";
}

TEST(PoolStatus, LeavesConditionsOfOthersAloneAndReplacesWhatMakesNoSense) {
  World world{"192.0.2.1/32"};
  world.object["status"] = {{"conditions", {{{"type", "Other"}, {"status", "True"}}}}, {"note", "kept"}};
  world.update();
  EXPECT_EQ(world.object["status"]["conditions"].size(), 2U);
  EXPECT_EQ(world.object["status"]["conditions"][0]["type"], "Other");
  EXPECT_EQ(world.object["status"]["note"], "kept");
  world.object["status"] = "nonsense";
  EXPECT_TRUE(pool_status(world.allocator, world.object, then));
  world.object["status"] = {{"conditions", "nonsense"}};
  EXPECT_TRUE(pool_status(world.allocator, world.object, then));
}

}  // namespace
}  // namespace controller
