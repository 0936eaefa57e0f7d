// SPDX-License-Identifier: Apache-2.0
#include "speaker/bfd/echo.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "speaker/bfd/echo_frames.hpp"

namespace speaker {
namespace {

constexpr std::uint8_t looped_ttl = bfd::sent_ttl - 1;  // one system has passed it on
constexpr std::uint8_t udp = 17;

std::string failure(std::string_view what) {
  return std::string{what} + ": " + std::error_code{errno, std::generic_category()}.message();
}

// UDP to port 3785, whole. Offsets are those of an IP packet; IPv6 packets with extension headers are not ours.
std::array<sock_filter, 9> filter(net::Family family) {
  const auto load = [](unsigned width, std::uint32_t at) {
    return sock_filter{static_cast<std::uint16_t>(BPF_LD | width | BPF_ABS), 0, 0, at};
  };
  const auto equal = [](std::uint32_t value, std::uint8_t otherwise) {
    return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, otherwise, value};
  };
  const sock_filter refuse{BPF_RET | BPF_K, 0, 0, 0};
  const sock_filter accept{BPF_RET | BPF_K, 0, 0, 0xffff};
  const sock_filter nothing{BPF_ALU | BPF_ADD | BPF_K, 0, 0, 0};
  if (family == net::Family::Ipv6)
    return {load(BPF_B, 6), equal(udp, 6), load(BPF_H, 42), equal(bfd::echo_port, 4), nothing, nothing,
            nothing,        accept,        refuse};
  return {load(BPF_B, 9),  equal(udp, 6),
          load(BPF_B, 0),  equal(0x45, 4),  // no options
          load(BPF_H, 22), equal(bfd::echo_port, 2),
          nothing,         accept,
          refuse};
}

net::Result<Descriptor, std::string> open_frames(net::Family family) {
  // Protocol 0 receives nothing until bind(), so nothing slips in before the filter.
  Descriptor made{::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!made) return net::fail(failure("packet socket"));
  auto code = filter(family);
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::setsockopt(made.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    return net::fail(failure("packet filter"));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(family == net::Family::Ipv4 ? ETH_P_IP : ETH_P_IPV6);
  if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return net::fail(failure("packet socket"));
  return made;
}

}  // namespace

BfdEcho::BfdEcho(boost::asio::io_context& io, std::uint64_t secret, Returned returned,
                 std::function<bool(const net::IpAddress&)> may_reflect)
    : io_{io}, secret_{secret}, returned_{std::move(returned)}, may_reflect_{std::move(may_reflect)} {}

BfdEcho::~BfdEcho() = default;

net::Result<void, std::string> BfdEcho::open(net::Family family) {
  auto& frames = frames_[static_cast<std::size_t>(family)];
  if (frames == nullptr) {
    auto made = open_frames(family);
    if (!made) return net::fail(made.error());
    frames = std::make_unique<Socket>(io_, made->release());
    wait(*frames, &BfdEcho::read_frames);
  }
  if (family == net::Family::Ipv6 && datagrams_ == nullptr) {
    auto made = open_bfd_listener(family, bfd::echo_port);
    if (!made) return net::fail(made.error());
    datagrams_ = std::make_unique<Socket>(io_, made->release());
    wait(*datagrams_, &BfdEcho::read_datagrams);
  }
  if (neighbors_ == nullptr) neighbors_ = std::make_unique<netlink::Neighbors>();
  return {};
}

void BfdEcho::wait(Socket& socket, void (BfdEcho::*take)()) {
  socket.descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [this, &socket, take](const boost::system::error_code& error) {
                                 if (error) return;  // closed with its owner
                                 (this->*take)();
                                 wait(socket, take);
                               });
}

void BfdEcho::send(const net::IpAddress& remote, const BfdPlace& place, const bfd::Echo& echo, bfd::EchoPath path) {
  const auto payload = bfd::encode(echo, secret_);
  if (path == bfd::EchoPath::Reflected) {
    if (remote.is_v6() && datagrams_ != nullptr)
      send_bfd_to(datagrams_->descriptor.native_handle(), remote, bfd::echo_port, place.interface_index, bfd::sent_ttl,
                  payload);
    return;
  }
  const auto& frames = frames_[static_cast<std::size_t>(remote.family())];
  if (frames == nullptr || neighbors_ == nullptr) return;
  const auto mac = neighbors_->find(place.interface_index, remote);
  if (!mac) return;  // it will be there by the next echo
  const auto frame = encode_echo_frame(place.local, payload);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(remote.is_v4() ? ETH_P_IP : ETH_P_IPV6);
  to.sll_ifindex = static_cast<int>(place.interface_index);
  to.sll_halen = static_cast<unsigned char>(mac->octets.size());
  std::memcpy(to.sll_addr, mac->octets.data(), mac->octets.size());
  (void)::sendto(frames->descriptor.native_handle(), frame.data(), frame.size(), MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

void BfdEcho::read() {
  read_frames();
  read_datagrams();
}

void BfdEcho::read_frames() {
  for (const auto& socket : frames_)
    if (socket != nullptr) read_frames_of(*socket);
}

void BfdEcho::read_frames_of(Socket& socket) {
  std::array<std::uint8_t, 256> buffer{};
  for (int i = 0; i < 512; ++i) {
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const auto count = ::recvfrom(socket.descriptor.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                  reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) return;
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    const auto frame = decode_echo_frame(std::span{buffer}.first(static_cast<std::size_t>(count)));
    if (!frame || frame->ttl != looped_ttl || frame->source != frame->destination) continue;
    if (const auto echo = bfd::decode_echo(frame->payload, secret_)) returned_(*echo);
  }
}

void BfdEcho::read_datagrams() {
  if (datagrams_ == nullptr) return;
  const auto socket = datagrams_->descriptor.native_handle();
  receive_bfd(socket, net::Family::Ipv6, [&](const BfdDatagram& datagram) {
    // One that was passed on once is an answer; anything else could go round for ever.
    if (datagram.ttl == looped_ttl) {
      if (const auto echo = bfd::decode_echo(datagram.bytes, secret_)) returned_(*echo);
    } else if (datagram.ttl == bfd::sent_ttl && may_reflect_(datagram.remote)) {
      send_bfd_to(socket, datagram.remote, datagram.remote_port, datagram.interface_index, looped_ttl, datagram.bytes);
    }
  });
}

}  // namespace speaker
