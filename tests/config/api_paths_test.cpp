// SPDX-License-Identifier: Apache-2.0
#include "config/api_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

TEST(KindTable, FindsKindsByApiVersionAndName) {
  EXPECT_EQ(find_kind("herald.dev/v1", "BGPPeer"), &info(Kind::BGPPeer));
  EXPECT_EQ(find_kind("discovery.k8s.io/v1", "EndpointSlice"), &info(Kind::EndpointSlice));
  EXPECT_EQ(find_kind("v1", "BGPPeer"), nullptr);
  EXPECT_EQ(find_kind("herald.dev/v1", "bgppeer"), nullptr);
}

TEST(KindTable, FindsKindsByWhatPeopleType) {
  for (const auto* word : {"bgppeers", "BGPPeer", "bgppeer", "peer"})
    EXPECT_EQ(find_kind_by_word(word), &info(Kind::BGPPeer)) << word;
  EXPECT_EQ(find_kind_by_word("svc"), &info(Kind::Service));
  EXPECT_EQ(find_kind_by_word("Pools"), &info(Kind::IPAddressPool));
  EXPECT_EQ(find_kind_by_word("s"), nullptr);
  EXPECT_EQ(find_kind_by_word(""), nullptr);
  EXPECT_EQ(find_kind_by_word("pears"), nullptr);
}

TEST(KindTable, SplitsGroupAndVersion) {
  EXPECT_EQ(info(Kind::EndpointSlice).group(), "discovery.k8s.io");
  EXPECT_EQ(info(Kind::EndpointSlice).version(), "v1");
  EXPECT_EQ(info(Kind::Service).group(), "");
  EXPECT_EQ(info(Kind::Service).version(), "v1");
}

TEST(ApiPaths, AreThoseOfKubernetes) {
  EXPECT_EQ(collection_path(info(Kind::BGPPeer)), "/apis/herald.dev/v1/bgppeers");
  EXPECT_EQ(collection_path(info(Kind::BGPPeer), "default"), "/apis/herald.dev/v1/bgppeers");
  EXPECT_EQ(collection_path(info(Kind::Service)), "/api/v1/services");
  EXPECT_EQ(collection_path(info(Kind::Service), "web"), "/api/v1/namespaces/web/services");
  EXPECT_EQ(object_path(info(Kind::Service), "web", "front", "status"), "/api/v1/namespaces/web/services/front/status");
  EXPECT_EQ(object_path(info(Kind::Namespace), "", "web"), "/api/v1/namespaces/web");
}

TEST(ApiPaths, ReadBackWhatTheyWrite) {
  for (const auto& kind : all_kinds()) {
    const auto namespace_name = kind.namespaced() ? "web" : "";
    const auto collection = parse_api_path(collection_path(kind, namespace_name));
    ASSERT_TRUE(collection.has_value()) << kind.name;
    EXPECT_EQ(collection->kind, &kind);
    EXPECT_EQ(collection->namespace_name, namespace_name);
    EXPECT_EQ(collection->name, "");
    const auto status = parse_api_path(object_path(kind, namespace_name, "thing", "status"));
    ASSERT_TRUE(status.has_value()) << kind.name;
    EXPECT_EQ(status->kind, &kind);
    EXPECT_EQ(status->name, "thing");
    EXPECT_EQ(status->subresource, "status");
  }
}

TEST(ApiPaths, RefuseWhatIsNotInTheTable) {
  for (const auto* path :
       {"", "/", "/api", "/api/v1", "/apis/herald.dev/v1", "/api/v2/services", "/api/v1/pods", "/api/v1//services",
        "/api/v1/services/front", "/api/v1/namespaces/web/nodes", "/api/v1/namespaces/web/services/front/scale",
        "/api/v1/namespaces/web/services/front/status/more", "/apis/v1/services", "api/v1/services",
        "/apis/herald.dev/v1/namespaces/web/bgppeers", "/api/v1/services/"})
    EXPECT_FALSE(parse_api_path(path).has_value()) << path;
}

}  // namespace
}  // namespace config
