// SPDX-License-Identifier: Apache-2.0
#include "ctl/resource_access.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <utility>

#include "config/document.hpp"
#include "config/object.hpp"
#include "config/source/contents.hpp"
#include "config/source/kubeconfig.hpp"
#include "ctl/columns.hpp"

namespace ctl {
namespace {

using config::ApiClient;
using nlohmann::json;

json to_json(const config::Value& value) {
  using Type = config::Value::Type;
  switch (value.type) {
    case Type::Null:
      return nullptr;
    case Type::Boolean:
      return value.text == "true" || value.text == "True" || value.text == "TRUE";
    case Type::Integer:
    case Type::Float: {
      const auto number = json::parse(value.text, nullptr, false);
      return number.is_discarded() ? json(value.text) : number;
    }
    case Type::Text:
      return value.text;
    case Type::Sequence: {
      auto out = json::array();
      for (const auto& item : value.items) out.push_back(to_json(item));
      return out;
    }
    case Type::Mapping:
      break;
  }
  auto out = json::object();
  for (const auto& member : value.members) out[member.key] = to_json(member.value);
  return out;
}

std::string contents(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>{std::cin}, {}};
  auto read = config::contents(file);
  if (!read) throw Failure{file + ": cannot be read"};
  return std::move(*read);
}

void take(json document, std::vector<json>& out) {
  if (document.value("kind", "") == "List") {
    for (auto& item : document["items"]) take(std::move(item), out);
    return;
  }
  if (!document.value("apiVersion", "").starts_with("metallb.io/")) return out.push_back(std::move(document));
  for (const auto& object : config::read_object(document).objects) out.push_back(config::print(object));
}

// What the API has to say besides its answer, for people, and each once: a set of a thousand objects may share a
// mistake.
config::AsyncApiClient::OnWarning warnings() {
  return [told = std::set<std::string>{}](const std::string& text) mutable {
    if (told.insert(text).second) std::cerr << "Warning: " << text << '\n';
  };
}

}  // namespace

Failure failure(const config::ApiError& error, const std::string& what) {
  const auto said = error.message == error.reason ? error.message : config::print(error);
  auto text = (what.empty() ? "" : what + ": ") + said;
  if (error.unreachable())
    text += "\n  Is herald-controller running there? --server URL or HERALD_SERVER say where it is.";
  if (error.code == 401) text += "\n  The API wants a token: give --token-file FILE, or set HERALD_TOKEN_FILE.";
  return Failure{text};
}

json checked(config::ApiAnswer answer, const std::string& what) {
  if (!answer) throw failure(answer.error(), what);
  return std::move(*answer);
}

ApiClient connect(const Options& options) {
  constexpr auto timeout = config::AsyncApiClient::default_timeout;
  if (options.kubernetes) {
    const auto access = config::kubernetes_access(options.kubeconfig, options.context, config::process_environment);
    if (!access) throw Failure{"--kubernetes: " + access.error(), 2};
    return ApiClient{access->endpoint, timeout, warnings()};
  }
  auto endpoint = config::parse_api_endpoint(options.server);
  if (!endpoint) throw Failure{"--server: " + endpoint.error(), 2};
  if (!options.token_file.empty() && !std::ifstream{options.token_file})
    throw Failure{"--token-file: " + options.token_file + ": cannot be read", 2};
  endpoint->token_file = options.token_file;
  endpoint->ca_file = options.ca_file;
  return ApiClient{*endpoint, timeout, warnings()};
}

std::vector<json> objects_in(const std::string& file) {
  const auto text = contents(file);
  const auto name = file == "-" ? std::string{"standard input"} : file;
  const auto read = config::read_objects(text, name, config::Syntax::Yaml);
  if (!read.problems.empty()) {
    std::string all = "nothing was done:";
    for (const auto& problem : read.problems) all += "\n  " + config::print(problem);
    throw Failure{all};
  }
  std::vector<json> out;
  for (const auto& value : config::read_yaml(text, name).values)
    if (value.type == config::Value::Type::Mapping) take(to_json(value), out);
  if (out.empty()) throw Failure{name + ": has no objects"};
  return out;
}

std::string named(const json& object) {
  return object.value("kind", "") + "/" + at(object, "/metadata/name");
}

void set_namespace(json& object, const Options& options) {
  const auto* kind = config::find_kind(object.value("apiVersion", ""), object.value("kind", ""));
  if (kind != nullptr && kind->namespaced() && at(object, "/metadata/namespace").empty())
    object["metadata"]["namespace"] = options.namespace_name;
}

config::ApiAnswer send(ApiClient& client, const json& object, const config::ObjectPath& path, Sending sending) {
  if (sending == Sending::Real) return client.apply(object, "heraldctl", config::AsyncApiClient::Conflicts::Force);
  const auto target = config::object_path(*path.kind, path.namespace_name, path.name);
  return client.call({"PATCH", target + "?fieldManager=heraldctl&force=true&dryRun=All", object.dump(),
                      "application/apply-patch+yaml"});
}

}  // namespace ctl
