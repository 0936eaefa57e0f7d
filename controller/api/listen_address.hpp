// SPDX-License-Identifier: Apache-2.0
// Where the API listens, from its text: "127.0.0.1:7472", "[::1]:7472", "unix:/run/herald/api.sock". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "net/address.hpp"
#include "net/result.hpp"

namespace controller {

struct TcpEndpoint {
  net::IpAddress address;
  std::uint16_t port = 0;
  friend bool operator==(const TcpEndpoint&, const TcpEndpoint&) = default;
};
struct UnixEndpoint {
  std::string path;
  friend bool operator==(const UnixEndpoint&, const UnixEndpoint&) = default;
};
using ListenAddress = std::variant<TcpEndpoint, UnixEndpoint>;

[[nodiscard]] net::Result<ListenAddress, std::string> parse_listen_address(std::string_view text);
[[nodiscard]] std::string print(const ListenAddress& address);
// Reachable from this machine only.
[[nodiscard]] bool is_local(const ListenAddress& address);

}  // namespace controller
