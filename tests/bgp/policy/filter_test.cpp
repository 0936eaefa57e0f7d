// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/filter.hpp"

#include <gmock/gmock.h>

#include "bgp/wire/text.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}
CommunityPattern pattern(std::string_view text) {
  return *parse_community_pattern(text);
}

constexpr Community edge{0xfde80001};   // 65000:1
constexpr Community other{0xfde90002};  // 65001:2

// AS path 65001 65002 65003, two communities, a large one, MED 5.
PathAttributes route() {
  PathAttributes attributes;
  attributes.as_path.segments.push_back({AsPathSegment::Type::Sequence, {{65001}, {65002}, {65003}}});
  attributes.communities = {edge, other};
  attributes.large_communities = {{65000, 1, 2}};
  attributes.next_hop = {net::Ipv4Address{0x0a000101}, std::nullopt};
  attributes.med = 5;
  return attributes;
}
const RouteContext context{pfx("10.1.2.0/24"), "tor1", net::Asn{65000}};

FilterRule accepting(RuleMatch match) {
  FilterRule rule;
  rule.name = "r";
  rule.match = std::move(match);
  return rule;
}
bool matches(const RuleMatch& match, const RouteContext& with = context) {
  auto attributes = route();
  return run({{"f", {accepting(match)}}}, with, attributes).accepted;
}

TEST(FilterChain, RejectsWhatNoRuleDecides) {
  auto attributes = route();
  const auto verdict = run({}, context, attributes);
  EXPECT_FALSE(verdict.accepted);
  EXPECT_EQ(describe(verdict), "no rule matched");
}

TEST(FilterChain, GoesOnToTheNextFilterUntilARuleDecides) {
  FilterRule bogons;
  bogons.name = "bogons";
  bogons.match.prefixes = {{pfx("192.168.0.0/16"), 16, 32}};
  bogons.action = RuleAction::Reject;
  const FilterChain chain{{"edge", {bogons}}, accept_all()};
  auto attributes = route();
  const auto accepted = run(chain, context, attributes);
  EXPECT_TRUE(accepted.accepted);
  EXPECT_EQ(describe(accepted), "filter accept-all, rule all");
  const auto rejected = run(chain, {pfx("192.168.7.0/24"), "tor1", net::Asn{65000}}, attributes);
  EXPECT_FALSE(rejected.accepted);
  EXPECT_EQ(describe(rejected), "filter edge, rule bogons");
}

TEST(FilterChain, LetsLaterRulesSeeWhatRulesThatSayNextDid) {
  FilterRule mark;
  mark.action = RuleAction::Next;
  mark.set.add_communities = {Community{7}};
  FilterRule take;
  take.match.communities = {CommunityPattern::exactly(Community{7})};
  take.set.local_pref = 300;
  auto attributes = route();
  EXPECT_TRUE(run({{"f", {mark, take}}}, context, attributes).accepted);
  EXPECT_EQ(attributes.local_pref, 300U);
}

TEST(FilterChain, DoesNotChangeARouteThatItRejects) {
  FilterRule reject;
  reject.action = RuleAction::Reject;
  reject.set.med = 9;
  auto attributes = route();
  EXPECT_FALSE(run({{"f", {reject}}}, context, attributes).accepted);
  EXPECT_EQ(attributes, route());
}

TEST(PrefixMatch, HoldsForLengthsInItsRange) {
  const PrefixMatch match{pfx("10.0.0.0/8"), 16, 24};
  EXPECT_TRUE(match.matches(pfx("10.1.0.0/16")));
  EXPECT_TRUE(match.matches(pfx("10.1.2.0/24")));
  EXPECT_FALSE(match.matches(pfx("10.0.0.0/8")));
  EXPECT_FALSE(match.matches(pfx("10.1.2.0/25")));
  EXPECT_FALSE(match.matches(pfx("11.1.2.0/24")));
  EXPECT_FALSE(match.matches(pfx("2001:db8::/24")));
  EXPECT_TRUE((PrefixMatch{pfx("::/0"), 0, 128}.matches(pfx("2001:db8::1/128"))));
}

