// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "net/asn.hpp"
#include "net/mac.hpp"
#include "net/prefix.hpp"
#include "net/range.hpp"

namespace net {
namespace {

TEST(ParseAsn, TakesAsplainAndAsdot) {
  EXPECT_EQ(parse_asn("65001"), Asn{65001});
  EXPECT_EQ(parse_asn("4294967295"), Asn{4294967295});
  EXPECT_EQ(parse_asn("1.10"), Asn{65546});
  for (const auto* bad : {"", "-1", "4294967296", "1.", ".1", "65536.1", "1.65536", "1.2.3", "AS1", " 1"})
    EXPECT_EQ(parse_asn(bad), std::nullopt) << bad;
}

TEST(Prefix, ClearsHostBits) {
  EXPECT_EQ(parse_prefix("192.0.2.77/24"), parse_prefix("192.0.2.0/24"));
  EXPECT_EQ(print(*parse_prefix("192.0.2.77/24")), "192.0.2.0/24");
  EXPECT_EQ(print(*parse_prefix("2001:db8:ffff::1/33")), "2001:db8:8000::/33");
  EXPECT_EQ(print(*parse_prefix("0.0.0.0/0")), "0.0.0.0/0");
  for (const auto* bad : {"192.0.2.0", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129", "/24", "192.0.2.0/2x"})
    EXPECT_EQ(parse_prefix(bad), std::nullopt) << bad;
}

TEST(Prefix, ContainsOnlyWithinItsFamily) {
  const auto wide = *parse_prefix("10.0.0.0/8");
  EXPECT_TRUE(wide.contains(*parse_ip("10.255.0.1")));
  EXPECT_FALSE(wide.contains(*parse_ip("11.0.0.0")));
  EXPECT_FALSE(parse_prefix("::/0")->contains(*parse_ip("10.0.0.1")));
  EXPECT_TRUE(wide.contains(*parse_prefix("10.1.0.0/16")));
  EXPECT_FALSE(parse_prefix("10.1.0.0/16")->contains(wide));
  EXPECT_EQ(wide.last(), parse_ip("10.255.255.255"));
  EXPECT_EQ(parse_prefix("2001:db8::/127")->last(), parse_ip("2001:db8::1"));
}

TEST(AddressRange, KnowsSizeOffsetAndOverlap) {
  const auto range = *parse_range("192.0.2.10 - 192.0.2.20");
  EXPECT_EQ(range.size(), 11U);
  EXPECT_EQ(range.offset_of(*parse_ip("192.0.2.12")), 2U);
  EXPECT_EQ(range.offset_of(*parse_ip("192.0.2.21")), std::nullopt);
  EXPECT_TRUE(range.overlaps(*parse_range("192.0.2.20/32")));
  EXPECT_FALSE(range.overlaps(*parse_range("192.0.2.21/32")));
  EXPECT_EQ(parse_range("::/0")->size(), ~0ULL);
  EXPECT_EQ(parse_range("2001:db8::/64")->size(), ~0ULL);  // 2^64 is one more than the type holds
  EXPECT_EQ(parse_range("2001:db8::/65")->size(), 1ULL << 63);
}

TEST(AddressRange, SplitsIntoTheFewestPrefixes) {
  std::string text;
  for (const auto& prefix : parse_range("192.0.2.1-192.0.2.10")->prefixes()) text += print(prefix) + " ";
  EXPECT_EQ(text, "192.0.2.1/32 192.0.2.2/31 192.0.2.4/30 192.0.2.8/31 192.0.2.10/32 ");
  EXPECT_EQ(parse_range("0.0.0.0-255.255.255.255")->prefixes().size(), 1U);
}

TEST(AddressRange, RefusesMixedFamiliesAndReversedEnds) {
  for (const auto* bad : {"192.0.2.2-192.0.2.1", "192.0.2.1-::1", "192.0.2.1-", "-", "192.0.2.1", "a-b"})
    EXPECT_EQ(parse_range(bad), std::nullopt) << bad;
}

TEST(Mac, ParsesAndPrints) {
  EXPECT_EQ(print(*parse_mac("02:00:5E:00:53:ff")), "02:00:5e:00:53:ff");
  for (const auto* bad :
       {"", "02:00:5e:00:53", "02-00-5e-00-53-ff", "02:00:5e:00:53:fg", "02:00:5e:00:53:ff:00", "2:0:5e:0:53:1"})
    EXPECT_EQ(parse_mac(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace net
