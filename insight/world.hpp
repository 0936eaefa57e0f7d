// SPDX-License-Identifier: Apache-2.0
// A set of objects and what becomes of it: the ground on which plans stand. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/object.hpp"
#include "config/source/files.hpp"

namespace insight {

// A set of objects, as JSON and as what it means.
struct World {
  using Key = std::pair<config::Kind, std::string>;
  std::map<Key, nlohmann::json> objects;
  config::ReadResult read;     // of objects, in their order
  config::ReadResult network;  // the same without services and endpoints
  config::Loaded loaded;       // for the whole network
};

// By what an object stands for: one of a dialect has the key of the kind that it is read as. Nothing: none of ours.
[[nodiscard]] std::optional<World::Key> key_of(const nlohmann::json& object);
[[nodiscard]] World assemble(std::map<World::Key, nlohmann::json> objects);

// The addresses of a service.
struct Outcome {
  std::vector<std::string> addresses;
  std::string pool;
  std::string why;  // not empty: it does not have what it asks for, or lost what it had
};
using Outcomes = std::map<std::string, Outcome>;  // by "namespace/name"; services of ours alone
// What each service has by its status.
[[nodiscard]] Outcomes standing(const World& world, const std::string& load_balancer_class);
// What each comes to have under a controller that starts now.
[[nodiscard]] Outcomes allocate(const World& world, const std::string& load_balancer_class);
// {"service", "change", "before", "after", "pool", "why"}; the change is gets, loses, changes, or waits.
[[nodiscard]] nlohmann::json service_change(const std::string& name, const Outcome& before, const Outcome& after);

// Secrets are not read for a plan: that one is missing says nothing.
[[nodiscard]] bool about_secrets(const config::Problem& problem);

}  // namespace insight
