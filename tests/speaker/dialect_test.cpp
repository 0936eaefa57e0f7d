// SPDX-License-Identifier: Apache-2.0
// MetalLB's objects as they are written, down to what a node announces of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source/files.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

constexpr auto text = R"(
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web, namespace: metallb-system, labels: {tier: front}}
spec: {addresses: [192.0.2.0/24, "2001:db8::/112"]}
---
apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names, namespace: metallb-system}
spec: {communities: [{name: no-export, value: "65535:65281"}, {name: big, value: "large:64512:1:2"}]}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor, namespace: metallb-system}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: aggregate, namespace: metallb-system}
spec:
  ipAddressPoolSelectors: [{matchLabels: {tier: front}}]
  aggregationLength: 26
  aggregationLengthV6: 120
  localPref: 150
  communities: [no-export, big, "64512:7"]
---
apiVersion: v1
kind: Node
metadata: {name: a}
---
apiVersion: v1
kind: Node
metadata: {name: b}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: shop}, ports: [{port: 80}]}
status: {loadBalancer: {ingress: [{ip: 192.0.2.70}, {ip: "2001:db8::170"}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shop-1, labels: {kubernetes.io/service-name: shop}}
addressType: IPv4
endpoints: [{addresses: [10.244.0.1], nodeName: a, conditions: {ready: true}}]
)";

config::Resources resources() {
  auto loaded = config::assemble(config::read_objects(text, "metallb.yaml", config::Syntax::Yaml));
  EXPECT_THAT(loaded.problems, IsEmpty());
  return std::move(loaded.resources);
}

TEST(MetalLbSet, AggregatesOnTheNodesThatHaveEndpoints) {
  const auto all = resources();
  EXPECT_THAT(desired_of(all, "a").routes(),
              ElementsAre(Key(prefix("192.0.2.64/26")), Key(prefix("2001:db8::100/120"))));
  EXPECT_THAT(desired_of(all, "b").routes(), IsEmpty()) << "externalTrafficPolicy Local";
}

TEST(MetalLbSet, ResolvesAliasesOfCommunities) {
  const auto all = resources();
  const auto desired = desired_of(all, "a");
  const auto* attributes = desired.routes().begin()->second->to("tor");
  ASSERT_NE(attributes, nullptr);
  EXPECT_THAT(attributes->communities, SizeIs(2));
  EXPECT_THAT(attributes->large_communities, SizeIs(1));
  EXPECT_EQ(attributes->local_pref, 150U);
}

TEST(MetalLbSet, SpeaksTheFamilyOfThePeersAddress) {
  const auto all = resources();
  EXPECT_THAT(all.peers.at("tor").families, ElementsAre(config::AddressFamily::Ipv4Unicast));
}

}  // namespace
}  // namespace speaker
