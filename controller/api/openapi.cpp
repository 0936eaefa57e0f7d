// SPDX-License-Identifier: Apache-2.0
#include "controller/api/openapi.hpp"

#include <fmt/format.h>

#include "controller/api/accept.hpp"
#include "controller/api/schema.hpp"

namespace controller {
namespace {

using nlohmann::json;

// As older clients ask for it, which is no media type at all ('@' is no token character), and as newer ones do.
constexpr std::string_view protobuf_v2_asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
constexpr std::string_view protobuf_v2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

json information() {
  return {{"title", "Herald"}, {"version", "v1"}};
}

json v2_document() {
  auto definitions = json::object();
  for (const auto& kind : config::all_kinds()) definitions[definition_name(kind)] = schema_of(kind);
  return {
      {"swagger", "2.0"}, {"info", information()}, {"paths", json::object()}, {"definitions", std::move(definitions)}};
}

// "api/v1", "apis/herald.dev/v1"
std::string root_of(const config::KindInfo& kind) {
  return fmt::format("{}/{}", kind.group().empty() ? "api" : "apis", kind.api_version);
}

json parameter(std::string_view name, std::string_view description) {
  return {{"name", name}, {"in", "query"}, {"description", description}, {"schema", {{"type", "string"}}}};
}

// The one operation that kubectl looks for: may it leave checking fields, and dry runs, to the server?
json patch_operation(const config::KindInfo& kind) {
  const json gvk{{"group", kind.group()}, {"version", kind.version()}, {"kind", kind.name}};
  const json body{{"schema", {{"type", "object"}}}};
  json content{{"application/json-patch+json", body},
               {"application/merge-patch+json", body},
               {"application/apply-patch+yaml", body}};
  if (kind.group() != "herald.dev") content["application/strategic-merge-patch+json"] = body;
  const json result{{"schema", {{"$ref", fmt::format("#/components/schemas/{}", definition_name(kind))}}}};
  return {{"operationId", fmt::format("patch{}", kind.name)},
          {"x-kubernetes-action", "patch"},
          {"x-kubernetes-group-version-kind", gvk},
          {"parameters",
           json::array({parameter("dryRun", "All: check and answer, and change nothing."),
                        parameter("fieldManager", "Who applies."),
                        parameter("fieldValidation", "Taken as Strict for Herald's kinds whatever it says.")})},
          {"requestBody", {{"content", std::move(content)}}},
          {"responses", {{"200", {{"description", "OK"}, {"content", {{"application/json", result}}}}}}}};
}

json v3_document(std::string_view root) {
  auto paths = json::object();
  auto schemas = json::object();
  for (const auto& kind : config::all_kinds()) {
    if (root_of(kind) != root) continue;
    const auto path = config::object_path(kind, kind.namespaced() ? "{namespace}" : "", "{name}");
    paths[path]["patch"] = patch_operation(kind);
    schemas[definition_name(kind)] = schema_of(kind);
  }
  return {{"openapi", "3.0.0"},
          {"info", information()},
          {"paths", std::move(paths)},
          {"components", {{"schemas", std::move(schemas)}}}};
}

json v3_index() {
  auto paths = json::object();
  for (const auto& kind : config::all_kinds()) {
    paths[root_of(kind)] = {{"serverRelativeURL", fmt::format("/openapi/v3/{}", root_of(kind))}};
  }
  return {{"paths", std::move(paths)}};
}

}  // namespace

std::optional<Response> openapi(std::string_view path, std::string_view accept) {
  constexpr std::string_view v3 = "/openapi/v3";
  if (path == "/openapi/v2") {
    if (!accepts(accept, protobuf_v2) && !accepts(accept, protobuf_v2_asked))
      return Response{.body = v2_document().dump()};
    return Response{.content_type = std::string{protobuf_v2}, .body = encode_openapi_v2(v2_document())};
  }
  if (path == v3 || path == "/openapi/v3/") return Response{.body = v3_index().dump()};
  if (!path.starts_with("/openapi/v3/")) return std::nullopt;
  const auto document = v3_document(path.substr(v3.size() + 1));
  if (document.at("paths").empty()) return std::nullopt;
  return Response{.body = document.dump()};
}

}  // namespace controller
