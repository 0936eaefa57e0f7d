// SPDX-License-Identifier: Apache-2.0
// The links of this host and their addresses, as last heard from the kernel. A value: fed with
// messages, asked questions, no socket.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlink/messages.hpp"

namespace netlink {

struct InterfaceAddress {
  net::IpAddress address;
  net::IpAddress peer;  // the far end of a point-to-point link, else the address itself
  std::uint8_t length = 0;
  std::uint8_t scope = 0;
  std::uint8_t protocol = 0;
  std::uint32_t flags = 0;
  std::uint32_t metric = 0;

  [[nodiscard]] net::Prefix subnet() const;  // what the address makes reachable on the link
  [[nodiscard]] bool tentative() const;      // duplicate detection is under way or has failed: not to be used yet
  [[nodiscard]] bool deprecated() const;
  [[nodiscard]] bool secondary() const;
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::optional<net::Mac> mac;
  std::uint32_t flags = 0;
  std::uint16_t hardware = 0;
  std::uint32_t master = 0;  // bridge, bond or VRF; 0: none
  std::uint32_t parent = 0;
  std::uint32_t mtu = 0;
  std::string kind;
  std::vector<InterfaceAddress> addresses;  // in the order the kernel gave them

  [[nodiscard]] bool up() const;       // switched on by the administrator
  [[nodiscard]] bool carrier() const;  // the other end is there
  [[nodiscard]] bool usable() const { return up() && carrier(); }
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] bool noarp() const;
  [[nodiscard]] bool multicast() const;
  [[nodiscard]] bool point_to_point() const;
  friend bool operator==(const Link&, const Link&) = default;
};

class LinkTable {
 public:
  enum class Effect : std::uint8_t { None, Changed };
  Effect apply(const LinkMessage& message);
  Effect apply(const AddressMessage& message);

  // Between these two the whole truth is applied; what was not heard again is gone after it.
  void begin_dump();
  void end_dump();

  [[nodiscard]] const std::map<std::uint32_t, Link>& links() const { return links_; }
  [[nodiscard]] const Link* find(std::uint32_t index) const;
  [[nodiscard]] const Link* find(std::string_view name) const;
  // The loopback interface; nothing in a namespace that has none.
  [[nodiscard]] const Link* loopback() const;
  // The usable link with the longest subnet that holds `address`, the lowest index first.
  [[nodiscard]] const Link* connected(const net::IpAddress& address) const;
  // Whether this host has the address. Link-local ones are of one link each: of `index`.
  [[nodiscard]] bool own(std::uint32_t index, const net::IpAddress& address) const;
  // Whether a subnet of this link holds `address`; link-local IPv6 is on every link.
  [[nodiscard]] bool on_link(std::uint32_t index, const net::IpAddress& address) const;

 private:
  struct Heard {
    bool link = false;
    std::vector<InterfaceAddress> addresses;
  };
  std::map<std::uint32_t, Link> links_;
  std::optional<std::map<std::uint32_t, Heard>> dump_;
};

}  // namespace netlink
