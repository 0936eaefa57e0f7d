// SPDX-License-Identifier: Apache-2.0
// What somebody has to say of an object in its status, put in its place among what others say. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace controller {

// One condition.
struct Statement {
  enum class Status : std::uint8_t { True, False, Unsaid };  // Unsaid: the condition goes, if it is there
  std::string type{};
  Status status = Status::Unsaid;
  std::string reason{};
  std::string message{};
  std::int64_t observed_generation = 0;  // 0: not told
  friend bool operator==(const Statement&, const Statement&) = default;
};
[[nodiscard]] std::string_view print(Statement::Status status);  // as in a condition; empty for Unsaid

struct ObjectStatus {
  std::vector<Statement> conditions{};
  nlohmann::json members = nlohmann::json::object();  // of `status` besides; null: goes
  friend bool operator==(const ObjectStatus&, const ObjectStatus&) = default;
};

// The merge patch (RFC 7396) for the `status` of an object as it stands; nothing when it says all of it already.
// Conditions of others stay, and so do the places of all of them, and the time of the last transition while the status
// of a condition is the same. `timestamp` is the present in RFC 3339. A status of the wrong shape counts as none.
[[nodiscard]] std::optional<nlohmann::json> status_patch(const nlohmann::json& object, const ObjectStatus& said,
                                                         const std::string& timestamp);

// As it stands on an object; null when it is not there.
[[nodiscard]] const nlohmann::json& condition_of(const nlohmann::json& object, std::string_view type);

}  // namespace controller
