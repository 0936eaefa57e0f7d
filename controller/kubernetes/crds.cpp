// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/crds.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "config/document.hpp"
#include "controller/api/admission.hpp"
#include "controller/api/schema.hpp"
#include "controller/api/schema_fields.hpp"
#include "controller/kubernetes/crd_rules.hpp"

namespace controller {
namespace {

using nlohmann::json;

// OpenAPI as kubectl reads it becomes a structural schema: merging is said by list types, a field for anything keeps
// everything, and a number or a text is marked as such.
void make_structural(json& schema) {
  schema.erase("x-kubernetes-group-version-kind");
  if (schema.erase("x-kubernetes-patch-strategy") > 0) {
    const auto key = schema.find("x-kubernetes-patch-merge-key");
    if (key == schema.end()) {
      schema["x-kubernetes-list-type"] = "set";
    } else {
      schema["x-kubernetes-list-type"] = "map";
      schema["x-kubernetes-list-map-keys"] = json::array({*key});
      schema.erase(key);
    }
  }
  if (schema.value("format", "") == "int-or-string") {
    schema.erase("format");
    schema.erase("type");
    schema["x-kubernetes-int-or-string"] = true;
  }
  if (schema.value("type", "") == "object" && !schema.contains("properties") &&
      !schema.contains("additionalProperties"))
    schema["x-kubernetes-preserve-unknown-fields"] = true;
  if (const auto items = schema.find("items"); items != schema.end()) make_structural(*items);
  if (const auto more = schema.find("additionalProperties"); more != schema.end()) make_structural(*more);
  if (const auto properties = schema.find("properties"); properties != schema.end())
    for (auto& [name, property] : properties->items()) make_structural(property);
}

// "spec.rules[]" is the list, "spec.rules[]*" one of its entries.
json& find(json& schema, std::string_view path) {
  auto* at = &schema;
  while (!path.empty()) {
    auto step = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(step.size() + 1, path.size()));
    const auto entry = step.ends_with("*");
    if (entry) step.remove_suffix(1);
    const auto list = step.ends_with("[]");
    if (list) step.remove_suffix(2);
    at = &at->at("properties").at(std::string{step});
    if (entry || (list && !path.empty())) at = &at->at("items");
  }
  return *at;
}

// A field for anything has no type at all: it may be an object, a text or a number.
void open_up(config::Kind kind, json& schema) {
  for (const auto& field : fields_of(kind)) {
    if (field.type != SchemaField::Type::Any) continue;
    auto& any = find(schema, std::string{field.path} + (field.path.ends_with("[]") ? "*" : ""));
    any.erase("type");
    any["x-kubernetes-preserve-unknown-fields"] = true;
  }
}

void apply_rules(config::Kind kind, json& schema) {
  for (const auto& rule : crd_rules(kind)) find(schema, rule.path).update(json::parse(rule.terms));
}

json conditions_schema() {
  const auto text = [](const char* description) { return json{{"type", "string"}, {"description", description}}; };
  auto last = text("When the status changed last.");
  last["format"] = "date-time";
  auto status = text("True, False or Unknown.");
  status["enum"] = {"True", "False", "Unknown"};
  return {{"type", "array"},
          {"description", "What controllers say of it."},
          {"x-kubernetes-list-type", "map"},
          {"x-kubernetes-list-map-keys", {"type"}},
          {"items",
           {{"type", "object"},
            {"required", {"type", "status"}},
            {"properties",
             {{"type", text("What is said.")},
              {"status", status},
              {"reason", text("Why, in one word.")},
              {"message", text("Why, for people.")},
              {"lastTransitionTime", last},
              {"observedGeneration",
               {{"type", "integer"}, {"format", "int64"}, {"description", "The generation that was looked at."}}}}}}}};
}

json columns(config::Kind kind) {
  auto out = json::array();
  for (const auto& column : printer_columns(kind)) {
    json entry{{"name", column.name}, {"type", column.type}, {"jsonPath", column.path}};
    if (column.priority != 0) entry["priority"] = column.priority;
    out.push_back(std::move(entry));
  }
  return out;
}

json names(const config::KindInfo& kind) {
  json out{{"kind", kind.name},
           {"listKind", fmt::format("{}List", kind.name)},
           {"plural", kind.plural},
           {"singular", kind.singular},
           {"categories", {"herald"}}};
  if (!kind.short_name.empty()) out["shortNames"] = json::array({kind.short_name});
  return out;
}

}  // namespace

json crd_of(const config::KindInfo& kind) {
  auto schema = schema_of(kind);
  schema["properties"]["metadata"] = {{"type", "object"}};
  make_structural(schema);
  open_up(kind.kind, schema);
  schema["properties"]["metadata"].erase("x-kubernetes-preserve-unknown-fields");
  json version{
      {"name", kind.version()}, {"served", true}, {"storage", true}, {"additionalPrinterColumns", columns(kind.kind)}};
  if (has_status(kind.kind)) {
    auto& status = schema["properties"]["status"];
    if (status.is_null()) status = {{"type", "object"}, {"description", "What controllers say of it."}};
    status["properties"]["conditions"] = conditions_schema();
    version["subresources"] = {{"status", json::object()}};
  }
  apply_rules(kind.kind, schema);
  version["schema"] = {{"openAPIV3Schema", std::move(schema)}};
  return {
      {"apiVersion", "apiextensions.k8s.io/v1"},
      {"kind", "CustomResourceDefinition"},
      {"metadata",
       {{"name", fmt::format("{}.{}", kind.plural, kind.group())}, {"labels", {{"app.kubernetes.io/name", "herald"}}}}},
      {"spec",
       {{"group", kind.group()},
        {"scope", kind.namespaced() ? "Namespaced" : "Cluster"},
        {"names", names(kind)},
        {"versions", json::array({std::move(version)})}}}};
}

std::string print_crds() {
  std::string out = "# SPDX-License-Identifier: Apache-2.0\n# Made by `herald-controller --print-crds`; do not edit.\n";
  for (const auto& kind : config::all_kinds())
    if (kind.group() == "herald.dev") out += "---\n" + config::print_yaml(crd_of(kind));
  return out;
}

}  // namespace controller
