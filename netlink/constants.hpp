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

// struct nexthop_grp of linux/nexthop.h as kernels since 6.12 read it; the headers of Debian 12 still call the
// high byte of the weight reserved.
struct GroupEntry {
  std::uint32_t id;
  std::uint8_t weight;  // the low byte of weight - 1
  std::uint8_t weight_high;
  std::uint16_t reserved;
};
static_assert(sizeof(GroupEntry) == 8);

}  // namespace netlink
