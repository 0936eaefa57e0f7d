// SPDX-License-Identifier: Apache-2.0
#include "config/place.hpp"

#include <algorithm>
#include <charconv>

namespace config {
namespace {

// Lists hold objects, so the one that is looked for may lie a few levels down.
const Value* find_object(const Value& value, const Location& at) {
  if (value.type == Value::Type::Mapping && value.line == at.line && value.column == at.column) return &value;
  const auto* items = value.find("items");
  if (items == nullptr) return nullptr;
  for (const auto& item : items->value.items)
    if (const auto* found = find_object(item, at)) return found;
  return nullptr;
}

// Takes "spec", "[0]" or "[key.with/dots]" off the front of a path.
std::string_view take_step(std::string_view& path) {
  const auto end = path.starts_with('[') ? std::min(path.find(']') + 1, path.size())
                                         : std::min(path.find_first_of(".["), path.size());
  const auto step = path.substr(0, end);
  path.remove_prefix(end);
  if (path.starts_with('.')) path.remove_prefix(1);
  return step;
}

const Value* step_into(const Value& value, std::string_view step) {
  if (step.starts_with('[')) step = step.substr(1, step.size() - 2);
  if (value.type == Value::Type::Mapping) {
    const auto* member = value.find(step);
    return member == nullptr ? nullptr : &member->value;
  }
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool number = error == std::errc{} && end == step.data() + step.size();
  return number && index < value.items.size() ? &value.items[index] : nullptr;
}

}  // namespace

Location place_of(const std::vector<Source>& sources, const Location& object, std::string_view field) {
  if (object.line == 0) return object;
  const auto source = std::ranges::find(sources, object.file, &Source::file);
  if (source == sources.end()) return object;
  const Value* value = nullptr;
  for (const auto& document : source->documents)
    if ((value = find_object(document, object)) != nullptr) break;
  if (value == nullptr) return object;
  while (!field.empty()) {
    const auto* inner = step_into(*value, take_step(field));
    if (inner == nullptr || inner->type == Value::Type::Null) break;
    value = inner;
  }
  return {object.file, value->line, value->column};
}

}  // namespace config
