// SPDX-License-Identifier: Apache-2.0
#include "net/range.hpp"

#include <limits>

namespace net {
namespace {

constexpr auto saturated = std::numeric_limits<std::uint64_t>::max();

// Wide enough for the distance between any two addresses of a family. The extension keyword keeps
// -Wpedantic quiet about the one place that needs 128 bits.
__extension__ using Wide = unsigned __int128;

Wide wide(const IpAddress& address) {
  Wide value = 0;
  for (const auto byte : address.bytes()) value = value << 8 | byte;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<AddressRange> AddressRange::make(const IpAddress& first, const IpAddress& last) {
  if (first.family() != last.family() || last < first) return std::nullopt;
  return AddressRange{first, last};
}

AddressRange AddressRange::of(const Prefix& prefix) {
  return {prefix.address(), prefix.last()};
}

std::uint64_t AddressRange::size() const {
  const auto distance = wide(last_) - wide(first_);
  return distance >= saturated ? saturated : static_cast<std::uint64_t>(distance) + 1;
}

std::optional<std::uint64_t> AddressRange::offset_of(const IpAddress& address) const {
  if (!contains(address)) return std::nullopt;
  const auto distance = wide(address) - wide(first_);
  if (distance > saturated) return std::nullopt;
  return static_cast<std::uint64_t>(distance);
}

std::vector<Prefix> AddressRange::prefixes() const {
  std::vector<Prefix> out;
  const auto bits = address_bits(family());
  auto at = first_;
  for (;;) {
    // The shortest prefix that starts here and does not pass the end.
    auto length = bits;
    while (length > 0) {
      const auto wider = *Prefix::make(at, length - 1);
      if (wider.address() != at || wider.last() > last_) break;
      --length;
    }
    const auto prefix = *Prefix::make(at, length);
    out.push_back(prefix);
    if (prefix.last() == last_) return out;
    at = *advance(prefix.last(), 1);
  }
}

std::optional<AddressRange> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) {
    const auto prefix = parse_prefix(trimmed(text));
    return prefix ? std::optional{AddressRange::of(*prefix)} : std::nullopt;
  }
  const auto first = parse_ip(trimmed(text.substr(0, dash)));
  const auto last = parse_ip(trimmed(text.substr(dash + 1)));
  if (!first || !last) return std::nullopt;
  return AddressRange::make(*first, *last);
}

std::string print(const AddressRange& range) {
  const auto prefixes = range.prefixes();
  return prefixes.size() == 1 ? print(prefixes.front()) : print(range.first()) + "-" + print(range.last());
}

}  // namespace net
