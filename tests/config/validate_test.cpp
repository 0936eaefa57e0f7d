// SPDX-License-Identifier: Apache-2.0
// What golden files cannot show: judging as one node, and independence of the order in which things came.
#include "config/validate.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source/files.hpp"

namespace config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

BGPPeer peer(const std::string& name, const std::string& address, std::vector<LabelSelector> nodes = {}) {
  BGPPeer out;
  out.meta.name = name;
  out.my_asn = Asn{65000};
  out.peer_asn = Asn{65001};
  out.peer_address = *net::parse_ip(address);
  out.node_selectors = std::move(nodes);
  return out;
}

LabelSelector labelled(const std::string& key, const std::string& value) {
  LabelSelector out;
  out.match_labels[key] = value;
  return out;
}

IPAddressPool pool(const std::string& name, const std::string& range, const std::string& created = {}) {
  IPAddressPool out;
  out.meta.name = name;
  out.meta.creation_timestamp = created;
  out.addresses = {*net::parse_range(range)};
  return out;
}

template <class... T>
Resources set_of(const T&... objects) {
  Resources out;
  (items<T>(out).emplace(objects.meta.key(), objects), ...);
  return out;
}

TEST(Validation, KeepsTheOlderOfTwoPools) {
  const auto verdict = validate(
      set_of(pool("a", "10.0.0.0/24", "2024-01-02T00:00:00Z"), pool("b", "10.0.0.0/25", "2024-01-01T00:00:00Z")));
  EXPECT_THAT(verdict.set_aside, ElementsAre(Key("IPAddressPool/a")));
}

TEST(Validation, LetsAPoolInWhoseOnlyOpponentIsSetAside) {
  const auto verdict =
      validate(set_of(pool("a", "10.0.0.0/24"), pool("b", "10.0.0.128-10.0.1.10"), pool("c", "10.0.1.0/28")));
  EXPECT_THAT(verdict.set_aside, ElementsAre(Key("IPAddressPool/b")));
}

TEST(Validation, AsOneNodeSeesOnlyTheConflictsOfThatNode) {
  const auto resources =
      set_of(peer("east", "10.0.0.1", {labelled("rack", "e")}), peer("edge", "10.0.0.1", {labelled("role", "edge")}));
  EXPECT_THAT(validate(resources).set_aside, IsEmpty());

  auto with_node = resources;
  with_node.nodes["r1"].meta.labels = {{"rack", "e"}, {"role", "edge"}};
  with_node.nodes["r2"].meta.labels = {{"rack", "e"}};
  EXPECT_THAT(validate(with_node, {"r1", {}}).set_aside, ElementsAre(Key("BGPPeer/edge")));
  EXPECT_THAT(validate(with_node, {"r2", {}}).set_aside, IsEmpty());
  EXPECT_THAT(validate(with_node).set_aside, ElementsAre(Key("BGPPeer/edge")));
}

TEST(Validation, KnowsAnUndescribedNodeByItsName) {
  const auto resources =
      set_of(peer("a", "10.0.0.1", {labelled("kubernetes.io/hostname", "r1")}), peer("b", "10.0.0.1"));
  EXPECT_THAT(validate(resources, {"r1", {}}).set_aside, ElementsAre(Key("BGPPeer/b")));
  EXPECT_THAT(validate(resources, {"r2", {}}).set_aside, IsEmpty());
}

TEST(Validation, HoldsPeersDownWhenTheConfigurationOfTheirNodeIsRefused) {
  const auto resources = set_of(peer("a", "10.0.0.1"));
  EXPECT_THAT(validate(resources, {"r1", {"BGPConfiguration/node.r1"}}).held_down,
              ElementsAre(Pair("a", ElementsAre("spec: BGPConfiguration/node.r1 is refused"))));
  EXPECT_THAT(validate(resources, {"r1", {"BGPConfiguration/node.r2"}}).held_down, IsEmpty());
  EXPECT_THAT(validate(resources, {"r1", {"BGPConfiguration/default"}}).held_down, ElementsAre(Key("a")));
  // A node with a configuration of its own does not need the default one.
  auto with_own = resources;
  with_own.bgp_configurations["node.r1"].meta.name = "node.r1";
  EXPECT_THAT(validate(with_own, {"r1", {"BGPConfiguration/default"}}).held_down, IsEmpty());
}

