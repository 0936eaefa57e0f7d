// SPDX-License-Identifier: Apache-2.0
#include "config/validate.hpp"

#include "config/validation/judge.hpp"

namespace config {

Verdict validate(const Resources& resources, const Viewpoint& viewpoint) {
  Judge judge{resources, viewpoint};
  judge.communities();
  judge.pools();
  judge.filters();
  judge.bfd_profiles();
  judge.configurations();
  judge.peers();
  judge.advertisements();
  return std::move(judge.verdict);
}

void remove_set_aside(Resources& resources, const Verdict& verdict) {
  const auto filter = [&]<class T>(std::type_identity<T> /*kind*/) {
    std::erase_if(items<T>(resources),
                  [&](const auto& entry) { return verdict.set_aside.contains(Judge::title(entry.second)); });
  };
  filter(std::type_identity<IPAddressPool>{});
  filter(std::type_identity<Community>{});
  filter(std::type_identity<BGPPeer>{});
  filter(std::type_identity<BGPAdvertisement>{});
  filter(std::type_identity<BGPFilter>{});
  filter(std::type_identity<BFDProfile>{});
  filter(std::type_identity<L2Advertisement>{});
}

const BGPConfiguration* configuration_of(const Resources& resources, const std::string& node) {
  const auto& configurations = resources.bgp_configurations;
  auto found = node.empty() ? configurations.end() : configurations.find("node." + node);
  if (found == configurations.end()) found = configurations.find("default");
  return found == configurations.end() ? nullptr : &found->second;
}

Labels labels_of_node(const Resources& resources, const std::string& node) {
  const auto found = resources.nodes.find(node);
  if (found != resources.nodes.end()) return found->second.meta.labels;
  return {{"kubernetes.io/hostname", node}};
}

std::vector<std::string> Judge::unknown_aliases(const std::vector<std::string>& communities) const {
  std::vector<std::string> unknown;
  for (const auto& name : communities) {
    if (name.find(':') != std::string::npos) continue;  // a number
    const bool known = std::ranges::any_of(all.communities, [&](const auto& entry) {
      return entry.second.communities.contains(name) && !is_set_aside(entry.second);
    });
    if (!known) unknown.push_back(name);
  }
  return unknown;
}

bool Judge::share_a_node(const std::vector<LabelSelector>& left, const std::vector<LabelSelector>& right) const {
  if (left.empty() || right.empty() || left == right) return true;
  if (!view.node.empty()) {
    const auto labels = labels_of_node(all, view.node);
    return any_matches(left, labels) && any_matches(right, labels);
  }
  return std::ranges::any_of(all.nodes, [&](const auto& entry) {
    return any_matches(left, entry.second.meta.labels) && any_matches(right, entry.second.meta.labels);
  });
}

void Judge::communities() {
  std::map<std::string, const Community*> owners;
  for (const auto* community : by_age<Community>()) {
    const auto taken =
        std::ranges::find_if(community->communities, [&](const auto& alias) { return owners.contains(alias.first); });
    if (taken != community->communities.end()) {
      set_aside(*community, "spec.communities",
                "defines " + taken->first + ", which " + cite(*owners[taken->first]) + " defines already");
      continue;
    }
    for (const auto& [alias, value] : community->communities) owners.emplace(alias, community);
  }
}

void Judge::pools() {
  struct Taken {
    net::AddressRange range;
    const IPAddressPool* owner;
  };
  // By first address. What is in here does not overlap, so looking at the two neighbours is enough.
  std::map<net::IpAddress, Taken> taken;
  const auto overlapped = [&](const net::AddressRange& range) -> const Taken* {
    auto next = taken.upper_bound(range.first());
    if (next != taken.end() && next->second.range.overlaps(range)) return &next->second;
    if (next != taken.begin() && (--next)->second.range.overlaps(range)) return &next->second;
    return nullptr;
  };
  for (const auto* pool : by_age<IPAddressPool>()) {
    bool sound = true;
    for (std::size_t i = 0; i < pool->addresses.size(); ++i) {
      const auto* other = overlapped(pool->addresses[i]);
      if (other == nullptr) continue;
      sound = false;
      set_aside(
          *pool, "spec.addresses[" + std::to_string(i) + "]",
          net::print(pool->addresses[i]) + " overlaps " + net::print(other->range) + " of " + cite(*other->owner));
    }
    if (!sound) continue;
    sound_pools.push_back(pool);
    for (const auto& range : pool->addresses) taken.emplace(range.first(), Taken{range, pool});
  }
}

void Judge::filters() {
  for (const auto* filter : by_age<BGPFilter>()) {
    for (std::size_t i = 0; i < filter->rules.size(); ++i) {
      const auto& rule = filter->rules[i];
      const auto path = "spec.rules[" + std::to_string(i) + "].";
      // A rule that cannot know its communities may let pass what it was written to stop.
      const auto check = [&](const char* field, const std::vector<std::string>& communities) {
        for (const auto& alias : unknown_aliases(communities))
          set_aside(*filter, path + field, "no Community defines " + alias);
      };
      check("match.communities", rule.match.communities);
      check("set.addCommunities", rule.set.add_communities);
      check("set.removeCommunities", rule.set.remove_communities);
      check("set.communities", rule.set.communities.value_or(std::vector<std::string>{}));
      for (const auto& peer : rule.match.peers)
        if (!has<BGPPeer>(peer)) note(*filter, path + "match.peers", missing("BGPPeer", peer));
    }
  }
}

}  // namespace config
