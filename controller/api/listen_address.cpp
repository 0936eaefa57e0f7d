// SPDX-License-Identifier: Apache-2.0
#include "controller/api/listen_address.hpp"

#include <charconv>

#include <fmt/format.h>
#include <sys/un.h>

#include "net/match.hpp"

namespace controller {

net::Result<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) {
    const std::string path{text.substr(unix_prefix.size())};
    if (path.empty()) return net::fail(fmt::format("\"{}\" has no path", text));
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
      return net::fail(fmt::format("the path of \"{}\" is too long for a socket, the limit is {} bytes", text,
                                   sizeof(sockaddr_un::sun_path) - 1));
    }
    return UnixEndpoint{path};
  }
  const auto wrong = fmt::format("must be ADDRESS:PORT, [IPV6-ADDRESS]:PORT or unix:PATH, got \"{}\"", text);
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return net::fail(wrong);
  auto host = text.substr(0, colon);
  const auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = net::parse_ip(host);
  if (!address || address->is_v6() != bracketed) return net::fail(wrong);
  const auto digits = text.substr(colon + 1);
  TcpEndpoint endpoint{*address, 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return net::fail(wrong);
  return endpoint;
}

std::string print(const ListenAddress& address) {
  return std::visit(net::match{
                        [](const TcpEndpoint& tcp) {
                          return tcp.address.is_v6() ? fmt::format("[{}]:{}", net::print(tcp.address), tcp.port)
                                                     : fmt::format("{}:{}", net::print(tcp.address), tcp.port);
                        },
                        [](const UnixEndpoint& path) { return fmt::format("unix:{}", path.path); },
                    },
                    address);
}

bool is_local(const ListenAddress& address) {
  const auto* tcp = std::get_if<TcpEndpoint>(&address);
  return tcp == nullptr || tcp->address.loopback();
}

}  // namespace controller
