// SPDX-License-Identifier: Apache-2.0
#include "speaker/bfd/echo_frames.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace speaker {
namespace {

using Bytes = std::vector<std::uint8_t>;

const Bytes payload{1, 2, 3, 4, 5};

net::IpAddress ip(const char* text) {
  return *net::parse_ip(text);
}

// The sum over what a checksum covers, with it, is all ones: RFC 1071.
std::uint32_t folded(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
  while (sum >> 16 != 0) sum = (sum & 0xffffU) + (sum >> 16);
  return sum;
}

TEST(EchoFrames, GoThereAndBack) {
  for (const auto* self : {"10.0.0.1", "2001:db8::1"}) {
    const auto frame = encode_echo_frame(ip(self), payload);
    const auto decoded = decode_echo_frame(frame);
    ASSERT_TRUE(decoded) << self;
    EXPECT_EQ(decoded->source, ip(self));
    EXPECT_EQ(decoded->destination, ip(self));
    EXPECT_EQ(decoded->ttl, 255);
    EXPECT_EQ(Bytes(decoded->payload.begin(), decoded->payload.end()), payload);
  }
}

TEST(EchoFrames, HaveRightChecksums) {
  const auto ipv4 = encode_echo_frame(ip("192.0.2.7"), payload);
  EXPECT_EQ(folded({ipv4.begin(), ipv4.begin() + 20}), 0xffffU);
  for (const auto* self : {"192.0.2.7", "2001:db8::7"}) {
    const auto frame = encode_echo_frame(ip(self), payload);
    const auto own = ip(self);
    const auto header = own.is_v4() ? 20 : 40;
    const auto address = own.bytes();
    Bytes covered;
    for (int i = 0; i < 2; ++i) covered.insert(covered.end(), address.begin(), address.end());
    covered.insert(covered.end(), {0, 13, 0, 17});
    covered.insert(covered.end(), frame.begin() + header, frame.end());
    EXPECT_EQ(folded(covered), 0xffffU) << self;
  }
}

TEST(EchoFrames, RefuseEveryTruncation) {
  for (const auto* self : {"10.0.0.1", "2001:db8::1"}) {
    const auto frame = encode_echo_frame(ip(self), payload);
    for (std::size_t size = 0; size < frame.size(); ++size)
      EXPECT_FALSE(decode_echo_frame(std::span{frame}.first(size))) << self << " " << size;
  }
}

TEST(EchoFrames, RefuseWhatIsNoEcho) {
  const auto changed = [](const char* self, std::size_t at, std::uint8_t value) {
    auto frame = encode_echo_frame(ip(self), payload);
    frame[at] = value;
    return decode_echo_frame(frame).has_value();
  };
  EXPECT_FALSE(changed("10.0.0.1", 0, 0x55));     // no version
  EXPECT_FALSE(changed("10.0.0.1", 0, 0x41));     // a header that is too short
  EXPECT_FALSE(changed("10.0.0.1", 0, 0x4f));     // one that is longer than the packet
  EXPECT_FALSE(changed("10.0.0.1", 9, 6));        // TCP
  EXPECT_FALSE(changed("10.0.0.1", 6, 0x20));     // a fragment
  EXPECT_FALSE(changed("10.0.0.1", 23, 1));       // another port
  EXPECT_FALSE(changed("10.0.0.1", 25, 7));       // a length below the header's
  EXPECT_FALSE(changed("2001:db8::1", 6, 58));    // ICMPv6
  EXPECT_FALSE(changed("2001:db8::1", 43, 1));    // another port
  EXPECT_FALSE(changed("2001:db8::1", 45, 200));  // longer than the packet
}

}  // namespace
}  // namespace speaker
