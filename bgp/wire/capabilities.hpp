// SPDX-License-Identifier: Apache-2.0
// Values of the capabilities that are more than a flag, and their bytes. Which capabilities an OPEN holds is
// in message.hpp; what two OPENs together mean is in bgp/negotiate.hpp.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/reader.hpp"
#include "net/time.hpp"
#include "net/writer.hpp"

namespace bgp {

// Their codes.
namespace capability {
inline constexpr std::uint8_t extended_next_hop = 5;
inline constexpr std::uint8_t role = 9;
inline constexpr std::uint8_t graceful_restart = 64;
inline constexpr std::uint8_t long_lived = 71;
}  // namespace capability

// IANA address family and subsequent address family numbers.
struct AfiSafi {
  std::uint16_t afi{};
  std::uint8_t safi{};
  friend constexpr auto operator<=>(AfiSafi, AfiSafi) = default;
};

// RFC 4724 section 3, and the N bit of RFC 8538 section 2.
struct GracefulRestartCapability {
  struct Family {
    AfiSafi family;
    bool forwarding = false;  // F: the forwarding state outlived the restart
    friend bool operator==(const Family&, const Family&) = default;
  };
  bool restarting = false;    // R: the speaker has restarted
  bool notification = false;  // N: a NOTIFICATION that is no hard reset keeps routes as well
  net::Seconds time{};        // until it is back, 0..4095
  std::vector<Family> families;
  friend bool operator==(const GracefulRestartCapability&, const GracefulRestartCapability&) = default;
};
inline constexpr net::Seconds longest_restart_time{4095};

// RFC 9494 section 3.1.
struct LongLivedFamily {
  AfiSafi family;
  bool forwarding = false;
  net::Seconds stale_time{};  // 24 bits
  friend bool operator==(const LongLivedFamily&, const LongLivedFamily&) = default;
};
inline constexpr net::Seconds longest_stale_time{0xffffff};

// RFC 8950 section 3: prefixes of the family may have next hops of another address family.
struct ExtendedNextHop {
  AfiSafi family;
  std::uint16_t next_hop_afi{};
  friend bool operator==(const ExtendedNextHop&, const ExtendedNextHop&) = default;
};

// RFC 9234 section 4.1: what the sender is to the receiver.
enum class Role : std::uint8_t { Provider = 0, RouteServer = 1, RouteServerClient = 2, Customer = 3, Peer = 4 };
[[nodiscard]] std::string_view print(Role role);  // "provider", "rs", "rs-client", "customer", "peer"
// Where this router is that to a neighbour (section 5): what it hears there goes to customers only, and what it says
// there must not come back from below.
[[nodiscard]] constexpr bool from_above(Role ours) {
  return ours == Role::Customer || ours == Role::Peer || ours == Role::RouteServerClient;
}
[[nodiscard]] constexpr bool to_below(Role ours) {
  return ours == Role::Provider || ours == Role::Peer || ours == Role::RouteServer;
}
// The two go together (section 4.2, table 2).
[[nodiscard]] bool fits(Role ours, std::uint8_t theirs);

// Each reads the whole value of one capability. False: its length is not what its specification says.
[[nodiscard]] bool decode(net::Reader value, GracefulRestartCapability& out);
[[nodiscard]] bool decode(net::Reader value, std::vector<LongLivedFamily>& out);
[[nodiscard]] bool decode(net::Reader value, std::vector<ExtendedNextHop>& out);  // adds to `out`

// Code, length and value.
void encode_capability(const GracefulRestartCapability& capability, net::Writer& out);
void encode_capability(const std::vector<LongLivedFamily>& families, net::Writer& out);
void encode_capability(const std::vector<ExtendedNextHop>& next_hops, net::Writer& out);
void encode_role(std::uint8_t role, net::Writer& out);

}  // namespace bgp
