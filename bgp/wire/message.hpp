// SPDX-License-Identifier: Apache-2.0
// BGP messages but UPDATE as values, and the header (RFC 4271 section 4, RFC 5492, RFC 2918, RFC 7313).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bgp/wire/capabilities.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"
#include "net/result.hpp"
#include "net/time.hpp"

namespace bgp {

enum class MessageType : std::uint8_t { Open = 1, Update = 2, Notification = 3, Keepalive = 4, RouteRefresh = 5 };

inline constexpr std::size_t header_size = 19;
inline constexpr std::size_t max_message_size = 4096;
inline constexpr std::size_t max_extended_message_size = 65535;  // RFC 8654

// A NOTIFICATION message, and the error type of every decoder: what went wrong is what we send back.
struct Notification {
  std::uint8_t code{};
  std::uint8_t subcode{};
  std::vector<std::uint8_t> data;
  friend bool operator==(const Notification&, const Notification&) = default;
};

template <class Value>
using Decoded = net::Result<Value, Notification>;

inline constexpr AfiSafi ipv4_unicast{1, 1};
inline constexpr AfiSafi ipv6_unicast{2, 1};
[[nodiscard]] constexpr AfiSafi unicast(net::Family family) {
  return family == net::Family::Ipv4 ? ipv4_unicast : ipv6_unicast;
}
// The unicast family that the pair names, if it is one.
[[nodiscard]] constexpr std::optional<net::Family> unicast_family(AfiSafi pair) {
  if (pair == ipv4_unicast) return net::Family::Ipv4;
  if (pair == ipv6_unicast) return net::Family::Ipv6;
  return std::nullopt;
}

// Which of the two unicast families; what configuration asks for and what a session negotiated.
struct Families {
  bool ipv4 = false;
  bool ipv6 = false;
  [[nodiscard]] constexpr bool has(net::Family family) const { return family == net::Family::Ipv4 ? ipv4 : ipv6; }
  [[nodiscard]] constexpr bool none() const { return !ipv4 && !ipv6; }
  friend constexpr bool operator==(Families, Families) = default;
};

[[nodiscard]] inline std::vector<AfiSafi> pairs(Families families) {
  std::vector<AfiSafi> list;
  if (families.ipv4) list.push_back(ipv4_unicast);
  if (families.ipv6) list.push_back(ipv6_unicast);
  return list;
}

// RFC 7911 section 4: what a speaker can do with path identifiers in a family.
struct AddPathFamily {
  AfiSafi family;
  bool receive = false;
  bool send = false;
  friend bool operator==(const AddPathFamily&, const AddPathFamily&) = default;
};

struct RawCapability {
  std::uint8_t code{};
  std::vector<std::uint8_t> value;
  friend bool operator==(const RawCapability&, const RawCapability&) = default;
};

// What an OPEN offers. Capabilities that this speaker does not know are kept in `unknown`.
struct Capabilities {
  std::vector<AfiSafi> multiprotocol;                         // RFC 4760
  bool route_refresh = false;                                 // RFC 2918
  bool enhanced_route_refresh = false;                        // RFC 7313
  bool extended_message = false;                              // RFC 8654
  std::optional<net::Asn> four_octet_asn;                     // RFC 6793
  std::vector<AddPathFamily> add_path;                        // RFC 7911
  std::vector<ExtendedNextHop> extended_next_hop;             // RFC 8950
  std::vector<std::uint8_t> roles;                            // RFC 9234; several different ones are an error
  std::optional<GracefulRestartCapability> graceful_restart;  // RFC 4724
  std::optional<std::vector<LongLivedFamily>> long_lived;     // RFC 9494
  std::vector<RawCapability> unknown;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

struct Open {
  std::uint8_t version = 4;
  net::Asn asn;  // the two-octet field: AS_TRANS where the number needs four
  net::Seconds hold_time{};
  net::RouterId id;
  Capabilities capabilities;
  // The real AS number: the capability's where there is one.
  [[nodiscard]] net::Asn real_asn() const { return capabilities.four_octet_asn.value_or(asn); }
  friend bool operator==(const Open&, const Open&) = default;
};

// RFC 7313 section 3.2. Unknown stands for every subtype that is not defined: such a message is ignored (section 5).
enum class RefreshKind : std::uint8_t { Request = 0, BeginOfRefresh = 1, EndOfRefresh = 2, Unknown = 255 };
struct RouteRefresh {
  AfiSafi family;
  RefreshKind kind = RefreshKind::Request;
  friend bool operator==(const RouteRefresh&, const RouteRefresh&) = default;
};

struct Header {
  MessageType type{};
  std::size_t length{};  // of the whole message
};

// The header at the front of `bytes`, which holds 19 bytes at least. `limit` is 4096, or 65535 when
// extended messages were negotiated (never for OPEN and KEEPALIVE). Errors: RFC 4271 section 6.1.
[[nodiscard]] Decoded<Header> decode_header(std::span<const std::uint8_t> bytes, std::size_t limit);

// Bodies: what follows the 19 bytes of the header. Errors: RFC 4271 sections 6.2 and 6.4, RFC 7313 section 5.
[[nodiscard]] Decoded<Open> decode_open(std::span<const std::uint8_t> body);
[[nodiscard]] Decoded<RouteRefresh> decode_route_refresh(std::span<const std::uint8_t> body);
// Never fails: a malformed NOTIFICATION is not answered (RFC 4271 section 6.4).
[[nodiscard]] Notification decode_notification(std::span<const std::uint8_t> body);

// Whole messages, header included.
[[nodiscard]] std::vector<std::uint8_t> encode(const Open& open);
[[nodiscard]] std::vector<std::uint8_t> encode(const Notification& notification);
[[nodiscard]] std::vector<std::uint8_t> encode(const RouteRefresh& refresh);
[[nodiscard]] std::vector<std::uint8_t> encode_keepalive();

// For logs and status: "Cease/Administrative Shutdown: rack 4 maintenance", "Hold Timer Expired",
// "OPEN Message Error/Bad Peer AS" (RFC 4271, 4486, 6608, 9003 shutdown communication).
[[nodiscard]] std::string describe(const Notification& notification);

}  // namespace bgp
