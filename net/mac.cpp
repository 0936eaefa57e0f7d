// SPDX-License-Identifier: Apache-2.0
#include "net/mac.hpp"

#include <charconv>

namespace net {

std::optional<Mac> parse_mac(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  Mac mac;
  for (std::size_t i = 0; i < 6; ++i) {
    const auto* digits = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, mac.octets[i], 16);
    if (error != std::errc{} || end != digits + 2) return std::nullopt;
    if (i < 5 && digits[2] != ':') return std::nullopt;
  }
  return mac;
}

std::string print(const Mac& mac) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto octet : mac.octets) {
    if (!text.empty()) text += ':';
    text += digits[octet >> 4];
    text += digits[octet & 0xf];
  }
  return text;
}

}  // namespace net
