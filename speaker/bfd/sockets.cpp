// SPDX-License-Identifier: Apache-2.0
#include "speaker/bfd/sockets.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace speaker {
namespace {

constexpr int traffic_class = 0xc0;  // CS6, network control: RFC 4594 section 3.1
constexpr unsigned batch = 32;
constexpr unsigned most_rounds = 16;
constexpr std::size_t longest_datagram = 256;

std::string failure(std::string_view what) {
  return std::string{what} + ": " + std::error_code{errno, std::generic_category()}.message();
}

bool set(int socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const net::IpAddress& address, std::uint16_t port, std::uint32_t scope) {
  SocketAddress out;
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    std::memcpy(&made.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&out.storage, &made, sizeof made);
    out.size = sizeof made;
  } else {
    sockaddr_in6 made{};
    made.sin6_family = AF_INET6;
    made.sin6_port = htons(port);
    std::memcpy(&made.sin6_addr, bytes.data(), bytes.size());
    if (address.link_local()) made.sin6_scope_id = scope;
    std::memcpy(&out.storage, &made, sizeof made);
    out.size = sizeof made;
  }
  return out;
}

net::IpAddress address_of(const void* bytes, net::Family family) {
  const std::span octets{static_cast<const std::uint8_t*>(bytes), family == net::Family::Ipv4 ? 4U : 16U};
  if (family == net::Family::Ipv4) return net::Ipv4Address::from_bytes(octets);
  return net::Ipv6Address::from_bytes(octets);
}

Descriptor udp_socket(net::Family family) {
  const auto domain = family == net::Family::Ipv4 ? AF_INET : AF_INET6;
  Descriptor made{::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!made) return made;
  if (family == net::Family::Ipv4)
    set(made.get(), IPPROTO_IP, IP_TOS, traffic_class);
  else
    set(made.get(), IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
  set(made.get(), SOL_SOCKET, SO_PRIORITY, 6);
  return made;
}

bool send_with_full_ttl(int socket, net::Family family) {
  return family == net::Family::Ipv4 ? set(socket, IPPROTO_IP, IP_TTL, bfd::sent_ttl)
                                     : set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, bfd::sent_ttl);
}

bool tell_how_datagrams_came(int socket, net::Family family) {
  if (family == net::Family::Ipv4)
    return set(socket, IPPROTO_IP, IP_RECVTTL, 1) && set(socket, IPPROTO_IP, IP_PKTINFO, 1);
  return set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) && set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

template <class T>
T control_data(const cmsghdr* header) {
  T out{};
  std::memcpy(&out, CMSG_DATA(header), sizeof out);
  return out;
}

