// SPDX-License-Identifier: Apache-2.0
// Against the kernel of this machine, in network namespaces of its own.
#include "netlink/fib.hpp"

#include <algorithm>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "netlink/links.hpp"
#include "tests/netlink/netns.hpp"

namespace netlink {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string routes() {
  return output_of("ip -4 route show proto 201; ip -6 route show proto 201");
}
// Objects in a listing: lines that are not indented, as the paths of one route are.
std::size_t lines(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    if (text[at] != '\t') ++count;
  }
  return count;
}
std::string nexthops() {
  return output_of("ip nexthop show proto 201");
}

// Everything the kernel says about routes and nexthop objects, no matter whose doing, but for those that it makes
// itself of addresses (RTPROT_KERNEL): a link-local one may come to be usable at any time.
class Monitor {
 public:
  Monitor() : events_{{Topic::Routes, Topic::Nexthops}, 0} {}
  std::vector<Message> read() {
    std::vector<Message> out;
    const auto take = [&](const RawMessage& raw) {
      const auto route = decode_route(raw);
      if (!route || route->protocol != RTPROT_KERNEL) out.push_back(decode(raw));
    };
    while (events_.read(take) == Received::More) {
    }
    return out;
  }
  std::size_t count() { return read().size(); }

 private:
  EventSocket events_;
};

class FibInKernel : public InNamespace {};

TEST_F(FibInKernel, InstallsBothFamiliesThroughSharedObjects) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  set(fib, "198.51.100.0/24", {via("10.0.1.2"), via("10.0.0.2")});
  set(fib, "203.0.113.0/24", {via("10.0.0.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2"), via("2001:db8:1::2")});
  set(fib, "2001:db8:bbbb::/48", {via("2001:db8:0::2")});
  settle(fib);
  EXPECT_EQ(lines(output_of("ip nexthop show groups")), 2U) << nexthops();
  EXPECT_EQ(lines(nexthops()), 6U) << nexthops();
  EXPECT_EQ(lines(routes()), 5U) << routes();
  EXPECT_THAT(routes(), HasSubstr("metric 20"));
  EXPECT_EQ(fib.status(prefix_of("192.0.2.0/24")).outcome, Outcome::Programmed);
  const auto counters = fib.counters();
  EXPECT_EQ(counters.routes.programmed, 5U);
  EXPECT_EQ(counters.routes.groups, 2U);
  for (const auto* text :
       {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8:aaaa::/48", "2001:db8:bbbb::/48"})
    fib.withdraw(prefix_of(text));
  settle(fib);
  EXPECT_EQ(routes(), "");
  EXPECT_EQ(nexthops(), "");
}

TEST_F(FibInKernel, ReachesIpv4ThroughIpv6AndUnnumberedNeighbours) {
  Fib fib{{}};
  Links links;
  const auto a0 = links.table().find("a0")->index;
  fib.set(prefix_of("192.0.2.0/24"), std::vector<NextHop>{{*net::parse_ip("fe80::2"), a0, 1}});
  fib.set(prefix_of("198.51.100.0/24"), std::vector<NextHop>{{*net::parse_ip("172.31.0.1"), a0, 1}});
  fib.set(prefix_of("203.0.113.0/24"), std::vector<NextHop>{{net::IpAddress{}, a0, 1}});
  settle(fib);
  EXPECT_EQ(lines(routes()), 3U) << routes();
  EXPECT_THAT(nexthops(), HasSubstr("via fe80::2 dev a0"));
  EXPECT_THAT(nexthops(), HasSubstr("onlink"));
  EXPECT_THAT(output_of("ip route get 192.0.2.1"), HasSubstr("via inet6 fe80::2 dev a0"));
  EXPECT_THAT(output_of("ip route get 198.51.100.1"), HasSubstr("via 172.31.0.1 dev a0"));
}

TEST_F(FibInKernel, UsesTablesAboveOneByte) {
  FibOptions options;
  options.owner.table = 100'000;
  options.owner.metric = 77;
  Fib fib{options};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2")});
  settle(fib);
  EXPECT_THAT(output_of("ip route show table 100000"), HasSubstr("192.0.2.0/24"));
  EXPECT_THAT(output_of("ip -6 route show table 100000"), HasSubstr("metric 77"));
  EXPECT_EQ(routes(), "");

  Fib next{options};
  EXPECT_EQ(next.counters().routes.adopted, 2U);
  next.sweep();
  settle(next);
  EXPECT_EQ(output_of("ip route show table 100000; ip -6 route show table 100000"), "");
  EXPECT_EQ(nexthops(), "");
}

TEST_F(FibInKernel, CarriesSixteenBitWeights) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2", 1000), via("10.0.1.2", 1)});
  settle(fib);
  EXPECT_EQ(fib.counters().routes.programmed, 1U);
  Fib reader{{}};  // the reading half: an unchanged set is recognised by its weights
  set(reader, "192.0.2.0/24", {via("10.0.0.2", 1000), via("10.0.1.2", 1)});
  Monitor monitor;
  settle(reader);
  EXPECT_EQ(monitor.count(), 0U);
}

