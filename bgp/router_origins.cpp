// SPDX-License-Identifier: Apache-2.0
// Routes of this router that come and go with the tables: aggregates and default routes; and export filters that
// ask what the tables have.
#include <algorithm>
#include <set>

#include "bgp/router_core.hpp"

namespace bgp {
namespace {

const net::Prefix& default_of(net::Family family) {
  static const net::Prefix ipv4{*net::Ipv4Prefix::make({}, 0)};
  static const net::Prefix ipv6{*net::Ipv6Prefix::make({}, 0)};
  return family == net::Family::Ipv4 ? ipv4 : ipv6;
}

// Lets the tables' default route through to a neighbour that is to have one, with this router as its next hop.
Filter default_filter(const net::Prefix& prefix) {
  FilterRule rule;
  rule.name = "default";
  rule.match.prefixes = {{prefix, 0, 0}};
  rule.set.next_hop = NextHopChange::Self;
  return {"default-originate", {rule}};
}

// RFC 4271 section 9.2.2.2: what all paths begin with, then the set of all other numbers.
AsPath aggregate_path(const std::vector<AsPath>& paths) {
  std::vector<net::Asn> common;
  bool first = true;
  for (const auto& path : paths) {
    std::vector<net::Asn> head;
    if (!path.segments.empty() && path.segments.front().type == AsPathSegment::Type::Sequence)
      head = path.segments.front().asns;
    if (std::exchange(first, false)) {
      common = std::move(head);
      continue;
    }
    const auto [end, other] = std::mismatch(common.begin(), common.end(), head.begin(), head.end());
    common.erase(end, common.end());
  }
  std::set<net::Asn> others;
  for (const auto& path : paths) {
    std::size_t skip = common.size();
    for (const auto& segment : path.segments) {
      for (const auto asn : segment.asns) {
        if (skip > 0)
          --skip;
        else
          others.insert(asn);
      }
    }
  }
  AsPath whole;
  if (!common.empty()) whole.segments.push_back({AsPathSegment::Type::Sequence, common});
  constexpr std::size_t full = 255;
  std::vector<net::Asn> rest{others.begin(), others.end()};
  for (std::size_t at = 0; at < rest.size(); at += full) {
    const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(at);
    whole.segments.push_back(
        {AsPathSegment::Type::Set, {begin, begin + static_cast<std::ptrdiff_t>(std::min(full, rest.size() - at))}});
  }
  return whole;
}

// What is told of one route, and not of others beside it.
bool of_one_route(Community community) {
  return community == community_graceful_shutdown || community == community_llgr_stale;
}

// RFC 1997 "Aggregation", RFC 4360 section 6, RFC 8092 section 4: an aggregate carries what any of the routes within
// does.
struct CommunityUnion {
  std::set<Community> standard;
  std::set<ExtendedCommunity> extended;
  std::set<LargeCommunity> large;
  std::set<Ipv6ExtendedCommunity> ipv6_extended;

  void add(const PathAttributes& from) {
    for (const auto each : from.communities)
      if (!of_one_route(each)) standard.insert(each);
    for (const auto each : from.extended_communities)
      if (!link_bandwidth(each)) extended.insert(each);
    large.insert(from.large_communities.begin(), from.large_communities.end());
    ipv6_extended.insert(from.ipv6_extended_communities.begin(), from.ipv6_extended_communities.end());
  }
  // Half of what every neighbour can be told in one message: the path needs room as well.
  [[nodiscard]] bool fits() const {
    return 4 * standard.size() + 8 * extended.size() + 12 * large.size() + 20 * ipv6_extended.size() <=
           max_message_size / 2;
  }
  void give(PathAttributes& to) const {
    for (const auto each : standard)
      if (!to.has(each)) to.communities.push_back(each);
    to.extended_communities.assign(extended.begin(), extended.end());
    to.large_communities.assign(large.begin(), large.end());
    to.ipv6_extended_communities.assign(ipv6_extended.begin(), ipv6_extended.end());
  }
};

// How far a route with these flags of attribute sets may go.
AudienceId audience_within(unsigned flags) {
  if ((flags & AttributeSet::no_advertise) != 0) return nobody;
  if ((flags & AttributeSet::no_export_subconfed) != 0) return own_as;
  return (flags & AttributeSet::no_export) != 0 ? own_confederation : everyone;
}

// Says the same to those who hear it.
void keep_within(unsigned flags, PathAttributes& attributes) {
  const auto say =
      (flags & AttributeSet::no_export_subconfed) != 0 ? community_no_export_subconfed : community_no_export;
  if ((flags & AttributeSet::no_export) != 0 && !attributes.has(say)) attributes.communities.push_back(say);
}

}  // namespace

Presence Router::Core::presence(const net::Prefix& prefix) const {
  return prefix.is_v4() ? ipv4_.presence(prefix.v4()) : ipv6_.presence(prefix.v6());
}

// ---- what is asked of the tables --------------------------------------------------------------------

void Router::Core::watch_tables() {
  std::set<net::Prefix> asked;
  bool defaults = false;
  for (const auto& [id, neighbor] : neighbors_) {
    if (neighbor.config.export_filter)
      for (const auto& prefix : table_conditions(*neighbor.config.export_filter)) asked.insert(prefix);
    if (!neighbor.config.default_originate) continue;
    defaults = true;
    for (const auto& prefix : neighbor.config.default_originate->when_present) asked.insert(prefix);
  }
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6})
    if (defaults) asked.insert(default_of(family));
  if (asked == asked_) return;
  asked_ = std::move(asked);
  std::vector<net::Ipv4Prefix> ipv4;
  std::vector<net::Ipv6Prefix> ipv6;
  for (const auto& prefix : asked_) prefix.is_v4() ? ipv4.push_back(prefix.v4()) : ipv6.push_back(prefix.v6());
  ipv4_.watch(ipv4);
  ipv6_.watch(ipv6);
}

