// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/election.hpp"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

config::SpeakerState::Interface interface(const std::string& name, const std::string& subnet) {
  return {name, true, {prefix(subnet)}};
}

// Nodes n0, n1, … on one LAN, addresses 10.0.0.1 and on.
struct Lan {
  Voters voters;
  Layer2Addresses addresses;

  Lan(unsigned nodes, unsigned count) {
    for (unsigned i = 0; i < nodes; ++i) join("n" + std::to_string(i));
    const auto everybody = candidates(nodes);
    for (unsigned i = 0; i < count; ++i) addresses[address(i)] = everybody;
  }
  static net::IpAddress address(unsigned index) { return *net::advance(ip("10.0.0.1"), index); }
  static CandidatesPtr candidates(unsigned nodes) {
    Candidates all;
    for (unsigned i = 0; i < nodes; ++i) all.push_back({"n" + std::to_string(i), 0, {}});
    std::ranges::sort(all, {}, &Candidate::node);
    return std::make_shared<const Candidates>(std::move(all));
  }
  void join(const std::string& name) { voters[name].interfaces = {interface("eth0", "10.0.0.0/8")}; }

  // Elects, and publishes what came out.
  Owners elect() {
    auto owners = speaker::elect(addresses, voters);
    for (auto& [name, voter] : voters) voter.owned.clear();
    for (const auto& [address, owner] : owners) voters.at(owner).owned.push_back(address);
    return owners;
  }
};

std::map<std::string, std::size_t> loads(const Owners& owners, const Voters& voters) {
  std::map<std::string, std::size_t> count;
  for (const auto& [name, voter] : voters) count[name] = 0;
  for (const auto& [address, owner] : owners) ++count[owner];
  return count;
}
std::size_t most(const Owners& owners, const Voters& voters) {
  std::size_t load = 0;
  for (const auto& [name, count] : loads(owners, voters)) load = std::max(load, count);
  return load;
}
std::size_t moves(const Owners& before, const Owners& after) {
  std::size_t count = 0;
  for (const auto& [address, owner] : before) {
    const auto now = after.find(address);
    if (now != after.end() && now->second != owner) ++count;
  }
  return count;
}

// ---- who may ------------------------------------------------------------------------------------------

TEST(Election, TakesOnlyNodesThatLive) {
  Lan lan{3, 30};
  lan.voters.erase("n1");
  for (const auto& [address, owner] : lan.elect()) EXPECT_NE(owner, "n1");
}

TEST(Election, TakesOnlyNodesWithTheSubnet) {
  Lan lan{3, 30};
  lan.voters.at("n0").interfaces = {interface("eth0", "192.168.0.0/16")};
  lan.voters.at("n1").interfaces.clear();
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n2");
}

TEST(Election, TakesOnlyNodesWithCarrierThere) {
  Lan lan{2, 10};
  lan.voters.at("n0").interfaces[0].carrier = false;
  lan.voters.at("n0").interfaces.push_back(interface("eth1", "192.168.0.0/16"));
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n1");
}

TEST(Election, TakesOnlyNodesWithTheInterfaceTheAdvertisementNames) {
  Lan lan{2, 0};
  lan.voters.at("n1").interfaces = {interface("eth1", "10.0.0.0/8")};
  const Candidates candidates{{"n0", 0, {"eth1"}}, {"n1", 0, {"eth1"}}};
  lan.addresses[ip("10.0.0.1")] = std::make_shared<const Candidates>(candidates);
  EXPECT_THAT(lan.elect(), ElementsAre(Pair(ip("10.0.0.1"), "n1")));
}

TEST(Election, NeverTakesANodeWithoutTheSubnetEvenWhenNoneHasIt) {
  Lan lan{2, 0};
  const Candidates candidates{{"n0", 0, {"eth0"}}, {"n1", 0, {"eth0"}}};
  lan.addresses[ip("192.0.2.1")] = std::make_shared<const Candidates>(candidates);
  EXPECT_THAT(lan.elect(), IsEmpty());
}

