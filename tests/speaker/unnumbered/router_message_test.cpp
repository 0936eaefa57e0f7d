// SPDX-License-Identifier: Apache-2.0
#include "speaker/unnumbered/router_message.hpp"

#include <gmock/gmock.h>

namespace speaker {
namespace {

using Bytes = std::vector<std::uint8_t>;

const net::Mac mac{{2, 0, 0, 0, 0, 7}};
const auto neighbor = net::parse_ip("fe80::7") -> v6();

TEST(RouterAdvertisement, OffersNobodyADefaultRoute) {
  EXPECT_EQ(encode_router_message(RouterMessage::Advertisement, mac),
            (Bytes{134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 7}));
}

TEST(RouterSolicitation, IsFourOctetsAndTheOption) {
  EXPECT_EQ(encode_router_message(RouterMessage::Solicitation, mac),
            (Bytes{133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 7}));
  EXPECT_EQ(encode_router_message(RouterMessage::Solicitation, std::nullopt), (Bytes{133, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(ARouterMessage, IsReadBack) {
  for (const auto kind : {RouterMessage::Advertisement, RouterMessage::Solicitation})
    for (const auto& source : {std::optional{mac}, std::optional<net::Mac>{}})
      EXPECT_EQ(decode_router_message(encode_router_message(kind, source), neighbor, 255), kind);
}

TEST(ARouterMessage, MayHaveOptionsThatNobodyHereKnows) {
  auto bytes = encode_router_message(RouterMessage::Advertisement, mac);
  bytes.insert(bytes.end(), {200, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(decode_router_message(bytes, neighbor, 255), RouterMessage::Advertisement);
}

TEST(ARouterMessage, ThatCameThroughARouterIsIgnored) {  // RFC 4861 section 6.1.2
  EXPECT_EQ(decode_router_message(encode_router_message(RouterMessage::Advertisement, mac), neighbor, 254),
            std::nullopt);
}

TEST(ARouterMessage, FromAnAddressThatIsNotOfTheLinkIsIgnored) {
  const auto global = net::parse_ip("2001:db8::7")->v6();
  EXPECT_EQ(decode_router_message(encode_router_message(RouterMessage::Advertisement, mac), global, 255), std::nullopt);
  EXPECT_EQ(decode_router_message(encode_router_message(RouterMessage::Advertisement, mac), {}, 255), std::nullopt);
  EXPECT_EQ(decode_router_message(encode_router_message(RouterMessage::Solicitation, std::nullopt), {}, 255),
            RouterMessage::Solicitation)
      << "who asks may have no address yet";
}

TEST(ARouterMessage, ThatIsCutOrMalformedIsIgnored) {
  const auto whole = encode_router_message(RouterMessage::Advertisement, mac);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = decode_router_message(std::span{whole}.first(size), neighbor, 255);
    EXPECT_EQ(read.has_value(), size == 16) << size << ": the option may be missing, not cut";
  }
  auto code = whole;
  code[1] = 1;
  EXPECT_EQ(decode_router_message(code, neighbor, 255), std::nullopt);
  auto empty_option = whole;
  empty_option[17] = 0;
  EXPECT_EQ(decode_router_message(empty_option, neighbor, 255), std::nullopt);
  auto other = whole;
  other[0] = 135;
  EXPECT_EQ(decode_router_message(other, neighbor, 255), std::nullopt);
}

}  // namespace
}  // namespace speaker
