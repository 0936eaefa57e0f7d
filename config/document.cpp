// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "config/scalar.hpp"

namespace config {
namespace {

std::string print_scalar(const nlohmann::json& json) {
  if (!json.is_string()) return json.dump();
  const auto& text = json.get_ref<const std::string&>();
  return needs_quotes(text) ? in_quotes(text) : text;
}

bool is_block(const nlohmann::json& json) {
  return (json.is_object() || json.is_array()) && !json.empty();
}

// `out` ends where the value begins: at the start of a line, or after "- ". The first line is not indented.
void print_block(const nlohmann::json& json, std::size_t indent, std::string& out) {
  bool first = true;
  const auto start_line = [&] {
    if (!first) out.append(indent, ' ');
    first = false;
  };
  const auto child = [&](const nlohmann::json& value, std::size_t deeper) { print_block(value, deeper, out); };
  if (json.is_array()) {
    for (const auto& item : json) {
      start_line();
      out += "- ";
      if (is_block(item))
        child(item, indent + 2);
      else
        out += print_scalar(item) + '\n';
    }
    return;
  }
  for (const auto& [key, value] : json.items()) {
    start_line();
    out += (needs_quotes(key) ? in_quotes(key) : key) + ':';
    if (!is_block(value)) {
      out += ' ' + print_scalar(value) + '\n';
      continue;
    }
    out += '\n';
    // As kubectl does: a list stands under its key, a mapping two further in.
    const auto deeper = value.is_array() ? indent : indent + 2;
    out.append(deeper, ' ');
    child(value, deeper);
  }
}

}  // namespace

const Value::Member* Value::find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &Member::key);
  return found == members.end() ? nullptr : &*found;
}

std::string print_yaml(const nlohmann::json& json) {
  if (!is_block(json)) return print_scalar(json) + '\n';
  std::string out;
  print_block(json, 0, out);
  return out;
}

}  // namespace config
