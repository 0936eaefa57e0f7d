// SPDX-License-Identifier: Apache-2.0
#include "net/address.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

namespace net {
namespace {

// One decimal octet without sign or leading zeros (leading zeros read as octal elsewhere).
bool parse_octet(std::string_view text, std::uint8_t& out) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 10);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_group(std::string_view text, std::uint16_t& out) {
  if (text.empty() || text.size() > 4) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return error == std::errc{} && end == text.data() + text.size();
}

// Colon-separated groups; the last may be a dotted quad. Appends to `out`, two bytes a group.
bool parse_groups(std::string_view text, std::array<std::uint8_t, 16>& out, std::size_t& count) {
  count = 0;
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto quad = parse_ipv4(part);
      if (!quad || count + 4 > 16) return false;
      for (const auto byte : quad->bytes()) out[count++] = byte;
      return true;
    }
    std::uint16_t group = 0;
    if (count + 2 > 16 || !parse_group(part, group)) return false;
    out[count++] = static_cast<std::uint8_t>(group >> 8);
    out[count++] = static_cast<std::uint8_t>(group);
    if (colon == std::string_view::npos) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;  // a colon at the end
  }
  return true;
}

std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ULL;
  return x ^ (x >> 32);
}

std::uint64_t hash_octets(const std::array<std::uint8_t, 16>& octets) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::memcpy(&high, octets.data(), 8);
  std::memcpy(&low, octets.data() + 8, 8);
  return mix(high ^ mix(low));
}

}  // namespace

std::string_view print(Family family) {
  return family == Family::Ipv4 ? "IPv4" : "IPv6";
}

Ipv4Address Ipv4Address::from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() >= 4);
  return {std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3]};
}

Ipv6Address Ipv6Address::from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() >= 16);
  Ipv6Address address;
  std::copy_n(bytes.begin(), 16, address.octets.begin());
  return address;
}

bool Ipv6Address::loopback() const {
  auto one = Ipv6Address{};
  one.octets[15] = 1;
  return *this == one;
}

bool Ipv6Address::ipv4_mapped() const {
  return std::all_of(octets.begin(), octets.begin() + 10, [](auto byte) { return byte == 0; }) && octets[10] == 0xff &&
         octets[11] == 0xff;
}

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  std::array<std::uint8_t, 4> octets{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || !parse_octet(text.substr(0, dot), octets[i])) return std::nullopt;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return Ipv4Address::from_bytes(octets);
}

std::optional<Ipv6Address> parse_ipv6(std::string_view text) {
  Ipv6Address address;
  const auto gap = text.find("::");
  std::size_t head_size = 0;
  if (gap == std::string_view::npos) {
    if (!parse_groups(text, address.octets, head_size) || head_size != 16) return std::nullopt;
    return address;
  }
  const auto head_text = text.substr(0, gap);
  std::array<std::uint8_t, 16> tail{};
  std::size_t tail_size = 0;
  if (head_text.find('.') != std::string_view::npos) return std::nullopt;  // a quad may only stand last
  if (!parse_groups(head_text, address.octets, head_size)) return std::nullopt;
  if (!parse_groups(text.substr(gap + 2), tail, tail_size)) return std::nullopt;
  if (head_size + tail_size > 14) return std::nullopt;  // "::" stands for one group at least
  std::copy_n(tail.begin(), tail_size, address.octets.end() - static_cast<std::ptrdiff_t>(tail_size));
  return address;
}

std::string print(Ipv4Address address) {
  std::array<char, 16> text{};
  auto* out = text.data();
  for (const auto byte : address.bytes()) {
    if (out != text.data()) *out++ = '.';
    out = std::to_chars(out, text.data() + text.size(), byte).ptr;
  }
  return {text.data(), out};
}

std::string print(const Ipv6Address& address) {
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<std::uint16_t>(address.octets[2 * i] << 8 | address.octets[2 * i + 1]);

  // RFC 5952 section 4.2: the longest run of two or more zero groups, the first of equals.
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
    i = end + 1;
  }

  std::string text;
  if (address.ipv4_mapped()) {  // RFC 5952 section 5
    return "::ffff:" + print(Ipv4Address::from_bytes(std::span{address.octets}.subspan(12)));
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += "::";
      i += best_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), groups[i], 16).ptr;
    text.append(digits.data(), end);
  }
  return text;
}

Ipv4Address IpAddress::v4() const {
  assert(is_v4());
  return Ipv4Address::from_bytes(octets_);
}

Ipv6Address IpAddress::v6() const {
  assert(is_v6());
  return Ipv6Address::from_bytes(octets_);
}

bool IpAddress::unspecified() const {
  return octets_ == std::array<std::uint8_t, 16>{};
}
bool IpAddress::loopback() const {
  return is_v4() ? v4().loopback() : v6().loopback();
}
bool IpAddress::multicast() const {
  return is_v4() ? v4().multicast() : v6().multicast();
}
bool IpAddress::link_local() const {
  return is_v4() ? v4().link_local() : v6().link_local();
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (const auto v4 = parse_ipv4(text)) return IpAddress{*v4};
  if (const auto v6 = parse_ipv6(text)) return IpAddress{*v6};
  return std::nullopt;
}

std::string print(const IpAddress& address) {
  return address.is_v4() ? print(address.v4()) : print(address.v6());
}

std::optional<IpAddress> advance(const IpAddress& address, std::uint64_t offset) {
  if (address.is_v4()) {
    const auto sum = address.v4().value + offset;
    if (offset > 0xffffffffULL || sum > 0xffffffffULL) return std::nullopt;
    return IpAddress{Ipv4Address{static_cast<std::uint32_t>(sum)}};
  }
  auto sum = address.v6();
  std::uint64_t carry = offset;
  for (std::size_t i = 16; i-- > 0 && carry != 0;) {
    const auto byte = std::uint64_t{sum.octets[i]} + (carry & 0xff);
    sum.octets[i] = static_cast<std::uint8_t>(byte);
    carry = (carry >> 8) + (byte >> 8);
  }
  if (carry != 0) return std::nullopt;
  return IpAddress{sum};
}

IpAddress previous(const IpAddress& address) {
  assert(!address.unspecified());
  if (address.is_v4()) return Ipv4Address{address.v4().value - 1};
  auto below = address.v6();
  for (std::size_t i = 16; i-- > 0;) {
    const auto borrowed = below.octets[i] == 0;
    --below.octets[i];
    if (!borrowed) break;
  }
  return below;
}

}  // namespace net

std::size_t std::hash<net::Ipv6Address>::operator()(const net::Ipv6Address& address) const noexcept {
  return net::hash_octets(address.octets);
}

std::size_t std::hash<net::IpAddress>::operator()(const net::IpAddress& address) const noexcept {
  std::array<std::uint8_t, 16> octets{};
  const auto bytes = address.bytes();
  std::copy(bytes.begin(), bytes.end(), octets.begin());
  return net::hash_octets(octets) + static_cast<std::size_t>(address.family());
}
