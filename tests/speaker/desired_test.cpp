// SPDX-License-Identifier: Apache-2.0
#include "speaker/desired.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr auto exclude_label = "node.kubernetes.io/exclude-from-external-load-balancers";

// Two nodes, one pool, both methods, one service with an endpoint on each node.
World plain() {
  World world;
  world.node("a", {{"rack", "one"}});
  world.node("b", {{"rack", "two"}});
  world.pool("public", {"203.0.113.0/24", "2001:db8::/64"});
  world.bgp("everything");
  world.l2("everything");
  world.peer("tor1");
  world.service("web", {"203.0.113.10"});
  world.slice("web", {"a", "b"});
  return world;
}

std::vector<std::string> nodes_of(const Desired& desired, std::string_view address) {
  std::vector<std::string> names;
  const auto found = desired.layer2().find(ip(address));
  if (found == desired.layer2().end()) return names;
  for (const auto& candidate : *found->second) names.push_back(candidate.node);
  return names;
}

Gate gate_of(const config::Resources& world, Method method, const std::string& service = "default/web",
             const std::string& node = "a") {
  for (const auto& verdict : desired_of(world, node).explain(world, service)) {
    if (verdict.method == method) return verdict.gate;
  }
  ADD_FAILURE() << "no verdict";
  return Gate::Open;
}
std::string detail_of(const config::Resources& world, Method method, const std::string& node = "a") {
  for (const auto& verdict : desired_of(world, node).explain(world, "default/web")) {
    if (verdict.method == method) return verdict.detail;
  }
  return {};
}

// ---- the plain case -------------------------------------------------------------------------------

TEST(DesiredOfAPlainCluster, AnnouncesTheAddressOnEveryNode) {
  const auto world = plain();
  for (const auto* node : {"a", "b"}) {
    const auto desired = desired_of(world, node);
    EXPECT_THAT(desired.routes(), ElementsAre(Key(prefix("203.0.113.10/32"))));
    EXPECT_THAT(nodes_of(desired, "203.0.113.10"), ElementsAre("a", "b"));
    EXPECT_THAT(desired.addresses(), ElementsAre(Pair(ip("203.0.113.10"), 1U)));
    EXPECT_THAT(desired.peers(), ElementsAre("tor1"));
  }
}

TEST(DesiredOfAPlainCluster, AnnouncesBothFamiliesOfADualStackService) {
  auto world = plain();
  world.service("web", {"203.0.113.10", "2001:db8::10"});
  EXPECT_THAT(desired_of(world).routes(), ElementsAre(Key(prefix("203.0.113.10/32")), Key(prefix("2001:db8::10/128"))));
  EXPECT_THAT(nodes_of(desired_of(world), "2001:db8::10"), ElementsAre("a", "b"));
}

TEST(DesiredOfAPlainCluster, SharesOneAnnouncementBetweenAllServices) {
  auto world = plain();
  world.service("mail", {"203.0.113.11"});
  world.slice("mail", {"b"});
  const auto desired = desired_of(world);
  ASSERT_EQ(desired.routes().size(), 2U);
  EXPECT_EQ(desired.routes().begin()->second, desired.routes().rbegin()->second);
  EXPECT_EQ(desired.layer2().begin()->second, desired.layer2().rbegin()->second);
}

TEST(DesiredOfNothing, IsNothing) {
  const config::Resources nothing;
  const auto desired = desired_of(nothing);
  EXPECT_EQ(outcome_of(desired), Outcome{});
  EXPECT_THAT(desired.explain(nothing, "default/web"), IsEmpty());
  EXPECT_THAT(desired.problems(), IsEmpty());
}

// ---- gates in their order ---------------------------------------------------------------------------

struct GateCase {
  const char* name;
  void (*change)(World&);
  Gate bgp;
  Gate layer2;
  const char* says;
};
void PrintTo(const GateCase& gate_case, std::ostream* out) {
  *out << gate_case.name;
}

class DesiredBehindAGate : public testing::TestWithParam<GateCase> {};

