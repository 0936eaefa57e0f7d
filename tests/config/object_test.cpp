// SPDX-License-Identifier: Apache-2.0
#include "config/object.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace config {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The form that DESIGN.md promises, word for word.
constexpr std::string_view plain_router = R"(apiVersion: herald.dev/v1
kind: BGPConfiguration
metadata: {name: default}
spec:
  asn: 65000
  routerID: 10.0.0.1            # default: the lowest-index interface's first IPv4 address; required when there is none
  listen: {addresses: [10.0.0.1], port: 179}   # default: any address, 179; port 0 = do not listen
  kernel: {install: true, table: 254, metric: 20}
---
apiVersion: herald.dev/v1
kind: BGPPeer
metadata: {name: tor1}
spec:
  peerASN: 65001
  peerAddress: 10.0.1.1
  passive: true                 # default false
  holdTime: 90s
  families: [ipv4-unicast, ipv6-unicast]       # default: both
  import: [accept-all]          # names of BGPFilter
  export: [accept-all]          # default: what this node announces, and nothing learned
  maxPrefixes: 0                # 0 = no limit; default 10000 per family
)";

std::vector<std::string> printed(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const auto& problem : problems) out.push_back(print(problem));
  return out;
}

std::vector<std::string> problems_of(const std::string& text) {
  return printed(read_objects(text, "f.yaml", Syntax::Yaml).problems);
}

TEST(ObjectReader, ReadsThePlainRouter) {
  const auto result = read_objects(plain_router, "router.yaml", Syntax::Yaml);
  ASSERT_THAT(printed(result.problems), IsEmpty());
  ASSERT_THAT(result.objects, SizeIs(2));
  const auto& configuration = std::get<BGPConfiguration>(result.objects[0]);
  EXPECT_EQ(configuration.asn, Asn{65000});
  EXPECT_EQ(configuration.router_id, net::parse_router_id("10.0.0.1"));
  EXPECT_THAT(configuration.listen.addresses, ElementsAre(*net::parse_ip("10.0.0.1")));
  EXPECT_EQ(configuration.kernel, BGPConfiguration::Kernel{});
  const auto& peer = std::get<BGPPeer>(result.objects[1]);
  EXPECT_EQ(peer.meta.location, (Location{"router.yaml", 10, 1}));
  EXPECT_EQ(peer.peer_asn, Asn{65001});
  EXPECT_EQ(peer.my_asn, std::nullopt);
  EXPECT_TRUE(peer.passive);
  EXPECT_EQ(peer.hold_time, seconds{90});
  EXPECT_EQ(peer.import_filters, (std::vector<std::string>{"accept-all"}));
  EXPECT_EQ(peer.max_prefixes, 0U);
}

TEST(ObjectReader, ReadsTheSameFromJson) {
  for (const auto& object : read_objects(plain_router, "router.yaml", Syntax::Yaml).objects) {
    const auto again = read_objects(print(object).dump(), "router.json", Syntax::Json);
    ASSERT_THAT(printed(again.problems), IsEmpty());
    EXPECT_EQ(print(again.objects.at(0)), print(object));
    const auto tree = read_object(print(object));
    EXPECT_EQ(print(tree.objects.at(0)), print(object));
  }
}

TEST(ObjectReader, NamesFilePlaceObjectAndField) {
  EXPECT_THAT(problems_of("apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: tor1}\n"
                          "spec:\n  holdTime: 2s\n  peerASN: 65001\n"),
              ElementsAre("f.yaml:5:13: BGPPeer/tor1 spec.holdTime: must be 0 or at least 3 s, got 2 s",
                          "f.yaml:5:3: BGPPeer/tor1 spec.peerAddress: is required, or interface, listenRange or "
                          "peerSelectors"));
}

TEST(ObjectReader, ReportsEveryObjectAndKeepsTheGoodOnes) {
  const auto result = read_objects(R"(
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: good}}
- {apiVersion: v1, kind: Namespace, metadata: {name: Bad}}
- {apiVersion: herald.dev/v1, kind: IPAddressPool, metadata: {name: empty}, spec: {addresses: [nonsense]}}
)",
                                   "f.yaml", Syntax::Yaml);
  EXPECT_THAT(result.objects, SizeIs(1));
  EXPECT_THAT(printed(result.problems),
              ElementsAre(HasSubstr("Namespace/Bad metadata.name: must be lower-case letters"),
                          HasSubstr("IPAddressPool/empty spec.addresses[0]: must be a prefix such as")));
}

TEST(ObjectReader, ReadsTheListOfAnApiServer) {
  const auto result = read_objects(
      R"({"apiVersion": "v1", "kind": "ServiceList", "metadata": {"resourceVersion": "7"},
          "items": [{"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}]})",
      "f.json", Syntax::Json);
  ASSERT_THAT(printed(result.problems), IsEmpty());
  EXPECT_EQ(meta_of(result.objects.at(0)).key(), "default/web");
}

TEST(ObjectReader, ProposesTheFieldThatWasMeant) {
  EXPECT_THAT(problems_of("apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: tor1}\n"
                          "spec: {peerAsn: 65001, peerAddress: 10.0.0.1, vrf: fast, colour: red}\n"),
              ElementsAre(HasSubstr("spec.vrf: is not implemented by Herald"),
                          HasSubstr("spec.peerAsn: is not a field that Herald knows; did you mean peerASN?"),
                          "f.yaml:4:58: BGPPeer/tor1 spec.colour: is not a field that Herald knows",
                          HasSubstr("spec.peerASN: is required, or dynamicASN")));
}

TEST(ObjectReader, NamesTheKindsItReads) {
  EXPECT_THAT(problems_of("apiVersion: herald.dev/v2\nkind: BGPPeer\n"),
              ElementsAre(HasSubstr("BGPPeer is read in herald.dev/v1, metallb.io/v1beta1, metallb.io/v1beta2")));
  EXPECT_THAT(problems_of("apiVersion: v1\nkind: Pod\n"),
              ElementsAre(HasSubstr("of v1 Herald reads Service, Node, Namespace, Secret")));
  EXPECT_THAT(problems_of("kind: Pod\n"), ElementsAre(HasSubstr("apiVersion: is required")));
  EXPECT_THAT(problems_of("- 1\n"), ElementsAre(HasSubstr("must be a mapping with apiVersion and kind")));
}

TEST(ObjectReader, NeverShowsAPassword) {
  EXPECT_THAT(problems_of("apiVersion: herald.dev/v1\nkind: BGPPeer\nmetadata: {name: tor1}\n"
                          "spec: {peerASN: 1, peerAddress: 10.0.0.1, password: 12345678}\n"),
              ElementsAre("f.yaml:4:53: BGPPeer/tor1 spec.password: must be text; write it in quotes"));
}

}  // namespace
}  // namespace config
