// SPDX-License-Identifier: Apache-2.0
// Members of JSON that others wrote, which may have any shape.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace controller {

// Null when the member is not there, or the whole is no object. A reference into `object`.
[[nodiscard]] inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json nothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found == object.end() ? nothing : *found;
}

// A member that is a string; empty when it is anything else, or the whole is no object.
[[nodiscard]] inline std::string member_text(const nlohmann::json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

}  // namespace controller
