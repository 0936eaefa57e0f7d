// SPDX-License-Identifier: Apache-2.0
// The numbers by which the kernel's objects are recognised as ours, after a crash too. They must not be
// those of another daemon: FRR, GoBGP's zapi and others sweep 186, BIRD sweeps 12.
#pragma once

#include <cstdint>

namespace netlink {

// rtm_protocol, nh_protocol and IFA_PROTO of everything we install; deploy/iproute2/herald.conf names it.
inline constexpr std::uint8_t herald_protocol = 201;

inline constexpr std::uint32_t main_table = 254;
inline constexpr std::uint32_t default_metric = 20;
// What the kernel gives an IPv6 route that asks for metric 0.
inline constexpr std::uint32_t ipv6_default_metric = 1024;

// Nexthop object ids are one name space per network namespace; ours start at ASCII 'H' and leave the
// low numbers to people.
inline constexpr std::uint32_t first_nexthop_id = 0x48000000;
inline constexpr std::uint32_t nexthop_id_count = 0x00100000;

}  // namespace netlink
