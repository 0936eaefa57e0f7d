// SPDX-License-Identifier: Apache-2.0
// BGPPeer, BGPConfiguration, IPPool and Node; BGPFilter is in calico_filter.cpp.
#include "config/dialects/calico.hpp"

#include <algorithm>
#include <charconv>

#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config::calico {
namespace {

constexpr Asn default_asn{64512};
constexpr std::uint32_t default_priority = 1024;

// Calico writes numbers, and "1.10" for four octets.
Checked<Asn> as_number(const Value& value) {
  if (value.type == Value::Type::Text)
    if (const auto parsed = net::parse_asn(value.text); parsed && parsed->value != 0) return *parsed;
  return asn(value);
}

struct PeerIp {
  net::IpAddress address;
  std::uint16_t port = 179;
};

// "10.0.0.1", "10.0.0.1:1790", "2001:db8::1", "[2001:db8::1]:1790".
Checked<PeerIp> peer_ip(const Value& value) {
  std::string_view host = value.text;
  std::string_view port;
  if (host.starts_with('[')) {
    const auto end = host.find("]:");
    if (end != std::string_view::npos) {
      port = host.substr(end + 2);
      host = host.substr(1, end - 1);
    }
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos && colon == host.rfind(':')) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  PeerIp result;
  const auto address = value.type == Value::Type::Text ? net::parse_ip(host) : std::nullopt;
  bool valid = address && !address->unspecified() && !address->multicast();
  if (host.data() + host.size() != value.text.data() + value.text.size()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    valid = valid && error == std::errc{} && end == port.data() + port.size() && result.port != 0;
  }
  if (!valid) return net::fail(must_be("an address, or an address and a port such as 10.0.0.1:179", value));
  result.address = *address;
  return result;
}

Checked<std::vector<LabelSelector>> selector(const Value& value) {
  const auto words = text(value);
  if (!words) return net::fail(words.error());
  return parse_selector(*words);
}

SecretRef parse_key_ref(Cursor in) {
  SecretRef reference;
  reference.name = in.required("name", object_name);
  reference.key = in.required("key", word);
  reference.namespace_name = "calico-system";  // where Calico's nodes may read it
  in.ignore({"optional"});
  in.no_other_keys();
  return reference;
}

SecretRef parse_password(Cursor in) {
  auto reference = in.required("secretKeyRef", parse_key_ref);
  in.no_other_keys();
  return reference;
}

// Which nodes have the session: one by name, those that a selector matches, or all.
std::vector<LabelSelector> parse_nodes(Cursor& spec) {
  const auto node = spec.optional("node", object_name);
  const auto selectors = spec.optional("nodeSelector", selector);
  if (node && selectors) spec.problem("nodeSelector", "must not be given together with node");
  if (node && !is_label_value(*node)) spec.problem("node", "must have at most 63 characters, as a label has");
  if (node) return {{{{"kubernetes.io/hostname", *node}}, {}}};
  return selectors.value_or(std::vector<LabelSelector>{});
}

std::vector<std::string> followed_by(std::vector<std::string> filters, const char* last) {
  if (std::ranges::count(filters, last) == 0) filters.emplace_back(last);
  return filters;
}

PeerRoutes parse_routes(Cursor& spec) {
  PeerRoutes routes;
  if (const auto local = spec.optional("localASNumber", as_number)) routes.local_asn = {*local, false, false};
  routes.allowed_own_asns =
      spec.optional("numAllowedLocalASNumbers", number<std::uint8_t>(0, 10), routes.allowed_own_asns);
  const auto mode = spec.optional(
      "nextHopMode",
      choice<NextHopMode>({{"Auto", NextHopMode::Auto}, {"Self", NextHopMode::Self}, {"Keep", NextHopMode::Keep}}));
  const bool keep = spec.optional("keepOriginalNextHop", boolean, false);
  if (mode && keep) spec.problem("keepOriginalNextHop", "must not be given together with nextHopMode");
  routes.next_hop_mode = mode.value_or(keep ? NextHopMode::Keep : NextHopMode::Auto);
  return routes;
}

// Of Calico's two daemons each has the sessions and the routes of its family; between nodes, one session has both.
void parse_target(Cursor& spec, BGPPeer& peer) {
  if (const auto nodes = spec.optional("peerSelector", selector)) {
    peer.peer_selectors = nodes->empty() ? std::vector{LabelSelector{}} : *nodes;
    peer.dynamic_asn = DynamicAsn::Internal;
    for (const auto* key : {"peerIP", "asNumber"})
      if (spec.has(key)) spec.problem(key, "must not be given together with peerSelector");
    return;
  }
  const auto target = spec.required("peerIP", peer_ip);
  peer.peer_address = target.address;
  peer.peer_port = target.port;
  if (target.address.is_v6() && target.address.link_local())
    spec.problem("peerIP",
                 "must not be a link-local address: no field says on which link; herald.dev/v1 has interface");
  peer.peer_asn = spec.required("asNumber", as_number);
  peer.families = {peer.peer_address.is_v4() ? AddressFamily::Ipv4Unicast : AddressFamily::Ipv6Unicast};
}

void refuse(Cursor& spec, std::string_view key, std::string why) {
  if (spec.has(key)) spec.problem(key, std::move(why));
}

}  // namespace

