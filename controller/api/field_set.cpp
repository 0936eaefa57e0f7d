// SPDX-License-Identifier: Apache-2.0
#include "controller/api/field_set.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "controller/api/strategic_merge.hpp"

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;
using Merge = ListRule::Merge;

constexpr std::string_view itself = ".";

bool is_identity(std::string_view path) {
  constexpr auto fields = std::to_array<std::string_view>(
      {"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion",
       "metadata.creationTimestamp", "metadata.generation", "metadata.managedFields", "metadata.selfLink"});
  return std::ranges::find(fields, path) != fields.end();
}

std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string{name} : fmt::format("{}.{}", path, name);
}

// "k:{"port":80,"protocol":"TCP"}" of an entry; nothing when it has not even the first key.
std::optional<std::string> entry_key(const json& entry, const ListRule& rule) {
  if (rule.merge == Merge::AsSet) return "v:" + entry.dump();
  if (!entry.is_object() || !entry.contains(rule.keys.front())) return std::nullopt;
  auto keys = json::object();
  for (const auto key : rule.keys) {
    if (const auto found = entry.find(key); found != entry.end()) keys[std::string{key}] = *found;
  }
  return "k:" + keys.dump();
}

json fields_below(const json& value, Kind kind, const std::string& path);

json list_fields(const json& list, Kind kind, const std::string& path) {
  const auto rule = list_rule(kind, path);
  auto set = json::object();
  if (rule.merge == Merge::Replaced) return set;
  for (const auto& entry : list) {
    const auto key = entry_key(entry, rule);
    if (!key) continue;
    set[*key] = rule.merge == Merge::ByKeys ? fields_below(entry, kind, path) : json::object();
    if (rule.merge == Merge::ByKeys) set[*key][std::string{itself}] = json::object();
  }
  return set;
}

json fields_below(const json& value, Kind kind, const std::string& path) {
  if (value.is_array()) return list_fields(value, kind, path);
  auto set = json::object();
  if (!value.is_object()) return set;
  for (const auto& [name, member] : value.items()) {
    const auto at = below(path, name);
    if (is_identity(at) || member.is_null()) continue;
    auto fields = fields_below(member, kind, at);
    // "metadata" alone, with nothing but the identity in it, is no field that one owns.
    if (at == "metadata" && fields.empty()) continue;
    set["f:" + name] = std::move(fields);
  }
  return set;
}

// Where a step of a path leads; null pointer when nowhere.
json* follow(json& at, std::string_view step) {
  const auto name = step.substr(2);
  if (step.starts_with("f:") && at.is_object()) {
    const auto found = at.find(name);
    return found == at.end() ? nullptr : &*found;
  }
  if (!at.is_array()) return nullptr;
  const auto key = json::parse(name, nullptr, false);
  const auto found = std::ranges::find_if(at, [&](const json& entry) {
    if (step.starts_with("v:")) return entry == key;
    if (!entry.is_object() || !key.is_object()) return false;
    return std::ranges::all_of(key.items(), [&entry](const auto& one) {
      const auto member = entry.find(one.key());
      return member != entry.end() && *member == one.value();
    });
  });
  return found == at.end() ? nullptr : &*found;
}

const json* follow(const json& at, std::string_view step) {
  return follow(const_cast<json&>(at), step);
}

void erase_step(json& at, std::string_view step) {
  const auto* target = follow(at, step);
  if (target == nullptr) return;
  if (at.is_object()) {
    at.erase(std::string{step.substr(2)});
  } else {
    at.erase(at.begin() + (target - &at.front()));
  }
}

bool is_leaf(const json& fields) {
  return fields.empty() || (fields.size() == 1 && fields.contains(itself));
}

std::string shown(std::string_view step) {
  if (step.starts_with("f:")) return fmt::format(".{}", step.substr(2));
  return fmt::format("[{}]", step.substr(2));
}

void collect(const json* left, const json* right, const json& set, const Difference& at, std::vector<Difference>& out) {
  for (const auto& [step, fields] : set.items()) {
    if (step == itself) continue;
    const auto* l = left == nullptr ? nullptr : follow(*left, step);
    const auto* r = right == nullptr ? nullptr : follow(*right, step);
    // One chain of steps from the root: what contains_field() follows.
    Difference next{at.path + shown(step), at.set};
    auto* end = &next.set;
    while (!end->empty()) end = &end->begin().value();
    *end = json{{step, json::object()}};
    if (!is_leaf(fields)) {
      collect(l, r, fields, next, out);
    } else if (l != nullptr && (r == nullptr || *l != *r)) {
      out.push_back(std::move(next));
    }
  }
}

void merge_below(json& into, const json& from, Kind kind, const std::string& path) {
  if (from.is_null()) return;
  if (from.is_object() && into.is_object()) {
    for (const auto& [name, value] : from.items()) merge_below(into[name], value, kind, below(path, name));
    return;
  }
  const auto rule = list_rule(kind, path);
  if (!from.is_array() || !into.is_array() || rule.merge == Merge::Replaced) {
    into = from;
    return;
  }
  for (const auto& entry : from) {
    const auto key = entry_key(entry, rule);
    auto* found = key ? follow(into, *key) : nullptr;
    if (found == nullptr) {
      into.push_back(entry);
    } else {
      merge_below(*found, entry, kind, path);
    }
  }
}

}  // namespace

json fields_of(const json& object, Kind kind) {
  return fields_below(object, kind, {});
}

void merge_fields(json& into, const json& from, Kind kind) {
  merge_below(into, from, kind, {});
}

void add_fields(json& set, const json& more) {
  for (const auto& [step, fields] : more.items()) {
    auto& slot = set[step];
    if (!slot.is_object()) slot = json::object();
    if (fields.is_object()) add_fields(slot, fields);
  }
}

json fields_without(const json& set, const json& other) {
  auto rest = json::object();
  for (const auto& [step, fields] : set.items()) {
    const auto found = other.find(step);
    if (found == other.end()) {
      rest[step] = fields;
    } else if (!is_leaf(fields)) {
      auto more = fields_without(fields, *found);
      if (!more.empty()) rest[step] = std::move(more);
    }
  }
  return rest;
}

void remove_fields(json& object, const json& set) {
  for (const auto& [step, fields] : set.items()) {
    if (step == itself) continue;
    auto* target = follow(object, step);
    if (target == nullptr) continue;
    if (is_leaf(fields) || fields.contains(itself)) {
      erase_step(object, step);
      continue;
    }
    remove_fields(*target, fields);
    if (target->empty()) erase_step(object, step);
  }
}

std::vector<Difference> differences(const json& left, const json& right, const json& set) {
  std::vector<Difference> found;
  collect(&left, &right, set, {{}, json::object()}, found);
  return found;
}

bool contains_field(const json& set, const json& field) {
  const auto* at = &set;
  for (const auto* step = &field; !step->empty(); step = &step->begin().value()) {
    const auto found = at->find(step->begin().key());
    if (found == at->end()) return false;
    at = &*found;
  }
  // Who has entries of a list by key does not have the list.
  return is_leaf(*at) || at->contains(itself);
}

}  // namespace controller