TEST_P(DesiredBehindAGate, NamesTheFirstThatIsShut) {
  auto world = plain();
  GetParam().change(world);
  EXPECT_EQ(gate_of(world, Method::Bgp), GetParam().bgp) << print(gate_of(world, Method::Bgp));
  EXPECT_EQ(gate_of(world, Method::Layer2), GetParam().layer2) << print(gate_of(world, Method::Layer2));
  const auto method = GetParam().bgp != Gate::Open ? Method::Bgp : Method::Layer2;
  EXPECT_THAT(detail_of(world, method), HasSubstr(GetParam().says));
  const auto desired = desired_of(world);
  const auto announced = !desired.routes().empty();
  EXPECT_EQ(announced, GetParam().bgp == Gate::Open || GetParam().bgp >= Gate::NoPeer);
  const auto candidate = testing::Value(nodes_of(desired, "203.0.113.10"), testing::Contains("a"));
  EXPECT_EQ(candidate, GetParam().layer2 == Gate::Open);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DesiredBehindAGate,
    testing::Values(
        GateCase{"Open", [](World&) {}, Gate::Open, Gate::Open, "announced by L2Advertisement everything"},
        GateCase{"ClusterIP", [](World& w) { w.services.at("default/web").type = "ClusterIP"; }, Gate::NotLoadBalancer,
                 Gate::NotLoadBalancer, "ClusterIP"},
        GateCase{"OtherClass", [](World& w) { w.services.at("default/web").load_balancer_class = "example.com/other"; },
                 Gate::OtherClass, Gate::OtherClass, "example.com/other"},
        GateCase{"Pending", [](World& w) { w.services.at("default/web").ingress.clear(); }, Gate::NoAddress,
                 Gate::NoAddress, "no address"},
        GateCase{"OutsidePools", [](World& w) { w.service("web", {"198.51.100.1"}); }, Gate::NotInPool, Gate::NotInPool,
                 "198.51.100.1 is in no IPAddressPool"},
        GateCase{"PoolNotAdvertised",
                 [](World& w) {
                   w.bgp("everything").ip_address_pools = {"other"};
                   w.l2("everything").ip_address_pools = {"other"};
                 },
                 Gate::NoAdvertisement, Gate::NoAdvertisement, "no BGPAdvertisement selects IPAddressPool public"},
        GateCase{"ServicePassedBy",
                 [](World& w) {
                   w.bgp("everything").service_selectors = {label("tier", "gold")};
                   w.l2("everything").service_selectors = {label("tier", "gold")};
                 },
                 Gate::ServiceNotSelected, Gate::ServiceNotSelected, "serviceSelectors do not match"},
        GateCase{"NodePassedBy",
                 [](World& w) {
                   w.bgp("everything").node_selectors = {label("rack", "two")};
                   w.l2("everything").node_selectors = {label("rack", "two")};
                 },
                 Gate::NodeNotSelected, Gate::NodeNotSelected, "do not match node a"},
        GateCase{"NodeExcluded",
                 [](World& w) {
                   w.node("a", {{exclude_label, ""}});
                 },
                 Gate::NodeExcluded, Gate::NodeExcluded, "exclude-from-external-load-balancers"},
        GateCase{"NetworkUnavailable", [](World& w) { w.network_unavailable("a"); }, Gate::NodeUnavailable,
                 Gate::NodeUnavailable, "NetworkUnavailable"},
        GateCase{"NoNodeObject", [](World& w) { w.nodes.erase("a"); }, Gate::NodeUnavailable, Gate::NodeUnavailable,
                 "there is no Node a"},
        GateCase{"NoEndpoints", [](World& w) { w.slice("web", {}); }, Gate::NoEndpoints, Gate::NoEndpoints,
                 "no endpoint is ready"},
        GateCase{"NoSlice", [](World& w) { w.endpoint_slices.clear(); }, Gate::NoEndpoints, Gate::NoEndpoints,
                 "no endpoint is ready"},
        GateCase{"NoLocalEndpoint",
                 [](World& w) {
                   w.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
                   w.slice("web", {"b"});
                 },
                 Gate::NoLocalEndpoint, Gate::NoLocalEndpoint, "no usable endpoint"},
        GateCase{"NoPeer", [](World& w) { w.peers.clear(); }, Gate::NoPeer, Gate::Open, "no BGPPeer runs on node a"},
        GateCase{"PeerOnOtherNodes", [](World& w) { w.peer("tor1").node_selectors = {label("rack", "two")}; },
                 Gate::NoPeer, Gate::Open, "no BGPPeer runs on node a"},
        GateCase{"OtherPeersNamed", [](World& w) { w.bgp("everything").peers = {"tor9"}; }, Gate::PeerNotSelected,
                 Gate::Open, "none of the peers it names"}),
    [](const auto& gate) { return std::string{gate.param.name}; });

