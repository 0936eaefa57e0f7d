// SPDX-License-Identifier: Apache-2.0
// Import and export filters as plain values, and the pure function that runs a route through them.
// A filter is an ordered list of rules; a chain is an ordered list of filters. Knows nothing of peers'
// sessions or of tables.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/policy/community_pattern.hpp"
#include "bgp/policy/link_map.hpp"
#include "bgp/rpki/roa_table.hpp"
#include "bgp/wire/attributes.hpp"
#include "bgp/wire/update.hpp"
#include "net/as_path_pattern.hpp"
#include "net/prefix.hpp"

namespace bgp {

// A prefix inside `cidr` whose length is in [ge, le].
struct PrefixMatch {
  net::Prefix cidr;
  std::uint8_t ge = 0;
  std::uint8_t le = 0;
  [[nodiscard]] bool matches(const net::Prefix& prefix) const;
  friend bool operator==(const PrefixMatch&, const PrefixMatch&) = default;
};

enum class RuleAction : std::uint8_t { Accept, Reject, Next };

// The metric of a route in the kernel. `of_all`: it is the one that routes have to which no filter gave another.
struct MetricMatch {
  std::uint32_t metric = 0;
  bool of_all = false;
  friend bool operator==(const MetricMatch&, const MetricMatch&) = default;
};

// Whether a route came from a neighbour or is this router's own.
enum class RouteSource : std::uint8_t { Learned, Local };

// Every condition given must hold; a list holds when one of its entries does.
struct RuleMatch {
  std::vector<PrefixMatch> prefixes;
  std::vector<PrefixMatch> not_prefixes;  // holds when none of them does
  std::optional<net::Family> family;
  std::vector<CommunityPattern> communities;
  std::vector<net::AsPathPattern> as_path;
  std::vector<net::Asn> as_path_contains;
  std::vector<net::Asn> origin_as;
  std::vector<net::Asn> neighbor_as;
  std::optional<std::uint16_t> as_path_min_length;
  std::optional<std::uint16_t> as_path_max_length;
  std::vector<net::Prefix> next_hops;
  std::vector<std::string> interfaces;  // names of the link that leads to the next hop; "*" stands for any characters
  std::vector<std::string> peers;       // names of neighbours: the one learned from, or the one sent to
  std::optional<Origin> origin;
  std::optional<std::uint32_t> med;
  std::optional<std::uint32_t> local_pref;
  std::optional<MetricMatch> kernel_metric;
  std::optional<RouteSource> source;
  std::optional<PeerType> peer_type;
  std::optional<OriginValidity> rpki;  // RFC 6811, RFC 8893
  // Prefixes that must all be selected in the tables, and ones of which none may be. A rule with such conditions is
  // taken out, or left in without them, before the filter runs: see resolve().
  std::vector<net::Prefix> when_present;
  std::vector<net::Prefix> when_absent;
  friend bool operator==(const RuleMatch&, const RuleMatch&) = default;
};

enum class NextHopChange : std::uint8_t { Unchanged, Self, Address };

struct RuleSet {
  std::optional<std::uint32_t> local_pref;
  std::optional<std::uint32_t> med;
  std::optional<std::uint64_t> aigp;   // RFC 7311
  std::uint8_t prepend = 0;            // own AS, that many times
  std::vector<net::Asn> prepend_path;  // these in front, before `prepend`
  std::optional<Origin> origin;
  std::vector<Community> add_communities;
  std::vector<LargeCommunity> add_large_communities;
  std::vector<ExtendedCommunity> add_extended_communities;
  std::vector<Ipv6ExtendedCommunity> add_ipv6_extended_communities;
  std::optional<std::uint32_t> kernel_metric;  // of the route in the kernel, from 1
  std::optional<float> link_bandwidth;         // octets per second; replaces what is there
  std::vector<CommunityPattern> remove_communities;
  bool replace_communities = false;  // clears those of all kinds before the additions
  NextHopChange next_hop = NextHopChange::Unchanged;
  net::IpAddress next_hop_address;  // with NextHopChange::Address; an IPv4 one leaves IPv6 prefixes as they are
  friend bool operator==(const RuleSet&, const RuleSet&) = default;
  [[nodiscard]] bool empty() const { return *this == RuleSet{}; }
};

struct FilterRule {
  std::string name;
  RuleMatch match;
  RuleSet set;
  RuleAction action = RuleAction::Accept;
  friend bool operator==(const FilterRule&, const FilterRule&) = default;
};

// The first rule that matches and does not say Next decides. Rules that say Next change the route for
// the rules after them.
struct Filter {
  std::string name;
  std::vector<FilterRule> rules;
  friend bool operator==(const Filter&, const Filter&) = default;
};

[[nodiscard]] Filter accept_all();    // named "accept-all"
[[nodiscard]] Filter reject_all();    // named "reject-all"
[[nodiscard]] Filter accept_local();  // named "accept-local": what this router originates

// Filters read as one list of rules: a route that no rule of the first decides goes on to the second. What
// nobody decides is rejected (RFC 8212), so {drop-bogons, accept-all} and {only-mine} both do what they say.
using FilterChain = std::vector<Filter>;

// What a filter may look at besides the attributes.
struct RouteContext {
  net::Prefix prefix;
  std::string_view peer;
  net::Asn own_asn;  // what `prepend` puts in front
  RouteSource source = RouteSource::Learned;
  PeerType peer_type = PeerType::External;             // of the neighbour learned from, or sent to
  OriginValidity validity = OriginValidity::NotFound;  // where the filter asks for it
  const LinkMap* links = nullptr;                      // nothing: no route has a link
  // The segment that `prepend` puts the own AS in; nothing: it does not.
  std::optional<AsPathSegment::Type> prepends = AsPathSegment::Type::Sequence;
};

// Where the decision fell: for explain. Points into the chain.
struct Verdict {
  bool accepted = false;
  const Filter* filter = nullptr;  // with the deciding rule; nothing when no rule decided
  const FilterRule* rule = nullptr;
  NextHopChange next_hop = NextHopChange::Unchanged;
  bool med_set = false;  // a rule gave the MED
};

// Runs `attributes` through the chain, changing them as the rules say. An empty chain rejects.
[[nodiscard]] Verdict run(const FilterChain& chain, const RouteContext& context, PathAttributes& attributes);

// True when the outcome may differ between prefixes of one family that carry the same attributes.
[[nodiscard]] bool depends_on_prefix(const FilterChain& chain);
// True when every route passes unchanged.
[[nodiscard]] bool accepts_everything(const FilterChain& chain);
// True when a rule asks for the validity of origins.
[[nodiscard]] bool depends_on_rpki(const FilterChain& chain);
// True when a rule asks for links.
[[nodiscard]] bool depends_on_links(const FilterChain& chain);
// The prefixes that rules ask the tables for.
[[nodiscard]] std::vector<net::Prefix> table_conditions(const FilterChain& chain);
// The chain without the rules whose conditions on the tables do not hold, and the others without these conditions.
[[nodiscard]] FilterChain resolve(FilterChain chain, const std::function<bool(const net::Prefix&)>& present);
// True when a rule names peers, so that two peers with this chain may be treated differently.
[[nodiscard]] bool depends_on_peer(const FilterChain& chain);

// "filter edge, rule bogons"; "no rule matched".
[[nodiscard]] std::string describe(const Verdict& verdict);

}  // namespace bgp
