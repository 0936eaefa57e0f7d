// SPDX-License-Identifier: Apache-2.0
// BGPFilter.
#include "config/dialects/calico.hpp"
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"
#include "net/as_path_pattern.hpp"

namespace config::calico {
namespace {

constexpr std::size_t most_operations = 10;

enum class MatchOperator : std::uint8_t { Equal, NotEqual, In, NotIn };

struct Lengths {
  std::optional<std::uint8_t> least;
  std::optional<std::uint8_t> most;
};
Lengths parse_lengths(Cursor in) {
  Lengths lengths;
  lengths.least = in.optional("min", number<std::uint8_t>(0, 128));
  lengths.most = in.optional("max", number<std::uint8_t>(0, 128));
  in.no_other_keys();
  return lengths;
}

// Calico writes large communities without a word in front.
Checked<std::string> community(const Value& value) {
  auto found = text(value);
  if (!found) return found;
  if (is_community(*found, Wildcards::Refused) && !found->starts_with("large:")) return found;
  if (is_community("large:" + *found, Wildcards::Refused)) return "large:" + *found;
  return net::fail(must_be("a community such as 65001:100 or 65001:1:2", value));
}

void parse_prefix_match(Cursor& in, net::Family family, BGPFilter::Match& match) {
  const auto cidr = in.optional("cidr", prefix);
  const auto how = in.optional("matchOperator", choice<MatchOperator>({{"Equal", MatchOperator::Equal},
                                                                       {"NotEqual", MatchOperator::NotEqual},
                                                                       {"In", MatchOperator::In},
                                                                       {"NotIn", MatchOperator::NotIn}}));
  const auto lengths = in.optional("prefixLength", parse_lengths);
  if (in.has("cidr") != in.has("matchOperator"))
    return in.problem(in.has("cidr") ? "matchOperator" : "cidr", "is required: cidr and matchOperator go together");
  if (in.has("prefixLength") && !in.has("cidr")) return in.problem("prefixLength", "means nothing without cidr");
  if (!cidr || !how) return;
  if (cidr->family() != family) return in.problem("cidr", "must be of the list's own family, got " + net::print(*cidr));
  const auto length = static_cast<std::uint8_t>(cidr->length());
  const bool exact = *how == MatchOperator::Equal || *how == MatchOperator::NotEqual;
  const auto longest = static_cast<std::uint8_t>(net::address_bits(family));
  BGPFilter::PrefixMatch entry{*cidr, length, exact ? length : longest};
  if (lengths && lengths->least) entry.ge = std::max(length, *lengths->least);
  // What is exact is not made longer.
  if (lengths && lengths->most) entry.le = exact ? std::min(length, *lengths->most) : *lengths->most;
  if (exact && entry.le < entry.ge)
    return in.problem("prefixLength", "must leave the length " + std::to_string(length) +
                                          ": Equal and NotEqual mean the prefix itself");
  if (entry.le < entry.ge || entry.le > longest)
    return in.problem("prefixLength",
                      "must leave lengths from " + std::to_string(length) + " to " + std::to_string(longest));
  const bool inside = *how == MatchOperator::Equal || *how == MatchOperator::In;
  (inside ? match.prefixes : match.not_prefixes).push_back(entry);
}

std::vector<std::string> parse_communities(Cursor in) {
  auto values = in.required_list("values", community);
  if (values.size() > 1) in.problem("values", "must have one entry");
  in.no_other_keys();
  return values;
}

std::string parse_added(Cursor in) {
  auto value = in.required("value", community);
  in.no_other_keys();
  return value;
}

std::vector<Asn> parse_prepended(Cursor in) {
  auto prefix = in.required_list("prefix", asn);
  in.no_other_keys();
  return prefix;
}

// Calico's priority is the metric of the route in the kernel.
std::uint32_t parse_priority(Cursor in) {
  const auto value = in.required("value", priority);
  in.no_other_keys();
  return value;
}

// One operation, as the set of a rule.
BGPFilter::Set parse_operation(Cursor in) {
  BGPFilter::Set set;
  if (const auto added = in.optional("addCommunity", parse_added)) set.add_communities = {*added};
  if (const auto prepended = in.optional("prependASPath", parse_prepended)) set.prepend_path = *prepended;
  set.kernel_metric = in.optional("setPriority", parse_priority);
  in.no_other_keys();
  return set;
}

std::string as_path_prefix(const std::vector<Asn>& asns) {
  std::string pattern = "^";
  for (const auto each : asns) pattern += net::print(each) + "_";
  return pattern;
}

BGPFilter::Rule parse_rule(Cursor in, net::Family family, Direction direction) {
  BGPFilter::Rule rule;
  auto& match = rule.match;
  match.family = family == net::Family::Ipv4 ? AddressFamily::Ipv4Unicast : AddressFamily::Ipv6Unicast;
  match.direction = direction;
  rule.action =
      in.required("action", choice<FilterAction>({{"Accept", FilterAction::Accept}, {"Reject", FilterAction::Reject}}));
  parse_prefix_match(in, family, match);
  match.source = in.optional("source", choice<std::string>({{"RemotePeers", "learned"}}));
  match.peer_type = in.optional("peerType", choice<std::string>({{"eBGP", "external"}, {"iBGP", "internal"}}));
  match.communities = in.optional("communities", parse_communities, match.communities);
  if (const auto path = in.non_empty_list("asPathPrefix", asn)) {
    match.as_path_regex = {as_path_prefix(*path)};
    if (const auto pattern = net::parse_as_path_pattern(match.as_path_regex[0]); !pattern)
      in.problem("asPathPrefix", "is not a pattern that Herald reads: it " + pattern.error());
  }
  if (const auto name = in.optional("interface", interface_name)) match.interfaces = {*name};
  match.kernel_metric = in.optional("priority", priority);
  const auto operations = in.list("operations", parse_operation);
  if (operations.size() > most_operations) in.problem("operations", "must have at most 10 entries");
  if (!operations.empty() && rule.action == FilterAction::Reject)
    in.problem("operations", "mean nothing in a rule that rejects");
  for (const auto& operation : operations) {
    auto& set = rule.set;
    if (operation.kernel_metric) set.kernel_metric = operation.kernel_metric;
    set.add_communities.insert(set.add_communities.end(), operation.add_communities.begin(),
                               operation.add_communities.end());
    // What is prepended later stands farther in front.
    set.prepend_path.insert(set.prepend_path.begin(), operation.prepend_path.begin(), operation.prepend_path.end());
  }
  if (rule.set.prepend_path.size() > 16) in.problem("operations", "must not prepend more than 16 AS numbers");
  in.no_other_keys();
  return rule;
}

}  // namespace

Checked<std::uint32_t> priority(const Value& value) {
  return number<std::uint32_t>(1, 2147483646)(value);
}

BGPFilter parse_bgp_filter(Cursor in) {
  BGPFilter filter;
  filter.meta = parse_meta(in, NamespaceRule::Dropped);
  auto spec = in.object("spec");
  struct List {
    const char* key;
    net::Family family;
    Direction direction;
  };
  constexpr List lists[] = {{"importV4", net::Family::Ipv4, Direction::Import},
                            {"importV6", net::Family::Ipv6, Direction::Import},
                            {"exportV4", net::Family::Ipv4, Direction::Export},
                            {"exportV6", net::Family::Ipv6, Direction::Export}};
  for (const auto& list : lists) {
    auto rules =
        spec.list(list.key, [&](Cursor each) { return parse_rule(std::move(each), list.family, list.direction); });
    for (std::size_t i = 0; i < rules.size(); ++i) {
      rules[i].name = std::string{list.key} + " rule " + std::to_string(i + 1);
      filter.rules.push_back(std::move(rules[i]));
    }
  }
  spec.no_other_keys();
  in.no_other_keys();
  if (built_in_filter(filter.meta.name))
    in.object("metadata").problem("name", "must not be " + filter.meta.name + ": a filter of that name is built in");
  return filter;
}

}  // namespace config::calico
