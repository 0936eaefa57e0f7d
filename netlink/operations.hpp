// SPDX-License-Identifier: Apache-2.0
// What is asked of the FIB and what the FIB asks of the kernel, as data. Plain values shared by the
// pure planner, the thread around it and their tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "net/time.hpp"
#include "netlink/messages.hpp"

namespace netlink {

// One next hop of a route. The gateway is the address BGP learned and need not be on a connected
// subnet; a link-local gateway needs its interface. An unspecified gateway with an interface is a route
// straight onto that link.
struct NextHop {
  net::IpAddress gateway;
  std::uint32_t interface = 0;  // 0: found by looking for the gateway
  std::uint16_t weight = 1;     // share among the next hops of one route
  friend auto operator<=>(const NextHop&, const NextHop&) = default;
};

// Drops the packets (NHA_BLACKHOLE): no gateway, and an interface that no kernel gives. Stands alone.
inline constexpr std::uint32_t no_interface = ~std::uint32_t{0};
[[nodiscard]] inline NextHop nowhere(net::Family family) {
  if (family == net::Family::Ipv4) return {net::Ipv4Address{}, no_interface, 1};
  return {net::Ipv6Address{}, no_interface, 1};
}

// The desired next hops of a prefix, all of them; none takes the route away.
struct RouteChange {
  net::Prefix prefix;
  std::span<const NextHop> next_hops;
  std::uint32_t metric = 0;  // of this route alone; 0: that of its owner
};

// How a gateway is reached right now.
enum class Reach : std::uint8_t {
  Resolved,
  NoPath,    // no interface is connected to it and the kernel knows no way
  Own,       // it is an address of this host
  LinkDown,  // its interface is down or gone
};
struct Resolution {
  Reach reach = Reach::NoPath;
  net::IpAddress via;
  std::uint32_t interface = 0;
  OnLink onlink = OnLink::No;
  friend bool operator==(const Resolution&, const Resolution&) = default;
};
// Whether groups may use a gateway.
enum class Use : std::uint8_t { Allowed, Suspended };
using Resolve = std::function<Resolution(const net::IpAddress& gateway, std::uint32_t interface)>;

// ---- what is asked of the kernel ----

struct NexthopOperation {
  Verb verb = Verb::Add;
  std::uint32_t id = 0;
  net::IpAddress gateway = {};
  std::uint32_t interface = 0;
  OnLink onlink = OnLink::No;
  friend bool operator==(const NexthopOperation&, const NexthopOperation&) = default;
};
struct GroupOperation {
  Verb verb = Verb::Add;
  std::uint32_t id = 0;
  std::vector<GroupMember> members = {};
  friend bool operator==(const GroupOperation&, const GroupOperation&) = default;
};
struct RouteOperation {
  Verb verb = Verb::Add;
  net::Prefix prefix;
  std::uint32_t nexthop_id = 0;
  std::uint32_t metric = 0;
  std::uint32_t handle = 0;  // the planner's own name of the route
};
using Operation = std::variant<NexthopOperation, GroupOperation, RouteOperation>;

// ---- what is told about routes ----

enum class Outcome : std::uint8_t {
  Absent,      // not asked for and not there
  Pending,     // asked for, not yet written
  Programmed,  // in the kernel as asked
  Waiting,     // no usable next hop
  Failed,      // refused by the kernel; tried again later
  Stale,       // found at start, not asked for since
};
[[nodiscard]] std::string_view print(Outcome outcome);

// Interned and immutable: a million failing routes share one text.
using Text = std::shared_ptr<const std::string>;

struct RouteReport {
  net::Prefix prefix;
  Outcome outcome = Outcome::Absent;
  std::uint32_t nexthop_id = 0;
  Text text;  // why, when waiting or failed
};

}  // namespace netlink
