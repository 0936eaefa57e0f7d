// SPDX-License-Identifier: Apache-2.0
#include "bgp/bmp/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/message.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp::bmp {
namespace {

// Peer type 0, flags 0, distinguisher 0, 10.0.0.2, AS 65002, id 10.0.0.9, 1000000000.000005.
constexpr auto ipv4_peer =
    "00 00 0000000000000000 00000000000000000000000000000000 "  // header_of() puts the address in
    "0000fdea 0a000009 3b9aca00 00000005";

PeerHeader peer(std::uint8_t flags = 0) {
  PeerHeader made;
  made.flags = flags;
  made.address = (flags & flag_ipv6) != 0 ? net::IpAddress{*net::parse_ip("2001:db8::2")}
                                          : net::IpAddress{net::Ipv4Address{0x0a000002}};
  made.asn = net::Asn{65002};
  made.id = net::RouterId{0x0a000009};
  made.time = {1000000000, 5};
  return made;
}

Bytes header_of(std::uint8_t flags = 0) {
  auto bytes = hex(ipv4_peer);
  bytes[1] = flags;
  const auto address =
      (flags & flag_ipv6) != 0 ? hex("20010db8000000000000000000000002") : hex("0000000000000000000000000a000002");
  std::copy(address.begin(), address.end(), bytes.begin() + 10);
  return bytes;
}

Bytes message(std::uint8_t type, std::vector<Bytes> parts) {
  Bytes body;
  for (const auto& part : parts) body.insert(body.end(), part.begin(), part.end());
  const auto length = body.size() + 6;
  Bytes out{3, 0, 0, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length), type};
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

const Bytes keepalive = hex("ffffffffffffffffffffffffffffffff 0013 04");
const Bytes end_of_rib = hex("ffffffffffffffffffffffffffffffff 0017 02 0000 0000");
const Bytes cease = hex("ffffffffffffffffffffffffffffffff 0015 03 06 02");

struct Vector {
  std::string name;
  Message value;
  Bytes bytes;
};

Statistic statistic(StatisticType type, std::uint64_t value, std::optional<AfiSafi> family = std::nullopt) {
  return {type, family, value, std::nullopt};
}

PeerHeader loc_rib() {
  auto made = peer();
  made.kind = PeerKind::LocRib;
  made.flags = flag_filtered;
  made.address = {};
  return made;
}

Bytes loc_rib_header() {
  auto bytes = header_of();
  bytes[0] = 3;
  bytes[1] = 0x80;
  std::fill(bytes.begin() + 10, bytes.begin() + 26, std::uint8_t{0});
  return bytes;
}

std::vector<Vector> vectors() {
  return {
      {"RouteMonitoring", RouteMonitoring{peer(), end_of_rib}, message(0, {header_of(), end_of_rib})},
      {"RouteMonitoringOfAnIpv6PeerPostPolicy", RouteMonitoring{peer(flag_ipv6 | flag_post_policy), end_of_rib},
       message(0, {header_of(0xc0), end_of_rib})},
      {"RouteMonitoringOutgoingTwoOctets",
       RouteMonitoring{peer(flag_post_policy | flag_two_octet_as_path | flag_adj_rib_out), end_of_rib},
       message(0, {header_of(0x70), end_of_rib})},
      {"RouteMonitoringOfTheLocRib", RouteMonitoring{loc_rib(), end_of_rib},
       message(0, {loc_rib_header(), end_of_rib})},
      {"Statistics",
       StatisticsReport{peer(),
                        {statistic(StatisticType::RejectedByPolicy, 7), statistic(StatisticType::AdjRibIn, 0x100000002),
                         statistic(StatisticType::AdjRibInOfFamily, 3, ipv6_unicast),
                         statistic(StatisticType::AdjRibOutOfFamily, 4, ipv4_unicast),
                         Statistic{static_cast<StatisticType>(999), std::nullopt, 0, Bytes{1, 2, 3}}}},
       message(1, {header_of(), hex("00000005 0000 0004 00000007 0007 0008 0000000100000002"
                                    "0009 000b 0002 01 0000000000000003 0011 000b 0001 01 0000000000000004"
                                    "03e7 0003 010203")})},
      {"PeerDownByOurNotification", PeerDown{peer(), DownReason::LocalNotification, cease},
       message(2, {header_of(), {1}, cease})},
      {"PeerDownByAnEvent", PeerDown{peer(), DownReason::LocalSilent, {0, 24}}, message(2, {header_of(), {2, 0, 24}})},
      {"PeerDownByItsNotification", PeerDown{peer(), DownReason::RemoteNotification, cease},
       message(2, {header_of(), {3}, cease})},
      {"PeerDownSilently", PeerDown{peer(), DownReason::RemoteSilent, {}}, message(2, {header_of(), {4}})},
      {"PeerNoLongerMonitored", PeerDown{peer(), DownReason::NoLongerMonitored, {}}, message(2, {header_of(), {5}})},
      {"LocRibClosed", PeerDown{loc_rib(), DownReason::LocRibClosed, hex("0003 0006 676c6f62616c")},
       message(2, {loc_rib_header(), {6}, hex("0003 0006 676c6f62616c")})},
      {"PeerUp",
       PeerUp{peer(), net::Ipv4Address{0x0a000001}, 179, 40000, keepalive, keepalive, {text_tlv(info_string, "x")}},
       message(3, {header_of(), hex("0000000000000000000000000a000001 00b3 9c40"), keepalive, keepalive,
                   hex("0000 0001 78")})},
      {"PeerUpIpv6", PeerUp{peer(flag_ipv6), *net::parse_ip("2001:db8::1"), 1, 2, keepalive, keepalive, {}},
       message(3, {header_of(0x80), hex("20010db8000000000000000000000001 0001 0002"), keepalive, keepalive})},
      {"Initiation", Initiation{{text_tlv(info_sys_descr, "herald"), text_tlv(info_sys_name, "r1")}},
       message(4, {hex("0001 0006 686572616c64 0002 0002 7231")})},
      {"Termination", Termination{{number_tlv(termination_reason, 2), text_tlv(termination_string, "bye")}},
       message(5, {hex("0001 0002 0002 0000 0003 627965")})},
      {"RouteMirroring",
       RouteMirroring{peer(), {number_tlv(mirrored_information, errored_pdu), Tlv{mirrored_message, end_of_rib}}},
       message(6, {header_of(), hex("0001 0002 0000 0000 0017"), end_of_rib})},
  };
}

TEST(BmpMessage, IsTheSameInBytesAndInFields) {
  for (const auto& [name, value, bytes] : vectors()) {
    Bytes out;
    encode(value, out);
    EXPECT_EQ(out, bytes) << name;
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded.has_value()) << name << ": " << decoded.error().offset << " " << decoded.error().text;
    EXPECT_EQ(*decoded, value) << name;
  }
}

