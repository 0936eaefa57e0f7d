// SPDX-License-Identifier: Apache-2.0
#include "netlink/fib_thread.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/netlink/netns.hpp"

namespace netlink {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class FibThreadInKernel : public InNamespace {
 protected:
  static std::string routes() { return output_of("ip -4 route show proto 201; ip -6 route show proto 201"); }
};

// Reports as they come, by prefix, until `condition` holds.
bool reports_until(FibThread& fib, std::map<std::string, RouteReport>& seen, const std::function<bool()>& condition) {
  return eventually([&] {
    pollfd ready{fib.report_fd(), POLLIN, 0};
    if (::poll(&ready, 1, 50) == 1) {
      for (auto& report : fib.take_reports()) seen[net::print(report.prefix)] = std::move(report);
    }
    return condition();
  });
}

TEST_F(FibThreadInKernel, WritesWhatIsSubmittedAndKeepsItAtTheEnd) {
  {
    FibThread fib{{}};
    const std::vector<NextHop> hops{via("10.0.0.2"), via("10.0.1.2")};
    std::vector<RouteChange> changes;
    for (std::uint32_t i = 0; i < 5000; ++i) changes.push_back({net::Ipv4Prefix::host({0xc6330000U + i}), hops});
    fib.submit(changes);
    ASSERT_TRUE(fib.settle(10s));
    const auto counters = fib.counters();
    EXPECT_EQ(counters.fib.routes.programmed, 5000U);
    EXPECT_EQ(counters.submitted, 5000U);
    EXPECT_EQ(counters.rounds, 1U);
    EXPECT_GT(counters.round_longest.count(), 0);
    for (auto& change : changes) change.next_hops = {};
    fib.submit(std::span{changes}.first(4999));
    ASSERT_TRUE(fib.settle(10s));
  }
  EXPECT_THAT(routes(), HasSubstr("198.51.19.135 nhid"));
  EXPECT_EQ(output_of("ip route show proto 201 | grep -c nhid"), "1\n");
}

TEST_F(FibThreadInKernel, ReportsProblemsAndTheirEnd) {
  ASSERT_EQ(shell("ip route add 203.0.113.0/24 via 10.0.0.9 proto static metric 20"), 0);
  FibThread fib{{}};
  const std::vector<NextHop> good{via("10.0.0.2")};
  const std::vector<NextHop> bad{via("172.16.0.1")};
  fib.submit(std::vector<RouteChange>{
      {prefix_of("192.0.2.0/24"), good}, {prefix_of("198.51.100.0/24"), bad}, {prefix_of("203.0.113.0/24"), good}});
  std::map<std::string, RouteReport> seen;
  ASSERT_TRUE(reports_until(fib, seen, [&] { return seen.size() == 2; }));
  EXPECT_EQ(seen["198.51.100.0/24"].outcome, Outcome::Waiting);
  EXPECT_THAT(*seen["198.51.100.0/24"].text, HasSubstr("172.16.0.1"));
  EXPECT_EQ(seen["203.0.113.0/24"].outcome, Outcome::Failed);
  ASSERT_EQ(shell("ip addr add 172.16.0.2/24 dev a0 && ip route del 203.0.113.0/24 proto static"), 0);
  ASSERT_TRUE(reports_until(fib, seen, [&] {
    return seen["198.51.100.0/24"].outcome == Outcome::Programmed &&
           seen["203.0.113.0/24"].outcome == Outcome::Programmed;
  }));
}

TEST_F(FibThreadInKernel, AnswersQuestions) {
  FibThread fib{{}};
  const std::vector<NextHop> hops{via("10.0.0.2")};
  fib.submit(std::vector<RouteChange>{{prefix_of("192.0.2.0/24"), hops}});
  ASSERT_TRUE(fib.settle(10s));
  fib.ask(prefix_of("192.0.2.0/24"));
  fib.ask(prefix_of("198.51.100.0/24"));
  std::map<std::string, RouteReport> seen;
  ASSERT_TRUE(reports_until(fib, seen, [&] { return seen.size() == 2; }));
  EXPECT_EQ(seen["192.0.2.0/24"].outcome, Outcome::Programmed);
  EXPECT_EQ(seen["198.51.100.0/24"].outcome, Outcome::Absent);
}

// By a link, by a route of somebody else, by a route of ours: whatever the kernel would take.
TEST_F(FibThreadInKernel, TellsToWhichTrackedGatewaysNothingLeads) {
  FibThread fib{{}};
  std::optional<std::vector<net::IpAddress>> unreachable;
  const auto told = [&](std::vector<const char*> expected) {
    std::vector<net::IpAddress> addresses;
    for (const auto* text : expected) addresses.push_back(*net::parse_ip(text));
    return eventually([&] {
      pollfd ready{fib.report_fd(), POLLIN, 0};
      if (::poll(&ready, 1, 50) == 1) {
        if (auto news = fib.take_unreachable()) unreachable = std::move(news);
        (void)fib.take_reports();
      }
      return unreachable == addresses;
    });
  };
  fib.track({*net::parse_ip("10.0.0.2"), *net::parse_ip("172.16.0.1"), *net::parse_ip("172.17.0.1"),
             *net::parse_ip("2001:db8:99::1")});
  EXPECT_TRUE(told({"172.16.0.1", "172.17.0.1", "2001:db8:99::1"}));
  EXPECT_EQ(fib.counters().fib.unreachable, 3U);
  ASSERT_EQ(shell("ip addr add 172.16.0.1/24 dev a0"), 0);
  EXPECT_TRUE(told({"172.16.0.1", "172.17.0.1", "2001:db8:99::1"})) << "an address of this host leads nowhere";
  ASSERT_EQ(shell("ip addr del 172.16.0.1/24 dev a0 && ip addr add 172.16.0.2/24 dev a0"), 0);
  EXPECT_TRUE(told({"172.17.0.1", "2001:db8:99::1"}));
  const std::vector<NextHop> hops{via("10.0.0.2")};
  fib.submit(std::vector<RouteChange>{{prefix_of("172.17.0.0/24"), hops}});
  EXPECT_TRUE(told({"2001:db8:99::1"}));
  ASSERT_EQ(shell("ip -6 route add 2001:db8:99::/64 dev a0"), 0);
  EXPECT_TRUE(told({}));
  ASSERT_EQ(shell("ip link set a0 down"), 0);
  EXPECT_TRUE(told({"10.0.0.2", "172.16.0.1", "172.17.0.1", "2001:db8:99::1"}));
  fib.track({});
  EXPECT_TRUE(told({}));
}

TEST_F(FibThreadInKernel, SweepsAfterWhatWasSubmittedBefore) {
  const std::vector<NextHop> hops{via("10.0.0.2")};
  {
    FibThread fib{{}};
    fib.submit(std::vector<RouteChange>{{prefix_of("192.0.2.0/24"), hops}, {prefix_of("198.51.100.0/24"), hops}});
    ASSERT_TRUE(fib.settle(10s));
  }
  FibThread fib{{}};
  ASSERT_TRUE(fib.settle(10s));
  EXPECT_EQ(fib.counters().fib.routes.stale, 2U);
  fib.submit(std::vector<RouteChange>{{prefix_of("192.0.2.0/24"), hops}});
  fib.sweep();
  ASSERT_TRUE(fib.settle(10s));
  EXPECT_THAT(routes(), HasSubstr("192.0.2.0/24"));
  EXPECT_THAT(routes(), testing::Not(HasSubstr("198.51.100.0/24")));
  EXPECT_EQ(fib.counters().fib.routes.swept, 1U);
}

TEST_F(FibThreadInKernel, ActsOnEventsByItself) {
  FibThread fib{{}};
  const std::vector<NextHop> hops{via("10.0.0.2"), via("10.0.1.2")};
  fib.submit(std::vector<RouteChange>{{prefix_of("192.0.2.0/24"), hops}});
  ASSERT_TRUE(fib.settle(10s));
  ASSERT_EQ(shell("ip route del 192.0.2.0/24 proto 201"), 0);
  EXPECT_TRUE(eventually([&] { return fib.counters().fib.routes.reasserted == 1; }));
  fib.allow(*net::parse_ip("10.0.0.2"), Use::Suspended);
  EXPECT_TRUE(eventually([&] { return output_of("ip route get 192.0.2.1").find("10.0.1.2") != std::string::npos; }));
  ASSERT_EQ(shell("ip link set a0 down && ip link set a1 down"), 0);
  EXPECT_TRUE(eventually([&] { return fib.counters().fib.routes.waiting == 1; }));
  ASSERT_EQ(shell("ip link set a0 up && ip link set a1 up"), 0);
  EXPECT_TRUE(eventually([&] { return routes().find("192.0.2.0/24") != std::string::npos; }));
}

TEST_F(FibThreadInKernel, WritesALotOfFlappingOnlyOnce) {
  FibThread fib{{}};
  const std::vector<NextHop> one{via("10.0.0.2")};
  const std::vector<NextHop> two{via("10.0.1.2")};
  std::vector<RouteChange> changes;
  for (int round = 0; round < 50'000; ++round)
    changes.push_back({prefix_of("192.0.2.0/24"), round % 3 == 0   ? std::span<const NextHop>{}
                                                  : round % 3 == 1 ? one
                                                                   : two});
  fib.submit(changes);
  ASSERT_TRUE(fib.settle(10s));
  EXPECT_LE(fib.counters().fib.messages, 4U);
}

}  // namespace
}  // namespace netlink