TEST(RuleMatch, HoldsWhenEveryConditionDoes) {
  EXPECT_TRUE(matches({}));
  RuleMatch all;
  all.prefixes = {{pfx("172.16.0.0/12"), 12, 32}, {pfx("10.0.0.0/8"), 8, 32}};
  all.family = net::Family::Ipv4;
  all.communities = {pattern("65009:*"), pattern("large:65000:*:2")};
  all.as_path_contains = {{65002}};
  all.origin_as = {{65003}};
  all.neighbor_as = {{65001}};
  all.as_path_min_length = 3;
  all.as_path_max_length = 3;
  all.next_hops = {pfx("10.0.1.0/24")};
  all.peers = {"tor0", "tor1"};
  all.origin = Origin::Igp;
  all.med = 5;
  EXPECT_TRUE(matches(all));

  const auto broken = [&](auto change) {
    auto match = all;
    change(match);
    return !matches(match);
  };
  EXPECT_TRUE(broken([](RuleMatch& match) { match.prefixes.pop_back(); }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.family = net::Family::Ipv6; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.communities.pop_back(); }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.as_path_contains = {{65009}}; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.origin_as = {{65002}}; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.neighbor_as = {{65002}}; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.as_path_min_length = 4; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.as_path_max_length = 2; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.next_hops = {pfx("10.0.2.0/24")}; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.peers = {"tor2"}; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.origin = Origin::Egp; }));
  EXPECT_TRUE(broken([](RuleMatch& match) { match.med = 6; }));
}

PathAttributes changed(const RuleSet& set, Verdict* verdict = nullptr) {
  FilterRule rule;
  rule.set = set;
  auto attributes = route();
  const FilterChain chain{{"f", {rule}}};
  const auto result = run(chain, context, attributes);
  if (verdict != nullptr) *verdict = result;
  return attributes;
}

TEST(RuleSet, ChangesNumbersAndPath) {
  Verdict verdict;
  RuleSet set;
  set.local_pref = 200;
  set.med = 0;
  set.prepend = 2;
  const auto result = changed(set, &verdict);
  EXPECT_EQ(result.local_pref, 200U);
  EXPECT_EQ(result.med, 0U);
  EXPECT_TRUE(verdict.med_set);
  EXPECT_EQ(result.as_path.length(), 5U);
  EXPECT_EQ(result.as_path.count(net::Asn{65000}), 2U);
}

TEST(RuleSet, AddsCommunitiesOnceAndInOrder) {
  RuleSet set;
  set.add_communities = {Community{1}, other};
  set.add_large_communities = {{65000, 1, 2}, {65000, 0, 0}};
  const auto result = changed(set);
  EXPECT_THAT(result.communities, ElementsAre(Community{1}, edge, other));
  EXPECT_THAT(result.large_communities, ElementsAre(LargeCommunity{65000, 0, 0}, LargeCommunity{65000, 1, 2}));
}

TEST(RuleSet, RemovesByPattern) {
  RuleSet set;
  set.remove_communities = {pattern("65000:*"), pattern("large:*:*:*")};
  const auto result = changed(set);
  EXPECT_THAT(result.communities, ElementsAre(other));
  EXPECT_THAT(result.large_communities, IsEmpty());
}

TEST(RuleSet, ReplacesAllCommunities) {
  RuleSet set;
  set.replace_communities = true;
  set.add_communities = {Community{3}};
  const auto result = changed(set);
  EXPECT_THAT(result.communities, ElementsAre(Community{3}));
  EXPECT_THAT(result.large_communities, IsEmpty());
}

TEST(RuleSet, ChoosesTheNextHop) {
  Verdict verdict;
  RuleSet set;
  set.next_hop = NextHopChange::Address;
  set.next_hop_address = net::Ipv4Address{0x0a000909};
  EXPECT_EQ(changed(set, &verdict).next_hop.address, set.next_hop_address);
  EXPECT_EQ(verdict.next_hop, NextHopChange::Address);
}