TEST_F(FibInKernel, BuildsResilientGroupsAndDoesNotMixTypes) {
  {
    Fib plain{{}};
    set(plain, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
    settle(plain);
  }
  FibOptions options;
  options.resilience = Resilience{32, 6000, 0};
  Fib fib{options};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  settle(fib);
  fib.sweep();
  settle(fib);
  EXPECT_THAT(nexthops(), HasSubstr("type resilient buckets 32 idle_timer 60"));
  EXPECT_EQ(lines(nexthops()), 3U);
  EXPECT_EQ(fib.counters().routes.errors, 0U);
  Fib again{options};
  set(again, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  Monitor monitor;
  settle(again);
  EXPECT_EQ(monitor.count(), 0U) << "a resilient group is adopted like any other";
}

// ---- restart ----

TEST_F(FibInKernel, AdoptsWithoutAWriteAndSweepsWhenTold) {
  {
    Fib fib{{}};
    set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
    set(fib, "198.51.100.0/24", {via("10.0.0.2")});
    set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2"), via("2001:db8:1::2")});
    set(fib, "203.0.113.0/24", {via("10.0.1.2")});
    settle(fib);
  }
  const auto before = output_of("ip route show proto 201 | grep -v 203.0.113; ip -6 route show proto 201");
  Monitor monitor;
  Fib fib{{}};
  EXPECT_EQ(fib.counters().routes.adopted, 4U);
  settle(fib);
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:1::2"), via("2001:db8:0::2")});
  set(fib, "198.51.100.0/24", {via("10.0.0.2")});
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  settle(fib);
  EXPECT_EQ(monitor.count(), 0U);
  fib.sweep();
  settle(fib);
  std::size_t deleted = 0;
  for (const auto& message : monitor.read()) {
    const auto* route = std::get_if<RouteMessage>(&message);
    if (route == nullptr) continue;
    EXPECT_EQ(net::print(route->prefix), "203.0.113.0/24");
    EXPECT_EQ(route->change, Change::Deleted);
    ++deleted;
  }
  EXPECT_EQ(deleted, 1U);
  EXPECT_EQ(routes(), before);
}

TEST_F(FibInKernel, ChangesAnAdoptedRouteInPlace) {
  {
    Fib fib{{}};
    set(fib, "192.0.2.0/24", {via("10.0.0.2")});
    settle(fib);
  }
  Fib fib{{}};
  Monitor monitor;
  set(fib, "192.0.2.0/24", {via("10.0.1.2")});
  settle(fib);
  for (const auto& message : monitor.read()) {
    if (const auto* route = std::get_if<RouteMessage>(&message)) {
      EXPECT_EQ(route->change, Change::New);
      EXPECT_TRUE(route->replaced);
    }
  }
  fib.sweep();
  settle(fib);
  EXPECT_EQ(lines(nexthops()), 1U) << nexthops();
}

TEST_F(FibInKernel, TakesOverRoutesWithInlineNextHops) {
  ASSERT_EQ(shell("ip route add 192.0.2.0/24 via 10.0.0.2 proto 201 metric 20"), 0);
  ASSERT_EQ(
      shell(
          "ip -6 route add 2001:db8:aaaa::/48 proto 201 metric 20 nexthop via 2001:db8:0::2 nexthop via 2001:db8:1::2"),
      0);
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2"), via("2001:db8:1::2")});
  settle(fib);
  EXPECT_EQ(lines(routes()), 2U) << routes();
  EXPECT_EQ(fib.counters().routes.errors, 0U);
  EXPECT_THAT(routes(), HasSubstr("192.0.2.0/24 nhid"));
  EXPECT_THAT(routes(), HasSubstr("2001:db8:aaaa::/48 nhid"));
}

// ---- others ----

TEST_F(FibInKernel, PutsBackWhatOthersDelete) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2")});
  settle(fib);
  ASSERT_EQ(shell("ip route del 192.0.2.0/24 proto 201"), 0);
  ASSERT_EQ(shell("ip -6 route del 2001:db8:aaaa::/48 proto 201"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.reasserted == 2; }));
  EXPECT_EQ(lines(routes()), 2U);
  ASSERT_EQ(shell("ip nexthop flush proto 201"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.reasserted == 4; })) << routes();
  EXPECT_EQ(lines(routes()), 2U);
  EXPECT_EQ(lines(nexthops()), 4U);
}

