// SPDX-License-Identifier: Apache-2.0
#include "netlink/socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

namespace netlink {
namespace {

// Room for the answers to one batch in which every message fails: some 2,500 of about 1 KiB.
constexpr int command_receive_buffer = 8 << 20;
constexpr int command_send_buffer = 1 << 20;
// The kernel fills dump datagrams up to 32 KiB when the reader offers that much.
constexpr std::size_t datagram_size = 64UL * 1024;
constexpr int dump_attempts = 5;
constexpr int answer_timeout_ms = 5000;

SocketHandle open_socket(unsigned groups) {
  SocketHandle socket{mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC)};
  if (!socket || mnl_socket_bind(socket.get(), groups, MNL_SOCKET_AUTOPID) < 0)
    throw std::system_error{errno, std::generic_category(), "cannot open a netlink socket"};
  return socket;
}

// The plain option is the fallback of those who may not exceed rmem_max.
void set_buffer(const SocketHandle& socket, int forced, int plain, int size) {
  const auto fd = mnl_socket_get_fd(socket.get());
  if (::setsockopt(fd, SOL_SOCKET, forced, &size, sizeof size) < 0)
    (void)::setsockopt(fd, SOL_SOCKET, plain, &size, sizeof size);
}

void switch_on(const SocketHandle& socket, int option) {
  int on = 1;
  (void)mnl_socket_setsockopt(socket.get(), option, &on, sizeof on);  // older kernels lack some; none is vital
}

unsigned group_bits(std::initializer_list<Topic> topics) {
  unsigned bits = 0;
  for (const auto topic : topics) {
    switch (topic) {
      case Topic::Links:
        bits |= RTMGRP_LINK;
        break;
      case Topic::Addresses:
        bits |= RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
        break;
      case Topic::Routes:
        bits |= RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
        break;
      case Topic::Nexthops:
        bits |= 1U << (RTNLGRP_NEXTHOP - 1);
        break;
    }
  }
  return bits;
}

// Drops messages whose nlmsg_pid is `port`. A filter loads words as big endian, netlink writes them in
// the host's order.
void drop_echoes_of(const SocketHandle& socket, std::uint32_t port) {
  constexpr std::uint32_t port_offset = 12;
  std::array<sock_filter, 4> code{{
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, port_offset},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, htonl(port)},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, ~std::uint32_t{0}},
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  // Without it echoes cost time, but readers know their own writes by their effect.
  (void)::setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

KernelError error_of(int number) {
  return {number, {}};
}

}  // namespace

void CloseSocket::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

// ---- commands ----

CommandSocket::CommandSocket() : socket_{open_socket(0)}, buffer_(datagram_size) {
  set_buffer(socket_, SO_RCVBUFFORCE, SO_RCVBUF, command_receive_buffer);
  set_buffer(socket_, SO_SNDBUFFORCE, SO_SNDBUF, command_send_buffer);
  switch_on(socket_, NETLINK_CAP_ACK);
  switch_on(socket_, NETLINK_EXT_ACK);
  switch_on(socket_, NETLINK_GET_STRICT_CHK);
}

std::uint32_t CommandSocket::port() const {
  return mnl_socket_get_portid(socket_.get());
}

net::Result<void, KernelError> CommandSocket::send(Batch& batch) {
  const auto bytes = batch.bytes();
  while (mnl_socket_sendto(socket_.get(), bytes.data(), bytes.size()) < 0) {
    if (errno != EINTR) return net::fail(error_of(errno));
  }
  return {};
}

// One datagram, or a negative errno. The kernel works while we send, so answers are there at once; the
// timeout only guards against waiting for one that was lost.
long CommandSocket::receive() {
  const auto fd = mnl_socket_get_fd(socket_.get());
  for (;;) {
    const auto size = ::recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size >= 0) return size;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return -errno;
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, answer_timeout_ms) == 0) return -ETIMEDOUT;
  }
}

