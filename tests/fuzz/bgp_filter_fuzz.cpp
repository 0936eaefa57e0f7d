// SPDX-License-Identifier: Apache-2.0
// Filters as people write them, run over a route as a neighbour sends it. The input is lines of a letter and what it
// is about, then an empty line and the body of an UPDATE. Conditions:
//   r _65001_          a regular expression over AS paths      p 10.0.0.0/8 16 24   a prefix list's entry
//   c 65001:*          a community                             n 10.1.0.0/16        an entry that must not match
//   f 6                the family                              h 192.0.2.0/24       next hops
//   k, g, b 65001      AS paths with, from or over an AS       > 2, < 5             their length, at least and at most
//   o egp, M 5, L 100  origin, MED, local preference           E 20 all             the metric in the kernel
//   P q                a neighbour's name                      i eth*               the link to the next hop
//   ? internal         a kind of neighbour, a source, or a state of RPKI
//   w, W 10.0.0.0/8    a prefix that is selected, or is not
// Changes:
//   + 65001:1          a community to add                      - large:1:*:*        communities to remove; *: all
//   m 5, l 200, a 77   MED, local preference, AIGP             O igp                the origin
//   q 3, Q 65001       prepends: the own AS, others            e 30                 the metric in the kernel
//   H self             the next hop; or an address             B 1000000            link bandwidth
// And alone on a line: a, j or x end the rule: accept, reject, next; "/" ends the filter and begins another. A line
// "@ q internal local invalid eth0" says of the route what stands in no UPDATE.
// What is read prints and reads again as itself; and what the filters decide is what a plain reading of them says. What
// regular expressions mean is looked at by net_as_path_fuzz.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bgp/policy/filter.hpp"
#include "bgp/wire/text.hpp"
#include "tests/fuzz/plain_filter.hpp"
#include "tests/fuzz/require.hpp"

namespace {

// ---- filters ------------------------------------------------------------------------------------------

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> all;
  while (!line.empty()) {
    const auto blank = std::min(line.find(' '), line.size());
    if (blank > 0) all.push_back(line.substr(0, blank));
    line.remove_prefix(std::min(blank + 1, line.size()));
  }
  return all;
}

std::optional<bgp::PrefixMatch> prefix_match(std::string_view line) {
  const auto all = words(line);
  const auto cidr = all.empty() ? std::nullopt : net::parse_prefix(all[0]);
  if (!cidr) return std::nullopt;
  require(net::parse_prefix(net::print(*cidr)) == cidr);
  const auto length = cidr->length();
  const auto ge = all.size() > 1 ? number(all[1]).value_or(length) : length;
  const auto le = all.size() > 2 ? number(all[2]).value_or(length) : length;
  return bgp::PrefixMatch{*cidr, static_cast<std::uint8_t>(ge % 129), static_cast<std::uint8_t>(le % 129)};
}

std::optional<bgp::CommunityPattern> community(std::string_view text) {
  auto pattern = bgp::parse_community_pattern(text);
  if (pattern) require(bgp::parse_community_pattern(print(*pattern)) == pattern);
  return pattern;
}

void add(bgp::RuleSet& set, const bgp::CommunityPattern& pattern) {
  if (const auto standard = pattern.standard()) set.add_communities.push_back(*standard);
  if (const auto large = pattern.large()) set.add_large_communities.push_back(*large);
  if (const auto extended = pattern.extended()) set.add_extended_communities.push_back(*extended);
  if (const auto extended = pattern.ipv6_extended()) set.add_ipv6_extended_communities.push_back(*extended);
}

// The text as one of the values that print().
template <class Value, class Print>
std::optional<Value> named(std::string_view text, std::initializer_list<Value> values, Print print) {
  for (const auto value : values)
    if (print(value) == text) return value;
  return std::nullopt;
}
std::optional<bgp::PeerType> peer_type(std::string_view text) {
  return named(text, {bgp::PeerType::External, bgp::PeerType::Internal, bgp::PeerType::Confederation}, [](auto type) {
    return type == bgp::PeerType::External   ? "external"
           : type == bgp::PeerType::Internal ? "internal"
                                             : "confederation";
  });
}
std::optional<bgp::RouteSource> source(std::string_view text) {
  return named(text, {bgp::RouteSource::Learned, bgp::RouteSource::Local},
               [](auto of) { return of == bgp::RouteSource::Local ? "local" : "learned"; });
}
std::optional<bgp::OriginValidity> validity(std::string_view text) {
  using enum bgp::OriginValidity;
  return named(text, {NotFound, Valid, Invalid}, [](auto state) { return bgp::print(state); });
}

template <class Value, class Maybe>
void append(std::vector<Value>& list, const Maybe& more) {
  if (more) list.push_back(*more);
}

