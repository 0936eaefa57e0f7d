// SPDX-License-Identifier: Apache-2.0
// BGPFilter.
#include "config/kinds/kinds.hpp"
#include "config/rules.hpp"
#include "net/as_path_pattern.hpp"

namespace config {
namespace {

using nlohmann::json;
using Rule = BGPFilter::Rule;

BGPFilter::PrefixMatch parse_prefix_match(Cursor in) {
  BGPFilter::PrefixMatch match;
  match.cidr = in.required("cidr", prefix);
  const auto shortest = static_cast<std::uint8_t>(match.cidr.length());
  const auto longest = static_cast<std::uint8_t>(net::address_bits(match.cidr.family()));
  const auto ge = in.optional("ge", number<std::uint8_t>(0, 128));
  const auto le = in.optional("le", number<std::uint8_t>(0, 128));
  in.no_other_keys();

  match.ge = ge.value_or(shortest);
  // As in everybody's prefix lists: "ge" alone reaches to the longest, nothing at all means exactly this one.
  match.le = le.value_or(ge ? longest : shortest);
  const auto bounds = std::to_string(shortest) + " to " + std::to_string(longest);
  if (match.ge < shortest || match.ge > longest)
    in.problem("ge", "must be from " + bounds + ", got " + std::to_string(match.ge));
  if (match.le < shortest || match.le > longest)
    in.problem("le", "must be from " + bounds + ", got " + std::to_string(match.le));
  else if (match.le < match.ge)
    in.problem("le", "must not be below ge (" + std::to_string(match.ge) + "), got " + std::to_string(match.le));
  return match;
}

// A condition that is there and empty would hold for nothing, or for everything; both are surprises.
auto conditions(Cursor& in, std::string_view key, auto rule) {
  return in.non_empty_list(key, rule).value_or(std::vector<rule_result_t<decltype(rule)>>{});
}

Checked<std::string> as_path_regex(const Value& value) {
  auto pattern = text(value);
  if (!pattern) return pattern;
  if (const auto parsed = net::parse_as_path_pattern(*pattern); !parsed)
    return net::fail("is not a regular expression over AS paths such as _65001_ or ^65001_65002$: it " +
                     parsed.error());
  return pattern;
}

BGPFilter::Match parse_match(Cursor in) {
  BGPFilter::Match match;
  match.prefixes = conditions(in, "prefixes", parse_prefix_match);
  match.not_prefixes = conditions(in, "notPrefixes", parse_prefix_match);
  match.family = in.optional("family", choice<AddressFamily>({{"ipv4-unicast", AddressFamily::Ipv4Unicast},
                                                              {"ipv6-unicast", AddressFamily::Ipv6Unicast}}));
  match.direction =
      in.optional("direction", choice<Direction>({{"import", Direction::Import}, {"export", Direction::Export}}));
  match.as_path_regex = conditions(in, "asPathRegex", as_path_regex);
  match.communities = conditions(in, "communities", community_pattern_or_alias);
  match.as_path_contains = conditions(in, "asPathContains", asn);
  match.origin_as = conditions(in, "originAS", asn);
  match.neighbor_as = conditions(in, "neighborAS", asn);
  match.as_path_min_length = in.optional("asPathMinLength", number<std::uint16_t>());
  match.as_path_max_length = in.optional("asPathMaxLength", number<std::uint16_t>());
  match.next_hops = conditions(in, "nextHops", prefix);
  match.interfaces = conditions(in, "interfaces", interface_name);
  match.peers = conditions(in, "peers", object_name);
  match.origin = in.optional("origin", one_of({"igp", "egp", "incomplete"}));
  match.med = in.optional("med", number<std::uint32_t>());
  match.local_pref = in.optional("localPref", number<std::uint32_t>());
  match.kernel_metric = in.optional("kernelMetric", number<std::uint32_t>(1));
  match.source = in.optional("source", one_of({"learned", "local"}));
  match.peer_type = in.optional("peerType", one_of({"external", "internal", "confederation"}));
  match.rpki = in.optional("rpki", one_of({"valid", "invalid", "not-found"}));
  match.when_present = conditions(in, "whenPresent", prefix);
  match.when_absent = conditions(in, "whenAbsent", prefix);
  in.no_other_keys();

  if (match.as_path_min_length && match.as_path_max_length && *match.as_path_min_length > *match.as_path_max_length)
    in.problem("asPathMaxLength", "must not be below asPathMinLength");
  // Whether a table has a prefix is asked when something is announced.
  if (match.direction == Direction::Import && !(match.when_present.empty() && match.when_absent.empty()))
    in.problem("direction", "must not be import together with whenPresent or whenAbsent");
  return match;
}

BGPFilter::Set parse_set(Cursor in) {
  BGPFilter::Set set;
  set.local_pref = in.optional("localPref", number<std::uint32_t>());
  set.med = in.optional("med", number<std::uint32_t>());
  set.prepend = in.optional("prepend", number<std::uint8_t>(0, 16), set.prepend);
  set.prepend_path = in.list("prependPath", asn);
  if (set.prepend_path.size() > 16) in.problem("prependPath", "must have at most 16 entries");
  set.origin = in.optional("origin", one_of({"igp", "egp", "incomplete"}));
  set.add_communities = in.list("addCommunities", community_or_alias);
  set.remove_communities = in.list("removeCommunities", community_pattern_or_alias);
  set.communities = in.optional_list("communities", community_or_alias);
  // An address, or the word.
  const auto next_hop = in.optional("nextHop", [](const Value& value) -> Checked<std::string> {
    if (value.type == Value::Type::Text && value.text == "self") return value.text;
    const auto address = host_ip(value);
    if (!address) return net::fail(must_be("self, or the address of one host", value));
    return net::print(*address);
  });
  set.next_hop_self = next_hop == "self";
  if (next_hop && !set.next_hop_self) set.next_hop = net::parse_ip(*next_hop);
  set.kernel_metric = in.optional("kernelMetric", number<std::uint32_t>(1));
  set.aigp = in.optional("aigp", number<std::uint32_t>());
  set.link_bandwidth = in.optional("linkBandwidth", number<std::uint32_t>(1));
  in.not_implemented({"weight"});
  in.no_other_keys();
  if (set.communities && (!set.add_communities.empty() || !set.remove_communities.empty()))
    in.problem("communities", "replaces all and must not be given together with addCommunities or removeCommunities");
  return set;
}

Rule parse_rule(Cursor in) {
  Rule rule;
  rule.name = in.optional("name", word, std::string{});
  rule.match = in.optional("match", parse_match, rule.match);
  rule.set = in.optional("set", parse_set, rule.set);
  rule.action = in.required("action", choice<FilterAction>({{"accept", FilterAction::Accept},
                                                            {"reject", FilterAction::Reject},
                                                            {"next", FilterAction::Next}}));
  in.no_other_keys();
  if (rule.match.direction == Direction::Import && rule.set.next_hop_self)
    in.object("set").problem("nextHop", "must be the address of one host where match.direction is import, got self");
  if (rule.action == FilterAction::Reject && !(rule.set == BGPFilter::Set{}))
    in.problem("set", "means nothing in a rule that rejects");
  return rule;
}

std::string_view print(FilterAction action) {
  switch (action) {
    case FilterAction::Accept:
      return "accept";
    case FilterAction::Reject:
      return "reject";
    case FilterAction::Next:
      break;
  }
  return "next";
}

template <class T>
void put(json& out, const char* key, const std::optional<T>& value) {
  if (value) out[key] = *value;
}
template <class T>
void put(json& out, const char* key, const std::vector<T>& list) {
  if (!list.empty()) out[key] = list;
}
void put(json& out, const char* key, const std::vector<Asn>& list) {
  for (const auto entry : list) out[key].push_back(entry.value);
}
void put(json& out, const char* key, const std::vector<net::Prefix>& list) {
  for (const auto& entry : list) out[key].push_back(net::print(entry));
}
void put(json& out, const char* key, const std::vector<BGPFilter::PrefixMatch>& list) {
  for (const auto& entry : list)
    out[key].push_back({{"cidr", net::print(entry.cidr)}, {"ge", entry.ge}, {"le", entry.le}});
}

json print(const BGPFilter::Match& match) {
  auto out = json::object();
  put(out, "prefixes", match.prefixes);
  put(out, "notPrefixes", match.not_prefixes);
  if (match.direction) out["direction"] = *match.direction == Direction::Import ? "import" : "export";
  put(out, "asPathRegex", match.as_path_regex);
  if (match.family) out["family"] = match.family == AddressFamily::Ipv4Unicast ? "ipv4-unicast" : "ipv6-unicast";
  put(out, "communities", match.communities);
  put(out, "asPathContains", match.as_path_contains);
  put(out, "originAS", match.origin_as);
  put(out, "neighborAS", match.neighbor_as);
  put(out, "asPathMinLength", match.as_path_min_length);
  put(out, "asPathMaxLength", match.as_path_max_length);
  put(out, "nextHops", match.next_hops);
  put(out, "interfaces", match.interfaces);
  put(out, "kernelMetric", match.kernel_metric);
  put(out, "peers", match.peers);
  put(out, "origin", match.origin);
  put(out, "med", match.med);
  put(out, "localPref", match.local_pref);
  put(out, "source", match.source);
  put(out, "peerType", match.peer_type);
  put(out, "rpki", match.rpki);
  put(out, "whenPresent", match.when_present);
  put(out, "whenAbsent", match.when_absent);
  return out;
}

json print(const BGPFilter::Set& set) {
  auto out = json::object();
  put(out, "localPref", set.local_pref);
  put(out, "med", set.med);
  if (set.prepend != 0) out["prepend"] = set.prepend;
  put(out, "prependPath", set.prepend_path);
  put(out, "origin", set.origin);
  put(out, "addCommunities", set.add_communities);
  put(out, "removeCommunities", set.remove_communities);
  if (set.communities) out["communities"] = *set.communities;  // empty ones mean something
  if (set.next_hop) out["nextHop"] = net::print(*set.next_hop);
  if (set.next_hop_self) out["nextHop"] = "self";
  put(out, "kernelMetric", set.kernel_metric);
  put(out, "aigp", set.aigp);
  put(out, "linkBandwidth", set.link_bandwidth);
  return out;
}

json print(const Rule& rule) {
  json out = {{"name", rule.name}, {"action", print(rule.action)}};
  if (auto match = print(rule.match); !match.empty()) out["match"] = std::move(match);
  if (auto set = print(rule.set); !set.empty()) out["set"] = std::move(set);
  return out;
}

}  // namespace

BGPFilter parse_bgp_filter(Cursor in) {
  BGPFilter filter;
  filter.meta = parse_meta(in, NamespaceRule::Refused);
  auto spec = in.required_object("spec");
  filter.rules = spec.list("rules", parse_rule);
  for (std::size_t i = 0; i < filter.rules.size(); ++i)
    if (filter.rules[i].name.empty()) filter.rules[i].name = "rule " + std::to_string(i + 1);
  for (const auto* key : {"importV4", "importV6", "exportV4", "exportV6"})
    if (spec.has(key)) spec.problem(key, "is a field of projectcalico.org/v3; here it is rules with match.direction");
  spec.ignore({"importV4", "importV6", "exportV4", "exportV6"});
  spec.no_other_keys();
  in.no_other_keys();
  if (built_in_filter(filter.meta.name))
    in.object("metadata").problem("name", "must not be " + filter.meta.name + ": a filter of that name is built in");
  return filter;
}

json print(const BGPFilter& filter) {
  auto out = print_object("herald.dev/v1", "BGPFilter", filter.meta);
  auto& rules = out["spec"]["rules"] = json::array();
  for (const auto& rule : filter.rules) rules.push_back(print(rule));
  return out;
}

}  // namespace config
