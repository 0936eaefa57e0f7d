// SPDX-License-Identifier: Apache-2.0
// One TCP connection: waits for it to be readable or writable, and writes what it is given, as much as TCP
// takes. An idle one owns no buffer. Knows the edge, not the router.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/router.hpp"

namespace speaker {

class BgpEdge;

class BgpConnection {
 public:
  // A connection without a link was refused: its only purpose is to end well.
  BgpConnection(BgpEdge& edge, boost::asio::ip::tcp::socket socket, std::optional<bgp::Link> link);

  // The coroutines share the connection with the edge, and end after close().
  static void dial(std::shared_ptr<BgpConnection> self, boost::asio::ip::tcp::endpoint remote);
  static void start_reading(std::shared_ptr<BgpConnection> self);

  // Writes what the router has until TCP takes no more or the turn's share is used, and goes on when it can.
  // Does nothing while it waits for that already.
  static void flush(const std::shared_ptr<BgpConnection>& self);
  // Writes `last` after what waits, then closes: in order when the peer helps, anyway after a moment.
  static void finish(const std::shared_ptr<BgpConnection>& self, std::span<const std::uint8_t> last);
  // At once. Nothing is told to the edge any more.
  void close();

  [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }
  [[nodiscard]] const std::optional<bgp::Link>& link() const { return link_; }
  [[nodiscard]] bool open() const { return edge_ != nullptr; }
  [[nodiscard]] bool dialling() const { return dialling_; }
  [[nodiscard]] bool finishing() const { return finishing_; }
  // Why TCP takes no more; the next read would not say it again.
  [[nodiscard]] const boost::system::error_code& broken() const { return broken_; }
  std::optional<net::TimePoint> blocked_since;  // kept by the edge

 private:
  static boost::asio::awaitable<void> connect_then_read(std::shared_ptr<BgpConnection> self,
                                                        boost::asio::ip::tcp::endpoint remote);
  static boost::asio::awaitable<void> read(std::shared_ptr<BgpConnection> self);
  static boost::asio::awaitable<void> write(std::shared_ptr<BgpConnection> self);
  enum class Rest : std::uint8_t { None, Some };
  Rest write_some();
  std::size_t put(std::span<const std::uint8_t> bytes);

  BgpEdge* edge_;  // nothing once closed
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer linger_;
  std::optional<bgp::Link> link_;
  std::vector<std::uint8_t> waiting_;  // taken from the router, not yet by TCP
  boost::system::error_code broken_;
  bool dialling_ = false;
  bool write_waits_ = false;  // write() runs
  bool finishing_ = false;
};

}  // namespace speaker
