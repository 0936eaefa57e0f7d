// SPDX-License-Identifier: Apache-2.0
#include "bgp/policy/filter.hpp"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace bgp
