// SPDX-License-Identifier: Apache-2.0
#include "bgp/framer.hpp"

#include <algorithm>

namespace bgp {

namespace {

// What an idle connection may keep allocated.
constexpr std::size_t kept_capacity = max_message_size;

void move_front(std::span<const std::uint8_t>& from, std::vector<std::uint8_t>& to, std::size_t wanted_size) {
  if (to.size() >= wanted_size) return;
  const auto count = std::min(wanted_size - to.size(), from.size());
  to.insert(to.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
  from = from.subspan(count);
}

}  // namespace

Decoded<std::optional<Frame>> Framer::next(std::span<const std::uint8_t>& input, std::size_t limit) {
  if (handed_out_) reset();
  if (partial_.empty() && input.size() >= header_size) {
    const auto header = decode_header(input, limit);
    if (!header) return net::fail(header.error());
    if (input.size() >= header->length) {
      const auto message = input.first(header->length);
      input = input.subspan(header->length);
      return Frame{header->type, message.subspan(header_size)};
    }
  }

  move_front(input, partial_, header_size);
  if (partial_.size() < header_size) return std::nullopt;
  const auto header = decode_header(partial_, limit);
  if (!header) return net::fail(header.error());
  move_front(input, partial_, header->length);
  if (partial_.size() < header->length) return std::nullopt;
  handed_out_ = true;
  return Frame{header->type, std::span<const std::uint8_t>{partial_}.subspan(header_size)};
}

void Framer::reset() {
  handed_out_ = false;
  partial_.clear();
  if (partial_.capacity() > kept_capacity) partial_ = {};
}

}  // namespace bgp
