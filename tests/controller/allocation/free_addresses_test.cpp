// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/free_addresses.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace controller {
namespace {

using net::Family;
constexpr net::TimePoint t0{};

TEST(FreeAddresses, AgreesWithAPlainSetUnderRandomOperations) {
  std::mt19937 random{3};
  FreeAddresses free{{*net::parse_range("192.0.2.0/25"), *net::parse_range("192.0.2.128/25")}, BuggyAddresses::Use};
  std::set<net::IpAddress> model;
  for (std::uint32_t i = 0; i < 256; ++i) model.insert(net::Ipv4Address{0xc0000200 + i});
  for (int step = 0; step < 50000; ++step) {
    const net::IpAddress address = net::Ipv4Address{0xc0000200 + static_cast<std::uint32_t>(random() % 256)};
    switch (random() % 3) {
      case 0: {
        const auto lowest = free.take_lowest(Family::Ipv4);
        ASSERT_EQ(lowest.has_value(), !model.empty());
        if (lowest) {
          ASSERT_EQ(*lowest, *model.begin());
          model.erase(model.begin());
        }
        break;
      }
      case 1:
        ASSERT_EQ(free.take(address), model.erase(address) == 1);
        break;
      default:
        if (!model.contains(address)) {
          free.release(address, t0);
          free.expire(t0);
          model.insert(address);
        }
    }
  }
}

TEST(FreeAddresses, CostsOneEntryForTheWholeOfIpv6) {
  FreeAddresses free{{*net::parse_range("::/0")}, BuggyAddresses::Use};
  EXPECT_EQ(free.take_lowest(Family::Ipv6), net::parse_ip("::"));
  EXPECT_TRUE(free.take(*net::parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(free.take(*net::parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
  free.release(*net::parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), t0);
  free.expire(t0);
  EXPECT_TRUE(free.take(*net::parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_EQ(free.take_lowest(Family::Ipv4), std::nullopt);
  EXPECT_EQ(free.capacity(Family::Ipv6), ~0ULL);
}

TEST(FreeAddresses, CountBuggyOnesOutOfTheCapacity) {
  const auto capacity = [](const char* range) {
    return FreeAddresses{{*net::parse_range(range)}, BuggyAddresses::Avoid}.capacity(Family::Ipv4);
  };
  EXPECT_EQ(capacity("10.0.0.0/8"), (1U << 24) - 2 * (1U << 16));
  EXPECT_EQ(capacity("192.0.2.0/32"), 0U);
  EXPECT_EQ(capacity("192.0.2.255/32"), 0U);
  EXPECT_EQ(capacity("192.0.2.1-192.0.2.254"), 254U);
  EXPECT_EQ(capacity("0.0.0.0-0.0.0.255"), 254U);
}

}  // namespace
}  // namespace controller
