// SPDX-License-Identifier: Apache-2.0
// The UDP sockets of BFD (RFC 5881 sections 4 and 5, RFC 5883 section 5): two ports to receive on in each family, and
// one socket for each session to send from. Knows descriptors, datagrams and how they came; nothing of sessions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "bfd/sessions.hpp"
#include "net/address.hpp"
#include "net/result.hpp"

namespace speaker {

// Closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_{fd} {}
  Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Where a session's packets go.
struct BfdPath {
  bfd::Hops hops = bfd::Hops::Single;
  net::IpAddress remote;
  std::optional<net::IpAddress> source;  // nothing: as the routes say
  std::string interface;  // needed by link-local addresses; otherwise the socket is bound to it when given
  friend bool operator==(const BfdPath&, const BfdPath&) = default;
};

// A datagram as it came.
struct BfdDatagram {
  net::IpAddress remote;
  std::uint16_t remote_port = 0;
  net::IpAddress local;
  std::uint32_t interface_index = 0;
  std::uint8_t ttl = 0;
  std::span<const std::uint8_t> bytes;
};

// Listens on all addresses of a family. The error is for people.
[[nodiscard]] net::Result<Descriptor, std::string> open_bfd_listener(net::Family family, std::uint16_t port);
// Gives what is waiting to `visit`, at most a few hundred at a time; the rest keeps the socket readable.
void receive_bfd(int socket, net::Family family, const std::function<void(const BfdDatagram&)>& visit);

// Bound to `source_port` and connected; sends with TTL 255. AddressInUse: another port is to be tried.
struct BfdSendError {
  bool address_in_use = false;
  std::string text;
};
[[nodiscard]] net::Result<Descriptor, BfdSendError> open_bfd_sender(const BfdPath& path, std::uint16_t source_port);
// False: the socket is of no more use (its address or interface is gone), a new one may be.
[[nodiscard]] bool send_bfd(int socket, std::span<const std::uint8_t> bytes);
// From a listener, to anywhere, with this TTL: an echo that goes or goes back.
void send_bfd_to(int socket, const net::IpAddress& remote, std::uint16_t port, std::uint32_t interface_index,
                 std::uint8_t ttl, std::span<const std::uint8_t> bytes);

}  // namespace speaker
