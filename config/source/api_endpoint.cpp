// SPDX-License-Identifier: Apache-2.0
#include "config/source/api_endpoint.hpp"

#include <algorithm>
#include <charconv>

namespace config {
namespace {

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace

net::Result<ApiEndpoint, std::string> parse_api_endpoint(std::string_view text) {
  const auto wrong = [&](const char* why) { return net::fail("\"" + std::string{text} + "\": " + why); };
  ApiEndpoint endpoint;
  auto rest = text;
  if (rest.starts_with("unix:")) {
    rest.remove_prefix(5);
    if (!rest.starts_with('/')) return wrong("the path of a unix socket must begin with /");
    if (rest.size() > 107) return wrong("the path of a unix socket has at most 107 characters");
    endpoint.host = rest;
    return endpoint;
  }
  if (rest.starts_with("http://")) {
    endpoint.transport = ApiEndpoint::Transport::Tcp;
    endpoint.port = "80";
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    endpoint.transport = ApiEndpoint::Transport::Tls;
    endpoint.port = "443";
    rest.remove_prefix(8);
  } else {
    return wrong("must be http://HOST:PORT, https://HOST:PORT or unix:/PATH");
  }

  const auto slash = std::min(rest.find('/'), rest.size());
  endpoint.prefix = rest.substr(slash);
  while (endpoint.prefix.ends_with('/')) endpoint.prefix.pop_back();
  auto authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return wrong("must not hold a user; use a token file");
  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return wrong("has no ] after its [");
  endpoint.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  authority.remove_prefix(host_end + (bracketed ? 1 : 0));
  if (endpoint.host.empty()) return wrong("has no host");
  if (authority.empty()) return endpoint;
  if (!authority.starts_with(':') || !is_port(authority.substr(1))) return wrong("has no valid port");
  endpoint.port = authority.substr(1);
  return endpoint;
}

std::string print(const ApiEndpoint& endpoint) {
  if (endpoint.transport == ApiEndpoint::Transport::Unix) return "unix:" + endpoint.host;
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (endpoint.transport == ApiEndpoint::Transport::Tls ? "https://" : "http://") +
         (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + endpoint.port + endpoint.prefix;
}

}  // namespace config