TEST(DesiredExplained, SaysWhatCarriesTheAddressAndWhoIsTold) {
  auto world = plain();
  world.peer("tor2");
  world.bgp("everything").peers = {"tor2"};
  world.bgp("everything").aggregation_length = 24;
  const auto verdicts = desired_of(world).explain(world, "default/web");
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[0].method, Method::Bgp);
  EXPECT_EQ(verdicts[0].address, ip("203.0.113.10"));
  EXPECT_THAT(verdicts[0].routes, ElementsAre(prefix("203.0.113.0/24")));
  EXPECT_THAT(verdicts[0].peers, ElementsAre("tor2"));
  EXPECT_EQ(verdicts[1].method, Method::Layer2);
}

TEST(DesiredExplained, JudgesEachAddressOfADualStackService) {
  auto world = plain();
  world.service("web", {"203.0.113.10", "2001:db8:ffff::1"});
  const auto verdicts = desired_of(world).explain(world, "default/web");
  ASSERT_EQ(verdicts.size(), 4U);
  EXPECT_EQ(verdicts[0].gate, Gate::Open);
  EXPECT_EQ(verdicts[2].gate, Gate::NotInPool);
  EXPECT_EQ(verdicts[2].address, ip("2001:db8:ffff::1"));
}

// ---- selectors ----------------------------------------------------------------------------------------

TEST(DesiredBySelectors, TakesAnyOfTheNodeSelectors) {
  auto world = plain();
  world.node("c", {{"rack", "three"}});
  world.bgp("everything").node_selectors = {label("rack", "one"), label("rack", "three")};
  world.l2("everything").node_selectors = {label("rack", "one"), label("rack", "three")};
  EXPECT_EQ(desired_of(world, "a").routes().size(), 1U);
  EXPECT_EQ(desired_of(world, "b").routes().size(), 0U);
  EXPECT_EQ(desired_of(world, "c").routes().size(), 1U);
  EXPECT_THAT(nodes_of(desired_of(world, "b"), "203.0.113.10"), ElementsAre("a", "c"));
}

TEST(DesiredBySelectors, TakesAnyOfTheServiceSelectorsAndOnlyThePool) {
  auto world = plain();
  world.pool("internal", {"10.9.0.0/24"});
  world.service("db", {"10.9.0.1"}).meta.labels = {{"tier", "gold"}};
  world.slice("db", {"a"});
  world.service("web", {"203.0.113.10"}).meta.labels = {{"tier", "silver"}};
  world.bgp("everything").ip_address_pools = {"public"};
  world.bgp("everything").service_selectors = {label("tier", "gold"), label("tier", "silver")};
  EXPECT_THAT(desired_of(world).routes(), ElementsAre(Key(prefix("203.0.113.10/32"))));
}

TEST(DesiredBySelectors, TakesPoolsByNameOrByLabel) {
  auto world = plain();
  world.pool("internal", {"10.9.0.0/24"}).meta.labels = {{"zone", "lan"}};
  world.pool("spare", {"10.10.0.0/24"});
  world.service("db", {"10.9.0.1"});
  world.slice("db", {"a"});
  world.service("x", {"10.10.0.1"});
  world.slice("x", {"a"});
  world.bgp("everything").ip_address_pools = {"public"};
  world.bgp("everything").ip_address_pool_selectors = {label("zone", "lan")};
  EXPECT_THAT(desired_of(world).routes(), ElementsAre(Key(prefix("10.9.0.1/32")), Key(prefix("203.0.113.10/32"))));
}

