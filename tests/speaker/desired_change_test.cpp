// SPDX-License-Identifier: Apache-2.0
// Desired kept up to date against a model that knows nothing of indexes: every rule written down once more,
// in the most naive way, and evaluated over everything.
#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/text.hpp"
#include "speaker/desired.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// ---- the model ----------------------------------------------------------------------------------------

struct Model {
  const config::Resources& all;
  std::string here;

  [[nodiscard]] config::Labels labels(const std::string& node) const {
    const auto at = all.nodes.find(node);
    return at == all.nodes.end() ? config::Labels{} : at->second.meta.labels;
  }
  [[nodiscard]] std::set<std::string> nodes() const {
    std::set<std::string> names;
    for (const auto& [name, node] : all.nodes) names.insert(name);
    if (!names.empty()) return names;
    for (const auto& [name, state] : all.speaker_states) names.insert(name);
    names.insert(here);
    return names;
  }
  [[nodiscard]] bool sound(const std::string& node) const {
    if (all.nodes.empty()) return true;
    const auto at = all.nodes.find(node);
    if (at == all.nodes.end()) return false;
    if (at->second.meta.labels.contains("node.kubernetes.io/exclude-from-external-load-balancers")) return false;
    for (const auto& condition : at->second.conditions) {
      if (condition.type == "NetworkUnavailable" && condition.status == "True") return false;
    }
    return true;
  }
  [[nodiscard]] const config::IPAddressPool* pool(const net::IpAddress& address) const {
    for (const auto& [name, candidate] : all.pools) {
      for (const auto& range : candidate.addresses) {
        if (range.contains(address)) return &candidate;
      }
    }
    return nullptr;
  }
  template <class Ad>
  [[nodiscard]] bool wants(const Ad& ad, const config::IPAddressPool& pool, const config::Service& service) const {
    if (!config::any_matches(ad.service_selectors, service.meta.labels)) return false;
    if (ad.ip_address_pools.empty() && ad.ip_address_pool_selectors.empty()) return true;
    if (std::ranges::find(ad.ip_address_pools, pool.meta.name) != ad.ip_address_pools.end()) return true;
    return !ad.ip_address_pool_selectors.empty() && config::any_matches(ad.ip_address_pool_selectors, pool.meta.labels);
  }
  // Nodes that the endpoints allow.
  [[nodiscard]] std::set<std::string> serving(const config::Service& service) const {
    bool any_slice = false;
    bool any = false;
    std::set<std::string> on;
    for (const auto& [key, slice] : all.endpoint_slices) {
      if (slice.service_name != service.meta.name || slice.meta.namespace_name != service.meta.namespace_name) continue;
      any_slice = true;
      for (const auto& endpoint : slice.endpoints) {
        if (!endpoint.ready && !(endpoint.serving && endpoint.terminating)) continue;
        any = true;
        on.insert(endpoint.node_name);
      }
    }
    if (!any_slice) return service.selector.empty() ? nodes() : std::set<std::string>{};
    if (service.external_traffic_policy == config::TrafficPolicy::Cluster)
      return any ? nodes() : std::set<std::string>{};
    std::set<std::string> both;
    std::ranges::set_intersection(on, nodes(), std::inserter(both, both.end()));
    return both;
  }
  [[nodiscard]] bool ours(const config::Service& service) const {
    return service.type == "LoadBalancer" && service.load_balancer_class.empty();
  }

  [[nodiscard]] Outcome outcome() const {
    Outcome result;
    for (const auto& [name, peer] : all.peers) {
      if (config::any_matches(peer.node_selectors, labels(here))) result.peers.insert(name);
    }
    std::map<net::Prefix, std::set<std::string>> routes;  // which advertisements
    for (const auto& [name, ad] : all.bgp_advertisements) {
      if (!config::any_matches(ad.node_selectors, labels(here))) continue;
      for (const auto& prefix : ad.prefixes) routes[prefix].insert(name);
    }
    for (const auto& [key, service] : all.services) add_routes(service, routes, result);
    for (const auto& [prefix, ads] : routes) result.routes[prefix] = announcement(ads);
    std::set<net::IpAddress> addresses;
    for (const auto& [key, service] : all.services) addresses.insert(service.ingress.begin(), service.ingress.end());
    for (const auto& address : addresses) {
      auto candidates = candidates_of(address);
      if (!candidates.empty()) result.layer2[address] = std::move(candidates);
    }
    return result;
  }

