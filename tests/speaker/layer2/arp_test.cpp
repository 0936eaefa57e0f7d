// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/arp.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace speaker {
namespace {

const net::Mac asker = *net::parse_mac("02:00:00:00:00:aa");
const net::Mac ours = *net::parse_mac("02:00:00:00:00:01");
const auto vip = *net::parse_ipv4("192.0.2.10");
const auto client = *net::parse_ipv4("192.0.2.99");

// "Who has 192.0.2.10? Tell 192.0.2.99", to everybody.
const std::vector<std::uint8_t> request_bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00,
                                              0x00, 0xaa, 0x08, 0x06,                                      //
                                              0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,              //
                                              0x02, 0x00, 0x00, 0x00, 0x00, 0xaa, 0xc0, 0x00, 0x02, 0x63,  //
                                              0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x02, 0x0a};
const Arp request{net::broadcast_mac, asker, Arp::Operation::Request, asker, client, {}, vip};

TEST(ArpCodec, ReadsAndWritesTheSameBytes) {
  EXPECT_EQ(decode_arp(request_bytes), request);
  EXPECT_TRUE(std::ranges::equal(encode_arp(request), request_bytes));
}

TEST(ArpCodec, IgnoresPadding) {
  auto padded = request_bytes;
  padded.resize(60);
  EXPECT_EQ(decode_arp(padded), request);
}

TEST(ArpCodec, RefusesEveryTruncation) {
  for (std::size_t size = 0; size < request_bytes.size(); ++size)
    EXPECT_EQ(decode_arp(std::span{request_bytes}.first(size)), std::nullopt) << size;
}

TEST(ArpCodec, RefusesWhatIsNotEthernetIpv4RequestOrReply) {
  struct Case {
    std::size_t at;
    std::uint8_t value;
  };
  for (const auto [at, value] : {Case{12, 0x86}, Case{13, 0x00}, Case{15, 6}, Case{16, 0x86}, Case{17, 1}, Case{18, 8},
                                 Case{19, 16}, Case{20, 1}, Case{21, 3}, Case{21, 0}, Case{22, 0xff}, Case{22, 0x01}}) {
    auto bytes = request_bytes;
    bytes[at] = value;
    EXPECT_EQ(decode_arp(bytes), std::nullopt) << at << "=" << unsigned{value};
  }
}

TEST(ArpAnswer, GoesToTheAskerAlone) {
  const Arp expected{asker, ours, Arp::Operation::Reply, ours, vip, asker, client};
  EXPECT_EQ(arp_answer(request, ours), expected);
}

TEST(ArpAnswer, ToAProbeNamesNoTargetAddress) {
  auto probe = request;
  probe.sender = {};
  EXPECT_EQ(arp_answer(probe, ours).target, net::Ipv4Address{});
  EXPECT_EQ(arp_answer(probe, ours).destination, asker);
}

TEST(ArpAnnouncement, HasTheAddressTwiceAndGoesToEverybody) {
  for (const auto form : {Arp::Operation::Request, Arp::Operation::Reply}) {
    const auto announcement = arp_announcement(form, vip, ours);
    EXPECT_EQ(announcement.operation, form);
    EXPECT_EQ(announcement.sender, vip);
    EXPECT_EQ(announcement.target, vip);
    EXPECT_EQ(announcement.sender_mac, ours);
    EXPECT_EQ(announcement.destination, net::broadcast_mac);
    EXPECT_EQ(decode_arp(encode_arp(announcement)), announcement);
  }
}

}  // namespace
}  // namespace speaker
