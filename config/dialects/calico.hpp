// SPDX-License-Identifier: Apache-2.0
// Objects of projectcalico.org/v3 and crd.projectcalico.org/v1 read as they are, with Calico's defaults, into our
// kinds. What Herald does not do is refused by the name of the field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/cursor.hpp"
#include "config/resources.hpp"

namespace config::calico {

[[nodiscard]] BGPPeer parse_bgp_peer(Cursor in);
[[nodiscard]] BGPConfiguration parse_bgp_configuration(Cursor in);
// importV4, exportV4, importV6 and exportV6 become rules with a direction and a family. What no rule decides goes on
// to the next filter, and in the end to what the peer's chain says: everything in, what is announced here out.
[[nodiscard]] BGPFilter parse_bgp_filter(Cursor in);
// A pool whose allowedUses has LoadBalancer; others are refused: they are for pods.
[[nodiscard]] IPAddressPool parse_ip_pool(Cursor in);
[[nodiscard]] Node parse_node(Cursor in);

// The metric of a route in the kernel, which Calico calls its priority: 1 to 2147483646.
[[nodiscard]] Checked<std::uint32_t> priority(const Value& value);

// Calico's selector language: all(), has(a), a == "b", a != "b", a in {"b", "c"}, a not in {"b"}, !, &&, || and
// parentheses, as Kubernetes selectors of which one must match. The error says what is wrong.
[[nodiscard]] Checked<std::vector<LabelSelector>> parse_selector(std::string_view text);

}  // namespace config::calico