TEST(Validation, TakesTheImportOfTheNodeItJudgesFor) {
  auto resources = set_of(peer("a", "10.0.0.1"));
  auto& own = resources.bgp_configurations["node.r1"];
  own.meta.name = "node.r1";
  own.import_filters = {"nowhere"};
  EXPECT_THAT(validate(resources, {"r1", {}}).held_down, ElementsAre(Key("a")));
  EXPECT_THAT(validate(resources, {"r2", {}}).held_down, IsEmpty());
}

TEST(Validation, DoesNotHoldDownWhatIsSetAside) {
  auto first = peer("a", "10.0.0.1");
  auto second = peer("b", "10.0.0.1");
  second.import_filters = {"nowhere"};
  const auto verdict = validate(set_of(first, second));
  EXPECT_THAT(verdict.set_aside, ElementsAre(Key("BGPPeer/b")));
  EXPECT_THAT(verdict.held_down, IsEmpty());
}

// Names decide between objects of the same age, so the order of reading must not.
TEST(Validation, GivesTheSameVerdictForEveryOrderOfTheDocuments) {
  std::vector<std::string> documents = {
      "{apiVersion: herald.dev/v1, kind: IPAddressPool, metadata: {name: a, creationTimestamp: '1'}, spec: {addresses: "
      "[10.0.0.0/24]}}",
      "{apiVersion: herald.dev/v1, kind: IPAddressPool, metadata: {name: b, creationTimestamp: '2'}, spec: {addresses: "
      "[10.0.0.0/25, 10.1.0.0/24]}}",
      "{apiVersion: herald.dev/v1, kind: BGPAdvertisement, metadata: {name: x, creationTimestamp: '3'}, spec: "
      "{localPref: "
      "1, communities: [c]}}",
      "{apiVersion: herald.dev/v1, kind: BGPAdvertisement, metadata: {name: y, creationTimestamp: '4'}, spec: "
      "{localPref: "
      "2}}",
      "{apiVersion: herald.dev/v1, kind: Community, metadata: {name: n}, spec: {communities: [{name: c, value: "
      "'1:1'}]}}"};
  std::ranges::sort(documents);
  std::vector<std::string> expected;
  do {
    std::string text;
    for (const auto& document : documents) text += document + "\n---\n";
    const auto loaded = assemble(read_objects(text, "f", Syntax::Yaml));
    std::vector<std::string> names;
    for (const auto& [name, why] : loaded.set_aside) names.push_back(name);
    if (expected.empty()) expected = names;
    ASSERT_EQ(names, expected);
  } while (std::ranges::next_permutation(documents).found);
  EXPECT_THAT(expected, ElementsAre("BGPAdvertisement/y", "IPAddressPool/b"));
}

TEST(LabelSelectors, FollowKubernetes) {
  using Operator = LabelSelector::Operator;
  const auto with = [](Operator op, std::vector<std::string> values) {
    LabelSelector out;
    out.match_expressions = {{"tier", op, std::move(values)}};
    return out;
  };
  const Labels front{{"tier", "front"}};
  const Labels none;
  EXPECT_TRUE(LabelSelector{}.matches(none));
  EXPECT_TRUE(with(Operator::In, {"back", "front"}).matches(front));
  EXPECT_FALSE(with(Operator::In, {"front"}).matches(none));
  EXPECT_FALSE(with(Operator::NotIn, {"front"}).matches(front));
  EXPECT_TRUE(with(Operator::NotIn, {"front"}).matches(none));
  EXPECT_TRUE(with(Operator::Exists, {}).matches(front));
  EXPECT_FALSE(with(Operator::Exists, {}).matches(none));
  EXPECT_TRUE(with(Operator::DoesNotExist, {}).matches(none));
  auto both = with(Operator::Exists, {});
  both.match_labels["rack"] = "a";
  EXPECT_FALSE(both.matches(front));
  EXPECT_TRUE(any_matches({}, none));
  EXPECT_TRUE(any_matches({both, with(Operator::Exists, {})}, front));
  EXPECT_FALSE(any_matches({both}, front));
}

}  // namespace
}  // namespace config