TEST(Election, PassesContainersAndBridgesOfTheNodeBy) {
  Lan lan{2, 5};
  lan.voters.at("n0").interfaces = {interface("docker0", "10.0.0.0/8"), interface("cali12", "10.0.0.0/8")};
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n1");
}

TEST(Election, TellsNestedSubnetsApart) {
  Lan lan{2, 0};
  lan.voters.at("n1").interfaces = {interface("eth0", "10.0.0.0/30")};
  lan.addresses[ip("10.0.0.1")] = Lan::candidates(2);
  lan.addresses[ip("10.0.0.9")] = lan.addresses[ip("10.0.0.1")];
  lan.voters.at("n0").draining = true;
  EXPECT_THAT(lan.elect(), ElementsAre(Pair(ip("10.0.0.1"), "n1"), Pair(ip("10.0.0.9"), "n0")));
}

TEST(Election, LeavesADrainingNodeForTheLast) {
  Lan lan{2, 20};
  lan.elect();
  lan.voters.at("n0").draining = true;
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n1");
  lan.voters.erase("n1");
  EXPECT_EQ(lan.elect().size(), 20U);
}

TEST(Election, WorksForIpv6) {
  Lan lan{3, 0};
  for (auto& [name, voter] : lan.voters) voter.interfaces = {interface("eth0", "2001:db8::/64")};
  const auto everybody = Lan::candidates(3);
  for (unsigned i = 1; i <= 9; ++i) lan.addresses[ip("2001:db8::" + std::to_string(i))] = everybody;
  const auto owners = lan.elect();
  EXPECT_EQ(owners.size(), 9U);
  EXPECT_EQ(most(owners, lan.voters), 3U);
}

// ---- preference -------------------------------------------------------------------------------------------

TEST(ElectionWithPreferences, TakesTheHighestAndFallsBack) {
  Lan lan{3, 0};
  const Candidates candidates{{"n0", 10, {}}, {"n1", 60, {}}, {"n2", 10, {}}};
  const auto shared = std::make_shared<const Candidates>(candidates);
  for (unsigned i = 0; i < 12; ++i) lan.addresses[Lan::address(i)] = shared;
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n1");
  const auto preferred = lan.voters.at("n1");
  lan.voters.erase("n1");
  const auto without = lan.elect();
  EXPECT_EQ(most(without, lan.voters), 6U);
  lan.voters["n1"] = preferred;
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n1");
}

// ---- balance and stickiness ------------------------------------------------------------------------------

class ElectionOfMany : public testing::TestWithParam<std::pair<unsigned, unsigned>> {};

TEST_P(ElectionOfMany, IsBalancedFromTheStart) {
  const auto [nodes, count] = GetParam();
  Lan lan{nodes, count};
  EXPECT_LE(most(lan.elect(), lan.voters), (count + nodes - 1) / nodes);
}

TEST_P(ElectionOfMany, MovesOnlyWhatALostNodeHad) {
  const auto [nodes, count] = GetParam();
  Lan lan{nodes, count};
  const auto before = lan.elect();
  for (unsigned i = 0; i + 1 < nodes && i < 3; ++i) {
    const auto lost = "n" + std::to_string(i);
    const auto owned = lan.voters.at(lost).owned.size();
    const auto earlier = lan.elect();
    lan.voters.erase(lost);
    const auto after = lan.elect();
    EXPECT_EQ(after.size(), count);
    EXPECT_EQ(moves(earlier, after), owned);
    EXPECT_LE(most(after, lan.voters), (count + lan.voters.size() - 1) / lan.voters.size() + 1);
  }
}

