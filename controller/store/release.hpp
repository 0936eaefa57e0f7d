// SPDX-License-Identifier: Apache-2.0
// The record of a thing given up. The store keeps these apart from the objects: they outlive the object that gave
// the thing up, and a restart.
#pragma once

#include <chrono>
#include <string>

namespace controller {

// Something that an object held and does not hold any more, since it changed or was deleted.
struct Release {
  std::string what;
  std::string holder;  // "namespace/name" or "name"
  std::chrono::system_clock::time_point at;
  friend bool operator==(const Release&, const Release&) = default;
};

}  // namespace controller
