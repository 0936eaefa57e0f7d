// SPDX-License-Identifier: Apache-2.0
#include "config/source/kubernetes_kinds.hpp"

#include <gmock/gmock.h>

namespace config {
namespace {

using testing::ElementsAre;

TEST(KubernetesCollections, HaveTheVersionsThatClustersServe) {
  const auto slices = kubernetes_collections(Kind::EndpointSlice, "metallb-system");
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_THAT(slices[0].paths,
              ElementsAre("/apis/discovery.k8s.io/v1/endpointslices", "/apis/discovery.k8s.io/v1beta1/endpointslices"));
  EXPECT_FALSE(slices[0].optional) << "a server without any is an error";
}

TEST(KubernetesCollections, HaveMetalLbsObjectsBehindOurs) {
  const auto peers = kubernetes_collections(Kind::BGPPeer, "metallb-system");
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].dialect, Dialect::Own);
  EXPECT_TRUE(peers[0].optional) << "the CRDs may come later";
  EXPECT_EQ(peers[1].dialect, Dialect::MetalLb);
  EXPECT_THAT(peers[1].paths, ElementsAre("/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers",
                                          "/apis/metallb.io/v1beta1/namespaces/metallb-system/bgppeers"));
  EXPECT_EQ(kubernetes_collections(Kind::BGPPeer, "").size(), 1U);
  EXPECT_EQ(kubernetes_collections(Kind::BGPFilter, "metallb-system").size(), 1U) << "MetalLB has no such kind";
  EXPECT_EQ(kubernetes_collections(Kind::Service, "metallb-system").size(), 1U);
}

}  // namespace
}  // namespace config
