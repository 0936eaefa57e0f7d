// SPDX-License-Identifier: Apache-2.0
// Looks up one neighbour's Ethernet address in the kernel's table. Asks each time: the kernel knows when it changes.
#pragma once

#include <cstdint>
#include <optional>

#include "net/address.hpp"
#include "net/mac.hpp"
#include "netlink/batch.hpp"
#include "netlink/socket.hpp"

namespace netlink {

class Neighbors {
 public:
  // Nothing where the kernel has no valid address of it (yet).
  [[nodiscard]] std::optional<net::Mac> find(std::uint32_t interface, const net::IpAddress& address);

 private:
  CommandSocket socket_;
  Batch request_;
};

}  // namespace netlink
