// SPDX-License-Identifier: Apache-2.0
#include "netlink/pending.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

namespace netlink {
namespace {

struct HandedOver {
  std::map<std::string, std::vector<NextHop>> wanted;
  std::map<std::string, std::uint32_t> metrics;  // that are not the owner's
  std::set<std::string> withdrawn;
  std::size_t sets = 0;
};

HandedOver hand_over(const PendingChanges& changes) {
  HandedOver out;
  std::vector<std::vector<NextHop>> sets;
  changes.hand_over(
      [&](std::span<const NextHop> hops) {
        sets.emplace_back(hops.begin(), hops.end());
        return sets.size() - 1;
      },
      [&](const net::Prefix& prefix, std::size_t set, std::uint32_t metric) {
        out.wanted[net::print(prefix)] = sets[set];
        if (metric != 0) out.metrics[net::print(prefix)] = metric;
      },
      [&](const net::Prefix& prefix) { out.withdrawn.insert(net::print(prefix)); });
  out.sets = sets.size();
  return out;
}

NextHop hop(const char* gateway) {
  return {*net::parse_ip(gateway), 0, 1};
}

TEST(PendingChanges, KeepsTheLastStateOfEachPrefix) {
  PendingChanges changes;
  const std::vector<NextHop> one{hop("10.0.0.1")};
  const std::vector<NextHop> two{hop("10.0.0.1"), hop("10.0.0.2")};
  const auto a = *net::parse_prefix("192.0.2.0/24");
  const auto b = *net::parse_prefix("2001:db8::/32");
  changes.put({a, one});
  changes.put({b, two});
  changes.put({a, {}});
  changes.put({b, one});
  changes.put({a, two});
  changes.put({b, {}});
  EXPECT_EQ(changes.size(), 2U);
  const auto out = hand_over(changes);
  EXPECT_EQ(out.wanted, (std::map<std::string, std::vector<NextHop>>{{"192.0.2.0/24", two}}));
  EXPECT_EQ(out.withdrawn, std::set<std::string>{"2001:db8::/32"});
}

TEST(PendingChanges, KeepsTheMetricOfEachPrefix) {
  PendingChanges changes;
  const std::vector<NextHop> one{hop("10.0.0.1")};
  const auto a = *net::parse_prefix("192.0.2.0/24");
  const auto b = *net::parse_prefix("198.51.100.0/24");
  changes.put({a, one, 100});
  changes.put({b, one});
  EXPECT_EQ(hand_over(changes).metrics, (std::map<std::string, std::uint32_t>{{"192.0.2.0/24", 100}}));
  changes.put({a, one, 200});
  changes.put({b, one, 100});
  EXPECT_EQ(hand_over(changes).metrics,
            (std::map<std::string, std::uint32_t>{{"192.0.2.0/24", 200}, {"198.51.100.0/24", 100}}));
}

TEST(PendingChanges, KeepsEachSetOnce) {
  PendingChanges changes;
  const std::vector<NextHop> one{hop("10.0.0.1")};
  const std::vector<NextHop> two{hop("10.0.0.1"), hop("10.0.0.2")};
  for (std::uint32_t i = 0; i < 1000; ++i) changes.put({net::Ipv4Prefix::host({i}), i % 2 == 0 ? one : two});
  const auto out = hand_over(changes);
  EXPECT_EQ(out.sets, 2U);
  EXPECT_EQ(out.wanted.size(), 1000U);
  changes.clear();
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(hand_over(changes).sets, 0U);
}

}  // namespace
}  // namespace netlink