TEST(DesiredBySelectors, ServesItsOwnClassOnlyWhenItHasOne) {
  auto world = plain();
  world.service("mine", {"203.0.113.11"}).load_balancer_class = "herald.dev/l2";
  world.slice("mine", {"a"});
  Desired desired{{.node = "a", .load_balancer_class = "herald.dev/l2"}};
  desired.reset(world);
  EXPECT_THAT(desired.routes(), ElementsAre(Key(prefix("203.0.113.11/32"))));
}

// ---- endpoints --------------------------------------------------------------------------------------------

TEST(DesiredWithTerminatingEndpoints, KeepsANodeThatStillServes) {
  auto world = plain();
  world.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
  auto& endpoints = world.slice("web", {"a"}).endpoints;
  endpoints[0].ready = false;
  endpoints[0].serving = true;
  endpoints[0].terminating = true;
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::Open);
  endpoints[0].serving = false;
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::NoEndpoints);
  endpoints[0].serving = true;
  endpoints[0].terminating = false;
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::NoEndpoints);
}

TEST(DesiredWithLocalPolicy, FollowsItsEndpoints) {
  auto world = plain();
  world.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
  world.slice("web", {"b"});
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("b"));
  EXPECT_THAT(desired_of(world, "a").routes(), IsEmpty());
  EXPECT_EQ(desired_of(world, "b").routes().size(), 1U);
  world.slice("web", {"a"});
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a"));
}

TEST(DesiredWithoutSlices, IsEverywhereOrNowhereAsTheScopeSays) {
  auto world = plain();
  world.services.at("default/web").selector.clear();
  world.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
  world.endpoint_slices.clear();
  EXPECT_EQ(desired_of(world).routes().size(), 1U);
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
  EXPECT_THAT(desired_of(world, "a", WithoutSlices::Nowhere).routes(), IsEmpty());
  EXPECT_THAT(desired_of(world, "a", WithoutSlices::Nowhere).layer2(), IsEmpty());
  world.slice("web", {"b"});
  for (const auto rule : {WithoutSlices::Everywhere, WithoutSlices::Nowhere}) {
    EXPECT_THAT(desired_of(world, "a", rule).routes(), IsEmpty());
    EXPECT_EQ(desired_of(world, "b", rule).routes().size(), 1U);
  }
}

TEST(DesiredWithLocalPolicy, LeavesEndpointsWithoutANodeAside) {
  auto world = plain();
  world.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
  world.slice("web", {""});
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::NoLocalEndpoint);
  EXPECT_THAT(desired_of(world).layer2(), IsEmpty());
}

TEST(DesiredWithoutEndpointSlices, ServesAnycastWhereTheServiceHasNoSelector) {
  auto world = plain();
  world.endpoint_slices.clear();
  auto& service = world.services.at("default/web");
  service.selector.clear();
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::Open);
  service.external_traffic_policy = config::TrafficPolicy::Local;
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::Open);
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
}

TEST(DesiredWithSeveralSlices, AddsThemUp) {
  auto world = plain();
  world.slice("web", {});
  auto second = world.slice("web", {});
  second.meta.name = "web-2";
  second.endpoints = {{true, true, false, "b"}};
  world.endpoint_slices["default/web-2"] = second;
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::Open);
}

// ---- nodes -------------------------------------------------------------------------------------------------

TEST(DesiredWithNodesInTrouble, LeavesThemOutOfTheCandidates) {
  auto world = plain();
  world.node("c", {{exclude_label, "true"}});
  world.node("d");
  world.network_unavailable("d");
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
}

TEST(DesiredWithNodesInTrouble, KeepsNodesThatAreNotReadyOrCordoned) {
  auto world = plain();
  world.nodes.at("a").conditions = {{"Ready", "False", "", "", "", 0}, {"NetworkUnavailable", "False", "", "", "", 0}};
  world.nodes.at("a").unschedulable = true;
  EXPECT_EQ(gate_of(world, Method::Bgp), Gate::Open);
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
}