TEST_F(FibInKernel, CorrectsWhatOthersReplace) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  settle(fib);
  const auto before = routes();
  ASSERT_EQ(shell("ip route replace 192.0.2.0/24 via 10.0.1.77 proto 201 metric 20"), 0);
  EXPECT_TRUE(eventually(fib, [&] { return routes() == before; })) << routes();
  const auto id = nexthops().substr(3, nexthops().find(' ', 3) - 3);
  ASSERT_EQ(shell("ip nexthop replace id " + id + " via 10.0.1.77 dev a1"), 0);
  EXPECT_TRUE(eventually(fib, [&] { return nexthops().find("via 10.0.0.2 dev a0") != std::string::npos; }))
      << nexthops();
}

TEST_F(FibInKernel, NeverTouchesForeignRoutes) {
  ASSERT_EQ(shell("ip route add 192.0.2.0/24 via 10.0.0.9 proto static metric 20"), 0);
  ASSERT_EQ(shell("ip route add 198.51.100.0/24 via 10.0.0.9 proto static metric 5"), 0);
  ASSERT_EQ(shell("ip -6 route add 2001:db8:aaaa::/48 via 2001:db8:0::9 proto static metric 20"), 0);
  const auto foreign = output_of("ip route show proto static; ip -6 route show proto static");
  Fib fib{{}};
  for (const auto* text : {"192.0.2.0/24", "198.51.100.0/24"}) set(fib, text, {via("10.0.1.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:1::2")});
  settle(fib);
  EXPECT_EQ(fib.status(prefix_of("192.0.2.0/24")).outcome, Outcome::Failed);
  EXPECT_THAT(*fib.status(prefix_of("192.0.2.0/24")).text, HasSubstr("EEXIST"));
  EXPECT_EQ(fib.status(prefix_of("2001:db8:aaaa::/48")).outcome, Outcome::Failed);
  EXPECT_EQ(fib.status(prefix_of("198.51.100.0/24")).outcome, Outcome::Programmed) << "another metric is no obstacle";
  EXPECT_EQ(output_of("ip route show proto static; ip -6 route show proto static"), foreign);

  // Withdrawing must not hit the other's route, and its going makes room for ours at once.
  fib.withdraw(prefix_of("198.51.100.0/24"));
  settle(fib);
  EXPECT_EQ(output_of("ip route show proto static; ip -6 route show proto static"), foreign);
  ASSERT_EQ(shell("ip route del 192.0.2.0/24 proto static"), 0);
  ASSERT_EQ(shell("ip -6 route del 2001:db8:aaaa::/48 proto static"), 0);
  EXPECT_TRUE(eventually(fib, [&] { return lines(routes()) == 2; })) << routes();
  EXPECT_EQ(fib.counters().routes.failed, 0U);
}

