// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace config {

// The octets of a file; nothing when it cannot be read, for the reason that errno says.
[[nodiscard]] std::optional<std::string> contents(const std::string& path);

}  // namespace config
