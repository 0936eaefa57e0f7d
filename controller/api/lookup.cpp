// SPDX-License-Identifier: Apache-2.0
#include "controller/api/lookup.hpp"

#include <algorithm>

namespace controller {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

const json& lookup(const json& object, std::string_view path) {
  static const json nothing;
  const auto* at = &object;
  while (!path.empty()) {
    const auto step = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(step.size() + 1, path.size()));
    if (!at->is_object()) return nothing;
    const auto found = at->find(step);
    if (found == at->end()) return nothing;
    at = &*found;
  }
  return *at;
}

std::string text_at(const json& object, std::string_view path) {
  return text_of(lookup(object, path));
}

std::string joined_at(const json& object, std::string_view path, std::string_view separator) {
  const auto& value = lookup(object, path);
  if (!value.is_array()) return text_of(value);
  std::string joined;
  for (const auto& entry : value) {
    if (!joined.empty()) joined += separator;
    joined += text_of(entry);
  }
  return joined;
}

}  // namespace controller
