// SPDX-License-Identifier: Apache-2.0
// The sockets of the echo function (RFC 5881 section 4): sends this host's echoes on either path, hears those that come
// back, and returns IPv6 echoes that are addressed to this host. Those of neighbours that are only to be forwarded are
// the kernel's work.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "bfd/echo.hpp"
#include "bfd/sessions.hpp"
#include "netlink/neighbors.hpp"
#include "speaker/bfd/sockets.hpp"

namespace speaker {

// Where a neighbour was last heard.
struct BfdPlace {
  net::IpAddress local;
  std::uint32_t interface_index = 0;
  friend bool operator==(const BfdPlace&, const BfdPlace&) = default;
};

class BfdEcho {
 public:
  using Returned = std::function<void(const bfd::Echo&)>;
  // `returned`: an echo of this host came back. `may_reflect`: whether that address may have its echoes returned.
  BfdEcho(boost::asio::io_context& io, std::uint64_t secret, Returned returned,
          std::function<bool(const net::IpAddress&)> may_reflect);
  ~BfdEcho();
  BfdEcho(const BfdEcho&) = delete;
  BfdEcho& operator=(const BfdEcho&) = delete;

  // Opens what is needed to send echoes to neighbours of that family and to return theirs. The error is for people.
  net::Result<void, std::string> open(net::Family family);
  void send(const net::IpAddress& remote, const BfdPlace& place, const bfd::Echo& echo, bfd::EchoPath path);
  // What waits in the sockets, before anybody is judged by it.
  void read();

 private:
  struct Socket {
    explicit Socket(boost::asio::io_context& io, int fd) : descriptor{io, fd} {}
    boost::asio::posix::stream_descriptor descriptor;
  };
  void wait(Socket& socket, void (BfdEcho::*take)());
  void read_frames();
  void read_datagrams();
  void read_frames_of(Socket& socket);

  boost::asio::io_context& io_;
  std::uint64_t secret_;
  Returned returned_;
  std::function<bool(const net::IpAddress&)> may_reflect_;
  std::array<std::unique_ptr<Socket>, 2> frames_;  // by family
  std::unique_ptr<Socket> datagrams_;              // IPv6
  std::unique_ptr<netlink::Neighbors> neighbors_;
};

}  // namespace speaker
