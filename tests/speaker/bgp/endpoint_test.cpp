// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/endpoint.hpp"

#include <gtest/gtest.h>

namespace speaker {
namespace {

net::IpAddress ip(const char* text) {
  return *net::parse_ip(text);
}

TEST(Endpoint, KeepsAddressAndPortBothWays) {
  for (const auto* text : {"10.1.2.3", "2001:db8::1", "::1"}) {
    const auto endpoint = to_endpoint(ip(text), 179);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(to_address(*endpoint), ip(text));
    EXPECT_EQ(endpoint->port(), 179);
    EXPECT_EQ(endpoint->address().to_string(), text);
    EXPECT_EQ(zone_of(*endpoint), "");
  }
}

TEST(Endpoint, OfALinkLocalAddressNeedsItsInterface) {
  const auto endpoint = to_endpoint(ip("fe80::1"), 179, "lo");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(zone_of(*endpoint), "lo");
  EXPECT_EQ(to_address(*endpoint), ip("fe80::1"));
  EXPECT_EQ(to_endpoint(ip("fe80::1"), 179).error(), "fe80::1: no interface ");
  EXPECT_EQ(to_endpoint(ip("fe80::1"), 179, "nowhere0").error(), "fe80::1: no interface nowhere0");
}

TEST(Endpoint, UnwrapsMappedAddresses) {
  const boost::asio::ip::tcp::endpoint mapped{boost::asio::ip::make_address("::ffff:10.1.2.3"), 1};
  EXPECT_EQ(to_address(mapped), ip("10.1.2.3"));
}

TEST(Endpoint, PrintsAsPeopleWriteIt) {
  EXPECT_EQ(print_endpoint(ip("10.1.2.3"), 179), "10.1.2.3:179");
  EXPECT_EQ(print_endpoint(ip("2001:db8::1"), 1179), "[2001:db8::1]:1179");
}

}  // namespace
}  // namespace speaker
