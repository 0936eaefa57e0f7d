// SPDX-License-Identifier: Apache-2.0
// Routers among themselves.
#include <gmock/gmock.h>

#include "tests/bgp/network.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}
net::IpAddress via(std::size_t router) {
  return Network::address(router);
}
const LocalRoute to_everyone{.announcements = {{}}};

// 1 - 2 - 3, and 1 - 4 - 3.
Network square(std::size_t piece = 65536) {
  Network network{piece};
  for (int i = 0; i < 4; ++i) network.add();
  network.connect(1, 2);
  network.connect(2, 3);
  network.connect(1, 4);
  network.connect(4, 3);
  network.configure();
  network.advance(net::Seconds{30});
  return network;
}

TEST(RouterNetwork, UsesBothWaysRoundASquare) {
  auto network = square();
  ASSERT_TRUE(network.all_established());
  network.router(1).set_local(pfx("192.0.2.0/24"), to_everyone);
  network.settle();
  EXPECT_THAT(network.routes(3), ElementsAre(Pair(pfx("192.0.2.0/24"), ElementsAre(via(2), via(4)))));
  EXPECT_THAT(network.routes(2), ElementsAre(Pair(pfx("192.0.2.0/24"), ElementsAre(via(1)))));
  EXPECT_THAT(network.routes(1), IsEmpty());
}

TEST(RouterNetwork, GoesTheOtherWayWhenALinkBreaks) {
  auto network = square();
  network.router(1).set_local(pfx("192.0.2.0/24"), to_everyone);
  network.settle();
  network.cut(1, 2);
  network.settle();
  EXPECT_THAT(network.routes(3), ElementsAre(Pair(pfx("192.0.2.0/24"), ElementsAre(via(4)))));
  EXPECT_THAT(network.routes(2), ElementsAre(Pair(pfx("192.0.2.0/24"), ElementsAre(via(3)))));
  network.mend(1, 2);
  network.advance(net::Seconds{120});
  EXPECT_TRUE(network.all_established());
  EXPECT_THAT(network.routes(2), ElementsAre(Pair(pfx("192.0.2.0/24"), ElementsAre(via(1)))));
}

TEST(RouterNetwork, ForgetsARouteEverywhereWhenItsOriginatorStops) {
  auto network = square();
  network.router(1).set_local(pfx("192.0.2.0/24"), to_everyone);
  network.router(3).set_local(pfx("198.51.100.0/24"), to_everyone);
  network.settle();
  network.router(1).shut_down("maintenance", network.now);
  network.advance(net::Seconds{1});
  EXPECT_THAT(network.routes(2), ElementsAre(Pair(pfx("198.51.100.0/24"), ElementsAre(via(3)))));
  EXPECT_THAT(network.routes(3), IsEmpty());
}

TEST(RouterNetwork, ConvergesWhenBytesArriveOneByOne) {
  auto network = square(1);
  ASSERT_TRUE(network.all_established());
  for (int i = 0; i < 100; ++i) {
    network.router(1).set_local(pfx("10.1." + std::to_string(i) + ".0/24"), to_everyone);
    network.router(3).set_local(pfx("10.3." + std::to_string(i) + ".0/24"), to_everyone);
  }
  network.settle();
  EXPECT_EQ(network.routes(2).size(), 200U);
  EXPECT_EQ(network.routes(4), network.routes(2));
}

TEST(RouterNetwork, KeepsSessionsUpForHoursWithNothingToSay) {
  auto network = square();
  network.router(1).set_local(pfx("192.0.2.0/24"), to_everyone);
  network.advance(std::chrono::hours{6});
  for (std::size_t i = 1; i <= 4; ++i) {
    for (const auto& each : network.router(i).neighbors()) EXPECT_EQ(each.session.established_count, 1U);
  }
}

TEST(RouterNetwork, LeavesOthersUnharmedByOneThatDoesNotRead) {
  auto network = square();
  network.stop_reading(2, 1);
  for (int i = 0; i < 3000; ++i)
    network.router(1).set_local(pfx("10." + std::to_string(i / 250) + '.' + std::to_string(i % 250) + ".0/24"),
                                to_everyone);
  network.settle();
  EXPECT_EQ(network.routes(4).size(), 3000U);
  EXPECT_THAT(network.routes(2).size(), 3000U);  // through 3
  network.read_again(2, 1);
  network.settle();
  for (const auto& [prefix, next_hops] : network.routes(2)) ASSERT_THAT(next_hops, ElementsAre(via(1)));
}

TEST(RouterNetwork, LosesTheSessionOfAPeerThatStopsReadingAndTalking) {
  auto network = square();
  network.router(1).set_local(pfx("192.0.2.0/24"), to_everyone);
  network.settle();
  network.stop_reading(1, 2);
  network.stop_reading(2, 1);
  network.advance(net::Seconds{100});
  EXPECT_THAT(network.routes(2), ElementsAre(Pair(pfx("192.0.2.0/24"), ElementsAre(via(3)))));
}

}  // namespace
}  // namespace bgp
