// SPDX-License-Identifier: Apache-2.0
// decode_router_message on any bytes; what it takes, we could have sent.
#include <cstdlib>

#include "speaker/unnumbered/router_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  net::Ipv6Address source;
  source.octets[0] = 0xfe;
  source.octets[1] = 0x80;
  source.octets[15] = 1;
  const auto kind = speaker::decode_router_message({data, size}, source, 255);
  if (kind && speaker::decode_router_message(speaker::encode_router_message(*kind, std::nullopt), source, 255) != kind)
    std::abort();
  return 0;
}
