// SPDX-License-Identifier: Apache-2.0
// What a neighbour, or a range of neighbours, is configured with, as the control socket shows it. What is as it is
// without being said is left out. Secrets are not shown.
#pragma once

#include <nlohmann/json.hpp>

#include "bgp/router_config.hpp"
#include "bgp/wire/message.hpp"

namespace speaker {

// Adds filters, limits, AS options and the like to `out`; `router` says which AS number is the node's own.
void add_configuration(nlohmann::ordered_json& out, const bgp::NeighborConfig& config, const bgp::RouterConfig& router);

// A configured AS number, or "internal" or "external" where any such will do.
[[nodiscard]] nlohmann::ordered_json view(const bgp::ExpectedAsn& expected);
// ["ipv4-unicast", "ipv6-unicast"].
[[nodiscard]] nlohmann::ordered_json view(const bgp::Families& families);
// What an OPEN offers: the capabilities that are there. Other families than the two are "AFI/SAFI", and capabilities
// that are not known are their codes.
[[nodiscard]] nlohmann::ordered_json view(const bgp::Capabilities& capabilities);

}  // namespace speaker
