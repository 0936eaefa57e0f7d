// SPDX-License-Identifier: Apache-2.0
// What the load and the yardstick share: ARP over Ethernet as one frame, and a packet socket on one interface.
#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

struct ArpFrame {
  ether_header ethernet;
  ether_arp arp;
} __attribute__((packed));

// As many frames as one system call moves.
inline constexpr std::size_t burst = 64;

enum class Blocking { Yes, No };

class PacketSocket {
 public:
  PacketSocket(const std::string& interface, Blocking blocking)
      : fd_{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | (blocking == Blocking::No ? SOCK_NONBLOCK : 0), 0)} {
    if (fd_ < 0) give_up("packet socket");
    const int size = 16 << 20;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    if (::ioctl(fd_, SIOCGIFHWADDR, &request) != 0) give_up(interface.c_str());
    std::memcpy(mac_.data(), request.ifr_hwaddr.sa_data, mac_.size());
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ARP);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("bind");
  }
  ~PacketSocket() { ::close(fd_); }
  PacketSocket(const PacketSocket&) = delete;
  PacketSocket& operator=(const PacketSocket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::array<std::uint8_t, 6>& mac() const { return mac_; }

 private:
  [[noreturn]] static void give_up(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }
  int fd_;
  std::array<std::uint8_t, 6> mac_{};
};

}  // namespace bench
