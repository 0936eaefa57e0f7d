// SPDX-License-Identifier: Apache-2.0
// Objects in Kubernetes' protobuf encoding: what `kubectl create service|secret|namespace` of current releases
// sends and nothing else. Answers are always JSON, which they take. Pure.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "controller/api/status.hpp"

namespace controller {

inline constexpr std::string_view protobuf_type = "application/vnd.kubernetes.protobuf";

// Errors: 415 for a kind that is not known in this encoding, 400 for a body that is broken or says more than is
// understood.
[[nodiscard]] ApiResult<nlohmann::json> decode_protobuf(std::string_view body);

}  // namespace controller
