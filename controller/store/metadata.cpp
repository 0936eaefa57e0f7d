// SPDX-License-Identifier: Apache-2.0
#include "controller/store/metadata.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/random.h>

namespace controller {
namespace {

using nlohmann::json;

template <std::size_t Size>
std::array<std::uint8_t, Size> random_bytes() {
  std::array<std::uint8_t, Size> bytes{};
  // Up to 256 bytes are never cut short once the kernel's pool is ready, getrandom(2).
  while (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
  }
  return bytes;
}

// What an update of an object cannot change.
constexpr auto fixed_fields =
    std::to_array<std::string_view>({"name", "namespace", "uid", "creationTimestamp", "generateName", "generation",
                                     "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "selfLink"});

json& metadata_of(json& object) {
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object();
  return metadata;
}

const json& metadata_of(const json& object) {
  static const auto none = json::object();
  const auto found = object.find("metadata");
  return found != object.end() && found->is_object() ? *found : none;
}

void carry_over(json& to, const json& from, std::string_view field) {
  const auto found = from.find(field);
  if (found != from.end()) {
    to[std::string{field}] = *found;
  } else {
    to.erase(std::string{field});
  }
}

// RFC 7396 section 2, and whether it made a difference.
bool merge(json& target, const json& patch) {
  if (!patch.is_object()) {
    if (target == patch) return false;
    target = patch;
    return true;
  }
  auto changed = !target.is_object();
  if (changed) target = json::object();
  for (const auto& [name, value] : patch.items()) {
    if (value.is_null()) {
      changed = target.erase(name) != 0 || changed;
      continue;
    }
    const auto found = target.find(name);
    if (found == target.end()) {
      changed = true;
      merge(target[name], value);
    } else {
      changed = merge(*found, value) || changed;
    }
  }
  return changed;
}

void count_generation(json& metadata) {
  const auto found = metadata.find("generation");
  const auto known = found != metadata.end() && found->is_number_integer();
  metadata["generation"] = (known ? found->get<std::int64_t>() : 0) + 1;
}

// Does anything differ that a controller must act upon?
bool same_intent(const json& left, const json& right) {
  const auto intent = [](const json& object) {
    std::vector<std::pair<std::string_view, const json*>> fields;
    for (const auto& [name, value] : object.items()) {
      if (name != "metadata" && name != "status") fields.emplace_back(name, &value);
    }
    return fields;
  };
  const auto a = intent(left);
  const auto b = intent(right);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && *x.second == *y.second; });
}

}  // namespace

std::string rfc3339(WallTime time) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

std::string random_uid() {
  auto bytes = random_bytes<16>();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", bytes.at(i));
  }
  return text;
}

std::string random_suffix(std::size_t length) {
  static constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string text;
  for (const auto byte : random_bytes<16>()) {
    if (text.size() < length) text += alphabet[byte % alphabet.size()];
  }
  return text;
}

void stamp_created(json& object, const ObjectKey& key, WallTime now) {
  const auto& kind = config::info(key.kind);
  object["apiVersion"] = kind.api_version;
  object["kind"] = kind.name;
  auto& metadata = metadata_of(object);
  metadata["name"] = key.name;
  if (kind.namespaced()) {
    metadata["namespace"] = key.namespace_name;
  } else {
    metadata.erase("namespace");
  }
  metadata["uid"] = random_uid();
  metadata["creationTimestamp"] = rfc3339(now);
  metadata["generation"] = 1;
  for (const auto* field : {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) metadata.erase(field);
}

void stamp_updated(json& object, const json& before) {
  const auto& old = metadata_of(before);
  carry_over(object, before, "apiVersion");
  carry_over(object, before, "kind");
  auto& metadata = metadata_of(object);
  for (const auto field : fixed_fields) carry_over(metadata, old, field);
  if (!same_intent(object, before)) count_generation(metadata);
}

bool merge_update(json& object, const json& patch) {
  auto intent_changed = false;
  auto changed = false;
  for (const auto& [name, value] : patch.items()) {
    if (name == "apiVersion" || name == "kind") continue;
    if (name != "metadata") {
      const auto differs = value.is_null() ? object.erase(name) != 0 : merge(object[name], value);
      changed = changed || differs;
      intent_changed = intent_changed || (differs && name != "status");
      continue;
    }
    if (!value.is_object()) continue;
    auto& metadata = metadata_of(object);
    for (const auto& [field, content] : value.items()) {
      if (std::ranges::find(fixed_fields, field) != fixed_fields.end()) continue;
      changed = (content.is_null() ? metadata.erase(field) != 0 : merge(metadata[field], content)) || changed;
    }
  }
  if (intent_changed) count_generation(metadata_of(object));
  return changed;
}

void stamp_deleted(json& object, WallTime now) {
  auto& metadata = metadata_of(object);
  metadata["deletionTimestamp"] = rfc3339(now);
  metadata["deletionGracePeriodSeconds"] = 0;
  count_generation(metadata);
}

bool has_finalizers(const json& object) {
  const auto& metadata = metadata_of(object);
  const auto found = metadata.find("finalizers");
  return found != metadata.end() && found->is_array() && !found->empty();
}

bool is_deleted(const json& object) {
  return metadata_of(object).contains("deletionTimestamp");
}

ObjectPtr make_object(const ObjectKey& key, json& json, std::uint64_t revision) {
  auto& metadata = metadata_of(json);
  metadata["resourceVersion"] = std::to_string(revision);
  Object object{.key = key, .uid = metadata.value("uid", ""), .revision = revision, .labels = {}, .text = {}};
  const auto labels = metadata.find("labels");
  if (labels != metadata.end() && labels->is_object()) {
    for (const auto& [name, value] : labels->items()) {
      if (value.is_string()) object.labels.add(name, value.get_ref<const std::string&>());
    }
  }
  // Strings that came in as JSON are UTF-8; those built here might not be, and must not throw.
  object.text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  object.text.shrink_to_fit();
  return std::make_shared<const Object>(std::move(object));
}

}  // namespace controller
