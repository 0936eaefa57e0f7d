// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/out_group.hpp"

#include <algorithm>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bgp/allocated.hpp"
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

// What a neighbour that stopped reading may cost: the messages that it may be behind, and two bits a prefix.
class NeighborThatStopsReading : public testing::Test {
 protected:
  static constexpr std::uint32_t prefixes = 2000;
  static constexpr std::size_t backlog = 256 << 10;

  NeighborThatStopsReading() {
    auto config = lab_.router.config();
    config.backlog_limit = backlog;
    lab_.router.configure(config, lab_.neighbors, start_time);
    lab_.establish();
  }

  // Every prefix changes, with attributes that have not been there before.
  void round(std::uint32_t number) {
    for (std::uint32_t i = 0; i < prefixes; ++i) {
      auto attributes = path({65001, 64000 + number, 1000000 + i});
      attributes.communities.assign(20, Community{number << 16 | i});
      sender_.announce({*net::Ipv4Prefix::make({0x0a000000 + (i << 8)}, 24)}, attributes);
      if (i % 100 == 0) listen();
    }
    listen();
    lab_.router.drain_route_changes(prefixes, [](const net::Prefix&, std::span<const RouteHop>) {});
  }
  void listen() {
    // The sender is told none of its own routes, and yet has to take what is made for all.
    if (others_read_) fast_.listen();
    if (others_read_) sender_.listen();
    while (lab_.router.work()) {
    }
    lab_.take();
    lab_.actions.clear();
  }

  Lab lab_;
  Speaker& sender_ = lab_.add(external(1));
  Speaker& fast_ = lab_.add(external(2));
  Speaker& slow_ = lab_.add(external(3));
  bool others_read_ = true;
};

TEST_F(NeighborThatStopsReading, CostsNoMoreThanItMayBeBehind) {
  round(0);
  const auto sent_a_round = fast_.updates;
  std::vector<std::size_t> held;
  std::vector<std::size_t> tables;
  for (std::uint32_t number = 1; number <= 30; ++number) {
    round(number);
    held.push_back(allocated());
    tables.push_back(lab_.router.table().bytes);
  }
  EXPECT_GT(fast_.updates, 25 * sent_a_round);  // some megabytes that the slow one has not read
  EXPECT_TRUE(lab_.status(slow_).catching_up);
  EXPECT_FALSE(lab_.status(fast_).catching_up);
  // Tables and pools round up to pages, so that the first rounds may still grow.
  const auto begin = std::next(held.begin(), 5);
  EXPECT_LT(*std::max_element(begin, held.end()), *begin + backlog) << testing::PrintToString(held);
  EXPECT_LE(tables.back(), tables[5] + 65536) << testing::PrintToString(tables);

  // The same with the messages that it is behind: while it reads them again nothing comes on top.
  const auto before = slow_.updates;
  lab_.settle();
  EXPECT_EQ(slow_.heard, fast_.heard);
  EXPECT_LT(slow_.updates - before, 3 * sent_a_round);
  EXPECT_FALSE(lab_.status(slow_).catching_up);
}

TEST_F(NeighborThatStopsReading, GivesItsMemoryBackWithItsSession) {
  for (std::uint32_t number = 0; number < 10; ++number) round(number);
  const auto with = allocated();
  slow_.hang_up();
  listen();
  const auto freed = with - allocated();
  EXPECT_GT(freed, backlog / 2);
  EXPECT_LT(freed, backlog + backlog / 2);
}

TEST_F(NeighborThatStopsReading, CostsNoMoreWhenNobodyReads) {
  others_read_ = false;
  std::vector<std::size_t> held;
  for (std::uint32_t number = 0; number < 20; ++number) {
    round(number);
    held.push_back(allocated());
  }
  EXPECT_LT(held.back(), held[3] + backlog) << testing::PrintToString(held);
  lab_.settle();
  EXPECT_EQ(slow_.heard, fast_.heard);
  EXPECT_EQ(slow_.heard.size(), prefixes);
  // Each prefix once: only its latest state is there to be sent.
  EXPECT_LE(slow_.updates, prefixes + 2);
}

// It may ask for everything as often as it likes.
TEST_F(NeighborThatStopsReading, MayAskForEverythingAgainAndAgain) {
  round(0);
  lab_.settle();
  const auto before = allocated();
  const auto heard = slow_.updates;
  const auto request = encode(RouteRefresh{ipv4_unicast, RefreshKind::Request});
  for (int i = 0; i < 2000; ++i) slow_.say(request);
  while (lab_.router.work()) {
  }
  EXPECT_LT(allocated(), before + backlog);
  lab_.settle();
  EXPECT_EQ(slow_.heard, fast_.heard);
  // Said once, or once more where it was being said already.
  EXPECT_GE(slow_.updates, heard + prefixes);
  EXPECT_LE(slow_.updates, heard + 2 * prefixes);
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
