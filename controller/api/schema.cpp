// SPDX-License-Identifier: Apache-2.0
#include "controller/api/schema.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "controller/api/schema_fields.hpp"

namespace controller {
namespace {

using nlohmann::json;
using Type = SchemaField::Type;

json selector_schema() {
  const json text_list{{"type", "array"}, {"items", {{"type", "string"}}}};
  const json expression{
      {"type", "object"},
      {"properties", {{"key", {{"type", "string"}}}, {"operator", {{"type", "string"}}}, {"values", text_list}}}};
  return {{"type", "object"},
          {"properties",
           {{"matchLabels", {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}}},
            {"matchExpressions", {{"type", "array"}, {"items", expression}}}}}};
}

json type_schema(Type type) {
  switch (type) {
    case Type::Text:
    case Type::Duration:
      return {{"type", "string"}};
    case Type::Integer:
      return {{"type", "integer"}, {"format", "int64"}};
    case Type::Boolean:
      return {{"type", "boolean"}};
    case Type::Map:
      return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
    case Type::TextOrInteger:
      return {{"type", "string"}, {"format", "int-or-string"}};
    case Type::Selector:
      return selector_schema();
    case Type::Object:
    case Type::Any:
      break;
  }
  return {{"type", "object"}};
}

void describe_merging(json& list, std::string_view merged_by) {
  if (merged_by.empty()) return;
  list["x-kubernetes-patch-strategy"] = "merge";
  if (merged_by != "set") list["x-kubernetes-patch-merge-key"] = merged_by;
}

// Makes the schema at the end of the field's path, and what leads there.
void add_field(json& schema, const SchemaField& field) {
  auto* at = &schema;
  auto rest = field.path;
  while (!rest.empty()) {
    auto step = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(step.size() + 1, rest.size()));
    const auto is_list = step.ends_with("[]");
    if (is_list) step.remove_suffix(2);
    auto& property = (*at)["properties"][std::string{step}];
    if (property.is_null()) property["type"] = is_list ? "array" : "object";
    at = &property;
    if (rest.empty()) {
      auto type = type_schema(field.type);
      if (is_list) {
        property["items"] = std::move(type);
        describe_merging(property, field.merged_by);
      } else {
        property = std::move(type);
      }
      property["description"] = field.description;
    } else if (is_list) {
      at = &property["items"];
    }
  }
}

}  // namespace

std::string definition_name(const config::KindInfo& kind) {
  if (kind.group() == "herald.dev") return fmt::format("dev.herald.{}.{}", kind.version(), kind.name);
  const auto package = kind.group().empty() ? "core" : "discovery";
  return fmt::format("io.k8s.api.{}.{}.{}", package, kind.version(), kind.name);
}

json schema_of(const config::KindInfo& kind) {
  json metadata{{"type", "object"}, {"description", "What every object has."}};
  for (const auto& field : metadata_fields()) add_field(metadata, field);

  json schema{{"type", "object"},
              {"description", description_of(kind.kind)},
              {"x-kubernetes-group-version-kind",
               json::array({json{{"group", kind.group()}, {"version", kind.version()}, {"kind", kind.name}}})}};
  auto& properties = schema["properties"];
  properties["apiVersion"] = {{"type", "string"}, {"description", "Group and version of the kind."}};
  properties["kind"] = {{"type", "string"}, {"description", "The kind."}};
  properties["metadata"] = std::move(metadata);
  for (const auto& field : fields_of(kind.kind)) add_field(schema, field);
  return schema;
}

}  // namespace controller
