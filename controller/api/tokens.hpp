// SPDX-License-Identifier: Apache-2.0
// Bearer tokens (RFC 6750) from a file, one a line: TOKEN[,NAME[,ROLE]] with ROLE "admin" (default) or "viewer";
// '#' begins a comment. The file is read again when it changes; while it cannot be read, what was read last holds.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api/request.hpp"
#include "net/result.hpp"

namespace controller {

struct Token {
  std::string secret;
  Caller caller;
};
// The error names the line, never the token.
[[nodiscard]] net::Result<std::vector<Token>, std::string> parse_tokens(std::string_view text);

class Tokens {
 public:
  // Throws std::runtime_error when the file cannot be read or holds no token.
  explicit Tokens(std::filesystem::path file);

  // Who the value of an Authorization header stands for; nothing when nobody. Takes the same time for every
  // wrong token.
  [[nodiscard]] std::optional<Caller> caller(std::string_view authorization) const;

  // Looks whether the file changed. An error says why the old tokens stay.
  [[nodiscard]] net::Result<void, std::string> refresh();

 private:
  std::filesystem::path file_;
  std::filesystem::file_time_type read_at_;
  std::vector<Token> tokens_;
};

}  // namespace controller
