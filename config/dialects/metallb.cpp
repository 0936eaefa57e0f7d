// SPDX-License-Identifier: Apache-2.0
#include "config/dialects/metallb.hpp"

#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config::metallb {
namespace {

// One of the two timers follows from the other: a third, or three times.
void parse_timers(Cursor& spec, BGPPeer& peer) {
  const auto hold = spec.optional("holdTime", hold_time);
  peer.keepalive_time = parse_others_keepalive_time(spec);
  if (hold)
    peer.hold_time = *hold;
  else if (peer.keepalive_time)
    peer.hold_time = 3 * *peer.keepalive_time;
}

BGPPeer parse_peer(Cursor& in, Cursor& spec) {
  BGPPeer peer;
  peer.meta = parse_meta(in, NamespaceRule::Dropped);
  parse_shared_peer_spec(spec, peer);
  peer.ebgp_multi_hop = spec.optional("ebgpMultiHop", boolean, false);
  parse_timers(spec, peer);
  if (spec.value() != nullptr && !spec.has("myASN")) spec.problem("myASN", "is required");
  // MetalLB's Secrets lie beside its peers.
  if (peer.password_secret && peer.password_secret->namespace_name.empty())
    peer.password_secret->namespace_name =
        in.object("metadata").optional("namespace", object_name, std::string{"default"});
  return peer;
}

void own_family_only(BGPPeer& peer) {
  if (peer.peer_address.unspecified()) return;
  peer.families = {peer.peer_address.is_v4() ? AddressFamily::Ipv4Unicast : AddressFamily::Ipv6Unicast};
}

}  // namespace

IPAddressPool parse_ip_address_pool(Cursor in) {
  auto meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.required_object("spec");
  auto pool = parse_pool_spec(spec, std::move(meta));
  spec.no_other_keys();
  in.no_other_keys();
  return pool;
}

Community parse_community(Cursor in) {
  auto meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  auto community = parse_community_spec(spec, std::move(meta));
  spec.no_other_keys();
  in.no_other_keys();
  return community;
}

BGPAdvertisement parse_bgp_advertisement(Cursor in) {
  BGPAdvertisement advertisement;
  advertisement.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  parse_bgp_advertisement_spec(spec, advertisement);
  const auto local_pref = spec.optional("localPref", number<std::uint32_t>(), std::uint32_t{0});
  if (local_pref != 0) advertisement.local_pref = local_pref;
  spec.no_other_keys();
  in.no_other_keys();
  return advertisement;
}

L2Advertisement parse_l2_advertisement(Cursor in) {
  auto meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  auto advertisement = parse_l2_advertisement_spec(spec, std::move(meta));
  spec.no_other_keys();
  in.no_other_keys();
  return advertisement;
}

BFDProfile parse_bfd_profile(Cursor in) {
  BFDProfile profile;
  profile.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  parse_shared_bfd_spec(spec, profile);
  spec.no_other_keys();
  in.no_other_keys();
  return profile;
}

BGPPeer parse_bgp_peer_v1beta1(Cursor in) {
  auto spec = in.required_object("spec");
  auto peer = parse_peer(in, spec);
  own_family_only(peer);
  for (const auto* key : {"dynamicASN", "connectTime", "passwordSecret"})
    if (spec.has(key)) spec.problem(key, "is not a field of metallb.io/v1beta1; v1beta2 has it");
  spec.no_other_keys();
  in.no_other_keys();
  check_peer(spec, peer);
  return peer;
}

BGPPeer parse_bgp_peer_v1beta2(Cursor in) {
  auto spec = in.required_object("spec");
  auto peer = parse_peer(in, spec);
  if (!spec.optional("dualStackAddressFamily", boolean, false)) own_family_only(peer);
  parse_enable_graceful_restart(spec, peer);
  parse_peer_interface(spec, peer);
  spec.not_implemented_unless_zero({"vrf", "disableMP"});
  if (const auto local = spec.optional("localASN", number<std::uint32_t>()); local && *local != 0)
    peer.routes.local_asn = PeerRoutes::LocalAsn{Asn{*local}, false, false};
  spec.no_other_keys();
  in.no_other_keys();
  check_peer(spec, peer);
  return peer;
}

}  // namespace config::metallb
