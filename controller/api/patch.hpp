// SPDX-License-Identifier: Apache-2.0
// The three patches that change an object as it is: merge (RFC 7396), JSON (RFC 6902) and, for the core kinds,
// Kubernetes' strategic merge. Server-side apply, which asks who set what, is apply.hpp's. Pure.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "controller/api/status.hpp"

namespace controller {

// The object after the patch. Errors: 400 for a patch that is none, 415 for a type that the kind does not take,
// 422 for one that cannot be applied.
[[nodiscard]] ApiResult<nlohmann::json> apply_patch(const nlohmann::json& object, const config::KindInfo& kind,
                                                    std::string_view media_type, std::string_view body);

}  // namespace controller
