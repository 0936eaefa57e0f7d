// SPDX-License-Identifier: Apache-2.0
#include "speaker/ownership.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace speaker {
namespace {

L2Link lan(bool carrier = true) {
  L2Link link;
  link.index = 2;
  link.name = "eth1";
  link.mac = *net::parse_mac("02:00:00:00:00:01");
  link.up = true;
  link.carrier = carrier;
  link.subnets = {*net::parse_prefix("192.0.2.0/24")};
  return link;
}

config::SpeakerState state(const std::string& node) {
  config::SpeakerState out;
  out.meta.name = node;
  out.interfaces = {{"eth1", true, {*net::parse_prefix("192.0.2.0/24")}}};
  return out;
}

const std::map<std::string, config::SpeakerState> three{{"n1", state("n1")}, {"n2", state("n2")}, {"n3", state("n3")}};

Layer2Addresses addresses() {
  const auto everybody =
      std::make_shared<const Candidates>(Candidates{{"n1", 0, {"eth1"}}, {"n2", 0, {}}, {"n3", 0, {}}});
  Layer2Addresses out;
  for (unsigned i = 0; i < 30; ++i) out.emplace(net::Ipv4Address{0xc0000264 + i}, everybody);
  return out;
}

TEST(Ownership, GivesEveryAddressToExactlyOneLiveNode) {
  const auto all = addresses();
  std::size_t total = 0;
  for (const auto* node : {"n1", "n2", "n3"})
    total += decide_ownership(all, three, {"n1", "n2", "n3"}, {node, {lan()}, {}, false}).mine.size();
  EXPECT_EQ(total, all.size());
}

TEST(Ownership, TakesOverWhatADeadNodeHad) {
  const auto all = addresses();
  const auto before = decide_ownership(all, three, {"n1", "n2", "n3"}, {"n1", {lan()}, {}, false});
  const auto after = decide_ownership(all, three, {"n1"}, {"n1", {lan()}, {}, false});
  EXPECT_LT(before.mine.size(), all.size());
  ASSERT_EQ(after.mine.size(), all.size());
  EXPECT_EQ(after.mine.begin()->second, std::vector<std::string>{"eth1"});
}

TEST(Ownership, BelievesItsOwnLinksRatherThanWhatItPublishedOnce) {
  const auto none = decide_ownership(addresses(), three, {"n1", "n2", "n3"}, {"n1", {lan(false)}, {}, false});
  EXPECT_TRUE(none.mine.empty());
  EXPECT_EQ(none.owners.size(), 30U);
}

TEST(Ownership, LeavesNothingToANodeThatDrainsWhileOthersLive) {
  EXPECT_TRUE(decide_ownership(addresses(), three, {"n2"}, {"n1", {lan()}, {}, true}).mine.empty());
}

}  // namespace
}  // namespace speaker
