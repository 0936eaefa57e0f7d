// SPDX-License-Identifier: Apache-2.0
// BGPPeer.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;
using Seconds = std::chrono::seconds;

constexpr std::size_t longest_password = 80;  // TCP_MD5SIG_MAXKEYLEN
constexpr std::size_t longest_message = 255;  // RFC 9003 section 2

auto family_rule() {
  return choice<AddressFamily>(
      {{"ipv4-unicast", AddressFamily::Ipv4Unicast}, {"ipv6-unicast", AddressFamily::Ipv6Unicast}});
}

Checked<Seconds> keepalive_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    if (time < Seconds{1} || time > Seconds{21845}) return net::fail(must_be("from 1s to 21845s", value));
    return time;
  });
}

Checked<Seconds> connect_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    if (time < Seconds{1} || time > Seconds{65535}) return net::fail(must_be("from 1s to 65535s", value));
    return time;
  });
}

Checked<Seconds> bfd_hold_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    if (time < Seconds{1} || time > Seconds{65535}) return net::fail(must_be("from 1s to 65535s", value));
    return time;
  });
}

Checked<std::string> password(const Value& value) {
  auto result = text(value);
  if (!result) return net::fail(std::string{"must be text; write it in quotes"});  // and never shown
  if (result->empty()) return net::fail(std::string{"must not be empty"});
  if (result->size() > longest_password)
    return net::fail("must be at most " + std::to_string(longest_password) + " octets, has " +
                     std::to_string(result->size()));
  return result;
}

Checked<std::string> shutdown_message(const Value& value) {
  auto result = text(value);
  if (result && result->size() > longest_message)
    return net::fail("must be at most " + std::to_string(longest_message) + " octets, has " +
                     std::to_string(result->size()));
  return result;
}

enum class MultiHop : std::uint8_t { No, Yes, IfExternal };
Checked<MultiHop> multi_hop(const Value& value) {
  if (value.type == Value::Type::Text && value.text == "auto") return MultiHop::IfExternal;
  const auto plain = boolean(value);
  if (!plain) return net::fail(must_be("true, false, or auto: true where the peer is external", value));
  return *plain ? MultiHop::Yes : MultiHop::No;
}

std::string_view print(AddressFamily family) {
  return family == AddressFamily::Ipv4Unicast ? "ipv4-unicast" : "ipv6-unicast";
}

}  // namespace

Checked<Seconds> hold_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    // RFC 4271 section 4.2; the field has 16 bits.
    if (time != Seconds{0} && time < Seconds{3})
      return net::fail("must be 0 or at least 3 s, got " + std::to_string(time.count()) + " s");
    if (time > Seconds{65535}) return net::fail("must be at most 65535 s, got " + std::to_string(time.count()) + " s");
    return time;
  });
}

SecretRef parse_secret_ref(Cursor in) {
  SecretRef reference;
  reference.name = in.required("name", object_name);
  reference.namespace_name = in.optional("namespace", object_name, std::string{});
  reference.key = in.optional("key", word, reference.key);
  in.no_other_keys();
  return reference;
}

void parse_shared_peer_spec(Cursor& spec, BGPPeer& peer) {
  peer.my_asn = spec.optional("myASN", asn);
  peer.peer_asn = spec.optional("peerASN", asn);
  peer.dynamic_asn = spec.optional(
      "dynamicASN", choice<DynamicAsn>({{"internal", DynamicAsn::Internal}, {"external", DynamicAsn::External}}));
  peer.peer_address = spec.required("peerAddress", host_ip);
  peer.peer_port = spec.optional("peerPort", number<std::uint16_t>(1), peer.peer_port);
  peer.source_address = spec.optional("sourceAddress", host_ip);
  peer.router_id = spec.optional("routerID", router_id);
  peer.connect_time = spec.optional("connectTime", connect_time, peer.connect_time);
  peer.password = spec.optional("password", password);
  peer.password_secret = spec.optional("passwordSecret", parse_secret_ref);
  peer.bfd_profile = spec.optional("bfdProfile", text);
  if (peer.bfd_profile && peer.bfd_profile->empty()) peer.bfd_profile.reset();  // as Go writes that there is none
  peer.node_selectors = parse_selectors(spec, "nodeSelectors");
}

void check_peer(const Cursor& spec, const BGPPeer& peer) {
  if (spec.has("peerASN") && spec.has("dynamicASN"))
    spec.problem("dynamicASN", "must not be given together with peerASN");
  if (!spec.has("peerASN") && !spec.has("dynamicASN")) spec.problem("peerASN", "is required, or dynamicASN");
  if (peer.password && peer.password_secret) spec.problem("passwordSecret", "must not be given together with password");
  const bool has_address = !peer.peer_address.unspecified();  // false when it could not be read
  if (peer.source_address && has_address && peer.source_address->family() != peer.peer_address.family())
    spec.problem("sourceAddress", "must be of the same family as peerAddress, got " + net::print(*peer.source_address) +
                                      " and " + net::print(peer.peer_address));
  if (peer.keepalive_time && *peer.keepalive_time > peer.hold_time)
    spec.problem("keepaliveTime",
                 "must not be above holdTime (" + print(peer.hold_time) + "), got " + print(*peer.keepalive_time));
  if (peer.bfd_strict && !peer.bfd_profile) spec.problem("bfdStrict", "needs bfdProfile");
  if (peer.bfd_hold_time && !peer.bfd_strict) spec.problem("bfdHoldTime", "needs bfdStrict");
  const bool internal = peer.dynamic_asn == DynamicAsn::Internal || (peer.my_asn && peer.my_asn == peer.peer_asn);
  if (peer.ebgp_multi_hop && internal) spec.problem("ebgpMultiHop", "must be false for an internal peer");
  if ((peer.ebgp_multi_hop || peer.multi_hop_if_external) && peer.ttl_security)
    spec.problem("ttlSecurity", "must not be given together with ebgpMultiHop: it says the distance itself");
}

