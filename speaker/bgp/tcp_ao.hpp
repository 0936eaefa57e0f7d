// SPDX-License-Identifier: Apache-2.0
// TCP-AO (RFC 5925) on Linux 6.7 and later, by descriptors and values. The headers of older systems lack its
// structures, so that they are ours (tcp_ao.cpp). Keys have one number for both directions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bgp/peer_config.hpp"
#include "net/prefix.hpp"
#include "speaker/bgp/socket_options.hpp"

namespace speaker {

inline constexpr std::size_t longest_ao_key = 80;

// Whether the kernel has it; asks the kernel each time.
[[nodiscard]] bool has_tcp_ao();

// Makes the keys for `peers` on a socket those of `wanted`; `present` says which are there, and does so after an error,
// too. An accepted connection has them for the peers that its listener has them for. Which key is in use is the other
// side's to say, unless that key goes. A socket with keys takes and sends no unsigned segment from and to these peers.
[[nodiscard]] SocketResult fit_ao_keys(int socket, const net::Prefix& peers, bgp::AuthenticationKeys& present,
                                       const bgp::AuthenticationKeys& wanted);
// Asks the other side of a connection to sign with this key from now on; it does so once it has the key, and this
// side follows with its own (RFC 5925 section 7.5).
[[nodiscard]] SocketResult ask_for_ao_key(int socket, std::uint8_t id);

}  // namespace speaker
