// SPDX-License-Identifier: Apache-2.0
#include "speaker/desired_policy.hpp"

#include <algorithm>
#include <utility>

#include "config/selects_pool.hpp"

namespace speaker {
namespace {

constexpr auto exclude_label = "node.kubernetes.io/exclude-from-external-load-balancers";

template <class Ad>
AdSet select(const std::vector<Ad>& all, const AdSet& ads, const config::Labels& service) {
  AdSet selected;
  std::ranges::copy_if(ads, std::back_inserter(selected),
                       [&](AdIndex ad) { return config::any_matches(all[ad].service_selectors, service); });
  return selected;
}

}  // namespace

bool usable(const config::EndpointSlice::Endpoint& endpoint) {
  return endpoint.ready || (endpoint.serving && endpoint.terminating);
}

DesiredPolicy::DesiredPolicy(const config::Resources& resources, const Scope& scope) : scope_{scope} {
  read_nodes(resources);
  read_pools(resources);
  read_bgp(resources);
  read_layer2(resources);
  for (const auto& [name, peer] : resources.peers) {
    if (config::any_matches(peer.node_selectors, here_.labels)) peers_.insert(name);
  }
}

DesiredPolicy::NodeFacts DesiredPolicy::facts_of(const config::Node& node) {
  return {node.meta.name, node.meta.labels, node.meta.labels.contains(exclude_label),
          std::ranges::any_of(node.conditions, [](const config::Condition& condition) {
            return condition.type == "NetworkUnavailable" && condition.status == "True";
          })};
}

void DesiredPolicy::read_nodes(const config::Resources& resources) {
  node_objects_ = !resources.nodes.empty();
  here_.name = scope_.node;
  if (node_objects_) {
    for (const auto& [name, node] : resources.nodes) nodes_.push_back(facts_of(node));
  } else {
    auto names = std::set{scope_.node};
    for (const auto& [name, state] : resources.speaker_states) names.insert(name);
    for (const auto& name : names) nodes_.push_back({.name = name, .labels = {}});
  }
  const auto here = std::ranges::lower_bound(nodes_, scope_.node, {}, &NodeFacts::name);
  here_missing_ = here == nodes_.end() || here->name != scope_.node;
  if (!here_missing_) here_ = *here;
}

bool DesiredPolicy::node_changed(const config::Resources& resources, const std::string& node) const {
  if (node_objects_ == resources.nodes.empty()) return true;
  const auto now = resources.nodes.find(node);
  const auto before = std::ranges::lower_bound(nodes_, node, {}, &NodeFacts::name);
  const auto was_there = node_objects_ && before != nodes_.end() && before->name == node;
  if (now == resources.nodes.end() || !was_there) return was_there != (now != resources.nodes.end());
  return facts_of(now->second) != *before;
}

bool DesiredPolicy::speaker_changed(const config::Resources& resources, const std::string& node) const {
  if (node_objects_) return false;
  const auto is_there = node == scope_.node || resources.speaker_states.contains(node);
  return is_there != std::ranges::binary_search(nodes_, node, {}, &NodeFacts::name);
}

void DesiredPolicy::read_pools(const config::Resources& resources) {
  for (const auto& [name, pool] : resources.pools) {
    const auto index = static_cast<std::uint32_t>(pools_.size());
    pools_.push_back({.name = name, .bgp = {}, .layer2 = {}});
    for (const auto& range : pool.addresses) {
      for (const auto& prefix : range.prefixes()) {
        if (prefix.is_v4())
          pool_v4_[prefix.v4()] = index;
        else
          pool_v6_[prefix.v6()] = index;
      }
    }
  }
}

void DesiredPolicy::read_bgp(const config::Resources& resources) {
  for (const auto& [name, ad] : resources.bgp_advertisements) {
    const auto index = static_cast<AdIndex>(bgp_ads_.size());
    bgp_ads_.push_back({.name = name,
                        .location = ad.meta.location,
                        .service_selectors = ad.service_selectors,
                        .here = config::any_matches(ad.node_selectors, here_.labels),
                        .length_v4 = ad.aggregation_length,
                        .length_v6 = ad.aggregation_length_v6,
                        .attributes = attributes_of(ad, resources),
                        .peers = ad.peers,
                        .prefixes = ad.prefixes});
    if (config::only_prefixes(ad)) continue;
    auto pool = pools_.begin();
    for (const auto& [pool_name, object] : resources.pools) {
      if (config::selects_pool(ad, object)) pool->bgp.push_back(index);
      ++pool;
    }
  }
}

void DesiredPolicy::read_layer2(const config::Resources& resources) {
  for (const auto& [name, ad] : resources.l2_advertisements) {
    const auto index = static_cast<AdIndex>(layer2_ads_.size());
    Layer2Ad compiled{.name = name,
                      .service_selectors = ad.service_selectors,
                      .here = config::any_matches(ad.node_selectors, here_.labels),
                      .weights = {},
                      .interfaces = ad.interfaces};
    for (const auto& node : nodes_) {
      auto& weight = compiled.weights.emplace_back();
      if (node.excluded || node.unavailable || !config::any_matches(ad.node_selectors, node.labels)) continue;
      weight = 0;
      for (const auto& preferred : ad.preferred_node_selectors) {
        if (preferred.preference.matches(node.labels)) *weight += preferred.weight;
      }
    }
    layer2_ads_.push_back(std::move(compiled));
    auto pool = pools_.begin();
    for (const auto& [pool_name, object] : resources.pools) {
      if (config::selects_pool(ad, object)) pool->layer2.push_back(index);
      ++pool;
    }
  }
}

std::optional<std::uint32_t> DesiredPolicy::pool_of(const net::IpAddress& address) const {
  if (address.is_v4()) {
    const auto found = pool_v4_.longest_match(net::Ipv4Prefix::host(address.v4()));
    return found ? std::optional{*found->second} : std::nullopt;
  }
  const auto found = pool_v6_.longest_match(net::Ipv6Prefix::host(address.v6()));
  return found ? std::optional{*found->second} : std::nullopt;
}

Gate DesiredPolicy::node_gate() const {
  if (here_.excluded) return Gate::NodeExcluded;
  return here_.unavailable || here_missing_ ? Gate::NodeUnavailable : Gate::Open;
}

Gate DesiredPolicy::endpoint_gate(const config::Service& service, const Endpoints& endpoints, const std::string& node) {
  if (endpoints.everywhere) return Gate::Open;
  if (!endpoints.any) return Gate::NoEndpoints;
  const auto local = service.external_traffic_policy == config::TrafficPolicy::Local;
  return local && !endpoints.nodes.contains(node) ? Gate::NoLocalEndpoint : Gate::Open;
}

ServiceOutcome DesiredPolicy::judge(const config::Service& service, const Endpoints& endpoints) const {
  ServiceOutcome outcome;
  if (service.type != "LoadBalancer")
    outcome.gate = Gate::NotLoadBalancer;
  else if (service.load_balancer_class != scope_.load_balancer_class)
    outcome.gate = Gate::OtherClass;
  else if (service.ingress.empty())
    outcome.gate = Gate::NoAddress;
  if (outcome.gate != Gate::Open) return outcome;

  const auto node = node_gate();
  const auto endpoint = endpoint_gate(service, endpoints, scope_.node);
  // The gates after the choice of advertisements, in their order.
  const auto settle = [&](AddressOutcome::PerMethod& method, bool any_ad, bool here) {
    if (!any_ad)
      method.gate = Gate::NoAdvertisement;
    else if (method.ads.empty())
      method.gate = Gate::ServiceNotSelected;
    else if (!here)
      method.gate = Gate::NodeNotSelected;
    else
      method.gate = node != Gate::Open ? node : endpoint;
  };
  for (const auto& address : service.ingress) {
    auto& result = outcome.addresses.emplace_back();
    result.address = address;
    result.pool = pool_of(address);
    if (!result.pool) {
      result.bgp.gate = result.layer2.gate = Gate::NotInPool;
      continue;
    }
    const auto& pool = pools_[*result.pool];
    result.bgp.ads = select(bgp_ads_, pool.bgp, service.meta.labels);
    result.layer2.ads = select(layer2_ads_, pool.layer2, service.meta.labels);
    result.layer2.served = endpoints.everywhere || endpoints.any;
    const auto layer2_here = std::ranges::any_of(result.layer2.ads, [&](AdIndex ad) { return layer2_ads_[ad].here; });
    settle(result.layer2, !pool.layer2.empty(), layer2_here);
    const auto bgp_here = std::ranges::any_of(result.bgp.ads, [&](AdIndex ad) { return bgp_ads_[ad].here; });
    settle(result.bgp, !pool.bgp.empty(), bgp_here);
    if (bgp_here) std::erase_if(result.bgp.ads, [&](AdIndex ad) { return !bgp_ads_[ad].here; });
  }
  return outcome;
}

net::Prefix DesiredPolicy::route_of(AdIndex bgp_ad, const net::IpAddress& address) const {
  const auto& ad = bgp_ads_[bgp_ad];
  return *net::Prefix::make(address, address.is_v4() ? ad.length_v4 : ad.length_v6);
}

std::vector<std::pair<net::Prefix, AdIndex>> DesiredPolicy::static_routes() const {
  std::vector<std::pair<net::Prefix, AdIndex>> routes;
  for (AdIndex index = 0; index < bgp_ads_.size(); ++index) {
    if (!bgp_ads_[index].here) continue;
    for (const auto& prefix : bgp_ads_[index].prefixes) routes.emplace_back(prefix, index);
  }
  return routes;
}

std::vector<NodeIndex> DesiredPolicy::nodes_of(const Endpoints& endpoints) const {
  std::vector<NodeIndex> nodes;
  for (const auto& name : endpoints.nodes) {
    const auto at = std::ranges::lower_bound(nodes_, name, {}, &NodeFacts::name);
    if (at != nodes_.end() && at->name == name) nodes.push_back(static_cast<NodeIndex>(at - nodes_.begin()));
  }
  return nodes;
}

std::vector<NodeIndex> DesiredPolicy::eligible(const AdSet& layer2_ads,
                                               const std::optional<std::vector<NodeIndex>>& within) const {
  std::vector<NodeIndex> nodes;
  const auto take_if_selected = [&](NodeIndex node) {
    if (std::ranges::any_of(layer2_ads, [&](AdIndex ad) { return layer2_ads_[ad].weights[node].has_value(); }))
      nodes.push_back(node);
  };
  if (within) {
    std::ranges::for_each(*within, take_if_selected);
  } else {
    for (NodeIndex node = 0; node < nodes_.size(); ++node) take_if_selected(node);
  }
  return nodes;
}

Candidates DesiredPolicy::candidates(const AdSet& layer2_ads, std::span<const NodeIndex> nodes) const {
  Candidates all;
  for (const auto node : nodes) {
    auto& candidate = all.emplace_back();
    candidate.node = nodes_[node].name;
    auto any_interface = false;
    for (const auto index : layer2_ads) {
      const auto& ad = layer2_ads_[index];
      if (!ad.weights[node]) continue;
      candidate.weight += *ad.weights[node];
      any_interface = any_interface || ad.interfaces.empty();
      candidate.interfaces.insert(candidate.interfaces.end(), ad.interfaces.begin(), ad.interfaces.end());
    }
    if (any_interface) candidate.interfaces.clear();
    std::ranges::sort(candidate.interfaces);
    candidate.interfaces.erase(std::unique(candidate.interfaces.begin(), candidate.interfaces.end()),
                               candidate.interfaces.end());
  }
  return all;
}

}  // namespace speaker
