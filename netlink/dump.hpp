// SPDX-License-Identifier: Apache-2.0
// Everything the kernel has of one kind, message by message: routes and nexthop objects.
#pragma once

#include <functional>

#include "net/result.hpp"
#include "netlink/error.hpp"
#include "netlink/messages.hpp"
#include "netlink/socket.hpp"

namespace netlink {

// Routes that match the filter; the kernel leaves the others out where it can, and so does this. A
// table or family that does not exist has no routes. When the table changes during the dump some
// routes are shown twice.
[[nodiscard]] net::Result<void, KernelError> read_routes(CommandSocket& socket, const RouteFilter& filter,
                                                         const std::function<void(const RouteMessage&)>& visit);
[[nodiscard]] net::Result<void, KernelError> read_nexthops(CommandSocket& socket,
                                                           const std::function<void(const NexthopMessage&)>& visit);

}  // namespace netlink
