// SPDX-License-Identifier: Apache-2.0
// Neighbour Solicitation and Advertisement (RFC 4861) as whole Ethernet frames: bytes in, values out, and
// back. A message that section 7.1 tells a node to discard silently does not come out of the decoder.
// Knows nothing of sockets or of what is owned.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "net/address.hpp"
#include "net/mac.hpp"

namespace speaker {

inline constexpr std::uint16_t ethertype_ipv6 = 0x86dd;

struct Ndp {
  enum class Type : std::uint8_t { Solicitation = 135, Advertisement = 136 };
  net::Mac destination_mac;  // of the frame
  net::Mac source_mac;
  net::Ipv6Address source;
  net::Ipv6Address destination;
  Type type = Type::Solicitation;
  bool router = false;  // the three flags of an advertisement
  bool solicited = false;
  bool overrides = false;
  net::Ipv6Address target;
  std::optional<net::Mac> link_address;  // source (solicitation) or target (advertisement) link-layer address
  friend bool operator==(const Ndp&, const Ndp&) = default;
};

// Ethernet 14, IPv6 40, ICMPv6 with target 24, link-layer address option 8.
using NdpBytes = std::array<std::uint8_t, 86>;

[[nodiscard]] std::optional<Ndp> decode_ndp(std::span<const std::uint8_t> frame);
// Precondition: link_address is given; every advertisement of ours has it.
[[nodiscard]] NdpBytes encode_ndp(const Ndp& ndp);

// The answer of `mac` to a solicitation. Override is set, so that an entry with another address is
// replaced; a solicitation from nobody (duplicate address detection) is answered to all nodes, unsolicited
// (RFC 4861 section 7.2.4).
[[nodiscard]] Ndp ndp_answer(const Ndp& solicitation, const net::Mac& mac);
// "I am `address`", to all nodes (RFC 4861 section 7.2.6).
[[nodiscard]] Ndp ndp_announcement(const net::Ipv6Address& address, const net::Mac& mac);

inline constexpr net::Ipv6Address all_nodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
// ff02::1:ffXX:XXXX, RFC 4291 section 2.7.1.
[[nodiscard]] net::Ipv6Address solicited_node(const net::Ipv6Address& address);
// 33:33:XX:XX:XX:XX, RFC 2464 section 7.
[[nodiscard]] net::Mac multicast_mac(const net::Ipv6Address& group);

}  // namespace speaker
