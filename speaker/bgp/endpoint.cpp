// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/endpoint.hpp"

#include <memory>
#include <optional>
#include <string_view>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "net/prefix.hpp"

namespace speaker {

namespace asio = boost::asio;

namespace {

net::IpAddress from_octets(std::span<const std::uint8_t> octets) {
  if (octets.size() == 4) return net::Ipv4Address::from_bytes(octets);
  return net::Ipv6Address::from_bytes(octets);
}

std::optional<net::IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
    return from_octets({reinterpret_cast<const std::uint8_t*>(&in), 4});
  }
  if (address->sa_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
    return from_octets({reinterpret_cast<const std::uint8_t*>(&in), 16});
  }
  return std::nullopt;
}

struct FreeAddresses {
  void operator()(ifaddrs* list) const { ::freeifaddrs(list); }
};
using AddressList = std::unique_ptr<ifaddrs, FreeAddresses>;

AddressList host_addresses() {
  ifaddrs* list = nullptr;
  return AddressList{::getifaddrs(&list) == 0 ? list : nullptr};
}

std::string_view holder_of(const AddressList& list, const net::IpAddress& wanted) {
  for (const auto* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (address_of(entry->ifa_addr) == wanted) return entry->ifa_name;
  }
  return {};
}

// The first usable address of each kind, in the order of the kernel: primary ones before others.
void fill_in(const AddressList& list, std::string_view interface, bgp::Transport& transport) {
  for (const auto* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    const auto address = address_of(entry->ifa_addr);
    if (!address || address->loopback() || interface != entry->ifa_name) continue;
    if (address->is_v4()) {
      if (!transport.local_ipv4) transport.local_ipv4 = address->v4();
    } else if (address->link_local()) {
      if (!transport.local_link_local) transport.local_link_local = address->v6();
    } else if (!transport.local_ipv6) {
      transport.local_ipv6 = address->v6();
    }
  }
}

}  // namespace

net::Result<asio::ip::tcp::endpoint, std::string> to_endpoint(const net::IpAddress& address, std::uint16_t port,
                                                              const std::string& interface) {
  if (address.is_v4()) return asio::ip::tcp::endpoint{asio::ip::address_v4{address.v4().value}, port};
  asio::ip::address_v6 made{address.v6().octets};
  if (address.link_local()) {
    const auto index = interface.empty() ? 0U : ::if_nametoindex(interface.c_str());
    if (index == 0) return net::fail(print(address) + ": no interface " + interface);
    made.scope_id(index);
  }
  return asio::ip::tcp::endpoint{made, port};
}

net::IpAddress to_address(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v4()) return net::Ipv4Address{address.to_v4().to_uint()};
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return net::Ipv4Address{asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_uint()};
  return net::Ipv6Address{v6.to_bytes()};
}

std::string print_endpoint(const net::IpAddress& address, std::uint16_t port) {
  const auto text = net::print(address);
  return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

std::string zone_of(const asio::ip::tcp::endpoint& endpoint) {
  if (!endpoint.address().is_v6() || endpoint.address().to_v6().scope_id() == 0) return {};
  char name[IF_NAMESIZE] = {};
  const auto index = static_cast<unsigned>(endpoint.address().to_v6().scope_id());
  return ::if_indextoname(index, name) == nullptr ? std::string{} : std::string{name};
}

bgp::Transport describe_transport(const asio::ip::tcp::socket& socket) {
  boost::system::error_code ignored;  // a socket that broke meanwhile is found out by the first read
  const auto local = socket.local_endpoint(ignored);
  const auto remote = socket.remote_endpoint(ignored);
  bgp::Transport transport;
  transport.local = to_address(local);
  transport.remote = to_address(remote);
  transport.local_port = local.port();
  transport.remote_port = remote.port();

  // What the connection itself uses comes first, whatever else the interface holds.
  if (transport.local.is_v4()) {
    transport.local_ipv4 = transport.local.v4();
  } else if (transport.local.link_local()) {
    transport.local_link_local = transport.local.v6();
  } else {
    transport.local_ipv6 = transport.local.v6();
  }
  const auto list = host_addresses();
  const auto zone = zone_of(local);
  const auto interface = zone.empty() ? holder_of(list, transport.local) : std::string_view{zone};
  if (interface.empty()) return transport;
  transport.interface_index = ::if_nametoindex(std::string{interface}.c_str());
  fill_in(list, interface, transport);
  return transport;
}

}  // namespace speaker
