// SPDX-License-Identifier: Apache-2.0
// The sticky cursor: reads big-endian fields. After the first short read every read yields zero and
// ok() is false, so a decoder reads straight down the RFC's diagram and checks once. Loops run on
// remaining() > 0, which a failed cursor makes zero, so they end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "net/address.hpp"

namespace net {

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : rest_{bytes} {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  Ipv4Address ipv4() { return {u32()}; }
  Ipv6Address ipv6() {
    const auto field = bytes(16);
    return field.empty() ? Ipv6Address{} : Ipv6Address::from_bytes(field);
  }
  // The next `length` bytes, or none of them and failure.
  std::span<const std::uint8_t> bytes(std::size_t length) {
    if (length > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const auto field = rest_.first(length);
    rest_ = rest_.subspan(length);
    return field;
  }
  // A child that cannot read past its own length field. A short parent fails both.
  Reader sub(std::size_t length) {
    Reader child{bytes(length)};
    child.failed_ = failed_;
    return child;
  }
  void skip(std::size_t length) { (void)bytes(length); }
  // For a decoder that finds a value it cannot go on from.
  void set_failed() {
    failed_ = true;
    rest_ = {};
  }

  [[nodiscard]] bool ok() const { return !failed_; }
  [[nodiscard]] bool consumed() const { return !failed_ && rest_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return rest_; }

 private:
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    for (const auto byte : bytes(width)) value = value << 8 | byte;
    return value;
  }

  std::span<const std::uint8_t> rest_;
  bool failed_ = false;
};

}  // namespace net
