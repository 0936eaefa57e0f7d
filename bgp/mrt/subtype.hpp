// SPDX-License-Identifier: Apache-2.0
// Subtypes of MRT records and what they say (RFC 6396 section 4, RFC 8050). Internal to the codec.
#pragma once

#include <cstdint>
#include <optional>

#include "bgp/mrt/record.hpp"

namespace bgp::mrt {

// TABLE_DUMP_V2
inline constexpr std::uint16_t peer_index_table = 1;
// Bits of a peer's type in it.
inline constexpr std::uint8_t peer_is_ipv6 = 1;
inline constexpr std::uint8_t peer_is_wide = 2;
struct RibSubtype {
  net::Family family{};
  bool multicast = false;
  bool path_ids = false;
};
[[nodiscard]] constexpr std::optional<RibSubtype> rib_subtype(std::uint16_t subtype) {
  switch (subtype) {
    case 2:
      return RibSubtype{net::Family::Ipv4, false, false};
    case 3:
      return RibSubtype{net::Family::Ipv4, true, false};
    case 4:
      return RibSubtype{net::Family::Ipv6, false, false};
    case 5:
      return RibSubtype{net::Family::Ipv6, true, false};
    case 8:
      return RibSubtype{net::Family::Ipv4, false, true};
    case 9:
      return RibSubtype{net::Family::Ipv4, true, true};
    case 10:
      return RibSubtype{net::Family::Ipv6, false, true};
    case 11:
      return RibSubtype{net::Family::Ipv6, true, true};
    default:
      return std::nullopt;  // generic families among them
  }
}
[[nodiscard]] constexpr std::uint16_t subtype_of(RibSubtype rib) {
  return static_cast<std::uint16_t>((rib.path_ids ? 8 : 2) + (rib.family == net::Family::Ipv6 ? 2 : 0) +
                                    (rib.multicast ? 1 : 0));
}

// TABLE_DUMP
inline constexpr std::uint16_t table_dump_ipv4 = 1;
inline constexpr std::uint16_t table_dump_ipv6 = 2;

// BGP4MP
struct MessageSubtype {
  AsnWidth width{};
  bool sent = false;
  bool path_ids = false;
};
[[nodiscard]] constexpr std::optional<MessageSubtype> message_subtype(std::uint16_t subtype) {
  switch (subtype) {
    case 1:
      return MessageSubtype{AsnWidth::TwoOctets, false, false};
    case 4:
      return MessageSubtype{AsnWidth::FourOctets, false, false};
    case 6:
      return MessageSubtype{AsnWidth::TwoOctets, true, false};
    case 7:
      return MessageSubtype{AsnWidth::FourOctets, true, false};
    case 8:
      return MessageSubtype{AsnWidth::TwoOctets, false, true};
    case 9:
      return MessageSubtype{AsnWidth::FourOctets, false, true};
    case 10:
      return MessageSubtype{AsnWidth::TwoOctets, true, true};
    case 11:
      return MessageSubtype{AsnWidth::FourOctets, true, true};
    default:
      return std::nullopt;
  }
}
[[nodiscard]] constexpr std::uint16_t subtype_of(MessageSubtype message) {
  const bool four = message.width == AsnWidth::FourOctets;
  if (message.path_ids) return static_cast<std::uint16_t>(8 + (four ? 1 : 0) + (message.sent ? 2 : 0));
  if (message.sent) return four ? 7 : 6;
  return four ? 4 : 1;
}
inline constexpr std::uint16_t state_change_two_octets = 0;
inline constexpr std::uint16_t state_change_four_octets = 5;

}  // namespace bgp::mrt
