// SPDX-License-Identifier: Apache-2.0
// Echo packets below IP: a packet that is addressed to this host itself and yet handed to a neighbour, which forwards
// it back (RFC 5881 section 4), cannot be sent or received by a UDP socket. Bytes to values and back, no sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "net/address.hpp"

namespace speaker {

// An IP packet from `self` to `self`, port 3785 to 3785, TTL 255, with checksums.
[[nodiscard]] std::vector<std::uint8_t> encode_echo_frame(const net::IpAddress& self,
                                                          std::span<const std::uint8_t> payload);

struct EchoFrame {
  net::IpAddress source;
  net::IpAddress destination;
  std::uint8_t ttl = 0;
  std::span<const std::uint8_t> payload;
};
// Nothing for what is not a UDP packet to port 3785, or does not hold together.
[[nodiscard]] std::optional<EchoFrame> decode_echo_frame(std::span<const std::uint8_t> packet);

}  // namespace speaker
