// SPDX-License-Identifier: Apache-2.0
// What a filter does to a route, as a person would work it out from the text of patterns, communities and AS paths:
// slow, and with nothing of what bgp/policy does.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "bgp/policy/filter.hpp"
#include "bgp/wire/text.hpp"

namespace plain {

// ---- communities --------------------------------------------------------------------------------------

// At colons, those of an address in brackets left out.
inline std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts{{}};
  bool inside = false;
  for (const char c : text) {
    inside = c == '[' || (inside && c != ']');
    if (c == ':' && !inside)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

inline std::string all_parts(bgp::Community community) {
  return std::to_string(community.value >> 16) + ":" + std::to_string(community.value & 0xffff);
}
inline std::string all_parts(const bgp::LargeCommunity& community) {
  return "large:" + bgp::print(community);
}
// By type and subtype, RFC 4360 and RFC 5668; others have no parts that a wildcard could stand for.
inline std::string all_parts(bgp::ExtendedCommunity community) {
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
// RFC 5701 sections 2 and 3; those of other kinds print as octets, and have no parts either.
inline std::string all_parts(const bgp::Ipv6ExtendedCommunity& community) {
  const auto text = bgp::print(community);
  return text.starts_with("generic:") ? "" : text;
}

inline std::string digits(bgp::ExtendedCommunity community) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(community.value));
  return text.data();
}
inline std::string digits(const bgp::Ipv6ExtendedCommunity& community) {
  std::string text;
  for (const auto octet : community.octets) {
    std::array<char, 3> two{};
    std::snprintf(two.data(), two.size(), "%02x", static_cast<unsigned>(octet));
    text += two.data();
  }
  return text;
}

inline bool same_part(const std::string& wanted, const std::string& part) {
  const bool address = part.starts_with('[');
  return wanted == part || (wanted == "*" && !address) || (wanted == "[*]" && address);
}

template <class Community>
bool matches(const bgp::CommunityPattern& pattern, const Community& community) {
  const auto text = print(pattern);
  constexpr bool wide = std::is_same_v<Community, bgp::Ipv6ExtendedCommunity>;
  if constexpr (wide || std::is_same_v<Community, bgp::ExtendedCommunity>) {
    constexpr std::string_view generic = "generic:0x";
    if (text.starts_with(generic) && text.ends_with('*'))
      return digits(community).starts_with(text.substr(generic.size(), text.size() - generic.size() - 1));
    if (text.find('*') == std::string::npos) return text == bgp::print(community);
  }
  const auto wanted = split(text);
  const auto parts = split(all_parts(community));
  return std::equal(wanted.begin(), wanted.end(), parts.begin(), parts.end(), same_part);
}

inline bool carries(const bgp::PathAttributes& route, const bgp::CommunityPattern& pattern) {
  const auto any = [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), [&](const auto& each) { return matches(pattern, each); });
  };
  return any(route.communities) || any(route.large_communities) || any(route.extended_communities) ||
         any(route.ipv6_extended_communities);
}

// ---- prefixes, names ----------------------------------------------------------------------------------

inline bool begins_alike(const net::Prefix& cidr, const net::IpAddress& address) {
  if (cidr.family() != address.family()) return false;
  const auto bit = [](const net::IpAddress& of, unsigned at) { return of.bytes()[at / 8] >> (7 - at % 8) & 1; };
  for (unsigned at = 0; at < cidr.length(); ++at)
    if (bit(cidr.address(), at) != bit(address, at)) return false;
  return true;
}

inline bool within(const bgp::PrefixMatch& match, const net::Prefix& prefix) {
  return begins_alike(match.cidr, prefix.address()) && prefix.length() <= match.le &&
         prefix.length() >= std::max<unsigned>(match.ge, match.cidr.length());
}

// All places in the name where the pattern can be after each of its characters.
inline bool named(std::string_view pattern, std::string_view name) {
  std::set<std::size_t> places{0};
  for (const char c : pattern) {
    std::set<std::size_t> next;
    for (const auto place : places) {
      if (c == '*') {
        for (auto later = place; later <= name.size(); ++later) next.insert(later);
      } else if (place < name.size() && name[place] == c) {
        next.insert(place + 1);
      }
    }
    places = next;
  }
  return places.contains(name.size());
}

