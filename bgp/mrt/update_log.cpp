// SPDX-License-Identifier: Apache-2.0
#include "bgp/mrt/update_log.hpp"

#include <algorithm>

#include "bgp/wire/framing.hpp"

namespace bgp::mrt {
namespace {

// Of the established session; without one, as far as the configuration knows.
Ends ends_of(const Router& router, const NeighborConfig& neighbor, PeerId peer) {
  Ends ends;
  ends.peer = neighbor.session.address;
  ends.local = ends.peer.is_v4() ? net::IpAddress{net::Ipv4Address{}} : net::IpAddress{net::Ipv6Address{}};
  ends.peer_asn = neighbor.session.peer_asn.asn;
  ends.local_asn = neighbor.session.local_asn;
  const auto* session = router.session(peer);
  if (session == nullptr) return ends;
  const auto& transport = session->transport();
  ends.peer = transport.remote;
  ends.local = transport.local;
  ends.peer_asn = session->negotiated()->peer_asn;
  ends.width = session->negotiated()->asn_width;
  ends.interface = static_cast<std::uint16_t>(transport.interface_index);
  return ends;
}

// A record says it for all prefixes of the message; with one family with and one without, for those that are there.
bool has_path_ids(const Negotiated& agreed, const Update* update) {
  const auto ids = agreed.add_path_receive;
  if (update == nullptr) return ids.ipv4 || ids.ipv6;
  const auto with = [](const NlriRun& run) { return run.path_ids; };
  return std::any_of(update->withdrawn.begin(), update->withdrawn.end(), with) ||
         std::any_of(update->reachable.begin(), update->reachable.end(), with);
}

}  // namespace

void UpdateLog::moved(PeerId peer, State from, State to) {
  const auto* neighbor = router_.neighbor(peer);
  if (neighbor == nullptr) return;
  auto ends = ends_of(router_, *neighbor, peer);
  ends.width = AsnWidth::FourOctets;
  encode(make_record(now_, StateChange{ends, number_of(from), number_of(to)}), out_);
  ++records_;
}

void UpdateLog::received(PeerId peer, std::span<const std::uint8_t> body, const Update* update) {
  const auto* neighbor = router_.neighbor(peer);
  const auto* session = router_.session(peer);
  if (neighbor == nullptr || session == nullptr) return;
  BgpMessage record{ends_of(router_, *neighbor, peer), false, has_path_ids(*session->negotiated(), update),
                    whole_message(MessageType::Update, body)};
  encode(make_record(now_, std::move(record)), out_);
  ++records_;
}

}  // namespace bgp::mrt
