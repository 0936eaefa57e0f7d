// SPDX-License-Identifier: Apache-2.0
// The socket options of BGP's TCP connections, which Asio does not name: MD5 signatures (RFC 2385), TTL and
// GTSM (RFC 5082), precedence, time-outs. Knows descriptors and values, not connections.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bgp/peer_config.hpp"
#include "net/address.hpp"
#include "net/prefix.hpp"
#include "net/result.hpp"

namespace speaker {

// The error is for people: "TCP MD5: the kernel was built without it (CONFIG_TCP_MD5SIG)".
using SocketResult = net::Result<void, std::string>;

inline constexpr std::size_t longest_md5_key = 80;

// Segments from and to `peers` are signed with `key`; others arrive unsigned. An empty key ends that. On a
// listener it holds for connections to come, which inherit it.
[[nodiscard]] SocketResult set_md5_key(int socket, const net::Prefix& peers, std::string_view key);

// What to send and what to take, as Reach says.
struct HopLimits {
  std::optional<std::uint8_t> sent;  // nothing: the system's default
  std::uint8_t least_received = 0;
  friend bool operator==(HopLimits, HopLimits) = default;
};
[[nodiscard]] HopLimits hop_limits(const bgp::PeerConfig& config);
[[nodiscard]] SocketResult set_hop_limits(int socket, net::Family family, HopLimits limits);

// Binds to an interface by name: a VRF, or one link.
[[nodiscard]] SocketResult bind_to_interface(int socket, const std::string& name);

// For every BGP socket; what the kernel lacks is left out, for the protocol works without it.
void set_common_options(int socket, net::Family family);
// How long sent data may stay unacknowledged.
void set_user_timeout(int socket, std::chrono::milliseconds timeout);
// A listener's: its own family only, and addresses that are not (yet) on this host.
void set_listener_options(int socket, net::Family family);

}  // namespace speaker
