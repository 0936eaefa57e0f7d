// SPDX-License-Identifier: Apache-2.0
// AS paths, communities and origins in text: what is read is printed, and reads again as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bgp/wire/text.hpp"

namespace {

template <class Value, class Parse>
void round(const std::optional<Value>& value, Parse parse) {
  if (value && parse(bgp::print(*value)) != value) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  round(bgp::parse_as_path(text), bgp::parse_as_path);
  round(bgp::parse_community(text), bgp::parse_community);
  round(bgp::parse_large_community(text), bgp::parse_large_community);
  round(bgp::parse_extended_community(text), bgp::parse_extended_community);
  round(bgp::parse_ipv6_extended_community(text), bgp::parse_ipv6_extended_community);
  round(bgp::parse_origin(text), bgp::parse_origin);
  return 0;
}
