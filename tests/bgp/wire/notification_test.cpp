// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/notification.hpp"

#include <gtest/gtest.h>

#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

TEST(ANotificationInWords, NamesCodeAndSubcode) {
  EXPECT_EQ(describe({1, 2, {0, 18}}), "Message Header Error/Bad Message Length");
  EXPECT_EQ(describe({2, 2, {}}), "OPEN Message Error/Bad Peer AS");
  EXPECT_EQ(describe({2, 7, {}}), "OPEN Message Error/Unsupported Capability");
  EXPECT_EQ(describe({3, 11, {}}), "UPDATE Message Error/Malformed AS_PATH");
  EXPECT_EQ(describe(hold_timer_expired()), "Hold Timer Expired");
  EXPECT_EQ(describe(state_machine_error(StateMachineError::UnexpectedInOpenConfirm, MessageType::Update)),
            "Finite State Machine Error/Unexpected Message in OpenConfirm");
  EXPECT_EQ(describe(cease(CeaseError::CollisionResolution)), "Cease/Connection Collision Resolution");
  EXPECT_EQ(describe({7, 1, {}}), "ROUTE-REFRESH Message Error/Invalid Message Length");
}

TEST(ANotificationInWords, StaysReadableForNumbersThatNobodyDefined) {
  EXPECT_EQ(describe({0, 0, {}}), "Unknown Error 0/0");
  EXPECT_EQ(describe({9, 3, {}}), "Unknown Error 9/3");
  EXPECT_EQ(describe({255, 255, {}}), "Unknown Error 255/255");
  EXPECT_EQ(describe({6, 77, {}}), "Cease/Unknown Subcode 77");
  EXPECT_EQ(describe({2, 8, {}}), "OPEN Message Error/Unknown Subcode 8");
  EXPECT_EQ(describe({4, 1, {}}), "Hold Timer Expired/Unknown Subcode 1");
}

// Every value of both octets, with data that looks like a text and with data that does not.
TEST(ANotificationInWords, ExistsForEveryNumber) {
  for (unsigned code = 0; code < 256; ++code)
    for (unsigned subcode = 0; subcode < 256; ++subcode)
      for (const auto& data : {Bytes{}, hex("03 616263"), hex("ff 00"), hex("06 09")})
        EXPECT_FALSE(describe({static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(subcode), data}).empty());
}

TEST(ANotificationInWords, CarriesTheShutdownCommunication) {
  EXPECT_EQ(describe(cease(CeaseError::AdministrativeShutdown, "rack 4 maintenance")),
            "Cease/Administrative Shutdown: rack 4 maintenance");
  EXPECT_EQ(describe(cease(CeaseError::AdministrativeReset, "café")), "Cease/Administrative Reset: café");
}

TEST(ANotificationInWords, SaysWhatAHardResetStandsFor) {
  EXPECT_EQ(describe({6, 9, hex("06 02 02 6f6b")}), "Cease/Hard Reset (Cease/Administrative Shutdown: ok)");
  EXPECT_EQ(describe({6, 9, hex("04 00")}), "Cease/Hard Reset (Hold Timer Expired)");
  EXPECT_EQ(describe({6, 9, hex("04")}), "Cease/Hard Reset");
  EXPECT_EQ(describe({6, 9, hex("06 09 06 09 06 09")}), "Cease/Hard Reset (Cease/Hard Reset)");
}

TEST(AShutdownCommunication, IsALengthAndUtf8) {
  EXPECT_EQ(cease(CeaseError::AdministrativeShutdown, "hi").data, hex("02 6869"));
  EXPECT_EQ(cease(CeaseError::AdministrativeShutdown).data, Bytes{});
}

TEST(AShutdownCommunication, GoesWithShutdownAndResetOnly) {
  EXPECT_EQ(cease(CeaseError::PeerDeconfigured, "hi").data, Bytes{});
  EXPECT_EQ(shutdown_communication({6, 3, hex("02 6869")}), std::nullopt);
  EXPECT_EQ(shutdown_communication({2, 2, hex("02 6869")}), std::nullopt);
}

TEST(AShutdownCommunication, IsCutBetweenCharacters) {
  std::string text(254, 'a');
  text += "é";  // octets 255 and 256
  EXPECT_EQ(cease(CeaseError::AdministrativeShutdown, text).data[0], 254);
  EXPECT_EQ(cease(CeaseError::AdministrativeShutdown, std::string(300, 'a')).data.size(), 256U);
}

TEST(AShutdownCommunication, OfUpTo255OctetsIsRead) {
  for (const unsigned length : {1U, 127U, 128U, 129U, 255U}) {
    const auto data = join({{static_cast<std::uint8_t>(length)}, Bytes(length, 'x')});
    EXPECT_EQ(shutdown_communication({6, 2, data}), std::string(length, 'x'));
  }
}

// BIRD CVE-2019-16159: a length that the data does not have.
TEST(AShutdownCommunication, LongerThanItsDataIsUnreadable) {
  for (const auto& data : {hex("05 6162"), hex("ff 61"), hex("81"), hex("01")}) {
    EXPECT_EQ(shutdown_communication({6, 4, data}), std::nullopt);
    EXPECT_EQ(describe({6, 4, data}), "Cease/Administrative Reset (unreadable shutdown communication)");
  }
}

TEST(AShutdownCommunication, BehindWhichMoreFollowsIsReadByItsLength) {
  EXPECT_EQ(shutdown_communication({6, 2, hex("02 6869 ffff")}), "hi");
}

TEST(AShutdownCommunication, ThatIsNotUtf8IsUnreadable) {
  for (const auto& data : {hex("01 80"), hex("01 c3"), hex("02 c0af"), hex("03 e08080"), hex("03 eda080"),
                           hex("04 f4908080"), hex("04 f0808080"), hex("01 ff"), hex("02 c361"), hex("04 f8808080")})
    EXPECT_EQ(shutdown_communication({6, 2, data}), std::nullopt);
}

TEST(AShutdownCommunication, OfEveryLengthOfUtf8IsRead) {
  EXPECT_EQ(shutdown_communication({6, 2, hex("0a 24 c2a3 e282ac f0908d88")}), "$£€𐍈");
}

TEST(AShutdownCommunication, CannotWriteControlCharactersIntoALog) {
  EXPECT_EQ(shutdown_communication({6, 2, hex("07 1b5b 0a 7f c29b 00")}), "?[????");
}

}  // namespace
}  // namespace bgp
