// SPDX-License-Identifier: Apache-2.0
// Where a field of an object was written, for what is found out after reading.
#pragma once

#include <string_view>
#include <vector>

#include "config/document.hpp"

namespace config {

// A text's trees, kept until its objects are judged.
struct Source {
  std::string file;
  std::vector<Value> documents;
};

// The place of `field` ("spec.rules[0].match.peers") in the object that begins at `object`: as deep as the path
// leads. `object` itself where no source has it, such as for what came from an API.
[[nodiscard]] Location place_of(const std::vector<Source>& sources, const Location& object, std::string_view field);

}  // namespace config
