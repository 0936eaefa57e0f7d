// SPDX-License-Identifier: Apache-2.0
// UPDATE messages made by machine out of one good one: lengths that lie, attributes in every order and
// twice, every flag, messages of the largest size, and good ones again after bad ones. What a test of
// single cases asserts by name is here held for all: an outcome and no crash, prefixes that stay inside of
// the message, and the same answer every time.
#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

// All attributes that an internal peer may send, in ascending order.
const std::vector<Bytes> all_attributes{origin,
                                        hex("40 02 10 0202 0000fde9 0000fdea 0101 0000fdeb"),
                                        next_hop,
                                        hex("80 04 04 00000005"),
                                        hex("40 05 04 000000c8"),
                                        hex("40 06 00"),
                                        hex("c0 07 08 0000fde9 0a000001"),
                                        hex("c0 08 08 fde90064 ffffff01"),
                                        hex("80 09 04 0a000063"),
                                        hex("80 0a 08 0a000061 0a000062"),
                                        attribute(0x80, 14, join({reach6, nlri6})),
                                        attribute(0x80, 15, join({unreach6, hex("30 20010db80001")})),
                                        hex("c0 10 08 0002fde900000064"),
                                        hex("c0 17 0c 0008 0008 0401aa 800002bbcc"),
                                        hex("80 1a 10 01 000b 000000000000012c 07 0005 beef"),
                                        hex("c0 20 0c 0000fde9 00000001 00000002"),
                                        hex("c0 28 0a 01 0007 00 0000 00000001"),
                                        hex("c0 fe 03 010203")};

Bytes everything() {
  Bytes attributes;
  for (const auto& one : all_attributes) attributes.insert(attributes.end(), one.begin(), one.end());
  return body(hex("10 0a01 08 0b"), attributes, hex("18 c00002 20 c6336401 00"));
}

// Decodes out of a buffer of the exact size, so that the sanitizer sees a read behind its end, and walks
// all prefixes.
void expect_an_outcome(const Bytes& bytes) {
  const Bytes exact{bytes};
  for (const auto peer : {PeerType::External, PeerType::Internal}) {
    for (const auto width : {AsnWidth::TwoOctets, AsnWidth::FourOctets}) {
      const UpdateContext context{.peer = peer, .asn_width = width, .peer_asn = net::Asn{65001}, .aigp = true};
      const auto update = decode_update(exact, context);
      if (!update) {
        EXPECT_EQ(update.error().code, 3);
        continue;
      }
      const auto withdraw = [](const AttributeFault& fault) { return fault.action == FaultAction::TreatAsWithdraw; };
      EXPECT_EQ(update->treat_as_withdraw, std::any_of(update->faults.begin(), update->faults.end(), withdraw));
      EXPECT_TRUE(!update->end_of_rib || (update->reachable.empty() && update->withdrawn.empty()));
      EXPECT_LE(prefixes(update->reachable).size() + prefixes(update->withdrawn).size(), exact.size());
    }
  }
}

TEST(AGeneratedUpdate, OfAllAttributesIsClean) {
  const auto bytes = everything();
  const auto update = decode_update(bytes, internal());
  ASSERT_TRUE(update.has_value());
  EXPECT_TRUE(update->faults.empty());
}

TEST(AGeneratedUpdate, MayBeCutAnywhere) {
  const auto whole = everything();
  for (std::size_t size = 0; size <= whole.size(); ++size)
    expect_an_outcome(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
}

// Cut and with its lengths made right again: what is missing is an attribute's end, or prefixes.
TEST(AGeneratedUpdate, MayHaveItsAttributesCutAnywhere) {
  Bytes attributes;
  for (const auto& one : all_attributes) attributes.insert(attributes.end(), one.begin(), one.end());
  for (std::size_t size = 0; size < attributes.size(); ++size) {
    const Bytes front(attributes.begin(), attributes.begin() + static_cast<std::ptrdiff_t>(size));
    expect_an_outcome(body({}, front, nlri4));
    expect_an_outcome(body({}, front, {}));
  }
}

TEST(AGeneratedUpdate, MayHaveAnyValueInAnyOctet) {
  const auto whole = everything();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto bytes = whole;
    for (const unsigned value :
         {0U, 1U, 2U, 3U, 4U, 5U, 7U, 8U, 15U, 16U, 17U, 31U, 32U, 33U, 64U, 127U, 128U, 129U, 254U, 255U}) {
      bytes[at] = static_cast<std::uint8_t>(value);
      expect_an_outcome(bytes);
    }
  }
}

