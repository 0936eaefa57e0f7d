// SPDX-License-Identifier: Apache-2.0
// Does an object go together with those that are there? Asked before Herald's own kinds are written, so that
// two pools do not overlap and two peers do not contradict each other in the first place.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/object.hpp"
#include "controller/store/metadata.hpp"
#include "controller/store/store.hpp"

namespace controller {

class SetCheck {
 public:
  struct Findings {
    std::vector<config::Problem> contradictions;  // it, or another because of it, could not be used
    std::vector<std::string> warnings;            // what is missing so far: references may come later
  };

  explicit SetCheck(const Store& store) : store_{store} {}

  [[nodiscard]] Findings check(const ObjectKey& key, config::Object candidate, WallTime now);

 private:
  void refresh();

  const Store& store_;
  // What was read last, by key, with the revision it was read from.
  std::map<ObjectKey, std::pair<std::uint64_t, config::Object>> read_;
};

}  // namespace controller