TEST(DesiredWithoutNodeObjects, TakesTheSpeakersThatReportForNodes) {
  auto world = plain();
  world.nodes.clear();
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a"));
  world.speaker_states["b"].meta.name = "b";
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
}

// ---- attributes ------------------------------------------------------------------------------------------------

TEST(DesiredAttributes, ResolveCommunitiesOfEveryForm) {
  auto world = plain();
  world.communities["names"].communities = {{"blue", "65001:200"}, {"big", "large:65001:7:8"}};
  world.bgp("everything").communities = {"65001:100", "blue", "large:1:2:3", "big", "65001:100"};
  const auto desired = desired_of(world);
  const auto& attributes = *desired.routes().begin()->second->to("tor1");
  EXPECT_THAT(attributes.communities,
              ElementsAre(bgp::Community{65001U << 16 | 100}, bgp::Community{65001U << 16 | 200}));
  EXPECT_THAT(attributes.large_communities,
              ElementsAre(bgp::LargeCommunity{1, 2, 3}, bgp::LargeCommunity{65001, 7, 8}));
  EXPECT_THAT(desired.problems(), IsEmpty());
}

TEST(DesiredAttributes, LeaveAnUnknownCommunityOutAndSaySo) {
  auto world = plain();
  world.bgp("everything").communities = {"65001:100", "nobody"};
  const auto desired = desired_of(world);
  EXPECT_EQ(desired.routes().begin()->second->to("tor1")->communities.size(), 1U);
  ASSERT_EQ(desired.problems().size(), 1U);
  EXPECT_EQ(desired.problems()[0].object, "BGPAdvertisement/everything");
  EXPECT_EQ(desired.problems()[0].field, "spec.communities");
  EXPECT_THAT(desired.problems()[0].message, HasSubstr("nobody"));
}

TEST(DesiredAttributes, OfSeveralAdvertisementsAreUnited) {
  auto world = plain();
  world.bgp("everything").communities = {"65001:1"};
  world.bgp("everything").local_pref = 200;
  world.bgp("more").communities = {"65001:2", "65001:1"};
  world.bgp("more").med = 5;
  world.bgp("more").prepend = 2;
  const auto desired = desired_of(world);
  const auto& attributes = *desired.routes().begin()->second->to("tor1");
  EXPECT_THAT(attributes.communities, ElementsAre(bgp::Community{65001U << 16 | 1}, bgp::Community{65001U << 16 | 2}));
  EXPECT_EQ(attributes.local_pref, 200U);
  EXPECT_EQ(attributes.med, 5U);
  EXPECT_EQ(attributes.prepend, 2U);
  EXPECT_THAT(desired.problems(), IsEmpty());
}

TEST(DesiredAttributes, InConflictTakeTheMostPreferredAndSaySo) {
  auto world = plain();
  world.bgp("one").local_pref = 100;
  world.bgp("one").med = 10;
  world.bgp("one").prepend = 3;
  world.bgp("two").local_pref = 300;
  world.bgp("two").med = 20;
  world.bgp("two").prepend = 1;
  const auto desired = desired_of(world);
  const auto& attributes = *desired.routes().begin()->second->to("tor1");
  EXPECT_EQ(attributes.local_pref, 300U);
  EXPECT_EQ(attributes.med, 10U);
  EXPECT_EQ(attributes.prepend, 1U);
  std::vector<std::string> fields;
  for (const auto& problem : desired.problems()) fields.push_back(problem.field);
  EXPECT_THAT(fields, UnorderedElementsAre("spec.localPref", "spec.med", "spec.prepend"));
  EXPECT_THAT(desired.problems()[0].message, HasSubstr("BGPAdvertisement/one"));
}

