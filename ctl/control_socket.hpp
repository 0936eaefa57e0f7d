// SPDX-License-Identifier: Apache-2.0
// Which speaker is meant when nobody says.
#pragma once

#include <filesystem>
#include <string>

namespace ctl {

// "unix:PATH" of the only socket in the folder; a Failure when there is none, or several.
[[nodiscard]] std::string only_control_socket(const std::filesystem::path& folder);

}  // namespace ctl
