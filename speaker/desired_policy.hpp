// SPDX-License-Identifier: Apache-2.0
// Pools, advertisements and nodes, prepared so that judging one service costs as much as that service: the
// pool of an address by trie, node selectors worked out beforehand. A value made from one state of the
// resources; when pools, advertisements, communities or nodes change, another is made. Internal to Desired.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/resources.hpp"
#include "net/trie.hpp"
#include "speaker/desired.hpp"
#include "speaker/gate.hpp"

namespace speaker {

using NodeIndex = std::uint32_t;
using AdIndex = std::uint32_t;
using AdSet = std::vector<AdIndex>;  // ascending; of one kind of advertisement

// Where the traffic of a service can end.
struct Endpoints {
  bool everywhere = false;  // every node serves it, see WithoutSlices
  bool any = false;
  std::set<std::string> nodes;  // with a usable endpoint
};
[[nodiscard]] bool usable(const config::EndpointSlice::Endpoint& endpoint);

// What the gates said about one address.
struct AddressOutcome {
  struct PerMethod {
    Gate gate = Gate::Open;  // for this node
    // BGP: the advertisements that select service and node. Layer 2: those that select the service, for all
    // nodes need them. Past the gates of the service they are complete.
    AdSet ads;
    bool served = false;  // layer 2: the endpoints let some node announce it
  };
  net::IpAddress address;
  std::optional<std::uint32_t> pool;
  PerMethod bgp;
  PerMethod layer2;
};
struct ServiceOutcome {
  Gate gate = Gate::Open;  // of the service as a whole; the rest is empty when it is shut
  std::vector<AddressOutcome> addresses;
};

class DesiredPolicy {
 public:
  DesiredPolicy(const config::Resources& resources, const Scope& scope);

  // False when `resources` has the node as it was when this policy was made.
  [[nodiscard]] bool node_changed(const config::Resources& resources, const std::string& node) const;
  // Without Node objects the speakers that report are the nodes.
  [[nodiscard]] bool speaker_changed(const config::Resources& resources, const std::string& node) const;

  [[nodiscard]] ServiceOutcome judge(const config::Service& service, const Endpoints& endpoints) const;

  [[nodiscard]] net::Prefix route_of(AdIndex bgp_ad, const net::IpAddress& address) const;
  // The static prefixes of advertisements that select this node.
  [[nodiscard]] std::vector<std::pair<net::Prefix, AdIndex>> static_routes() const;
  [[nodiscard]] Announcement merge(const AdSet& bgp_ads, std::vector<config::Problem>& problems) const;

  // The nodes with a usable endpoint, of those that may announce. Ascending.
  [[nodiscard]] std::vector<NodeIndex> nodes_of(const Endpoints& endpoints) const;
  // All nodes, or those of `within`, that one of the advertisements selects.
  [[nodiscard]] std::vector<NodeIndex> eligible(const AdSet& layer2_ads,
                                                const std::optional<std::vector<NodeIndex>>& within) const;
  [[nodiscard]] Candidates candidates(const AdSet& layer2_ads, std::span<const NodeIndex> nodes) const;

  [[nodiscard]] const std::set<std::string>& peers() const { return peers_; }
  [[nodiscard]] const std::vector<config::Problem>& problems() const { return problems_; }

  // The sentence that goes with an outcome.
  [[nodiscard]] std::string describe(const AddressOutcome& outcome, Method method) const;

 private:
  struct NodeFacts {
    std::string name;
    config::Labels labels;
    bool excluded = false;
    bool unavailable = false;
    friend bool operator==(const NodeFacts&, const NodeFacts&) = default;
  };
  struct Pool {
    std::string name;
    AdSet bgp;
    AdSet layer2;
  };
  struct BgpAd {
    std::string name;
    config::Location location;
    std::vector<config::LabelSelector> service_selectors;
    bool here = false;  // its node selectors take this node
    std::uint8_t length_v4 = 32;
    std::uint8_t length_v6 = 128;
    RouteAttributes attributes;
    std::vector<std::string> peers;
    std::vector<net::Prefix> prefixes;
  };
  struct Layer2Ad {
    std::string name;
    std::vector<config::LabelSelector> service_selectors;
    bool here = false;
    std::vector<std::optional<unsigned>> weights;  // by node; nothing: not selected, or may not announce
    std::vector<std::string> interfaces;
  };

  static NodeFacts facts_of(const config::Node& node);
  void read_nodes(const config::Resources& resources);
  void read_pools(const config::Resources& resources);
  void read_bgp(const config::Resources& resources);
  void read_layer2(const config::Resources& resources);
  RouteAttributes attributes_of(const config::BGPAdvertisement& ad, const config::Resources& resources);
  [[nodiscard]] std::optional<std::uint32_t> pool_of(const net::IpAddress& address) const;
  [[nodiscard]] Gate node_gate() const;
  [[nodiscard]] static Gate endpoint_gate(const config::Service& service, const Endpoints& endpoints,
                                          const std::string& node);
  [[nodiscard]] RouteAttributes merge_attributes(const AdSet& ads, std::vector<config::Problem>& problems) const;
  template <class Ad>
  [[nodiscard]] static std::string names(const std::vector<Ad>& all, const AdSet& ads);

  Scope scope_;
  bool node_objects_ = false;
  NodeFacts here_;
  bool here_missing_ = false;     // there are Node objects, but none for this node
  std::vector<NodeFacts> nodes_;  // ascending by name
  std::vector<Pool> pools_;
  net::PrefixTrie<net::Ipv4Prefix, std::uint32_t> pool_v4_;
  net::PrefixTrie<net::Ipv6Prefix, std::uint32_t> pool_v6_;
  std::vector<BgpAd> bgp_ads_;  // ascending by name
  std::vector<Layer2Ad> layer2_ads_;
  std::set<std::string> peers_;
  std::vector<config::Problem> problems_;
};

}  // namespace speaker
