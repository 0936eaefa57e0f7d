// SPDX-License-Identifier: Apache-2.0
// Autonomous system numbers (RFC 6793) and BGP identifiers (RFC 6286).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace net {

struct Asn {
  std::uint32_t value{};
  friend constexpr auto operator<=>(Asn, Asn) = default;
  // True when the number does not fit the two octets of RFC 4271 (AS_TRANS stands in for it).
  [[nodiscard]] constexpr bool four_octet() const { return value > 0xffff; }
  // For use within a network, RFC 6996.
  [[nodiscard]] constexpr bool is_private() const {
    return (value >= 64512 && value <= 65534) || (value >= 4200000000 && value <= 4294967294);
  }
};

// AS_TRANS, RFC 6793 section 9.
inline constexpr Asn as_trans{23456};

// asplain ("65001") or asdot ("1.10"), RFC 5396. Nothing else, and no white space.
[[nodiscard]] std::optional<Asn> parse_asn(std::string_view text);
[[nodiscard]] std::string print(Asn asn);  // asplain

// A four-octet identifier, written like an IPv4 address; valid when it is not zero.
struct RouterId {
  std::uint32_t value{};  // host byte order
  friend constexpr auto operator<=>(RouterId, RouterId) = default;
};

[[nodiscard]] std::optional<RouterId> parse_router_id(std::string_view text);
[[nodiscard]] std::string print(RouterId id);

}  // namespace net

template <>
struct std::hash<net::Asn> {
  std::size_t operator()(net::Asn asn) const noexcept { return std::hash<std::uint32_t>{}(asn.value); }
};
