// SPDX-License-Identifier: Apache-2.0
#include "controller/api/listen_address.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

TEST(ListenAddressText, ReadsBack) {
  for (const auto* text :
       {"127.0.0.1:7472", "[::1]:7472", "0.0.0.0:1", "[2001:db8::1]:65535", "unix:/run/a.sock", "127.0.0.1:0"}) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << text << ": " << address.error();
    EXPECT_EQ(print(*address), text);
  }
}

TEST(ListenAddressText, IsRefusedWhenItIsNone) {
  for (const auto* text : {"", "7472", "localhost:7472", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:7472",
                           "[127.0.0.1]:80", "127.0.0.1:8o", "unix:", ":80"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
  EXPECT_FALSE(parse_listen_address("unix:/" + std::string(200, 'a')));
}

TEST(ListenAddressText, TellsLocalFromExposed) {
  for (const auto* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/a"}) {
    EXPECT_TRUE(is_local(*parse_listen_address(text))) << text;
  }
  for (const auto* text : {"0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"}) {
    EXPECT_FALSE(is_local(*parse_listen_address(text))) << text;
  }
}

}  // namespace
}  // namespace controller
