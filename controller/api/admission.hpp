// SPDX-License-Identifier: Apache-2.0
// What must hold of an object before the store gets it: it is what its path says, it has the defaults of its
// kind, and config/ can read it, alone and, for Herald's kinds, together with the others.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/api_paths.hpp"
#include "controller/api/set_check.hpp"
#include "controller/api/status.hpp"
#include "controller/store/store.hpp"

namespace controller {

// Kinds whose status has a path of its own; the object's own path leaves it alone.
[[nodiscard]] bool has_status(config::Kind kind);

// Makes kind, apiVersion, name and namespace agree with the path, or says which does not (400). An empty name in
// the key is filled in from the object.
[[nodiscard]] ApiResult<void> agree_with_path(nlohmann::json& object, ObjectKey& key);

// What Kubernetes would have filled in and what a Secret's stringData stands for.
void apply_defaults(config::Kind kind, nlohmann::json& object);

// The last word on an object, for all kinds. Remembers what it has read of the set.
class Admission {
 public:
  explicit Admission(const Store& store) : set_{store} {}

  // What the client should be told although the object is fine. Errors: 422 with a cause for each problem.
  using Warnings = std::vector<std::string>;
  [[nodiscard]] ApiResult<Warnings> check(const ObjectKey& key, const nlohmann::json& object, WallTime now);

 private:
  SetCheck set_;
};

}  // namespace controller
