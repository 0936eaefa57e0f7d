// SPDX-License-Identifier: Apache-2.0
// Bodies of requests as JSON: from JSON, or from YAML where a client sends that. Bounded in depth, so that no
// body can exhaust the stack of what reads it later. Pure.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "controller/api/status.hpp"

namespace controller {

inline constexpr std::size_t body_limit = std::size_t{3} << 20U;

// "application/json; charset=utf-8" -> "application/json"
[[nodiscard]] std::string_view media_type(std::string_view content_type);

// Errors: 400 with the position, 415.
[[nodiscard]] ApiResult<nlohmann::json> decode_json(std::string_view text);
[[nodiscard]] ApiResult<nlohmann::json> decode_yaml(std::string_view text);
// By content type; no content type means JSON.
[[nodiscard]] ApiResult<nlohmann::json> decode_object(const Request& request);

}  // namespace controller
