// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/link_map.hpp"

#include <gtest/gtest.h>

namespace bgp {
namespace {

net::IpAddress ip(std::string_view text) {
  return *net::parse_ip(text);
}
std::vector<LinkSubnets> two() {
  return {{2, "eth0", {*net::parse_prefix("10.0.0.0/16"), *net::parse_prefix("2001:db8::/64")}},
          {3, "eth1", {*net::parse_prefix("10.0.1.0/24")}}};
}

TEST(LinkMap, FindsTheLinkWithTheLongestSubnet) {
  LinkMap map;
  EXPECT_EQ(map.leads_to(ip("10.0.0.1")), 0U);
  EXPECT_TRUE(map.set(two()));
  EXPECT_FALSE(map.set(two()));
  EXPECT_EQ(map.name(map.leads_to(ip("10.0.0.1"))), "eth0");
  EXPECT_EQ(map.name(map.leads_to(ip("10.0.1.1"))), "eth1");
  EXPECT_EQ(map.name(map.leads_to(ip("2001:db8::1"))), "eth0");
  EXPECT_EQ(map.leads_to(ip("10.1.0.1")), 0U);
  EXPECT_EQ(map.name(0), "");
}

TEST(LinkMap, NumbersLinksByNameForGood) {
  LinkMap map;
  (void)map.set(two());
  const auto eth0 = map.number_of(2);
  const auto eth1 = map.number_of(3);
  EXPECT_EQ(map.number_of(4), 0U);
  // The other way round, and then renamed.
  (void)map.set({{2, "eth1", {}}, {3, "eth0", {}}});
  EXPECT_EQ(map.number_of(3), eth0);
  EXPECT_EQ(map.number_of(2), eth1);
  (void)map.set({{2, "uplink", {}}});
  EXPECT_NE(map.number_of(2), eth1);
  EXPECT_EQ(map.name(eth1), "eth1");
  EXPECT_EQ(map.name(map.number_of(2)), "uplink");
}

}  // namespace
}  // namespace bgp
