// SPDX-License-Identifier: Apache-2.0
// The capabilities of a session as a table: what this node offers, what the neighbour does, what came of it.
#pragma once

#include <nlohmann/json.hpp>

#include "ctl/table.hpp"

namespace ctl {

// `peer`: an entry of peers[] of the control socket. Without a session the neighbour's and what is agreed are dashes.
[[nodiscard]] Table capabilities_of(const nlohmann::json& peer);

}  // namespace ctl