TEST(FilterChain, KnowsWhatItsOutcomeDependsOn) {
  EXPECT_TRUE(accepts_everything({accept_all()}));
  EXPECT_FALSE(accepts_everything({reject_all(), accept_all()}));
  EXPECT_FALSE(accepts_everything({}));
  FilterRule rule;
  rule.match.peers = {"tor1"};
  EXPECT_TRUE(depends_on_peer({{"f", {rule}}}));
  EXPECT_FALSE(depends_on_prefix({{"f", {rule}}}));
  EXPECT_FALSE(accepts_everything({{"f", {rule}}, accept_all()}));
  FilterRule prefixes;
  prefixes.match.prefixes = {{pfx("10.0.0.0/8"), 8, 32}};
  EXPECT_TRUE(depends_on_prefix({{"f", {rule, prefixes}}}));
  FilterRule set;
  set.set.med = 1;
  EXPECT_FALSE(accepts_everything({{"f", {set}}}));
}

TEST(RuleMatch, AsksForTheAsPathByRegularExpression) {
  const auto path = [](std::string_view text) {
    RuleMatch match;
    match.as_path = {*net::parse_as_path_pattern(text)};
    return match;
  };
  EXPECT_TRUE(matches(path("_65002_")));
  EXPECT_TRUE(matches(path("^65001_.*_65003$")));
  EXPECT_FALSE(matches(path("^65002_")));
  EXPECT_FALSE(matches(path("^$")));
  auto either = path("^$");
  either.as_path.push_back(*net::parse_as_path_pattern("_65003$"));
  EXPECT_TRUE(matches(either));
}

TEST(RuleMatch, HoldsOutsideOfWhatItExcludes) {
  RuleMatch match;
  match.not_prefixes = {{pfx("10.1.0.0/16"), 16, 32}};
  EXPECT_FALSE(matches(match));
  EXPECT_TRUE(matches(match, {pfx("10.2.0.0/24"), "tor1", net::Asn{65000}}));
  EXPECT_TRUE(depends_on_prefix({{"f", {accepting(match)}}}));
}

TEST(RuleMatch, TellsLocalRoutesAndKindsOfPeersApart) {
  RuleMatch local;
  local.source = RouteSource::Local;
  EXPECT_FALSE(matches(local));
  auto own = context;
  own.source = RouteSource::Local;
  EXPECT_TRUE(matches(local, own));
  RuleMatch internal;
  internal.peer_type = PeerType::Internal;
  EXPECT_FALSE(matches(internal));
  own.peer_type = PeerType::Internal;
  EXPECT_TRUE(matches(internal, own));
  auto attributes = route();
  EXPECT_TRUE(run({accept_local()}, own, attributes).accepted);
  EXPECT_FALSE(run({accept_local()}, context, attributes).accepted);
}

TEST(RuleMatch, AsksForLocalPref) {
  RuleMatch match;
  match.local_pref = 100;
  EXPECT_FALSE(matches(match));
  auto attributes = route();
  attributes.local_pref = 100;
  EXPECT_TRUE(run({{"f", {accepting(match)}}}, context, attributes).accepted);
}

