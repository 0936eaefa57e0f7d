// SPDX-License-Identifier: Apache-2.0
// One screen about a node.
#pragma once

#include <ostream>

#include <nlohmann/json.hpp>

#include "ctl/table.hpp"

namespace ctl {

// `answer`: what the control socket says of its status.
void print_status(const nlohmann::json& answer, Paint paint, std::ostream& out);

}  // namespace ctl