// (a) Each attribute with each interesting length, once with a value of that length and once without.
TEST(AGeneratedUpdate, MayLieAboutTheLengthOfAnyAttribute) {
  for (const auto& one : all_attributes) {
    const std::size_t size = one.size() - 3;
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{1}, size - 1, size, size + 1, std::size_t{2}, std::size_t{3}, std::size_t{4},
          std::size_t{254}, std::size_t{255}, std::size_t{0xffff}}) {
      const Bytes header{static_cast<std::uint8_t>(one[0] | flag_extended_length), one[1]};
      const Bytes value(one.begin() + 3, one.end());
      expect_an_outcome(body({}, join({mandatory, header, u16(length), value}), nlri4));
      auto resized = value;
      resized.resize(std::min<std::size_t>(length, 60000), 1);
      expect_an_outcome(body({}, join({mandatory, header, u16(length), resized}), nlri4));
      expect_an_outcome(body({}, join({header, u16(length), resized}), {}));
    }
  }
}

TEST(AGeneratedUpdate, MayLieAboutItsTwoSections) {
  const auto whole = everything();
  const std::size_t withdrawn = std::size_t{whole[0]} << 8 | whole[1];
  for (const std::size_t length : {0U, 1U, 4U, 5U, 6U, 255U, 256U, 0x7fffU, 0xffffU}) {
    for (const std::size_t at : {std::size_t{0}, 2 + withdrawn}) {
      auto bytes = whole;
      bytes[at] = static_cast<std::uint8_t>(length >> 8);
      bytes[at + 1] = static_cast<std::uint8_t>(length);
      expect_an_outcome(bytes);
    }
  }
}

