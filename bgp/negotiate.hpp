// SPDX-License-Identifier: Apache-2.0
// The OPEN that a peer is sent, and what its OPEN means for the session (RFC 4271 sections 4.2 and 6.2,
// RFC 5492, RFC 6286, RFC 6793). Pure functions of configuration and message.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bgp/graceful_restart.hpp"
#include "bgp/peer_config.hpp"
#include "bgp/wire/message.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

// What both OPENs together say; fixed for the life of the session.
struct Negotiated {
  net::Asn peer_asn;
  net::RouterId peer_id;
  PeerType type = PeerType::External;
  net::Seconds hold_time{};       // 0: neither keepalives nor a hold timer
  net::Seconds keepalive_time{};  // 0 with it
  AsnWidth asn_width = AsnWidth::TwoOctets;
  Families families;
  bool route_refresh = false;
  bool enhanced_route_refresh = false;
  Families add_path_receive;                     // the peer's prefixes have path identifiers, RFC 7911
  Families add_path_send;                        // ours have
  std::size_t message_limit = max_message_size;  // both ways, but for OPEN and KEEPALIVE
  bool ipv4_over_ipv6 = false;                   // RFC 8950, both ways
  std::optional<Role> role;                      // RFC 9234: ours, where it holds
  bool role_confirmed = false;                   // the peer said the one that fits
  RestartTerms restart;
  Capabilities peer_offer;  // as received, for status
};

// What an OPEN offers. Bare: no capabilities, for an old peer that closed on seeing some (RFC 5492 section 3).
enum class Offer : std::uint8_t { Full, Bare };

[[nodiscard]] Open make_open(const PeerConfig& config, Offer offer, RestartState restart = {});
// The error is the NOTIFICATION to close with.
[[nodiscard]] Decoded<Negotiated> negotiate(const PeerConfig& config, Offer offer, const Open& received);
[[nodiscard]] net::Seconds keepalive_time(const PeerConfig& config, net::Seconds hold_time);
// How long a neighbour may take nothing of what is sent (RFC 9687 section 3); 0 where the hold time is.
[[nodiscard]] net::Seconds send_hold_time(net::Seconds hold_time);

}  // namespace bgp
