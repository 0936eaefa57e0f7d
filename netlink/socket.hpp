// SPDX-License-Identifier: Apache-2.0
// The two netlink sockets, always apart: on the command socket every datagram is the answer to our last
// request, on the event socket whatever happens arrives by itself. Knows datagrams and answers, not
// what the messages mean. Opening one that the kernel refuses throws std::system_error; nothing else
// here throws.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/result.hpp"
#include "netlink/batch.hpp"
#include "netlink/codec.hpp"
#include "netlink/error.hpp"

struct mnl_socket;

namespace netlink {

struct CloseSocket {
  void operator()(mnl_socket* socket) const;
};
using SocketHandle = std::unique_ptr<mnl_socket, CloseSocket>;

class CommandSocket {
 public:
  CommandSocket();

  // Sends the batch, waits until the kernel is through with it, lists what it refused and clears the
  // batch. An error of its own (the answers were lost, say) means that nothing is known of the outcome.
  [[nodiscard]] net::Result<std::vector<Refusal>, KernelError> run(Batch& batch);

  // Sends the one request in the batch and shows every message of the answer. A dump during which the
  // tables changed is asked again a few times; then `visit` has seen some messages twice.
  [[nodiscard]] net::Result<void, KernelError> ask(Batch& batch, const std::function<void(const RawMessage&)>& visit);

  // How notifications name our own requests.
  [[nodiscard]] std::uint32_t port() const;

 private:
  struct Answer;
  Answer read_answer(std::uint32_t sequence, const std::function<void(const RawMessage&)>& visit);
  net::Result<void, KernelError> send(Batch& batch);
  long receive();

  SocketHandle socket_;
  std::vector<std::uint8_t> buffer_;
};

enum class Topic : std::uint8_t { Links, Addresses, Routes, Nexthops };

enum class Received : std::uint8_t {
  Everything,  // nothing is left to read
  More,        // the visitor has had its share; the rest waits
  Overrun,     // the kernel dropped messages: what we believe must be compared with what is
};

class EventSocket {
 public:
  // `quiet_port`: notifications caused by that command socket are dropped by the kernel before they
  // take room in the queue; 0 hears everything.
  EventSocket(std::initializer_list<Topic> topics, std::uint32_t quiet_port,
              std::size_t receive_buffer = default_buffer);

  // The kernel's default holds 256 route messages; this one 20,000 and more.
  static constexpr std::size_t default_buffer = std::size_t{16} << 20;

  // Readable when there is something to read; for a reactor to wait on.
  [[nodiscard]] int fd() const;
  // Never blocks. Shows at most about `limit` messages.
  [[nodiscard]] Received read(const std::function<void(const RawMessage&)>& visit, std::size_t limit = 65536);

 private:
  SocketHandle socket_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace netlink
