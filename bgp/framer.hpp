// SPDX-License-Identifier: Apache-2.0
// Cuts a byte stream into messages. A message that lies whole in the input is returned as a view of it;
// only the front of a cut message is copied, and its buffer is given back when it grew large.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bgp/wire/message.hpp"

namespace bgp {

struct Frame {
  MessageType type{};
  std::span<const std::uint8_t> body;  // valid until the next call
};

class Framer {
 public:
  // The next whole message from the front of `input`, nothing when more bytes are needed (then `input` is
  // used up), or the header error of RFC 4271 section 6.1, after which the stream cannot be read on.
  Decoded<std::optional<Frame>> next(std::span<const std::uint8_t>& input, std::size_t limit);
  // A new connection.
  void reset();

 private:
  std::vector<std::uint8_t> partial_;  // the front of a cut message, or all of one that was cut
  bool handed_out_ = false;            // partial_ is whole and a view of it was returned
};

}  // namespace bgp
