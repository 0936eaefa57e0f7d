// SPDX-License-Identifier: Apache-2.0
#include "speaker/link_view.hpp"

#include <algorithm>

#include <net/if_arp.h>

namespace speaker {

std::vector<L2Link> layer2_links(const netlink::LinkTable& table) {
  std::vector<L2Link> out;
  for (const auto& [index, link] : table.links()) {
    // A port of a bridge or bond has no addresses of its own: its master answers. A port of a VRF has.
    const auto* master = link.master == 0 ? nullptr : table.find(link.master);
    if (link.loopback() || (master != nullptr && master->kind != "vrf")) continue;
    L2Link view;
    view.index = index;
    view.name = link.name;
    view.mac = link.mac.value_or(net::Mac{});
    view.ethernet = link.hardware == ARPHRD_ETHER && !link.noarp() && link.mac.has_value();
    view.up = link.up();
    view.carrier = link.carrier();
    for (const auto& address : link.addresses) view.subnets.push_back(address.subnet());
    std::sort(view.subnets.begin(), view.subnets.end());
    view.subnets.erase(std::unique(view.subnets.begin(), view.subnets.end()), view.subnets.end());
    out.push_back(std::move(view));
  }
  return out;
}

std::vector<bgp::LinkSubnets> link_subnets(const netlink::LinkTable& table) {
  std::vector<bgp::LinkSubnets> all;
  for (const auto& [index, link] : table.links()) {
    if (link.loopback()) continue;
    bgp::LinkSubnets one{index, link.name, {}};
    for (const auto& address : link.addresses)
      if (!(address.address.is_v6() && address.address.link_local())) one.subnets.push_back(address.subnet());
    all.push_back(std::move(one));
  }
  return all;
}

std::optional<net::RouterId> default_router_id(const netlink::LinkTable& table) {
  for (const auto& [index, link] : table.links()) {
    if (link.loopback()) continue;
    for (const auto& address : link.addresses)
      if (address.address.is_v4()) return net::RouterId{address.address.v4().value};
  }
  return std::nullopt;
}

namespace {

// The first of each kind on the link.
void take_addresses(const netlink::Link& link, bgp::Transport& transport) {
  for (const auto& entry : link.addresses) {
    const auto& address = entry.address;
    if (entry.tentative() || address.loopback()) continue;
    if (address.is_v4()) {
      if (!transport.local_ipv4) transport.local_ipv4 = address.v4();
    } else if (address.link_local()) {
      if (!transport.local_link_local) transport.local_link_local = address.v6();
    } else if (!transport.local_ipv6) {
      transport.local_ipv6 = address.v6();
    }
  }
}

}  // namespace

void complete(bgp::Transport& transport, const netlink::LinkTable& table) {
  for (const auto& [index, link] : table.links()) {
    const auto here = std::any_of(link.addresses.begin(), link.addresses.end(),
                                  [&](const auto& address) { return address.address == transport.local; });
    if (!here) continue;
    if (transport.interface_index != 0 && transport.interface_index != index) continue;
    transport.interface_index = index;
    take_addresses(link, transport);
    // The session's own address goes before another of the link.
    if (transport.local.is_v4()) transport.local_ipv4 = transport.local.v4();
    if (transport.local.is_v6() && !transport.local.link_local()) transport.local_ipv6 = transport.local.v6();
    return;
  }
}

}  // namespace speaker
