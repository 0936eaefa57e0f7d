// SPDX-License-Identifier: Apache-2.0
// Filters as people write them, run over a route as a neighbour sends it. The input is lines of a letter and what it
// is about, then an empty line and the body of an UPDATE:
//   r _65001_          a regular expression over AS paths      p 10.0.0.0/8 16 24   a prefix list's entry
//   c 65001:*          a community                             n 10.1.0.0/16        an entry that must not match
//   + 65001:1          a community to add                      - large:1:*:*        communities to remove
//   m 5                a MED to set                            a, j or x            the rule ends: accept, reject, next
// What is read prints and reads again as itself; and what the filter decides is what a plain reading of it says. What
// regular expressions mean is looked at by net_as_path_fuzz.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/policy/filter.hpp"
#include "bgp/wire/text.hpp"
#include "tests/fuzz/require.hpp"

namespace {

// ---- the plain reading of communities and prefixes ----------------------------------------------------

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts{{}};
  for (const char c : text) {
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

std::string all_parts(bgp::Community community) {
  return std::to_string(community.value >> 16) + ":" + std::to_string(community.value & 0xffff);
}
std::string all_parts(const bgp::LargeCommunity& community) {
  return "large:" + bgp::print(community);
}
// By type and subtype, RFC 4360 and RFC 5668; others have no parts that a wildcard could stand for.
std::string all_parts(bgp::ExtendedCommunity community) {
  const auto type = community.value >> 56;
  const auto subtype = community.value >> 48 & 0xff;
  if (type > 2 || (subtype != 2 && subtype != 3)) return "";
  const unsigned number_bits = type == 0 ? 32 : 16;
  const auto number = community.value & ((std::uint64_t{1} << number_bits) - 1);
  const auto administrator = static_cast<std::uint32_t>(community.value << 16 >> (16 + number_bits));
  return (subtype == 2 ? "rt:" : "ro:") +
         (type == 1 ? net::print(net::Ipv4Address{administrator}) : std::to_string(administrator)) + ":" +
         std::to_string(number);
}

template <class Community>
bool plainly_matches(const bgp::CommunityPattern& pattern, const Community& community) {
  const auto text = print(pattern);
  if constexpr (std::is_same_v<Community, bgp::ExtendedCommunity>) {
    constexpr std::string_view generic = "generic:0x";
    if (text.starts_with(generic) && text.ends_with('*')) {
      std::array<char, 17> digits{};
      std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(community.value));
      return std::string_view{digits.data()}.starts_with(text.substr(generic.size(), text.size() - generic.size() - 1));
    }
    if (text.find('*') == std::string::npos) return text == bgp::print(community);
  }
  const auto wanted = split(text);
  const auto parts = split(all_parts(community));
  return std::equal(wanted.begin(), wanted.end(), parts.begin(), parts.end(),
                    [](const auto& one, const auto& other) { return one == "*" || one == other; });
}

bool plainly_within(const bgp::PrefixMatch& match, const net::Prefix& prefix) {
  if (match.cidr.family() != prefix.family() || prefix.length() < std::max<unsigned>(match.ge, match.cidr.length()))
    return false;
  const auto bit = [](const net::Prefix& of, unsigned at) { return of.address().bytes()[at / 8] >> (7 - at % 8) & 1; };
  for (unsigned at = 0; at < match.cidr.length(); ++at)
    if (bit(match.cidr, at) != bit(prefix, at)) return false;
  return prefix.length() <= match.le;
}

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
}

void read_line(bgp::FilterRule& rule, char about, std::string_view text) {
  if (about == 'r') {
    if (auto pattern = net::parse_as_path_pattern(text)) rule.match.as_path.push_back(std::move(*pattern));
  } else if (about == 'p' || about == 'n') {
    if (const auto match = prefix_match(text))
      (about == 'p' ? rule.match.prefixes : rule.match.not_prefixes).push_back(*match);
  } else if (about == 'm') {
    rule.set.med = number(text);
  } else if (const auto pattern = community(text)) {
    if (about == 'c') rule.match.communities.push_back(*pattern);
    if (about == '-') rule.set.remove_communities.push_back(*pattern);
    if (about == '+') add(rule.set, *pattern);
  }
}

// Takes the lines, and the empty one behind them, off the front.
bgp::Filter read_filter(std::string_view& text) {
  bgp::Filter filter{"fuzzed", {}};
  bgp::FilterRule rule;
  for (bool more = true; more && !text.empty();) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    more = !line.empty();
    if (line.size() > 2) read_line(rule, line[0], line.substr(2));
    const auto action = std::string_view{"ajx"}.find(line.size() == 1 ? line[0] : '\0');
    if (action == std::string_view::npos) continue;
    rule.action = static_cast<bgp::RuleAction>(action);
    filter.rules.push_back(std::exchange(rule, {}));
  }
  return filter;
}

