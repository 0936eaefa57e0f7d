// SPDX-License-Identifier: Apache-2.0
// The neighbours of a node as a table, and what the screen of one has in common with its row.
#pragma once

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "ctl/options.hpp"
#include "ctl/table.hpp"

namespace ctl {

// `answer`: what the control socket says of all peers. Ranges of which any address may connect come after them.
void print_peer_table(const nlohmann::json& answer, Format format, Paint paint, std::ostream& out);

// No import filter that could accept something: RFC 8212.
[[nodiscard]] bool refuses_everything(const nlohmann::json& peer);
// For how long TCP has taken nothing of what waits for the neighbour; empty if that is less than five seconds.
[[nodiscard]] std::string takes_nothing(const nlohmann::json& peer);
// The state of the session; where it is down on purpose, that.
[[nodiscard]] Cell state_cell(const nlohmann::json& peer);
// "-" where BFD does not watch the neighbour.
[[nodiscard]] Cell bfd_cell(const nlohmann::json& peer);
// "50ms/60ms x3": how often packets go out and come in, and how many of the latter may be missing.
[[nodiscard]] std::string bfd_timers(const nlohmann::json& peer);

}  // namespace ctl
