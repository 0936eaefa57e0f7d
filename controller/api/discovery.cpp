// SPDX-License-Identifier: Apache-2.0
#include "controller/api/discovery.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "controller/api/accept.hpp"
#include "controller/api/admission.hpp"

namespace controller {
namespace {

using config::KindInfo;
using nlohmann::json;

const auto object_verbs = json{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
const auto status_verbs = json{"get", "patch", "update"};

std::set<std::string_view> api_versions() {
  std::set<std::string_view> versions;
  for (const auto& kind : config::all_kinds()) versions.insert(kind.api_version);
  return versions;
}

std::string_view group_of(std::string_view api_version) {
  const auto slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view{} : api_version.substr(0, slash);
}

std::string_view version_of(std::string_view api_version) {
  return api_version.substr(api_version.find('/') + 1);
}

// What `kubectl get all` and `kubectl get herald` mean.
json categories(const KindInfo& kind) {
  if (kind.kind == config::Kind::Service) return {"all"};
  if (kind.group() == "herald.dev") return json::array({"herald"});
  return nullptr;
}

json short_names(const KindInfo& kind) {
  return kind.short_name.empty() ? json{} : json::array({kind.short_name});
}

json resource_list(std::string_view api_version) {
  auto resources = json::array();
  for (const auto& kind : config::all_kinds()) {
    if (kind.api_version != api_version) continue;
    json resource{{"name", kind.plural},
                  {"singularName", kind.singular},
                  {"namespaced", kind.namespaced()},
                  {"kind", kind.name},
                  {"verbs", object_verbs}};
    if (auto names = short_names(kind); !names.is_null()) resource["shortNames"] = std::move(names);
    if (auto all = categories(kind); !all.is_null()) resource["categories"] = std::move(all);
    resources.push_back(std::move(resource));
    if (!has_status(kind.kind)) continue;
    resources.push_back({{"name", fmt::format("{}/status", kind.plural)},
                         {"singularName", ""},
                         {"namespaced", kind.namespaced()},
                         {"kind", kind.name},
                         {"verbs", status_verbs}});
  }
  return {{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"groupVersion", api_version}, {"resources", resources}};
}

json group(std::string_view api_version) {
  const json version{{"groupVersion", api_version}, {"version", version_of(api_version)}};
  return {{"name", group_of(api_version)}, {"versions", json::array({version})}, {"preferredVersion", version}};
}

json group_list() {
  auto groups = json::array();
  for (const auto version : api_versions()) {
    if (!group_of(version).empty()) groups.push_back(group(version));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

json core_versions() {
  return {{"kind", "APIVersions"}, {"versions", json::array({"v1"})}, {"serverAddressByClientCIDRs", json::array()}};
}

json aggregated_resource(const KindInfo& kind) {
  const json response_kind{{"group", kind.group()}, {"version", kind.version()}, {"kind", kind.name}};
  json resource{{"resource", kind.plural},
                {"responseKind", response_kind},
                {"scope", kind.namespaced() ? "Namespaced" : "Cluster"},
                {"singularResource", kind.singular},
                {"verbs", object_verbs}};
  if (auto names = short_names(kind); !names.is_null()) resource["shortNames"] = std::move(names);
  if (auto all = categories(kind); !all.is_null()) resource["categories"] = std::move(all);
  if (has_status(kind.kind)) {
    resource["subresources"] =
        json::array({json{{"subresource", "status"}, {"responseKind", response_kind}, {"verbs", status_verbs}}});
  }
  return resource;
}

enum class Groups : std::uint8_t { Core, Named };

json aggregated(Groups which, std::string_view form) {
  auto items = json::array();
  for (const auto api_version : api_versions()) {
    if (group_of(api_version).empty() != (which == Groups::Core)) continue;
    auto resources = json::array();
    for (const auto& kind : config::all_kinds()) {
      if (kind.api_version == api_version) resources.push_back(aggregated_resource(kind));
    }
    const json version{{"version", version_of(api_version)}, {"freshness", "Current"}, {"resources", resources}};
    json metadata{{"creationTimestamp", nullptr}};
    if (!group_of(api_version).empty()) metadata["name"] = group_of(api_version);
    items.push_back({{"metadata", std::move(metadata)}, {"versions", json::array({version})}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", fmt::format("apidiscovery.k8s.io/{}", form)},
          {"metadata", json::object()},
          {"items", std::move(items)}};
}

Response answer(const json& body) {
  return {.body = body.dump()};
}

}  // namespace

std::optional<Response> discover(std::string_view path, std::string_view accept) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/api" || path == "/apis") {
    const auto core = path == "/api";
    if (const auto form = aggregated_discovery_version(accept)) {
      auto response = answer(aggregated(core ? Groups::Core : Groups::Named, *form));
      response.content_type =
          fmt::format("application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList", *form);
      return response;
    }
    return answer(core ? core_versions() : group_list());
  }
  for (const auto version : api_versions()) {
    if (path == fmt::format("{}/{}", group_of(version).empty() ? "/api" : "/apis", version)) {
      return answer(resource_list(version));
    }
    if (!group_of(version).empty() && path == fmt::format("/apis/{}", group_of(version))) {
      auto body = group(version);
      body["kind"] = "APIGroup";
      body["apiVersion"] = "v1";
      return answer(body);
    }
  }
  return std::nullopt;
}

Response root_paths() {
  auto paths = json::array({"/api", "/api/v1", "/apis"});
  for (const auto version : api_versions()) {
    if (group_of(version).empty()) continue;
    paths.push_back(fmt::format("/apis/{}", group_of(version)));
    paths.push_back(fmt::format("/apis/{}", version));
  }
  for (const auto* path : {"/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}) {
    paths.push_back(path);
  }
  return answer({{"paths", std::move(paths)}});
}

Response version_info() {
  return answer({{"major", "1"},
                 {"minor", "32"},
                 {"gitVersion", "v1.32.0+herald"},
                 {"gitCommit", ""},
                 {"gitTreeState", "clean"},
                 {"buildDate", "1970-01-01T00:00:00Z"},
                 {"goVersion", ""},
                 {"compiler", ""},
                 {"platform", "linux/amd64"}});
}

}  // namespace controller