TEST(DesiredAttributes, GoOnlyToThePeersNamed) {
  auto world = plain();
  world.peer("tor2");
  world.bgp("everything").communities = {"65001:1"};
  world.bgp("special").peers = {"tor2"};
  world.bgp("special").communities = {"65001:2"};
  const auto desired = desired_of(world);
  const auto& announcement = *desired.routes().begin()->second;
  EXPECT_THAT(announcement.to("tor1")->communities, ElementsAre(bgp::Community{65001U << 16 | 1}));
  EXPECT_THAT(announcement.to("tor2")->communities,
              ElementsAre(bgp::Community{65001U << 16 | 1}, bgp::Community{65001U << 16 | 2}));
  world.bgp_advertisements.erase("everything");
  EXPECT_EQ(desired_of(world).routes().begin()->second->to("tor1"), nullptr);
}

// ---- prefixes ------------------------------------------------------------------------------------------------

TEST(DesiredAggregates, StandForTheirServicesUntilTheLastIsGone) {
  auto world = plain();
  world.bgp("everything").aggregation_length = 24;
  world.bgp("everything").aggregation_length_v6 = 64;
  world.service("web", {"203.0.113.10", "2001:db8::1"});
  world.service("mail", {"203.0.113.77"});
  world.slice("mail", {"a"});
  auto desired = desired_of(world);
  EXPECT_THAT(desired.routes(), ElementsAre(Key(prefix("203.0.113.0/24")), Key(prefix("2001:db8::/64"))));
  world.services.erase("default/web");
  desired.apply(world, std::vector<Change>{{Change::Kind::Service, "default/web"}});
  EXPECT_THAT(desired.routes(), ElementsAre(Key(prefix("203.0.113.0/24"))));
  world.services.erase("default/mail");
  desired.apply(world, std::vector<Change>{{Change::Kind::Service, "default/mail"}});
  EXPECT_THAT(desired.routes(), IsEmpty());
}

TEST(DesiredAggregates, StandBesideTheHostRoutesOfAnotherAdvertisement) {
  auto world = plain();
  world.bgp("aggregate").aggregation_length = 24;
  world.bgp("aggregate").communities = {"65001:24"};
  const auto desired = desired_of(world);
  EXPECT_THAT(desired.routes(), ElementsAre(Key(prefix("203.0.113.0/24")), Key(prefix("203.0.113.10/32"))));
  EXPECT_THAT(desired.routes().rbegin()->second->to("tor1")->communities, IsEmpty());
}

TEST(DesiredStaticPrefixes, DependOnNothingButTheNode) {
  World world;
  world.node("a", {{"rack", "one"}, {exclude_label, ""}});
  world.node("b");
  world.network_unavailable("a");
  world.bgp("host").prefixes = {prefix("198.51.100.0/24"), prefix("2001:db8:1::/48")};
  world.bgp("host").node_selectors = {label("rack", "one")};
  EXPECT_THAT(desired_of(world, "a").routes(),
              ElementsAre(Key(prefix("198.51.100.0/24")), Key(prefix("2001:db8:1::/48"))));
  EXPECT_THAT(desired_of(world, "b").routes(), IsEmpty());
  EXPECT_THAT(desired_of(world, "a").addresses(), IsEmpty());
}

TEST(DesiredStaticPrefixes, DoNotMakeAnAdvertisementSelectPools) {
  auto world = plain();
  world.bgp_advertisements.clear();
  world.bgp("host").prefixes = {prefix("198.51.100.0/24")};
  EXPECT_THAT(desired_of(world).routes(), ElementsAre(Key(prefix("198.51.100.0/24"))));
  world.bgp("host").ip_address_pools = {"public"};
  EXPECT_EQ(desired_of(world).routes().size(), 2U);
}

TEST(DesiredOfARouterByItself, NeedsNoNodesAndNoServices) {
  World world;
  world.peer("tor1");
  world.bgp("host").prefixes = {prefix("198.51.100.0/24")};
  const auto desired = desired_of(world, "r1");
  EXPECT_EQ(desired.routes().size(), 1U);
  EXPECT_THAT(desired.peers(), ElementsAre("tor1"));
  EXPECT_THAT(desired.layer2(), IsEmpty());
}

// ---- layer 2 -----------------------------------------------------------------------------------------------------

