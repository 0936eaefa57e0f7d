// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_view.hpp"

#include <algorithm>

#include "controller/store/json_text.hpp"

namespace controller {
namespace {

constexpr std::array<std::string_view, 3> prefixes{"herald.dev/", "metallb.io/", "metallb.universe.tf/"};

// The members of a map of strings; of those that are none, nothing is kept.
template <class Wanted>
config::Labels map_of(JsonCursor& in, Wanted wanted) {
  config::Labels out;
  in.members([&](std::string_view raw) {
    if (!in.at_string() || !wanted(raw)) return;
    auto name = unescaped(raw);
    out.insert_or_assign(std::move(name), in.string());
  });
  return out;
}

config::Labels labels(JsonCursor& in) {
  return map_of(in, [](std::string_view) { return true; });
}

// Some annotations are long, and none of the others is of interest.
config::Labels our_annotations(JsonCursor& in) {
  return map_of(in, [](std::string_view name) {
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
  });
}

std::string annotation(const config::Labels& annotations, const char* name) {
  for (const auto prefix : prefixes)
    if (const auto found = annotations.find(std::string{prefix}.append(name)); found != annotations.end())
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

std::vector<config::Service::Port> ports(JsonCursor& in) {
  std::vector<config::Service::Port> out;
  in.elements([&] {
    config::Service::Port port;
    std::optional<std::uint64_t> number;
    port.protocol = config::Protocol::Tcp;
    in.members([&](std::string_view name) {
      if (name == "name") port.name = in.string();
      if (name == "port") number = in.number();
      if (name == "protocol") port.protocol = protocol(in.string());
    });
    if (!number || *number > 65535) return;
    port.port = static_cast<std::uint16_t>(*number);
    out.push_back(std::move(port));
  });
  return out;
}

// The first of the entries between commas, without blanks around it; it is taken off the list.
std::string_view next_entry(std::string_view& list) {
  const auto comma = list.find(',');
  auto entry = list.substr(0, comma);
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  while (!entry.empty() && entry.front() == ' ') entry.remove_prefix(1);
  while (!entry.empty() && entry.back() == ' ') entry.remove_suffix(1);
  return entry;
}

// "192.0.2.1, 2001:db8::1" as addresses, or what is wrong with it.
net::Result<std::vector<net::IpAddress>, Refusal> address_list(std::string_view list, std::string_view where) {
  std::vector<net::IpAddress> out;
  while (!list.empty()) {
    const auto entry = next_entry(list);
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
  while (!list.empty())
    if (const auto entry = next_entry(list); !entry.empty()) out.emplace(entry);
  return out;
}

void read_requested_addresses(const std::string& single, const config::Labels& annotations, ServiceView& view) {
  const auto listed = annotation(annotations, "loadBalancerIPs");
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

void read_ingress(JsonCursor& in, ServiceView& view) {
  in.elements([&] {
    in.members([&](std::string_view name) {
      if (name != "ip") return;
      if (const auto address = net::parse_ip(in.string())) view.ingress.push_back(*address);
    });
  });
}

void read_conditions(JsonCursor& in, ServiceView& view) {
  in.elements([&] {
    const auto text = in.value();
    config::Condition condition;
    JsonCursor entry{text};
    entry.members([&](std::string_view name) {
      if (name == "type") condition.type = entry.string();
      if (name == "status") condition.status = entry.string();
      if (name == "reason") condition.reason = entry.string();
      if (name == "message") condition.message = entry.string();
      if (name == "lastTransitionTime") condition.last_transition_time = entry.string();
    });
    if (condition.type == assigned_condition) {
      view.assigned = std::move(condition);
    } else {
      view.other_conditions.emplace_back(text);
    }
  });
}

void read_status(JsonCursor& in, ServiceView& view) {
  in.members([&](std::string_view name) {
    if (name == "conditions") read_conditions(in, view);
    if (name != "loadBalancer") return;
    in.members([&](std::string_view inner) {
      if (inner == "ingress") read_ingress(in, view);
    });
  });
}

void read_metadata(JsonCursor& in, ServiceView& view, config::Labels& annotations) {
  std::string service;
  in.members([&](std::string_view name) {
    if (name == "annotations") annotations = our_annotations(in);
    if (name == "labels") view.request.labels = labels(in);
    if (name == "name") service = in.string();
    if (name == "namespace") view.request.namespace_name = in.string();
  });
  view.request.service = view.request.namespace_name + "/" + service;
}

// Gives back spec.loadBalancerIP.
std::string read_spec(JsonCursor& in, ServiceView& view) {
  auto& request = view.request;
  std::string single;
  in.members([&](std::string_view name) {
    if (name == "type") view.load_balancer = in.string() == "LoadBalancer";
    if (name == "loadBalancerClass") view.load_balancer_class = in.string();
    if (name == "loadBalancerIP") single = in.string();
    if (name == "ipFamilies")
      in.elements([&] { request.families.push_back(in.string() == "IPv6" ? net::Family::Ipv6 : net::Family::Ipv4); });
    if (name == "ipFamilyPolicy") request.policy = family_policy(in.string());
    if (name == "ports") request.ports = ports(in);
    if (name == "externalTrafficPolicy" && in.string() == "Local")
      request.traffic_policy = config::TrafficPolicy::Local;
    if (name == "selector") request.selector = labels(in);
  });
  return single;
}

}  // namespace

ServiceView view_service(std::string_view service) {
  ServiceView view;
  config::Labels annotations;
  std::string single;
  JsonCursor in{service};
  in.members([&](std::string_view name) {
    if (name == "metadata") read_metadata(in, view, annotations);
    if (name == "spec") single = read_spec(in, view);
    if (name == "status") read_status(in, view);
  });
  view.told_pool = told_pool(annotations);
  if (!view.load_balancer) return view;
  view.request.pool = annotation(annotations, "address-pool");
  view.request.sharing_key = annotation(annotations, "allow-shared-ip");
  if (const auto found = annotations.find("herald.dev/share-with-namespaces"); found != annotations.end())
    view.request.shares_with = words(found->second);
  read_requested_addresses(single, annotations, view);
  return view;
}

std::vector<std::string> held_addresses(config::Kind kind, std::string_view object) {
  if (kind != config::Kind::Service) return {};
  ServiceView view;
  JsonCursor in{object};
  in.members([&](std::string_view name) {
    if (name == "status") read_status(in, view);
  });
  std::vector<std::string> out;
  if (!view.assigned || view.assigned->reason == foreign_address) return out;
  for (const auto& address : view.ingress) out.push_back(net::print(address));
  return out;
}

}  // namespace controller
