// SPDX-License-Identifier: Apache-2.0
// What options of a neighbour make of routes on their way in and out: next hops, AS numbers, limits.
#include "bgp/wire/notification.hpp"
#include "bgp/wire/text.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const auto route = pfx("203.0.113.0/24");
const auto route6 = pfx("2001:db8:1::/48");

struct Pair : Lab {
  Speaker& sender = add(external(1));
  Speaker& receiver = add(external(2));
  ExportOptions& out() { return config(receiver).out; }
  std::string told_path(std::vector<std::uint32_t> asns) {
    establish();
    sender.announce({route}, path(std::move(asns)));
    settle();
    return print(receiver.heard[route].as_path);
  }
};

TEST(RouterExportOptions, KeepsTheNextHopTowardsExternalPeers) {
  Pair lab;
  lab.out().next_hop = NextHopMode::Keep;
  lab.establish();
  lab.sender.announce({route, route6}, path({65001}));
  lab.settle();
  EXPECT_EQ(lab.receiver.heard[route].next_hop.address, lab.sender.options().address);
  EXPECT_EQ(lab.receiver.heard[route6].next_hop.address, lab.sender.next_hop(net::Family::Ipv6));
}

TEST(RouterExportOptions, KeepAndSetIpv6NextHopsOfIpv4RoutesWhereTheyWereAgreedOn) {
  for (const bool agreed : {true, false}) {
    Lab lab;
    auto options = external(1);
    options.ipv6_next_hops = true;
    auto& sender = lab.add(options);
    const auto receiver = [&](unsigned number) -> Speaker& {
      auto with = external(number);
      with.ipv6_next_hops = agreed;
      return lab.add(with);
    };
    auto& keeps = receiver(2);
    auto& filtered = receiver(3);
    lab.config(keeps).out.next_hop = NextHopMode::Keep;
    auto set = rule("set", RuleAction::Accept);
    set.set.next_hop = NextHopChange::Address;
    set.set.next_hop_address = *net::parse_ip("2001:db8::9");
    lab.config(filtered).export_filter = FilterChain{{"f", {set}}};
    lab.establish();
    auto attributes = path({65001});
    attributes.next_hop.address = sender.next_hop(net::Family::Ipv6);
    sender.announce({route}, attributes);
    lab.settle();
    const net::IpAddress self = Speaker::router_address;
    EXPECT_EQ(keeps.heard[route].next_hop.address, agreed ? attributes.next_hop.address : self);
    EXPECT_EQ(filtered.heard[route].next_hop.address, agreed ? set.set.next_hop_address : self);
  }
}

TEST(RouterExportOptions, AnnouncesAGivenAddressAsNextHop) {
  Pair lab;
  auto& inside = lab.add(internal(3));
  lab.out().next_hop_ipv4 = net::Ipv4Address{0xc0000201};
  lab.config(inside).out = {.next_hop = NextHopMode::Self, .next_hop_ipv4 = net::Ipv4Address{0xc0000202}};
  lab.establish();
  lab.sender.announce({route, route6}, path({65001}));
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[route].next_hop.address), "192.0.2.1");
  EXPECT_EQ(lab.receiver.heard[route6].next_hop.address, net::IpAddress{Speaker::router_address_ipv6});
  EXPECT_EQ(print(inside.heard[route].next_hop.address), "192.0.2.2");
}

TEST(RouterExportOptions, OverridesTheNeighboursAs) {
  Pair lab;
  lab.out().as_override = true;
  EXPECT_EQ(lab.told_path({65001, 65002, 65003, 65002}), "65000 65001 65000 65003 65000");
}

TEST(RouterExportOptions, RemovesPrivateNumbersButTheNeighbours) {
  Pair lab;
  lab.out().private_as = PrivateAs::Removed;
  EXPECT_EQ(lab.told_path({65001, 100, 4200000000, 65002, 200}), "65000 100 65002 200");
}

TEST(RouterExportOptions, ReplacesPrivateNumbers) {
  Pair lab;
  lab.out().private_as = PrivateAs::Replaced;
  EXPECT_EQ(lab.told_path({65001, 100, 4200000000, 65002, 200}), "65000 65000 100 65000 65002 200");
}

TEST(RouterExportOptions, ChangesApplyWithoutAReset) {
  Pair lab;
  EXPECT_EQ(lab.told_path({65001, 65002}), "65000 65001 65002");
  lab.out().as_override = true;
  EXPECT_EQ(lab.router.plan(lab.router.config(), lab.neighbors).at(0).kind, PlannedChange::Kind::Live);
  lab.configure();
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[route].as_path), "65000 65001 65000");
  EXPECT_EQ(lab.status(lab.receiver).session.established_count, 1U);
}

// ---- own AS numbers -----------------------------------------------------------------------------------

