// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/nlri.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;

template <class Prefix>
std::vector<std::string> walked(const Bytes& run) {
  // A copy of the exact size, so that a read past its end is seen by the sanitizer.
  const std::vector<std::uint8_t> exact{run};
  std::vector<std::string> all;
  for_each_prefix<Prefix>(exact, [&](const Prefix& prefix) { all.push_back(net::print(prefix)); });
  return all;
}

TEST(ARunOfPrefixes, IsWalkedInOrder) {
  EXPECT_THAT(walked<net::Ipv4Prefix>(hex("00 18c00002 20c6336401 080a")),
              ElementsAre("0.0.0.0/0", "192.0.2.0/24", "198.51.100.1/32", "10.0.0.0/8"));
  EXPECT_THAT(walked<net::Ipv6Prefix>(hex("2020010db8 00 8020010db8000000000000000000000007 40fd00000000000001")),
              ElementsAre("2001:db8::/32", "::/0", "2001:db8::7/128", "fd00:0:0:1::/64"));
}

TEST(ARunOfPrefixes, LosesBitsBehindThePrefix) {
  EXPECT_THAT(walked<net::Ipv4Prefix>(hex("09 0aff 07 ff")), ElementsAre("10.128.0.0/9", "254.0.0.0/7"));
  EXPECT_THAT(walked<net::Ipv6Prefix>(hex("21 20010db8ff")), ElementsAre("2001:db8:8000::/33"));
}

TEST(ARunOfPrefixes, IsTheSameForEveryLength) {
  for (unsigned length = 0; length <= 32; ++length) {
    const auto prefix = *net::Ipv4Prefix::make({0xffffffff}, length);
    for (const auto* const behind : {"", "00", "20ffffffff"}) {
      Bytes run;
      encode_prefix(prefix, run);
      EXPECT_EQ(run.size(), 1 + prefix_octets(length));
      const auto all = join({run, hex(behind)});
      EXPECT_TRUE(well_formed_run(all, 32));
      EXPECT_EQ(walked<net::Ipv4Prefix>(all).front(), net::print(prefix));
    }
  }
  for (unsigned length = 0; length <= 128; ++length) {
    net::Ipv6Address ones;
    ones.octets.fill(0xff);
    const auto prefix = *net::Ipv6Prefix::make(ones, length);
    Bytes run;
    encode_prefix(prefix, run);
    EXPECT_EQ(walked<net::Ipv6Prefix>(run).front(), net::print(prefix));
    EXPECT_EQ(walked<net::Ipv6Prefix>(join({run, Bytes(17, 0)})).front(), net::print(prefix));
  }
}

TEST(ARunOfPrefixes, IsMalformedWhenALengthIsAboveTheFamilysOrTheEndIsMissing) {
  EXPECT_TRUE(well_formed_run({}, 32));
  EXPECT_FALSE(well_formed_run(hex("21 0a000000 00"), 32));
  EXPECT_FALSE(well_formed_run(hex("ff"), 32));
  EXPECT_FALSE(well_formed_run(hex("20 0a0000"), 32));
  EXPECT_FALSE(well_formed_run(hex("18c00002 18"), 32));
  EXPECT_FALSE(well_formed_run(Bytes(18, 0x81), 128));
  EXPECT_TRUE(well_formed_run(hex("80 20010db8000000000000000000000007"), 128));
}

}  // namespace
}  // namespace bgp
