// SPDX-License-Identifier: Apache-2.0
// Prefixes per family (compact, for tables) and of either family (for configuration and display).
// Host bits are cleared on the way in, so equal routes always compare equal.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/address.hpp"

namespace net {

[[nodiscard]] constexpr Ipv4Address masked(Ipv4Address address, unsigned length) {
  return {length == 0 ? 0U : address.value & ~std::uint32_t{0} << (32 - length)};
}
[[nodiscard]] constexpr Ipv6Address masked(Ipv6Address address, unsigned length) {
  for (unsigned i = 0; i < 16; ++i) {
    if (8 * i >= length)
      address.octets[i] = 0;
    else if (8 * (i + 1) > length)
      address.octets[i] = static_cast<std::uint8_t>(address.octets[i] & 0xff00U >> (length - 8 * i));
  }
  return address;
}

template <class Address>
class BasicPrefix {
 public:
  constexpr BasicPrefix() = default;  // the default route
  // Nothing when the length is above the family's bits.
  [[nodiscard]] static constexpr std::optional<BasicPrefix> make(const Address& address, unsigned length) {
    if (length > Address::bits) return std::nullopt;
    return BasicPrefix{masked(address, length), static_cast<std::uint8_t>(length)};
  }
  [[nodiscard]] static constexpr BasicPrefix host(const Address& address) {
    return BasicPrefix{address, static_cast<std::uint8_t>(Address::bits)};
  }
  [[nodiscard]] constexpr const Address& address() const { return address_; }
  [[nodiscard]] constexpr unsigned length() const { return length_; }
  [[nodiscard]] constexpr bool contains(const Address& address) const { return masked(address, length_) == address_; }
  [[nodiscard]] constexpr bool contains(const BasicPrefix& other) const {
    return other.length_ >= length_ && contains(other.address_);
  }
  friend constexpr auto operator<=>(const BasicPrefix&, const BasicPrefix&) = default;

 private:
  constexpr BasicPrefix(const Address& address, std::uint8_t length) : address_{address}, length_{length} {}
  Address address_{};
  std::uint8_t length_ = 0;
};

using Ipv4Prefix = BasicPrefix<Ipv4Address>;
using Ipv6Prefix = BasicPrefix<Ipv6Address>;

// Either family. Sorts by family, address, then length.
class Prefix {
 public:
  constexpr Prefix() = default;  // 0.0.0.0/0
  constexpr Prefix(const Ipv4Prefix& prefix)
      : address_{prefix.address()}, length_{static_cast<std::uint8_t>(prefix.length())} {}
  constexpr Prefix(const Ipv6Prefix& prefix)
      : address_{prefix.address()}, length_{static_cast<std::uint8_t>(prefix.length())} {}
  [[nodiscard]] static std::optional<Prefix> make(const IpAddress& address, unsigned length);
  [[nodiscard]] static Prefix host(const IpAddress& address);

  [[nodiscard]] const IpAddress& address() const { return address_; }
  [[nodiscard]] unsigned length() const { return length_; }
  [[nodiscard]] Family family() const { return address_.family(); }
  [[nodiscard]] bool is_v4() const { return address_.is_v4(); }
  // Precondition: the family is the one asked for.
  [[nodiscard]] Ipv4Prefix v4() const;
  [[nodiscard]] Ipv6Prefix v6() const;
  [[nodiscard]] bool contains(const IpAddress& address) const;  // false across families
  [[nodiscard]] bool contains(const Prefix& other) const;
  // The last address of the prefix (the broadcast address of an IPv4 subnet).
  [[nodiscard]] IpAddress last() const;
  friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

 private:
  IpAddress address_;
  std::uint8_t length_ = 0;
};

// "ADDRESS/LENGTH"; host bits may be set in the text and are cleared.
[[nodiscard]] std::optional<Prefix> parse_prefix(std::string_view text);
[[nodiscard]] std::string print(const Prefix& prefix);
[[nodiscard]] inline std::string print(const Ipv4Prefix& prefix) {
  return print(Prefix{prefix});
}
[[nodiscard]] inline std::string print(const Ipv6Prefix& prefix) {
  return print(Prefix{prefix});
}

}  // namespace net

template <>
struct std::hash<net::Ipv4Prefix> {
  std::size_t operator()(const net::Ipv4Prefix& prefix) const noexcept {
    const auto key = std::uint64_t{prefix.address().value} << 8 | prefix.length();
    return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15ULL) ^ (key * 0x9e3779b97f4a7c15ULL) >> 29);
  }
};
template <>
struct std::hash<net::Ipv6Prefix> {
  std::size_t operator()(const net::Ipv6Prefix& prefix) const noexcept {
    return std::hash<net::Ipv6Address>{}(prefix.address()) + prefix.length() * 0x9e3779b97f4a7c15ULL;
  }
};
template <>
struct std::hash<net::Prefix> {
  std::size_t operator()(const net::Prefix& prefix) const noexcept {
    return std::hash<net::IpAddress>{}(prefix.address()) + prefix.length() * 0x9e3779b97f4a7c15ULL;
  }
};
