// SPDX-License-Identifier: Apache-2.0
// The attributes of advertisements, how several of them become one, and the sentences of explain.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "bgp/wire/text.hpp"
#include "speaker/desired_policy.hpp"

namespace speaker {
namespace {

constexpr std::string_view large_prefix = "large:";

// False when the text is no community.
bool add_community(std::string_view text, RouteAttributes& attributes) {
  if (text.starts_with(large_prefix)) {
    const auto large = bgp::parse_large_community(text.substr(large_prefix.size()));
    if (large) attributes.large_communities.push_back(*large);
    return large.has_value();
  }
  if (const auto ipv6 = bgp::parse_ipv6_extended_community(text)) {
    attributes.ipv6_extended_communities.push_back(*ipv6);
    return true;
  }
  if (const auto extended = bgp::parse_extended_community(text)) {
    attributes.extended_communities.push_back(*extended);
    return true;
  }
  const auto community = bgp::parse_community(text);
  if (community) attributes.communities.push_back(*community);
  return community.has_value();
}

const std::string* alias_value(const config::Resources& resources, const std::string& alias) {
  for (const auto& [name, object] : resources.communities) {
    const auto found = object.communities.find(alias);
    if (found != object.communities.end()) return &found->second;
  }
  return nullptr;
}

template <class Value>
void make_set(std::vector<Value>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// One field of which only one value can hold.
struct Choice {
  std::optional<std::uint32_t> value;
  AdIndex from = 0;
};

}  // namespace

RouteAttributes DesiredPolicy::attributes_of(const config::BGPAdvertisement& ad, const config::Resources& resources) {
  RouteAttributes attributes;
  attributes.local_pref = ad.local_pref;
  attributes.med = ad.med;
  attributes.prepend = ad.prepend;
  for (const auto& text : ad.communities) {
    if (add_community(text, attributes)) continue;
    const auto* value = alias_value(resources, text);
    if (value != nullptr && add_community(*value, attributes)) continue;
    problems_.push_back({ad.meta.location, "BGPAdvertisement/" + ad.meta.name, "spec.communities",
                         "\"" + text + "\" is neither a community nor the alias of one; it is left out"});
  }
  make_set(attributes.communities);
  make_set(attributes.large_communities);
  make_set(attributes.extended_communities);
  make_set(attributes.ipv6_extended_communities);
  return attributes;
}

Announcement DesiredPolicy::merge(const AdSet& bgp_ads, std::vector<config::Problem>& problems) const {
  AdSet for_all;
  std::set<std::string> named;
  for (const auto ad : bgp_ads) {
    if (bgp_ads_[ad].peers.empty()) for_all.push_back(ad);
    named.insert(bgp_ads_[ad].peers.begin(), bgp_ads_[ad].peers.end());
  }
  Announcement announcement;
  if (!for_all.empty()) announcement.others = merge_attributes(for_all, problems);
  for (const auto& peer : named) {
    AdSet for_peer;
    std::ranges::copy_if(bgp_ads, std::back_inserter(for_peer), [&](AdIndex ad) {
      const auto& peers = bgp_ads_[ad].peers;
      return peers.empty() || std::ranges::find(peers, peer) != peers.end();
    });
    announcement.named.emplace(peer, merge_attributes(for_peer, problems));
  }
  return announcement;
}

RouteAttributes DesiredPolicy::merge_attributes(const AdSet& ads, std::vector<config::Problem>& problems) const {
  RouteAttributes merged;
  Choice local_pref;
  Choice med;
  Choice prepend;
  // Keeps the better of two values, and says that there were two.
  const auto choose = [&](Choice& best, std::optional<std::uint32_t> value, AdIndex ad, std::string_view field,
                          auto better) {
    if (!value) return;
    if (best.value && *best.value != *value) {
      const auto winner = better(*value, *best.value) ? *value : *best.value;
      problems.push_back({bgp_ads_[ad].location, "BGPAdvertisement/" + bgp_ads_[ad].name, std::string{field},
                          std::to_string(*value) + " here but " + std::to_string(*best.value) +
                              " in BGPAdvertisement/" + bgp_ads_[best.from].name + " for the same prefix and peers; " +
                              std::to_string(winner) + " is used"});
    }
    if (!best.value || better(*value, *best.value)) best = {value, ad};
  };
  for (const auto ad : ads) {
    const auto& from = bgp_ads_[ad].attributes;
    std::ranges::copy(from.communities, std::back_inserter(merged.communities));
    std::ranges::copy(from.large_communities, std::back_inserter(merged.large_communities));
    std::ranges::copy(from.extended_communities, std::back_inserter(merged.extended_communities));
    std::ranges::copy(from.ipv6_extended_communities, std::back_inserter(merged.ipv6_extended_communities));
    choose(local_pref, from.local_pref, ad, "spec.localPref", std::greater<>{});
    choose(med, from.med, ad, "spec.med", std::less<>{});
    if (from.prepend > 0) choose(prepend, from.prepend, ad, "spec.prepend", std::less<>{});
  }
  make_set(merged.communities);
  make_set(merged.large_communities);
  make_set(merged.extended_communities);
  make_set(merged.ipv6_extended_communities);
  merged.local_pref = local_pref.value;
  merged.med = med.value;
  merged.prepend = static_cast<std::uint8_t>(prepend.value.value_or(0));
  return merged;
}

template <class Ad>
std::string DesiredPolicy::names(const std::vector<Ad>& all, const AdSet& ads) {
  std::string text;
  for (const auto ad : ads) text += (text.empty() ? "" : ", ") + all[ad].name;
  return text;
}

std::string DesiredPolicy::describe(const AddressOutcome& outcome, Method method) const {
  const auto bgp = method == Method::Bgp;
  const auto& result = bgp ? outcome.bgp : outcome.layer2;
  const std::string kind = bgp ? "BGPAdvertisement" : "L2Advertisement";
  const auto pool = outcome.pool ? pools_[*outcome.pool].name : std::string{};
  const auto of_pool = [&] {
    return bgp ? names(bgp_ads_, pools_[*outcome.pool].bgp) : names(layer2_ads_, pools_[*outcome.pool].layer2);
  };
  const auto chosen = bgp ? names(bgp_ads_, result.ads) : names(layer2_ads_, result.ads);
  switch (result.gate) {
    case Gate::NotInPool:
      return net::print(outcome.address) + " is in no IPAddressPool";
    case Gate::NoAdvertisement:
      return "no " + kind + " selects IPAddressPool " + pool;
    case Gate::ServiceNotSelected:
      return "IPAddressPool " + pool + " is selected by " + kind + " " + of_pool() +
             ", whose serviceSelectors do not match the service";
    case Gate::NodeNotSelected:
      return "nodeSelectors of " + kind + " " + chosen + " do not match node " + scope_.node;
    case Gate::NodeExcluded:
      return "node " + scope_.node + " has the label node.kubernetes.io/exclude-from-external-load-balancers";
    case Gate::NodeUnavailable:
      return here_missing_ ? "there is no Node " + scope_.node
                           : "node " + scope_.node + " has the condition NetworkUnavailable";
    case Gate::NoEndpoints:
      return "no endpoint is ready, nor serving while it terminates";
    case Gate::NoLocalEndpoint:
      return "externalTrafficPolicy is Local and node " + scope_.node + " has no usable endpoint";
    default:
      return "announced by " + kind + " " + chosen;
  }
}

}  // namespace speaker