// (b) Order does not matter, whatever it is.
TEST(AGeneratedUpdate, SaysTheSameInEveryOrder) {
  std::vector<std::size_t> order(all_attributes.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto straight = everything();
  const auto expected = decode_update(straight, internal());
  std::uint32_t state = 12345;
  for (int round = 0; round < 500; ++round) {
    for (std::size_t i = order.size() - 1; i > 0; --i) {
      state = state * 1664525U + 1013904223U;
      std::swap(order[i], order[(state >> 16) % (i + 1)]);
    }
    Bytes attributes;
    for (const auto i : order) attributes.insert(attributes.end(), all_attributes[i].begin(), all_attributes[i].end());
    const auto bytes = body({}, attributes, nlri4);
    const auto update = decode_update(bytes, internal());
    ASSERT_TRUE(update.has_value());
    EXPECT_TRUE(update->faults.empty());
    EXPECT_EQ(update->attributes, expected->attributes);
    EXPECT_EQ(update->next_hop_ipv6, expected->next_hop_ipv6);
  }
}

TEST(AGeneratedUpdate, CountsTheFirstOfTwo) {
  const auto straight = everything();
  const auto expected = decode_update(straight, internal());
  for (const auto& one : all_attributes) {
    Bytes attributes;
    for (const auto& other : all_attributes) attributes.insert(attributes.end(), other.begin(), other.end());
    auto again = one;
    if (again.size() > 3) again.back() ^= 1;
    const auto bytes = body({}, join({attributes, again}), nlri4);
    const auto update = decode_update(bytes, internal());
    if (one[1] == 14 || one[1] == 15) {
      EXPECT_FALSE(update.has_value());
      continue;
    }
    ASSERT_TRUE(update.has_value());
    EXPECT_EQ(update->attributes, expected->attributes);
    ASSERT_EQ(update->faults.size(), 1U);
    EXPECT_EQ(update->faults[0].type, one[1]);
  }
}

// (c) Every flags octet on every attribute; the low three bits never matter.
TEST(AGeneratedUpdate, MayHaveAnyFlags) {
  for (std::size_t changed = 0; changed < all_attributes.size(); ++changed) {
    for (unsigned flags = 0; flags < 256; ++flags) {
      const auto with_flags = [&](unsigned octet) {
        Bytes attributes;
        for (std::size_t i = 0; i < all_attributes.size(); ++i) {
          const auto& one = all_attributes[i];
          const Bytes value(one.begin() + 3, one.end());
          const auto encoded = i == changed ? attribute(octet, one[1], value) : one;
          attributes.insert(attributes.end(), encoded.begin(), encoded.end());
        }
        return body({}, attributes, nlri4);
      };
      const auto bytes = with_flags(flags);
      expect_an_outcome(bytes);
      const auto plain = with_flags(flags & 0xf0U);
      const auto update = decode_update(bytes, internal());
      const auto without = decode_update(plain, internal());
      ASSERT_EQ(update.has_value(), without.has_value());
      if (update) {
        EXPECT_EQ(update->attributes, without->attributes);
      }
    }
  }
}

// (d) 65,535 octets: attributes alone, prefixes alone, a path of as many numbers as fit.
TEST(AGeneratedUpdate, MayBeOfTheLargestSize) {
  const std::size_t room = max_extended_message_size - header_size - 4;
  Bytes communities;
  while (communities.size() + 4 <= room - mandatory.size() - 4)
    communities.insert(communities.end(), {0xfd, 0xe9, 0, 1});
  const auto big = body({}, join({mandatory, attribute(0xd0, 8, communities)}), {});
  EXPECT_EQ(decode_update(big, external())->attributes.communities.size(), communities.size() / 4);

  const auto zeros = body({}, {}, Bytes(room, 0));
  EXPECT_EQ(prefixes(decode_update(zeros, external())->reachable).size(), room);
  const auto withdrawn = body(Bytes(room, 0), {}, {});
  EXPECT_EQ(prefixes(decode_update(withdrawn, external())->withdrawn).size(), room);

  Bytes path;
  while (path.size() + 2 + 255 * 4 <= room - 100) {
    path.insert(path.end(), {2, 255});
    for (int i = 0; i < 255; ++i) path.insert(path.end(), {0, 0, 0xfd, 0xe9});
  }
  const auto long_path = body({}, join({origin, next_hop, attribute(0x50, 2, path)}), nlri4);
  EXPECT_GT(decode_update(long_path, external())->attributes.as_path.length(), 16000U);

  Bytes tiny;
  for (unsigned type = 41; type < 256; ++type) tiny.insert(tiny.end(), {0xc0, static_cast<std::uint8_t>(type), 0});
  while (tiny.size() + 3 <= room - mandatory.size() - 4) tiny.insert(tiny.end(), {0xc0, 200, 0});
  const auto repeated = body({}, join({mandatory, tiny}), nlri4);
  const auto update = decode_update(repeated, external());
  ASSERT_TRUE(update.has_value());
  EXPECT_EQ(update->attributes.unknown.size(), 215U);
}

// (e) A decoder has no memory: after a bad message a good one reads as it did before.
TEST(AGeneratedUpdate, ReadsTheSameAfterABadOne) {
  const auto good = everything();
  const auto first = decode_update(good, internal());
  for (const auto& bad : {body({}, hex("40 01 20 00"), {}), body({}, mandatory, hex("21")),
                          body({}, join({mandatory, hex("d0 08 ffff")}), nlri4)}) {
    (void)decode_update(bad, internal());
    const auto again = decode_update(good, internal());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->attributes, first->attributes);
    EXPECT_TRUE(again->faults.empty());
  }
}

}  // namespace
}  // namespace bgp