TEST_F(FibInKernel, StepsAsideForAForeignReplacement) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  settle(fib);
  ASSERT_EQ(shell("ip route replace 192.0.2.0/24 via 10.0.0.9 proto static metric 20"), 0);
  EXPECT_TRUE(eventually(fib, [&] { return fib.counters().routes.failed == 1; }));
  EXPECT_THAT(output_of("ip route show 192.0.2.0/24"), HasSubstr("proto static"));
  fib.withdraw(prefix_of("192.0.2.0/24"));
  settle(fib);
  EXPECT_THAT(output_of("ip route show 192.0.2.0/24"), HasSubstr("proto static"));
}

TEST_F(FibInKernel, UpdatesItsOwnBesideAForeignTwin) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  settle(fib);
  // "prepend": the other's route stands before ours, where a replacement would hit it.
  ASSERT_EQ(shell("ip route prepend 192.0.2.0/24 via 10.0.0.9 proto static metric 20"), 0);
  settle(fib);
  set(fib, "192.0.2.0/24", {via("10.0.1.2")});
  settle(fib);
  EXPECT_THAT(output_of("ip route show 192.0.2.0/24"), HasSubstr("via 10.0.0.9 dev a0 proto static"));
}

TEST_F(FibInKernel, AvoidsNexthopIdsOfOthers) {
  ASSERT_EQ(shell("ip nexthop add id " + std::to_string(first_nexthop_id) + " via 10.0.0.9 dev a0 proto static"), 0);
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  settle(fib);
  EXPECT_EQ(fib.status(prefix_of("192.0.2.0/24")).outcome, Outcome::Programmed);
  EXPECT_THAT(output_of("ip nexthop"), HasSubstr("via 10.0.0.9 dev a0 scope link proto static"));
  EXPECT_THAT(output_of("ip route get 192.0.2.1"), HasSubstr("via 10.0.0.2"));
}

// ---- lost events ----

TEST_F(FibInKernel, ComparesEverythingAfterAnOverrun) {
  FibOptions options;
  options.event_buffer = 4096;
  Fib fib{options};
  std::vector<NextHop> hops{via("10.0.0.2")};
  for (std::uint32_t i = 0; i < 2000; ++i) fib.set(net::Ipv4Prefix::host({0xc6330000U + i}), hops);
  settle(fib);
  ASSERT_EQ(fib.counters().routes.programmed, 2000U);
  // What `ip route flush` would do, if it could with nexthop objects.
  ASSERT_EQ(shell("ip route show proto 201 | awk '/nhid/ {print \"route del\", $1, \"proto 201\"}' | ip -batch -"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.reasserted == 2000; }));
  EXPECT_GE(fib.counters().overruns, 1U);
  EXPECT_GE(fib.counters().resyncs, 2U);
  EXPECT_EQ(lines(routes()), 2000U);
}

TEST_F(FibInKernel, ComparesEverythingWhenAsked) {
  FibOptions options;
  options.network = Namespace::Owned;
  Fib fib{options};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  settle(fib);
  const auto id = nexthops().substr(3, nexthops().find(' ', 3) - 3);
  ASSERT_EQ(shell("ip nexthop del id " + id), 0);
  fib.audit();
  settle(fib);
  EXPECT_EQ(lines(routes()), 1U);
  EXPECT_EQ(fib.counters().resyncs, 2U);
}

