// SPDX-License-Identifier: Apache-2.0
// Sets of fields of an object in the form of metadata.managedFields (FieldsV1): {"f:spec": {"f:type": {}}} with
// "k:{...}" for entries of a list with keys and "v:..." for entries of a set. Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"

namespace controller {

// Every field that an object gives, but for its identity.
[[nodiscard]] nlohmann::json fields_of(const nlohmann::json& object, config::Kind kind);

// Puts every field of `from` into `into`: objects field by field, lists by the rule of the kind.
void merge_fields(nlohmann::json& into, const nlohmann::json& from, config::Kind kind);

void add_fields(nlohmann::json& set, const nlohmann::json& more);
// What is in `set` but not in `other`.
[[nodiscard]] nlohmann::json fields_without(const nlohmann::json& set, const nlohmann::json& other);
// Takes the fields of the set away from the object, and what is left empty by that.
void remove_fields(nlohmann::json& object, const nlohmann::json& set);

// The fields of the set whose values differ between two objects, as ".spec.ports[port=80].name".
struct Difference {
  std::string path;
  nlohmann::json set;  // the one field
};
[[nodiscard]] std::vector<Difference> differences(const nlohmann::json& left, const nlohmann::json& right,
                                                  const nlohmann::json& set);
// Has the set this one field?
[[nodiscard]] bool contains_field(const nlohmann::json& set, const nlohmann::json& field);

}  // namespace controller
