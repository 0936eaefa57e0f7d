// SPDX-License-Identifier: Apache-2.0
// The containers that the tables are built of, each against a plain one of the standard library.
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "bgp/rib/attribute_pool.hpp"
#include "bgp/rib/audience.hpp"
#include "bgp/rib/bitmap.hpp"
#include "bgp/rib/prefix_table.hpp"
#include "bgp/timers.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PrefixTable, HoldsWhatAMapHoldsUnderRandomChanges) {
  PrefixTable<net::Ipv4Prefix> table{42};
  std::map<net::Ipv4Prefix, NodeIndex> expected;
  Random random{7};
  for (int i = 0; i < 40000; ++i) {
    const auto word = random.next();
    const auto prefix =
        *net::Ipv4Prefix::make({static_cast<std::uint32_t>(word) & 0x0fff0000}, static_cast<unsigned>(8 + word % 9));
    const auto known = expected.find(prefix);
    ASSERT_EQ(table.find(prefix), known == expected.end() ? no_index : known->second);
    if ((word >> 60) % 3 != 0 || known == expected.end()) {
      const auto index = table.insert(prefix);
      if (known != expected.end()) {
        ASSERT_EQ(index, known->second);
      }
      expected[prefix] = index;
      ASSERT_EQ(table.prefix_of(index), prefix);
    } else {
      table.erase(known->second);
      expected.erase(known);
    }
    ASSERT_EQ(table.size(), expected.size());
  }
  for (const auto& [prefix, index] : expected) ASSERT_EQ(table.find(prefix), index);
}

TEST(PrefixTable, GivesItsMemoryBackWhenItIsEmpty) {
  PrefixTable<net::Ipv6Prefix> table{1};
  const auto empty = table.bytes();
  std::vector<NodeIndex> nodes;
  for (std::uint8_t i = 0; i < 255; ++i) nodes.push_back(table.insert(*net::Ipv6Prefix::make({{i, i}}, 64)));
  EXPECT_GT(table.bytes(), empty);
  for (const auto node : nodes) table.erase(node);
  EXPECT_EQ(table.bytes(), empty);
}

TEST(PrefixTable, KeepsPathsOfManyPrefixesApart) {
  PrefixTable<net::Ipv4Prefix> table{3};
  std::map<NodeIndex, std::vector<std::uint16_t>> expected;
  Random random{9};
  for (std::uint32_t i = 0; i < 50; ++i) expected[table.insert(*net::Ipv4Prefix::make({i << 8}, 24))];
  for (int round = 0; round < 30000; ++round) {
    const auto word = random.next();
    auto at = expected.begin();
    std::advance(at, word % expected.size());
    auto& [node, sources] = *at;
    // Blocks grow to some hundred paths and shrink again.
    if ((word >> 32) % 300 >= sources.size()) {
      const PeerId source{static_cast<std::uint16_t>(word >> 48)};
      table.append(node, Path{nullptr, 0, source, 0, 0});
      sources.push_back(source.value);
    } else {
      const auto place = (word >> 40) % sources.size();
      table.remove(node, place);
      sources[place] = sources.back();
      sources.pop_back();
    }
  }
  for (const auto& [node, sources] : expected) {
    std::vector<std::uint16_t> found;
    for (const auto& path : table.paths(node)) found.push_back(path.source.value);
    EXPECT_EQ(found, sources);
  }
}

TEST(Bitmap, FindsItsBitsInOrder) {
  Bitmap bits;
  EXPECT_EQ(bits.next(0), Bitmap::none);
  for (const auto index : {3U, 64U, 65U, 1000U}) EXPECT_TRUE(bits.set(index));
  EXPECT_FALSE(bits.set(64));
  EXPECT_EQ(bits.count(), 4U);
  std::vector<std::uint32_t> found;
  for (auto at = bits.next(0); at != Bitmap::none; at = bits.next(at + 1)) found.push_back(at);
  EXPECT_THAT(found, ElementsAre(3, 64, 65, 1000));
  EXPECT_TRUE(bits.reset(64));
  EXPECT_FALSE(bits.reset(64));
  EXPECT_FALSE(bits.reset(5000));
  EXPECT_FALSE(bits.test(64));
  EXPECT_TRUE(bits.test(65));
}

PathAttributes numbered(std::uint32_t number) {
  PathAttributes attributes;
  attributes.as_path.prepend(net::Asn{number});
  attributes.next_hop = {net::Ipv4Address{number % 3}, std::nullopt};
  return attributes;
}

TEST(AttributePool, KeepsEqualAttributesOnce) {
  AttributePool pool{5};
  {
    const auto one = pool.intern(numbered(1));
    const auto same = pool.intern(numbered(1));
    const auto other = pool.intern(numbered(2));
    EXPECT_EQ(one.get(), same.get());
    EXPECT_NE(one.get(), other.get());
    EXPECT_EQ(pool.size(), 2U);
    EXPECT_EQ(one->attributes(), numbered(1));
  }
  EXPECT_EQ(pool.size(), 0U);
}

