// SPDX-License-Identifier: Apache-2.0
// Where an API is and how to prove who one is: the meaning of --api and its companions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/result.hpp"

namespace config {

struct ApiEndpoint {
  enum class Transport : std::uint8_t { Tcp, Tls, Unix };
  Transport transport = Transport::Unix;
  std::string host;  // name or address, without brackets; for Unix the path of the socket
  std::string port;
  std::string prefix;      // put before every path; empty or "/something"
  std::string ca_file;     // Tls: who may sign the server's certificate; empty: the system's list
  std::string token_file;  // read anew for every request, so that a rotated token is used; empty: none

  friend bool operator==(const ApiEndpoint&, const ApiEndpoint&) = default;
};

// "http://HOST[:PORT][/PREFIX]", "https://…", "unix:/PATH". The default ports are 80 and 443.
[[nodiscard]] net::Result<ApiEndpoint, std::string> parse_api_endpoint(std::string_view text);
[[nodiscard]] std::string print(const ApiEndpoint& endpoint);

}  // namespace config
