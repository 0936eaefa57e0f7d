// SPDX-License-Identifier: Apache-2.0
// What the other parts of the speaker want to know of the kernel's links: layer 2's view, a router id, and the
// addresses that BGP needs for next hops. Pure functions of the link table.
#pragma once

#include <optional>
#include <vector>

#include "bgp/policy/link_map.hpp"
#include "bgp/session.hpp"
#include "net/asn.hpp"
#include "netlink/link_table.hpp"
#include "speaker/layer2/link.hpp"

namespace speaker {

[[nodiscard]] std::vector<L2Link> layer2_links(const netlink::LinkTable& table);
// All but the loopback interface, with their subnets; of those, none that is on every link.
[[nodiscard]] std::vector<bgp::LinkSubnets> link_subnets(const netlink::LinkTable& table);
// The first IPv4 address of the lowest-index link that is not a loopback; nothing when there is none.
[[nodiscard]] std::optional<net::RouterId> default_router_id(const netlink::LinkTable& table);
// Fills in what a connection's local end has besides its own address.
void complete(bgp::Transport& transport, const netlink::LinkTable& table);

}  // namespace speaker
