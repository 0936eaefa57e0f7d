// SPDX-License-Identifier: Apache-2.0
// The kinds of Kubernetes, in the fields used here. They have many others, which are no mistake, so these
// parsers never call no_other_keys.
#include "config/base64.hpp"
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"

namespace config {
namespace {

using nlohmann::json;

Service::Port parse_port(Cursor in) {
  Service::Port port;
  port.name = in.optional("name", text, std::string{});
  port.protocol = in.optional(
      "protocol", choice<Protocol>({{"TCP", Protocol::Tcp}, {"UDP", Protocol::Udp}, {"SCTP", Protocol::Sctp}}),
      Protocol::Tcp);
  port.port = in.required("port", number<std::uint16_t>(1));
  port.node_port = in.optional("nodePort", number<std::uint16_t>(), port.node_port);
  return port;
}

std::string_view print(Protocol protocol) {
  return protocol == Protocol::Tcp ? "TCP" : protocol == Protocol::Udp ? "UDP" : "SCTP";
}

json print(const Service::Port& port) {
  json out = {{"protocol", print(port.protocol)}, {"port", port.port}};
  if (!port.name.empty()) out["name"] = port.name;
  if (port.node_port != 0) out["nodePort"] = port.node_port;
  return out;
}

// An ingress point may have a host name only, which says nothing here.
std::optional<net::IpAddress> parse_ingress(Cursor in) {
  return in.optional("ip", ip);
}

struct ReadEndpoint {
  std::vector<net::IpAddress> addresses;
  EndpointSlice::Endpoint endpoint;
};

ReadEndpoint parse_endpoint(Cursor in) {
  ReadEndpoint read{in.list("addresses", ip), {}};
  auto& endpoint = read.endpoint;
  auto conditions = in.object("conditions");
  endpoint.ready = conditions.optional("ready", boolean, true);
  endpoint.serving = conditions.optional("serving", boolean, endpoint.ready);
  endpoint.terminating = conditions.optional("terminating", boolean, false);
  endpoint.node_name = in.optional("nodeName", text, std::string{});
  // v1beta1 said it here.
  if (endpoint.node_name.empty())
    endpoint.node_name = in.object("topology").optional("kubernetes.io/hostname", text, std::string{});
  return read;
}

struct NodeAddress {
  std::string type;
  std::string address;
};

NodeAddress parse_node_address(Cursor in) {
  return {in.required("type", word), in.required("address", word)};
}

Checked<std::string> base64(const Value& value) {
  if (value.type == Value::Type::Text)
    if (auto decoded = decode_base64(value.text)) return *std::move(decoded);
  return net::fail(std::string{"must be base64"});  // what it is instead may be a secret
}

Checked<std::string> secret_text(const Value& value) {
  if (value.type == Value::Type::Text) return value.text;
  return net::fail(std::string{"must be text; write it in quotes"});
}

}  // namespace

Service parse_service(Cursor in) {
  Service service;
  service.meta = parse_meta(in, NamespaceRule::Required);
  auto spec = in.object("spec");
  service.type = spec.optional("type", word, service.type);
  service.cluster_ips = spec.list("clusterIPs", text);
  const auto cluster_ip = spec.optional("clusterIP", text, std::string{});
  if (service.cluster_ips.empty() && !cluster_ip.empty()) service.cluster_ips = {cluster_ip};
  service.ip_families =
      spec.list("ipFamilies", choice<net::Family>({{"IPv4", net::Family::Ipv4}, {"IPv6", net::Family::Ipv6}}));
  service.ip_family_policy =
      spec.optional("ipFamilyPolicy",
                    choice<IpFamilyPolicy>({{"SingleStack", IpFamilyPolicy::SingleStack},
                                            {"PreferDualStack", IpFamilyPolicy::PreferDualStack},
                                            {"RequireDualStack", IpFamilyPolicy::RequireDualStack}}),
                    service.ip_family_policy);
  service.external_traffic_policy =
      spec.optional("externalTrafficPolicy",
                    choice<TrafficPolicy>({{"Cluster", TrafficPolicy::Cluster}, {"Local", TrafficPolicy::Local}}),
                    service.external_traffic_policy);
  service.ports = spec.list("ports", parse_port);
  service.selector = spec.map("selector", label_key, label_value);
  service.load_balancer_ip = spec.optional("loadBalancerIP", text, std::string{});
  service.load_balancer_class = spec.optional("loadBalancerClass", text, std::string{});
  refuse_repeats(spec, "ipFamilies", service.ip_families,
                 [](net::Family family) { return std::string{net::print(family)}; });

  auto status = in.object("status");
  auto load_balancer = status.object("loadBalancer");
  for (const auto& address : load_balancer.list("ingress", parse_ingress))
    if (address) service.ingress.push_back(*address);
  service.conditions = status.list("conditions", parse_condition);
  return service;
}

json print(const Service& service) {
  auto out = print_object("v1", "Service", service.meta);
  auto& spec = out["spec"];
  spec["type"] = service.type;
  if (!service.cluster_ips.empty()) spec["clusterIPs"] = service.cluster_ips;
  for (const auto family : service.ip_families) spec["ipFamilies"].push_back(net::print(family));
  spec["ipFamilyPolicy"] = service.ip_family_policy == IpFamilyPolicy::SingleStack       ? "SingleStack"
                           : service.ip_family_policy == IpFamilyPolicy::PreferDualStack ? "PreferDualStack"
                                                                                         : "RequireDualStack";
  spec["externalTrafficPolicy"] = service.external_traffic_policy == TrafficPolicy::Local ? "Local" : "Cluster";
  for (const auto& port : service.ports) spec["ports"].push_back(print(port));
  if (!service.selector.empty()) spec["selector"] = service.selector;
  if (!service.load_balancer_ip.empty()) spec["loadBalancerIP"] = service.load_balancer_ip;
  if (!service.load_balancer_class.empty()) spec["loadBalancerClass"] = service.load_balancer_class;
  for (const auto& address : service.ingress)
    out["status"]["loadBalancer"]["ingress"].push_back({{"ip", net::print(address)}});
  if (!service.conditions.empty()) out["status"]["conditions"] = print_list(service.conditions);
  return out;
}

EndpointSlice parse_endpoint_slice(Cursor in) {
  EndpointSlice slice;
  slice.meta = parse_meta(in, NamespaceRule::Required);
  if (const auto name = slice.meta.labels.find("kubernetes.io/service-name"); name != slice.meta.labels.end())
    slice.service_name = name->second;
  // Endpoints with host names for addresses are no business of a router.
  if (in.optional("addressType", word, std::string{}) == "FQDN") return slice;
  for (auto& read : in.list("endpoints", parse_endpoint)) {
    slice.endpoints.push_back(std::move(read.endpoint));
    slice.addresses.push_back(std::move(read.addresses));
  }
  return slice;
}

json print(const EndpointSlice& slice) {
  auto out = print_object("discovery.k8s.io/v1", "EndpointSlice", slice.meta);
  const bool v6 =
      !slice.addresses.empty() && !slice.addresses.front().empty() && slice.addresses.front().front().is_v6();
  out["addressType"] = v6 ? "IPv6" : "IPv4";
  auto& endpoints = out["endpoints"] = json::array();
  for (std::size_t i = 0; i < slice.endpoints.size(); ++i) {
    const auto& endpoint = slice.endpoints[i];
    json entry = {{"addresses", json::array()},
                  {"conditions",
                   {{"ready", endpoint.ready}, {"serving", endpoint.serving}, {"terminating", endpoint.terminating}}}};
    if (i < slice.addresses.size())
      for (const auto& address : slice.addresses[i]) entry["addresses"].push_back(net::print(address));
    if (!endpoint.node_name.empty()) entry["nodeName"] = endpoint.node_name;
    endpoints.push_back(std::move(entry));
  }
  return out;
}

Node parse_node(Cursor in) {
  Node node;
  node.meta = parse_meta(in, NamespaceRule::Dropped);
  node.unschedulable = in.object("spec").optional("unschedulable", boolean, false);
  auto status = in.object("status");
  node.conditions = status.list("conditions", parse_condition);
  for (const auto& entry : status.list("addresses", parse_node_address)) {
    if (entry.type != "InternalIP") continue;
    if (const auto address = net::parse_ip(entry.address))
      node.addresses.push_back(*address);
    else
      status.problem("addresses", "an InternalIP must be an address, got \"" + entry.address + "\"");
  }
  return node;
}

json print(const Node& node) {
  auto out = print_object("v1", "Node", node.meta);
  out["spec"]["unschedulable"] = node.unschedulable;
  for (const auto& address : node.addresses)
    out["status"]["addresses"].push_back({{"type", "InternalIP"}, {"address", net::print(address)}});
  if (!node.conditions.empty()) out["status"]["conditions"] = print_list(node.conditions);
  return out;
}

Namespace parse_namespace(Cursor in) {
  return {parse_meta(in, NamespaceRule::Dropped)};
}

json print(const Namespace& name) {
  return print_object("v1", "Namespace", name.meta);
}

Secret parse_secret(Cursor in) {
  Secret secret;
  secret.meta = parse_meta(in, NamespaceRule::Required);
  secret.type = in.optional("type", text, secret.type);
  secret.data = in.map("data", label_key, base64);
  // The plain form wins, as in Kubernetes.
  for (auto& [key, value] : in.map("stringData", label_key, secret_text))
    secret.data.insert_or_assign(key, std::move(value));
  return secret;
}

json print(const Secret& secret) {
  auto out = print_object("v1", "Secret", secret.meta);
  out["type"] = secret.type;
  auto& data = out["data"] = json::object();
  for (const auto& [key, value] : secret.data) data[key] = encode_base64(value);
  return out;
}

}  // namespace config
