// SPDX-License-Identifier: Apache-2.0
#include "insight/announcements.hpp"

#include <functional>

#include <gmock/gmock.h>

#include "tests/speaker/world.hpp"

namespace insight {
namespace {

using speaker::ip;
using speaker::label;
using speaker::prefix;
using testing::HasSubstr;
using testing::Not;

// Nodes n1, n2 and n3 with a BGPPeer that runs on all of them, and a pool that is advertised by BGP.
struct Cluster : speaker::World {
  Cluster() {
    pool("front", {"203.0.113.0/24"});
    bgp("front");
    peer("tor");
    for (const auto* name : {"n1", "n2", "n3"}) {
      node(name, {{"kubernetes.io/hostname", name}});
      live.insert(name);
      speaker(name).sessions = {"tor"};
    }
    service("web", {"203.0.113.5"});
    slice("web", {"n1", "n2"});
  }
  config::SpeakerState& speaker(const std::string& name) {
    auto& state = speaker_states[name];
    state.meta.name = name;
    return state;
  }
  [[nodiscard]] Announced said(const std::string& service = "default/web") const {
    Announcements view{"", speaker::WithoutSlices::Everywhere};
    view.reset(*this, live);
    return view.judge(*this, service).value_or(Announced{Announced::Status::No, "nothing", ""});
  }
  NodeNames live;
};

TEST(AnnouncedService, NamesTheNodesAndHow) {
  Cluster cluster;
  const auto said = cluster.said();
  EXPECT_EQ(said.status, Announced::Status::Yes);
  EXPECT_EQ(said.reason, "Announced");
  EXPECT_EQ(said.message, "203.0.113.5: by BGP from n1, n2 and n3");
}

TEST(AnnouncedService, NamesOnlyNodesWithAnEndpointWhenItsPolicyIsLocal) {
  Cluster cluster;
  cluster.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
  EXPECT_EQ(cluster.said().message, "203.0.113.5: by BGP from n1 and n2");
}

TEST(AnnouncedService, NamesTheOwnerOnLayer2) {
  Cluster cluster;
  cluster.l2("lan");
  cluster.speaker("n3").owned = {ip("203.0.113.5")};
  EXPECT_EQ(cluster.said().message, "203.0.113.5: by BGP from n1, n2 and n3, on layer 2 from n3");
  cluster.bgp_advertisements.clear();
  EXPECT_EQ(cluster.said().message, "203.0.113.5: on layer 2 from n3");
}

TEST(AnnouncedService, IsBoundedHoweverManyNodesThereAre) {
  Cluster cluster;
  for (int i = 10; i < 200; ++i) {
    const auto name = "x" + std::to_string(i);
    cluster.node(name);
    cluster.live.insert(name);
    cluster.speaker(name).sessions = {"tor"};
  }
  EXPECT_EQ(cluster.said().message, "203.0.113.5: by BGP from n1, n2, n3, x10 and 189 more");
}

TEST(AnnouncedService, DoesNotCountNodesThatAreDead) {
  Cluster cluster;
  cluster.live.erase("n2");
  EXPECT_EQ(cluster.said().message, "203.0.113.5: by BGP from n1 and n3");
  cluster.live.clear();
  EXPECT_EQ(cluster.said().reason, "SessionDown");
}

struct GateCase {
  std::string gate;
  std::string message;
  std::function<void(Cluster&)> shut;
};

class UnannouncedService : public testing::TestWithParam<GateCase> {};

TEST_P(UnannouncedService, NamesTheGateThatTheNodeThatCameFurthestStoodAt) {
  Cluster cluster;
  GetParam().shut(cluster);
  const auto said = cluster.said();
  EXPECT_EQ(said.status, Announced::Status::No);
  EXPECT_EQ(said.reason, GetParam().gate);
  EXPECT_THAT(said.message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Gates, UnannouncedService,
    testing::Values(
        GateCase{"NotInPool", "203.0.113.5 is in no IPAddressPool", [](Cluster& c) { c.pools.clear(); }},
        GateCase{"NoAdvertisement", "selects IPAddressPool front", [](Cluster& c) { c.bgp_advertisements.clear(); }},
        GateCase{"ServiceNotSelected", "whose serviceSelectors do not match the service",
                 [](Cluster& c) { c.bgp("front").service_selectors = {label("app", "other")}; }},
        GateCase{"NodeNotSelected", "match no node",
                 [](Cluster& c) { c.bgp("front").node_selectors = {label("rack", "7")}; }},
        GateCase{"NodeUnavailable", "NetworkUnavailable: n1, n2 and n3",
                 [](Cluster& c) {
                   for (const auto* name : {"n1", "n2", "n3"}) c.network_unavailable(name);
                 }},
        GateCase{"NoEndpoints", "no endpoint is ready", [](Cluster& c) { c.slice("web", {}); }},
        GateCase{"NoLocalEndpoint", "no node that is selected has a usable endpoint",
                 [](Cluster& c) {
                   c.services.at("default/web").external_traffic_policy = config::TrafficPolicy::Local;
                   c.slice("web", {"elsewhere"});
                 }},
        GateCase{"NoPeer", "no BGPPeer runs on n1, n2 and n3", [](Cluster& c) { c.peers.clear(); }},
        GateCase{"PeerNotSelected", "none of them runs on", [](Cluster& c) { c.bgp("front").peers = {"spine"}; }},
        GateCase{"SessionDown", "is established on n1, n2 and n3",
                 [](Cluster& c) {
                   for (auto& [name, state] : c.speaker_states) state.sessions.clear();
                 }},
        GateCase{"NoSubnet", "has the subnet of the address",
                 [](Cluster& c) {
                   c.bgp_advertisements.clear();
                   c.l2("lan");
                 }},
        GateCase{"NotOwner", "no node answers for it yet",
                 [](Cluster& c) {
                   c.bgp_advertisements.clear();
                   c.l2("lan");
                   c.speaker("n1").interfaces = {{"eth0", true, {prefix("203.0.113.0/24")}}};
                 }}),
    [](const auto& one) { return one.param.gate; });

TEST(AnnouncedService, IsNotAnnouncedWhileOneOfItsAddressesIsNot) {
  Cluster cluster;
  cluster.pool("v6", {"2001:db8::/64"});
  cluster.bgp("front").ip_address_pools = {"front"};
  cluster.service("web", {"203.0.113.5", "2001:db8::5"});
  const auto said = cluster.said();
  EXPECT_EQ(said.status, Announced::Status::No);
  EXPECT_EQ(said.reason, "NoAdvertisement");
  EXPECT_THAT(said.message, HasSubstr("203.0.113.5: by BGP from n1, n2 and n3; 2001:db8::5: no "));
}

TEST(AnnouncedService, IsNoneThatIsNotOursOrHasNoAddress) {
  Cluster cluster;
  cluster.service("other", {"203.0.113.6"}).load_balancer_class = "other.example/lb";
  cluster.service("waiting", {});
  cluster.service("internal", {"203.0.113.7"}).type = "ClusterIP";
  for (const auto* name : {"other", "waiting", "internal", "absent"})
    EXPECT_EQ(cluster.said(std::string{"default/"} + name).reason, "nothing") << name;
}

// Each change, and the services whose answer it may change.
class AnnouncementsFollowing : public testing::Test {
 protected:
  AnnouncementsFollowing() {
    cluster.service("second", {"203.0.113.6"});
    cluster.slice("second", {"n3"});
    view.reset(cluster, cluster.live);
  }
  std::optional<std::set<std::string>> after(config::ObjectId id) {
    const std::vector ids{std::move(id)};
    return view.apply(cluster, ids, cluster.live);
  }
  Cluster cluster;
  Announcements view{"", speaker::WithoutSlices::Everywhere};
};

TEST_F(AnnouncementsFollowing, LooksAtTheServiceOfAnEndpointSliceAlone) {
  cluster.slice("web", {});
  EXPECT_EQ(after({config::Kind::EndpointSlice, "default/web-1"}), std::set<std::string>{"default/web"});
  EXPECT_EQ(view.judge(cluster, "default/web")->reason, "NoEndpoints");
  cluster.endpoint_slices.erase("default/web-1");
  EXPECT_EQ(after({config::Kind::EndpointSlice, "default/web-1"}), std::set<std::string>{"default/web"});
}

TEST_F(AnnouncementsFollowing, TakesAHeartbeatThatSaysNothingNewForNothing) {
  cluster.speaker("n1").heartbeat = 7;
  EXPECT_EQ(after({config::Kind::SpeakerState, "n1"}), std::set<std::string>{});
  cluster.speaker("n1").sessions.clear();
  EXPECT_EQ(after({config::Kind::SpeakerState, "n1"}), std::nullopt);
  EXPECT_THAT(view.judge(cluster, "default/web")->message, Not(HasSubstr("n1")));
}

TEST_F(AnnouncementsFollowing, TakesANodeWhoseLabelsStayForNothing) {
  cluster.nodes.at("n1").unschedulable = true;
  EXPECT_EQ(after({config::Kind::Node, "n1"}), std::set<std::string>{});
  cluster.nodes.at("n1").meta.labels["rack"] = "1";
  EXPECT_EQ(after({config::Kind::Node, "n1"}), std::nullopt);
}

TEST_F(AnnouncementsFollowing, LooksAtAllWhenANodeDies) {
  EXPECT_EQ(view.apply(cluster, {}, cluster.live), std::set<std::string>{});
  cluster.live.erase("n3");
  EXPECT_EQ(view.apply(cluster, {}, cluster.live), std::nullopt);
  EXPECT_EQ(view.judge(cluster, "default/second")->message, "203.0.113.6: by BGP from n1 and n2");
}

// The word of the whole has to be that of the parts: for each node, what its own speaker would say.
TEST(AnnouncedService, SaysWhatTheSpeakersOfTheNodesSay) {
  Cluster cluster;
  cluster.node("n4", {{"node.kubernetes.io/exclude-from-external-load-balancers", ""}});
  cluster.node("n5", {{"rack", "5"}});
  cluster.bgp("front").node_selectors = {label("kubernetes.io/hostname", "n1"), label("rack", "5")};
  cluster.bgp("second").peers = {"tor"};
  cluster.bgp("second").node_selectors = {label("kubernetes.io/hostname", "n2")};
  for (const auto* name : {"n4", "n5"}) {
    cluster.live.insert(name);
    cluster.speaker(name).sessions = {"tor"};
  }
  for (const auto policy : {config::TrafficPolicy::Cluster, config::TrafficPolicy::Local}) {
    cluster.services.at("default/web").external_traffic_policy = policy;
    NodeNames announcing;
    for (const auto& [name, node] : cluster.nodes) {
      const auto desired = speaker::desired_of(cluster, name);
      for (const auto& verdict : desired.explain(cluster, "default/web"))
        if (verdict.method == speaker::Method::Bgp && verdict.gate == speaker::Gate::Open) announcing.insert(name);
    }
    ASSERT_FALSE(announcing.empty());
    for (const auto& [name, node] : cluster.nodes)
      EXPECT_EQ(cluster.said().message.find(name) != std::string::npos, announcing.contains(name)) << name;
  }
}

}  // namespace
}  // namespace insight
