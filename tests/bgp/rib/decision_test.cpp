// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/decision.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "bgp/rib/attribute_pool.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;

// Paths a, b, c … from peers 0, 1, 2 …, all alike: eBGP, AS path of one, identifiers and addresses ascending.
class DecisionTest : public ::testing::Test {
 protected:
  struct Entry {
    PathAttributes attributes;
    Rank rank;
  };
  DecisionTest() : entries_(3) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      entries_[i].attributes.as_path.prepend(net::Asn{65001 + i});
      entries_[i].rank = {PeerType::External, net::RouterId{10 + i}, net::Ipv4Address{100 + i}};
    }
  }
  PathAttributes& of(std::size_t peer) { return entries_[peer].attributes; }
  Rank& rank(std::size_t peer) { return entries_[peer].rank; }

  // In every order of the paths the same peer must win, for the same reason.
  struct Choice {
    std::uint16_t peer;
    SelectionReason reason;
    friend bool operator==(Choice, Choice) = default;
    friend void PrintTo(Choice choice, std::ostream* out) {
      *out << "peer " << choice.peer << ": " << describe(choice.reason);
    }
  };
  Choice choose() {
    auto paths = make();
    const Decision decision{config, ranks_};
    std::sort(paths.begin(), paths.end(), by_source);
    std::optional<Choice> first;
    do {
      const auto best = decision.best(paths);
      if (best == Decision::none) return {0xffff, SelectionReason::Equal};
      const Choice choice{paths[best].source.value, decision.reason_of_best(paths, best)};
      if (!first) first = choice;
      EXPECT_EQ(choice, *first);
    } while (std::next_permutation(paths.begin(), paths.end(), by_source));
    return *first;
  }
  std::vector<std::uint16_t> together() {
    const auto paths = make();
    const Decision decision{config, ranks_};
    std::vector<std::size_t> used;
    decision.multipath(paths, decision.best(paths), used);
    std::vector<std::uint16_t> peers;
    for (const auto place : used) peers.push_back(paths[place].source.value);
    return peers;
  }
  SelectionReason why_not(std::size_t loser) {
    const auto paths = make();
    const Decision decision{config, ranks_};
    return decision.reason(paths, decision.best(paths), loser);
  }
  std::vector<Path> make() {
    ranks_.clear();
    held_.clear();
    std::vector<Path> paths;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      held_.push_back(pool_.intern(entries_[i].attributes));
      ranks_.push_back(entries_[i].rank);
      paths.push_back({held_.back().get(), 0, PeerId{static_cast<std::uint16_t>(i)}, 0, flags[i]});
    }
    return paths;
  }
  static bool by_source(const Path& one, const Path& other) { return one.source < other.source; }

  DecisionConfig config;
  std::array<std::uint8_t, 3> flags{};

 private:
  std::vector<Entry> entries_;
  AttributePool pool_{1};
  std::vector<SetRef> held_;
  std::vector<Rank> ranks_;
};

TEST_F(DecisionTest, EndsWithTheLowestRouterId) {
  EXPECT_EQ(choose(), (Choice{0, SelectionReason::RouterId}));
  rank(2).router_id = net::RouterId{1};
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::RouterId}));
}

TEST_F(DecisionTest, PrefersHigherLocalPrefBeforeAllElse) {
  of(2).local_pref = 101;
  of(2).as_path.prepend(net::Asn{65003}, 5);
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::LocalPref}));
  of(1).local_pref = 100;  // what the others count as having
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::LocalPref}));
  config.default_local_pref = 102;
  EXPECT_EQ(choose(), (Choice{0, SelectionReason::LocalPref}));
}

// RFC 7311 section 4.1.
TEST_F(DecisionTest, PrefersTheLowerAccumulatedMetricBeforeTheShorterPath) {
  for (std::size_t peer = 0; peer < 3; ++peer) of(peer).aigp = Aigp{20, {}};
  EXPECT_EQ(choose(), (Choice{0, SelectionReason::RouterId}));
  EXPECT_THAT(together(), ElementsAre(0, 1, 2));
  of(2).aigp->metric = 19;
  of(2).as_path.prepend(net::Asn{65003}, 5);
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::Aigp}));
  EXPECT_THAT(together(), ElementsAre(2));
  of(1).local_pref = 101;
  EXPECT_EQ(choose(), (Choice{1, SelectionReason::LocalPref}));
}

TEST_F(DecisionTest, PrefersPathsWithAnAccumulatedMetric) {
  of(2).aigp = Aigp{~std::uint64_t{0}, {}};
  of(2).as_path.prepend(net::Asn{65003}, 5);
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::Aigp}));
  EXPECT_EQ(why_not(0), SelectionReason::Aigp);
  flags[2] = Path::unreachable;
  EXPECT_EQ(choose(), (Choice{0, SelectionReason::RouterId}));
  flags[2] = 0;
  of(1).aigp = Aigp{0, {}};
  EXPECT_EQ(choose(), (Choice{1, SelectionReason::Aigp}));
}

TEST_F(DecisionTest, PrefersTheShorterAsPath) {
  of(0).as_path.prepend(net::Asn{65001});
  of(1).as_path.prepend(net::Asn{65002});
  of(2).origin = Origin::Incomplete;
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::AsPathLength}));
}

