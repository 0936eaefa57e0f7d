// SPDX-License-Identifier: Apache-2.0
// Kubernetes' strategic merge patch: a merge patch in which some lists are merged by a key of their entries, and
// with directives ("$patch", "$retainKeys", "$deleteFromPrimitiveList/x", "$setElementOrder/x"). `kubectl apply`
// and `kubectl edit` send it for the core kinds. Which lists have which keys follows the Go types of Kubernetes;
// ports match by number and, where the patch names one, by protocol. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "net/result.hpp"

namespace controller {

// How a list of a kind is merged; path as "spec.ports".
struct ListRule {
  enum class Merge : std::uint8_t { Replaced, AsSet, ByKeys };
  Merge merge = Merge::Replaced;
  std::vector<std::string_view> keys;  // the first must be there, the others count where they are
};
[[nodiscard]] ListRule list_rule(config::Kind kind, std::string_view path);

// The error says what is wrong with the patch.
[[nodiscard]] net::Result<void, std::string> strategic_merge(nlohmann::json& object, const nlohmann::json& patch,
                                                             config::Kind kind);

}  // namespace controller