TEST_F(FibInKernel, HearsTwentyThousandEventsWithItsLargeBuffer) {
  EventSocket deaf{{Topic::Routes}, 0, 4096};
  Fib writer{{}};
  EventSocket large{{Topic::Routes}, 0};
  std::vector<NextHop> hops{via("10.0.0.2")};
  for (std::uint32_t i = 0; i < 20'000; ++i) writer.set(net::Ipv4Prefix::host({0xc6330000U + i}), hops);
  settle(writer);
  std::size_t heard = 0;
  Received received;
  const auto count_ours = [&](const RawMessage& raw) {
    const auto route = decode_route(raw);
    if (route && route->protocol == herald_protocol) ++heard;
  };
  while ((received = large.read(count_ours)) == Received::More) {
  }
  EXPECT_EQ(received, Received::Everything);
  EXPECT_EQ(heard, 20'000U);
  EXPECT_EQ(deaf.read([](const RawMessage&) {}), Received::Overrun);
}

TEST_F(FibInKernel, DoesNotHearItself) {
  CommandSocket commands;
  EventSocket quiet{{Topic::Links, Topic::Addresses, Topic::Routes, Topic::Nexthops}, commands.port()};
  Batch batch;
  Links links;
  encode(batch, Verb::Add,
         NexthopSpec{first_nexthop_id, 201, *net::parse_ip("10.0.0.2"), links.table().find("a0")->index, OnLink::No});
  encode(batch, Verb::Add, RouteSpec{.prefix = prefix_of("192.0.2.0/24"), .nexthop_id = first_nexthop_id});
  const auto refusals = commands.run(batch);
  ASSERT_TRUE(refusals);
  ASSERT_THAT(*refusals, IsEmpty());
  std::size_t heard = 0;
  // The kernel itself may still speak of the links and addresses of this namespace.
  const auto count_ours = [&](const RawMessage& raw) {
    const auto route = decode_route(raw);
    if (decode_nexthop(raw) || (route && route->protocol == herald_protocol)) ++heard;
  };
  EXPECT_EQ(quiet.read(count_ours), Received::Everything);
  EXPECT_EQ(heard, 0U);
  ASSERT_EQ(shell("ip route del 192.0.2.0/24"), 0);
  EXPECT_TRUE(eventually([&] {
    (void)quiet.read(count_ours);
    return heard == 1;
  }));
}

// ---- silent deletions ----

TEST_F(FibInKernel, RestoresAGroupWhoseLastMemberWasDeleted) {
  FibOptions options;
  options.network = Namespace::Owned;
  Fib fib{options};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2"), via("2001:db8:1::2")});
  settle(fib);
  Monitor monitor;
  const auto singles = output_of("ip nexthop show proto 201 | grep -v group | cut -d' ' -f2");
  std::istringstream ids{singles};
  for (std::string id; ids >> id;) ASSERT_EQ(shell("ip nexthop del id " + id), 0);
  EXPECT_EQ(routes(), "");
  std::size_t route_messages = 0;
  for (const auto& message : monitor.read()) route_messages += std::holds_alternative<RouteMessage>(message) ? 1 : 0;
  EXPECT_EQ(route_messages, 0U) << "the premise: the kernel keeps these deletions to itself";
  ASSERT_TRUE(eventually(fib, [&] { return lines(routes()) == 2; }));
  EXPECT_EQ(lines(nexthops()), 6U);
}

TEST_F(FibInKernel, FollowsALinkDownAndUp) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  set(fib, "198.51.100.0/24", {via("10.0.0.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2")});
  settle(fib);
  ASSERT_EQ(shell("ip link set a0 down"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.waiting == 2; }));
  EXPECT_THAT(*fib.status(prefix_of("198.51.100.0/24")).text, HasSubstr("down"));
  EXPECT_EQ(fib.status(prefix_of("192.0.2.0/24")).outcome, Outcome::Programmed);
  EXPECT_THAT(output_of("ip route get 192.0.2.1"), HasSubstr("via 10.0.1.2"));
  ASSERT_EQ(shell("ip link set a0 up"), 0);
  ASSERT_EQ(shell("ip -6 addr replace 2001:db8:0::1/64 dev a0 nodad"), 0);  // the kernel has flushed it
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.waiting == 0; }));
  EXPECT_EQ(lines(routes()), 3U);
  EXPECT_EQ(lines(nexthops()), 4U) << nexthops();
  EXPECT_THAT(output_of("ip nexthop show groups"), HasSubstr("/"));
}

TEST_F(FibInKernel, FollowsTheLossOfCarrier) {
  Fib fib{{}};
  set(fib, "198.51.100.0/24", {via("10.0.0.2")});
  set(fib, "2001:db8:aaaa::/48", {via("2001:db8:0::2")});
  settle(fib);
  ASSERT_EQ(shell("ip link set b0 down"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.waiting == 2; }));
  EXPECT_EQ(routes(), "");
  ASSERT_EQ(shell("ip link set b0 up"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return lines(routes()) == 2; }));
}

