// SPDX-License-Identifier: Apache-2.0
// What the kernel says and is told over rtnetlink, as plain values. No bytes, no sockets, no kernel
// headers: the codec turns these into messages and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/mac.hpp"
#include "net/prefix.hpp"
#include "netlink/constants.hpp"

namespace netlink {

enum class Change : std::uint8_t { New, Deleted };
enum class OnLink : std::uint8_t { No, Yes };

// ---- what the kernel says ----

struct RouteMessage {
  Change change = Change::New;
  bool replaced = false;  // the route took the place of another with the same prefix, table and metric
  net::Prefix prefix;
  std::uint32_t table = 0;
  std::uint32_t metric = 0;
  std::uint8_t protocol = 0;
  std::uint8_t type = 0;  // RTN_UNICAST, ...
  std::uint8_t scope = 0;
  std::uint32_t flags = 0;  // RTM_F_*, RTNH_F_*
  std::uint32_t nexthop_id = 0;
  std::optional<net::IpAddress> gateway;  // of the first path
  std::uint32_t interface = 0;            // of the first path
  std::uint16_t paths = 0;                // inline paths; 0 with a nexthop object
  friend bool operator==(const RouteMessage&, const RouteMessage&) = default;
};

struct GroupMember {
  std::uint32_t id = 0;
  std::uint32_t weight = 1;  // 1..65536
  friend bool operator==(const GroupMember&, const GroupMember&) = default;
};

// A resilient group keeps flows on their bucket when members come and go. The kernel counts its timers
// in 1/100 s and takes neither another type nor another number of buckets for a group that exists.
struct Resilience {
  std::uint16_t buckets = 128;
  std::uint32_t idle_timer_centiseconds = 12000;
  std::uint32_t unbalanced_timer_centiseconds = 0;  // 0: never force a busy bucket to move
  friend bool operator==(const Resilience&, const Resilience&) = default;
};

struct NexthopMessage {
  Change change = Change::New;
  std::uint32_t id = 0;
  std::uint8_t protocol = 0;
  net::Family family = net::Family::Ipv4;
  OnLink onlink = OnLink::No;
  std::optional<net::IpAddress> gateway;
  std::uint32_t interface = 0;
  bool blackhole = false;
  std::vector<GroupMember> members;  // not empty: a group
  std::optional<Resilience> resilience;
  friend bool operator==(const NexthopMessage&, const NexthopMessage&) = default;
};

struct LinkMessage {
  Change change = Change::New;
  std::uint32_t index = 0;
  std::string name;
  std::optional<net::Mac> mac;
  std::uint32_t flags = 0;     // IFF_*
  std::uint16_t hardware = 0;  // ARPHRD_*
  std::uint32_t master = 0;    // bridge, bond or VRF this link is a port of
  std::uint32_t parent = 0;    // the link below a VLAN or macvlan; the peer of a veth
  std::uint32_t mtu = 0;
  std::string kind;  // "veth", "bridge", ...; empty for hardware
  friend bool operator==(const LinkMessage&, const LinkMessage&) = default;
};

struct AddressMessage {
  Change change = Change::New;
  std::uint32_t interface = 0;
  net::IpAddress address;
  net::IpAddress peer;  // the far end of a point-to-point link, else the address itself
  std::uint8_t length = 0;
  std::uint8_t scope = 0;
  std::uint8_t protocol = 0;  // IFA_PROTO; 0 on kernels before 5.18
  std::uint32_t flags = 0;    // IFA_F_*
  std::uint32_t metric = 0;   // IFA_RT_PRIORITY
  friend bool operator==(const AddressMessage&, const AddressMessage&) = default;
};

// ---- what the kernel is told ----

enum class Verb : std::uint8_t {
  Add,      // must not be there
  Replace,  // must be there
  Put,      // whether it is there or not
  Delete,
};

struct Path {
  std::optional<net::IpAddress> gateway;  // IPv6 for an IPv4 route is RTA_VIA
  std::uint32_t interface = 0;
  std::uint16_t weight = 1;
  OnLink onlink = OnLink::No;
};

struct RouteSpec {
  net::Prefix prefix;
  std::uint32_t table = main_table;
  std::uint32_t metric = default_metric;
  std::uint8_t protocol = herald_protocol;
  std::uint32_t nexthop_id = 0;
  std::span<const Path> paths = {};  // when there is no nexthop object
};

struct NexthopSpec {
  std::uint32_t id = 0;
  std::uint8_t protocol = herald_protocol;
  net::IpAddress gateway;  // unspecified: the interface alone, in the address's family
  std::uint32_t interface = 0;
  OnLink onlink = OnLink::No;
};

struct GroupSpec {
  std::uint32_t id = 0;
  std::uint8_t protocol = herald_protocol;
  std::span<const GroupMember> members;
  std::optional<Resilience> resilience = std::nullopt;
};

// An address that answers but is not chosen as a source: scope host (IPv4), deprecated (IPv6).
struct AddressSpec {
  std::uint32_t interface = 0;
  net::IpAddress address;
  std::uint8_t length = 32;
  std::uint8_t protocol = herald_protocol;
  std::uint32_t metric = 0;
};

// Zero fields match everything.
struct RouteFilter {
  net::Family family = net::Family::Ipv4;
  std::uint32_t table = 0;
  std::uint8_t protocol = 0;
};

}  // namespace netlink
