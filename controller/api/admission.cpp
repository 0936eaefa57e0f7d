// SPDX-License-Identifier: Apache-2.0
#include "controller/api/admission.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/base64.hpp"
#include "config/object.hpp"
#include "controller/api/lookup.hpp"

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;

constexpr std::size_t annotations_limit = std::size_t{256} << 10U;  // as in Kubernetes, all of them together

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_dns_name(std::string_view name, std::size_t limit, std::string_view also) {
  return !name.empty() && name.size() <= limit && is_alphanumeric(name.front()) && is_alphanumeric(name.back()) &&
         std::ranges::all_of(name, [also](char c) { return is_alphanumeric(c) || also.find(c) != also.npos; });
}

// RFC 1123 for most, RFC 1035 for services, whose names become DNS labels.
std::optional<std::string> wrong_name(Kind kind, std::string_view name) {
  if (kind == Kind::Service) {
    if (is_dns_name(name, 63, "-") && !(name.front() >= '0' && name.front() <= '9')) return std::nullopt;
    return "must be at most 63 characters of a-z, 0-9 and '-', begin with a letter and end with a letter or digit";
  }
  if (kind == Kind::Namespace) {
    if (is_dns_name(name, 63, "-")) return std::nullopt;
    return "must be at most 63 characters of a-z, 0-9 and '-', and begin and end with a letter or digit";
  }
  if (is_dns_name(name, 253, "-.")) return std::nullopt;
  return "must be at most 253 characters of a-z, 0-9, '-' and '.', and begin and end with a letter or digit";
}

// The parts of metadata that config/ does not look at.
std::vector<config::Problem> metadata_problems(const ObjectKey& key, const json& object) {
  std::vector<config::Problem> problems;
  if (const auto wrong = wrong_name(key.kind, key.name)) {
    problems.push_back({{}, {}, "metadata.name", fmt::format("{}, got \"{}\"", *wrong, key.name)});
  }
  const auto& annotations = lookup(object, "metadata.annotations");
  std::size_t size = 0;
  if (annotations.is_object()) {
    for (const auto& [name, value] : annotations.items()) {
      size += name.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
    }
  }
  if (size > annotations_limit) {
    problems.push_back({{},
                        {},
                        "metadata.annotations",
                        fmt::format("must have less than {} bytes together, got {}", annotations_limit, size)});
  }
  const auto& finalizers = lookup(object, "metadata.finalizers");
  const auto text_list =
      finalizers.is_array() && std::ranges::all_of(finalizers, [](const json& entry) { return entry.is_string(); });
  if (!finalizers.is_null() && !text_list) {
    problems.push_back({{}, {}, "metadata.finalizers", "must be a list of texts"});
  }
  return problems;
}

std::vector<config::Problem> event_problems(const json& event) {
  std::vector<config::Problem> problems;
  if (!lookup(event, "involvedObject").is_object()) {
    problems.push_back({{}, {}, "involvedObject", "must be an object that names what the event is about"});
  }
  const auto& labels = lookup(event, "metadata.labels");
  if (!labels.is_null() && !labels.is_object()) problems.push_back({{}, {}, "metadata.labels", "must be a mapping"});
  return problems;
}

void default_to(json& object, const char* field, json value) {
  auto& slot = object[field];
  if (slot.is_null()) slot = std::move(value);
}

void service_defaults(json& service) {
  auto& spec = service["spec"];
  if (spec.is_null()) spec = json::object();
  if (!spec.is_object()) return;
  default_to(spec, "type", "ClusterIP");
  const auto ports = spec.find("ports");
  if (ports == spec.end() || !ports->is_array()) return;
  for (auto& port : *ports) {
    if (!port.is_object()) continue;
    default_to(port, "protocol", "TCP");
    if (port.contains("port")) default_to(port, "targetPort", json(port["port"]));
  }
}

void secret_defaults(json& secret) {
  default_to(secret, "type", "Opaque");
  const auto plain = secret.find("stringData");
  if (plain == secret.end()) return;
  // Left for config/ to complain about when it is not what it should be.
  if (!plain->is_object() || !std::ranges::all_of(*plain, [](const json& value) { return value.is_string(); })) return;
  auto& data = secret["data"];
  if (data.is_null()) data = json::object();
  if (!data.is_object()) return;
  for (const auto& [key, value] : plain->items()) data[key] = config::encode_base64(value.get<std::string>());
  secret.erase("stringData");
}

}  // namespace

bool has_status(Kind kind) {
  switch (kind) {
    case Kind::Secret:
    case Kind::EndpointSlice:
    case Kind::Event:
    case Kind::SpeakerState:
      return false;
    default:
      return true;
  }
}

ApiResult<void> agree_with_path(json& object, ObjectKey& key) {
  const auto& kind = config::info(key.kind);
  const auto agree = [](json& slot, std::string_view expected, std::string_view what) -> ApiResult<void> {
    if (slot.is_null() || slot == "") slot = expected;
    if (slot == expected) return {};
    return net::fail(bad_request(fmt::format("the {} in the object ({}) does not match that of the request ({})", what,
                                             slot.is_string() ? slot.get<std::string>() : slot.dump(), expected)));
  };
  if (auto ok = agree(object["apiVersion"], kind.api_version, "apiVersion"); !ok) return ok;
  if (auto ok = agree(object["kind"], kind.name, "kind"); !ok) return ok;
  auto& metadata = object["metadata"];
  if (metadata.is_null()) metadata = json::object();
  if (!metadata.is_object()) return net::fail(bad_request("metadata is not an object"));
  if (kind.namespaced()) {
    if (auto ok = agree(metadata["namespace"], key.namespace_name, "namespace"); !ok) return ok;
  } else if (!metadata.value("namespace", json{}).is_null()) {
    return net::fail(bad_request(fmt::format("{} has no namespace", kind.name)));
  }
  if (key.name.empty()) {
    key.name = text_at(object, "metadata.name");
    return {};
  }
  return agree(metadata["name"], key.name, "name");
}

void apply_defaults(Kind kind, json& object) {
  if (kind == Kind::Service) service_defaults(object);
  if (kind == Kind::Secret) secret_defaults(object);
  if (kind == Kind::Namespace) {
    if (auto& status = object["status"]; !status.is_object()) status = json::object();
    default_to(object["status"], "phase", "Active");
  }
}

ApiResult<Admission::Warnings> Admission::check(const ObjectKey& key, const json& object, WallTime now) {
  const auto& kind = config::info(key.kind);
  auto problems = metadata_problems(key, object);
  config::ReadResult read;
  if (key.kind == Kind::Event) {
    read.problems = event_problems(object);
  } else {
    read = config::read_object(object);
  }
  for (auto& problem : read.problems) {
    // The name was judged above, by the stricter rule of its kind.
    if (problem.field != "metadata.name" || problems.empty()) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) return net::fail(invalid(kind, key.name, problems));
  if (read.objects.size() != 1) return Warnings{};
  auto findings = set_.check(key, std::move(read.objects.front()), now);
  if (!findings.contradictions.empty()) return net::fail(invalid(kind, key.name, findings.contradictions));
  return std::move(findings.warnings);
}

}  // namespace controller
