// SPDX-License-Identifier: Apache-2.0
// How people name kinds and objects on the command line.
#pragma once

#include <string>
#include <vector>

#include "config/api_paths.hpp"

namespace ctl {

// One kind and the objects of it that are meant; no names: all.
struct Target {
  const config::KindInfo* kind = nullptr;
  std::vector<std::string> names;
};

// The kind that a word names; a Failure proposes the nearest.
[[nodiscard]] const config::KindInfo& kind_of(const std::string& word);
// "pools", "pools,peers", "all" (what people write, without secrets), "pool web lan", "pool/web peer/tor1".
[[nodiscard]] std::vector<Target> targets_of(const std::vector<std::string>& words);

}  // namespace ctl
