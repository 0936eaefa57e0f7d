// SPDX-License-Identifier: Apache-2.0
// Header, OPEN, NOTIFICATION and ROUTE-REFRESH. The first octet chooses the decoder, the rest is its
// input. What is accepted is written and read again, and must be the same.
#include <cstdint>
#include <span>

#include "bgp/wire/message.hpp"
#include "bgp/wire/notification.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using Bytes = std::span<const std::uint8_t>;

Bytes body_of(const std::vector<std::uint8_t>& message) {
  require(bgp::decode_header(message, bgp::max_message_size).has_value());
  return Bytes{message}.subspan(bgp::header_size);
}

void header(Bytes bytes) {
  if (bytes.size() < bgp::header_size) return;
  for (const auto limit : {bgp::max_message_size, bgp::max_extended_message_size}) {
    const auto decoded = bgp::decode_header(bytes, limit);
    require(decoded ? decoded->length <= limit : decoded.error().code == 1);
  }
}

void open(Bytes bytes) {
  const auto decoded = bgp::decode_open(bytes);
  if (!decoded) return require(decoded.error().code == 2);
  if (bytes.size() > bgp::max_message_size - bgp::header_size) return;  // the header would not have let it in
  const auto message = bgp::encode(*decoded);
  const auto again = bgp::decode_open(Bytes{message}.subspan(bgp::header_size));
  require(again.has_value() && *again == *decoded);
}

void notification(Bytes bytes) {
  const auto decoded = bgp::decode_notification(bytes);
  require(!bgp::describe(decoded).empty());
  (void)bgp::shutdown_communication(decoded);
  if (bytes.size() < 2 || bytes.size() > bgp::max_message_size - bgp::header_size) return;
  const auto message = bgp::encode(decoded);
  require(bgp::decode_notification(body_of(message)) == decoded);
}

void refresh(Bytes bytes) {
  if (bytes.size() > bgp::max_message_size - bgp::header_size) return;
  const auto decoded = bgp::decode_route_refresh(bytes);
  if (!decoded) return require(decoded.error().code == 7);
  const auto message = bgp::encode(*decoded);
  const auto again = bgp::decode_route_refresh(body_of(message));
  require(again.has_value() && *again == *decoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input{data + 1, size - 1};
  switch (data[0] % 4) {
    case 0:
      header(input);
      break;
    case 1:
      open(input);
      break;
    case 2:
      notification(input);
      break;
    default:
      refresh(input);
      break;
  }
  return 0;
}
