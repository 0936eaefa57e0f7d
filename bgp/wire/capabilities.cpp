// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/capabilities.hpp"

#include <algorithm>

namespace bgp {
namespace {

constexpr std::uint16_t restart_flag = 0x8000;
constexpr std::uint16_t notification_flag = 0x4000;
constexpr std::uint16_t time_mask = 0x0fff;
constexpr std::uint8_t forwarding_flag = 0x80;

AfiSafi read_family(net::Reader& in) {
  AfiSafi family;
  family.afi = in.u16();
  family.safi = in.u8();
  return family;
}

std::uint8_t flags(bool forwarding) {
  return forwarding ? forwarding_flag : std::uint8_t{0};
}

}  // namespace

/*  | R N . . |  Restart Time, 12 bits  |  then for each family:  |  AFI  | SAFI | F . . . . . . . | */
bool decode(net::Reader value, GracefulRestartCapability& out) {
  const auto first = value.u16();
  out.restarting = (first & restart_flag) != 0;
  out.notification = (first & notification_flag) != 0;
  out.time = net::Seconds{first & time_mask};
  out.families.clear();
  while (value.remaining() > 0) {
    const auto family = read_family(value);
    const bool forwarding = (value.u8() & forwarding_flag) != 0;
    if (value.ok()) out.families.push_back({family, forwarding});
  }
  return value.ok();
}

/*  for each family:  |  AFI  | SAFI | F . . . . . . . |  Long-lived Stale Time, 24 bits  | */
bool decode(net::Reader value, std::vector<LongLivedFamily>& out) {
  out.clear();
  while (value.remaining() > 0) {
    const auto family = read_family(value);
    const bool forwarding = (value.u8() & forwarding_flag) != 0;
    const auto high = value.u8();
    const auto low = value.u16();
    if (value.ok()) out.push_back({family, forwarding, net::Seconds{high << 16 | low}});
  }
  return value.ok();
}

/*  for each family:  |  AFI  |  SAFI, 16 bits  |  AFI of the next hop  | */
bool decode(net::Reader value, std::vector<ExtendedNextHop>& out) {
  while (value.remaining() > 0) {
    ExtendedNextHop each;
    each.family.afi = value.u16();
    const auto safi = value.u16();
    each.next_hop_afi = value.u16();
    if (!value.ok() || safi > 0xff) continue;  // no such SAFI
    each.family.safi = static_cast<std::uint8_t>(safi);
    if (std::find(out.begin(), out.end(), each) == out.end()) out.push_back(each);
  }
  return value.ok();
}

std::string_view print(Role role) {
  switch (role) {
    case Role::Provider:
      return "provider";
    case Role::RouteServer:
      return "rs";
    case Role::RouteServerClient:
      return "rs-client";
    case Role::Customer:
      return "customer";
    case Role::Peer:
      break;
  }
  return "peer";
}

bool fits(Role ours, std::uint8_t theirs) {
  const auto counterpart = [&] {
    switch (ours) {
      case Role::Provider:
        return Role::Customer;
      case Role::RouteServer:
        return Role::RouteServerClient;
      case Role::RouteServerClient:
        return Role::RouteServer;
      case Role::Customer:
        return Role::Provider;
      case Role::Peer:
        break;
    }
    return Role::Peer;
  };
  return theirs == static_cast<std::uint8_t>(counterpart());
}

void encode_capability(const std::vector<ExtendedNextHop>& next_hops, net::Writer& out) {
  // More than fit into one capability go into several.
  constexpr std::size_t most = 255 / 6;
  for (std::size_t at = 0; at < next_hops.size(); at += most) {
    out.u8(capability::extended_next_hop);
    const auto length = out.length_field_u8();
    for (auto each = at; each < std::min(next_hops.size(), at + most); ++each) {
      out.u16(next_hops[each].family.afi);
      out.u16(next_hops[each].family.safi);
      out.u16(next_hops[each].next_hop_afi);
    }
  }
}

void encode_role(std::uint8_t role, net::Writer& out) {
  out.u8(capability::role);
  out.u8(1);
  out.u8(role);
}

void encode_capability(const GracefulRestartCapability& capability, net::Writer& out) {
  out.u8(capability::graceful_restart);
  const auto length = out.length_field_u8();
  const auto time = std::clamp(capability.time, net::Seconds{0}, longest_restart_time).count();
  out.u16(static_cast<std::uint16_t>((capability.restarting ? restart_flag : 0U) |
                                     (capability.notification ? notification_flag : 0U) | static_cast<unsigned>(time)));
  for (const auto& [family, forwarding] : capability.families) {
    out.u16(family.afi);
    out.u8(family.safi);
    out.u8(flags(forwarding));
  }
}

void encode_capability(const std::vector<LongLivedFamily>& families, net::Writer& out) {
  out.u8(capability::long_lived);
  const auto length = out.length_field_u8();
  for (const auto& [family, forwarding, stale_time] : families) {
    const auto time = static_cast<std::uint32_t>(std::clamp(stale_time, net::Seconds{0}, longest_stale_time).count());
    out.u16(family.afi);
    out.u8(family.safi);
    out.u8(flags(forwarding));
    out.u8(static_cast<std::uint8_t>(time >> 16));
    out.u16(static_cast<std::uint16_t>(time));
  }
}

}  // namespace bgp
