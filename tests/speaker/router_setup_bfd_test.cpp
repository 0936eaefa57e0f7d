// SPDX-License-Identifier: Apache-2.0
// What a BFDProfile becomes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "speaker/router_setup.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

struct Watched : World {
  Watched() {
    bgp_configurations["default"].asn = net::Asn{65000};
    bgp_configurations["default"].router_id = net::RouterId{1};
    auto& tor = peer("tor");
    tor.peer_asn = net::Asn{65001};
    tor.peer_address = ip("10.0.0.1");
    tor.bfd_profile = "fast";
    auto& fast = bfd_profiles["fast"];
    fast.meta.name = "fast";
    fast.receive_interval = std::chrono::milliseconds{50};
    fast.transmit_interval = std::chrono::milliseconds{60};
    fast.detect_multiplier = 5;
  }
  [[nodiscard]] RouterSetup setup() const { return set_up_router(*this, {"n1", {"tor"}, {}, std::nullopt, {}}); }
  [[nodiscard]] BfdWatch watch() const { return setup().bfd.at("tor"); }
};

TEST(RouterSetupBfd, HasTheProfilesIntervals) {
  Watched world;
  const auto watch = world.watch();
  EXPECT_EQ(watch.profile, "fast");
  EXPECT_EQ(watch.remote, ip("10.0.0.1"));
  EXPECT_EQ(watch.config.required_min_rx, bfd::Interval{50'000});
  EXPECT_EQ(watch.config.desired_min_tx, bfd::Interval{60'000});
  EXPECT_EQ(watch.config.detect_multiplier, 5);
  EXPECT_EQ(watch.config.required_min_echo_rx, bfd::Interval{50'000});
  EXPECT_EQ(watch.config.echo_interval, bfd::Interval{0});
  EXPECT_EQ(watch.config.role, bfd::Role::Active);
  EXPECT_FALSE(watch.config.key);
  world.bfd_profiles["fast"].echo_mode = world.bfd_profiles["fast"].passive_mode = true;
  EXPECT_EQ(world.watch().config.echo_interval, bfd::Interval{50'000});
  EXPECT_EQ(world.watch().config.role, bfd::Role::Passive);
}

TEST(RouterSetupBfd, KnowsHowFarTheNeighbourIs) {
  Watched world;
  auto& peer = world.peers["tor"];
  EXPECT_EQ(world.watch().distance, BfdWatch::Distance::Direct);
  peer.ebgp_multi_hop = true;
  EXPECT_EQ(world.watch().distance, BfdWatch::Distance::Far);
  peer.ebgp_multi_hop = false;
  peer.ttl_security = 1;
  EXPECT_EQ(world.watch().distance, BfdWatch::Distance::Direct);
  peer.ttl_security = 2;
  EXPECT_EQ(world.watch().distance, BfdWatch::Distance::Far);
  peer.ttl_security.reset();
  peer.peer_asn = net::Asn{65000};
  EXPECT_EQ(world.watch().distance, BfdWatch::Distance::ByLink);
}

TEST(RouterSetupBfd, WatchesNeighboursOfARangeWhenTheyAreThere) {
  Watched world;
  auto& peer = world.peers["tor"];
  peer.peer_address = {};
  peer.listen_range = *net::parse_prefix("10.1.0.0/16");
  const auto setup = world.setup();
  EXPECT_TRUE(setup.bfd.empty());
  EXPECT_EQ(setup.bfd_ranges.at("tor").profile, "fast");
  EXPECT_EQ(setup.bfd_ranges.at("tor").distance, BfdWatch::Distance::Direct);
}

TEST(RouterSetupBfd, KeepsAPeerDownWithoutItsProfileOrKey) {
  Watched world;
  world.peers["tor"].bfd_profile = "slow";
  auto setup = world.setup();
  EXPECT_TRUE(setup.bfd.empty());
  EXPECT_EQ(setup.neighbors.at(0).hold_down, "BFDProfile/slow does not exist");

  world.peers["tor"].bfd_profile = "fast";
  world.bfd_profiles["fast"].authentication = {config::BfdAuthType::KeyedMd5, 9, {"key", ""}};
  setup = world.setup();
  EXPECT_TRUE(setup.bfd.empty());
  EXPECT_EQ(setup.neighbors.at(0).hold_down, "Secret default/key does not exist");

  world.secrets["default/key"].data["password"] = "sesame";
  const auto key = world.watch().config.key;
  ASSERT_TRUE(key);
  EXPECT_EQ(*key, (bfd::AuthKey{bfd::AuthType::KeyedMd5, 9, "sesame"}));
}

TEST(RouterSetupBfd, DoesNotWatchAPeerThatIsShutDownOrHeld) {
  Watched world;
  world.peers["tor"].shutdown = true;
  EXPECT_TRUE(world.setup().bfd.empty());
  world.peers["tor"].shutdown = false;
  EXPECT_TRUE(set_up_router(world, {"n1", {"tor"}, {{"tor", "no filter"}}, std::nullopt, {}}).bfd.empty());
}

TEST(RouterSetupBfd, TellsTheRouterToWaitWhenStrict) {
  Watched world;
  EXPECT_EQ(world.setup().neighbors.at(0).wait_for, bgp::WaitFor::Nothing);
  world.peers["tor"].bfd_strict = true;
  world.peers["tor"].bfd_hold_time = std::chrono::seconds{9};
  EXPECT_EQ(world.setup().neighbors.at(0).wait_for, bgp::WaitFor::Bfd);
  EXPECT_TRUE(world.watch().strict);
  EXPECT_EQ(world.watch().hold_time, std::chrono::seconds{9});
}

}  // namespace
}  // namespace speaker
