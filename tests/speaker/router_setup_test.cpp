// SPDX-License-Identifier: Apache-2.0
#include "speaker/router_setup.hpp"

#include <gmock/gmock.h>

#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TheSetup : public ::testing::Test {
 protected:
  TheSetup() {
    auto& configuration = world.bgp_configurations["default"];
    configuration.asn = net::Asn{65000};
    configuration.router_id = net::RouterId{1};
  }
  config::BGPPeer& peer(const std::string& name) {
    auto& object = world.peer(name);
    object.dynamic_asn = config::DynamicAsn::External;
    facts.peers.insert(name);
    return object;
  }
  RouterSetup setup() { return set_up_router(world, facts); }

  World world;
  RouterFacts facts{.node = "n1", .peers = {}, .held_down = {}, .fallback_router_id = {}, .heard = {}};
};

TEST_F(TheSetup, AsksForRestartsOnlyWhereSomePeerKeepsOurRoutes) {
  peer("helper").peer_address = ip("10.0.0.1");
  EXPECT_FALSE(setup().restart);
  auto& full = peer("full");
  full.peer_address = ip("10.0.0.2");
  full.graceful_restart = {config::GracefulRestart::Mode::Full, net::Seconds{90}, net::Seconds{300}, net::Seconds{600},
                           false};
  world.bgp_configurations["default"].restart_deferral = net::Seconds{50};
  const auto made = setup();
  ASSERT_TRUE(made.restart);
  EXPECT_EQ(made.restart->time, net::Seconds{90});
  EXPECT_EQ(made.restart->deferral, net::Seconds{50});
  EXPECT_EQ(made.neighbors.at(0).session.graceful_restart,
            (bgp::GracefulRestart{bgp::GracefulRestart::Mode::Full, net::Seconds{90}, net::Seconds{300},
                                  net::Seconds{600}, false}));
  EXPECT_EQ(made.neighbors.at(1).session.graceful_restart.mode, bgp::GracefulRestart::Mode::Helper)
      << "helping costs nothing, so it is what happens";
}

TEST_F(TheSetup, MakesANeighbourOfEveryNodeThatIsSelected) {
  auto& mesh = peer("mesh");
  mesh.peer_selectors = {label("rack", "a")};
  world.node("n1", {{"rack", "a"}}).addresses = {ip("10.0.0.1")};
  world.node("n2", {{"rack", "a"}}).addresses = {ip("2001:db8::2"), ip("10.0.0.2")};
  world.node("n3", {{"rack", "a"}}).addresses = {ip("2001:db8::3")};
  world.node("n4", {{"rack", "a"}});
  world.node("n5", {{"rack", "b"}}).addresses = {ip("10.0.0.5")};
  const auto neighbors = setup().neighbors;
  ASSERT_EQ(neighbors.size(), 3U) << "not itself, and not the other rack";
  EXPECT_EQ(neighbors[0].name, "mesh/n2");
  EXPECT_EQ(neighbors[0].session.address, ip("10.0.0.2"));
  EXPECT_FALSE(neighbors[0].session.ipv4_over_ipv6);
  EXPECT_EQ(neighbors[1].session.address, ip("2001:db8::3"));
  EXPECT_TRUE(neighbors[1].session.ipv4_over_ipv6);
  EXPECT_EQ(neighbors[2].hold_down, "Node n4 has no InternalIP");
  for (const auto& each : neighbors) EXPECT_EQ(each.policy_name(), "mesh");
}

TEST_F(TheSetup, HoldsANeighbourOnALinkDownUntilItIsHeard) {
  peer("link").interface = "eth1";
  EXPECT_THAT(setup().unnumbered, ElementsAre("eth1"));
  EXPECT_EQ(setup().neighbors.at(0).hold_down, "no router was heard on eth1 yet");
  facts.heard.emplace("eth1", net::fail(std::string{"interface eth1 is down"}));
  EXPECT_EQ(setup().neighbors.at(0).hold_down, "interface eth1 is down");
  facts.heard.clear();
  facts.heard.emplace("eth1", ip("fe80::7").v6());
  const auto heard = setup().neighbors.at(0);
  EXPECT_THAT(heard.hold_down, IsEmpty());
  EXPECT_EQ(heard.session.address, ip("fe80::7"));
  EXPECT_EQ(heard.session.interface, "eth1");
  EXPECT_TRUE(heard.session.ipv4_over_ipv6);
}

TEST_F(TheSetup, DoesNotWaitForANeighbourWhoseAddressIsGiven) {
  auto& link = peer("link");
  link.interface = "eth1";
  link.peer_address = ip("fe80::7");
  EXPECT_THAT(setup().unnumbered, IsEmpty());
  EXPECT_THAT(setup().neighbors.at(0).hold_down, IsEmpty());
}

