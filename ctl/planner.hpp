// SPDX-License-Identifier: Apache-2.0
// What the controller and the speakers would do, as heraldctl asks it: JSON in, JSON out. The program's main gives it;
// this folder knows nothing of how it is found out.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace ctl {

struct Planner {
  using Objects = std::vector<nlohmann::json>;
  // All objects, those that would change, those that would go, and the class of load balancers that the controller has.
  // The answer is that of docs/reference/plan.md.
  std::function<nlohmann::json(Objects all, Objects changed, Objects removed, std::string load_balancer_class)> plan{};
  // All objects but those of metallb.io, and those.
  std::function<nlohmann::json(Objects all, Objects metallb, std::string load_balancer_class)> migrate{};
};

}  // namespace ctl
