// SPDX-License-Identifier: Apache-2.0
// The columns that `kubectl get` and `heraldctl get` show of each kind. Pure: the age is counted to a time
// that is given.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "controller/store/metadata.hpp"

namespace controller {

struct Column {
  std::string_view name;
  std::string_view type;  // string, integer, date
  std::string_view description;
  enum class Shown : std::uint8_t { Always, Wide } shown = Shown::Always;
};

[[nodiscard]] std::span<const Column> columns(config::Kind kind);
// One value for each column.
[[nodiscard]] nlohmann::json cells(config::Kind kind, const nlohmann::json& object, WallTime now);

// "5m12s", "3h", "8d": short, and coarser with age, as kubectl shows durations.
[[nodiscard]] std::string short_duration(std::chrono::seconds duration);
// The time of an RFC 3339 text; nothing when it is none.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace controller