TEST_F(TheSetup, KnowsTheMetricOfRoutesThatNoFilterGaveOne) {
  config::BGPFilter::Rule low;
  low.name = "low";
  low.match.kernel_metric = 100;
  low.match.interfaces = {"eth*"};
  low.set.kernel_metric = 512;
  world.filters["low"].rules = {low};
  auto& tor = peer("tor");
  tor.peer_address = ip("10.0.0.1");
  tor.import_filters = std::vector<std::string>{"low"};
  const auto made = [&] { return setup().neighbors.at(0).import.at(0).rules.at(0); };
  world.bgp_configurations["default"].kernel.metric = 100;
  EXPECT_EQ(made().match.kernel_metric, (bgp::MetricMatch{100, true}));
  EXPECT_THAT(made().match.interfaces, ElementsAre("eth*"));
  EXPECT_EQ(made().set.kernel_metric, 512U);
  world.bgp_configurations["default"].kernel.metric = 20;
  EXPECT_EQ(made().match.kernel_metric, (bgp::MetricMatch{100, false}));
}

TEST_F(TheSetup, LeavesRulesThatAskTheTablesOutOfImport) {
  config::BGPFilter::Rule present;
  present.name = "present";
  present.match.when_present = {prefix("192.0.2.0/24")};
  config::BGPFilter::Rule absent;
  absent.name = "absent";
  absent.match.when_absent = {prefix("192.0.2.0/24")};
  config::BGPFilter::Rule both;
  both.name = "both";
  world.filters["f"].rules = {present, absent, both};
  auto& tor = peer("tor");
  tor.peer_address = ip("10.0.0.1");
  tor.import_filters = tor.export_filters = std::vector<std::string>{"f"};
  const auto names = [](const bgp::FilterChain& chain) {
    std::vector<std::string> all;
    for (const auto& rule : chain.at(0).rules) all.push_back(rule.name);
    return all;
  };
  const auto made = setup().neighbors.at(0);
  EXPECT_THAT(names(made.import), ElementsAre("both"));
  EXPECT_THAT(names(made.export_filter.value()), ElementsAre("present", "absent", "both"));
}

TEST_F(TheSetup, PassesRangesOn) {
  auto& guests = peer("guests");
  guests.listen_range = prefix("2001:db8::/64");
  guests.max_dynamic_peers = 7;
  const auto made = setup().neighbors.at(0);
  EXPECT_EQ(made.range, prefix("2001:db8::/64"));
  EXPECT_EQ(made.range_limit, 7U);
  EXPECT_TRUE(made.session.ipv4_over_ipv6);
}

TEST_F(TheSetup, PassesRolesAndShutdownsOn) {
  auto& upstream = peer("upstream");
  upstream.peer_address = ip("10.0.0.1");
  upstream.role = config::PeerRole::RouteServerClient;
  upstream.role_strict = true;
  upstream.graceful_shutdown = true;
  upstream.honor_graceful_shutdown = false;
  facts.draining = true;
  const auto made = setup();
  const auto& neighbor = made.neighbors.at(0);
  EXPECT_EQ(neighbor.session.role, bgp::Role::RouteServerClient);
  EXPECT_TRUE(neighbor.session.role_required);
  EXPECT_EQ(neighbor.draining, bgp::Draining::Yes);
  EXPECT_EQ(neighbor.graceful_shutdown, bgp::NeighborConfig::GracefulShutdown::Ignored);
  EXPECT_EQ(made.router.draining, bgp::Draining::Yes);
}

TEST_F(TheSetup, TakesNumberedKeysFromASecret) {
  auto& signed_peer = peer("signed");
  signed_peer.peer_address = ip("10.0.0.1");
  signed_peer.tcp_ao = config::BGPPeer::TcpAo{{"keys", "net"}, config::BGPPeer::TcpAo::Algorithm::AesCmac};
  EXPECT_EQ(setup().neighbors.at(0).hold_down, "Secret net/keys has no keys for TCP-AO");
  world.secrets["net/keys"].data = {{"1", "first"}, {"255", "last"}};
  const auto made = setup().neighbors.at(0);
  EXPECT_THAT(made.hold_down, IsEmpty());
  EXPECT_EQ(made.session.authentication,
            (bgp::AuthenticationKeys{bgp::AuthenticationKeys::Algorithm::AesCmac, {{1, "first"}, {255, "last"}}}));
}

}  // namespace
}  // namespace speaker