TEST(DesiredLayer2, SumsPreferencesOverSelectorsAndAdvertisements) {
  auto world = plain();
  world.l2("everything").preferred_node_selectors = {{10, label("rack", "one")}, {5, label("rack", "one")}};
  world.l2("more").preferred_node_selectors = {{20, label("rack", "two")}, {3, {}}};
  const auto desired = desired_of(world);
  const auto& candidates = *desired.layer2().at(ip("203.0.113.10"));
  EXPECT_THAT(candidates, ElementsAre(Candidate{"a", 18, {}}, Candidate{"b", 23, {}}));
}

TEST(DesiredLayer2, CountsThePreferenceOfAnAdvertisementOnlyWhereItSelectsTheNode) {
  auto world = plain();
  world.l2("more").node_selectors = {label("rack", "two")};
  world.l2("more").preferred_node_selectors = {{20, {}}};
  const auto desired = desired_of(world);
  EXPECT_THAT(*desired.layer2().at(ip("203.0.113.10")), ElementsAre(Candidate{"a", 0, {}}, Candidate{"b", 20, {}}));
}

TEST(DesiredLayer2, UnitesInterfacesPerNode) {
  auto world = plain();
  world.l2("everything").interfaces = {"eth1", "eth0"};
  world.l2("more").interfaces = {"eth1", "bond0"};
  world.l2("more").node_selectors = {label("rack", "two")};
  EXPECT_THAT(*desired_of(world).layer2().at(ip("203.0.113.10")),
              ElementsAre(Candidate{"a", 0, {"eth0", "eth1"}}, Candidate{"b", 0, {"bond0", "eth0", "eth1"}}));
  world.l2("any").node_selectors = {label("rack", "one")};
  EXPECT_THAT(*desired_of(world).layer2().at(ip("203.0.113.10")),
              ElementsAre(Candidate{"a", 0, {}}, Candidate{"b", 0, {"bond0", "eth0", "eth1"}}));
}

TEST(DesiredLayer2, ScopesPreferencesByServiceSelector) {
  auto world = plain();
  world.l2("gold").service_selectors = {label("tier", "gold")};
  world.l2("gold").preferred_node_selectors = {{50, label("rack", "two")}};
  world.service("rich", {"203.0.113.11"}).meta.labels = {{"tier", "gold"}};
  world.slice("rich", {"a"});
  const auto desired = desired_of(world);
  EXPECT_THAT(*desired.layer2().at(ip("203.0.113.10")), ElementsAre(Candidate{"a", 0, {}}, Candidate{"b", 0, {}}));
  EXPECT_THAT(*desired.layer2().at(ip("203.0.113.11")), ElementsAre(Candidate{"a", 0, {}}, Candidate{"b", 50, {}}));
}

TEST(DesiredLayer2OfASharedAddress, IsOneEntryAlsoWithServiceSelectors) {
  auto world = plain();
  world.l2("everything").service_selectors = {label("tier", "gold")};
  world.l2("silver").service_selectors = {label("tier", "silver")};
  world.service("web", {"203.0.113.10"}).meta.labels = {{"tier", "gold"}};
  world.service("web-udp", {"203.0.113.10"}).meta.labels = {{"tier", "silver"}};
  world.slice("web-udp", {"a"});
  const auto desired = desired_of(world);
  EXPECT_EQ(desired.layer2().size(), 1U);
  EXPECT_THAT(nodes_of(desired, "203.0.113.10"), ElementsAre("a", "b"));
}

TEST(DesiredLayer2OfASharedAddress, WantsANodeThatServesAll) {
  auto world = plain();
  world.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
  auto& other = world.service("web-udp", {"203.0.113.10"});
  other.external_traffic_policy = config::TrafficPolicy::Local;
  world.slice("web-udp", {"b"});
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("b"));
  // One without endpoints has no say.
  world.slice("web-udp", {});
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
  // No node serves both: better half than nothing, and still by one owner.
  world.slice("web", {"a"});
  world.slice("web-udp", {"b"});
  EXPECT_THAT(nodes_of(desired_of(world), "203.0.113.10"), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace speaker