BGPPeer parse_bgp_peer(Cursor in) {
  BGPPeer peer;
  peer.meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.required_object("spec");
  parse_shared_peer_spec(spec, peer);
  peer.hold_time = spec.optional("holdTime", hold_time, peer.hold_time);
  peer.keepalive_time = spec.optional("keepaliveTime", keepalive_time);
  peer.passive = spec.optional("passive", boolean, false);
  if (const auto many = spec.optional("ebgpMultiHop", multi_hop)) {
    peer.ebgp_multi_hop = *many == MultiHop::Yes;
    peer.multi_hop_if_external = *many == MultiHop::IfExternal;
  }
  peer.ttl_security = spec.optional("ttlSecurity", number<std::uint8_t>(1, 254));
  peer.bfd_strict = spec.optional("bfdStrict", boolean, false);
  peer.bfd_hold_time = spec.optional("bfdHoldTime", bfd_hold_time);
  if (const auto families = spec.non_empty_list("families", family_rule())) {
    peer.families = *families;
    refuse_repeats(spec, "families", *families, [](AddressFamily family) { return std::string{print(family)}; });
  }
  peer.import_filters = parse_optional_names(spec, "import");
  peer.export_filters = parse_optional_names(spec, "export");
  peer.max_prefixes = spec.optional("maxPrefixes", number<std::uint32_t>(), peer.max_prefixes);
  peer.routes = parse_peer_routes(spec);
  peer.shutdown = spec.optional("shutdown", boolean, false);
  peer.shutdown_message = spec.optional("shutdownMessage", shutdown_message, std::string{});
  peer.description = spec.optional("description", text, std::string{});
  spec.not_implemented({"interface", "vrf", "enableGracefulRestart", "disableMP", "dualStackAddressFamily",
                        "listenRange", "peerSelector", "gracefulRestart", "reachableBy", "keepOriginalNextHop",
                        "maxRestartTime", "tcpAO"});
  spec.no_other_keys();
  in.no_other_keys();
  check_peer(spec, peer);
  return peer;
}

json print(const BGPPeer& peer) {
  auto out = print_object("herald.dev/v1", "BGPPeer", peer.meta);
  auto& spec = out["spec"];
  if (peer.my_asn) spec["myASN"] = peer.my_asn->value;
  if (peer.peer_asn) spec["peerASN"] = peer.peer_asn->value;
  if (peer.dynamic_asn) spec["dynamicASN"] = peer.dynamic_asn == DynamicAsn::Internal ? "internal" : "external";
  spec["peerAddress"] = net::print(peer.peer_address);
  spec["peerPort"] = peer.peer_port;
  if (peer.source_address) spec["sourceAddress"] = net::print(*peer.source_address);
  if (peer.router_id) spec["routerID"] = net::print(*peer.router_id);
  spec["holdTime"] = print(peer.hold_time);
  if (peer.keepalive_time) spec["keepaliveTime"] = print(*peer.keepalive_time);
  spec["connectTime"] = print(peer.connect_time);
  spec["passive"] = peer.passive;
  spec["ebgpMultiHop"] = peer.ebgp_multi_hop;
  if (peer.multi_hop_if_external) spec["ebgpMultiHop"] = "auto";
  if (peer.ttl_security) spec["ttlSecurity"] = *peer.ttl_security;
  if (peer.password) spec["password"] = *peer.password;
  if (peer.password_secret) {
    spec["passwordSecret"]["name"] = peer.password_secret->name;
    if (!peer.password_secret->namespace_name.empty())
      spec["passwordSecret"]["namespace"] = peer.password_secret->namespace_name;
    if (peer.password_secret->key != SecretRef{}.key) spec["passwordSecret"]["key"] = peer.password_secret->key;
  }
  if (peer.bfd_profile) spec["bfdProfile"] = *peer.bfd_profile;
  if (peer.bfd_strict) spec["bfdStrict"] = true;
  if (peer.bfd_hold_time) spec["bfdHoldTime"] = print(*peer.bfd_hold_time);
  for (const auto family : peer.families) spec["families"].push_back(print(family));
  if (!peer.node_selectors.empty()) spec["nodeSelectors"] = print(peer.node_selectors);
  if (peer.import_filters) spec["import"] = *peer.import_filters;
  if (peer.export_filters) spec["export"] = *peer.export_filters;
  spec["maxPrefixes"] = peer.max_prefixes;
  print_peer_routes(peer.routes, spec);
  spec["shutdown"] = peer.shutdown;
  if (!peer.shutdown_message.empty()) spec["shutdownMessage"] = peer.shutdown_message;
  if (!peer.description.empty()) spec["description"] = peer.description;
  return out;
}

}  // namespace config
