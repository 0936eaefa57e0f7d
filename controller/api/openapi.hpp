// SPDX-License-Identifier: Apache-2.0
// Descriptions of the kinds for tools: what `kubectl explain` shows and what older kubectl checks objects by.
// OpenAPI v3 as JSON, v2 as JSON and in the protobuf encoding that kubectl before 1.27 insists on. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "controller/api/request.hpp"

namespace controller {

// The answer to a path below /openapi; nothing for any other path.
[[nodiscard]] std::optional<Response> openapi(std::string_view path, std::string_view accept);

}  // namespace controller