TEST_P(ElectionOfMany, GivesAReturningNodeNoMoreThanBalanceDemands) {
  const auto [nodes, count] = GetParam();
  if (nodes < 2) return;
  Lan lan{nodes, count};
  lan.elect();
  lan.voters.erase("n0");
  const auto without = lan.elect();
  lan.join("n0");
  const auto with = lan.elect();
  const auto share = (count + nodes - 1) / nodes;
  EXPECT_LE(moves(without, with), share);
  EXPECT_LE(most(with, lan.voters), share + 1);
  EXPECT_EQ(moves(without, with), lan.voters.at("n0").owned.size());
}

TEST_P(ElectionOfMany, StaysPutWhenRepeated) {
  const auto [nodes, count] = GetParam();
  Lan lan{nodes, count};
  const auto first = lan.elect();
  EXPECT_EQ(lan.elect(), first);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ElectionOfMany,
                         testing::Values(std::pair{1U, 5U}, std::pair{3U, 9U}, std::pair{3U, 1000U}, std::pair{7U, 3U},
                                         std::pair{5U, 23U}, std::pair{40U, 2000U}));

TEST(ElectionOfFew, PutsThreeAddressesOnThreeOfSevenNodes) {
  Lan lan{7, 3};
  EXPECT_EQ(most(lan.elect(), lan.voters), 1U);
}

TEST(ElectionOverTime, DoesNotMoveAnythingForANewAddress) {
  Lan lan{3, 0};
  Owners before;
  const auto everybody = Lan::candidates(3);
  for (unsigned i = 0; i < 100; ++i) {
    lan.addresses[Lan::address(i * 7 % 100)] = everybody;
    const auto after = lan.elect();
    ASSERT_EQ(moves(before, after), 0U);
    ASSERT_LE(most(after, lan.voters), i / 3 + 2);
    before = after;
  }
}

TEST(ElectionOverTime, MovesLittleWhileAddressesComeAndGo) {
  Lan lan{4, 200};
  std::mt19937 random{1};
  auto before = lan.elect();
  std::size_t moved = 0;
  const auto everybody = Lan::candidates(4);
  for (unsigned step = 0; step < 1000; ++step) {
    const auto gone = std::next(lan.addresses.begin(), static_cast<std::ptrdiff_t>(random() % lan.addresses.size()));
    lan.addresses.erase(gone);
    lan.addresses[Lan::address(200 + step)] = everybody;
    const auto after = lan.elect();
    moved += moves(before, after);
    ASSERT_LE(most(after, lan.voters), 51U);
    before = after;
  }
  EXPECT_LE(moved, 20U);
}

TEST(ElectionOverTime, SpreadsWhenNodesStartOneAfterTheOther) {
  Lan lan{1, 9};
  lan.addresses.clear();
  const auto everybody = Lan::candidates(3);
  for (unsigned i = 0; i < 9; ++i) lan.addresses[Lan::address(i)] = everybody;
  lan.elect();
  lan.join("n1");
  lan.elect();
  lan.join("n2");
  EXPECT_LE(most(lan.elect(), lan.voters), 4U);
}

// ---- agreement -------------------------------------------------------------------------------------------------

// Every node elects from what it can read at its own moment; some have published, others not yet.
TEST(ElectionByNodesOfDifferentMoments, ComesToTheSameResult) {
  std::mt19937 random{7};
  for (unsigned round = 0; round < 200; ++round) {
    Lan lan{5, 60};
    lan.elect();
    lan.voters.erase("n" + std::to_string(round % 5));
    const auto result = elect(lan.addresses, lan.voters);
    auto half = lan.voters;
    for (auto& [name, voter] : half) {
      if (random() % 2 == 0) continue;
      voter.owned.clear();
      for (const auto& [address, owner] : result) {
        if (owner == name) voter.owned.push_back(address);
      }
    }
    ASSERT_EQ(elect(lan.addresses, half), result) << "round " << round;
  }
}

