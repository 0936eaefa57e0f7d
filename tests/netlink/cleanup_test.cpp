// SPDX-License-Identifier: Apache-2.0
#include "netlink/cleanup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "netlink/links.hpp"
#include "netlink/service_addresses.hpp"
#include "tests/netlink/netns.hpp"

namespace netlink {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class CleanupInKernel : public InNamespace {
 protected:
  static std::string everything() {
    return output_of(
        "ip -4 route show table all; ip -6 route show table all; ip nexthop; ip -br addr show dev lo; ip link | grep "
        "-v link/");
  }
};

TEST_F(CleanupInKernel, LeavesTheHostAsItWas) {
  ASSERT_EQ(shell("ip nexthop add id 5 via 10.0.0.9 dev a0 proto static"), 0);
  ASSERT_EQ(shell("ip route add 192.0.2.0/24 nhid 5 proto static metric 5"), 0);
  ASSERT_EQ(shell("ip route add 192.0.2.0/24 via 10.0.0.9 proto bgp metric 6"), 0);
  ASSERT_EQ(shell("ip -6 route add 2001:db8:aaaa::/48 via 2001:db8::9 proto bird"), 0);
  ASSERT_EQ(shell("ip addr add 192.0.2.77/32 dev lo"), 0);
  // An object with our protocol outside our range is somebody's idea of a joke, and not ours.
  ASSERT_EQ(shell("ip nexthop add id 6 via 10.0.0.8 dev a0 proto 201"), 0);
  ASSERT_TRUE(eventually([before = std::string{}]() mutable { return std::exchange(before, everything()) == before; }));
  const auto before = everything();
  {
    Fib fib{{}};
    set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
    set(fib, "2001:db8:aaaa::/48", {via("2001:db8::2"), via("2001:db8:1::2")});
    set(fib, "198.51.100.0/24", {via("10.0.0.2")});
    settle(fib);
    FibOptions other;
    other.owner.table = 1000;
    other.owner.metric = 7;
    other.owner.ids = {first_nexthop_id + 5000, 1000};
    Fib second{other};
    set(second, "203.0.113.0/24", {via("10.0.1.2"), via("10.0.0.2")});
    settle(second);
    ServiceAddresses service;
    const Links links;
    EXPECT_THAT(service.reconcile({*net::parse_ip("192.0.2.1"), *net::parse_ip("2001:db8:ff::1")}, links.table()),
                IsEmpty());
  }
  const auto result = cleanup({});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->routes, 4U);
  EXPECT_EQ(result->nexthops, 9U);
  EXPECT_EQ(result->addresses, 2U);
  EXPECT_THAT(result->problems, IsEmpty());
  EXPECT_EQ(everything(), before);
  const auto again = cleanup({});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->routes + again->nexthops + again->addresses, 0U);
}

TEST_F(CleanupInKernel, KeepsToOneTableAndToUnusedObjects) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  set(fib, "198.51.100.0/24", {via("10.0.0.3")});
  settle(fib);
  const auto listing = output_of("ip nexthop show groups proto 201");
  const auto id = listing.substr(3, listing.find(' ', 3) - 3);
  ASSERT_EQ(shell("ip route add 203.0.113.0/24 nhid " + id + " proto 201 table 1000"), 0);
  ASSERT_EQ(shell("ip route add 203.0.113.0/25 nhid " + id + " proto static"), 0);
  const auto result = cleanup({.table = main_table});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->routes, 2U);
  EXPECT_EQ(result->nexthops, 1U) << "the group serves other routes";
  EXPECT_EQ(output_of("ip route show proto 201"), "");
  EXPECT_THAT(output_of("ip route show table 1000"), HasSubstr("203.0.113.0/24"));
  EXPECT_THAT(output_of("ip route show proto static"), HasSubstr("203.0.113.0/25"));
}

}  // namespace
}  // namespace netlink