TEST_F(FibInKernel, SurvivesALinkThatIsDeleted) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2"), via("10.0.1.2")});
  settle(fib);
  ASSERT_EQ(shell("ip link del a0"), 0);
  settle(fib);
  EXPECT_THAT(output_of("ip route get 192.0.2.1"), HasSubstr("via 10.0.1.2"));
  ASSERT_EQ(shell("ip link del a1"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.waiting == 1; }));
  EXPECT_EQ(nexthops(), "");
  EXPECT_THAT(*fib.status(prefix_of("192.0.2.0/24")).text, HasSubstr("no interface is connected to next hop 10.0.0.2"));
}

TEST_F(FibInKernel, FollowsTheLastIpv4AddressOfALink) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.2")});
  Links links;
  fib.set(prefix_of("198.51.100.0/24"),
          std::vector<NextHop>{{*net::parse_ip("fe80::2"), links.table().find("a0")->index, 1}});
  settle(fib);
  ASSERT_EQ(shell("ip addr del 10.0.0.1/24 dev a0"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.counters().routes.waiting == 1; }));
  EXPECT_EQ(fib.status(prefix_of("198.51.100.0/24")).outcome, Outcome::Programmed);
  EXPECT_EQ(lines(routes()), 1U) << "what goes through an object survives: " << routes();
  ASSERT_EQ(shell("ip addr add 10.0.0.1/24 dev a0"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return lines(routes()) == 2; }));
}

// ---- gateways ----

TEST_F(FibInKernel, WaitsForAnInterfaceAndInstallsWhenItComes) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("172.16.5.1")});
  settle(fib);
  EXPECT_EQ(fib.status(prefix_of("192.0.2.0/24")).outcome, Outcome::Waiting);
  ASSERT_EQ(fib.take_reports().size(), 1U);
  ASSERT_EQ(shell("ip addr add 172.16.5.2/24 dev a0"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.status(prefix_of("192.0.2.0/24")).outcome == Outcome::Programmed; }));
  EXPECT_EQ(fib.take_reports().at(0).outcome, Outcome::Programmed);
}

TEST_F(FibInKernel, ReachesAGatewaySeveralHopsAway) {
  ASSERT_EQ(shell("ip route add 172.16.0.0/16 via 10.0.0.7"), 0);
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("172.16.5.1")});
  settle(fib);
  EXPECT_THAT(output_of("ip route get 192.0.2.1"), HasSubstr("via 10.0.0.7 dev a0"));
  ASSERT_EQ(shell("ip route replace 172.16.0.0/16 via 10.0.1.7"), 0);
  EXPECT_TRUE(
      eventually(fib, [&] { return output_of("ip route get 192.0.2.1").find("10.0.1.7") != std::string::npos; }));
  ASSERT_EQ(shell("ip route del 172.16.0.0/16"), 0);
  EXPECT_TRUE(eventually(fib, [&] { return fib.counters().routes.waiting == 1; }));
  EXPECT_EQ(routes(), "");
}

TEST_F(FibInKernel, LeadsNowhereThroughAnAddressOfThisHost) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.1.1"), via("10.0.0.2")});
  set(fib, "198.51.100.0/24", {via("10.0.1.1")});
  settle(fib);
  EXPECT_THAT(output_of("ip route get 192.0.2.1"), HasSubstr("via 10.0.0.2"));
  EXPECT_EQ(*fib.status(prefix_of("198.51.100.0/24")).text, "next hop 10.0.1.1 is an address of this host");
  ASSERT_EQ(shell("ip addr del 10.0.1.1/24 dev a1 && ip addr add 10.0.1.9/24 dev a1"), 0);
  ASSERT_TRUE(eventually(fib, [&] { return fib.status(prefix_of("198.51.100.0/24")).outcome == Outcome::Programmed; }));
}

