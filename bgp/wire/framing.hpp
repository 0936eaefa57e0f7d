// SPDX-License-Identifier: Apache-2.0
// The front of every message that the encoders write: the header now, its length at the end.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "bgp/wire/message.hpp"

namespace bgp {

class Message {
 public:
  Message(std::vector<std::uint8_t>& out, MessageType type) : out_{out}, start_{out.size()} {
    std::array<std::uint8_t, header_size> header;
    header.fill(0xff);
    header[16] = header[17] = 0;
    header[18] = static_cast<std::uint8_t>(type);
    out.insert(out.end(), header.begin(), header.end());
  }
  // Precondition: the message is at most 65,535 octets long.
  void finish() const {
    const auto length = out_.size() - start_;
    out_[start_ + 16] = static_cast<std::uint8_t>(length >> 8);
    out_[start_ + 17] = static_cast<std::uint8_t>(length);
  }

 private:
  std::vector<std::uint8_t>& out_;
  std::size_t start_;
};

// A body as it was received, with its front again.
[[nodiscard]] inline std::vector<std::uint8_t> whole_message(MessageType type, std::span<const std::uint8_t> body) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(header_size + body.size());
  const Message message{bytes, type};
  bytes.insert(bytes.end(), body.begin(), body.end());
  message.finish();
  return bytes;
}

}  // namespace bgp
