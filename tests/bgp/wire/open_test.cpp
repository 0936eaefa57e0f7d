// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/message.hpp"
#include "bgp/wire/notification.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;

// Version 4, AS 65001, 90 s, 10.0.0.1; what follows starts with the parameters' length.
Bytes open_with(const Bytes& parameters_field) {
  return join({hex("04 fde9 005a 0a000001"), parameters_field});
}
Bytes open_offering(const Bytes& capabilities) {
  const auto size = static_cast<std::uint8_t>(capabilities.size());
  return open_with(join({{static_cast<std::uint8_t>(size + 2), 2, size}, capabilities}));
}

Open plain_open() {
  return {.asn = net::Asn{65001},
          .hold_time = net::Seconds{90},
          .id = *net::parse_router_id("10.0.0.1"),
          .capabilities = {}};
}

TEST(AnOpen, WithoutCapabilitiesIsTheSameInBytesAndInFields) {
  const auto bytes = open_with(hex("00"));
  const auto decoded = decode_open(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, plain_open());
  EXPECT_EQ(encode(*decoded), message(1, bytes));
}

TEST(AnOpen, WithEveryKnownCapabilityIsTheSameInBytesAndInFields) {
  auto open = plain_open();
  open.asn = net::as_trans;
  open.capabilities = {.multiprotocol = {ipv4_unicast, ipv6_unicast},
                       .route_refresh = true,
                       .enhanced_route_refresh = true,
                       .extended_message = true,
                       .four_octet_asn = net::Asn{4200000001},
                       .add_path = {},
                       .extended_next_hop = {},
                       .roles = {},
                       .graceful_restart = {},
                       .long_lived = {},
                       .unknown = {{73, hex("03 616263 00")}}};
  const auto bytes =
      join({hex("04 5ba0 005a 0a000001 21 02 1f"),
            hex("01 04 0001 00 01  01 04 0002 00 01  02 00  06 00  41 04 fa56ea01  46 00  49 05 03 616263 00")});
  EXPECT_EQ(encode(open), message(1, bytes));
  const auto decoded = decode_open(bytes);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, open);
  EXPECT_EQ(decoded->real_asn(), net::Asn{4200000001});
}

TEST(AnOpen, MayHaveOneParameterForEachCapability) {
  const auto decoded = decode_open(open_with(hex("14  02 06 01 04 0001 00 01  02 02 02 00  02 06 41 04 0000fde9")));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(decoded->capabilities.multiprotocol, ElementsAre(ipv4_unicast));
  EXPECT_TRUE(decoded->capabilities.route_refresh);
  EXPECT_EQ(decoded->capabilities.four_octet_asn, net::Asn{65001});
}

TEST(AnOpen, MayHaveAnEmptyCapabilitiesParameter) {
  const auto decoded = decode_open(open_with(hex("02 02 00")));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, plain_open());
}

TEST(AnOpen, CountsTheSameCapabilityOnce) {
  const auto decoded = decode_open(open_offering(
      hex("01 04 0001 00 01  01 04 0001 00 01  02 00  02 00  41 04 0000fde9  41 04 0000fdea  80 00  80 00")));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(decoded->capabilities.multiprotocol, ElementsAre(ipv4_unicast));
  EXPECT_EQ(decoded->capabilities.four_octet_asn, net::Asn{65001});
  EXPECT_THAT(decoded->capabilities.unknown, ElementsAre(RawCapability{128, {}}));
}

TEST(AnOpen, KeepsDifferentInstancesOfAnUnknownCapability) {
  const auto decoded = decode_open(open_offering(hex("c8 01 01  c8 01 02")));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(decoded->capabilities.unknown, ElementsAre(RawCapability{200, {1}}, RawCapability{200, {2}}));
}

TEST(AnOpen, MayPadCapabilitiesThatHaveNoValue) {
  const auto decoded = decode_open(open_offering(hex("02 02 0000  06 01 00  46 01 00")));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->capabilities.route_refresh);
  EXPECT_TRUE(decoded->capabilities.extended_message);
  EXPECT_TRUE(decoded->capabilities.enhanced_route_refresh);
}

TEST(AnOpen, HasAHoldTimeOfZeroOrThreeSecondsAndMore) {
  for (const unsigned seconds : {0U, 3U, 65535U}) {
    const auto bytes = join({hex("04 fde9"), u16(seconds), hex("0a000001 00")});
    const auto decoded = decode_open(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->hold_time, net::Seconds{seconds});
  }
}

TEST(AnOpen, WritesAsTransForAnAsNumberThatNeedsFourOctets) {
  auto open = plain_open();
  open.asn = net::Asn{70000};
  EXPECT_EQ(encode(open), message(1, hex("04 5ba0 005a 0a000001 00")));
}

// RFC 9072 section 2.
TEST(AnOpen, WithLongParametersIsReadWhateverTheOneOctetLengthSays) {
  for (const unsigned length : {1U, 10U, 255U}) {
    const auto decoded =
        decode_open(open_with(join({{static_cast<std::uint8_t>(length)}, hex("ff 0009 02 0006 01 04 0002 00 01")})));
    ASSERT_TRUE(decoded.has_value()) << length;
    EXPECT_THAT(decoded->capabilities.multiprotocol, ElementsAre(ipv6_unicast));
  }
}

