// SPDX-License-Identifier: Apache-2.0
// BGPPeer.
#include <charconv>

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

Checked<Seconds> stale_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    // RFC 9494 section 3.1: the field has 24 bits.
    if (time > Seconds{0xffffff}) return net::fail(must_be("at most 16777215s", value));
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

GracefulRestart parse_graceful_restart(Cursor in) {
  using Mode = GracefulRestart::Mode;
  GracefulRestart restart;
  restart.mode = in.optional("mode", choice<Mode>({{"off", Mode::Off}, {"helper", Mode::Helper}, {"full", Mode::Full}}),
                             restart.mode);
  restart.restart_time = in.optional("restartTime", restart_time, restart.restart_time);
  restart.stale_path_time = in.optional("stalePathTime", restart_time, restart.stale_path_time);
  restart.long_lived_stale_time = in.optional("longLivedStaleTime", stale_time, restart.long_lived_stale_time);
  restart.notification = in.optional("notification", boolean, restart.notification);
  in.no_other_keys();
  if (restart.mode == Mode::Off && restart.long_lived_stale_time > Seconds{0})
    in.problem("longLivedStaleTime", "must not be given together with mode off");
  return restart;
}

enum class MultiHop : std::uint8_t { No, Yes, IfExternal };
Checked<MultiHop> multi_hop(const Value& value) {
  if (value.type == Value::Type::Text && value.text == "auto") return MultiHop::IfExternal;
  const auto plain = boolean(value);
  if (!plain) return net::fail(must_be("true, false, or auto: true where the peer is external", value));
  return *plain ? MultiHop::Yes : MultiHop::No;
}

auto role_rule() {
  return choice<PeerRole>({{"provider", PeerRole::Provider},
                           {"rs", PeerRole::RouteServer},
                           {"rs-client", PeerRole::RouteServerClient},
                           {"customer", PeerRole::Customer},
                           {"peer", PeerRole::Peer}});
}

std::string_view print(PeerRole role) {
  switch (role) {
    case PeerRole::Provider:
      return "provider";
    case PeerRole::RouteServer:
      return "rs";
    case PeerRole::RouteServerClient:
      return "rs-client";
    case PeerRole::Customer:
      return "customer";
    case PeerRole::Peer:
      break;
  }
  return "peer";
}

// How the neighbour is found.
void check_place_of_peer(const Cursor& spec, const BGPPeer& peer) {
  unsigned ways = 0;
  for (const auto* key : {"listenRange", "peerSelectors"}) ways += spec.has(key) ? 1U : 0U;
  if (spec.has("peerAddress") || spec.has("interface")) ++ways;
  if (ways == 0) return spec.problem("peerAddress", "is required, or interface, listenRange or peerSelectors");
  const auto* extra = spec.has("listenRange") ? "listenRange" : "peerSelectors";
  if (spec.has("peerSelectors") && peer.peer_selectors.empty())
    spec.problem("peerSelectors", "must have at least one entry; {} selects every node");
  if (ways > 1) spec.problem(extra, "must not be given together with another way to find the neighbor");
  const bool known = !peer.peer_address.unspecified();
  if (known && peer.peer_address.is_v6() && peer.peer_address.link_local() && !spec.has("interface"))
    spec.problem("interface", "is required, because peerAddress is a link-local address");
  if (spec.has("maxDynamicPeers") && !spec.has("listenRange"))
    spec.problem("maxDynamicPeers", "must not be given without listenRange");
  const bool unnumbered = spec.has("interface") && !spec.has("peerAddress");
  if (unnumbered && (peer.ebgp_multi_hop || peer.source_address))
    spec.problem(peer.ebgp_multi_hop ? "ebgpMultiHop" : "sourceAddress",
                 "must not be given with interface alone: the neighbor is on the link");
  if (spec.has("listenRange") && peer.bfd_strict)
    spec.problem("bfdStrict", "must not be true together with listenRange: neighbors are known when they connect");
}

void check_role(const Cursor& spec, const BGPPeer& peer) {
  if (peer.role_strict && !peer.role) spec.problem("roleStrict", "must not be given without role");
  const bool internal = peer.dynamic_asn == DynamicAsn::Internal || (peer.my_asn && peer.my_asn == peer.peer_asn);
  if (peer.role && internal) spec.problem("role", "must not be given for an internal peer");
}

SecretRef parse_secret_name(Cursor& in) {
  SecretRef reference;
  reference.name = in.required("name", object_name);
  reference.namespace_name = in.optional("namespace", object_name, std::string{});
  return reference;
}

