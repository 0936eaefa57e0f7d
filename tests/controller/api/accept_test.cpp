// SPDX-License-Identifier: Apache-2.0
#include "controller/api/accept.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using Shape = Form::Shape;

TEST(AcceptHeader, IsReadInOrder) {
  EXPECT_EQ(choose_form("")->shape, Shape::Object);
  EXPECT_EQ(choose_form("*/*")->shape, Shape::Object);
  EXPECT_EQ(choose_form("application/json, */*")->shape, Shape::Object);
  const auto kubectl = choose_form(
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/"
      "json");
  EXPECT_EQ(kubectl->shape, Shape::Table);
  EXPECT_EQ(kubectl->version, "v1");
  EXPECT_EQ(choose_form("application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json")->version, "v1beta1");
  EXPECT_EQ(choose_form("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
                        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json")
                ->shape,
            Shape::Metadata);
  EXPECT_EQ(choose_form("application/json;as=Table;v=v2;g=meta.k8s.io, application/json")->shape, Shape::Object);
}

TEST(AcceptHeader, WithoutJsonIsNotAcceptable) {
  EXPECT_FALSE(choose_form("text/html"));
  EXPECT_FALSE(choose_form("application/vnd.kubernetes.protobuf"));
  EXPECT_FALSE(choose_form("application/json;as=Chair;v=v1;g=meta.k8s.io"));
  EXPECT_FALSE(choose_form("application/json;q=0"));
}

TEST(AcceptHeader, OfDiscoverySaysTheVersion) {
  EXPECT_EQ(aggregated_discovery_version("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
                                         "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
                                         "application/json"),
            "v2");
  EXPECT_EQ(aggregated_discovery_version("application/json, */*"), std::nullopt);
}

}  // namespace
}  // namespace controller