TEST_F(FibInKernel, IsNotUpsetByARouteThatCoversItsOwnGateway) {
  ASSERT_EQ(shell("ip route add default via 10.0.0.7"), 0);
  Fib fib{{}};
  set(fib, "172.16.0.0/16", {via("172.16.5.1")});
  for (int i = 0; i < 3; ++i) {
    settle(fib);
    const auto deadline = fib.next_deadline();
    if (deadline) std::this_thread::sleep_until(*deadline);
  }
  Monitor monitor;
  settle(fib);
  EXPECT_EQ(monitor.count(), 0U);
  EXPECT_THAT(output_of("ip route get 172.16.9.9"), HasSubstr("via 10.0.0.7"));
}

TEST_F(FibInKernel, AttributesErrorsToTheirRoutes) {
  Fib fib{{}};
  set(fib, "192.0.2.0/24", {via("10.0.0.255")});  // a broadcast address is no gateway
  set(fib, "198.51.100.0/24", {via("10.0.0.2")});
  settle(fib);
  const auto status = fib.status(prefix_of("192.0.2.0/24"));
  EXPECT_EQ(status.outcome, Outcome::Waiting);
  EXPECT_THAT(*status.text, HasSubstr("10.0.0.255: Nexthop has invalid gateway (EINVAL)"));
  EXPECT_EQ(fib.status(prefix_of("198.51.100.0/24")).outcome, Outcome::Programmed);
  EXPECT_TRUE(fib.next_deadline());
}

// ---- many ----

TEST_F(FibInKernel, MovesFiftyThousandRoutesByOneMessage) {
  FibOptions options;
  options.network = Namespace::Owned;
  Fib fib{options};
  ASSERT_EQ(fib.settings().nexthop_compat_mode, 0);
  const std::vector<NextHop> hops{via("10.0.0.2"), via("10.0.0.3"), via("10.0.1.2"), via("10.0.1.3")};
  for (std::uint32_t i = 0; i < 50'000; ++i) fib.set(net::Ipv4Prefix::host({0xc6330000U + i}), hops);
  settle(fib);
  ASSERT_EQ(fib.counters().routes.programmed, 50'000U);
  Monitor monitor;
  const auto before = fib.counters();
  fib.allow(*net::parse_ip("10.0.1.3"), Use::Suspended);
  settle(fib);
  EXPECT_EQ(fib.counters().messages - before.messages, 1U);
  EXPECT_EQ(monitor.count(), 1U);
}

TEST_F(FibInKernel, ProgramsAHundredThousandRoutesOfEachFamilyAndRemovesThem) {
  FibOptions options;
  options.network = Namespace::Owned;
  Fib fib{options};
  const std::vector<NextHop> v4{via("10.0.0.2"), via("10.0.1.2")};
  const std::vector<NextHop> v6{via("2001:db8:0::2"), via("2001:db8:1::2")};
  const auto v6_prefix = [](std::uint32_t i) {
    net::Ipv6Address address;
    address.octets = {0x20,
                      0x01,
                      0x0d,
                      0xb8,
                      0xaa,
                      static_cast<std::uint8_t>(i >> 16),
                      static_cast<std::uint8_t>(i >> 8),
                      static_cast<std::uint8_t>(i)};
    return net::Prefix{*net::Ipv6Prefix::make(address, 64)};
  };
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    fib.set(net::Ipv4Prefix::host({0xc6330000U + i}), v4);
    fib.set(v6_prefix(i), v6);
  }
  settle(fib);
  EXPECT_EQ(fib.counters().routes.programmed, 200'000U);
  EXPECT_EQ(fib.counters().routes.errors, 0U);
  EXPECT_EQ(lines(routes()), 200'000U);
  {
    Monitor monitor;
    Fib next{options};
    EXPECT_EQ(next.counters().routes.adopted, 200'000U);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
      next.set(net::Ipv4Prefix::host({0xc6330000U + i}), v4);
      next.set(v6_prefix(i), v6);
    }
    settle(next);
    EXPECT_EQ(monitor.count(), 0U);
  }
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    fib.withdraw(net::Ipv4Prefix::host({0xc6330000U + i}));
    fib.withdraw(v6_prefix(i));
  }
  settle(fib);
  EXPECT_EQ(routes(), "");
  EXPECT_EQ(nexthops(), "");
}

}  // namespace
}  // namespace netlink