void read_control(msghdr& message, BfdDatagram& out) {
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const bool v4 = header->cmsg_level == IPPROTO_IP;
    const bool v6 = header->cmsg_level == IPPROTO_IPV6;
    if ((v4 && header->cmsg_type == IP_TTL) || (v6 && header->cmsg_type == IPV6_HOPLIMIT)) {
      out.ttl = static_cast<std::uint8_t>(control_data<int>(header));
    } else if (v4 && header->cmsg_type == IP_PKTINFO) {
      const auto info = control_data<in_pktinfo>(header);
      out.local = address_of(&info.ipi_addr, net::Family::Ipv4);
      out.interface_index = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (v6 && header->cmsg_type == IPV6_PKTINFO) {
      const auto info = control_data<in6_pktinfo>(header);
      out.local = address_of(&info.ipi6_addr, net::Family::Ipv6);
      out.interface_index = info.ipi6_ifindex;
    }
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

net::Result<Descriptor, std::string> open_bfd_listener(net::Family family, std::uint16_t port) {
  auto made = udp_socket(family);
  if (!made) return net::fail(failure("socket"));
  if (family == net::Family::Ipv6 && !set(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1)) return net::fail(failure("IPv6"));
  if (!tell_how_datagrams_came(made.get(), family)) return net::fail(failure("ancillary data"));
  // A burst of all neighbours, while the loop does something else.
  set(made.get(), SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
  const auto any =
      family == net::Family::Ipv4 ? net::IpAddress{net::Ipv4Address{}} : net::IpAddress{net::Ipv6Address{}};
  const auto local = socket_address(any, port, 0);
  if (::bind(made.get(), local.get(), local.size) != 0) return net::fail(failure("bind"));
  return made;
}

void receive_bfd(int socket, net::Family family, const std::function<void(const BfdDatagram&)>& visit) {
  std::array<std::array<std::uint8_t, longest_datagram>, batch> buffers;
  std::array<std::array<std::uint8_t, 128>, batch> controls;
  std::array<sockaddr_storage, batch> names;
  std::array<iovec, batch> parts;
  std::array<mmsghdr, batch> messages;
  for (unsigned round = 0; round < most_rounds; ++round) {
    for (unsigned i = 0; i < batch; ++i) {
      parts[i] = {buffers[i].data(), buffers[i].size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_name = &names[i];
      messages[i].msg_hdr.msg_namelen = sizeof names[i];
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls[i].data();
      messages[i].msg_hdr.msg_controllen = controls[i].size();
    }
    const auto count = ::recvmmsg(socket, messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      BfdDatagram datagram;
      if (family == net::Family::Ipv4) {
        sockaddr_in from{};
        std::memcpy(&from, &names[at], sizeof from);
        datagram.remote = address_of(&from.sin_addr, family);
        datagram.remote_port = ntohs(from.sin_port);
      } else {
        sockaddr_in6 from{};
        std::memcpy(&from, &names[at], sizeof from);
        datagram.remote = address_of(&from.sin6_addr, family);
        datagram.remote_port = ntohs(from.sin6_port);
      }
      read_control(messages[at].msg_hdr, datagram);
      datagram.bytes = std::span{buffers[at]}.first(messages[at].msg_len);
      visit(datagram);
    }
    if (count < static_cast<int>(batch)) return;
  }
}

net::Result<Descriptor, BfdSendError> open_bfd_sender(const BfdPath& path, std::uint16_t source_port) {
  const auto fail = [](std::string_view what) { return net::fail(BfdSendError{errno == EADDRINUSE, failure(what)}); };
  const auto family = path.remote.family();
  auto made = udp_socket(family);
  if (!made) return fail("socket");
  if (!send_with_full_ttl(made.get(), family)) return fail("TTL 255");
  std::uint32_t scope = 0;
  if (!path.interface.empty()) {
    scope = ::if_nametoindex(path.interface.c_str());
    if (scope == 0) return fail("interface " + path.interface);
    if (::setsockopt(made.get(), SOL_SOCKET, SO_BINDTODEVICE, path.interface.data(),
                     static_cast<socklen_t>(path.interface.size())) != 0)
      return fail("interface " + path.interface);
  }
  const auto any =
      family == net::Family::Ipv4 ? net::IpAddress{net::Ipv4Address{}} : net::IpAddress{net::Ipv6Address{}};
  const auto local = socket_address(path.source.value_or(any), source_port, scope);
  if (::bind(made.get(), local.get(), local.size) != 0) return fail("source " + net::print(path.source.value_or(any)));
  const auto remote = socket_address(path.remote, bfd::port_of(path.hops), scope);
  if (::connect(made.get(), remote.get(), remote.size) != 0) return fail("connect");
  return made;
}

bool send_bfd(int socket, std::span<const std::uint8_t> bytes) {
  // An ICMP error that came for an earlier packet is reported in place of this one's sending, once: the neighbour does
  // not listen yet.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno != ECONNREFUSED && errno != EHOSTUNREACH) break;
  }
  return errno == ECONNREFUSED || errno == EAGAIN || errno == ENOBUFS;
}

void send_bfd_to(int socket, const net::IpAddress& remote, std::uint16_t port, std::uint32_t interface_index,
                 std::uint8_t ttl, std::span<const std::uint8_t> bytes) {
  const auto to = socket_address(remote, port, interface_index);
  auto name = to.storage;
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = to.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = remote.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  header->cmsg_type = remote.is_v4() ? IP_TTL : IPV6_HOPLIMIT;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int value = ttl;
  std::memcpy(CMSG_DATA(header), &value, sizeof value);
  // An echo that cannot be sent is one that does not come back.
  (void)::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace speaker
