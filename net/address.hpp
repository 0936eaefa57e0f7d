// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 addresses as values: comparable, hashable, parsed strictly and printed canonically
// (RFC 5952 for IPv6). Nothing here touches a socket.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace net {

enum class Family : std::uint8_t { Ipv4, Ipv6 };
[[nodiscard]] constexpr unsigned address_bits(Family family) {
  return family == Family::Ipv4 ? 32 : 128;
}
[[nodiscard]] std::string_view print(Family family);  // "IPv4", "IPv6"

struct Ipv4Address {
  std::uint32_t value{};  // host byte order

  static constexpr unsigned bits = 32;
  friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;
  [[nodiscard]] constexpr bool bit(unsigned index) const { return ((value >> (31 - index)) & 1U) != 0; }
  [[nodiscard]] constexpr std::array<std::uint8_t, 4> bytes() const {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  }
  // The first four bytes, network order. Precondition: at least four are given.
  [[nodiscard]] static Ipv4Address from_bytes(std::span<const std::uint8_t> bytes);
  [[nodiscard]] constexpr bool unspecified() const { return value == 0; }
  [[nodiscard]] constexpr bool loopback() const { return (value >> 24) == 127; }
  [[nodiscard]] constexpr bool multicast() const { return (value >> 28) == 0xe; }
  [[nodiscard]] constexpr bool link_local() const { return (value >> 16) == 0xa9fe; }
};

struct Ipv6Address {
  std::array<std::uint8_t, 16> octets{};  // network byte order

  static constexpr unsigned bits = 128;
  friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;
  [[nodiscard]] constexpr bool bit(unsigned index) const { return ((octets[index / 8] >> (7 - index % 8)) & 1U) != 0; }
  [[nodiscard]] constexpr const std::array<std::uint8_t, 16>& bytes() const { return octets; }
  // The first sixteen bytes. Precondition: at least sixteen are given.
  [[nodiscard]] static Ipv6Address from_bytes(std::span<const std::uint8_t> bytes);
  [[nodiscard]] constexpr bool unspecified() const { return *this == Ipv6Address{}; }
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] constexpr bool multicast() const { return octets[0] == 0xff; }
  [[nodiscard]] constexpr bool link_local() const { return octets[0] == 0xfe && (octets[1] & 0xc0U) == 0x80; }
  // ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2.
  [[nodiscard]] bool ipv4_mapped() const;
};

[[nodiscard]] std::optional<Ipv4Address> parse_ipv4(std::string_view text);
[[nodiscard]] std::optional<Ipv6Address> parse_ipv6(std::string_view text);  // no zone
[[nodiscard]] std::string print(Ipv4Address address);
[[nodiscard]] std::string print(const Ipv6Address& address);  // RFC 5952

// Either family. IPv4 sorts before IPv6, then by value.
class IpAddress {
 public:
  constexpr IpAddress() = default;  // 0.0.0.0
  constexpr IpAddress(Ipv4Address address) : family_{Family::Ipv4} {
    const auto bytes = address.bytes();
    for (std::size_t i = 0; i < 4; ++i) octets_[i] = bytes[i];
  }
  constexpr IpAddress(const Ipv6Address& address) : family_{Family::Ipv6}, octets_{address.octets} {}

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr bool is_v4() const { return family_ == Family::Ipv4; }
  [[nodiscard]] constexpr bool is_v6() const { return family_ == Family::Ipv6; }
  // Precondition: the family is the one asked for.
  [[nodiscard]] Ipv4Address v4() const;
  [[nodiscard]] Ipv6Address v6() const;
  // 4 or 16 bytes, network order.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {octets_.data(), is_v4() ? 4U : 16U}; }
  [[nodiscard]] constexpr bool bit(unsigned index) const { return ((octets_[index / 8] >> (7 - index % 8)) & 1U) != 0; }
  [[nodiscard]] bool unspecified() const;
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] bool multicast() const;
  [[nodiscard]] bool link_local() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::Ipv4;
  std::array<std::uint8_t, 16> octets_{};  // IPv4 uses the first four; the rest stay zero
};

[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text);
[[nodiscard]] std::string print(const IpAddress& address);

// The address `offset` after this one, within the family; nothing past the family's last address.
[[nodiscard]] std::optional<IpAddress> advance(const IpAddress& address, std::uint64_t offset);
// The address before this one. Precondition: it is not the family's first.
[[nodiscard]] IpAddress previous(const IpAddress& address);

}  // namespace net

template <>
struct std::hash<net::Ipv4Address> {
  std::size_t operator()(net::Ipv4Address address) const noexcept {
    return static_cast<std::size_t>(address.value * 0x9e3779b97f4a7c15ULL >> 16);
  }
};
template <>
struct std::hash<net::Ipv6Address> {
  std::size_t operator()(const net::Ipv6Address& address) const noexcept;
};
template <>
struct std::hash<net::IpAddress> {
  std::size_t operator()(const net::IpAddress& address) const noexcept;
};
