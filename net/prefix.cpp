// SPDX-License-Identifier: Apache-2.0
#include "net/prefix.hpp"

#include <cassert>
#include <charconv>

namespace net {

std::optional<Prefix> Prefix::make(const IpAddress& address, unsigned length) {
  if (address.is_v4()) {
    const auto prefix = Ipv4Prefix::make(address.v4(), length);
    return prefix ? std::optional<Prefix>{*prefix} : std::nullopt;
  }
  const auto prefix = Ipv6Prefix::make(address.v6(), length);
  return prefix ? std::optional<Prefix>{*prefix} : std::nullopt;
}

Prefix Prefix::host(const IpAddress& address) {
  return address.is_v4() ? Prefix{Ipv4Prefix::host(address.v4())} : Prefix{Ipv6Prefix::host(address.v6())};
}

Ipv4Prefix Prefix::v4() const {
  return *Ipv4Prefix::make(address_.v4(), length_);
}
Ipv6Prefix Prefix::v6() const {
  return *Ipv6Prefix::make(address_.v6(), length_);
}

bool Prefix::contains(const IpAddress& address) const {
  if (address.family() != family()) return false;
  return is_v4() ? v4().contains(address.v4()) : v6().contains(address.v6());
}

bool Prefix::contains(const Prefix& other) const {
  return other.length_ >= length_ && contains(other.address_);
}

IpAddress Prefix::last() const {
  if (is_v4()) return Ipv4Address{address_.v4().value | (length_ == 0 ? ~0U : ~(~0U << (32U - length_)))};
  auto address = address_.v6();
  for (unsigned bit = length_; bit < 128; ++bit)
    address.octets[bit / 8] = static_cast<std::uint8_t>(address.octets[bit / 8] | 0x80U >> bit % 8);
  return address;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length, 10);
  if (!address || digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Prefix::make(*address, length);
}

std::string print(const Prefix& prefix) {
  return print(prefix.address()) + "/" + std::to_string(prefix.length());
}

}  // namespace net
