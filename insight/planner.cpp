// SPDX-License-Identifier: Apache-2.0
#include "insight/planner.hpp"

#include <utility>

#include "insight/migration.hpp"
#include "insight/plan.hpp"

namespace insight {

nlohmann::json plan(std::vector<nlohmann::json> all, std::vector<nlohmann::json> changed,
                    std::vector<nlohmann::json> removed, std::string load_balancer_class) {
  return make_plan({std::move(all), std::move(changed), std::move(removed), std::move(load_balancer_class)});
}

nlohmann::json migrate(std::vector<nlohmann::json> all, std::vector<nlohmann::json> metallb,
                       std::string load_balancer_class) {
  return plan_migration({std::move(all), std::move(metallb), std::move(load_balancer_class)});
}

}  // namespace insight