  void add_routes(const config::Service& service, std::map<net::Prefix, std::set<std::string>>& routes,
                  Outcome& result) const {
    if (!ours(service) || !sound(here) || !serving(service).contains(here)) return;
    for (const auto& address : service.ingress) {
      const auto* of = pool(address);
      bool announced = false;
      for (const auto& [name, ad] : all.bgp_advertisements) {
        const auto only_static =
            !ad.prefixes.empty() && ad.ip_address_pools.empty() && ad.ip_address_pool_selectors.empty();
        if (of == nullptr || only_static || !wants(ad, *of, service)) continue;
        if (!config::any_matches(ad.node_selectors, labels(here))) continue;
        routes[*net::Prefix::make(address, address.is_v4() ? ad.aggregation_length : ad.aggregation_length_v6)].insert(
            name);
        announced = true;
      }
      if (announced) ++result.addresses[address];
    }
  }

  [[nodiscard]] RouteAttributes attributes(const std::set<std::string>& ads) const {
    RouteAttributes merged;
    std::set<bgp::Community> communities;
    for (const auto& name : ads) {
      const auto& ad = all.bgp_advertisements.at(name);
      for (const auto& text : ad.communities) communities.insert(bgp::parse_community(text).value());
      if (ad.local_pref) merged.local_pref = std::max(merged.local_pref.value_or(0), *ad.local_pref);
      if (ad.med) merged.med = std::min(merged.med.value_or(~0U), *ad.med);
      if (ad.prepend > 0) merged.prepend = merged.prepend == 0 ? ad.prepend : std::min(merged.prepend, ad.prepend);
    }
    merged.communities.assign(communities.begin(), communities.end());
    return merged;
  }
  [[nodiscard]] Announcement announcement(const std::set<std::string>& ads) const {
    const auto applying = [&](const std::string* peer) {
      std::set<std::string> some;
      for (const auto& name : ads) {
        const auto& peers = all.bgp_advertisements.at(name).peers;
        const auto named = peer != nullptr && std::ranges::find(peers, *peer) != peers.end();
        if (peers.empty() || named) some.insert(name);
      }
      return some;
    };
    Announcement result;
    for (const auto& name : ads) {
      for (const auto& peer : all.bgp_advertisements.at(name).peers) result.named[peer] = attributes(applying(&peer));
    }
    if (const auto others = applying(nullptr); !others.empty()) result.others = attributes(others);
    return result;
  }

  [[nodiscard]] Candidates candidates_of(const net::IpAddress& address) const {
    const auto* of = pool(address);
    std::set<const config::L2Advertisement*> ads;
    std::vector<std::set<std::string>> eligible;
    for (const auto& [key, service] : all.services) {
      if (!ours(service) || of == nullptr) continue;
      if (std::ranges::find(service.ingress, address) == service.ingress.end()) continue;
      std::set<std::string> mine;
      const auto served = serving_anywhere(service);
      for (const auto& [name, ad] : all.l2_advertisements) {
        if (!served || !wants(ad, *of, service)) continue;
        ads.insert(&ad);
        for (const auto& node : serving(service)) {
          if (sound(node) && config::any_matches(ad.node_selectors, labels(node))) mine.insert(node);
        }
      }
      if (!mine.empty()) eligible.push_back(mine);
    }
    std::map<std::string, std::size_t> votes;
    for (const auto& some : eligible) {
      for (const auto& node : some) ++votes[node];
    }
    const auto agreed = std::ranges::any_of(votes, [&](const auto& vote) { return vote.second == eligible.size(); });
    Candidates result;
    for (const auto& [node, count] : votes) {
      if (!agreed || count == eligible.size()) result.push_back(candidate(node, ads));
    }
    return result;
  }
  // Some endpoint is usable, wherever.
  [[nodiscard]] bool serving_anywhere(const config::Service& service) const {
    auto anywhere = service;
    anywhere.external_traffic_policy = config::TrafficPolicy::Cluster;
    return !serving(anywhere).empty();
  }
  [[nodiscard]] Candidate candidate(const std::string& node,
                                    const std::set<const config::L2Advertisement*>& ads) const {
    Candidate result{node, 0, {}};
    std::set<std::string> interfaces;
    bool any = false;
    for (const auto* ad : ads) {
      if (!config::any_matches(ad->node_selectors, labels(node))) continue;
      for (const auto& preferred : ad->preferred_node_selectors) {
        if (preferred.preference.matches(labels(node))) result.weight += preferred.weight;
      }
      any = any || ad->interfaces.empty();
      interfaces.insert(ad->interfaces.begin(), ad->interfaces.end());
    }
    if (!any) result.interfaces.assign(interfaces.begin(), interfaces.end());
    return result;
  }
};