BGPPeer parse_bgp_peer(Cursor in) {
  BGPPeer peer;
  peer.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.required_object("spec");
  refuse(spec, "localWorkloadSelector", "is not implemented by Herald");
  if (!spec.has("localWorkloadSelector")) parse_target(spec, peer);
  peer.node_selectors = parse_nodes(spec);
  peer.password_secret = spec.optional("password", parse_password);
  peer.keepalive_time = parse_others_keepalive_time(spec);
  if (peer.keepalive_time) peer.hold_time = std::max(peer.hold_time, 3 * *peer.keepalive_time);
  peer.ttl_security = spec.optional("ttlSecurity", number<std::uint8_t>(1, 254));
  peer.multi_hop_if_external = !peer.ttl_security;
  peer.max_prefixes = 0;
  const auto filters = parse_names(spec, "filters");
  peer.import_filters = followed_by(filters, "accept-all");
  peer.export_filters = followed_by(filters, "accept-local");
  peer.routes = parse_routes(spec);
  spec.ignore({"peerIP", "asNumber", "localWorkloadSelector", "sourceAddress", "reversePeering"});
  spec.not_implemented_unless_zero({"reachableBy", "maxRestartTime"});
  spec.no_other_keys();
  in.no_other_keys();
  return peer;
}

// Of routes in the kernel that no filter gives another: there one for each family, here one.
void parse_priorities(Cursor& spec, BGPConfiguration& configuration) {
  const auto ipv4 = spec.optional("ipv4NormalRoutePriority", priority);
  const auto ipv6 = spec.optional("ipv6NormalRoutePriority", priority);
  if (!ipv4 && !ipv6 && configuration.meta.name != "default") return;
  configuration.kernel.metric = ipv4.value_or(default_priority);
  if (ipv6.value_or(default_priority) != configuration.kernel.metric)
    spec.problem("ipv6NormalRoutePriority", "must be that of IPv4: Herald has one metric for the routes of both");
}

BGPConfiguration parse_bgp_configuration(Cursor in) {
  BGPConfiguration configuration;
  configuration.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  configuration.asn = spec.optional("asNumber", as_number);
  if (configuration.meta.name == "default" && !configuration.asn) configuration.asn = default_asn;
  configuration.listen.port = spec.optional("listenPort", number<std::uint16_t>(1), configuration.listen.port);
  // Nodes peer with each other unless told not to, which Herald does not do: what stands here would lose its sessions.
  if (configuration.meta.name == "default" && spec.optional("nodeToNodeMeshEnabled", boolean, true))
    spec.problem("nodeToNodeMeshEnabled", "must be false: Herald makes no mesh of nodes, every peer is a BGPPeer");
  const char* const advertise = "is not implemented by Herald: write a BGPAdvertisement of herald.dev/v1";
  for (const auto* key :
       {"serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs", "prefixAdvertisements", "communities"})
    refuse(spec, key, advertise);
  spec.ignore({"nodeToNodeMeshEnabled", "serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs",
               "prefixAdvertisements", "communities", "logSeverityScreen", "programClusterRoutes",
               "serviceLoadBalancerAggregation", "ignoredInterfaces"});
  spec.not_implemented_unless_zero(
      {"nodeMeshPassword", "nodeMeshMaxRestartTime", "localWorkloadPeeringIPV4", "localWorkloadPeeringIPV6"});
  parse_priorities(spec, configuration);
  if (spec.optional("bindMode", text, std::string{"None"}) != "None")
    spec.problem("bindMode", "is not implemented by Herald but for None; herald.dev/v1 has listen.addresses");
  spec.no_other_keys();
  in.no_other_keys();
  const auto& name = configuration.meta.name;
  if (!name.empty() && name != "default" && !(name.starts_with("node.") && name.size() > 5))
    in.object("metadata").problem("name", "must be default, or node. and the name of a node; got " + name);
  return configuration;
}

IPAddressPool parse_ip_pool(Cursor in) {
  IPAddressPool pool;
  pool.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.required_object("spec");
  const auto uses = spec.list("allowedUses", text);
  if (std::ranges::find(uses, "LoadBalancer") == uses.end()) {
    spec.problem("allowedUses", "must have LoadBalancer: Herald hands out addresses of services, not of pods");
    return pool;
  }
  const auto cidr = spec.required("cidr", prefix);
  pool.addresses = {net::AddressRange::of(cidr)};
  pool.auto_assign = spec.optional("assignmentMode", choice<bool>({{"Automatic", true}, {"Manual", false}}), true);
  if (const auto namespaces = spec.optional("namespaceSelector", selector); namespaces && !namespaces->empty()) {
    pool.service_allocation = IPAddressPool::ServiceAllocation{};
    pool.service_allocation->namespace_selectors = *namespaces;
  }
  if (const auto nodes = spec.optional("nodeSelector", selector); nodes && !nodes->empty())
    spec.problem("nodeSelector", "must be all(): addresses of services belong to no node");
  // They concern packets and blocks of pods.
  spec.ignore({"blockSize", "ipipMode", "vxlanMode", "natOutgoing"});
  spec.not_implemented_unless_zero({"disabled", "disableBGPExport"});
  spec.no_other_keys();
  in.no_other_keys();
  return pool;
}

Node parse_node(Cursor in) {
  Node node;
  node.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  auto bgp = spec.object("bgp");
  // With the length of their subnet, or alone.
  const auto address = [](const Value& value) -> Checked<net::IpAddress> {
    if (value.type == Value::Type::Text)
      if (const auto parsed = net::parse_ip(value.text.substr(0, value.text.find('/')))) return *parsed;
    return net::fail(must_be("an address such as 10.0.0.1/24", value));
  };
  for (const auto* key : {"ipv4Address", "ipv6Address"})
    if (const auto found = bgp.optional(key, address)) node.addresses.push_back(*found);
  bgp.not_implemented({"asNumber", "routeReflectorClusterID"});
  bgp.ignore({"ipv4IPIPTunnelAddr"});
  bgp.no_other_keys();
  in.ignore({"spec"});
  return node;
}

}  // namespace config::calico