void Router::Core::watch_aggregates() {
  std::vector<AggregateTarget<net::Ipv4Prefix>> ipv4;
  std::vector<AggregateTarget<net::Ipv6Prefix>> ipv6;
  for (const auto& each : config_.aggregates) {
    const auto detail = each.as_set ? AggregateDetail::Attributes : AggregateDetail::Existence;
    if (each.prefix.is_v4())
      ipv4.push_back({each.prefix.v4(), detail});
    else
      ipv6.push_back({each.prefix.v6(), detail});
  }
  ipv4_.aggregate(std::move(ipv4));
  ipv6_.aggregate(std::move(ipv6));
  std::set<net::Prefix> wanted;
  for (const auto& each : config_.aggregates) wanted.insert(each.prefix);
  const auto before = std::exchange(active_aggregates_, {});
  for (const auto& prefix : before)
    if (!wanted.contains(prefix)) withdraw_own(prefix);
  update_aggregates();
}

FilterChain Router::Core::resolved(const FilterChain& chain) const {
  return resolve(chain, [this](const net::Prefix& prefix) { return presence(prefix).selected; });
}

bool Router::Core::default_wanted(const Neighbor& neighbor) const {
  const auto& wanted = neighbor.config.default_originate;
  return wanted && std::all_of(wanted->when_present.begin(), wanted->when_present.end(),
                               [this](const net::Prefix& prefix) { return presence(prefix).selected; });
}

void Router::Core::add_table_terms(const Neighbor& neighbor, net::Family family, ExportTerms& terms) const {
  if (terms.filter && !table_conditions(*terms.filter).empty()) terms.filter = resolved(*terms.filter);
  if (neighbor.config.default_originate && presence(default_of(family)).learned && default_wanted(neighbor)) {
    if (!terms.filter) terms.filter = FilterChain{accept_local()};
    terms.filter->insert(terms.filter->begin(), default_filter(default_of(family)));
  }
  for (const auto& each : config_.aggregates) {
    if (each.summary_only && each.prefix.family() == family && active_aggregates_.contains(each.prefix))
      terms.summaries.push_back(each.prefix);
  }
}

// ---- what comes of it -------------------------------------------------------------------------------

void Router::Core::follow_tables() {
  bool changed = false;
  each_rib([&](net::Family, auto& rib) { changed = rib.take_watch_changed() || changed; });
  if (!changed) return;
  update_defaults();
  for (auto& [id, neighbor] : neighbors_) retarget(neighbor, Difference::Find);
}

void Router::Core::update_defaults() {
  std::vector<std::string> names;
  for (const auto& [id, neighbor] : neighbors_)
    if (default_wanted(neighbor)) names.push_back(neighbor.config.name);
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    const auto& prefix = default_of(family);
    if (names.empty() || presence(prefix).learned) {
      withdraw_own(prefix);
      continue;
    }
    originate_own(prefix, own_attributes(prefix), audience_of(names));
  }
}

