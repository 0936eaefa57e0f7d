// SPDX-License-Identifier: Apache-2.0
// Finds the way to a gateway that is no address of this host: a connected subnet first, then the kernel's own routes
// for gateways several hops away. Knows links and asks the kernel; keeps nothing but whether it had to ask.
#pragma once

#include <cstdint>
#include <utility>

#include "netlink/link_table.hpp"
#include "netlink/operations.hpp"
#include "netlink/socket.hpp"

namespace netlink {

class Resolver {
 public:
  Resolver(const LinkTable& links, CommandSocket& socket) : links_{links}, socket_{socket} {}

  [[nodiscard]] Resolution resolve(const net::IpAddress& gateway, std::uint32_t interface);
  // Whether an answer since the last call depends on routes, not on links alone.
  [[nodiscard]] bool take_asked() { return std::exchange(asked_, false); }

 private:
  [[nodiscard]] Resolution on_interface(const net::IpAddress& gateway, std::uint32_t interface) const;
  [[nodiscard]] bool behind_dead_link(const net::IpAddress& gateway) const;
  Resolution look_up(const net::IpAddress& gateway);

  const LinkTable& links_;
  CommandSocket& socket_;
  Batch request_;
  bool asked_ = false;
};

}  // namespace netlink