SecretRef parse_ao_secret(Cursor in) {
  auto reference = parse_secret_name(in);
  in.no_other_keys();
  return reference;
}

BGPPeer::TcpAo parse_tcp_ao(Cursor in) {
  using Algorithm = BGPPeer::TcpAo::Algorithm;
  BGPPeer::TcpAo ao;
  ao.secret = in.required("secret", parse_ao_secret);
  ao.algorithm = in.optional(
      "algorithm", choice<Algorithm>({{"hmac-sha-1-96", Algorithm::HmacSha1}, {"aes-128-cmac-96", Algorithm::AesCmac}}),
      ao.algorithm);
  in.no_other_keys();
  return ao;
}

std::string_view print(GracefulRestart::Mode mode) {
  switch (mode) {
    case GracefulRestart::Mode::Off:
      return "off";
    case GracefulRestart::Mode::Helper:
      return "helper";
    case GracefulRestart::Mode::Full:
      break;
  }
  return "full";
}

std::string_view print(AddressFamily family) {
  return family == AddressFamily::Ipv4Unicast ? "ipv4-unicast" : "ipv6-unicast";
}

}  // namespace

std::optional<std::uint8_t> key_number(const std::string& name) {
  std::uint8_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool canonical = name.size() == 1 || (!name.empty() && name.front() != '0');
  if (error != std::errc{} || end != name.data() + name.size() || !canonical) return std::nullopt;
  return number;
}

Checked<Seconds> hold_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    // RFC 4271 section 4.2; the field has 16 bits.
    if (time != Seconds{0} && time < Seconds{3})
      return net::fail("must be 0 or at least 3 s, got " + std::to_string(time.count()) + " s");
    if (time > Seconds{65535}) return net::fail("must be at most 65535 s, got " + std::to_string(time.count()) + " s");
    return time;
  });
}

std::optional<Seconds> parse_others_keepalive_time(Cursor& spec) {
  const auto time = spec.optional("keepaliveTime", [](const Value& value) -> Checked<Seconds> {
    return seconds(value) == Seconds{0} ? Seconds{0} : keepalive_time(value);
  });
  return time == Seconds{0} ? std::nullopt : time;
}

Checked<Seconds> restart_time(const Value& value) {
  return seconds(value).and_then([&](Seconds time) -> Checked<Seconds> {
    // RFC 4724 section 3: the field has twelve bits.
    if (time < Seconds{1} || time > Seconds{4095}) return net::fail(must_be("from 1s to 4095s", value));
    return time;
  });
}

void parse_enable_graceful_restart(Cursor& spec, BGPPeer& peer) {
  if (spec.optional("enableGracefulRestart", boolean, false)) peer.graceful_restart.mode = GracefulRestart::Mode::Full;
}

void parse_peer_interface(Cursor& spec, BGPPeer& peer) {
  peer.interface = spec.optional("interface", interface_name, std::string{});
}

SecretRef parse_secret_ref(Cursor in) {
  auto reference = parse_secret_name(in);
  reference.key = in.optional("key", word, reference.key);
  in.no_other_keys();
  return reference;
}

void parse_shared_peer_spec(Cursor& spec, BGPPeer& peer) {
  peer.my_asn = spec.optional("myASN", asn);
  peer.peer_asn = spec.optional("peerASN", asn);
  peer.dynamic_asn = spec.optional(
      "dynamicASN", choice<DynamicAsn>({{"internal", DynamicAsn::Internal}, {"external", DynamicAsn::External}}));
  peer.peer_address = spec.optional("peerAddress", host_ip, peer.peer_address);
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
  check_place_of_peer(spec, peer);
  check_role(spec, peer);
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
  if (spec.has("gracefulRestart") && spec.has("enableGracefulRestart"))
    spec.problem("enableGracefulRestart", "must not be given together with gracefulRestart: its mode says the same");
  parse_enable_graceful_restart(spec, peer);
  peer.graceful_restart = spec.optional("gracefulRestart", parse_graceful_restart, peer.graceful_restart);
  parse_peer_interface(spec, peer);
  peer.listen_range = spec.optional("listenRange", prefix);
  peer.max_dynamic_peers = spec.optional("maxDynamicPeers", number<std::uint32_t>(1, 10000), peer.max_dynamic_peers);
  peer.peer_selectors = parse_selectors(spec, "peerSelectors");
  peer.graceful_shutdown = spec.optional("gracefulShutdown", boolean, false);
  peer.honor_graceful_shutdown = spec.optional("honorGracefulShutdown", boolean, true);
  peer.role = spec.optional("role", role_rule());
  peer.role_strict = spec.optional("roleStrict", boolean, false);
  peer.tcp_ao = spec.optional("tcpAO", parse_tcp_ao);
  if (peer.tcp_ao && (peer.password || peer.password_secret))
    spec.problem("tcpAO", "must not be given together with a password: a connection is signed in one way");
  spec.not_implemented({"vrf", "disableMP", "dualStackAddressFamily", "peerSelector", "reachableBy",
                        "keepOriginalNextHop", "maxRestartTime"});
  spec.no_other_keys();
  in.no_other_keys();
  check_peer(spec, peer);
  return peer;
}

