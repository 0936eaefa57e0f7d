// SPDX-License-Identifier: Apache-2.0
#include "insight/object_status.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "config/candidate.hpp"
#include "tests/insight/objects.hpp"

namespace insight {
namespace {

using config::Kind;
using controller::ObjectStatus;
using controller::Statement;
using nlohmann::json;
using Status = Statement::Status;

json peer(const std::string& name, json spec, const std::string& created = "2026-01-01T00:00:00Z") {
  auto out = own("BGPPeer", name, std::move(spec));
  out["metadata"]["creationTimestamp"] = created;
  out["metadata"]["generation"] = 3;
  return out;
}
json on(const std::string& node) {
  return json::array({{{"matchLabels", {{"kubernetes.io/hostname", node}}}}});
}
json speaker(const std::string& node, const std::vector<std::string>& sessions, const std::string& subnet = {}) {
  json spec{{"heartbeat", 1}, {"heartbeatInterval", "1s"}, {"sessions", sessions}};
  if (!subnet.empty()) spec["interfaces"] = {{{"name", "eth0"}, {"carrier", true}, {"subnets", {subnet}}}};
  return own("SpeakerState", node, std::move(spec));
}

// A cluster, told as an API tells it.
class Cluster {
 public:
  explicit Cluster(config::Secrets secrets = config::Secrets::Known) : set_{{}, secrets} {
    add(own("BGPConfiguration", "default", {{"asn", 65000}}));
  }
  Cluster& add(const json& object) {
    auto read = config::read_object(object);
    config::Changes changes;
    if (read.objects.empty())
      changes.refused.push_back({{config::find_kind("herald.dev/v1", object["kind"].get<std::string>())->kind,
                                  object["metadata"]["name"].get<std::string>()},
                                 read.problems});
    else
      changes.set = std::move(read.objects);
    set_.apply(std::move(changes));
    return *this;
  }
  // With every speaker alive but these.
  [[nodiscard]] ObjectStatuses statuses(const NodeNames& dead = {}) const {
    const auto& now = set_.current().resources;
    NodeNames live;
    for (const auto& [name, state] : now.speaker_states)
      if (!dead.contains(name)) live.insert(name);
    SelectedNodes nodes{now};
    return object_statuses(set_, nodes, live_speakers(now, live));
  }
  [[nodiscard]] ObjectStatus of(Kind kind, const std::string& name, const NodeNames& dead = {}) const {
    return statuses(dead).at({kind, name});
  }
  [[nodiscard]] const config::ResourceSet& set() const { return set_; }

 private:
  config::ResourceSet set_;
};

Statement said(const ObjectStatus& status, std::string_view type) {
  for (const auto& statement : status.conditions)
    if (statement.type == type) return statement;
  ADD_FAILURE() << "nothing is said of " << type;
  return {};
}

TEST(AcceptedObject, SaysSoOfEveryKindAndOfWhichGeneration) {
  Cluster cluster;
  cluster.add(pool("front", {"192.0.2.0/28"}))
      .add(own("Community", "names", {{"communities", {{{"name", "web"}, {"value", "65001:80"}}}}}))
      .add(own("BGPFilter", "in", {{"rules", {{{"action", "accept"}}}}}))
      .add(own("BFDProfile", "fast", json::object()))
      .add(own("L2Advertisement", "lan", json::object()))
      .add(own("BGPAdvertisement", "all", json::object()))
      .add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}}));
  const auto all = cluster.statuses();
  for (const auto& kind : config::all_kinds()) {
    if (!says_status(kind.kind)) continue;
    const auto found = std::ranges::find_if(all, [&](const auto& one) { return one.first.kind == kind.kind; });
    ASSERT_NE(found, all.end()) << kind.name;
    EXPECT_EQ(said(found->second, accepted_condition).status, Status::True) << kind.name;
  }
  const auto accepted = said(all.at({Kind::BGPPeer, "tor"}), accepted_condition);
  EXPECT_EQ(accepted.reason, "Accepted");
  EXPECT_EQ(accepted.observed_generation, 3);
}

