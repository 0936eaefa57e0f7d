// SPDX-License-Identifier: Apache-2.0
// The mirror of Reader: appends big-endian fields to a vector. Length fields are patched when their
// guard goes out of scope:
//
//   { auto length = out.length_field_u16(); out.u32(42); }   // 00 04 00 00 00 2a
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "net/address.hpp"

namespace net {

class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& out) : out_{out} {}

  void u8(std::uint8_t value) { out_.push_back(value); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u24(std::uint32_t value) { number(value, 3); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void bytes(std::span<const std::uint8_t> field) { out_.insert(out_.end(), field.begin(), field.end()); }
  void ipv4(Ipv4Address address) { u32(address.value); }
  void ipv6(const Ipv6Address& address) { bytes(address.octets); }
  void address(const IpAddress& address) { bytes(address.bytes()); }
  void zeros(std::size_t count) { out_.insert(out_.end(), count, 0); }

  [[nodiscard]] std::size_t size() const { return out_.size(); }

  // Counts the bytes written between its making and its end into the field it reserved.
  class LengthField {
   public:
    LengthField(const LengthField&) = delete;
    LengthField& operator=(const LengthField&) = delete;
    ~LengthField() {
      auto value = out_.size() - at_ - width_;
      for (std::size_t i = width_; i-- > 0; value >>= 8) out_[at_ + i] = static_cast<std::uint8_t>(value);
    }

   private:
    friend class Writer;
    LengthField(std::vector<std::uint8_t>& out, std::size_t width) : out_{out}, at_{out.size()}, width_{width} {
      out_.insert(out_.end(), width, 0);
    }
    std::vector<std::uint8_t>& out_;
    std::size_t at_;
    std::size_t width_;
  };
  [[nodiscard]] LengthField length_field_u8() { return {out_, 1}; }
  [[nodiscard]] LengthField length_field_u16() { return {out_, 2}; }

 private:
  void number(std::uint64_t value, std::size_t width) {
    std::array<std::uint8_t, 8> octets;
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
    out_.insert(out_.end(), octets.end() - static_cast<std::ptrdiff_t>(width), octets.end());
  }
  std::vector<std::uint8_t>& out_;
};

}  // namespace net
