// SPDX-License-Identifier: Apache-2.0
#include "controller/api/discovery.hpp"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "controller/api/openapi.hpp"
#include "controller/api/schema.hpp"

namespace controller {
namespace {

using nlohmann::json;

json discovered(std::string_view path, std::string_view accept = "") {
  const auto response = discover(path, accept);
  return response ? json::parse(response->body) : json{};
}

TEST(Discovery, NamesGroupsAndResources) {
  EXPECT_EQ(discovered("/api")["versions"], json::array({"v1"}));
  std::set<std::string> groups;
  const auto apis = discovered("/apis");
  for (const auto& group : apis["groups"]) groups.insert(group["name"]);
  EXPECT_EQ(groups, (std::set<std::string>{"discovery.k8s.io", "herald.dev"}));
  EXPECT_EQ(discovered("/apis/herald.dev")["preferredVersion"]["groupVersion"], "herald.dev/v1");
  std::set<std::string> resources;
  const auto core = discovered("/api/v1");
  for (const auto& resource : core["resources"]) resources.insert(resource["name"]);
  EXPECT_EQ(resources, (std::set<std::string>{"events", "namespaces", "namespaces/status", "nodes", "nodes/status",
                                              "secrets", "services", "services/status"}));
  EXPECT_FALSE(discover("/apis/apps", ""));
  EXPECT_FALSE(discover("/api/v2", ""));
}

TEST(Discovery, IsAggregatedForThoseWhoAsk) {
  const auto accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
  const auto response = discover("/apis", accept);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->content_type, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const auto body = json::parse(response->body);
  EXPECT_EQ(body["apiVersion"], "apidiscovery.k8s.io/v2");
  std::size_t kinds = discovered("/api", accept)["items"][0]["versions"][0]["resources"].size();
  for (const auto& group : body["items"]) kinds += group["versions"][0]["resources"].size();
  EXPECT_EQ(kinds, config::all_kinds().size());
}

TEST(OpenApi, DescribesEveryKindInBothVersions) {
  const auto v2 = json::parse(openapi("/openapi/v2", "application/json")->body);
  const auto index = json::parse(openapi("/openapi/v3", "")->body);
  for (const auto& kind : config::all_kinds()) {
    const auto name = definition_name(kind);
    ASSERT_TRUE(v2["definitions"].contains(name)) << name;
    EXPECT_EQ(v2["definitions"][name]["x-kubernetes-group-version-kind"][0]["kind"], kind.name);
    const auto root = std::string{kind.group().empty() ? "api/" : "apis/"} + std::string{kind.api_version};
    const auto url = index["paths"][root]["serverRelativeURL"].get<std::string>();
    const auto document = json::parse(openapi(url, "")->body);
    EXPECT_EQ(document["components"]["schemas"][name], v2["definitions"][name]);
  }
  EXPECT_FALSE(openapi("/openapi/v3/apis/apps/v1", ""));
}

TEST(OpenApi, SaysHowListsAreMerged) {
  const auto ports = schema_of(config::info(config::Kind::Service))["properties"]["spec"]["properties"]["ports"];
  EXPECT_EQ(ports["x-kubernetes-patch-merge-key"], "port");
  EXPECT_EQ(ports["items"]["properties"]["targetPort"]["format"], "int-or-string");
}

TEST(OpenApi, IsEncodedAsProtobufForOlderClients) {
  const auto response = openapi("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf");
  EXPECT_EQ(response->content_type, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  // Field 1, the text "2.0"; field 2, a message.
  EXPECT_EQ(response->body.substr(0, 6), std::string("\x0a\x03"
                                                     "2.0\x12",
                                                     6));
  EXPECT_EQ(encode_openapi_v2({{"swagger", "2.0"},
                               {"info", {{"title", "t"}, {"version", "v"}}},
                               {"definitions", {{"D", {{"type", "object"}, {"x-a", 1}}}}}}),
            std::string("\x0a\x03"
                        "2.0"  // swagger
                        "\x12\x06\x0a\x01"
                        "t\x12\x01"
                        "v"                 // info
                        "\x42\x00"          // paths
                        "\x4a\x1f\x0a\x1d"  // definitions, one of them
                        "\x0a\x01"
                        "D\x12\x18"
                        "\xb2\x01\x08\x0a\x06"
                        "object"
                        "\xfa\x01\x0a\x0a\x03"
                        "x-a\x12\x03\x12\x01"
                        "1",
                        48));
}

}  // namespace
}  // namespace controller
