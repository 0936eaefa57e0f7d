// SPDX-License-Identifier: Apache-2.0
#include "bfd/authentication.hpp"

#include "bfd/digest.hpp"
#include "tests/bfd/fixture.hpp"

namespace bfd {
namespace {

constexpr AuthType every_type[] = {AuthType::SimplePassword, AuthType::KeyedMd5, AuthType::MeticulousKeyedMd5,
                                   AuthType::KeyedSha1, AuthType::MeticulousKeyedSha1};
constexpr AuthType digests[] = {AuthType::KeyedMd5, AuthType::MeticulousKeyedMd5, AuthType::KeyedSha1,
                                AuthType::MeticulousKeyedSha1};

AuthKey key(AuthType type, std::string secret = "open sesame", std::uint8_t id = 3) {
  return {type, id, std::move(secret)};
}

std::vector<std::uint8_t> signed_bytes(Authentication& by, const Packet& packet = from_neighbor(State::Up)) {
  std::vector<std::uint8_t> bytes;
  by.encode_signed(packet, bytes);
  return bytes;
}

std::optional<Discard> check(Authentication& by, const std::vector<std::uint8_t>& bytes) {
  const auto packet = decode(bytes);
  return packet ? by.verify(*packet, bytes) : std::optional{packet.error()};
}

TEST(BfdAuthentication, TakesWhatWasSignedWithTheSameKey) {
  for (const auto type : every_type) {
    Authentication sender{key(type), 100};
    Authentication receiver{key(type), 1};
    for (int i = 0; i < 5; ++i) EXPECT_EQ(check(receiver, signed_bytes(sender)), std::nullopt) << print(type);
  }
}

TEST(BfdAuthentication, RefusesAnotherKeyTypeOrId) {
  for (const auto type : every_type) {
    Authentication receiver{key(type), 1};
    for (const auto& other : {key(type, "open sesamE"), key(type, "open sesame", 4), key(type, "open sesame!"),
                              key(type == AuthType::KeyedSha1 ? AuthType::KeyedMd5 : AuthType::KeyedSha1)}) {
      Authentication sender{other, 100};
      EXPECT_EQ(check(receiver, signed_bytes(sender)), Discard::AuthenticationFailed) << print(type);
    }
  }
}

TEST(BfdAuthentication, HoldsForBothSidesOrNone) {
  Authentication open{std::nullopt, 1};
  Authentication closed{key(AuthType::KeyedSha1), 1};
  EXPECT_EQ(check(open, signed_bytes(closed)), Discard::UnexpectedAuthentication);
  EXPECT_EQ(check(closed, signed_bytes(open)), Discard::MissingAuthentication);
  EXPECT_EQ(check(open, signed_bytes(open)), std::nullopt);
}

TEST(BfdAuthentication, NoticesEveryChangedOctet) {
  for (const auto type : digests) {
    Authentication sender{key(type), 100};
    const auto genuine = signed_bytes(sender);
    for (std::size_t at = 0; at < genuine.size(); ++at) {
      auto forged = genuine;
      forged[at] ^= 1U;
      Authentication receiver{key(type), 1};
      EXPECT_NE(check(receiver, forged), std::nullopt) << print(type) << " octet " << at;
    }
  }
}

// The digest of a packet of our own making, computed by hand from the definition in section 6.7.4: SHA1 over the packet
// with the key, filled with zeros, in the digest's place.
TEST(BfdAuthentication, MakesTheDigestOverThePacketWithTheKeyInItsPlace) {
  Authentication sender{key(AuthType::KeyedSha1, "k"), 0x0a0b0c0c};
  const auto bytes = signed_bytes(sender);
  ASSERT_EQ(bytes.size(), 52U);
  auto by_hand = bytes;
  std::fill(by_hand.begin() + 32, by_hand.end(), std::uint8_t{0});
  by_hand[32] = 'k';
  EXPECT_EQ(std::vector<std::uint8_t>(bytes.begin() + 28, bytes.begin() + 32),
            (std::vector<std::uint8_t>{0x0a, 0x0b, 0x0c, 0x0d}));
  const auto digest = sha1(by_hand);
  EXPECT_EQ(std::vector<std::uint8_t>(bytes.begin() + 32, bytes.end()),
            std::vector<std::uint8_t>(digest.begin(), digest.end()));
}

TEST(BfdAuthentication, CountsEveryPacketWhenMeticulous) {
  Authentication meticulous{key(AuthType::MeticulousKeyedMd5), 0xfffffffe};
  std::vector<std::uint32_t> seen;
  for (int i = 0; i < 3; ++i) seen.push_back(decode(signed_bytes(meticulous))->authentication->sequence);
  EXPECT_THAT(seen, ::testing::ElementsAre(0xffffffff, 0, 1));
}

TEST(BfdAuthentication, CountsChangesOtherwise) {
  Authentication keyed{key(AuthType::KeyedMd5), 10};
  const auto sequence = [&](State state) {
    return decode(signed_bytes(keyed, from_neighbor(state)))->authentication->sequence;
  };
  EXPECT_EQ(sequence(State::Up), 11U);
  EXPECT_EQ(sequence(State::Up), 11U);
  EXPECT_EQ(sequence(State::Down), 12U);
}

// RcvAuthSeq (plus one when meticulous) to RcvAuthSeq + 3 * Detect Mult, also around the end of the numbers.
TEST(BfdAuthentication, TakesSequenceNumbersInTheWindowOnly) {
  for (const auto type : digests) {
    const bool meticulous = type == AuthType::MeticulousKeyedMd5 || type == AuthType::MeticulousKeyedSha1;
    for (const std::uint32_t base : {1000U, 0xffffffffU, 0xfffffffcU}) {
      const auto taken = [&](std::uint32_t ahead) {
        Authentication receiver{key(type), 1};
        Authentication first{key(type), base - 1};
        EXPECT_EQ(check(receiver, signed_bytes(first)), std::nullopt);
        Authentication second{key(type), base + ahead - 1};
        return check(receiver, signed_bytes(second)) == std::nullopt;
      };
      EXPECT_EQ(taken(0), !meticulous) << print(type) << base;
      EXPECT_TRUE(taken(1)) << print(type) << base;
      EXPECT_TRUE(taken(9)) << print(type) << base;  // three times the multiplier of three
      EXPECT_FALSE(taken(10)) << print(type) << base;
      EXPECT_FALSE(taken(0xffffffff)) << print(type) << base;
    }
  }
}

TEST(BfdAuthentication, TakesAnySequenceNumberAfterForgetting) {
  Authentication receiver{key(AuthType::MeticulousKeyedSha1), 1};
  Authentication late{key(AuthType::MeticulousKeyedSha1), 5000};
  Authentication early{key(AuthType::MeticulousKeyedSha1), 50};
  EXPECT_EQ(check(receiver, signed_bytes(late)), std::nullopt);
  EXPECT_EQ(check(receiver, signed_bytes(early)), Discard::AuthenticationFailed);
  receiver.forget_sequence();
  EXPECT_EQ(check(receiver, signed_bytes(early)), std::nullopt);
}

TEST(BfdAuthentication, DoesNotMoveTheWindowForAForgery) {
  Authentication receiver{key(AuthType::MeticulousKeyedSha1), 1};
  Authentication genuine{key(AuthType::MeticulousKeyedSha1), 100};
  EXPECT_EQ(check(receiver, signed_bytes(genuine)), std::nullopt);
  Authentication forger{key(AuthType::MeticulousKeyedSha1, "guess"), 105};
  EXPECT_EQ(check(receiver, signed_bytes(forger)), Discard::AuthenticationFailed);
  EXPECT_EQ(check(receiver, signed_bytes(genuine)), std::nullopt);
}

}  // namespace
}  // namespace bfd