TEST_F(DecisionTest, CountsAnAsSetAsOne) {
  of(0).as_path.segments.push_back({AsPathSegment::Type::Set, {{1}, {2}, {3}}});
  of(1).as_path.prepend(net::Asn{65002}, 2);
  of(2).as_path.prepend(net::Asn{65003}, 2);
  EXPECT_EQ(choose(), (Choice{0, SelectionReason::AsPathLength}));
}

TEST_F(DecisionTest, PrefersTheLowerOrigin) {
  of(0).origin = Origin::Incomplete;
  of(1).origin = Origin::Egp;
  of(2).origin = Origin::Egp;
  of(2).med = 0;
  EXPECT_EQ(choose(), (Choice{1, SelectionReason::RouterId}));
  EXPECT_EQ(why_not(0), SelectionReason::Origin);
}

TEST_F(DecisionTest, ComparesMedWithinANeighboringAsOnly) {
  of(0).med = 10;
  of(1).med = 5;
  EXPECT_EQ(choose(), (Choice{0, SelectionReason::RouterId}));
  config.med = MedComparison::Always;
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::Med}));  // without a MED: the best
}

TEST_F(DecisionTest, EliminatesByMedWhateverTheOrder) {
  // Pairwise comparison goes round in circles here: 0 beats 2 by identifier, 2 beats 1 the same way, and 1 beats
  // 0 by MED.
  of(1).as_path = of(0).as_path;
  of(0).med = 10;
  of(1).med = 5;
  rank(0).router_id = net::RouterId{1};
  rank(1).router_id = net::RouterId{3};
  rank(2).router_id = net::RouterId{2};
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::RouterId}));
  EXPECT_EQ(why_not(0), SelectionReason::Med);
}

TEST_F(DecisionTest, PrefersExternalPaths) {
  rank(0).type = PeerType::Internal;
  rank(1).type = PeerType::Internal;
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::PeerType}));
}

TEST_F(DecisionTest, TakesTheOriginatorForTheRouterId) {
  of(0).originator_id = net::RouterId{99};
  EXPECT_EQ(choose(), (Choice{1, SelectionReason::RouterId}));
}

TEST_F(DecisionTest, PrefersTheShorterClusterList) {
  for (std::size_t i = 0; i < 3; ++i) of(i).originator_id = net::RouterId{5};
  of(0).cluster_list = {net::RouterId{1}, net::RouterId{2}};
  of(1).cluster_list = {net::RouterId{1}};
  of(2).cluster_list = {net::RouterId{3}, net::RouterId{4}};
  EXPECT_EQ(choose(), (Choice{1, SelectionReason::ClusterListLength}));
}

TEST_F(DecisionTest, EndsWithTheLowestAddressOfThePeer) {
  for (std::size_t i = 0; i < 3; ++i) rank(i).router_id = net::RouterId{5};
  rank(1).address = net::Ipv4Address{1};
  EXPECT_EQ(choose(), (Choice{1, SelectionReason::NeighborAddress}));
}

TEST_F(DecisionTest, LeavesOutRejectedAndUnreachablePaths) {
  flags = {Path::rejected, Path::unreachable, 0};
  EXPECT_EQ(choose(), (Choice{2, SelectionReason::OnlyPath}));
  EXPECT_EQ(why_not(0), SelectionReason::Rejected);
  EXPECT_EQ(why_not(1), SelectionReason::Unreachable);
  flags[2] = Path::rejected;
  EXPECT_EQ(choose().peer, 0xffff);
}

TEST_F(DecisionTest, PrefersLocalRoutes) {
  of(0).local_pref = 500;
  auto paths = make();
  paths[1].source = local_peer;
  const std::vector<Rank> ranks(3);
  const Decision decision{config, ranks};
  EXPECT_EQ(decision.best(paths), 1U);
  EXPECT_EQ(decision.reason_of_best(paths, 1), SelectionReason::LocalRoute);
}

TEST_F(DecisionTest, UsesEqualPathsTogetherWithTheBestInFront) {
  EXPECT_THAT(together(), ElementsAre(0, 1, 2));
  rank(2).router_id = net::RouterId{1};
  EXPECT_THAT(together(), ElementsAre(2, 0, 1));
  config.maximum_paths = 2;
  EXPECT_THAT(together(), ElementsAre(2, 0));
  config.maximum_paths = 1;
  EXPECT_THAT(together(), ElementsAre(2));
}

TEST_F(DecisionTest, UsesOnlyEqualPathsTogether) {
  of(1).as_path.prepend(net::Asn{65002});
  EXPECT_THAT(together(), ElementsAre(0, 2));
  rank(2).type = PeerType::Internal;
  EXPECT_THAT(together(), ElementsAre(0));
}

TEST_F(DecisionTest, UsesNoPathThatMedRulesOut) {
  of(1).as_path = of(2).as_path;
  of(1).med = 1;
  EXPECT_THAT(together(), ElementsAre(0, 2));
}

TEST_F(DecisionTest, MayDemandTheSameAsPath) {
  config.multipath = AsPathRelax::SamePath;
  of(2).as_path = of(0).as_path;
  EXPECT_THAT(together(), ElementsAre(0, 2));
}

}  // namespace
}  // namespace bgp
