// SPDX-License-Identifier: Apache-2.0
// Between addresses of the tree and endpoints of Asio, and what the host says of a connection's interface.
#pragma once

#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "bgp/session.hpp"
#include "net/address.hpp"
#include "net/result.hpp"

namespace speaker {

// `interface` is the zone of a link-local address; the error says that there is none of that name.
[[nodiscard]] net::Result<boost::asio::ip::tcp::endpoint, std::string> to_endpoint(const net::IpAddress& address,
                                                                                   std::uint16_t port,
                                                                                   const std::string& interface = {});
// IPv4-mapped addresses come out as IPv4.
[[nodiscard]] net::IpAddress to_address(const boost::asio::ip::tcp::endpoint& endpoint);
// "10.0.0.1:179", "[2001:db8::1]:179".
[[nodiscard]] std::string print_endpoint(const net::IpAddress& address, std::uint16_t port);
// The interface of a link-local endpoint; empty for others.
[[nodiscard]] std::string zone_of(const boost::asio::ip::tcp::endpoint& endpoint);

// The ends of an open connection, and the addresses of the interface that holds the local one.
[[nodiscard]] bgp::Transport describe_transport(const boost::asio::ip::tcp::socket& socket);

}  // namespace speaker
