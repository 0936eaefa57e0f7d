// SPDX-License-Identifier: Apache-2.0
#include "controller/api/apply.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "controller/api/field_set.hpp"
#include "controller/api/lookup.hpp"

namespace controller {
namespace {

using nlohmann::json;

bool is_applier(const json& entry, std::string_view manager) {
  return text_at(entry, "manager") == manager && text_at(entry, "operation") == "Apply" &&
         text_at(entry, "subresource").empty();
}

json entries_of(const json& object) {
  const auto& entries = lookup(object, "metadata.managedFields");
  return entries.is_array() ? entries : json::array();
}

json fields_of_entry(const json& entry) {
  const auto& fields = lookup(entry, "fieldsV1");
  return fields.is_object() ? fields : json::object();
}

ApiError conflicts_with(const json& causes, const ObjectKey& key) {
  std::string all;
  for (const auto& cause : causes) {
    if (!all.empty()) all += ", ";
    all += fmt::format("{}: {}", text_at(cause, "message"), text_at(cause, "field"));
  }
  const auto& kind = config::info(key.kind);
  json details{{"name", key.name}, {"kind", kind.plural}, {"causes", causes}};
  if (!kind.group().empty()) details["group"] = kind.group();
  return {409, "Conflict",
          fmt::format("Apply failed with {} conflict{}: {}", causes.size(), causes.size() == 1 ? "" : "s", all),
          std::move(details)};
}

}  // namespace

ApiResult<json> server_side_apply(const json& current, const Apply& apply, const ObjectKey& key, WallTime now) {
  auto object = current.is_null() ? json::object() : current;
  auto wanted = apply.configuration;
  if (const auto metadata = wanted.find("metadata"); metadata != wanted.end() && metadata->is_object()) {
    metadata->erase("managedFields");
  }
  const auto fields = fields_of(wanted, key.kind);
  const auto changed = differences(wanted, object, fields);

  auto mine = json::object();
  auto others = json::object();
  auto kept = json::array();
  auto causes = json::array();
  for (auto& entry : entries_of(object)) {
    auto theirs = fields_of_entry(entry);
    if (is_applier(entry, apply.manager)) {
      mine = std::move(theirs);
      continue;
    }
    for (const auto& difference : changed) {
      if (!contains_field(theirs, difference.set)) continue;
      if (apply.conflicts == Apply::Conflicts::TakeOver) {
        theirs = fields_without(theirs, difference.set);
      } else {
        causes.push_back({{"reason", "FieldManagerConflict"},
                          {"message", fmt::format("conflict with \"{}\"", text_at(entry, "manager"))},
                          {"field", difference.path}});
      }
    }
    add_fields(others, theirs);
    entry["fieldsV1"] = std::move(theirs);
    if (!entry["fieldsV1"].empty()) kept.push_back(std::move(entry));
  }
  if (!causes.empty()) return net::fail(conflicts_with(causes, key));

  const auto before = object;
  remove_fields(object, fields_without(fields_without(mine, fields), others));
  merge_fields(object, wanted, key.kind);
  if (object == before && mine == fields) return object;
  kept.push_back({{"manager", apply.manager},
                  {"operation", "Apply"},
                  {"apiVersion", config::info(key.kind).api_version},
                  {"time", rfc3339(now)},
                  {"fieldsType", "FieldsV1"},
                  {"fieldsV1", fields}});
  object["metadata"]["managedFields"] = std::move(kept);
  return object;
}

}  // namespace controller
