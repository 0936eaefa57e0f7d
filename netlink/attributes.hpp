// SPDX-License-Identifier: Apache-2.0
// The sticky cursor over netlink attributes: a sequence of (length, type, value) in the host's byte
// order, padded to four bytes. A length that does not fit ends the walk and ok() turns false.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "net/address.hpp"

namespace netlink {

struct Attribute {
  std::uint16_t type = 0;  // without the nested and byte order flags
  std::span<const std::uint8_t> value;

  // The value as a number; nothing when it is too short for one.
  template <class Number>
  [[nodiscard]] std::optional<Number> number() const {
    static_assert(std::is_trivially_copyable_v<Number>);
    Number out{};
    if (value.size() < sizeof out) return std::nullopt;
    std::memcpy(&out, value.data(), sizeof out);
    return out;
  }
  [[nodiscard]] std::uint32_t u32() const { return number<std::uint32_t>().value_or(0); }
  [[nodiscard]] std::uint8_t u8() const { return number<std::uint8_t>().value_or(0); }
  // 4 or 16 bytes.
  [[nodiscard]] std::optional<net::IpAddress> address() const {
    if (value.size() == 4) return net::IpAddress{net::Ipv4Address::from_bytes(value)};
    if (value.size() == 16) return net::IpAddress{net::Ipv6Address::from_bytes(value)};
    return std::nullopt;
  }
  // Up to the first NUL.
  [[nodiscard]] std::string text() const {
    const auto* begin = reinterpret_cast<const char*>(value.data());
    return {begin, value.empty() ? 0 : ::strnlen(begin, value.size())};
  }
};

class Attributes {
 public:
  explicit Attributes(std::span<const std::uint8_t> bytes) : rest_{bytes} {}

  bool next(Attribute& out) {
    if (rest_.size() < header_size) {
      // Up to three bytes of padding may end a message.
      ok_ = ok_ && rest_.size() < 4;
      return false;
    }
    std::uint16_t length = 0;
    std::uint16_t type = 0;
    std::memcpy(&length, rest_.data(), sizeof length);
    std::memcpy(&type, rest_.data() + sizeof length, sizeof type);
    if (length < header_size || length > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return false;
    }
    out.type = static_cast<std::uint16_t>(type & type_mask);
    out.value = rest_.subspan(header_size, length - header_size);
    const auto padded = (std::size_t{length} + 3) & ~std::size_t{3};
    rest_ = rest_.subspan(padded < rest_.size() ? padded : rest_.size());
    return true;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  static constexpr std::size_t header_size = 4;
  static constexpr std::uint16_t type_mask = 0x3fff;  // NLA_F_NESTED and NLA_F_NET_BYTEORDER cut off
  std::span<const std::uint8_t> rest_;
  bool ok_ = true;
};

}  // namespace netlink
