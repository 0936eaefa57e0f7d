// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/packet_socket.hpp"

#include <cerrno>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace speaker {
namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

}  // namespace

net::Result<PacketSocket, std::error_code> PacketSocket::open(const boost::asio::any_io_executor& executor,
                                                              unsigned link, std::uint16_t ethertype,
                                                              const PacketFilter& filter) {
  // Protocol 0 receives nothing until bind(), so no frame slips in before the filter.
  const auto handle = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (handle < 0) return net::fail(last_error());
  boost::asio::posix::stream_descriptor descriptor{executor, handle};

  const sock_fprog program{static_cast<unsigned short>(filter.program().size()),
                           const_cast<sock_filter*>(filter.program().data())};
  if (::setsockopt(handle, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) return net::fail(last_error());
  // A scan of a whole subnet comes as one burst of requests.
  const int buffer = 1 << 20;
  ::setsockopt(handle, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);

  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ethertype);
  address.sll_ifindex = static_cast<int>(link);
  if (::bind(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return net::fail(last_error());
  return PacketSocket{std::move(descriptor)};
}

unsigned PacketSocket::fill() {
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};
  for (unsigned i = 0; i < batch; ++i) {
    parts[i] = {buffers_[i].data(), buffers_[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  // An error (the interface went down) is taken off the socket by being read; nothing else is to be done.
  const auto count = ::recvmmsg(descriptor_.native_handle(), messages.data(), batch, MSG_DONTWAIT, nullptr);
  if (count <= 0) return 0;
  for (unsigned i = 0; i < static_cast<unsigned>(count); ++i) sizes_[i] = messages[i].msg_len;
  return static_cast<unsigned>(count);
}

std::error_code PacketSocket::send(std::span<const std::uint8_t> frame) {
  const auto sent = ::send(descriptor_.native_handle(), frame.data(), frame.size(), MSG_DONTWAIT);
  return sent < 0 ? last_error() : std::error_code{};
}

std::uint64_t PacketSocket::take_drops() {
  tpacket_stats stats{};
  socklen_t size = sizeof stats;
  if (::getsockopt(descriptor_.native_handle(), SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) return 0;
  return stats.tp_drops;
}

}  // namespace speaker
