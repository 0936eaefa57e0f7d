// SPDX-License-Identifier: Apache-2.0
// Monitoring stations and MRT files as the control socket shows them.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "speaker/control/views.hpp"
#include "speaker/watch_side.hpp"

namespace speaker {

[[nodiscard]] nlohmann::ordered_json view(const std::vector<StationStatus>& stations, const WallClock& clock);
[[nodiscard]] nlohmann::ordered_json view(const MrtStatus& status);

}  // namespace speaker
