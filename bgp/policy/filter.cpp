// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/filter.hpp"

#include <algorithm>

#include "bgp/wire/text.hpp"

namespace bgp {
namespace {

template <class List, class Holds>
bool any(const List& list, Holds&& holds) {
  return std::any_of(list.begin(), list.end(), holds);
}

bool carries(const PathAttributes& attributes, const CommunityPattern& pattern) {
  const auto matches = [&](const auto& community) { return pattern.matches(community); };
  switch (pattern.kind()) {
    case CommunityPattern::Kind::Standard:
      return any(attributes.communities, matches);
    case CommunityPattern::Kind::Large:
      return any(attributes.large_communities, matches);
    case CommunityPattern::Kind::Extended:
      return any(attributes.extended_communities, matches);
    case CommunityPattern::Kind::Octets:
      return any(attributes.extended_communities, matches) || any(attributes.ipv6_extended_communities, matches);
    case CommunityPattern::Kind::Ipv6Extended:
      break;
  }
  return any(attributes.ipv6_extended_communities, matches);
}

bool path_matches(const RuleMatch& match, const AsPath& path) {
  if (!match.as_path_contains.empty() && !any(match.as_path_contains, [&](net::Asn asn) { return path.contains(asn); }))
    return false;
  if (!match.origin_as.empty() && !any(match.origin_as, [&](net::Asn asn) { return path.origin() == asn; }))
    return false;
  if (!match.neighbor_as.empty() && !any(match.neighbor_as, [&](net::Asn asn) { return path.first() == asn; }))
    return false;
  if (!match.as_path.empty()) {
    const auto text = print(path);
    if (!any(match.as_path, [&](const auto& pattern) { return pattern.matches(text); })) return false;
  }
  if (match.as_path_min_length && path.length() < *match.as_path_min_length) return false;
  return !match.as_path_max_length || path.length() <= *match.as_path_max_length;
}

bool about_route(const RuleMatch& match, const RouteContext& context) {
  const auto& prefix = context.prefix;
  if (match.family && *match.family != prefix.family()) return false;
  if (!match.prefixes.empty() && !any(match.prefixes, [&](const auto& each) { return each.matches(prefix); }))
    return false;
  if (any(match.not_prefixes, [&](const auto& each) { return each.matches(prefix); })) return false;
  return !match.rpki || context.validity == *match.rpki;
}

// "*" stands for any characters, none included.
bool matches_name(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  for (name.remove_prefix(star); !name.empty(); name.remove_prefix(1))
    if (matches_name(pattern, name)) return true;
  return matches_name(pattern, name);
}

bool leads_over(const RuleMatch& match, const RouteContext& context, const PathAttributes& attributes) {
  const auto name = context.links == nullptr ? std::string_view{} : context.links->name(attributes.link);
  return !name.empty() && any(match.interfaces, [&](const auto& each) { return matches_name(each, name); });
}

bool has_metric(const MetricMatch& wanted, const PathAttributes& attributes) {
  return attributes.kernel_metric == 0 ? wanted.of_all : attributes.kernel_metric == wanted.metric;
}

bool holds(const RuleMatch& match, const RouteContext& context, const PathAttributes& attributes) {
  if (!about_route(match, context)) return false;
  if (match.source && *match.source != context.source) return false;
  if (match.peer_type && *match.peer_type != context.peer_type) return false;
  if (!match.communities.empty() &&
      !any(match.communities, [&](const auto& each) { return carries(attributes, each); }))
    return false;
  if (!path_matches(match, attributes.as_path)) return false;
  if (!match.next_hops.empty() &&
      !any(match.next_hops, [&](const auto& each) { return each.contains(attributes.next_hop.address); }))
    return false;
  if (!match.peers.empty() && !any(match.peers, [&](const auto& each) { return each == context.peer; })) return false;
  if (match.origin && *match.origin != attributes.origin) return false;
  if (match.local_pref && match.local_pref != attributes.local_pref) return false;
  if (!match.interfaces.empty() && !leads_over(match, context, attributes)) return false;
  if (match.kernel_metric && !has_metric(*match.kernel_metric, attributes)) return false;
  return !match.med || match.med == attributes.med;
}

// Lists are sets (RFC 1997, RFC 8092); sorted when they are touched, so that equal sets are equal bytes.
template <class Value>
void add_missing(std::vector<Value>& to, const std::vector<Value>& values) {
  if (values.empty()) return;
  std::sort(to.begin(), to.end());
  for (const auto& value : values) {
    const auto place = std::lower_bound(to.begin(), to.end(), value);
    if (place == to.end() || *place != value) to.insert(place, value);
  }
}

void change_communities(const RuleSet& set, PathAttributes& attributes) {
  if (set.replace_communities) {
    attributes.communities.clear();
    attributes.large_communities.clear();
    attributes.extended_communities.clear();
    attributes.ipv6_extended_communities.clear();
  }
  for (const auto& pattern : set.remove_communities) {
    const auto matches = [&](const auto& community) { return pattern.matches(community); };
    std::erase_if(attributes.communities, matches);
    std::erase_if(attributes.large_communities, matches);
    std::erase_if(attributes.extended_communities, matches);
    std::erase_if(attributes.ipv6_extended_communities, matches);
  }
  add_missing(attributes.communities, set.add_communities);
  add_missing(attributes.large_communities, set.add_large_communities);
  add_missing(attributes.extended_communities, set.add_extended_communities);
  add_missing(attributes.ipv6_extended_communities, set.add_ipv6_extended_communities);
}

void apply(const RuleSet& set, const RouteContext& context, PathAttributes& attributes, Verdict& verdict) {
  if (set.local_pref) attributes.local_pref = set.local_pref;
  if (set.med) {
    attributes.med = set.med;
    verdict.med_set = true;
  }
  if (set.aigp) {
    if (!attributes.aigp) attributes.aigp.emplace();
    attributes.aigp->metric = *set.aigp;
  }
  if (set.origin) attributes.origin = *set.origin;
  if (set.kernel_metric) attributes.kernel_metric = *set.kernel_metric;
  for (auto asn = set.prepend_path.rbegin(); asn != set.prepend_path.rend(); ++asn) attributes.as_path.prepend(*asn);
  if (set.prepend > 0 && context.prepends) attributes.as_path.prepend(context.own_asn, set.prepend, *context.prepends);
  change_communities(set, attributes);
  if (set.link_bandwidth) {
    auto& communities = attributes.extended_communities;
    std::erase_if(communities, [](ExtendedCommunity each) { return link_bandwidth(each).has_value(); });
    add_missing(communities, std::vector{link_bandwidth(context.own_asn, *set.link_bandwidth)});
  }
  // An IPv6 prefix is never reached through IPv4; the other way round it is (RFC 8950).
  if (set.next_hop == NextHopChange::Address && set.next_hop_address.is_v4() && !context.prefix.is_v4()) return;
  if (set.next_hop != NextHopChange::Unchanged) verdict.next_hop = set.next_hop;
  if (set.next_hop == NextHopChange::Address) attributes.next_hop = {set.next_hop_address, std::nullopt};
}

template <class Asks>
bool any_rule(const FilterChain& chain, Asks&& asks) {
  return any(chain, [&](const Filter& filter) { return any(filter.rules, asks); });
}

}  // namespace

bool PrefixMatch::matches(const net::Prefix& prefix) const {
  return prefix.length() >= ge && prefix.length() <= le && cidr.contains(prefix);
}

Filter accept_all() {
  return {.name = "accept-all", .rules = {{.name = "all", .match = {}, .set = {}, .action = RuleAction::Accept}}};
}

Filter reject_all() {
  return {.name = "reject-all", .rules = {{.name = "all", .match = {}, .set = {}, .action = RuleAction::Reject}}};
}

Filter accept_local() {
  FilterRule rule;
  rule.name = "local";
  rule.match.source = RouteSource::Local;
  return {.name = "accept-local", .rules = {rule}};
}

Verdict run(const FilterChain& chain, const RouteContext& context, PathAttributes& attributes) {
  Verdict verdict;
  for (const auto& filter : chain) {
    for (const auto& rule : filter.rules) {
      if (!holds(rule.match, context, attributes)) continue;
      if (rule.action != RuleAction::Reject) apply(rule.set, context, attributes, verdict);
      if (rule.action == RuleAction::Next) continue;
      verdict.accepted = rule.action == RuleAction::Accept;
      verdict.filter = &filter;
      verdict.rule = &rule;
      return verdict;
    }
  }
  return verdict;
}

bool depends_on_prefix(const FilterChain& chain) {
  return any_rule(chain, [](const FilterRule& rule) {
    return !rule.match.prefixes.empty() || !rule.match.not_prefixes.empty() || rule.match.rpki;
  });
}

bool depends_on_rpki(const FilterChain& chain) {
  return any_rule(chain, [](const FilterRule& rule) { return rule.match.rpki.has_value(); });
}

bool depends_on_links(const FilterChain& chain) {
  return any_rule(chain, [](const FilterRule& rule) { return !rule.match.interfaces.empty(); });
}

std::vector<net::Prefix> table_conditions(const FilterChain& chain) {
  std::vector<net::Prefix> all;
  for (const auto& filter : chain) {
    for (const auto& rule : filter.rules) {
      for (const auto* list : {&rule.match.when_present, &rule.match.when_absent})
        all.insert(all.end(), list->begin(), list->end());
    }
  }
  return all;
}

FilterChain resolve(FilterChain chain, const std::function<bool(const net::Prefix&)>& present) {
  for (auto& filter : chain) {
    std::erase_if(filter.rules, [&](const FilterRule& rule) {
      return any(rule.match.when_present, [&](const auto& prefix) { return !present(prefix); }) ||
             any(rule.match.when_absent, present);
    });
    for (auto& rule : filter.rules) {
      rule.match.when_present.clear();
      rule.match.when_absent.clear();
    }
  }
  return chain;
}

bool depends_on_peer(const FilterChain& chain) {
  return any_rule(chain, [](const FilterRule& rule) { return !rule.match.peers.empty(); });
}

bool accepts_everything(const FilterChain& chain) {
  for (const auto& filter : chain) {
    for (const auto& rule : filter.rules) {
      if (rule.match == RuleMatch{} && rule.set.empty() && rule.action == RuleAction::Accept) return true;
      if (rule.action != RuleAction::Next || !rule.set.empty()) return false;
    }
  }
  return false;
}

std::string describe(const Verdict& verdict) {
  if (verdict.rule == nullptr) return "no rule matched";
  return "filter " + verdict.filter->name + ", rule " + verdict.rule->name;
}

}  // namespace bgp
