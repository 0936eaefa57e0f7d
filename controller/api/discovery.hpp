// SPDX-License-Identifier: Apache-2.0
// What the API has, told in the two ways that clients ask: group by group, and aggregated. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/api/request.hpp"

namespace controller {

// The answer to /api, /apis, /apis/GROUP and the versions below; nothing for any other path.
[[nodiscard]] std::optional<Response> discover(std::string_view path, std::string_view accept);

// The list of all paths that "/" answers.
[[nodiscard]] Response root_paths();
// Kubernetes' version that the API is shaped after, and ours.
[[nodiscard]] Response version_info();

}  // namespace controller
