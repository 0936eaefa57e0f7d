// SPDX-License-Identifier: Apache-2.0
// Where an API is and how to prove who one is: the meaning of --api and its companions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "net/result.hpp"

namespace config {

// PEM in a file, which is read anew for every connection so that a renewed one is used, or given as it is.
struct PemSource {
  std::string file;
  std::string text;  // counts when there is no file
  [[nodiscard]] bool empty() const { return file.empty() && text.empty(); }
  friend bool operator==(const PemSource&, const PemSource&) = default;
};

struct ApiEndpoint {
  enum class Transport : std::uint8_t { Tcp, Tls, Unix };
  enum class Verification : std::uint8_t { Required, Skipped };
  Transport transport = Transport::Unix;
  std::string host;  // name or address, without brackets; for Unix the path of the socket
  std::string port;
  std::string prefix;      // put before every path; empty or "/something"
  std::string ca_file;     // Tls: who may sign the server's certificate; read anew for every connection
  std::string ca_text;     // the same as PEM, when there is no file; both empty: the system's list
  std::string token_file;  // read anew for every request, so that a rotated token is used; empty: none
  std::string token;       // when there is no file
  PemSource certificate;   // Tls: who we are
  PemSource key;
  std::string server_name;  // Tls: the name that the server's certificate must have; empty: the host
  Verification verification = Verification::Required;

  friend bool operator==(const ApiEndpoint&, const ApiEndpoint&) = default;
};

// "http://HOST[:PORT][/PREFIX]", "https://…", "unix:/PATH". The default ports are 80 and 443.
[[nodiscard]] net::Result<ApiEndpoint, std::string> parse_api_endpoint(std::string_view text);
[[nodiscard]] std::string print(const ApiEndpoint& endpoint);

}  // namespace config
