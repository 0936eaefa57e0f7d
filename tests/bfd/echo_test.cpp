// SPDX-License-Identifier: Apache-2.0
#include "bfd/echo.hpp"

#include <gtest/gtest.h>

namespace bfd {
namespace {

TEST(BfdEcho, KnowsItsOwnAndNobodyElses) {
  const Echo echo{0x12345678, 42};
  const auto bytes = encode(echo, 99);
  EXPECT_EQ(bytes.size(), 16U);
  EXPECT_EQ(decode_echo(bytes, 99), echo);
  EXPECT_EQ(decode_echo(bytes, 98), std::nullopt);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decode_echo(std::span{bytes}.first(size), 99), std::nullopt);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto forged = bytes;
    forged[at] ^= 0x10U;
    EXPECT_EQ(decode_echo(forged, 99), std::nullopt) << at;
  }
}

}  // namespace
}  // namespace bfd
