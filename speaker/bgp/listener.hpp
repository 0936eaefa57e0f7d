// SPDX-License-Identifier: Apache-2.0
// One listening socket and the MD5 keys on it. Accepted sockets go to the edge, which knows neighbours.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bgp/peer_config.hpp"
#include "net/address.hpp"
#include "net/prefix.hpp"
#include "net/result.hpp"

namespace speaker {

class BgpEdge;

class BgpListener {
 public:
  static net::Result<std::shared_ptr<BgpListener>, boost::system::error_code> open(BgpEdge& edge,
                                                                                   boost::asio::io_context& io,
                                                                                   const net::IpAddress& address,
                                                                                   std::uint16_t port);
  // Use open(), which returns one that listens.
  BgpListener(BgpEdge& edge, boost::asio::io_context& io, const net::IpAddress& address, std::uint16_t port);
  static void start(std::shared_ptr<BgpListener> self);
  void close();

  [[nodiscard]] const net::IpAddress& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Makes the keys on the socket those of `wanted` (neighbour, or a range of them -> key); the errors by neighbour.
  std::map<net::Prefix, std::string> fit_keys(const std::map<net::Prefix, std::string>& wanted);
  [[nodiscard]] bool has_key(const net::Prefix& neighbors, const std::string& key) const;
  // The same for TCP-AO.
  std::map<net::Prefix, std::string> fit_ao_keys(const std::map<net::Prefix, bgp::AuthenticationKeys>& wanted);
  [[nodiscard]] bool has_ao_keys(const net::Prefix& neighbors, const bgp::AuthenticationKeys& keys) const;

 private:
  // Connections that waited when a key came got in without it: those from `guarded` are closed.
  void turn_away(const std::set<net::Prefix>& guarded);
  static boost::asio::awaitable<void> accept(std::shared_ptr<BgpListener> self);

  BgpEdge* edge_;  // nothing once closed
  net::IpAddress address_;
  std::uint16_t port_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::map<net::Prefix, std::string> keys_;
  std::map<net::Prefix, bgp::AuthenticationKeys> ao_keys_;
};

}  // namespace speaker
