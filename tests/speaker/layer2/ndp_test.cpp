// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/ndp.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "tests/speaker/layer2/solicitation.hpp"

namespace speaker {
namespace {

const net::Mac asker = *net::parse_mac("02:00:00:00:00:aa");
const net::Mac ours = *net::parse_mac("02:00:00:00:00:01");
const auto vip = *net::parse_ipv6("2001:db8::12:3456");
const auto client = *net::parse_ipv6("2001:db8::99");

Solicitation multicast() {
  return {.destination_mac = *net::parse_mac("33:33:ff:12:34:56"),
          .source_mac = asker,
          .source = client,
          .destination = *net::parse_ipv6("ff02::1:ff12:3456"),
          .target = vip,
          .source_link = asker,
          .more_options = {}};
}
// Duplicate address detection.
Solicitation from_nobody() {
  auto solicitation = multicast();
  solicitation.source = {};
  solicitation.source_link = std::nullopt;
  return solicitation;
}

TEST(NdpDecoder, ReadsASolicitation) {
  const auto ndp = decode_ndp(multicast().bytes());
  ASSERT_TRUE(ndp);
  EXPECT_EQ(ndp->type, Ndp::Type::Solicitation);
  EXPECT_EQ(ndp->target, vip);
  EXPECT_EQ(ndp->source, client);
  EXPECT_EQ(ndp->link_address, asker);
}

TEST(NdpDecoder, ReadsOneThatIsSentToTheAddressItself) {
  auto solicitation = multicast();
  solicitation.destination = vip;
  solicitation.destination_mac = ours;
  solicitation.source_link = std::nullopt;
  const auto ndp = decode_ndp(solicitation.bytes());
  ASSERT_TRUE(ndp);
  EXPECT_EQ(ndp->link_address, std::nullopt);
}

TEST(NdpDecoder, SkipsOtherOptions) {
  auto solicitation = multicast();
  solicitation.more_options = {14, 1, 1, 2, 3, 4, 5, 6};  // nonce, RFC 3971
  ASSERT_TRUE(decode_ndp(solicitation.bytes()));
}

TEST(NdpDecoder, IgnoresPadding) {
  auto bytes = from_nobody().bytes();
  bytes.resize(bytes.size() + 6);
  EXPECT_TRUE(decode_ndp(bytes));
}

TEST(NdpDecoder, RefusesEveryTruncation) {
  const auto bytes = multicast().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decode_ndp(std::span{bytes}.first(size)), std::nullopt) << size;
}

TEST(NdpDecoder, RefusesEveryFlippedBitOfTheMessage) {
  const auto bytes = multicast().bytes();
  for (std::size_t at = 22; at < bytes.size(); ++at) {  // from the source address on, all is under the checksum
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto broken = bytes;
      broken[at] = static_cast<std::uint8_t>(broken[at] ^ 1U << bit);
      EXPECT_EQ(decode_ndp(broken), std::nullopt) << at << "." << bit;
    }
  }
}

// RFC 4861 section 7.1.1, one by one, each with a right checksum.
TEST(NdpDecoder, RefusesWhatARouterForwarded) {
  auto solicitation = multicast();
  solicitation.hop_limit = 254;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
}
TEST(NdpDecoder, RefusesAnotherCodeOrType) {
  auto solicitation = multicast();
  solicitation.code = 1;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
  solicitation = multicast();
  solicitation.type = 134;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
}
TEST(NdpDecoder, RefusesAMulticastTarget) {
  auto solicitation = multicast();
  solicitation.target = all_nodes;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
}
TEST(NdpDecoder, RefusesAnOptionWithoutLength) {
  auto solicitation = multicast();
  solicitation.more_options = {14, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
}
TEST(NdpDecoder, RefusesAnOptionOverTheEnd) {
  auto solicitation = multicast();
  solicitation.more_options = {14, 2, 0, 0, 0, 0, 0, 0};
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
  solicitation.more_options = {14};
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
}
TEST(NdpDecoder, TakesDuplicateAddressDetectionOnlyAsItMustBe) {
  EXPECT_TRUE(decode_ndp(from_nobody().bytes()));
  auto with_link = from_nobody();
  with_link.source_link = asker;
  EXPECT_FALSE(decode_ndp(with_link.bytes()));
  auto to_one = from_nobody();
  to_one.destination = vip;
  EXPECT_FALSE(decode_ndp(to_one.bytes()));
}
TEST(NdpDecoder, RefusesGroupAddressesWhereOneStationIsMeant) {
  auto solicitation = multicast();
  solicitation.source_link = net::broadcast_mac;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
  solicitation = multicast();
  solicitation.source_mac = net::broadcast_mac;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
  solicitation = multicast();
  solicitation.source = all_nodes;
  EXPECT_FALSE(decode_ndp(solicitation.bytes()));
}

// RFC 4861 section 7.1.2.
TEST(NdpDecoder, RefusesASolicitedAdvertisementToAGroup) {
  auto announcement = ndp_announcement(vip, ours);
  EXPECT_TRUE(decode_ndp(encode_ndp(announcement)));
  announcement.solicited = true;
  EXPECT_FALSE(decode_ndp(encode_ndp(announcement)));
}

TEST(NdpAnswer, OverridesAndGoesToTheAsker) {
  const auto answer = ndp_answer(*decode_ndp(multicast().bytes()), ours);
  EXPECT_TRUE(answer.solicited);
  EXPECT_TRUE(answer.overrides);
  EXPECT_FALSE(answer.router);
  EXPECT_EQ(answer.source, vip);
  EXPECT_EQ(answer.destination, client);
  EXPECT_EQ(answer.destination_mac, asker);
  EXPECT_EQ(answer.link_address, ours);
  EXPECT_EQ(decode_ndp(encode_ndp(answer)), answer);
}

TEST(NdpAnswer, UsesTheFramesSenderWhereNoOptionNamesIt) {
  auto solicitation = multicast();
  solicitation.source_link = std::nullopt;
  EXPECT_EQ(ndp_answer(*decode_ndp(solicitation.bytes()), ours).destination_mac, asker);
}

TEST(NdpAnswer, ToDuplicateAddressDetectionGoesToAllNodes) {
  const auto answer = ndp_answer(*decode_ndp(from_nobody().bytes()), ours);
  EXPECT_FALSE(answer.solicited);
  EXPECT_TRUE(answer.overrides);
  EXPECT_EQ(answer.destination, all_nodes);
  EXPECT_EQ(net::print(answer.destination_mac), "33:33:00:00:00:01");
  EXPECT_EQ(decode_ndp(encode_ndp(answer)), answer);
}

TEST(NdpAnnouncement, IsUnsolicitedAndOverrides) {
  const auto announcement = ndp_announcement(vip, ours);
  EXPECT_FALSE(announcement.solicited);
  EXPECT_TRUE(announcement.overrides);
  EXPECT_EQ(announcement.destination, all_nodes);
  EXPECT_EQ(decode_ndp(encode_ndp(announcement)), announcement);
}

TEST(NdpGroups, FollowTheAddress) {
  EXPECT_EQ(net::print(solicited_node(vip)), "ff02::1:ff12:3456");
  EXPECT_EQ(net::print(multicast_mac(solicited_node(vip))), "33:33:ff:12:34:56");
}

}  // namespace
}  // namespace speaker
