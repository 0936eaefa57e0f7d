// SPDX-License-Identifier: Apache-2.0
#include "net/asn.hpp"

#include <charconv>

#include "net/address.hpp"

namespace net {
namespace {

template <class Number>
std::optional<Number> parse_decimal(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 10);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<Asn> parse_asn(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) {
    const auto number = parse_decimal<std::uint32_t>(text);
    return number ? std::optional{Asn{*number}} : std::nullopt;
  }
  const auto high = parse_decimal<std::uint16_t>(text.substr(0, dot));
  const auto low = parse_decimal<std::uint16_t>(text.substr(dot + 1));
  if (!high || !low) return std::nullopt;
  return Asn{std::uint32_t{*high} << 16 | *low};
}

std::string print(Asn asn) {
  return std::to_string(asn.value);
}

std::optional<RouterId> parse_router_id(std::string_view text) {
  const auto address = parse_ipv4(text);
  return address ? std::optional{RouterId{address->value}} : std::nullopt;
}

std::string print(RouterId id) {
  return print(Ipv4Address{id.value});
}

}  // namespace net