// Where a message is cut it does not become another one, with its length corrected or not.
TEST(BmpMessage, IsRefusedWhereverItIsCut) {
  for (const auto& [name, value, bytes] : vectors()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Bytes cut{bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
      EXPECT_FALSE(decode(cut).has_value()) << name << " of " << size;
      if (size < common_header_size) continue;
      cut[3] = static_cast<std::uint8_t>(size >> 8);
      cut[4] = static_cast<std::uint8_t>(size);
      if (const auto decoded = decode(cut)) {
        Bytes again;
        encode(*decoded, again);
        EXPECT_EQ(again, cut) << name << " of " << size;
        EXPECT_NE(*decoded, value) << name << " of " << size;
      }
    }
  }
}

TEST(BmpMessage, SaysWhatIsWrongAndWhere) {
  const auto fault = [](const Bytes& bytes) {
    const auto decoded = decode(bytes);
    return decoded ? std::string{"none"} : std::to_string(decoded.error().offset) + ": " + decoded.error().text;
  };
  auto wrong = message(0, {header_of(), end_of_rib});
  wrong[0] = 2;
  EXPECT_EQ(fault(wrong), "0: the version is not 3");
  EXPECT_EQ(fault(message(7, {})), "5: the type is above 6");
  wrong = message(0, {header_of(), end_of_rib});
  wrong[6] = 4;
  EXPECT_EQ(fault(wrong), "6: the peer type is above 3");
  wrong = message(0, {header_of(), end_of_rib});
  wrong[16] = 1;
  EXPECT_EQ(fault(wrong), "16: an IPv4 address has twelve octets of zero in front");
  EXPECT_EQ(fault(message(0, {header_of(), end_of_rib, {1}})), "71: there is more than the message has fields");
  EXPECT_EQ(fault(message(0, {header_of(), Bytes(30, 0)})), "48: the UPDATE is no whole BGP message");
  EXPECT_EQ(fault(message(2, {header_of(), {7}})), "48: the reason is none of 1 to 6");
  EXPECT_EQ(fault(message(1, {header_of(), hex("00000001 0007 0004 00000001")})),
            "54: the length is not that of a statistic of the type");
  EXPECT_EQ(fault(message(1, {header_of(), hex("00000002 0000 0004 00000001")})),
            "60: there are fewer statistics than the message says");
  EXPECT_EQ(fault(message(4, {hex("0001 0006 6865")})), "12: the message ends within a field");
}

TEST(BmpMessageLength, IsKnownFromSixOctets) {
  const auto bytes = message(4, {hex("0001 0001 61")});
  EXPECT_EQ(*message_length({}), std::nullopt);
  EXPECT_EQ(*message_length(std::span{bytes}.first(5)), std::nullopt);
  EXPECT_EQ(*message_length(std::span{bytes}.first(6)), std::size_t{11});
  EXPECT_EQ(message_length(hex("03 00000005 04")).error().offset, 1U);
  EXPECT_STREQ(message_length(hex("03 00100001 04")).error().text, "the length is above 1048576");
  EXPECT_EQ(message_length(hex("02")).error().offset, 0U);
}

TEST(RouteMonitoring, IsTheSameWithoutACopyOfTheUpdate) {
  Bytes out;
  encode_route_monitoring(peer(), end_of_rib, out);
  EXPECT_EQ(out, message(0, {header_of(), end_of_rib}));
}

}  // namespace
}  // namespace bgp::bmp
