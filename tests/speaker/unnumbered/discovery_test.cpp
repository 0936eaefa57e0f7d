// SPDX-License-Identifier: Apache-2.0
#include "speaker/unnumbered/discovery.hpp"

#include <gmock/gmock.h>

namespace speaker {
namespace {

using net::Seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const net::TimePoint t0{std::chrono::hours{1}};
const auto one = net::parse_ip("fe80::1") -> v6();
const auto other = net::parse_ip("fe80::2") -> v6();

constexpr auto advertise = [](std::uint32_t index) { return Discovery::Sending{index, RouterMessage::Advertisement}; };
constexpr auto solicit = [](std::uint32_t index) { return Discovery::Sending{index, RouterMessage::Solicitation}; };

Discovery on_two_links() {
  Discovery discovery;
  discovery.set_links({{"eth1", {1, true, {}}}, {"eth2", {2, true, {}}}}, t0);
  return discovery;
}

TEST(Discovery, SaysNothingOnLinksThatAreNotReady) {
  Discovery discovery;
  discovery.set_links({{"eth1", {1, false, "interface eth1 is down"}}}, t0);
  EXPECT_THAT(discovery.due(t0), IsEmpty());
  EXPECT_EQ(discovery.next_deadline(), std::nullopt);
  EXPECT_EQ(discovery.neighbors().at("eth1").error(), "interface eth1 is down");
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Advertisement, one, t0));
}

TEST(Discovery, AsksAndAdvertisesAtOnceThenAtLeisure) {
  auto discovery = on_two_links();
  EXPECT_THAT(discovery.due(t0), ElementsAre(advertise(1), solicit(1), advertise(2), solicit(2)));
  EXPECT_THAT(discovery.due(t0), IsEmpty());
  EXPECT_TRUE(discovery.heard(2, RouterMessage::Advertisement, one, t0));
  EXPECT_THAT(discovery.due(t0 + Seconds{1}), ElementsAre(advertise(1), solicit(1), advertise(2)));
  EXPECT_EQ(discovery.due(t0 + Seconds{2}).size(), 3U);
  EXPECT_EQ(discovery.due(t0 + Seconds{3}).size(), 3U);
  EXPECT_EQ(discovery.next_deadline(), t0 + Seconds{13});
  EXPECT_THAT(discovery.due(t0 + Seconds{13}), ElementsAre(advertise(1), advertise(2)));
}

TEST(Discovery, KeepsTheSameAddressOnTwoLinksApart) {
  auto discovery = on_two_links();
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, one, t0));
  EXPECT_EQ(discovery.neighbors().at("eth1"), one);
  EXPECT_EQ(discovery.neighbors().at("eth2").error(), "no router was heard on eth2 yet");
  EXPECT_TRUE(discovery.heard(2, RouterMessage::Advertisement, one, t0));
  EXPECT_EQ(discovery.neighbors().at("eth2"), one);
}

TEST(Discovery, KeepsANeighbourUntilItIsSilent) {
  auto discovery = on_two_links();
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, one, t0));
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Advertisement, one, t0 + Seconds{10})) << "the same again";
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Advertisement, other, t0 + Seconds{44}));
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, other, t0 + Seconds{45}));
  EXPECT_EQ(discovery.neighbors().at("eth1"), other);
}

TEST(Discovery, ReplacesANeighbourWithoutASessionSooner) {
  bool up = true;
  Discovery discovery{[&](std::uint32_t index) { return index == 1 && up; }};
  discovery.set_links({{"eth1", {1, true, {}}}}, t0);
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, one, t0));
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Advertisement, other, t0 + Seconds{20})) << "it has a session";
  up = false;
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, other, t0 + Seconds{21}));
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Advertisement, one, t0 + Seconds{25})) << "a chance for each";
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, one, t0 + Seconds{26}));
}

TEST(Discovery, AnswersASolicitationAtMostEveryThreeSeconds) {
  auto discovery = on_two_links();
  for (int i = 0; i <= 3; ++i) (void)discovery.due(t0 + Seconds{i});
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Solicitation, one, t0 + Seconds{4}));
  EXPECT_EQ(discovery.next_deadline(), t0 + Seconds{6});
  EXPECT_THAT(discovery.due(t0 + Seconds{6}), ElementsAre(advertise(1)));
  EXPECT_FALSE(discovery.heard(1, RouterMessage::Solicitation, one, t0 + Seconds{12}));
  EXPECT_THAT(discovery.due(t0 + Seconds{12}), ElementsAre(advertise(1)));
}

TEST(Discovery, BeginsAnewWhenALinkIsBack) {
  auto discovery = on_two_links();
  (void)discovery.due(t0);
  EXPECT_TRUE(discovery.heard(1, RouterMessage::Advertisement, one, t0));
  discovery.set_links({{"eth1", {1, false, "interface eth1 is down"}}}, t0);
  EXPECT_EQ(discovery.neighbors().at("eth1"), one) << "a flap is no reason to forget";
  discovery.set_links({{"eth1", {1, true, {}}}}, t0 + Seconds{5});
  EXPECT_THAT(discovery.due(t0 + Seconds{5}), ElementsAre(advertise(1)));
  discovery.set_links({{"eth1", {9, true, {}}}}, t0 + Seconds{6});
  EXPECT_FALSE(discovery.neighbors().at("eth1").has_value()) << "another device of the same name";
}

}  // namespace
}  // namespace speaker
