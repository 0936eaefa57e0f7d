// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_view.hpp"

namespace controller {
namespace {

using nlohmann::json;

// Members that may be missing or of another type read as empty: the object was checked when it was written, and
// one written past us must not take the controller down.
const json& member(const json& object, const char* name) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

std::string text(const json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

config::Labels labels(const json& object, const char* name) {
  config::Labels out;
  const auto& map = member(object, name);
  if (!map.is_object()) return out;
  for (const auto& [key, value] : map.items())
    if (value.is_string()) out.emplace(key, value.get<std::string>());
  return out;
}

std::string annotation(const config::Labels& annotations, const char* name) {
  for (const auto* prefix : {"herald.dev/", "metallb.io/", "metallb.universe.tf/"})
    if (const auto found = annotations.find(std::string{prefix} + name); found != annotations.end())
      return found->second;
  return {};
}

config::Protocol protocol(const std::string& name) {
  if (name == "UDP") return config::Protocol::Udp;
  return name == "SCTP" ? config::Protocol::Sctp : config::Protocol::Tcp;
}

config::IpFamilyPolicy family_policy(const std::string& name) {
  if (name == "PreferDualStack") return config::IpFamilyPolicy::PreferDualStack;
  return name == "RequireDualStack" ? config::IpFamilyPolicy::RequireDualStack : config::IpFamilyPolicy::SingleStack;
}

std::vector<config::Service::Port> ports(const json& spec) {
  std::vector<config::Service::Port> out;
  const auto& list = member(spec, "ports");
  if (!list.is_array()) return out;
  for (const auto& entry : list) {
    const auto& number = member(entry, "port");
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() > 65535) continue;
    out.push_back({text(entry, "name"), protocol(text(entry, "protocol")), number.get<std::uint16_t>(), 0});
  }
  return out;
}

// "192.0.2.1, 2001:db8::1" as addresses, or what is wrong with it.
net::Result<std::vector<net::IpAddress>, Refusal> address_list(std::string_view list, std::string_view where) {
  std::vector<net::IpAddress> out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto entry = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    const auto address = net::parse_ip(entry);
    if (!address)
      return net::fail(
          Refusal{"InvalidAddress", std::string{where} + ": \"" + std::string{entry} + "\" is not an IP address"});
    out.push_back(*address);
  }
  return out;
}

// "front, back" as names; "*" is one.
std::set<std::string> words(std::string_view list) {
  std::set<std::string> out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto entry = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
    while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
    if (!entry.empty()) out.emplace(entry);
  }
  return out;
}

void read_requested_addresses(const json& spec, const config::Labels& annotations, ServiceView& view) {
  const auto listed = annotation(annotations, "loadBalancerIPs");
  const auto single = text(spec, "loadBalancerIP");
  if (!listed.empty() && !single.empty()) {
    view.unreadable =
        Refusal{"AmbiguousRequest", "both spec.loadBalancerIP and the annotation loadBalancerIPs are given; use one"};
    return;
  }
  const auto& wanted = listed.empty() ? single : listed;
  auto addresses = address_list(wanted, listed.empty() ? "spec.loadBalancerIP" : "annotation loadBalancerIPs");
  if (addresses) {
    view.request.addresses = std::move(*addresses);
  } else {
    view.unreadable = std::move(addresses.error());
  }
}

std::string told_pool(const config::Labels& annotations) {
  std::string pool;
  for (const auto name : pool_annotations) {
    const auto found = annotations.find(std::string{name});
    if (found == annotations.end() || (!pool.empty() && pool != found->second)) return {};
    pool = found->second;
  }
  return pool;
}

void read_status(const json& status, ServiceView& view) {
  const auto& ingress = member(member(status, "loadBalancer"), "ingress");
  if (ingress.is_array())
    for (const auto& entry : ingress)
      if (const auto address = net::parse_ip(text(entry, "ip"))) view.ingress.push_back(*address);
  const auto& conditions = member(status, "conditions");
  if (!conditions.is_array()) return;
  for (const auto& entry : conditions) {
    if (text(entry, "type") != assigned_condition) continue;
    view.assigned = config::Condition{text(entry, "type"),
                                      text(entry, "status"),
                                      text(entry, "reason"),
                                      text(entry, "message"),
                                      text(entry, "lastTransitionTime"),
                                      0};
  }
}

}  // namespace

ServiceView view_service(const json& service, const config::Labels& namespace_labels) {
  ServiceView view;
  const auto& metadata = member(service, "metadata");
  const auto& spec = member(service, "spec");
  auto& request = view.request;
  view.load_balancer = text(spec, "type") == "LoadBalancer";
  view.load_balancer_class = text(spec, "loadBalancerClass");
  request.namespace_name = text(metadata, "namespace");
  request.service = request.namespace_name + "/" + text(metadata, "name");
  read_status(member(service, "status"), view);
  const auto annotations = labels(metadata, "annotations");
  view.told_pool = told_pool(annotations);
  if (!view.load_balancer) return view;

  request.labels = labels(metadata, "labels");
  request.namespace_labels = namespace_labels;
  const auto& families = member(spec, "ipFamilies");
  if (families.is_array())
    for (const auto& family : families)
      request.families.push_back(family == "IPv6" ? net::Family::Ipv6 : net::Family::Ipv4);
  request.policy = family_policy(text(spec, "ipFamilyPolicy"));
  request.pool = annotation(annotations, "address-pool");
  request.sharing_key = annotation(annotations, "allow-shared-ip");
  if (const auto found = annotations.find("herald.dev/share-with-namespaces"); found != annotations.end())
    request.shares_with = words(found->second);
  request.ports = ports(spec);
  request.traffic_policy =
      text(spec, "externalTrafficPolicy") == "Local" ? config::TrafficPolicy::Local : config::TrafficPolicy::Cluster;
  request.selector = labels(spec, "selector");
  read_requested_addresses(spec, annotations, view);
  return view;
}

std::string text_of(const json& object, const char* name) {
  return text(object, name);
}

std::vector<std::string> held_addresses(config::Kind kind, const json& object) {
  if (kind != config::Kind::Service) return {};
  ServiceView view;
  read_status(member(object, "status"), view);
  std::vector<std::string> out;
  if (!view.assigned || view.assigned->reason == foreign_address) return out;
  for (const auto& address : view.ingress) out.push_back(net::print(address));
  return out;
}

}  // namespace controller