void read_condition(bgp::RuleMatch& match, char about, std::string_view text) {
  const auto asn = net::parse_asn(text);
  const auto prefix = net::parse_prefix(text);
  const auto length = number(text);
  switch (about) {
    case 'r':
      return append(match.as_path, net::parse_as_path_pattern(text));
    case 'p':
      return append(match.prefixes, prefix_match(text));
    case 'n':
      return append(match.not_prefixes, prefix_match(text));
    case 'c':
      return append(match.communities, community(text));
    case 'f':
      match.family = text == "6" ? net::Family::Ipv6 : net::Family::Ipv4;
      break;
    case 'h':
      return append(match.next_hops, prefix);
    case 'k':
      return append(match.as_path_contains, asn);
    case 'g':
      return append(match.origin_as, asn);
    case 'b':
      return append(match.neighbor_as, asn);
    case '>':
      if (length) match.as_path_min_length = static_cast<std::uint16_t>(*length);
      break;
    case '<':
      if (length) match.as_path_max_length = static_cast<std::uint16_t>(*length);
      break;
    case 'o':
      match.origin = bgp::parse_origin(text);
      break;
    case 'M':
      match.med = number(text);
      break;
    case 'L':
      match.local_pref = number(text);
      break;
    case 'E':
      if (const auto all = words(text); !all.empty())
        match.kernel_metric = bgp::MetricMatch{std::max(number(all[0]).value_or(1), 1U), all.size() > 1};
      break;
    case 'P':
      match.peers.emplace_back(text);
      break;
    case 'i':
      match.interfaces.emplace_back(text.substr(0, 15));
      break;
    case '?':
      if (const auto type = peer_type(text)) match.peer_type = type;
      if (const auto from = source(text)) match.source = from;
      if (const auto state = validity(text)) match.rpki = state;
      break;
    case 'w':
      return append(match.when_present, prefix);
    case 'W':
      return append(match.when_absent, prefix);
    default:
      break;
  }
}

void read_change(bgp::RuleSet& set, char about, std::string_view text) {
  const auto value = number(text);
  switch (about) {
    case '+':
      if (const auto pattern = community(text)) add(set, *pattern);
      break;
    case '-':
      if (text == "*") set.replace_communities = true;
      return append(set.remove_communities, community(text));
    case 'm':
      set.med = value;
      break;
    case 'l':
      set.local_pref = value;
      break;
    case 'a':
      set.aigp = value;
      break;
    case 'O':
      set.origin = bgp::parse_origin(text);
      break;
    case 'q':
      set.prepend = static_cast<std::uint8_t>(value.value_or(0));
      break;
    case 'Q':
      return append(set.prepend_path, net::parse_asn(text));
    case 'e':
      if (value && *value > 0) set.kernel_metric = value;
      break;
    case 'H':
      set.next_hop = text == "self" ? bgp::NextHopChange::Self : bgp::NextHopChange::Unchanged;
      if (const auto address = net::parse_ip(text)) {
        set.next_hop = bgp::NextHopChange::Address;
        set.next_hop_address = *address;
      }
      break;
    case 'B':
      if (value && *value > 0) set.link_bandwidth = static_cast<float>(*value);
      break;
    default:
      break;
  }
}

// What filters ask of a route besides its prefix and attributes.
struct Circumstances {
  std::string peer = "p";
  bgp::RouteSource source = bgp::RouteSource::Learned;
  bgp::PeerType type = bgp::PeerType::External;
  bgp::OriginValidity validity = bgp::OriginValidity::NotFound;
  std::uint32_t link = 0;
};

const bgp::LinkMap& links() {
  static const auto map = [] {
    bgp::LinkMap made;
    made.set({{5, "eth0", {}}, {9, "bond0.100", {}}});
    return made;
  }();
  return map;
}

void read_circumstances(Circumstances& all, std::string_view text) {
  for (const auto word : words(text)) {
    if (const auto type = peer_type(word))
      all.type = *type;
    else if (const auto from = source(word))
      all.source = *from;
    else if (const auto state = validity(word))
      all.validity = *state;
    else if (word == links().name(1) || word == links().name(2))
      all.link = word == links().name(1) ? 1 : 2;
    else
      all.peer = word;
  }
}

// Takes the lines, and the empty one behind them, off the front.
std::pair<bgp::FilterChain, Circumstances> read_filters(std::string_view& text) {
  bgp::FilterChain chain{{"1", {}}};
  Circumstances circumstances;
  bgp::FilterRule rule;
  for (bool more = true; more && !text.empty();) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    more = !line.empty();
    if (line.size() > 2) {
      read_condition(rule.match, line[0], line.substr(2));
      read_change(rule.set, line[0], line.substr(2));
      if (line[0] == '@') read_circumstances(circumstances, line.substr(2));
    }
    if (line == "/") chain.push_back({std::to_string(chain.size() + 1), {}});
    const auto action = std::string_view{"ajx"}.find(line.size() == 1 ? line[0] : '\0');
    if (action == std::string_view::npos) continue;
    rule.action = static_cast<bgp::RuleAction>(action);
    rule.name = std::to_string(chain.back().rules.size() + 1);
    chain.back().rules.push_back(std::exchange(rule, {}));
  }
  return {chain, circumstances};
}

