// SPDX-License-Identifier: Apache-2.0
// What the speaker shows of itself, as JSON for the control socket. Keys are camelCase and stay; times are
// RFC 3339, durations end in Msec or Sec; a key whose value is not known is left out. docs/reference/control.md is
// their reference.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bgp/router.hpp"
#include "net/time.hpp"
#include "speaker/bfd_side.hpp"
#include "speaker/desired.hpp"

namespace speaker {

inline constexpr int schema_version = 1;

// Steady time turned into wall time for display.
struct WallClock {
  net::TimePoint steady;
  std::chrono::system_clock::time_point wall;
  [[nodiscard]] std::string timestamp(net::TimePoint when) const;  // "2026-01-31T12:00:00.123Z"
  [[nodiscard]] std::int64_t since(net::TimePoint when) const;     // milliseconds
};

// What a neighbour is configured with, what its session agreed on, and what came of it.
[[nodiscard]] nlohmann::ordered_json view(const bgp::NeighborStatus& status, const bgp::NeighborConfig& config,
                                          const bgp::RouterConfig& router, const WallClock& clock);
// A range of which every address may connect; `peers` of them have.
[[nodiscard]] nlohmann::ordered_json view_range(const bgp::NeighborConfig& pattern, const bgp::RouterConfig& router,
                                                std::size_t peers);
[[nodiscard]] nlohmann::ordered_json view(const BfdStatus& status, const WallClock& clock);
[[nodiscard]] nlohmann::ordered_json view(const bgp::PathAttributes& attributes);
// One row of a table: a path.
[[nodiscard]] nlohmann::ordered_json view(const bgp::RouteRow& row);
// One prefix of the best routes, whose rows are the paths that are used together.
[[nodiscard]] nlohmann::ordered_json view_best(const std::vector<bgp::RouteRow>& rows);
[[nodiscard]] nlohmann::ordered_json view(const net::Prefix& prefix, const bgp::Explanation& explanation);
[[nodiscard]] nlohmann::ordered_json view(const Verdict& verdict);
[[nodiscard]] nlohmann::ordered_json view(const bgp::TableStatus& table);

[[nodiscard]] std::string_view print(bgp::State state);                  // "Established"
[[nodiscard]] std::string print_next_hop(const bgp::NextHop& next_hop);  // "10.0.0.1", "fe80::1%eth1"

}  // namespace speaker
