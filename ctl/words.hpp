// SPDX-License-Identifier: Apache-2.0
// Values of a JSON object as text for people.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace ctl {

// Under `key`; "-" when it is not there.
[[nodiscard]] std::string word(const nlohmann::json& object, const char* key);
// The entries of the array under `key`, with `between` between them; "-" when there are none.
[[nodiscard]] std::string joined(const nlohmann::json& object, const char* key, const char* between = ",");

}  // namespace ctl
