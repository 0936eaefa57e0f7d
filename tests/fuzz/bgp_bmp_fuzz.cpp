// SPDX-License-Identifier: Apache-2.0
// The reader of BMP streams: what decodes encodes to the same octets, and nothing breaks it.
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "bgp/bmp/message.hpp"
#include "tests/fuzz/require.hpp"

namespace {

void one(std::span<const std::uint8_t> bytes) {
  const auto message = bgp::bmp::decode(bytes);
  if (!message) {
    require(message.error().offset <= bytes.size() && message.error().text[0] != '\0');
    return;
  }
  std::vector<std::uint8_t> again;
  bgp::bmp::encode(*message, again);
  require(again == std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  if (const auto* route = std::get_if<bgp::bmp::RouteMonitoring>(&*message)) {
    std::vector<std::uint8_t> straight;
    bgp::bmp::encode_route_monitoring(route->peer, route->update, straight);
    require(straight == again);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest{data, size};
  if (!rest.empty()) one(rest);  // as it is
  while (!rest.empty()) {
    const auto length = bgp::bmp::message_length(rest);
    if (!length || !*length || **length > rest.size()) break;
    one(rest.first(**length));
    rest = rest.subspan(**length);
  }
  return 0;
}
