// SPDX-License-Identifier: Apache-2.0
// One screen about a neighbour: what it is configured with, what the session agreed on, and what came of it.
#pragma once

#include <ostream>

#include <nlohmann/json.hpp>

#include "ctl/table.hpp"

namespace ctl {

// `peer`: an entry of peers[] of the control socket.
void print_peer(const nlohmann::json& peer, Paint paint, std::ostream& out);
// `range`: an entry of ranges[], of which any address may connect.
void print_range(const nlohmann::json& range, Paint paint, std::ostream& out);

}  // namespace ctl
