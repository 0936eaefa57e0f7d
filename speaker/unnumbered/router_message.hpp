// SPDX-License-Identifier: Apache-2.0
// Router solicitations and advertisements (RFC 4861 sections 4.1, 4.2, 6.1), as far as two routers on a link need
// them to find each other. Bytes and values; no sockets.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "net/address.hpp"
#include "net/mac.hpp"

namespace speaker {

enum class RouterMessage : std::uint8_t { Solicitation = 133, Advertisement = 134 };

// The ICMPv6 message, its checksum zero: the kernel fills it in. An advertisement's router lifetime is zero, so that
// no host takes this node for its default router.
[[nodiscard]] std::vector<std::uint8_t> encode_router_message(RouterMessage kind,
                                                              const std::optional<net::Mac>& source);

// Nothing when the message is none of these or breaks a rule of sections 6.1.1 and 6.1.2. `hop_limit` is that of the
// packet: 255 says that no router has passed it on.
[[nodiscard]] std::optional<RouterMessage> decode_router_message(std::span<const std::uint8_t> message,
                                                                 const net::Ipv6Address& source,
                                                                 std::uint8_t hop_limit);

}  // namespace speaker
