// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/socket_options.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace speaker {

namespace {

constexpr int traffic_class = 0xc0;         // CS6, network control: RFC 4594 section 3.1
constexpr int unsent_at_most = 128 * 1024;  // what TCP may hold that no window took yet
constexpr std::uint8_t farthest = 255;
constexpr int ipv6_minimum_hop_count = 73;  // IPV6_MINHOPCOUNT, which glibc 2.36 does not name

std::string failure(std::string_view what) {
  return std::string{what} + ": " + std::error_code{errno, std::generic_category()}.message();
}

template <class Value>
bool set(int socket, int level, int option, const Value& value) {
  return ::setsockopt(socket, level, option, &value, sizeof(value)) == 0;
}

void copy_address(const net::IpAddress& address, __kernel_sockaddr_storage& out) {
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    std::memcpy(&made.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&out, &made, sizeof(made));
  } else {
    sockaddr_in6 made{};
    made.sin6_family = AF_INET6;
    std::memcpy(&made.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&out, &made, sizeof(made));
  }
}

bool is_external(const bgp::PeerConfig& config) {
  switch (config.peer_asn.kind) {
    case bgp::ExpectedAsn::Kind::Internal:
      return false;
    case bgp::ExpectedAsn::Kind::External:
      return true;
    case bgp::ExpectedAsn::Kind::Exactly:
      return config.peer_asn.asn != config.local_asn;
  }
  return true;
}

}  // namespace

SocketResult set_md5_key(int socket, const net::Prefix& peers, std::string_view key) {
  if (key.size() > longest_md5_key) return net::fail(std::string{"TCP MD5: the key is longer than 80 octets"});
  tcp_md5sig request{};
  copy_address(peers.address(), request.tcpm_addr);
  request.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
  request.tcpm_prefixlen = static_cast<std::uint8_t>(peers.length());
  request.tcpm_keylen = static_cast<std::uint16_t>(key.size());
  std::copy(key.begin(), key.end(), request.tcpm_key);
  if (set(socket, IPPROTO_TCP, TCP_MD5SIG_EXT, request)) return {};
  if (errno == ENOENT && key.empty()) return {};  // there was none
  if (errno == ENOPROTOOPT) {
    return net::fail(std::string{"TCP MD5: the kernel was built without it (CONFIG_TCP_MD5SIG)"});
  }
  if (errno == ENOMEM) return net::fail(std::string{"TCP MD5: too many keys, see sysctl net.core.optmem_max"});
  return net::fail(failure("TCP MD5"));
}

HopLimits hop_limits(const bgp::PeerConfig& config) {
  switch (config.reach.kind) {
    case bgp::Reach::Kind::Multihop:
      return {config.reach.hops, 0};
    case bgp::Reach::Kind::Security:
      return {farthest, static_cast<std::uint8_t>(256 - config.reach.hops)};
    case bgp::Reach::Kind::Default:
      break;
  }
  if (is_external(config)) return {1, 0};
  return {};
}

SocketResult set_hop_limits(int socket, net::Family family, HopLimits limits) {
  const int sent = limits.sent ? *limits.sent : -1;
  const int least = limits.least_received;
  const bool v4 = family == net::Family::Ipv4;
  const bool sending = v4 ? set(socket, IPPROTO_IP, IP_TTL, sent) : set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, sent);
  if (!sending) return net::fail(failure("TTL"));
  const bool receiving =
      v4 ? set(socket, IPPROTO_IP, IP_MINTTL, least) : set(socket, IPPROTO_IPV6, ipv6_minimum_hop_count, least);
  if (!receiving) return net::fail(failure("TTL security"));
  return {};
}

SocketResult bind_to_interface(int socket, const std::string& name) {
  if (name.size() >= IFNAMSIZ) return net::fail("interface " + name + ": the name is too long");
  if (::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name.c_str(), static_cast<socklen_t>(name.size() + 1)) == 0) {
    return {};
  }
  return net::fail(failure("interface " + name));
}

void set_common_options(int socket, net::Family family) {
  (void)::fcntl(socket, F_SETFD, FD_CLOEXEC);
  (void)set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  (void)set(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_at_most);
  if (family == net::Family::Ipv4) {
    (void)set(socket, IPPROTO_IP, IP_TOS, traffic_class);
  } else {
    (void)set(socket, IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
  }
}

void set_user_timeout(int socket, std::chrono::milliseconds timeout) {
  (void)set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<unsigned>(timeout.count()));
}

void set_listener_options(int socket, net::Family family) {
  if (family == net::Family::Ipv6) {
    (void)set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    (void)set(socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);
  } else {
    (void)set(socket, IPPROTO_IP, IP_FREEBIND, 1);
  }
  // The SYN-ACK comes from the listener: a neighbour with TTL security takes it only so.
  (void)set_hop_limits(socket, family, {farthest, 0});
}

}  // namespace speaker