TEST(RefusedObject, SaysWhatTheReaderSaysAndWhichField) {
  Cluster cluster;
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"holdTime", "2s"}, {"vrf", "red"}}));
  const auto status = cluster.of(Kind::BGPPeer, "tor");
  const auto accepted = said(status, accepted_condition);
  EXPECT_EQ(accepted.status, Status::False);
  EXPECT_EQ(accepted.reason, "Invalid");
  EXPECT_NE(accepted.message.find("spec.holdTime: must be"), std::string::npos) << accepted.message;
  EXPECT_NE(accepted.message.find("spec.vrf"), std::string::npos) << accepted.message;
  EXPECT_EQ(said(status, established_condition).reason, "NotAccepted");
  EXPECT_TRUE(status.members.at("sessions").is_null()) << "what stood there goes";
}

TEST(RefusedObject, SaysWithWhichOtherItDoesNotGoTogether) {
  Cluster cluster;
  cluster.add(pool("front", {"192.0.2.0/28"})).add(pool("late", {"192.0.2.8/30"}));
  EXPECT_EQ(said(cluster.of(Kind::IPAddressPool, "front"), accepted_condition).status, Status::True);
  const auto late = said(cluster.of(Kind::IPAddressPool, "late"), accepted_condition);
  EXPECT_EQ(late.reason, "SetAside");
  EXPECT_NE(late.message.find("spec.addresses[0]"), std::string::npos) << late.message;
  EXPECT_NE(late.message.find("IPAddressPool/front"), std::string::npos) << late.message;
}

TEST(RefusedObject, HasAMessageThatIsBounded) {
  Cluster cluster;
  json many = json::array();
  for (int i = 0; i < 100; ++i)
    many.push_back({{"action", "accept"}, {"match", {{"communities", {std::string(200, 'x') + std::to_string(i)}}}}});
  cluster.add(own("BGPFilter", "in", {{"rules", many}}));
  const auto accepted = said(cluster.of(Kind::BGPFilter, "in"), accepted_condition);
  EXPECT_EQ(accepted.status, Status::False);
  EXPECT_LT(accepted.message.size(), 1100U);
}

TEST(AcceptedObject, WarnsOfWhatIsMissing) {
  Cluster cluster;
  cluster.add(pool("front", {"192.0.2.0/28"})).add(own("BGPAdvertisement", "ad", {{"peers", {"nobody"}}}));
  const auto accepted = said(cluster.of(Kind::BGPAdvertisement, "ad"), accepted_condition);
  EXPECT_EQ(accepted.status, Status::True);
  EXPECT_EQ(accepted.reason, "AcceptedWithWarnings");
  EXPECT_NE(accepted.message.find("spec.peers: names BGPPeer/nobody"), std::string::npos) << accepted.message;
}

TEST(PeerHeldDown, IsNotAcceptedWhileItsFilterIsMissing) {
  Cluster cluster;
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"import", {"later"}}}));
  const auto accepted = said(cluster.of(Kind::BGPPeer, "tor"), accepted_condition);
  EXPECT_EQ(accepted.reason, "HeldDown");
  EXPECT_EQ(accepted.message, "spec.import: names BGPFilter/later, which is not there or is refused");
  cluster.add(own("BGPFilter", "later", {{"rules", json::array()}}));
  EXPECT_EQ(said(cluster.of(Kind::BGPPeer, "tor"), accepted_condition).status, Status::True);
}

TEST(PeerWithASecret, IsHeldDownOnlyByThoseWhoMayReadSecrets) {
  const auto secretive = peer("tor", {{"peerASN", 65001},
                                      {"peerAddress", "10.0.0.1"},
                                      {"passwordSecret", {{"name", "bgp"}, {"namespace", "herald-system"}}}});
  Cluster store;
  store.add(secretive);
  EXPECT_EQ(said(store.of(Kind::BGPPeer, "tor"), accepted_condition).reason, "HeldDown");
  Cluster kubernetes{config::Secrets::Unknown};
  kubernetes.add(secretive);
  const auto accepted = said(kubernetes.of(Kind::BGPPeer, "tor"), accepted_condition);
  EXPECT_EQ(accepted.status, Status::True);
  EXPECT_NE(accepted.message.find("whether Secret/herald-system/bgp has what it needs"), std::string::npos)
      << accepted.message;
}

