// SPDX-License-Identifier: Apache-2.0
// Does an object go together with those that are there? The whole set is judged with it in its place. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/changes.hpp"
#include "config/object.hpp"
#include "config/resources.hpp"
#include "config/validate.hpp"

namespace config {

struct CandidateFindings {
  std::vector<Problem> contradictions;  // it, or another because of it, could not be used
  std::vector<std::string> warnings;    // what is missing so far: references may come later; a few at most
};
// `before`: all that can be read, also what is set aside; it may hold the candidate as it was. Of two that contradict
// each other the older stays, so a new candidate must say when it was made.
[[nodiscard]] CandidateFindings judge_candidate(const Resources& before, const Object& candidate,
                                                Secrets secrets = Secrets::Known);

// Puts an object in its place among others.
void put(Resources& resources, const Object& object);
// Takes it out, if it is there.
void erase(Resources& resources, const ObjectId& id);

}  // namespace config
