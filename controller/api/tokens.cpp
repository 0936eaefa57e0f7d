// SPDX-License-Identifier: Apache-2.0
#include "controller/api/tokens.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace controller {
namespace {

constexpr std::size_t shortest_token = 16;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string_view take_field(std::string_view& rest) {
  const auto field = rest.substr(0, rest.find(','));
  rest.remove_prefix(std::min(field.size() + 1, rest.size()));
  return trimmed(field);
}

// Hashed first: then neither length nor content shows in the time that the comparison takes.
bool same_secret(std::string_view left, std::string_view right) {
  const auto digest = [](std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    return hash;
  };
  const auto a = digest(left);
  const auto b = digest(right);
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

net::Result<std::vector<Token>, std::string> read_tokens(const std::filesystem::path& file) {
  std::ifstream stream{file};
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return net::fail(fmt::format("{} cannot be read", file.string()));
  auto tokens = parse_tokens(text.str());
  if (!tokens) return net::fail(fmt::format("{}:{}", file.string(), tokens.error()));
  if (tokens->empty()) return net::fail(fmt::format("{} holds no token", file.string()));
  return tokens;
}

}  // namespace

net::Result<std::vector<Token>, std::string> parse_tokens(std::string_view text) {
  std::vector<Token> tokens;
  for (auto number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = trimmed(line);
    if (line.empty() || line.front() == '#') continue;
    Token token;
    token.secret = take_field(line);
    token.caller.name = take_field(line);
    if (token.caller.name.empty()) token.caller.name = fmt::format("token-{}", number);
    const auto role = take_field(line);
    if (token.secret.size() < shortest_token) {
      return net::fail(fmt::format("{}: a token must have at least {} characters", number, shortest_token));
    }
    if (!role.empty() && role != "admin" && role != "viewer") {
      return net::fail(fmt::format("{}: the role must be admin or viewer, got \"{}\"", number, role));
    }
    token.caller.role = role == "viewer" ? Caller::Role::Viewer : Caller::Role::Admin;
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Tokens::Tokens(std::filesystem::path file) : file_{std::move(file)} {
  if (auto read = refresh(); !read) throw std::runtime_error(read.error());
}

std::optional<Caller> Tokens::caller(std::string_view authorization) const {
  constexpr std::string_view scheme = "bearer ";
  const auto is_bearer = authorization.size() > scheme.size() &&
                         std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char expected, char c) {
                           return expected == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
                         });
  if (!is_bearer) return std::nullopt;
  const auto given = trimmed(authorization.substr(scheme.size()));
  std::optional<Caller> found;
  for (const auto& token : tokens_) {
    if (same_secret(token.secret, given)) found = token.caller;
  }
  return found;
}

net::Result<void, std::string> Tokens::refresh() {
  std::error_code error;
  const auto changed_at = std::filesystem::last_write_time(file_, error);
  if (error) return net::fail(fmt::format("{}: {}", file_.string(), error.message()));
  if (changed_at == read_at_) return {};
  auto tokens = read_tokens(file_);
  if (!tokens) return net::fail(std::move(tokens.error()));
  tokens_ = std::move(*tokens);
  read_at_ = changed_at;
  return {};
}

}  // namespace controller
