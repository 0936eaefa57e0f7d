// SPDX-License-Identifier: Apache-2.0
// The rules of `metadata` that hold for every kind: identity, generation, deletion by finalizers. Pure but
// for the random uid; knows JSON objects, not the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "controller/store/object.hpp"

namespace controller {

using WallTime = std::chrono::system_clock::time_point;

// "2026-01-31T12:00:00Z", as Kubernetes writes times.
[[nodiscard]] std::string rfc3339(WallTime time);
// A random (version 4) UUID, RFC 9562 section 5.4.
[[nodiscard]] std::string random_uid();
// `length` characters as generateName appends them: no vowels, nothing that reads as a word.
[[nodiscard]] std::string random_suffix(std::size_t length);

// Sets what a new object of this key must say of itself, whatever it says.
void stamp_created(nlohmann::json& object, const ObjectKey& key, WallTime now);
// Carries over from `before` what an update cannot change, and counts generation up when more than metadata
// and status differ.
void stamp_updated(nlohmann::json& object, const nlohmann::json& before);
// Applies a merge patch (RFC 7396) in place, as stamp_updated would have it; says whether anything changed.
[[nodiscard]] bool merge_update(nlohmann::json& object, const nlohmann::json& patch);
// Marks the object as to be deleted once its finalizers are gone.
void stamp_deleted(nlohmann::json& object, WallTime now);

[[nodiscard]] bool has_finalizers(const nlohmann::json& object);
[[nodiscard]] bool is_deleted(const nlohmann::json& object);  // deletionTimestamp is set

// The object as the store keeps it; `json` gets the revision.
[[nodiscard]] ObjectPtr make_object(const ObjectKey& key, nlohmann::json& json, std::uint64_t revision);

}  // namespace controller