// ---- random worlds -----------------------------------------------------------------------------------------

class RandomWorld {
 public:
  explicit RandomWorld(unsigned seed) : random_{seed} {
    world.pool("public", {"203.0.113.0/26"}).meta.labels = {{"zone", "out"}};
    world.pool("lan", {"10.9.0.0/27", "2001:db8::/123"});
  }
  World world;

  std::vector<Change> step() {
    std::vector<Change> changes;
    const auto count = pick(3) + 1;
    for (unsigned i = 0; i < count; ++i) changes.push_back(change());
    return changes;
  }

 private:
  unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>{0, below - 1}(random_); }
  bool chance(unsigned percent) { return pick(100) < percent; }
  std::string node_name() { return std::string(1, static_cast<char>('a' + pick(4))); }
  config::Labels random_labels() {
    config::Labels labels;
    if (chance(60)) labels["rack"] = chance(50) ? "one" : "two";
    if (chance(30)) labels["tier"] = chance(50) ? "gold" : "silver";
    return labels;
  }
  std::vector<config::LabelSelector> random_selectors() {
    std::vector<config::LabelSelector> selectors;
    if (chance(25)) selectors.push_back(label("rack", chance(50) ? "one" : "two"));
    if (chance(15)) selectors.push_back(label("tier", chance(50) ? "gold" : "silver"));
    return selectors;
  }

  Change change() {
    const auto what = pick(100);
    if (what < 40) return service();
    if (what < 75) return slice();
    if (what < 82) return node();
    if (what < 86) return speaker();
    if (what < 93) return bgp();
    if (what < 98) return layer2();
    return peer();
  }

  Change service() {
    const auto name = "s" + std::to_string(pick(12));
    const auto key = "default/" + name;
    if (chance(25)) {
      world.services.erase(key);
    } else {
      auto& service = world.service(name, {});
      service.meta.labels = random_labels();
      service.type = chance(92) ? "LoadBalancer" : "ClusterIP";
      service.load_balancer_class = chance(95) ? "" : "other";
      if (chance(30)) service.selector.clear();
      service.external_traffic_policy = chance(40) ? config::TrafficPolicy::Local : config::TrafficPolicy::Cluster;
      if (chance(90)) service.ingress.push_back(ip("203.0.113." + std::to_string(pick(8) + (chance(5) ? 100 : 0))));
      if (chance(40)) service.ingress.push_back(ip("2001:db8::" + std::to_string(pick(8))));
    }
    return {Change::Kind::Service, key};
  }

  Change slice() {
    const auto name = "s" + std::to_string(pick(12));
    const auto key = "default/" + name + "-" + std::to_string(pick(2));
    if (chance(20)) {
      world.endpoint_slices.erase(key);
    } else {
      auto& slice = world.endpoint_slices[key];
      slice.meta.namespace_name = "default";
      slice.service_name = chance(90) ? name : "s" + std::to_string(pick(12));
      slice.endpoints.clear();
      const auto count = pick(4);
      for (unsigned i = 0; i < count; ++i)
        slice.endpoints.push_back({chance(60), chance(60), chance(30), chance(90) ? node_name() : ""});
    }
    return {Change::Kind::EndpointSlice, key};
  }

  Change node() {
    const auto name = node_name();
    if (chance(25)) {
      world.nodes.erase(name);
    } else {
      auto& node = world.node(name, random_labels());
      if (chance(10)) node.meta.labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "";
      node.conditions.clear();
      if (chance(15)) world.network_unavailable(name);
    }
    return {Change::Kind::Node, name};
  }

  Change speaker() {
    const auto name = node_name();
    if (chance(40))
      world.speaker_states.erase(name);
    else
      ++world.speaker_states[name].heartbeat;
    return {Change::Kind::SpeakerState, name};
  }

  Change bgp() {
    const auto name = "ad" + std::to_string(pick(3));
    if (chance(30)) {
      world.bgp_advertisements.erase(name);
      return {Change::Kind::Policy, {}};
    }
    auto& ad = world.bgp(name) = {};
    ad.meta.name = name;
    ad.node_selectors = random_selectors();
    ad.service_selectors = random_selectors();
    if (chance(30)) ad.ip_address_pools = {"lan"};
    if (chance(20)) ad.ip_address_pool_selectors = {label("zone", "out")};
    if (chance(30)) ad.aggregation_length = 30;
    if (chance(30)) ad.aggregation_length_v6 = 126;
    if (chance(40)) ad.local_pref = 100 * (1 + pick(3));
    if (chance(30)) ad.med = pick(3);
    if (chance(30)) ad.prepend = static_cast<std::uint8_t>(1 + pick(3));
    if (chance(50)) ad.communities = {"65001:" + std::to_string(pick(3))};
    if (chance(40)) ad.peers = {"tor" + std::to_string(pick(3))};
    if (chance(20)) ad.prefixes = {prefix("203.0.113.4/30")};
    return {Change::Kind::Policy, {}};
  }

  Change layer2() {
    const auto name = "ad" + std::to_string(pick(3));
    if (chance(30)) {
      world.l2_advertisements.erase(name);
      return {Change::Kind::Policy, {}};
    }
    auto& ad = world.l2(name) = {};
    ad.meta.name = name;
    ad.node_selectors = random_selectors();
    ad.service_selectors = random_selectors();
    if (chance(30)) ad.ip_address_pools = {"public"};
    if (chance(40)) ad.interfaces = {"eth" + std::to_string(pick(2)), "eth2"};
    if (chance(40)) ad.preferred_node_selectors = {{static_cast<std::uint8_t>(1 + pick(100)), label("rack", "one")}};
    return {Change::Kind::Policy, {}};
  }

  Change peer() {
    const auto name = "tor" + std::to_string(pick(3));
    if (chance(30))
      world.peers.erase(name);
    else
      world.peer(name).node_selectors = random_selectors();
    return {Change::Kind::Policy, {}};
  }

  std::mt19937 random_;
};