namespace {

json print_ref(const SecretRef& secret) {
  json out{{"name", secret.name}};
  if (!secret.namespace_name.empty()) out["namespace"] = secret.namespace_name;
  if (secret.key != SecretRef{}.key) out["key"] = secret.key;
  return out;
}

// Who the neighbour is and where it is found.
void print_neighbor(const BGPPeer& peer, json& spec) {
  if (peer.my_asn) spec["myASN"] = peer.my_asn->value;
  if (peer.peer_asn) spec["peerASN"] = peer.peer_asn->value;
  if (peer.dynamic_asn) spec["dynamicASN"] = peer.dynamic_asn == DynamicAsn::Internal ? "internal" : "external";
  if (!peer.peer_address.unspecified()) spec["peerAddress"] = net::print(peer.peer_address);
  if (!peer.interface.empty()) spec["interface"] = peer.interface;
  if (peer.listen_range) {
    spec["listenRange"] = net::print(*peer.listen_range);
    spec["maxDynamicPeers"] = peer.max_dynamic_peers;
  }
  if (!peer.peer_selectors.empty()) spec["peerSelectors"] = print(peer.peer_selectors);
  if (peer.role) spec["role"] = print(*peer.role);
  if (peer.role_strict) spec["roleStrict"] = true;
}

void print_security(const BGPPeer& peer, json& spec) {
  if (peer.ttl_security) spec["ttlSecurity"] = *peer.ttl_security;
  if (peer.password) spec["password"] = *peer.password;
  if (peer.password_secret) spec["passwordSecret"] = print_ref(*peer.password_secret);
  if (!peer.tcp_ao) return;
  const bool sha1 = peer.tcp_ao->algorithm == BGPPeer::TcpAo::Algorithm::HmacSha1;
  spec["tcpAO"] = {{"secret", print_ref(peer.tcp_ao->secret)},
                   {"algorithm", sha1 ? "hmac-sha-1-96" : "aes-128-cmac-96"}};
}

void print_graceful_restart(const GracefulRestart& restart, json& spec) {
  if (restart == GracefulRestart{}) return;
  spec["gracefulRestart"] = {{"mode", print(restart.mode)},
                             {"restartTime", config::print(restart.restart_time)},
                             {"stalePathTime", config::print(restart.stale_path_time)},
                             {"longLivedStaleTime", config::print(restart.long_lived_stale_time)},
                             {"notification", restart.notification}};
}

}  // namespace

json print(const BGPPeer& peer) {
  auto out = print_object("herald.dev/v1", "BGPPeer", peer.meta);
  auto& spec = out["spec"];
  print_neighbor(peer, spec);
  spec["peerPort"] = peer.peer_port;
  if (peer.source_address) spec["sourceAddress"] = net::print(*peer.source_address);
  if (peer.router_id) spec["routerID"] = net::print(*peer.router_id);
  spec["holdTime"] = print(peer.hold_time);
  if (peer.keepalive_time) spec["keepaliveTime"] = print(*peer.keepalive_time);
  spec["connectTime"] = print(peer.connect_time);
  spec["passive"] = peer.passive;
  spec["ebgpMultiHop"] = peer.ebgp_multi_hop;
  if (peer.multi_hop_if_external) spec["ebgpMultiHop"] = "auto";
  print_security(peer, spec);
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
  if (peer.graceful_shutdown) spec["gracefulShutdown"] = true;
  if (!peer.honor_graceful_shutdown) spec["honorGracefulShutdown"] = false;
  print_graceful_restart(peer.graceful_restart, spec);
  return out;
}

}  // namespace config
