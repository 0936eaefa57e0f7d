// SPDX-License-Identifier: Apache-2.0
// Plans as heraldctl asks for them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace insight {

// See make_plan().
[[nodiscard]] nlohmann::json plan(std::vector<nlohmann::json> all, std::vector<nlohmann::json> changed,
                                  std::vector<nlohmann::json> removed, std::string load_balancer_class);
// See plan_migration().
[[nodiscard]] nlohmann::json migrate(std::vector<nlohmann::json> all, std::vector<nlohmann::json> metallb,
                                     std::string load_balancer_class);

}  // namespace insight
