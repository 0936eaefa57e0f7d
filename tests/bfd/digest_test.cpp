// SPDX-License-Identifier: Apache-2.0
// Against the values that RFC 1321 appendix A.5 and FIPS 180 give, and lengths around the block's end.
#include "bfd/digest.hpp"

#include <string>

#include <gtest/gtest.h>

namespace bfd {
namespace {

template <class Bytes>
std::string hex(const Bytes& bytes) {
  std::string out;
  for (const auto byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::span<const std::uint8_t> octets(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Md5, GivesThePublishedDigests) {
  EXPECT_EQ(hex(md5(octets(""))), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(md5(octets("abc"))), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(md5(octets("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex(md5(octets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"))),
            "d174ab98d277d9f5a5611c2c9f419d9f");
}

TEST(Sha1, GivesThePublishedDigests) {
  EXPECT_EQ(hex(sha1(octets(""))), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(hex(sha1(octets("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1(octets("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
}

TEST(Digests, PadEveryLengthIntoWholeBlocks) {
  EXPECT_EQ(hex(md5(octets(std::string(1000, 'a')))), "cabe45dcc9ae5b66ba86600cca6b8ba8");
  EXPECT_EQ(hex(sha1(octets(std::string(1000, 'a')))), "291e9a6c66994949b57ba5e650361e98fc36b1ba");
  for (std::size_t size = 50; size < 70; ++size)
    EXPECT_NE(md5(octets(std::string(size, 'x'))), md5(octets(std::string(size + 1, 'x'))));
}

}  // namespace
}  // namespace bfd
