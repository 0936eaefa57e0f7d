// SPDX-License-Identifier: Apache-2.0
// Short ways to write resources down in tests.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "config/resources.hpp"
#include "net/address.hpp"
#include "net/prefix.hpp"
#include "net/range.hpp"
#include "speaker/desired.hpp"

namespace speaker {

inline net::IpAddress ip(std::string_view text) {
  return net::parse_ip(text).value();
}
inline net::Prefix prefix(std::string_view text) {
  return net::parse_prefix(text).value();
}
inline config::LabelSelector label(const std::string& key, const std::string& value) {
  config::LabelSelector selector;
  selector.match_labels = {{key, value}};
  return selector;
}

struct World : config::Resources {
  config::IPAddressPool& pool(const std::string& name, std::initializer_list<std::string_view> ranges) {
    auto& object = pools[name];
    object.meta.name = name;
    for (const auto range : ranges) object.addresses.push_back(net::parse_range(range).value());
    return object;
  }
  config::Node& node(const std::string& name, config::Labels labels = {}) {
    auto& object = nodes[name];
    object.meta.name = name;
    object.meta.labels = std::move(labels);
    return object;
  }
  config::BGPPeer& peer(const std::string& name) {
    auto& object = peers[name];
    object.meta.name = name;
    return object;
  }
  config::BGPAdvertisement& bgp(const std::string& name) {
    auto& object = bgp_advertisements[name];
    object.meta.name = name;
    return object;
  }
  config::L2Advertisement& l2(const std::string& name) {
    auto& object = l2_advertisements[name];
    object.meta.name = name;
    return object;
  }
  config::Service& service(const std::string& name, std::initializer_list<std::string_view> addresses) {
    auto& object = services["default/" + name];
    object.meta.name = name;
    object.meta.namespace_name = "default";
    object.type = "LoadBalancer";
    object.selector = {{"app", name}};
    object.ingress.clear();
    for (const auto address : addresses) object.ingress.push_back(ip(address));
    return object;
  }
  // One slice with a ready endpoint on each node named.
  config::EndpointSlice& slice(const std::string& service_name, const std::vector<std::string>& on) {
    auto& object = endpoint_slices["default/" + service_name + "-1"];
    object.meta.name = service_name + "-1";
    object.meta.namespace_name = "default";
    object.service_name = service_name;
    object.endpoints.clear();
    for (const auto& node_name : on) object.endpoints.push_back({true, true, false, node_name});
    object.addresses.assign(object.endpoints.size(), {ip("10.244.0.7")});
    return object;
  }
  void network_unavailable(const std::string& name) {
    nodes.at(name).conditions = {{"NetworkUnavailable", "True", "", "", "", 0}};
  }
};

// Everything a node announces, by value, so that two of them can be compared.
struct Outcome {
  std::map<net::Prefix, Announcement> routes;
  std::map<net::IpAddress, Candidates> layer2;
  std::map<net::IpAddress, unsigned> addresses;
  std::set<std::string> peers;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
inline Outcome outcome_of(const Desired& desired) {
  Outcome outcome;
  for (const auto& [key, value] : desired.routes()) outcome.routes.emplace(key, *value);
  for (const auto& [key, value] : desired.layer2()) outcome.layer2.emplace(key, *value);
  outcome.addresses = desired.addresses();
  outcome.peers = desired.peers();
  return outcome;
}
inline Desired desired_of(const config::Resources& resources, const std::string& node = "a",
                          WithoutSlices without_slices = WithoutSlices::Everywhere) {
  Desired desired{{.node = node, .load_balancer_class = {}, .without_slices = without_slices}};
  desired.reset(resources);
  return desired;
}

}  // namespace speaker
