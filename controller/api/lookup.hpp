// SPDX-License-Identifier: Apache-2.0
// Looking into an object that may have any shape: a path that leads nowhere gives null, never an error.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace controller {

// What "spec.loadBalancer.ingress" leads to through members; null where a step is missing.
[[nodiscard]] const nlohmann::json& lookup(const nlohmann::json& object, std::string_view path);
// The same as text: strings as they are, nothing as "", everything else as JSON.
[[nodiscard]] std::string text_at(const nlohmann::json& object, std::string_view path);
// Arrays and the values of their entries, joined; a single value stands for itself.
[[nodiscard]] std::string joined_at(const nlohmann::json& object, std::string_view path,
                                    std::string_view separator = ",");

}  // namespace controller
