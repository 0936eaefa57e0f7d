// SPDX-License-Identifier: Apache-2.0
#include "controller/api/strategic_merge.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;
using Merge = ListRule::Merge;
using Done = net::Result<void, std::string>;

constexpr std::string_view directive = "$patch";
constexpr std::string_view retain_keys = "$retainKeys";
constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";
constexpr std::string_view order_prefix = "$setElementOrder/";

std::string directive_of(const json& patch) {
  const auto found = patch.find(directive);
  return found != patch.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

// Entries that mean the same: equal in the first key, and in the others where both have them.
bool same_entry(const json& left, const json& right, const std::vector<std::string_view>& keys) {
  if (!left.is_object() || !right.is_object() || !left.contains(keys.front())) return false;
  return std::ranges::all_of(keys, [&](std::string_view key) {
    const auto in_left = left.find(key);
    const auto in_right = right.find(key);
    if (in_left == left.end() || in_right == right.end()) return key != keys.front();
    return *in_left == *in_right;
  });
}

json without_directives(const json& patch) {
  if (!patch.is_object()) return patch;
  auto plain = json::object();
  for (const auto& [name, value] : patch.items()) {
    if (!name.starts_with('$') && !value.is_null()) plain[name] = without_directives(value);
  }
  return plain;
}

class Merger {
 public:
  explicit Merger(Kind kind) : kind_{kind} {}

  Done merge_object(json& object, const json& patch, const std::string& path) const;

 private:
  Done merge_member(json& member, const json& value, const std::string& path) const;
  Done merge_list(json& list, const json& patch, const std::string& path, const ListRule& rule) const;
  Done merge_entry(json& list, const json& entry, const std::string& path, const ListRule& rule) const;
  Done apply_directive(json& object, std::string_view name, const json& value, const std::string& path) const;
  static void reorder(json& list, const json& order, const ListRule& rule);

  Kind kind_;
};

Done Merger::merge_object(json& object, const json& patch, const std::string& path) const {
  if (!object.is_object()) object = json::object();
  const auto what = directive_of(patch);
  if (what == "replace") {
    object = without_directives(patch);
    return {};
  }
  if (what == "delete") {
    object = json::object();
    return {};
  }
  if (!what.empty() && what != "merge") return net::fail(fmt::format("{}: unknown $patch \"{}\"", path, what));

  for (const auto& [name, value] : patch.items()) {
    if (name.starts_with('$')) continue;
    if (value.is_null()) {
      object.erase(name);
      continue;
    }
    const auto below = path.empty() ? name : fmt::format("{}.{}", path, name);
    if (auto done = merge_member(object[name], value, below); !done) return done;
  }
  // After the merge: they speak of the result.
  for (const auto& [name, value] : patch.items()) {
    if (!name.starts_with('$') || name == directive) continue;
    if (auto done = apply_directive(object, name, value, path); !done) return done;
  }
  return {};
}

Done Merger::merge_member(json& member, const json& value, const std::string& path) const {
  if (value.is_object()) return merge_object(member, value, path);
  if (value.is_array()) return merge_list(member, value, path, list_rule(kind_, path));
  member = value;
  return {};
}

Done Merger::apply_directive(json& object, std::string_view name, const json& value, const std::string& path) const {
  if (!value.is_array()) return net::fail(fmt::format("{}: {} must be a list", path, name));
  if (name == retain_keys) {
    for (auto member = object.begin(); member != object.end();) {
      const auto kept = std::ranges::find(value, json(member.key())) != value.end();
      member = kept ? std::next(member) : object.erase(member);
    }
    return {};
  }
  const auto is_delete = name.starts_with(delete_prefix);
  if (!is_delete && !name.starts_with(order_prefix)) return net::fail(fmt::format("{}: unknown {}", path, name));
  const auto field = name.substr(is_delete ? delete_prefix.size() : order_prefix.size());
  const auto list = object.find(field);
  if (list == object.end() || !list->is_array()) return {};
  if (is_delete) {
    auto& entries = list->get_ref<json::array_t&>();
    std::erase_if(entries, [&value](const json& entry) { return std::ranges::find(value, entry) != value.end(); });
  } else {
    reorder(*list, value, list_rule(kind_, path.empty() ? std::string{field} : fmt::format("{}.{}", path, field)));
  }
  return {};
}

// Entries that the order names take the places that such entries have, in the order given; others stay.
void Merger::reorder(json& list, const json& order, const ListRule& rule) {
  const auto position = [&](const json& entry) {
    const auto found = std::ranges::find_if(order, [&](const json& one) {
      return rule.merge == Merge::ByKeys ? same_entry(one, entry, rule.keys) : one == entry;
    });
    return found - order.begin();
  };
  auto& entries = list.get_ref<json::array_t&>();
  std::vector<json> named;
  for (const auto& entry : entries) {
    if (position(entry) < static_cast<std::ptrdiff_t>(order.size())) named.push_back(entry);
  }
  std::ranges::stable_sort(named,
                           [&](const json& left, const json& right) { return position(left) < position(right); });
  auto next = named.begin();
  for (auto& entry : entries) {
    if (position(entry) < static_cast<std::ptrdiff_t>(order.size())) entry = std::move(*next++);
  }
}

Done Merger::merge_list(json& list, const json& patch, const std::string& path, const ListRule& rule) const {
  const auto replaces = std::ranges::any_of(
      patch, [](const json& entry) { return entry.is_object() && directive_of(entry) == "replace"; });
  if (rule.merge == Merge::Replaced || replaces || !list.is_array()) list = json::array();
  for (const auto& entry : patch) {
    if (rule.merge == Merge::ByKeys) {
      if (auto done = merge_entry(list, entry, path, rule); !done) return done;
    } else if (rule.merge == Merge::Replaced || std::ranges::find(list, entry) == list.end()) {
      list.push_back(without_directives(entry));
    }
  }
  return {};
}

Done Merger::merge_entry(json& list, const json& entry, const std::string& path, const ListRule& rule) const {
  if (!entry.is_object()) return net::fail(fmt::format("{}: entries must be objects", path));
  const auto what = directive_of(entry);
  if (what == "replace" && !entry.contains(rule.keys.front())) return {};  // speaks of the list as a whole
  if (!entry.contains(rule.keys.front())) {
    return net::fail(fmt::format("{}: an entry has no \"{}\" to merge it by", path, rule.keys.front()));
  }
  auto& entries = list.get_ref<json::array_t&>();
  const auto same = [&](const json& one) { return same_entry(entry, one, rule.keys); };
  if (what == "delete") {
    std::erase_if(entries, same);
    return {};
  }
  const auto found = std::ranges::find_if(entries, same);
  if (found == entries.end()) {
    list.push_back(without_directives(entry));
    return {};
  }
  return merge_object(*found, entry, path);
}

}  // namespace

ListRule list_rule(Kind kind, std::string_view path) {
  if (path == "metadata.finalizers") return {Merge::AsSet, {}};
  if (path == "metadata.ownerReferences") return {Merge::ByKeys, {"uid"}};
  if (path == "status.conditions") return {Merge::ByKeys, {"type"}};
  if (kind == Kind::Service && path == "spec.ports") return {Merge::ByKeys, {"port", "protocol"}};
  if (kind == Kind::Node && path == "status.addresses") return {Merge::ByKeys, {"type"}};
  if (kind == Kind::Node && path == "spec.podCIDRs") return {Merge::AsSet, {}};
  return {};
}

Done strategic_merge(json& object, const json& patch, Kind kind) {
  return Merger{kind}.merge_object(object, patch, {});
}

}  // namespace controller
