// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

TEST(ParseIpv4, TakesDottedQuadsOnly) {
  EXPECT_EQ(parse_ipv4("192.0.2.1"), Ipv4Address{0xc0000201});
  EXPECT_EQ(parse_ipv4("0.0.0.0"), Ipv4Address{0});
  EXPECT_EQ(parse_ipv4("255.255.255.255"), Ipv4Address{0xffffffff});
  for (const auto* bad : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1..2.3",
                          "1.2.3.-4", "a.b.c.d"})
    EXPECT_EQ(parse_ipv4(bad), std::nullopt) << bad;
}

TEST(ParseIpv6, AndPrintRoundTripInCanonicalForm) {
  const std::pair<const char*, const char*> cases[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:db8::1", "2001:db8::1"},
      {"2001:0DB8:0:0:0:0:0:0001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"fe80::1:2:3:4", "fe80::1:2:3:4"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto address = parse_ipv6(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(print(*address), canonical);
    EXPECT_EQ(parse_ipv6(print(*address)), address);
  }
}

TEST(ParseIpv6, RefusesWhatIsNotAnAddress) {
  for (const auto* bad :
       {"", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "1:2:3:4:5:6:7:8::", "::1.2.3",
        "1.2.3.4::", "fe80::1%eth0", "g::", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7:8"})
    EXPECT_EQ(parse_ipv6(bad), std::nullopt) << bad;
}

TEST(IpAddress, SortsIpv4FirstAndKnowsItsBytes) {
  const IpAddress four = Ipv4Address{0x0a000001};
  const IpAddress six = *parse_ipv6("::1");
  EXPECT_LT(four, six);
  EXPECT_EQ(four.bytes().size(), 4U);
  EXPECT_EQ(six.bytes().size(), 16U);
  EXPECT_EQ(four.v4(), Ipv4Address{0x0a000001});
  EXPECT_NE(std::hash<IpAddress>{}(four), std::hash<IpAddress>{}(six));
}

TEST(Advance, CarriesAndStopsAtTheEndOfTheFamily) {
  EXPECT_EQ(advance(*parse_ip("10.0.0.255"), 1), parse_ip("10.0.1.0"));
  EXPECT_EQ(advance(*parse_ip("255.255.255.255"), 1), std::nullopt);
  EXPECT_EQ(advance(*parse_ip("2001:db8::ffff:ffff"), 1), parse_ip("2001:db8::1:0:0"));
  EXPECT_EQ(advance(*parse_ip("::"), ~0ULL), parse_ip("::ffff:ffff:ffff:ffff"));
  EXPECT_EQ(advance(*parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1), std::nullopt);
}

TEST(Previous, BorrowsAcrossOctets) {
  EXPECT_EQ(previous(*parse_ip("10.0.1.0")), *parse_ip("10.0.0.255"));
  EXPECT_EQ(previous(*parse_ip("2001:db8::1:0:0")), *parse_ip("2001:db8::ffff:ffff"));
}

}  // namespace
}  // namespace net