void Router::Core::update_aggregates() {
  bool summaries = false;
  each_rib([&](net::Family family, auto& rib) {
    const auto dirty = rib.take_dirty_aggregates();
    if (dirty.empty()) return;
    std::size_t place = 0;
    for (const auto& each : config_.aggregates) {
      if (each.prefix.family() != family) continue;
      if (std::find(dirty.begin(), dirty.end(), place) != dirty.end()) {
        const auto sets = rib.contributors(place);
        const bool known = active_aggregates_.contains(each.prefix);
        summaries = summaries || (each.summary_only && known == sets.empty());
        update_aggregate(each, rib.origin_of_aggregate(place), sets);
      }
      ++place;
    }
  });
  if (!summaries) return;
  for (auto& [id, neighbor] : neighbors_) retarget(neighbor, Difference::Find);
}

// RFC 4271 section 9.2.2.2.
void Router::Core::update_aggregate(const Aggregate& aggregate, Origin origin,
                                    const std::vector<const AttributeSet*>& sets) {
  if (sets.empty()) {
    active_aggregates_.erase(aggregate.prefix);
    return withdraw_own(aggregate.prefix);
  }
  active_aggregates_.insert(aggregate.prefix);
  auto attributes = own_attributes(aggregate.prefix);
  attributes.communities = aggregate.communities;
  attributes.aggregator = Aggregator{home_of(config_), {config_.router_id.value}};
  attributes.origin = origin;
  // Without the set, numbers are missing in the path.
  attributes.atomic_aggregate = !aggregate.as_set;
  std::vector<AsPath> paths;
  CommunityUnion communities;
  unsigned flags = 0;
  if (aggregate.as_set) {
    for (const auto* set : sets) {
      auto from = set->attributes();
      // RFC 7999: to be dropped, and told to nobody, is one address and not the aggregate.
      if (!from.has(community_blackhole)) {
        flags |= set->flags;
        if (communities.fits()) communities.add(from);
      }
      attributes.atomic_aggregate = attributes.atomic_aggregate || from.atomic_aggregate;
      from.as_path.remove_confederation();
      paths.push_back(std::move(from.as_path));
    }
    attributes.as_path = aggregate_path(paths);
    if (communities.fits()) {
      communities.give(attributes);
    } else {
      attributes.atomic_aggregate = true;
      keep_within(flags, attributes);
    }
    if (!encodable(attributes)) {  // the numbers of a whole table: more than a path can hold
      attributes.as_path = {};
      attributes.atomic_aggregate = true;
    }
  }
  originate_own(aggregate.prefix, attributes, audience_within(flags));
}

// ---- into the tables, beside what set_local() says, which goes first ---------------------------------

void Router::Core::originate_own(const net::Prefix& prefix, const PathAttributes& attributes, AudienceId audience) {
  const auto set = pool_.intern(attributes);
  const std::pair<AttributeSet*, AudienceId> path{set.get(), audience};
  const auto own = own_routes_.try_emplace(prefix, OwnRoute::Waiting).first;
  if (own->second == OwnRoute::Waiting && presence(prefix).local) return;
  own->second = OwnRoute::Told;
  with_table(prefix, [&](auto& rib, const auto& typed) { rib.set_local(typed, std::span{&path, 1}); });
}

AudienceId Router::Core::audience_of(std::vector<std::string> names) {
  const auto before = audiences_.size();
  const auto audience = audiences_.of(std::move(names));
  // No route is for a new audience yet, so the outcome is the same for everybody.
  if (audiences_.size() != before)
    for (auto& [id, neighbor] : neighbors_) retarget(neighbor, Difference::None);
  return audience;
}

void Router::Core::withdraw_own(const net::Prefix& prefix) {
  const auto own = own_routes_.find(prefix);
  if (own == own_routes_.end()) return;
  const bool told = own->second == OwnRoute::Told;
  own_routes_.erase(own);
  if (!told) return;
  with_table(prefix, [&](auto& rib, const auto& typed) {
    rib.set_local(typed, std::span<const std::pair<AttributeSet*, AudienceId>>{});
  });
}

void Router::Core::give_way(const net::Prefix& prefix, GivesWay how) {
  const auto own = own_routes_.find(prefix);
  if (own == own_routes_.end()) return;
  if (how == GivesWay::Yes) {
    own->second = OwnRoute::Waiting;
    return;
  }
  // Free again: as if it had just been found to be needed.
  own_routes_.erase(own);
  if (prefix == default_of(prefix.family())) return update_defaults();
  for (const auto& each : config_.aggregates) {
    if (each.prefix != prefix) continue;
    each_rib([&](net::Family family, auto& rib) {
      if (family == prefix.family()) rib.touch_aggregates();
    });
  }
  update_aggregates();
}

}  // namespace bgp
