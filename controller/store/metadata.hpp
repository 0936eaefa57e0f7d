// SPDX-License-Identifier: Apache-2.0
// The rules of `metadata` that hold for every kind: identity, generation, deletion by finalizers. Pure but
// for the random uid; knows objects as text, not the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "controller/store/json_text.hpp"
#include "controller/store/object.hpp"

namespace controller {

using WallTime = std::chrono::system_clock::time_point;

// "2026-01-31T12:00:00Z", as Kubernetes writes times.
[[nodiscard]] std::string rfc3339(WallTime time);
// A random (version 4) UUID, RFC 9562 section 5.4.
[[nodiscard]] std::string random_uid();
// `length` characters as generateName appends them: no vowels, nothing that reads as a word.
[[nodiscard]] std::string random_suffix(std::size_t length);

// An object on its way to its next revision. The text that it was made of must outlive it: what a write does not
// touch is never read, only copied.
class Draft {
 public:
  // Nothing: not a JSON object.
  [[nodiscard]] static std::optional<Draft> of(std::string_view object);

  // Sets what a new object of this key must say of itself, whatever it says.
  void stamp_created(const ObjectKey& key, WallTime now);
  // Carries over from `before` what an update cannot change, and counts generation up when more than metadata
  // and status differ.
  void stamp_updated(const Draft& before);
  // Applies a merge patch (RFC 7396), as stamp_updated would have it; says whether anything changed.
  [[nodiscard]] bool merge(const JsonMembers& patch);
  // Marks the object as to be deleted once its finalizers are gone.
  void stamp_deleted(WallTime now);

  [[nodiscard]] bool has_finalizers() const;
  [[nodiscard]] bool is_deleted() const;  // deletionTimestamp is set
  [[nodiscard]] ObjectPtr finish(const ObjectKey& key, std::uint64_t revision);
  friend bool operator==(const Draft&, const Draft&) = default;

 private:
  void set_text(std::string_view field, std::string_view value);  // of metadata; needs no escape
  void count_generation();

  JsonMembers object_;  // without metadata
  JsonMembers metadata_;
};

[[nodiscard]] bool has_finalizers(const Object& object);

// The object as the store keeps it, with that revision.
[[nodiscard]] ObjectPtr make_object(const ObjectKey& key, const nlohmann::json& json, std::uint64_t revision);

}  // namespace controller
