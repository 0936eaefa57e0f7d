// SPDX-License-Identifier: Apache-2.0
// Server-side apply: an applier says all that it wants and no more; what it said before and does not say now is
// taken away again, and what another applier said otherwise is a conflict. Who said what stands in
// metadata.managedFields. Simpler than Kubernetes in one point: only appliers own fields; a field that was
// changed by another verb is taken back by the next apply without a conflict. Pure.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "controller/api/status.hpp"
#include "controller/store/metadata.hpp"

namespace controller {

struct Apply {
  nlohmann::json configuration;
  std::string manager;
  enum class Conflicts : std::uint8_t { Refuse, TakeOver } conflicts = Conflicts::Refuse;
};

// The object after it. `current` is null when there is none yet. Errors: 409 with the fields in conflict.
[[nodiscard]] ApiResult<nlohmann::json> server_side_apply(const nlohmann::json& current, const Apply& apply,
                                                          const ObjectKey& key, WallTime now);

}  // namespace controller