TEST(ProfileWithASecret, AndWhoeverNamesItAreAcceptedWhereSecretsAreUnknown) {
  Cluster cluster{config::Secrets::Unknown};
  cluster
      .add(own("BFDProfile", "signed", {{"authentication", {{"type", "keyed-sha1"}, {"secret", {{"name", "bfd"}}}}}}))
      .add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"bfdProfile", "signed"}}));
  EXPECT_EQ(said(cluster.of(Kind::BFDProfile, "signed"), accepted_condition).status, Status::True);
  EXPECT_EQ(said(cluster.of(Kind::BGPPeer, "tor"), accepted_condition).status, Status::True);
}

Cluster three_nodes() {
  Cluster cluster;
  for (const auto* name : {"n1", "n2", "n3"}) cluster.add(node(name));
  cluster.add(speaker("n1", {"tor"})).add(speaker("n2", {"tor"})).add(speaker("n3", {}));
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}}));
  return cluster;
}

TEST(EstablishedPeer, CountsItsNodesAndNamesThoseWithout) {
  auto cluster = three_nodes();
  auto status = cluster.of(Kind::BGPPeer, "tor");
  EXPECT_EQ(status.members["sessions"],
            json({{"nodes", 3}, {"established", 2}, {"summary", "2/3"}, {"notEstablished", {"n3"}}}));
  auto established = said(status, established_condition);
  EXPECT_EQ(established.status, Status::False);
  EXPECT_EQ(established.reason, "NotEstablished");
  EXPECT_EQ(established.message, "not on n3; on n1 and n2");

  cluster.add(speaker("n3", {"another", "tor"}));
  status = cluster.of(Kind::BGPPeer, "tor");
  EXPECT_EQ(status.members["sessions"]["summary"], "3/3");
  EXPECT_EQ(status.members["sessions"]["notEstablished"], json::array());
  established = said(status, established_condition);
  EXPECT_EQ(established.status, Status::True);
  EXPECT_EQ(established.message, "on n1, n2 and n3");
}

TEST(EstablishedPeer, GoesByTheNodesThatLiveAndAreSelected) {
  auto cluster = three_nodes();
  auto status = cluster.of(Kind::BGPPeer, "tor", {"n3"});
  EXPECT_EQ(status.members["sessions"]["summary"], "2/2");
  EXPECT_EQ(said(status, established_condition).status, Status::True);
  EXPECT_EQ(said(status, established_condition).message, "on n1 and n2; no speaker lives on n3");
  status = cluster.of(Kind::BGPPeer, "tor", {"n1", "n2", "n3"});
  EXPECT_EQ(said(status, established_condition).reason, "NoSpeaker");
  EXPECT_EQ(status.members["sessions"]["summary"], "0/0");

  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"nodeSelectors", on("n2")}}));
  status = cluster.of(Kind::BGPPeer, "tor");
  EXPECT_EQ(status.members["sessions"]["summary"], "1/1");
  EXPECT_EQ(said(status, established_condition).message, "on n2");
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"nodeSelectors", on("n9")}}));
  EXPECT_EQ(said(cluster.of(Kind::BGPPeer, "tor"), established_condition).reason, "NoNode");
}

TEST(EstablishedPeer, SaysThatItIsHeldDownOnPurpose) {
  auto cluster = three_nodes();
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"shutdown", true}}));
  EXPECT_EQ(said(cluster.of(Kind::BGPPeer, "tor"), established_condition).reason, "Shutdown");
}

