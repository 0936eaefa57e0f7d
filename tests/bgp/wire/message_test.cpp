// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/notification.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::SizeIs;

Bytes header(std::size_t length, unsigned type) {
  return join({Bytes(16, 0xff), u16(length), {static_cast<std::uint8_t>(type)}});
}

struct HeaderCase {
  std::string name;
  Bytes bytes;
  std::size_t limit;
  std::optional<Notification> error;
};

Notification bad_length(std::size_t length) {
  return header_error(HeaderError::BadLength, u16(length));
}

class AHeader : public testing::TestWithParam<HeaderCase> {};

TEST_P(AHeader, IsAcceptedOrNamesItsError) {
  const auto decoded = decode_header(GetParam().bytes, GetParam().limit);
  if (GetParam().error) {
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error(), *GetParam().error);
  } else {
    ASSERT_TRUE(decoded.has_value()) << describe(decoded.error());
    EXPECT_EQ(decoded->length, std::size_t{GetParam().bytes[16]} << 8 | GetParam().bytes[17]);
    EXPECT_EQ(static_cast<std::uint8_t>(decoded->type), GetParam().bytes[18]);
  }
}

Bytes broken_marker(std::size_t octet) {
  auto bytes = header(19, 4);
  bytes[octet] = 0xfe;
  return bytes;
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4271Section61, AHeader,
    testing::Values(HeaderCase{"Keepalive", header(19, 4), 4096, {}},
                    HeaderCase{"SmallestOpen", header(29, 1), 4096, {}},
                    HeaderCase{"SmallestUpdate", header(23, 2), 4096, {}},
                    HeaderCase{"SmallestNotification", header(21, 3), 4096, {}},
                    HeaderCase{"RouteRefresh", header(23, 5), 4096, {}},
                    HeaderCase{"LongestUpdate", header(4096, 2), 4096, {}},
                    HeaderCase{"LongestExtendedUpdate", header(65535, 2), 65535, {}},
                    HeaderCase{"LongestExtendedNotification", header(65535, 3), 65535, {}},
                    HeaderCase{"MarkerFirstOctet", broken_marker(0), 4096, header_error(HeaderError::NotSynchronized)},
                    HeaderCase{"MarkerLastOctet", broken_marker(15), 4096, header_error(HeaderError::NotSynchronized)},
                    HeaderCase{"LengthZero", header(0, 4), 4096, bad_length(0)},
                    HeaderCase{"LengthBelowHeader", header(18, 4), 4096, bad_length(18)},
                    HeaderCase{"LengthAboveLimit", header(4097, 2), 4096, bad_length(4097)},
                    HeaderCase{"LengthLargest", header(65535, 2), 4096, bad_length(65535)},
                    HeaderCase{"OpenTooShort", header(28, 1), 4096, bad_length(28)},
                    HeaderCase{"OpenNeverExtended", header(4097, 1), 65535, bad_length(4097)},
                    HeaderCase{"UpdateTooShort", header(22, 2), 4096, bad_length(22)},
                    HeaderCase{"NotificationTooShort", header(20, 3), 4096, bad_length(20)},
                    HeaderCase{"KeepaliveWithBody", header(20, 4), 4096, bad_length(20)},
                    HeaderCase{"KeepaliveNeverExtended", header(4097, 4), 65535, bad_length(4097)},
                    HeaderCase{"RefreshTooShort", header(22, 5), 4096, bad_length(22)},
                    HeaderCase{"TypeZero", header(19, 0), 4096, header_error(HeaderError::BadType, {0})},
                    HeaderCase{"TypeSix", header(19, 6), 4096, header_error(HeaderError::BadType, {6})},
                    HeaderCase{"TypeLargest", header(19, 255), 4096, header_error(HeaderError::BadType, {255})},
                    // The length is checked against the limit before the type, and against the type after it.
                    HeaderCase{"LengthAndTypeWrong", header(18, 9), 4096, bad_length(18)}),
    [](const auto& test) { return test.param.name; });

TEST(AKeepalive, IsNothingButAHeader) {
  EXPECT_EQ(encode_keepalive(), header(19, 4));
}

TEST(ARouteRefresh, IsTheSameInBytesAndInFields) {
  const std::vector<std::pair<Bytes, RouteRefresh>> vectors{
      {hex("0001 00 01"), {ipv4_unicast, RefreshKind::Request}},
      {hex("0002 01 01"), {ipv6_unicast, RefreshKind::BeginOfRefresh}},
      {hex("0002 02 01"), {ipv6_unicast, RefreshKind::EndOfRefresh}},
      {hex("0019 00 46"), {{25, 70}, RefreshKind::Request}}};
  for (const auto& [bytes, refresh] : vectors) {
    const auto decoded = decode_route_refresh(bytes);
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(*decoded, refresh);
    EXPECT_EQ(encode(refresh), message(5, bytes));
  }
}

TEST(ARouteRefresh, OfAnUndefinedSubtypeIsToBeIgnored) {
  for (const unsigned subtype : {3U, 65U, 255U}) {
    const auto decoded = decode_route_refresh(join({hex("0001"), {static_cast<std::uint8_t>(subtype)}, hex("01")}));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded->kind, RefreshKind::Unknown);
  }
}

// RFC 7313 section 5: the NOTIFICATION quotes the whole message.
TEST(ARouteRefresh, MarkerOfTheWrongLengthIsQuoted) {
  for (const auto& bytes : {hex("0001 01 01 00"), hex("0001 02 01 8040"), hex("0001 01"), hex("00"), Bytes{}}) {
    const auto decoded = decode_route_refresh(bytes);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error(), (Notification{7, 1, message(5, bytes)}));
  }
}

TEST(ARouteRefresh, RequestWithFiltersIsARequest) {
  const auto decoded = decode_route_refresh(hex("0001 00 01 01 40 0005 80 00000001"));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(*decoded, (RouteRefresh{ipv4_unicast, RefreshKind::Request}));
}

TEST(ANotification, IsTheSameInBytesAndInFields) {
  const std::vector<std::pair<Bytes, Notification>> vectors{{hex("04 00"), {4, 0, {}}},
                                                            {hex("01 02 0013"), {1, 2, {0, 0x13}}},
                                                            {hex("06 02 03 616263"), {6, 2, hex("03 616263")}}};
  for (const auto& [bytes, notification] : vectors) {
    EXPECT_EQ(decode_notification(bytes), notification);
    EXPECT_EQ(encode(notification), message(3, bytes));
  }
}

TEST(ANotification, ThatIsTooShortIsReadAsFarAsItGoes) {
  EXPECT_EQ(decode_notification({}), Notification{});
  EXPECT_EQ(decode_notification(hex("06")), (Notification{6, 0, {}}));
}

TEST(ANotification, NeverOutgrowsAnOrdinaryMessage) {
  const auto bytes = encode(Notification{3, 9, Bytes(60000, 0xaa)});
  EXPECT_THAT(bytes, SizeIs(4096));
  EXPECT_TRUE(decode_header(bytes, max_message_size).has_value());
}

}  // namespace
}  // namespace bgp
