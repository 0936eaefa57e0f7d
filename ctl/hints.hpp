// SPDX-License-Identifier: Apache-2.0
// What to do about a gate that stops a service.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace ctl {

// One sentence; empty where nothing is wrong (Open, NotOwner) and for a gate of another version.
[[nodiscard]] std::string hint_for(std::string_view gate, std::string_view method);
// For the verdicts of one service: of addresses that this node neither announces nor leaves to another.
[[nodiscard]] std::vector<std::string> hints_for(const nlohmann::json& verdicts);

}  // namespace ctl
