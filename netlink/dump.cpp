// SPDX-License-Identifier: Apache-2.0
#include "netlink/dump.hpp"

#include <cerrno>

#include "netlink/batch.hpp"
#include "netlink/codec.hpp"

namespace netlink {

net::Result<void, KernelError> read_routes(CommandSocket& socket, const RouteFilter& filter,
                                           const std::function<void(const RouteMessage&)>& visit) {
  Batch request;
  encode_route_dump(request, filter);
  auto done = socket.ask(request, [&](const RawMessage& raw) {
    const auto route = decode_route(raw);
    if (!route || (filter.table != 0 && route->table != filter.table)) return;
    if (filter.protocol == 0 || route->protocol == filter.protocol) visit(*route);
  });
  if (!done && (done.error().number == ENOENT || done.error().number == EOPNOTSUPP)) return {};
  return done;
}

net::Result<void, KernelError> read_nexthops(CommandSocket& socket,
                                             const std::function<void(const NexthopMessage&)>& visit) {
  Batch request;
  encode_nexthop_dump(request);
  return socket.ask(request, [&](const RawMessage& raw) {
    if (const auto nexthop = decode_nexthop(raw)) visit(*nexthop);
  });
}

}  // namespace netlink