TEST(ElectionAfterAPartition, SettlesDoubleClaims) {
  Lan lan{4, 40};
  Lan left = lan;
  left.voters.erase("n2");
  left.voters.erase("n3");
  left.elect();
  Lan right = lan;
  right.voters.erase("n0");
  right.voters.erase("n1");
  right.elect();
  for (auto& [name, voter] : lan.voters)
    voter = left.voters.contains(name) ? left.voters.at(name) : right.voters.at(name);
  const auto owners = lan.elect();
  EXPECT_EQ(owners.size(), 40U);
  EXPECT_LE(most(owners, lan.voters), 11U);
  EXPECT_EQ(lan.elect(), owners);
}

TEST(ElectionWithWrongClaims, IgnoresThem) {
  Lan lan{2, 4};
  lan.voters.at("n0").owned = {ip("10.0.0.200"), ip("2001:db8::1")};
  lan.voters.at("n1").interfaces.clear();
  lan.voters.at("n1").owned = {Lan::address(0), Lan::address(1)};
  for (const auto& [address, owner] : lan.elect()) EXPECT_EQ(owner, "n0");
}

// ---- uneven eligibility ----------------------------------------------------------------------------------------

TEST(ElectionOfUnevenChoices, FillsWithTheFreeOnesWhatTheBoundOnesLeave) {
  Lan lan{3, 0};
  const auto only_n0 = std::make_shared<const Candidates>(Candidates{{"n0", 0, {}}});
  const auto everybody = Lan::candidates(3);
  for (unsigned i = 0; i < 20; ++i) lan.addresses[Lan::address(i)] = only_n0;
  for (unsigned i = 20; i < 60; ++i) lan.addresses[Lan::address(i)] = everybody;
  auto count = loads(lan.elect(), lan.voters);
  EXPECT_EQ(count["n0"], 20U);
  EXPECT_EQ(count["n1"], 20U);
  EXPECT_EQ(count["n2"], 20U);
}

TEST(ElectionOfUnevenChoices, IsStableAndFairUnderRandomChoices) {
  std::mt19937 random{11};
  for (unsigned round = 0; round < 100; ++round) {
    Lan lan{6, 0};
    for (unsigned i = 0; i < 80; ++i) {
      Candidates some;
      for (unsigned node = 0; node < 6; ++node) {
        if (random() % 3 == 0) some.push_back({"n" + std::to_string(node), 0, {}});
      }
      if (!some.empty()) lan.addresses[Lan::address(i)] = std::make_shared<const Candidates>(some);
    }
    const auto owners = lan.elect();
    ASSERT_EQ(owners.size(), lan.addresses.size());
    ASSERT_LE(most(owners, lan.voters), lan.addresses.size() / 6 + 4);
    ASSERT_EQ(lan.elect(), owners);
    for (const auto& [address, owner] : owners) {
      const auto& candidates = *lan.addresses.at(address);
      ASSERT_NE(std::ranges::find(candidates, owner, &Candidate::node), candidates.end());
    }
    // Where the lost ones have little choice, somebody may have to make room for them.
    const auto lost = loads(owners, lan.voters)["n3"];
    lan.voters.erase("n3");
    ASSERT_LE(moves(owners, lan.elect()), 2 * lost);
  }
}

// ---- explain -------------------------------------------------------------------------------------------------------

TEST(ElectionExplained, SaysWhyANodeDoesNotAnswer) {
  Lan lan{3, 1};
  lan.voters.at("n2").interfaces.clear();
  const auto owners = lan.elect();
  const auto address = Lan::address(0);
  const auto& candidates = *lan.addresses.at(address);
  const auto& owner = owners.at(address);
  const auto* loser = owner == "n0" ? "n1" : "n0";
  EXPECT_EQ(election_gate(address, candidates, lan.voters, owners, owner), Gate::Open);
  EXPECT_EQ(election_gate(address, candidates, lan.voters, owners, loser), Gate::NotOwner);
  EXPECT_EQ(election_gate(address, candidates, lan.voters, owners, "n2"), Gate::NoSubnet);
}

}  // namespace
}  // namespace speaker