// ---- the tables ---------------------------------------------------------------------------------------

bool selected(const net::Prefix& prefix) {
  return prefix == *net::parse_prefix("10.0.0.0/8") || prefix == *net::parse_prefix("2001:db8::/32");
}

// The chain as it is for these tables.
bgp::FilterChain resolved(const bgp::FilterChain& chain) {
  std::vector<net::Prefix> asked;
  auto plain = chain;
  for (auto& filter : plain) {
    std::vector<bgp::FilterRule> left;
    for (auto& rule : filter.rules) {
      auto& present = rule.match.when_present;
      auto& absent = rule.match.when_absent;
      asked.insert(asked.end(), present.begin(), present.end());
      asked.insert(asked.end(), absent.begin(), absent.end());
      const bool stays =
          std::all_of(present.begin(), present.end(), selected) && std::none_of(absent.begin(), absent.end(), selected);
      present.clear();
      absent.clear();
      if (stays) left.push_back(rule);
    }
    filter.rules = left;
  }
  require(table_conditions(chain) == asked);
  auto made = resolve(chain, selected);
  require(made == plain);
  return made;
}

// ---- a route through the filters ----------------------------------------------------------------------

// The same comes of it for another prefix of the family, and in circumstances, that no rule asks for.
void run_elsewhere(const bgp::FilterChain& chain, const bgp::RouteContext& context, const bgp::PathAttributes& route,
                   const bgp::Verdict& verdict, const bgp::PathAttributes& changed) {
  auto other = context;
  if (!depends_on_prefix(chain)) other.prefix = *net::parse_prefix(context.prefix.is_v4() ? "0.0.0.0/0" : "::/0");
  if (!depends_on_rpki(chain)) other.validity = bgp::OriginValidity::Invalid;
  if (!depends_on_links(chain)) other.links = nullptr;
  if (!depends_on_peer(chain)) other.peer = "elsewhere";
  auto there = route;
  const auto again = bgp::run(chain, other, there);
  require(again.rule == verdict.rule && again.next_hop == verdict.next_hop && there == changed);
}

void compare(const bgp::FilterChain& chain, const bgp::RouteContext& context, const bgp::PathAttributes& route) {
  auto changed = route;
  const auto verdict = bgp::run(chain, context, changed);
  plain::Route plain{route, print(route.as_path)};
  const auto* const rule = plain::run(chain, context, plain);
  require(verdict.rule == rule);
  require(verdict.accepted == (rule != nullptr && rule->action == bgp::RuleAction::Accept));
  require(plain::same(plain, changed));
  require(verdict.next_hop == plain.next_hop && verdict.med_set == plain.med_set);
  require(describe(verdict) ==
          (rule == nullptr ? "no rule matched" : "filter " + verdict.filter->name + ", rule " + rule->name));
  require(!accepts_everything(chain) || (verdict.accepted && changed == route));
  run_elsewhere(chain, context, route, verdict, changed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto [read, circumstances] = read_filters(text);
  const auto chain = resolved(read);
  const auto body = std::span{data, size}.last(text.size());
  const auto update = bgp::decode_update(body, {.peer = circumstances.type,
                                                .peer_asn = net::Asn{65001},
                                                .enforce_first_as = false,
                                                .ipv4_over_ipv6 = true,
                                                .aigp = true});
  std::vector<std::pair<net::Prefix, bgp::NextHop>> routes{{*net::parse_prefix("10.1.2.0/24"), {}}};
  bgp::PathAttributes attributes;
  if (update) {
    attributes = update->attributes;
    for (const auto& run : update->reachable)
      bgp::for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t) {
        routes.emplace_back(prefix, prefix.is_v4() ? update->next_hop_ipv4 : update->next_hop_ipv6);
      });
  }
  attributes.link = circumstances.link;
  routes.resize(std::min<std::size_t>(routes.size(), 4));
  for (const auto& [prefix, next_hop] : routes) {
    attributes.next_hop = next_hop;
    compare(chain,
            {.prefix = prefix,
             .peer = circumstances.peer,
             .own_asn = net::Asn{65000},
             .source = circumstances.source,
             .peer_type = circumstances.type,
             .validity = circumstances.validity,
             .links = &links()},
            attributes);
  }
  return 0;
}
