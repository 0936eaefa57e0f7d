// SPDX-License-Identifier: Apache-2.0
// Differences of the set of resources, as a source tells them.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "config/api_paths.hpp"
#include "config/meta.hpp"
#include "config/object.hpp"

namespace config {

struct ObjectId {
  Kind kind{};
  std::string key;  // "name" or "namespace/name"
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

// Each object is in at most one of the lists.
struct Changes {
  struct Refused {
    ObjectId id;
    std::vector<Problem> problems;
  };
  std::vector<Object> set;  // new, or other than before
  std::vector<ObjectId> removed;
  std::vector<Refused> refused;  // there, and not to be used: what was known of it before must go
  [[nodiscard]] bool empty() const { return set.empty() && removed.empty() && refused.empty(); }
};

// Differences told one after the other as one, of which each object is told its last state: it may have come, gone and
// come again.
[[nodiscard]] Changes together(std::vector<Changes> told);

}  // namespace config
