// SPDX-License-Identifier: Apache-2.0
// The service manager's readiness protocol, sd_notify(3): one datagram to the socket that it names.
#pragma once

#include <string_view>

namespace controller {

// Sends e.g. "READY=1" to `socket`, the value of NOTIFY_SOCKET; an empty one means nobody asked.
void notify_service_manager(std::string_view socket, std::string_view state);

}  // namespace controller