TEST(AnOpen, UsesLongParametersOnlyWhereItMust) {
  auto open = plain_open();
  open.capabilities.unknown = {{200, Bytes(251, 0x11)}};  // 253 octets with its header
  const auto ordinary = encode(open);
  EXPECT_EQ(ordinary[28], 255);
  EXPECT_EQ(ordinary[29], 2);
  EXPECT_EQ(*decode_open(std::span{ordinary}.subspan(19)), open);

  open.capabilities.unknown = {{200, Bytes(252, 0x11)}};
  const auto extended = encode(open);
  EXPECT_EQ(Bytes(extended.begin() + 28, extended.begin() + 35), hex("ff ff 0101 02 00fe"));
  EXPECT_EQ(*decode_open(std::span{extended}.subspan(19)), open);

  open.capabilities.unknown = {{200, Bytes(255, 0x22)}, {201, Bytes(255, 0x33)}, {202, Bytes(255, 0x44)}};
  const auto long_one = encode(open);
  EXPECT_TRUE(decode_header(long_one, max_message_size).has_value());
  EXPECT_EQ(*decode_open(std::span{long_one}.subspan(19)), open);
}

struct BadOpen {
  std::string name;
  Bytes bytes;
  Notification error;
};

class ABadOpen : public testing::TestWithParam<BadOpen> {};

TEST_P(ABadOpen, IsAnsweredWithItsError) {
  const auto decoded = decode_open(GetParam().bytes);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error(), GetParam().error);
}

const auto unspecific = open_error(OpenError::Unspecific);

INSTANTIATE_TEST_SUITE_P(
    Rfc4271Section62, ABadOpen,
    testing::Values(
        BadOpen{"Version3", hex("03 fde9 005a 0a000001 00"), open_error(OpenError::UnsupportedVersion, {0, 4})},
        BadOpen{"Version5", hex("05 fde9 005a 0a000001 00"), open_error(OpenError::UnsupportedVersion, {0, 4})},
        BadOpen{"VersionBeforeAllElse", hex("00 0000 0001 00000000 ff"),
                open_error(OpenError::UnsupportedVersion, {0, 4})},
        BadOpen{"AsZero", hex("04 0000 005a 0a000001 00"), open_error(OpenError::BadPeerAs)},
        BadOpen{"AsZeroInFourOctets", open_offering(hex("41 04 00000000")), open_error(OpenError::BadPeerAs)},
        BadOpen{"HoldTime1", hex("04 fde9 0001 0a000001 00"), open_error(OpenError::UnacceptableHoldTime)},
        BadOpen{"HoldTime2", hex("04 fde9 0002 0a000001 00"), open_error(OpenError::UnacceptableHoldTime)},
        BadOpen{"IdentifierZero", hex("04 fde9 005a 00000000 00"), open_error(OpenError::BadIdentifier)},
        BadOpen{"AuthenticationParameter", open_with(hex("03 01 01 00")), open_error(OpenError::UnsupportedParameter)},
        BadOpen{"UnknownParameter", open_with(hex("02 fe 00")), open_error(OpenError::UnsupportedParameter)},
        BadOpen{"Empty", {}, unspecific},
        BadOpen{"ParametersBeyondTheMessage", open_with(hex("04 02 02 02")), unspecific},
        BadOpen{"BytesBehindTheParameters", open_with(hex("04 02 02 02 00 00")), unspecific},
        BadOpen{"ParameterBeyondTheField", open_with(hex("04 02 03 02 00")), unspecific},
        BadOpen{"HalfAParameterHeader", open_with(hex("05 02 02 02 00 02")), unspecific},
        BadOpen{"CapabilityBeyondItsParameter", open_offering(hex("41 05 0000fde9")), unspecific},
        BadOpen{"HalfACapabilityHeader", open_offering(hex("02 00 41")), unspecific},
        BadOpen{"MultiprotocolTooShort", open_offering(hex("01 03 0001 00")), unspecific},
        BadOpen{"MultiprotocolTooLong", open_offering(hex("01 05 0001 00 01 00")), unspecific},
        BadOpen{"FourOctetAsTooShort", open_offering(hex("41 03 00fde9")), unspecific},
        BadOpen{"FourOctetAsTooLong", open_offering(hex("41 05 0000fde900")), unspecific},
        BadOpen{"LongParametersBeyondTheMessage", open_with(hex("ff ff 0005 02 0001 02")), unspecific},
        BadOpen{"BytesBehindLongParameters", open_with(hex("ff ff 0003 02 0000 00")), unspecific},
        BadOpen{"LongParameterBeyondTheField", open_with(hex("ff ff 0003 02 0001")), unspecific},
        BadOpen{"LongLengthCutOff", open_with(hex("ff ff 00")), unspecific}),
    [](const auto& test) { return test.param.name; });

TEST(AnOpen, CutAnywhereFails) {
  const auto whole = open_offering(hex("01 04 0001 00 01  02 00  41 04 0000fde9  46 00  49 03 aabbcc"));
  ASSERT_TRUE(decode_open(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_open(std::span{whole}.first(size)).has_value()) << size;
}

// Generator (a) of lengths: every length octet takes every value.
TEST(AnOpen, SurvivesEveryValueOfEveryOctet) {
  const auto whole = open_offering(hex("01 04 0001 00 01  02 00  41 04 0000fde9  46 00  49 03 aabbcc"));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      auto bytes = whole;
      bytes[at] = static_cast<std::uint8_t>(value);
      const auto decoded = decode_open(bytes);
      if (!decoded) continue;
      const auto again = encode(*decoded);
      EXPECT_EQ(*decode_open(std::span{again}.subspan(19)), *decoded);
    }
  }
}

}  // namespace
}  // namespace bgp
