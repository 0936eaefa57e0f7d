// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/update.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Update decoded(const Bytes& bytes, const UpdateContext& context = external()) {
  static std::vector<Bytes> kept;  // the runs of the answer are views
  kept.push_back(bytes);
  auto update = decode_update(kept.back(), context);
  EXPECT_TRUE(update.has_value()) << describe(update.error());
  return update ? *update : Update{};
}

TEST(AnUpdate, AnnouncesAndWithdrawsIpv4) {
  const auto update = decoded(body(hex("10 0a01 08 0b"), mandatory, hex("18 c00002 20 c6336401 00")));
  EXPECT_THAT(prefixes(update.withdrawn), ElementsAre("10.1.0.0/16", "11.0.0.0/8"));
  EXPECT_THAT(prefixes(update.reachable), ElementsAre("192.0.2.0/24", "198.51.100.1/32", "0.0.0.0/0"));
  EXPECT_EQ(update.next_hop_ipv4.address, *net::parse_ip("10.0.0.2"));
  EXPECT_EQ(update.attributes.as_path, sequence({65001}));
  EXPECT_THAT(update.faults, IsEmpty());
  EXPECT_FALSE(update.treat_as_withdraw);
  EXPECT_FALSE(update.end_of_rib);
}

TEST(AnUpdate, AnnouncesAndWithdrawsIpv6) {
  const auto reach = attribute(0x80, 14, join({reach6, nlri6, hex("80 20010db8000000000000000000000007")}));
  const auto unreach = attribute(0x90, 15, join({unreach6, hex("30 20010db80001")}));
  const auto update = decoded(body({}, join({reach, origin, as_path, unreach}), {}));
  EXPECT_THAT(prefixes(update.reachable), ElementsAre("2001:db8::/32", "2001:db8::7/128"));
  EXPECT_THAT(prefixes(update.withdrawn), ElementsAre("2001:db8:1::/48"));
  EXPECT_EQ(update.next_hop_ipv6.address, *net::parse_ip("2001:db8::1"));
  EXPECT_FALSE(update.next_hop_ipv6.link_local);
  EXPECT_THAT(update.faults, IsEmpty());
}

}  // namespace
}  // namespace bgp
