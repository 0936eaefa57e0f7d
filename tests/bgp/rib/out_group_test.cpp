// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/out_group.hpp"

#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

TEST(RouterOutGroup, SendsItsMembersTheSameBytes) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  EXPECT_EQ(lab.status(second).ipv4_group, lab.status(third).ipv4_group);
  second.record = third.record = true;
  for (std::uint32_t i = 0; i < 200; ++i)
    sender.announce({pfx("10.1." + std::to_string(i) + ".0/24")}, path({65001, 64000 + i % 7}));
  lab.settle();
  EXPECT_EQ(second.heard.size(), 200U);
  EXPECT_EQ(second.recorded, third.recorded);
}

TEST(RouterOutGroup, LetsASlowMemberCatchUpWithoutAQueue) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& fast = lab.add(external(2));
  auto& slow = lab.add(external(3));
  lab.establish();
  // The slow one reads nothing while every prefix changes many times.
  const auto round = [&](std::uint32_t number) {
    for (std::uint32_t i = 0; i < 2000; ++i) {
      const auto prefix = *net::Ipv4Prefix::make({0x0a000000 + (i << 8)}, 24);
      sender.announce({prefix}, path({65001, 64000 + number, 1000000 + i}));
    }
    fast.listen();
    lab.take();
  };
  for (std::uint32_t number = 0; number < 5; ++number) round(number);
  const auto bytes_early = lab.router.table().bytes;
  for (std::uint32_t number = 5; number < 40; ++number) round(number);
  EXPECT_TRUE(lab.status(slow).catching_up);
  EXPECT_FALSE(lab.status(fast).catching_up);
  EXPECT_LT(lab.router.table().bytes, bytes_early + 100000);
  lab.settle();
  EXPECT_EQ(slow.heard, fast.heard);
  EXPECT_FALSE(lab.status(slow).catching_up);
  EXPECT_LT(slow.updates, fast.updates);
}

TEST(RouterOutGroup, CountsWhatEachMemberHas) {
  Lab lab;
  auto& first = lab.add(external(1));
  auto& second = lab.add(external(2));
  auto& third = lab.add(external(3));
  lab.establish();
  first.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24"), pfx("10.0.3.0/24")}, path({65001}));
  second.announce({pfx("10.0.4.0/24")}, path({65002}));
  lab.settle();
  second.announce({pfx("10.0.1.0/24")}, path({65002, 64999}));
  third.announce({pfx("10.0.4.0/24")}, path({65003, 64999}));
  lab.settle();
  for (auto* speaker : {&first, &second, &third})
    EXPECT_EQ(lab.status(*speaker).ipv4.advertised, speaker->heard.size()) << speaker->options().name;
  EXPECT_EQ(lab.status(first).ipv4.best, 3U);
  EXPECT_EQ(lab.status(second).ipv4.best, 1U);
  EXPECT_EQ(lab.status(third).ipv4.received, 1U);
}

}  // namespace
}  // namespace bgp