// A condition that is not there holds.
template <class List, class Holds>
bool some(const List& list, const Holds& holds) {
  return list.empty() || std::any_of(list.begin(), list.end(), holds);
}
template <class Value>
bool asked(const std::optional<Value>& wanted, const std::optional<Value>& value) {
  return !wanted || wanted == value;
}

// ---- AS paths -----------------------------------------------------------------------------------------

// The numbers of a printed path, each with the bracket that it is in; ' ' for a sequence.
struct Hop {
  char bracket = ' ';
  std::string asn;
};

inline std::vector<Hop> hops(std::string_view path) {
  std::vector<Hop> all;
  char bracket = ' ';
  bool inside = false;  // a number
  for (const char c : path) {
    const bool digit = c >= '0' && c <= '9';
    if (digit && !inside) all.push_back({bracket, ""});
    if (digit) all.back().asn += c;
    inside = digit;
    if (c == '{' || c == '(' || c == '[') bracket = c;
    if (c == '}' || c == ')' || c == ']') bracket = ' ';
  }
  return all;
}

inline bool path_holds(const bgp::RuleMatch& match, const std::string& path) {
  const auto all = hops(path);
  auto outside = all;  // of the confederation
  std::erase_if(outside, [](const Hop& hop) { return hop.bracket == '(' || hop.bracket == '['; });
  const auto is = [](const Hop& hop, net::Asn asn) { return hop.asn == std::to_string(asn.value); };
  // A set has neither a first nor a last one; it counts as one, RFC 4271 section 9.1.2.2.
  const bool first = !outside.empty() && outside.front().bracket == ' ';
  const bool last = !outside.empty() && outside.back().bracket == ' ';
  const auto length = std::count(path.begin(), path.end(), '{') +
                      std::count_if(outside.begin(), outside.end(), [](const Hop& hop) { return hop.bracket == ' '; });
  return some(match.as_path, [&](const auto& each) { return each.matches(path); }) &&
         some(match.as_path_contains,
              [&](net::Asn asn) {
                return std::any_of(all.begin(), all.end(), [&](const Hop& hop) { return is(hop, asn); });
              }) &&
         some(match.neighbor_as, [&](net::Asn asn) { return first && is(outside.front(), asn); }) &&
         some(match.origin_as, [&](net::Asn asn) { return last && is(outside.back(), asn); }) &&
         length >= match.as_path_min_length.value_or(0) && length <= match.as_path_max_length.value_or(0xffff);
}

// ---- rules --------------------------------------------------------------------------------------------

// A route on its way through, with its path as text.
struct Route {
  bgp::PathAttributes attributes;
  std::string path;
  bgp::NextHopChange next_hop = bgp::NextHopChange::Unchanged;
  bool med_set = false;
};

inline bool holds(const bgp::RuleMatch& match, const bgp::RouteContext& context, const Route& route) {
  const auto& attributes = route.attributes;
  const auto inside = [&](const auto& each) { return within(each, context.prefix); };
  const auto metric = attributes.kernel_metric;
  const std::string link{context.links == nullptr ? "" : context.links->name(attributes.link)};
  return some(match.prefixes, inside) && std::none_of(match.not_prefixes.begin(), match.not_prefixes.end(), inside) &&
         asked<net::Family>(match.family, context.prefix.family()) &&
         some(match.communities, [&](const auto& each) { return carries(attributes, each); }) &&
         path_holds(match, route.path) &&
         some(match.next_hops, [&](const auto& each) { return begins_alike(each, attributes.next_hop.address); }) &&
         some(match.interfaces, [&](const auto& each) { return !link.empty() && named(each, link); }) &&
         some(match.peers, [&](const auto& each) { return each == context.peer; }) &&
         asked<bgp::Origin>(match.origin, attributes.origin) && asked(match.med, attributes.med) &&
         asked(match.local_pref, attributes.local_pref) &&
         (!match.kernel_metric || metric == match.kernel_metric->metric ||
          (metric == 0 && match.kernel_metric->of_all)) &&
         asked<bgp::RouteSource>(match.source, context.source) &&
         asked<bgp::PeerType>(match.peer_type, context.peer_type) &&
         asked<bgp::OriginValidity>(match.rpki, context.validity);
}

