// SPDX-License-Identifier: Apache-2.0
// The frame of a BGP message, RFC 4271 section 4.1. Written here anew: a load generator that shared the codec of the
// daemon that it measures would share its mistakes.
#pragma once

#include <cstdint>
#include <vector>

#include "net/writer.hpp"

namespace blast {

inline constexpr std::size_t header_size = 19;
inline constexpr std::size_t max_message_size = 4096;

enum class MessageType : std::uint8_t { Open = 1, Update = 2, Notification = 3, Keepalive = 4 };

// A header whose length is filled in when the guard goes.
class Message {
 public:
  Message(std::vector<std::uint8_t>& out, MessageType type) : out_{out}, begin_{out.size()} {
    out.insert(out.end(), 16, 0xff);
    net::Writer writer{out};
    writer.u16(0);
    writer.u8(static_cast<std::uint8_t>(type));
  }
  ~Message() {
    const auto size = out_.size() - begin_;
    out_[begin_ + 16] = static_cast<std::uint8_t>(size >> 8);
    out_[begin_ + 17] = static_cast<std::uint8_t>(size);
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

 private:
  std::vector<std::uint8_t>& out_;
  std::size_t begin_;
};

}  // namespace blast
