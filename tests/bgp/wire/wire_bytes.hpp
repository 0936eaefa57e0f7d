// SPDX-License-Identifier: Apache-2.0
// Bytes of BGP messages as tests write them: hex with blanks, attributes and UPDATE bodies put together
// from parts, and prefixes of runs as text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/wire/message.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

using Bytes = std::vector<std::uint8_t>;

inline Bytes hex(std::string_view text) {
  Bytes bytes;
  unsigned digits = 0;
  unsigned value = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const auto digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value << 4 | static_cast<unsigned>(digit);
    if (++digits % 2 == 0) bytes.push_back(static_cast<std::uint8_t>(value));
  }
  return bytes;
}

inline Bytes join(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Bytes u16(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

// A whole message around a body, with a correct header.
inline Bytes message(std::uint8_t type, const Bytes& body) {
  return join({Bytes(16, 0xff), u16(header_size + body.size()), {type}, body});
}

// An attribute with a correct length field; Extended Length where the flags have it.
inline Bytes attribute(unsigned flags, unsigned type, const Bytes& value) {
  const Bytes header{static_cast<std::uint8_t>(flags), static_cast<std::uint8_t>(type)};
  if ((flags & flag_extended_length) != 0) return join({header, u16(value.size()), value});
  return join({header, {static_cast<std::uint8_t>(value.size())}, value});
}

inline Bytes body(const Bytes& withdrawn, const Bytes& attributes, const Bytes& nlri) {
  return join({u16(withdrawn.size()), withdrawn, u16(attributes.size()), attributes, nlri});
}

// What every route needs: IGP, the path "65001" in four octets, next hop 10.0.0.2.
inline const Bytes origin = hex("40 01 01 00");
inline const Bytes as_path = hex("40 02 06 0201 0000fde9");
inline const Bytes next_hop = hex("40 03 04 0a000002");
inline const Bytes local_pref = hex("40 05 04 00000064");
inline const Bytes mandatory = join({origin, as_path, next_hop});
// 192.0.2.0/24, 2001:db8::/32.
inline const Bytes nlri4 = hex("18 c00002");
inline const Bytes nlri6 = hex("20 20010db8");
// The first octets of MP_REACH_NLRI for IPv6 unicast with next hop 2001:db8::1.
inline const Bytes reach6 = hex("0002 01 10 20010db8000000000000000000000001 00");
inline const Bytes unreach6 = hex("0002 01");

inline UpdateContext external() {
  return {.peer_asn = net::Asn{65001}};
}
inline UpdateContext internal() {
  return {.peer = PeerType::Internal, .peer_asn = net::Asn{65000}};
}

inline std::vector<std::string> prefixes(const NlriRuns& runs) {
  std::vector<std::string> all;
  for (const auto& run : runs)
    for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t) { all.push_back(net::print(prefix)); });
  return all;
}

inline std::vector<net::Asn> asns(std::initializer_list<std::uint32_t> numbers) {
  std::vector<net::Asn> all;
  for (const auto number : numbers) all.push_back(net::Asn{number});
  return all;
}

inline AsPath sequence(std::initializer_list<std::uint32_t> numbers) {
  return {{{AsPathSegment::Type::Sequence, asns(numbers)}}};
}

// gtest prints messages by their meaning.
inline void PrintTo(const Notification& notification, std::ostream* out) {
  *out << static_cast<unsigned>(notification.code) << "/" << static_cast<unsigned>(notification.subcode) << " with "
       << notification.data.size() << " octets of data: " << describe(notification);
}

}  // namespace bgp