template <class Community>
void change(std::vector<Community>& list, const bgp::RuleSet& set, const std::vector<Community>& more) {
  std::erase_if(list, [&](const auto& each) {
    return set.replace_communities || std::any_of(set.remove_communities.begin(), set.remove_communities.end(),
                                                  [&](const auto& pattern) { return matches(pattern, each); });
  });
  list.insert(list.end(), more.begin(), more.end());
}

// Octets per second as a float behind the AS number, draft-ietf-idr-link-bandwidth; a number that no link can have
// makes it another community.
inline bool tells_bandwidth(bgp::ExtendedCommunity community) {
  const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(community.value));
  const auto text = digits(community);
  return (text.starts_with("0004") || text.starts_with("4004")) && std::isfinite(value) && value > 0;
}

inline void change(Route& route, const bgp::RuleSet& set, const bgp::RouteContext& context) {
  auto& attributes = route.attributes;
  change(attributes.communities, set, set.add_communities);
  change(attributes.large_communities, set, set.add_large_communities);
  change(attributes.extended_communities, set, set.add_extended_communities);
  change(attributes.ipv6_extended_communities, set, set.add_ipv6_extended_communities);
  if (set.link_bandwidth) {
    std::erase_if(attributes.extended_communities, tells_bandwidth);
    const auto number = std::uint64_t{std::bit_cast<std::uint32_t>(*set.link_bandwidth)};
    attributes.extended_communities.push_back(
        {std::uint64_t{0x0004} << 48 | std::uint64_t{context.own_asn.value} << 32 | number});
  }
  std::string front;
  for (unsigned i = 0; i < set.prepend; ++i) front += std::to_string(context.own_asn.value) + " ";
  for (const auto asn : set.prepend_path) front += std::to_string(asn.value) + " ";
  route.path = front + route.path;
  if (route.path.ends_with(' ')) route.path.pop_back();

  if (set.local_pref) attributes.local_pref = set.local_pref;
  if (set.med) attributes.med = set.med;
  if (set.med) route.med_set = true;
  if (set.origin) attributes.origin = *set.origin;
  if (set.kernel_metric) attributes.kernel_metric = *set.kernel_metric;
  if (set.aigp) attributes.aigp = {*set.aigp, attributes.aigp ? attributes.aigp->rest : std::vector<std::uint8_t>{}};
  // RFC 8950 is for IPv4 routes; nothing leads an IPv6 route to an IPv4 address.
  const bool fits = context.prefix.is_v4() || set.next_hop_address.is_v6();
  if (set.next_hop == bgp::NextHopChange::Unchanged || (set.next_hop == bgp::NextHopChange::Address && !fits)) return;
  route.next_hop = set.next_hop;
  if (set.next_hop == bgp::NextHopChange::Address) attributes.next_hop = {set.next_hop_address, std::nullopt};
}

// The rule that decides; the route is changed on the way.
inline const bgp::FilterRule* run(const bgp::FilterChain& chain, const bgp::RouteContext& context, Route& route) {
  for (const auto& filter : chain) {
    for (const auto& rule : filter.rules) {
      if (!holds(rule.match, context, route)) continue;
      if (rule.action == bgp::RuleAction::Reject) return &rule;
      change(route, rule.set, context);
      if (rule.action == bgp::RuleAction::Accept) return &rule;
    }
  }
  return nullptr;
}

// Lists of communities are sets.
template <class Community>
bool same_set(const std::vector<Community>& one, const std::vector<Community>& other) {
  return std::set<Community>(one.begin(), one.end()) == std::set<Community>(other.begin(), other.end());
}

inline bool same(const Route& plain, bgp::PathAttributes attributes) {
  const auto& wanted = plain.attributes;
  if (print(attributes.as_path) != plain.path || !same_set(attributes.communities, wanted.communities) ||
      !same_set(attributes.large_communities, wanted.large_communities) ||
      !same_set(attributes.extended_communities, wanted.extended_communities) ||
      !same_set(attributes.ipv6_extended_communities, wanted.ipv6_extended_communities))
    return false;
  attributes.as_path = wanted.as_path;
  attributes.communities = wanted.communities;
  attributes.large_communities = wanted.large_communities;
  attributes.extended_communities = wanted.extended_communities;
  attributes.ipv6_extended_communities = wanted.ipv6_extended_communities;
  return attributes == wanted;
}

}  // namespace plain