TEST(RouterOwnAs, IsAllowedAsOftenAsConfigured) {
  Pair lab;
  lab.config(lab.sender).allowed_own_as = 1;
  lab.establish();
  lab.sender.announce({route}, path({65001, 65000}));
  lab.sender.announce({pfx("198.51.100.0/24")}, path({65001, 65000, 65000}));
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, ElementsAre(::testing::Key(route)));
  lab.config(lab.sender).allowed_own_as = 2;
  lab.configure();
  lab.settle();
  EXPECT_EQ(lab.sender.requests, 2U);  // one of each family
  EXPECT_TRUE(lab.sender.up());
}

// Towards the receiver the router is AS 64999.
struct LocalAs : Lab {
  Speaker& sender = add(external(1));
  Speaker& receiver = add([] {
    auto options = external(2);
    options.router_asn = net::Asn{64999};
    return options;
  }());
};

TEST(RouterLocalAs, StandsAloneInAnnouncedPaths) {
  LocalAs lab;
  lab.establish();
  lab.sender.announce({route}, path({65001}));
  lab.router.set_local(pfx("192.0.2.0/24"), LocalRoute{.announcements = {{.prepend = 1}}});
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[route].as_path), "64999 65001");
  EXPECT_EQ(print(lab.receiver.heard[pfx("192.0.2.0/24")].as_path), "64999 64999");
}

TEST(RouterLocalAs, StandsBeforeTheRoutersOwnWhereThatIsWanted) {
  LocalAs lab;
  lab.config(lab.receiver).out.prepend_own_as = true;
  lab.establish();
  lab.sender.announce({route}, path({65001}));
  lab.settle();
  EXPECT_EQ(print(lab.receiver.heard[route].as_path), "64999 65000 65001");
}

TEST(RouterLocalAs, IsPutIntoReceivedPathsWhereThatIsWanted) {
  LocalAs lab;
  lab.config(lab.receiver).prepend_local_as = true;
  lab.establish();
  lab.receiver.announce({route}, path({65002}));
  lab.settle();
  EXPECT_EQ(print(lab.sender.heard[route].as_path), "65000 64999 65002");
}

TEST(RouterLocalAs, IsAnOwnNumberWhenLoopsAreLookedFor) {
  LocalAs lab;
  lab.establish();
  lab.receiver.announce({route}, path({65002, 64999}));
  lab.receiver.announce({pfx("198.51.100.0/24")}, path({65002, 65000}));
  lab.settle();
  EXPECT_THAT(lab.sender.heard, IsEmpty());
}

// ---- how many prefixes may be announced ---------------------------------------------------------------

TEST(RouterAnnouncedLimit, EndsTheSessionWhenItIsExceeded) {
  Pair lab;
  lab.config(lab.receiver).ipv4_limit.maximum_out = 2;
  lab.config(lab.receiver).ipv4_limit.restart = net::Seconds{30};
  lab.establish();
  lab.sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24")}, path({65001}));
  lab.settle();
  EXPECT_TRUE(lab.receiver.up());
  auto notices = lab.taken<NeighborNotice>();
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_EQ(notices[0].notice, Notice::PrefixLimitWarning);
  EXPECT_EQ(notices[0].text, "2 IPv4 prefixes of at most 2 that may be announced");
  lab.sender.announce({pfx("10.0.3.0/24")}, path({65001}));
  lab.settle();
  ASSERT_TRUE(lab.router.next_deadline());
  lab.router.tick(start_time);
  const auto closed = lab.taken<CloseLink>();
  ASSERT_THAT(closed, SizeIs(1));
  lab.receiver.hear(closed[0].last);
  ASSERT_TRUE(lab.receiver.notification);
  EXPECT_TRUE(is(*lab.receiver.notification, CeaseError::MaximumPrefixes));
  EXPECT_THAT(lab.taken<NeighborNotice>().back().text,
              HasSubstr("more than the 2 IPv4 prefixes that may be announced"));
  EXPECT_EQ(lab.status(lab.receiver).hold_down, "prefix limit reached");
  EXPECT_TRUE(lab.sender.up());
  lab.router.tick(start_time + net::Seconds{30});
  EXPECT_EQ(lab.status(lab.receiver).hold_down, "");
}

TEST(RouterAnnouncedLimit, MayOnlyWarnOnceASession) {
  Pair lab;
  lab.config(lab.receiver).ipv4_limit = {.warn_percent = 0, .action = PrefixLimit::Action::Warn, .maximum_out = 2};
  lab.establish();
  lab.sender.announce({pfx("10.0.1.0/24"), pfx("10.0.2.0/24")}, path({65001}));
  lab.settle();
  EXPECT_THAT(lab.taken<NeighborNotice>(), IsEmpty());
  lab.sender.announce({pfx("10.0.3.0/24")}, path({65001}));
  lab.settle();
  lab.sender.announce({pfx("10.0.4.0/24")}, path({65001}));
  lab.settle();
  lab.router.tick(start_time);
  EXPECT_THAT(lab.taken<CloseLink>(), IsEmpty());
  EXPECT_THAT(lab.receiver.heard, SizeIs(4));
}

}  // namespace
}  // namespace bgp
