// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/tcp_ao.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace speaker {
namespace {

// linux/tcp.h of Linux 6.7.
constexpr int option_add_key = 38;
constexpr int option_delete_key = 39;
constexpr int option_info = 40;

constexpr std::uint32_t set_current = 1U << 0;
constexpr std::uint32_t set_rnext = 1U << 1;

struct alignas(8) AddKey {
  sockaddr_storage address{};
  char algorithm[64]{};
  std::int32_t interface = 0;
  std::uint32_t flags = 0;
  std::uint16_t reserved = 0;
  std::uint8_t prefix_length = 0;
  std::uint8_t send_id = 0;
  std::uint8_t receive_id = 0;
  std::uint8_t mac_length = 0;
  std::uint8_t key_flags = 0;
  std::uint8_t key_length = 0;
  std::uint8_t key[longest_ao_key]{};
};
static_assert(sizeof(AddKey) == 288);

struct alignas(8) DeleteKey {
  sockaddr_storage address{};
  std::int32_t interface = 0;
  std::uint32_t flags = 0;
  std::uint16_t reserved = 0;
  std::uint8_t prefix_length = 0;
  std::uint8_t send_id = 0;
  std::uint8_t receive_id = 0;
  std::uint8_t current_key = 0;
  std::uint8_t next_key = 0;
  std::uint8_t key_flags = 0;
};
static_assert(sizeof(DeleteKey) == 144);

struct alignas(8) Info {
  std::uint32_t flags = 0;
  std::uint16_t reserved = 0;
  std::uint8_t current_key = 0;
  std::uint8_t next_key = 0;
  std::uint64_t counters[5]{};
};
static_assert(sizeof(Info) == 48);

template <class Value>
bool set(int socket, int option, const Value& value) {
  return ::setsockopt(socket, IPPROTO_TCP, option, &value, sizeof value) == 0;
}

SocketResult refused(std::string_view what) {
  if (errno == ENOPROTOOPT)
    return net::fail(std::string{"TCP-AO: this kernel has none (CONFIG_TCP_AO, Linux 6.7 and later)"});
  if (errno == ENOENT) return net::fail(std::string{"TCP-AO: the kernel lacks the algorithm"});
  return net::fail("TCP-AO: " + std::string{what} + ": " + std::error_code{errno, std::generic_category()}.message());
}

void copy_address(const net::IpAddress& address, sockaddr_storage& out) {
  const auto bytes = address.bytes();
  out.ss_family = address.is_v4() ? AF_INET : AF_INET6;
  if (address.is_v4()) {
    std::memcpy(&reinterpret_cast<sockaddr_in&>(out).sin_addr, bytes.data(), bytes.size());
  } else {
    std::memcpy(&reinterpret_cast<sockaddr_in6&>(out).sin6_addr, bytes.data(), bytes.size());
  }
}

// The kernel's names of what RFC 5926 calls HMAC-SHA-1-96 and AES-128-CMAC-96; both make 12 octets.
std::string_view kernel_name(bgp::AuthenticationKeys::Algorithm algorithm) {
  return algorithm == bgp::AuthenticationKeys::Algorithm::HmacSha1 ? "hmac(sha1)" : "cmac(aes128)";
}
constexpr std::uint8_t mac_octets = 12;

SocketResult add(int socket, const net::Prefix& peers, bgp::AuthenticationKeys::Algorithm algorithm, std::uint8_t id,
                 std::string_view key) {
  if (key.empty() || key.size() > longest_ao_key)
    return net::fail(std::string{"TCP-AO: a key must have 1 to 80 octets"});
  AddKey request;
  copy_address(peers.address(), request.address);
  const auto name = kernel_name(algorithm);
  std::copy(name.begin(), name.end(), request.algorithm);
  request.prefix_length = static_cast<std::uint8_t>(peers.length());
  request.send_id = request.receive_id = id;
  request.mac_length = mac_octets;
  request.key_length = static_cast<std::uint8_t>(key.size());
  std::copy(key.begin(), key.end(), request.key);
  if (set(socket, option_add_key, request)) return {};
  return refused("key " + std::to_string(id));
}

// A connection that uses the key goes on with `instead`.
SocketResult remove(int socket, const net::Prefix& peers, std::uint8_t id, std::optional<std::uint8_t> instead) {
  DeleteKey request;
  copy_address(peers.address(), request.address);
  request.prefix_length = static_cast<std::uint8_t>(peers.length());
  request.send_id = request.receive_id = id;
  if (set(socket, option_delete_key, request) || errno == ENOENT) return {};
  if (errno == EBUSY && instead) {
    request.flags = set_current | set_rnext;
    request.current_key = request.next_key = *instead;
    if (set(socket, option_delete_key, request)) return {};
  }
  return refused("key " + std::to_string(id));
}

}  // namespace

bool has_tcp_ao() {
  const auto socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return false;
  const auto any = net::Prefix::host(net::Ipv4Address{0x7f000001});
  const bool there = add(socket, any, bgp::AuthenticationKeys::Algorithm::HmacSha1, 1, "probe").has_value();
  ::close(socket);
  return there;
}

SocketResult fit_ao_keys(int socket, const net::Prefix& peers, bgp::AuthenticationKeys& present,
                         const bgp::AuthenticationKeys& wanted) {
  const bool same_algorithm = present.algorithm == wanted.algorithm;
  const auto stays = [&](const auto& entry) {
    const auto found = wanted.keys.find(entry.first);
    return same_algorithm && found != wanted.keys.end() && found->second == entry.second;
  };
  // The other side has it already, as far as this one can tell.
  const auto common = std::find_if(present.keys.rbegin(), present.keys.rend(), stays);
  const auto instead = common == present.keys.rend() ? std::nullopt : std::optional{common->first};
  // Numbers that become free for other keys. A connection has none of those (bgp::change_class()).
  for (auto known = present.keys.begin(); known != present.keys.end();) {
    if (stays(*known) || (same_algorithm && !wanted.keys.contains(known->first))) {
      ++known;
      continue;
    }
    if (auto removed = remove(socket, peers, known->first, std::nullopt); !removed) return removed;
    known = present.keys.erase(known);
  }
  present.algorithm = wanted.algorithm;
  // New ones before old ones go: a connection must have one to go on with.
  for (const auto& [id, key] : wanted.keys) {
    if (present.keys.contains(id)) continue;
    if (auto added = add(socket, peers, wanted.algorithm, id, key); !added) return added;
    present.keys[id] = key;
  }
  for (auto known = present.keys.begin(); known != present.keys.end();) {
    if (wanted.keys.contains(known->first)) {
      ++known;
      continue;
    }
    if (auto removed = remove(socket, peers, known->first, instead); !removed) return removed;
    known = present.keys.erase(known);
  }
  return {};
}

SocketResult ask_for_ao_key(int socket, std::uint8_t id) {
  Info request;
  request.flags = set_rnext;
  request.next_key = id;
  if (set(socket, option_info, request)) return {};
  return refused("key " + std::to_string(id));
}

}  // namespace speaker