// ---- a route through the filter -----------------------------------------------------------------------

template <class Community>
void erase_plainly(std::vector<Community>& list, const bgp::CommunityPattern& pattern) {
  std::erase_if(list, [&](const auto& each) { return plainly_matches(pattern, each); });
}
template <class Community>
void append(std::vector<Community>& list, const std::vector<Community>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

bool plainly_carries(const bgp::PathAttributes& route, const bgp::CommunityPattern& pattern) {
  const auto any = [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](const auto& each) { return plainly_matches(pattern, each); });
  };
  return any(route.communities) || any(route.large_communities) || any(route.extended_communities);
}

bool plainly_holds(const bgp::RuleMatch& match, const net::Prefix& prefix, const bgp::PathAttributes& route) {
  const auto some = [](const auto& list, const auto& holds) {
    return list.empty() || std::any_of(list.begin(), list.end(), holds);
  };
  const auto within = [&](const auto& each) { return plainly_within(each, prefix); };
  const auto path = print(route.as_path);
  return some(match.prefixes, within) && std::none_of(match.not_prefixes.begin(), match.not_prefixes.end(), within) &&
         some(match.communities, [&](const auto& each) { return plainly_carries(route, each); }) &&
         some(match.as_path, [&](const auto& each) { return each.matches(path); });
}

// The rule that decides; the route is changed on the way.
const bgp::FilterRule* plain_run(const bgp::Filter& filter, const net::Prefix& prefix, bgp::PathAttributes& route) {
  for (const auto& rule : filter.rules) {
    if (!plainly_holds(rule.match, prefix, route)) continue;
    if (rule.action == bgp::RuleAction::Reject) return &rule;
    if (rule.set.med) route.med = rule.set.med;
    for (const auto& pattern : rule.set.remove_communities) {
      erase_plainly(route.communities, pattern);
      erase_plainly(route.large_communities, pattern);
      erase_plainly(route.extended_communities, pattern);
    }
    append(route.communities, rule.set.add_communities);
    append(route.large_communities, rule.set.add_large_communities);
    append(route.extended_communities, rule.set.add_extended_communities);
    if (rule.action == bgp::RuleAction::Accept) return &rule;
  }
  return nullptr;
}

// Lists of communities are sets.
template <class Community>
bool same_set(const std::vector<Community>& one, const std::vector<Community>& other) {
  return std::set<Community>(one.begin(), one.end()) == std::set<Community>(other.begin(), other.end());
}

void run(const bgp::Filter& filter, const net::Prefix& prefix, const bgp::PathAttributes& route) {
  const bgp::FilterChain chain{filter};
  const auto through = [&](const net::Prefix& with, bgp::PathAttributes& changed) {
    return bgp::run(chain, {.prefix = with, .peer = "p", .own_asn = net::Asn{65000}}, changed);
  };
  auto changed = route;
  const auto verdict = through(prefix, changed);
  auto plain = route;
  const auto* const rule = plain_run(filter, prefix, plain);
  const auto place = [](const bgp::FilterRule* of, const bgp::Filter& in) {
    return of == nullptr ? -1 : of - in.rules.data();
  };
  require(place(verdict.rule, chain[0]) == place(rule, filter));
  require(verdict.accepted == (rule != nullptr && rule->action == bgp::RuleAction::Accept));
  require(changed.med == plain.med && same_set(changed.communities, plain.communities));
  require(same_set(changed.large_communities, plain.large_communities));
  require(same_set(changed.extended_communities, plain.extended_communities));
  require(!describe(verdict).empty());

  require(!accepts_everything(chain) || (verdict.accepted && changed == route));
  if (depends_on_prefix(chain)) return;
  auto elsewhere = route;
  require(through(*net::parse_prefix("2001:db8::/32"), elsewhere).rule == verdict.rule && elsewhere == changed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto filter = read_filter(text);
  const auto body = std::span{data, size}.last(text.size());
  const auto update = bgp::decode_update(body, {.peer_asn = net::Asn{65001}, .enforce_first_as = false, .aigp = true});
  std::vector<net::Prefix> prefixes{*net::parse_prefix("10.1.2.0/24")};
  bgp::PathAttributes route;
  if (update) {
    route = update->attributes;
    for (const auto& run : update->reachable)
      bgp::for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t) { prefixes.push_back(prefix); });
  }
  prefixes.resize(std::min<std::size_t>(prefixes.size(), 4));
  for (const auto& prefix : prefixes) run(filter, prefix, route);
  return 0;
}
