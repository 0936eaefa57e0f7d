// SPDX-License-Identifier: Apache-2.0
#include "netlink/resolver.hpp"

#include <algorithm>

#include <linux/rtnetlink.h>

namespace netlink {

Resolution Resolver::resolve(const net::IpAddress& gateway, std::uint32_t interface) {
  if (interface == no_interface) return {Reach::Resolved, gateway, 0, OnLink::No};  // nowhere
  // RFC 4271 section 6.3; nor does the kernel take such a gateway.
  if (links_.own(interface, gateway)) return {Reach::Own, gateway, 0, OnLink::No};
  if (interface != 0) return on_interface(gateway, interface);
  if (gateway.unspecified()) return {Reach::NoPath, gateway, 0, OnLink::No};
  if (const auto* link = links_.connected(gateway)) return {Reach::Resolved, gateway, link->index, OnLink::No};
  // Which of the links a link-local address is on, nobody can tell.
  if (gateway.link_local()) return {Reach::NoPath, gateway, 0, OnLink::No};
  auto found = look_up(gateway);
  if (found.reach == Reach::NoPath && behind_dead_link(gateway)) found.reach = Reach::LinkDown;
  return found;
}

Resolution Resolver::on_interface(const net::IpAddress& gateway, std::uint32_t interface) const {
  const auto* link = links_.find(interface);
  if (link == nullptr || !link->usable()) return {Reach::LinkDown, gateway, interface, OnLink::No};
  // Unnumbered: the caller knows the neighbour is there although no subnet says so.
  const auto onlink = gateway.unspecified() || links_.on_link(interface, gateway) ? OnLink::No : OnLink::Yes;
  return {Reach::Resolved, gateway, interface, onlink};
}

bool Resolver::behind_dead_link(const net::IpAddress& gateway) const {
  return std::any_of(links_.links().begin(), links_.links().end(), [&](const auto& entry) {
    return !entry.second.usable() && !(gateway.link_local()) && links_.on_link(entry.first, gateway);
  });
}

// The kernel's answer is final: it has looked through nexthop objects and made its choice among equal
// paths. It may lead over a route of ours, which is what overlays on learned routes want; no loop can
// come of it, because the answer is always a neighbour on a link.
Resolution Resolver::look_up(const net::IpAddress& gateway) {
  asked_ = true;
  std::optional<RouteMessage> path;
  encode_route_lookup(request_, gateway);
  const auto done = socket_.ask(request_, [&](const RawMessage& raw) {
    if (raw.type == RTM_NEWROUTE) path = decode_route(raw);
  });
  const Resolution none{Reach::NoPath, gateway, 0, OnLink::No};
  if (!done || !path || path->type != RTN_UNICAST) return none;
  const auto* link = links_.find(path->interface);
  if (link == nullptr || link->loopback()) return none;
  if (!link->usable()) return {Reach::LinkDown, gateway, path->interface, OnLink::No};
  return {Reach::Resolved, path->gateway.value_or(gateway), path->interface, OnLink::No};
}

}  // namespace netlink