// Carries differences along, as the router and the election do.
struct Follower {
  Outcome now;
  void take(const Difference& difference) {
    for (const auto& [key, value] : difference.routes.set) now.routes[key] = *value;
    for (const auto& key : difference.routes.remove) EXPECT_EQ(now.routes.erase(key), 1U);
    for (const auto& [key, value] : difference.layer2.set) now.layer2[key] = *value;
    for (const auto& key : difference.layer2.remove) EXPECT_EQ(now.layer2.erase(key), 1U);
    for (const auto& key : difference.addresses_added) EXPECT_TRUE(now.addresses.emplace(key, 1).second);
    for (const auto& key : difference.addresses_removed) EXPECT_EQ(now.addresses.erase(key), 1U);
    for (const auto& key : difference.peers_added) EXPECT_TRUE(now.peers.insert(key).second);
    for (const auto& key : difference.peers_removed) EXPECT_EQ(now.peers.erase(key), 1U);
  }
};

class DesiredUnderRandomChange : public testing::TestWithParam<unsigned> {};

TEST_P(DesiredUnderRandomChange, IsWhatTheModelSaysAndWhatTheDifferencesAddUpTo) {
  RandomWorld random{GetParam()};
  Desired desired{{.node = "a", .load_balancer_class = {}}};
  Follower follower;
  follower.take(desired.reset(random.world));
  for (unsigned step = 0; step < 400; ++step) {
    const auto changes = random.step();
    follower.take(desired.apply(random.world, changes));
    const auto outcome = outcome_of(desired);
    const auto expected = Model{random.world, "a"}.outcome();
    ASSERT_EQ(outcome.routes, expected.routes) << "step " << step;
    ASSERT_EQ(outcome.layer2, expected.layer2) << "step " << step;
    ASSERT_EQ(outcome.addresses, expected.addresses) << "step " << step;
    ASSERT_EQ(outcome.peers, expected.peers) << "step " << step;
    auto carried = follower.now;
    for (auto& [address, count] : carried.addresses) count = expected.addresses.at(address);
    ASSERT_EQ(carried, expected) << "step " << step;
    ASSERT_TRUE(desired.apply(random.world, changes).empty()) << "said twice, step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DesiredUnderRandomChange, testing::Range(1U, 13U));

// ---- single changes ------------------------------------------------------------------------------------------

TEST(DesiredAfterAChange, TellsOnlyWhatIsDifferent) {
  World world;
  world.node("a");
  world.pool("public", {"203.0.113.0/24"});
  world.bgp("everything");
  world.l2("everything");
  world.service("one", {"203.0.113.1"});
  world.slice("one", {"a"});
  auto desired = desired_of(world);
  world.service("two", {"203.0.113.2"});
  EXPECT_TRUE(desired.apply(world, std::vector<Change>{{Change::Kind::Service, "default/two"}}).empty());
  world.slice("two", {"a"});
  const auto difference = desired.apply(world, std::vector<Change>{{Change::Kind::EndpointSlice, "default/two-1"}});
  ASSERT_EQ(difference.routes.set.size(), 1U);
  EXPECT_EQ(difference.routes.set[0].first, prefix("203.0.113.2/32"));
  EXPECT_THAT(difference.addresses_added, ElementsAre(ip("203.0.113.2")));
  EXPECT_EQ(difference.layer2.set.size(), 1U);
  EXPECT_THAT(difference.routes.remove, IsEmpty());
}

TEST(DesiredAfterAChange, IsNotBotheredByHeartbeatsAndNodeStatus) {
  World world;
  world.node("a");
  world.pool("public", {"203.0.113.0/24"});
  world.bgp("everything");
  world.service("one", {"203.0.113.1"});
  world.slice("one", {"a"});
  auto desired = desired_of(world);
  world.speaker_states["b"].heartbeat = 7;
  world.nodes.at("a").conditions = {{"Ready", "False", "", "", "", 0}};
  const std::vector<Change> changes{{Change::Kind::SpeakerState, "b"}, {Change::Kind::Node, "a"}};
  EXPECT_TRUE(desired.apply(world, changes).empty());
}

TEST(DesiredAfterAChange, KeepsRoutesThatAReloadDidNotTouch) {
  World world;
  world.node("a");
  world.pool("public", {"203.0.113.0/24"});
  world.bgp("everything");
  world.l2("everything");
  for (unsigned i = 0; i < 50; ++i) {
    world.service("s" + std::to_string(i), {"203.0.113." + std::to_string(i)});
    world.slice("s" + std::to_string(i), {"a"});
  }
  auto desired = desired_of(world);
  EXPECT_TRUE(desired.reset(world).empty());
  world.services.at("default/s7").type = "ClusterIP";
  const auto difference = desired.reset(world);
  EXPECT_THAT(difference.routes.remove, ElementsAre(prefix("203.0.113.7/32")));
  EXPECT_THAT(difference.routes.set, IsEmpty());
}

}  // namespace
}  // namespace speaker
