// SPDX-License-Identifier: Apache-2.0
#include "bgp/negotiate.hpp"

#include <algorithm>

#include "bgp/wire/notification.hpp"
#include "net/writer.hpp"

namespace bgp {

namespace {

constexpr std::uint8_t multiprotocol_capability = 1;

// IPv4 unicast needs no capability: it is what a peer that offers no family means (RFC 4760 section 8).
Families offered_families(const Capabilities& capabilities) {
  if (capabilities.multiprotocol.empty()) return {.ipv4 = true, .ipv6 = false};
  Families families;
  for (const auto pair : capabilities.multiprotocol) {
    families.ipv4 = families.ipv4 || pair == ipv4_unicast;
    families.ipv6 = families.ipv6 || pair == ipv6_unicast;
  }
  return families;
}

// RFC 5492 section 5: the data lists the capabilities that the peer lacks, encoded as in an OPEN.
Notification no_common_family(Families wanted) {
  auto error = open_error(OpenError::UnsupportedCapability);
  net::Writer data{error.data};
  for (const auto pair : pairs(wanted)) {
    data.u8(multiprotocol_capability);
    const auto length = data.length_field_u8();
    data.u16(pair.afi);
    data.u8(0);
    data.u8(pair.safi);
  }
  return error;
}

constexpr ExtendedNextHop ipv4_with_ipv6{ipv4_unicast, ipv6_unicast.afi};

// RFC 9234 section 4.2.
bool roles_fit(const PeerConfig& config, const Capabilities& theirs) {
  if (theirs.roles.empty()) return !config.role_required;
  return theirs.roles.size() == 1 && fits(*config.role, theirs.roles.front());
}

bool as_expected(const PeerConfig& config, net::Asn asn) {
  if (asn == net::Asn{0}) return false;  // RFC 7607
  switch (config.peer_asn.kind) {
    case ExpectedAsn::Kind::Exactly:
      return asn == config.peer_asn.asn;
    case ExpectedAsn::Kind::Internal:
      return asn == config.local_asn;
    case ExpectedAsn::Kind::External:
      return asn != config.local_asn;
  }
  return false;
}

// RFC 7911 section 4: where one side offers to send and the other to receive.
void agree_on_add_path(const Capabilities& ours, const Capabilities& theirs, Negotiated& agreed) {
  for (const auto& mine : ours.add_path) {
    for (const auto& other : theirs.add_path) {
      const auto family = unicast_family(mine.family);
      if (mine.family != other.family || !family || !agreed.families.has(*family)) continue;
      auto& receive = *family == net::Family::Ipv4 ? agreed.add_path_receive.ipv4 : agreed.add_path_receive.ipv6;
      auto& send = *family == net::Family::Ipv4 ? agreed.add_path_send.ipv4 : agreed.add_path_send.ipv6;
      receive = mine.receive && other.send;
      send = mine.send && other.receive;
    }
  }
}

// What follows from both sides' capabilities, once a session may be.
void agree_on_capabilities(const PeerConfig& config, const Capabilities& ours, const Capabilities& theirs,
                           Negotiated& agreed) {
  if (ours.four_octet_asn && theirs.four_octet_asn) agreed.asn_width = AsnWidth::FourOctets;
  agreed.route_refresh = ours.route_refresh && theirs.route_refresh;
  agreed.enhanced_route_refresh = agreed.route_refresh && ours.enhanced_route_refresh && theirs.enhanced_route_refresh;
  if (ours.extended_message && theirs.extended_message) agreed.message_limit = max_extended_message_size;
  const auto& hops = theirs.extended_next_hop;
  agreed.ipv4_over_ipv6 =
      !ours.extended_next_hop.empty() && std::find(hops.begin(), hops.end(), ipv4_with_ipv6) != hops.end();
  if (ours.graceful_restart) agreed.restart = agree_on_restart(config.graceful_restart, agreed.families, theirs);
  agree_on_add_path(ours, theirs, agreed);
  agreed.peer_offer = theirs;
}

}  // namespace

Open make_open(const PeerConfig& config, Offer offer, RestartState restart) {
  Open open;
  open.asn = config.local_asn.four_octet() ? net::as_trans : config.local_asn;
  open.hold_time = config.hold_time;
  open.id = config.router_id;
  if (offer == Offer::Bare) return open;
  open.capabilities.multiprotocol = pairs(config.families);
  open.capabilities.route_refresh = true;
  open.capabilities.enhanced_route_refresh = true;
  if (config.ipv4_over_ipv6 && config.families.ipv4) open.capabilities.extended_next_hop = {ipv4_with_ipv6};
  open.capabilities.extended_message = config.extended_messages;
  if (config.role) open.capabilities.roles = {static_cast<std::uint8_t>(*config.role)};
  open.capabilities.four_octet_asn = config.local_asn;
  open.capabilities.graceful_restart = offer_graceful_restart(config.graceful_restart, config.families, restart);
  open.capabilities.long_lived = offer_long_lived(config.graceful_restart, config.families, restart);
  if (config.add_path.receive || config.add_path.send > 0) {
    for (const auto pair : pairs(config.families))
      open.capabilities.add_path.push_back({pair, config.add_path.receive, config.add_path.send > 0});
  }
  return open;
}

Decoded<Negotiated> negotiate(const PeerConfig& config, Offer offer, const Open& received) {
  const auto& theirs = received.capabilities;
  const auto ours = make_open(config, offer).capabilities;
  const auto asn = received.real_asn();
  if (!as_expected(config, asn)) return net::fail(open_error(OpenError::BadPeerAs));

  const auto outside = config.confederation ? PeerType::Confederation : PeerType::External;
  const auto type = asn == config.local_asn ? PeerType::Internal : outside;
  // RFC 6286 section 2.2: identifiers are unique within an AS, not beyond.
  if (type == PeerType::Internal && received.id == config.router_id) {
    return net::fail(open_error(OpenError::BadIdentifier));
  }
  if (received.hold_time > net::Seconds{0} && received.hold_time < net::Seconds{3}) {
    return net::fail(open_error(OpenError::UnacceptableHoldTime));
  }

  const bool has_role = config.role && type == PeerType::External;
  if (has_role && !roles_fit(config, theirs)) return net::fail(open_error(OpenError::RoleMismatch));

  const auto wanted = offer == Offer::Bare ? Families{config.families.ipv4, false} : config.families;
  const auto offered = offered_families(theirs);
  const Families common{wanted.ipv4 && offered.ipv4, wanted.ipv6 && offered.ipv6};
  if (common.none()) return net::fail(no_common_family(config.families));

  Negotiated agreed;
  agreed.peer_asn = asn;
  agreed.peer_id = received.id;
  agreed.type = type;
  agreed.hold_time = std::min(config.hold_time, received.hold_time);
  agreed.keepalive_time = keepalive_time(config, agreed.hold_time);
  agreed.families = common;
  if (has_role) agreed.role = config.role;
  agreed.role_confirmed = has_role && !theirs.roles.empty();
  agree_on_capabilities(config, ours, theirs, agreed);
  return agreed;
}

net::Seconds keepalive_time(const PeerConfig& config, net::Seconds hold_time) {
  if (hold_time == net::Seconds{0}) return net::Seconds{0};
  const auto third = std::max(hold_time / 3, net::Seconds{1});
  return config.keepalive_time ? std::clamp(*config.keepalive_time, net::Seconds{1}, third) : third;
}

net::Seconds send_hold_time(net::Seconds hold_time) {
  constexpr net::Seconds shortest{8 * 60};
  return hold_time == net::Seconds{0} ? hold_time : std::max(shortest, 2 * hold_time);
}

}  // namespace bgp
