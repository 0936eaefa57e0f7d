// SPDX-License-Identifier: Apache-2.0
// Takes everything of ours out of the kernel, whoever left it there, and nothing else: routes by
// protocol, nexthop objects by protocol and id, service addresses by their marks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/result.hpp"
#include "netlink/constants.hpp"
#include "netlink/error.hpp"
#include "netlink/nexthop_table.hpp"

namespace netlink {

struct CleanupScope {
  std::optional<std::uint32_t> table = std::nullopt;  // nothing: every table
  std::uint8_t protocol = herald_protocol;
  IdRange ids = {};
};

struct CleanupResult {
  std::size_t routes = 0;
  std::size_t nexthops = 0;  // groups included
  std::size_t addresses = 0;
  std::vector<std::string> problems;  // what could not be removed and why
};

// Objects that a route outside the scope still uses stay. Throws std::system_error when the kernel
// gives us no socket.
[[nodiscard]] net::Result<CleanupResult, KernelError> cleanup(const CleanupScope& scope);

}  // namespace netlink
