// SPDX-License-Identifier: Apache-2.0
// What an IPAddressPool says of itself: how many addresses it has, how many are given out, and whether one of its
// families has none left. Pure; the loop writes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "controller/allocation/allocator.hpp"

namespace controller {

// The condition on an IPAddressPool: True while a family that it has has no address left to give out.
inline constexpr std::string_view exhausted_condition = "herald.dev/Exhausted";

// The merge patch for the status of a pool object: capacityIPv4, assignedIPv4, quarantinedIPv4, availableIPv4, the same
// for IPv6, and the condition; nothing when the object says so already. Counts that do not fit are 2^63 - 1. Conditions
// of others stay. `timestamp` is the present in RFC 3339, for a condition whose status changes.
[[nodiscard]] std::optional<nlohmann::json> pool_status(const Allocator& allocator, const nlohmann::json& pool,
                                                        const std::string& timestamp);

}  // namespace controller