TEST(EstablishedPeer, IsBoundedWhateverTheNumberOfNodes) {
  Cluster cluster;
  for (int i = 0; i < 500; ++i) cluster.add(speaker("node-with-a-long-name-" + std::to_string(1000 + i), {}));
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}}));
  const auto status = cluster.of(Kind::BGPPeer, "tor");
  EXPECT_EQ(status.members["sessions"]["summary"], "0/500");
  EXPECT_EQ(status.members["sessions"]["notEstablished"].size(), most_not_established);
  EXPECT_NE(said(status, established_condition).message.find("and 496 more"), std::string::npos);
  EXPECT_LT(status.members.dump().size() + said(status, established_condition).message.size(), 1000U);
}

TEST(Advertisement, IsEffectiveOrSaysTheFirstReasonWhyNothingComesOfIt) {
  Cluster cluster;
  const auto state = [&] { return said(cluster.of(Kind::BGPAdvertisement, "ad"), effective_condition); };
  cluster.add(own("BGPAdvertisement", "ad", {{"ipAddressPools", {"front"}}, {"peers", {"tor"}}}));
  EXPECT_EQ(state().reason, "NoPool");
  cluster.add(pool("front", {"192.0.2.0/28"}));
  EXPECT_EQ(state().reason, "NoNode");
  cluster.add(node("n1")).add(node("n2"));
  EXPECT_EQ(state().reason, "NoSpeaker");
  cluster.add(speaker("n1", {})).add(speaker("n2", {"tor"}));
  EXPECT_EQ(state().reason, "NoPeer");
  cluster.add(peer("tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"nodeSelectors", on("n1")}}));
  EXPECT_EQ(state().reason, "NoSession") << "n2 is no node of the peer, whatever its speaker says";
  EXPECT_EQ(state().message, "no session with tor is established on the nodes that it selects");
  cluster.add(speaker("n1", {"tor"}));
  EXPECT_EQ(state().status, Status::True);
  EXPECT_EQ(state().message, "selects 1 IPAddressPool, 2 nodes and 1 BGPPeer");
  cluster.add(own("BGPAdvertisement", "ad", {{"communities", {"unknown"}}}));
  EXPECT_EQ(state().reason, "NotAccepted");
}

TEST(Advertisement, OfPrefixesAloneNeedsNoPool) {
  auto cluster = three_nodes();
  cluster.add(own("BGPAdvertisement", "ad", {{"prefixes", {"198.51.100.0/24", "2001:db8::/48"}}}));
  const auto state = said(cluster.of(Kind::BGPAdvertisement, "ad"), effective_condition);
  EXPECT_EQ(state.message, "selects 0 IPAddressPools, 2 prefixes, 3 nodes and 1 BGPPeer");
}

TEST(Layer2Advertisement, NeedsASubnetOfItsPools) {
  Cluster cluster;
  const auto state = [&] { return said(cluster.of(Kind::L2Advertisement, "lan"), effective_condition); };
  cluster.add(pool("front", {"192.0.2.16-192.0.2.20"})).add(own("L2Advertisement", "lan", json::object()));
  cluster.add(speaker("n1", {}, "198.51.100.0/24"));
  EXPECT_EQ(state().reason, "NoSubnet");
  cluster.add(speaker("n2", {}, "192.0.2.0/24"));
  EXPECT_EQ(state().status, Status::True);
  EXPECT_EQ(state().message, "selects 1 IPAddressPool and 2 nodes");
  cluster.add(own("L2Advertisement", "lan", {{"interfaces", {"eth7"}}}));
  EXPECT_EQ(state().reason, "NoSubnet");
}

TEST(SelectedNodesOfACluster, AreStaleWhenOtherSpeakersReportAndThereAreNoNodes) {
  Cluster cluster;
  cluster.add(speaker("n1", {}));
  SelectedNodes nodes{cluster.set().current().resources};
  EXPECT_EQ(nodes.of({}), NodeNames{"n1"});
  EXPECT_FALSE(nodes.stale(cluster.set().current().resources));
  cluster.add(speaker("n2", {}));
  EXPECT_TRUE(nodes.stale(cluster.set().current().resources));
}

}  // namespace
}  // namespace insight