TEST(AttributePool, TellsNextHopsApart) {
  AttributePool pool{5};
  auto attributes = numbered(1);
  attributes.next_hop = {net::parse_ipv6("2001:db8::1").value(), std::nullopt};
  const auto global = pool.intern(attributes);
  attributes.next_hop.link_local = net::parse_ipv6("fe80::1");
  const auto both = pool.intern(attributes);
  EXPECT_NE(global.get(), both.get());
  EXPECT_EQ(both->next_hop(), attributes.next_hop);
}

TEST(AttributePool, TellsWhatIsNeverSentApart) {
  AttributePool pool{5};
  std::vector<SetRef> sets;
  std::vector<PathAttributes> all;
  for (const auto* next_hop : {"10.0.0.1", "2001:db8::1"}) {
    for (const std::uint32_t link : {0U, 1U}) {
      for (const std::uint32_t metric : {0U, 1U, 512U}) {
        auto& attributes = all.emplace_back();
        attributes.next_hop.address = *net::parse_ip(next_hop);
        attributes.link = link;
        attributes.kernel_metric = metric;
        sets.push_back(pool.intern(attributes));
      }
    }
  }
  EXPECT_EQ(pool.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(sets[i]->attributes(), all[i]);
    EXPECT_EQ(sets[i]->kernel_metric(), all[i].kernel_metric);
    EXPECT_EQ(sets[i]->bytes().size(), sets[0]->bytes().size());  // what others may be sent
    EXPECT_EQ(pool.intern(all[i]).get(), sets[i].get());
  }
}

TEST(AttributePool, SummarisesWhatTheDecisionLooksAt) {
  AttributePool pool{5};
  PathAttributes attributes;
  attributes.as_path.segments = {{AsPathSegment::Type::Sequence, {{7}, {8}}}, {AsPathSegment::Type::Set, {{9}, {10}}}};
  attributes.origin = Origin::Egp;
  attributes.med = 3;
  attributes.local_pref = 50;
  attributes.communities = {community_no_export};
  const auto set = pool.intern(attributes);
  EXPECT_EQ(set->path_length, 3);
  EXPECT_EQ(set->neighbor_as, 7U);
  EXPECT_EQ(set->origin, 1);
  EXPECT_EQ(set->med, 3U);
  EXPECT_EQ(set->local_pref, 50U);
  EXPECT_EQ(set->flags, AttributeSet::has_med | AttributeSet::has_local_pref | AttributeSet::no_export);
  EXPECT_EQ(set->attributes(), attributes);
}

TEST(AttributePool, FindsManySetsAgain) {
  AttributePool pool{5};
  std::vector<SetRef> held;
  for (std::uint32_t i = 1; i <= 5000; ++i) held.push_back(pool.intern(numbered(i)));
  for (std::uint32_t i = 1; i <= 5000; ++i) ASSERT_EQ(pool.intern(numbered(i)).get(), held[i - 1].get());
  EXPECT_EQ(pool.size(), 5000U);
  held.erase(held.begin(), held.begin() + 2500);
  EXPECT_EQ(pool.size(), 2500U);
  EXPECT_EQ(pool.intern(numbered(4000)).get(), held[1499].get());
}

TEST(Audiences, AreNamedOnceWhateverTheOrderOfTheirMembers) {
  Audiences audiences;
  EXPECT_EQ(audiences.of({}), everyone);
  const auto both = audiences.of({"tor2", "tor1"});
  const auto one = audiences.of({"tor1"});
  EXPECT_EQ(audiences.of({"tor1", "tor2", "tor1"}), both);
  EXPECT_NE(both, one);
  EXPECT_THAT(audiences.with("tor1"), ElementsAre(both, one));
  EXPECT_THAT(audiences.with("tor2"), ElementsAre(both));
  EXPECT_THAT(audiences.with("tor3"), IsEmpty());
}

TEST(AttributePool, KeepsTheAccumulatedMetric) {
  AttributePool pool{1};
  PathAttributes attributes;
  attributes.as_path.segments = {{AsPathSegment::Type::Sequence, {net::Asn{65001}}}};
  attributes.next_hop.address = *net::parse_ip("10.0.0.2");
  const auto plain = pool.intern(attributes);
  attributes.communities = {Community{1}};
  attributes.large_communities = {LargeCommunity{1, 2, 3}};
  attributes.aigp = Aigp{1'000'000'000'000, {7, 0, 5, 0xbe, 0xef}};
  const auto kept = pool.intern(attributes);
  EXPECT_EQ(kept->attributes(), attributes);
  EXPECT_EQ(kept->aigp_metric(), 1'000'000'000'000U);
  EXPECT_NE(kept->flags & AttributeSet::accumulates, 0);
  EXPECT_EQ(plain->flags & AttributeSet::accumulates, 0);
}

}  // namespace
}  // namespace bgp
