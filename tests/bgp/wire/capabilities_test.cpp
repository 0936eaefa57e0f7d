// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/capabilities.hpp"

#include <map>

#include <gmock/gmock.h>

#include "bgp/wire/message.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

// Both directions of one vector: `bytes` are code, length and value.
template <class Value>
void expect_both_ways(const Value& value, const Bytes& bytes) {
  Bytes written;
  net::Writer out{written};
  encode_capability(value, out);
  EXPECT_EQ(written, bytes);
  Value read;
  ASSERT_TRUE(decode(net::Reader{std::span{bytes}.subspan(2)}, read));
  EXPECT_EQ(read, value);
}

TEST(GracefulRestartCapability, IsTheSameInBytesAndInFields) {
  expect_both_ways(GracefulRestartCapability{}, hex("40 02 0000"));
  expect_both_ways(GracefulRestartCapability{.notification = true, .families = {}}, hex("40 02 4000"));
  expect_both_ways(GracefulRestartCapability{.restarting = true,
                                             .notification = false,
                                             .time = net::Seconds{120},
                                             .families = {{ipv4_unicast, true}, {ipv6_unicast, false}}},
                   hex("40 0a 8078 0001 01 80 0002 01 00"));
  expect_both_ways(
      GracefulRestartCapability{
          .restarting = true, .notification = true, .time = net::Seconds{4095}, .families = {{{25, 65}, true}}},
      hex("40 06 cfff 0019 41 80"));
}

TEST(GracefulRestartCapability, IgnoresFlagsThatNobodyDefined) {
  GracefulRestartCapability read;
  ASSERT_TRUE(decode(net::Reader{hex("3001 0001 01 7f")}, read));
  EXPECT_FALSE(read.restarting);
  EXPECT_FALSE(read.notification);
  EXPECT_EQ(read.time, net::Seconds{1});
  EXPECT_FALSE(read.families.at(0).forwarding);
}

TEST(GracefulRestartCapability, IsRefusedWhenCut) {
  const auto whole = hex("8078 0001 01 80 0002 01 00");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    GracefulRestartCapability read;
    const bool whole_families = size >= 2 && (size - 2) % 4 == 0;
    EXPECT_EQ(decode(net::Reader{std::span{whole}.first(size)}, read), whole_families) << size;
  }
}

TEST(GracefulRestartCapability, SaysNoLongerTimeThanItHasBitsFor) {
  Bytes written;
  net::Writer out{written};
  encode_capability(GracefulRestartCapability{.time = net::Seconds{100000}, .families = {}}, out);
  EXPECT_EQ(written, hex("40 02 0fff"));
}

TEST(LongLivedCapability, IsTheSameInBytesAndInFields) {
  using Families = std::vector<LongLivedFamily>;
  expect_both_ways(Families{}, hex("47 00"));
  expect_both_ways(Families{{ipv4_unicast, true, net::Seconds{86400}}, {ipv6_unicast, false, net::Seconds{0xffffff}}},
                   hex("47 0e 0001 01 80 015180  0002 01 00 ffffff"));
}

TEST(LongLivedCapability, IsRefusedWhenCut) {
  const auto whole = hex("0001 01 80 015180 0002 01 00 ffffff");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::vector<LongLivedFamily> read;
    EXPECT_EQ(decode(net::Reader{std::span{whole}.first(size)}, read), size % 7 == 0) << size;
  }
}

TEST(ExtendedNextHopCapability, IsTheSameInBytesAndInFields) {
  using NextHops = std::vector<ExtendedNextHop>;
  expect_both_ways(NextHops{{ipv4_unicast, 2}}, hex("05 06 0001 0001 0002"));
  expect_both_ways(NextHops{{ipv4_unicast, 2}, {{1, 128}, 2}}, hex("05 0c 0001 0001 0002 0001 0080 0002"));
}

TEST(ExtendedNextHopCapability, IsRefusedWhenCutAndIgnoresFamiliesThatCannotBe) {
  std::vector<ExtendedNextHop> read;
  EXPECT_FALSE(decode(net::Reader{hex("0001 0001 00")}, read));
  ASSERT_TRUE(decode(net::Reader{hex("0001 0101 0002 0001 0001 0002")}, read));
  EXPECT_EQ(read, (std::vector<ExtendedNextHop>{{ipv4_unicast, 2}}));
}

TEST(Roles, FitTheirCounterpartsOnly) {  // RFC 9234 section 4.2, table 2
  const std::map<Role, Role> pairs{{Role::Provider, Role::Customer},
                                   {Role::Customer, Role::Provider},
                                   {Role::RouteServer, Role::RouteServerClient},
                                   {Role::RouteServerClient, Role::RouteServer},
                                   {Role::Peer, Role::Peer}};
  for (const auto& [ours, fitting] : pairs) {
    for (unsigned theirs = 0; theirs < 256; ++theirs)
      EXPECT_EQ(fits(ours, static_cast<std::uint8_t>(theirs)), theirs == static_cast<unsigned>(fitting)) << theirs;
  }
}

TEST(AnOpen, CarriesRolesAndNextHopsOfAnotherFamily) {
  Open open;
  open.asn = net::Asn{65001};
  open.hold_time = net::Seconds{90};
  open.id = net::RouterId{0x0a000001};
  open.capabilities.extended_next_hop = {{ipv4_unicast, 2}};
  open.capabilities.roles = {3};
  const auto bytes = encode(open);
  EXPECT_EQ(bytes, message(1, hex("04 fde9 005a 0a000001 0d 02 0b  05 06 0001 0001 0002  09 01 03")));
  EXPECT_EQ(decode_open(std::span{bytes}.subspan(header_size)), open);
}

TEST(AnOpen, KeepsDifferentRolesToBeRefused) {
  const auto read = decode_open(hex("04 fde9 005a 0a000001 0b 02 09  09 01 03  09 01 03  09 01 00"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->capabilities.roles, (Bytes{3, 0}));
  EXPECT_FALSE(decode_open(hex("04 fde9 005a 0a000001 06 02 04  09 02 03 00")));
}

TEST(AnOpen, CarriesBothRestartCapabilities) {
  Open open;
  open.asn = net::Asn{65001};
  open.hold_time = net::Seconds{90};
  open.id = net::RouterId{0x0a000001};
  open.capabilities.graceful_restart = GracefulRestartCapability{true, true, net::Seconds{60}, {{ipv4_unicast, true}}};
  open.capabilities.long_lived = std::vector<LongLivedFamily>{{ipv4_unicast, false, net::Seconds{3600}}};
  const auto bytes = encode(open);
  EXPECT_EQ(bytes, message(1, hex("04 fde9 005a 0a000001 13 02 11  40 06 c03c 0001 01 80  47 07 0001 01 00 000e10")));
  const auto read = decode_open(std::span{bytes}.subspan(header_size));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, open);
}

TEST(AnOpen, WithAMalformedRestartCapabilityIsRefused) {
  for (const auto* capability : {"40 01 80", "40 05 0078 0001 01", "47 06 0001 01 00 0001"}) {
    const auto value = hex(capability);
    const auto size = static_cast<std::uint8_t>(value.size());
    const auto body = join({hex("04 fde9 005a 0a000001"), {static_cast<std::uint8_t>(size + 2), 2, size}, value});
    const auto read = decode_open(body);
    ASSERT_FALSE(read) << capability;
    EXPECT_EQ(read.error(), (Notification{2, 0, {}})) << capability;
  }
}

}  // namespace
}  // namespace bgp
