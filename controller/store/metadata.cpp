// SPDX-License-Identifier: Apache-2.0
#include "controller/store/metadata.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

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

std::string quoted(std::string_view text) {
  return std::string{"\""}.append(text).append("\"");
}

// The labels of an object's metadata, as selectors look at them.
LabelText label_text(std::string_view labels) {
  LabelText out;
  JsonCursor in{labels};
  in.members([&](std::string_view name) {
    if (in.at_string()) out.add(unescaped(name), in.string());
  });
  return out;
}

}  // namespace

std::string rfc3339(WallTime time) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
}

std::string random_uid() {
  static constexpr std::string_view digits = "0123456789abcdef";
  auto bytes = random_bytes<16>();
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits[bytes.at(i) >> 4];
    text += digits[bytes.at(i) & 0x0f];
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

std::optional<Draft> Draft::of(std::string_view object) {
  auto members = JsonMembers::of(object);
  if (!members) return std::nullopt;
  Draft draft;
  draft.object_ = std::move(*members);
  if (auto metadata = JsonMembers::of(draft.object_.find("metadata"))) draft.metadata_ = std::move(*metadata);
  draft.object_.erase("metadata");
  return draft;
}

void Draft::set_text(std::string_view field, std::string_view value) {
  metadata_.set(field, metadata_.keep(quoted(value)));
}

void Draft::count_generation() {
  const auto before = JsonCursor{metadata_.find("generation")}.number();
  metadata_.set("generation", metadata_.keep(std::to_string(before.value_or(0) + 1)));
}

void Draft::stamp_created(const ObjectKey& key, WallTime now) {
  const auto& kind = config::info(key.kind);
  object_.set("apiVersion", object_.keep(quoted(kind.api_version)));
  object_.set("kind", object_.keep(quoted(kind.name)));
  metadata_.set("name", metadata_.keep(JsonWriter{}.string(key.name).take()));
  metadata_.erase("namespace");
  if (kind.namespaced()) {
    metadata_.set("namespace", metadata_.keep(JsonWriter{}.string(key.namespace_name).take()));
  }
  set_text("uid", random_uid());
  set_text("creationTimestamp", rfc3339(now));
  metadata_.set("generation", "1");
  for (const auto* field : {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) metadata_.erase(field);
}

void Draft::stamp_updated(const Draft& before) {
  const auto carry_over = [](JsonMembers& to, const JsonMembers& from, std::string_view field) {
    const auto value = from.find(field);
    if (value.empty())
      to.erase(field);
    else
      to.set(field, value);
  };
  carry_over(object_, before.object_, "apiVersion");
  carry_over(object_, before.object_, "kind");
  for (const auto field : fixed_fields) carry_over(metadata_, before.metadata_, field);
  // Does anything differ that a controller must act upon?
  const auto intent = [](const JsonMembers& object) {
    std::vector<JsonMembers::Member> members;
    std::copy_if(object.begin(), object.end(), std::back_inserter(members),
                 [](const auto& one) { return one.name != "status"; });
    return members;
  };
  if (intent(object_) != intent(before.object_)) count_generation();
}

bool Draft::merge(const JsonMembers& patch) {
  auto intent_changed = false;
  auto changed = false;
  for (const auto& [name, value] : patch) {
    if (name == "apiVersion" || name == "kind") continue;
    if (name != "metadata") {
      const auto differs = object_.merge(name, value);
      changed = changed || differs;
      intent_changed = intent_changed || (differs && name != "status");
      continue;
    }
    const auto fields = JsonMembers::of(value);
    if (!fields) continue;
    for (const auto& [field, content] : *fields)
      if (std::ranges::find(fixed_fields, field) == fixed_fields.end())
        changed = metadata_.merge(field, content) || changed;
  }
  if (intent_changed) count_generation();
  return changed;
}

void Draft::stamp_deleted(WallTime now) {
  set_text("deletionTimestamp", rfc3339(now));
  metadata_.set("deletionGracePeriodSeconds", "0");
  count_generation();
}

bool Draft::has_finalizers() const {
  const auto value = metadata_.find("finalizers");
  return value.starts_with('[') && value != "[]";
}

bool Draft::is_deleted() const {
  return !metadata_.find("deletionTimestamp").empty();
}

ObjectPtr Draft::finish(const ObjectKey& key, std::uint64_t revision) {
  set_text("resourceVersion", std::to_string(revision));
  object_.set("metadata", object_.keep(metadata_.text()));
  auto text = object_.text();
  object_.erase("metadata");
  text.shrink_to_fit();
  return std::make_shared<const Object>(Object{.key = key,
                                               .uid = JsonCursor{metadata_.find("uid")}.string(),
                                               .revision = revision,
                                               .labels = label_text(metadata_.find("labels")),
                                               .text = std::move(text)});
}

bool has_finalizers(const Object& object) {
  const auto draft = Draft::of(object.text);
  return draft && draft->has_finalizers();
}

ObjectPtr make_object(const ObjectKey& key, const json& json, std::uint64_t revision) {
  const auto text = compact(json);
  auto draft = Draft::of(text);
  return draft ? draft->finish(key, revision) : Draft{}.finish(key, revision);
}

}  // namespace controller