net::Result<std::vector<Refusal>, KernelError> CommandSocket::run(Batch& batch) {
  std::vector<Refusal> refusals;
  if (batch.empty()) return refusals;
  batch.acknowledge_last();
  const auto first = batch.first_sequence();
  const auto count = static_cast<std::uint32_t>(batch.count());
  const auto sent = send(batch);
  batch.clear();
  if (!sent) return net::fail(sent.error());

  for (;;) {
    const auto size = receive();
    if (size < 0) return net::fail(error_of(static_cast<int>(-size)));
    std::span<const std::uint8_t> datagram{buffer_.data(), static_cast<std::size_t>(size)};
    while (const auto message = next_message(datagram)) {
      auto answer = decode_acknowledgement(*message);
      // Left over from a request whose answers we gave up on.
      if (!answer || answer->sequence - first >= count) continue;
      const auto index = answer->sequence - first;
      if (answer->error != 0) refusals.push_back({index, {answer->error, std::move(answer->text)}});
      if (index + 1 == count) return refusals;
    }
  }
}

struct CommandSocket::Answer {
  int error = 0;
  bool interrupted = false;  // the dump is not of one moment
  std::string text = {};

  // Nothing: it goes on. An acknowledgement, an error, or the end of a dump.
  static std::optional<Answer> last(const RawMessage& message) {
    if (message.type == NLMSG_DONE) {
      // A dump that fails half-way says so in its last message.
      std::int32_t error = 0;
      if (message.payload.size() >= sizeof error) std::memcpy(&error, message.payload.data(), sizeof error);
      return Answer{error < 0 ? -error : 0};
    }
    if (message.type != NLMSG_ERROR) return std::nullopt;
    auto told = decode_acknowledgement(message);
    if (!told) return Answer{EBADMSG};
    return Answer{told->error, false, std::move(told->text)};
  }
};

CommandSocket::Answer CommandSocket::read_answer(std::uint32_t sequence,
                                                 const std::function<void(const RawMessage&)>& visit) {
  bool interrupted = false;
  for (;;) {
    const auto size = receive();
    if (size < 0) return {static_cast<int>(-size)};
    std::span<const std::uint8_t> datagram{buffer_.data(), static_cast<std::size_t>(size)};
    while (const auto message = next_message(datagram)) {
      if (message->sequence != sequence) continue;
      interrupted = interrupted || (message->flags & NLM_F_DUMP_INTR) != 0;
      if (auto answer = Answer::last(*message)) {
        answer->interrupted = interrupted;
        return *std::move(answer);
      }
      visit(*message);
      // The answer to a request for one object is that object and no more.
      if ((message->flags & NLM_F_MULTI) == 0) return {0, interrupted};
    }
  }
}

net::Result<void, KernelError> CommandSocket::ask(Batch& batch, const std::function<void(const RawMessage&)>& visit) {
  const auto sequence = batch.first_sequence();
  for (int attempt = 0;; ++attempt) {
    const auto sent = send(batch);
    auto answer = sent ? read_answer(sequence, visit) : Answer{sent.error().number};
    if (answer.error == 0 && answer.interrupted && attempt + 1 < dump_attempts) continue;
    batch.clear();
    if (answer.error == 0 && answer.interrupted) return net::fail(error_of(EINTR));
    if (answer.error != 0) return net::fail(KernelError{answer.error, std::move(answer.text)});
    return {};
  }
}

// ---- events ----

EventSocket::EventSocket(std::initializer_list<Topic> topics, std::uint32_t quiet_port, std::size_t receive_buffer)
    : socket_{open_socket(0)}, buffer_(datagram_size) {
  set_buffer(socket_, SO_RCVBUFFORCE, SO_RCVBUF, static_cast<int>(receive_buffer));
  if (quiet_port != 0) drop_echoes_of(socket_, quiet_port);
  // Joined last, so that nothing comes before the buffer and the filter are in place.
  const auto bits = group_bits(topics);
  for (int group = 1; group <= 32; ++group) {
    if ((bits >> (group - 1) & 1U) == 0) continue;
    if (mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
      throw std::system_error{errno, std::generic_category(), "cannot follow netlink events"};
  }
}

int EventSocket::fd() const {
  return mnl_socket_get_fd(socket_.get());
}

Received EventSocket::read(const std::function<void(const RawMessage&)>& visit, std::size_t limit) {
  for (std::size_t seen = 0; seen < limit;) {
    const auto size = ::recv(fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EINTR) continue;
      // ENOBUFS is the kernel's word for dropped messages; any other failure leaves us as blind.
      return errno == EAGAIN ? Received::Everything : Received::Overrun;
    }
    std::span<const std::uint8_t> datagram{buffer_.data(), static_cast<std::size_t>(size)};
    while (const auto message = next_message(datagram)) {
      visit(*message);
      ++seen;
    }
  }
  return Received::More;
}

}  // namespace netlink