TEST(RuleMatch, AsksForExtendedCommunities) {
  auto attributes = route();
  attributes.extended_communities = {{0x0002'fde9'0000'0064}};
  RuleMatch match;
  match.communities = {pattern("rt:65001:*")};
  EXPECT_TRUE(run({{"f", {accepting(match)}}}, context, attributes).accepted);
  EXPECT_FALSE(matches(match));
}

TEST(RuleSet, PrependsGivenNumbersAndItsOwnInFront) {
  FilterRule rule;
  rule.set.prepend_path = {{65010}, {65011}};
  rule.set.prepend = 1;
  rule.set.origin = Origin::Incomplete;
  auto attributes = route();
  EXPECT_TRUE(run({{"f", {rule}}}, context, attributes).accepted);
  EXPECT_EQ(print(attributes.as_path), "65000 65010 65011 65001 65002 65003");
  EXPECT_EQ(attributes.origin, Origin::Incomplete);
}

TEST(RuleSet, AddsAndRemovesExtendedCommunities) {
  FilterRule rule;
  rule.set.add_extended_communities = {{0x0002'0001'0000'0001}};
  rule.set.remove_communities = {pattern("rt:65001:*")};
  auto attributes = route();
  attributes.extended_communities = {{0x0002'fde9'0000'0064}, {0x0002'fde9'0000'0065}};
  EXPECT_TRUE(run({{"f", {rule}}}, context, attributes).accepted);
  EXPECT_THAT(attributes.extended_communities, ElementsAre(ExtendedCommunity{0x0002'0001'0000'0001}));
}

TEST(RuleSet, AddsAndRemovesIpv6AddressSpecificCommunities) {
  FilterRule rule;
  rule.match.communities = {pattern("rt:[*]:1")};
  rule.set.add_ipv6_extended_communities = {*parse_ipv6_extended_community("ro:[2001:db8::9]:9")};
  rule.set.remove_communities = {pattern("rt:[2001:db8::1]:*")};
  auto attributes = route();
  EXPECT_FALSE(run({{"f", {rule}}}, context, attributes).accepted);
  attributes.ipv6_extended_communities = {*parse_ipv6_extended_community("rt:[2001:db8::1]:1"),
                                          *parse_ipv6_extended_community("rt:[2001:db8::2]:1")};
  EXPECT_TRUE(run({{"f", {rule}}}, context, attributes).accepted);
  EXPECT_EQ(print(attributes.ipv6_extended_communities), "rt:[2001:db8::2]:1 ro:[2001:db8::9]:9");
}

TEST(RuleSet, ReplacesCommunitiesOfAllKinds) {
  FilterRule rule;
  rule.set.replace_communities = true;
  rule.set.add_communities = {other};
  auto attributes = route();
  attributes.extended_communities = {{0x0002'fde9'0000'0064}};
  attributes.ipv6_extended_communities = {*parse_ipv6_extended_community("rt:[2001:db8::1]:1")};
  EXPECT_TRUE(run({{"f", {rule}}}, context, attributes).accepted);
  EXPECT_THAT(attributes.communities, ElementsAre(other));
  EXPECT_THAT(attributes.large_communities, IsEmpty());
  EXPECT_THAT(attributes.extended_communities, IsEmpty());
  EXPECT_THAT(attributes.ipv6_extended_communities, IsEmpty());
}

TEST(RuleSet, PrependsTheOwnAsInTheSegmentThatIsMeant) {
  FilterRule rule;
  rule.set.prepend = 2;
  rule.set.prepend_path = {net::Asn{64512}};
  const auto through = [&](std::optional<AsPathSegment::Type> segment) {
    auto with = context;
    with.prepends = segment;
    auto attributes = route();
    (void)run({{"f", {rule}}}, with, attributes);
    return print(attributes.as_path);
  };
  EXPECT_EQ(through(AsPathSegment::Type::Sequence), "65000 65000 64512 65001 65002 65003");
  EXPECT_EQ(through(AsPathSegment::Type::ConfedSequence), "(65000 65000) 64512 65001 65002 65003");
  EXPECT_EQ(through(std::nullopt), "64512 65001 65002 65003");
}

TEST(RuleSet, GivesIpv6PrefixesNoIpv4NextHop) {
  const auto through = [](const char* next_hop, const char* prefix) {
    FilterRule rule;
    rule.set.next_hop = NextHopChange::Address;
    rule.set.next_hop_address = *net::parse_ip(next_hop);
    rule.set.med = 7;
    auto attributes = route();
    attributes.next_hop.address = *net::parse_ip("2001:db8::1");
    const auto verdict = run({{"f", {rule}}}, {pfx(prefix), "tor1", net::Asn{65000}}, attributes);
    EXPECT_TRUE(verdict.accepted);
    EXPECT_EQ(attributes.med, 7U);
    EXPECT_EQ(verdict.next_hop == NextHopChange::Address, net::print(attributes.next_hop.address) == next_hop);
    return net::print(attributes.next_hop.address);
  };
  EXPECT_EQ(through("192.0.2.1", "2001:db8:1::/48"), "2001:db8::1");
  EXPECT_EQ(through("192.0.2.1", "10.1.2.0/24"), "192.0.2.1");
  EXPECT_EQ(through("2001:db8::9", "2001:db8:1::/48"), "2001:db8::9");
  EXPECT_EQ(through("2001:db8::9", "10.1.2.0/24"), "2001:db8::9") << "RFC 8950";
}

TEST(RuleMatch, ComparesTheValidityOfTheOrigin) {
  auto with = context;
  with.validity = OriginValidity::Invalid;
  FilterRule rule;
  rule.match.rpki = OriginValidity::Invalid;
  EXPECT_TRUE(depends_on_rpki({{"f", {rule}}}));
  auto attributes = route();
  EXPECT_TRUE(run({{"f", {rule}}}, with, attributes).accepted);
  EXPECT_FALSE(run({{"f", {rule}}}, context, attributes).accepted);  // not found
}

TEST(RuleMatch, KnowsTheLinkThatLeadsToTheNextHop) {
  LinkMap links;
  (void)links.set({{2, "vxlan.calico", {pfx("10.0.1.0/24")}}});
  auto with_links = context;
  with_links.links = &links;
  const auto over = [&](std::vector<std::string> names, const RouteContext& with) {
    FilterRule rule = accepting({});
    rule.match.interfaces = std::move(names);
    EXPECT_TRUE(depends_on_links({{"f", {rule}}}));
    auto attributes = route();
    attributes.link = links.leads_to(attributes.next_hop.address);
    return run({{"f", {rule}}}, with, attributes).accepted;
  };
  for (const auto* name : {"vxlan.calico", "*", "vxlan*", "*.calico", "v*.*o", "vxlan.calico*", "*x*l*c*"})
    EXPECT_TRUE(over({name}, with_links)) << name;
  for (const auto* name : {"vxlan", "*.cali", "eth*", "vxlan.calico?", "*y*", "vxlan*vxlan.calico"})
    EXPECT_FALSE(over({name}, with_links)) << name;
  EXPECT_TRUE(over({"eth0", "vxlan.*"}, with_links));
  EXPECT_FALSE(over({"*"}, context));
  // A route of this router has no link.
  RuleMatch any_link;
  any_link.interfaces = {"*"};
  EXPECT_FALSE(matches(any_link, with_links));
  EXPECT_FALSE(depends_on_links({accept_all()}));
}

TEST(RuleMatch, ComparesTheMetricInTheKernelWithThatOfAllRoutesWhereNoFilterGaveOne) {
  RuleMatch match;
  match.kernel_metric = {20, true};
  EXPECT_TRUE(matches(match));
  match.kernel_metric = {100, false};
  EXPECT_FALSE(matches(match));
  FilterRule set;
  set.action = RuleAction::Next;
  set.set.kernel_metric = 100;
  auto attributes = route();
  EXPECT_TRUE(run({{"f", {set, accepting(match)}}}, context, attributes).accepted);
  EXPECT_EQ(attributes.kernel_metric, 100U);
  match.kernel_metric = {20, true};
  EXPECT_FALSE(run({{"f", {accepting(match)}}}, context, attributes).accepted);
}

TEST(FilterChain, IsResolvedAgainstWhatTheTablesHave) {
  FilterRule backup;
  backup.name = "backup";
  backup.match.when_absent = {pfx("203.0.113.0/24")};
  FilterRule main;
  main.name = "main";
  main.match.when_present = {pfx("203.0.113.0/24"), pfx("198.51.100.0/24")};
  const FilterChain chain{{"f", {backup, main}}};
  EXPECT_THAT(table_conditions(chain),
              ElementsAre(pfx("203.0.113.0/24"), pfx("203.0.113.0/24"), pfx("198.51.100.0/24")));
  const auto with = [&](std::vector<net::Prefix> all) {
    std::string names;
    const auto resolved =
        resolve(chain, [&](const auto& prefix) { return std::find(all.begin(), all.end(), prefix) != all.end(); });
    for (const auto& rule : resolved[0].rules) {
      EXPECT_THAT(rule.match.when_present, IsEmpty());
      names += rule.name;
    }
    return names;
  };
  EXPECT_EQ(with({}), "backup");
  EXPECT_EQ(with({pfx("203.0.113.0/24")}), "");
  EXPECT_EQ(with({pfx("203.0.113.0/24"), pfx("198.51.100.0/24")}), "main");
}

}  // namespace
}  // namespace bgp
