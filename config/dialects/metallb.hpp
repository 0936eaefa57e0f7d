// SPDX-License-Identifier: Apache-2.0
// Objects of metallb.io read as they are, with MetalLB's defaults, into our kinds. Their namespace means
// nothing here and is dropped; what Herald does not implement is refused by name.
#pragma once

#include "config/cursor.hpp"
#include "config/resources.hpp"

namespace config::metallb {

[[nodiscard]] IPAddressPool parse_ip_address_pool(Cursor in);
[[nodiscard]] Community parse_community(Cursor in);
[[nodiscard]] BGPAdvertisement parse_bgp_advertisement(Cursor in);
[[nodiscard]] L2Advertisement parse_l2_advertisement(Cursor in);
[[nodiscard]] BFDProfile parse_bfd_profile(Cursor in);
[[nodiscard]] BGPPeer parse_bgp_peer_v1beta1(Cursor in);
[[nodiscard]] BGPPeer parse_bgp_peer_v1beta2(Cursor in);

}  // namespace config::metallb
