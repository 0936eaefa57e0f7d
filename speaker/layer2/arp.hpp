// SPDX-License-Identifier: Apache-2.0
// ARP for IPv4 over Ethernet (RFC 826, RFC 5227) as whole frames: bytes in, values out, and back. Knows
// nothing of sockets or of what is owned.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "net/address.hpp"
#include "net/mac.hpp"

namespace speaker {

inline constexpr std::uint16_t ethertype_arp = 0x0806;

struct Arp {
  enum class Operation : std::uint16_t { Request = 1, Reply = 2 };
  net::Mac destination;  // of the frame
  net::Mac source;
  Operation operation = Operation::Request;
  net::Mac sender_mac;
  net::Ipv4Address sender;
  net::Mac target_mac;
  net::Ipv4Address target;
  friend bool operator==(const Arp&, const Arp&) = default;
};

//  0      6      12        14     16       18 19 20  22      28      32      38      42
//  | dst  | src  | 0x0806  | 1    | 0x0800 | 6| 4| op| sender mac, ip | target mac, ip |
using ArpBytes = std::array<std::uint8_t, 42>;

// Nothing when it is not a request or reply for IPv4 over Ethernet, is cut short, or has a sender that
// cannot be one (a group address). Padding behind it is ignored.
[[nodiscard]] std::optional<Arp> decode_arp(std::span<const std::uint8_t> frame);
[[nodiscard]] ArpBytes encode_arp(const Arp& arp);

// The answer of `mac` to a request; to the asker alone.
[[nodiscard]] Arp arp_answer(const Arp& request, const net::Mac& mac);
// "I am `address`", to everybody. Hosts differ in which form they believe, so both are sent: a request
// (the ARP Announcement of RFC 5227 section 2.3) and a reply.
[[nodiscard]] Arp arp_announcement(Arp::Operation form, net::Ipv4Address address, const net::Mac& mac);

}  // namespace speaker
