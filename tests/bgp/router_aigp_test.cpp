// SPDX-License-Identifier: Apache-2.0
// The accumulated IGP metric (RFC 7311): from whom it is taken, to whom it goes, and what it decides.
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const auto route = pfx("203.0.113.0/24");

PathAttributes metric(std::vector<std::uint32_t> asns, std::uint64_t value) {
  auto attributes = path(std::move(asns));
  attributes.aigp = Aigp{value, {0x07, 0x00, 0x05, 0xbe, 0xef}};
  return attributes;
}

struct RouterWithAigp : ::testing::Test {
  Lab lab;
  Speaker& sender = lab.add(external(1));
  Speaker& other = lab.add(external(2));
  Speaker& outside = lab.add(external(3));
  Speaker& inside = lab.add(internal(4));

  void enable(std::initializer_list<const Speaker*> speakers) {
    for (const auto* speaker : speakers) lab.config(*speaker).aigp = true;
  }
  std::optional<Aigp> told(Speaker& speaker) { return speaker.heard.at(route).aigp; }
};

TEST_F(RouterWithAigp, IgnoresItByDefaultAndSaysNothingOfIt) {
  lab.establish();
  sender.announce({route}, metric({65001}, 300));
  lab.settle();
  EXPECT_EQ(told(outside), std::nullopt);
  EXPECT_EQ(told(inside), std::nullopt);
  EXPECT_EQ(lab.router.explain(route).paths.at(0).attributes.aigp, std::nullopt);
  EXPECT_THAT(lab.status(sender).attribute_faults, IsEmpty());
}

// Section 3.3: it is sent where it is enabled, and nowhere else; all of its TLVs go along.
TEST_F(RouterWithAigp, PassesItOnToThoseWhoAreToHaveIt) {
  enable({&sender, &outside, &inside});
  lab.establish();
  sender.announce({route}, metric({65001}, 300));
  lab.settle();
  EXPECT_EQ(told(outside), metric({}, 300).aigp);
  EXPECT_EQ(told(inside), metric({}, 300).aigp);
  EXPECT_EQ(told(other), std::nullopt);
  EXPECT_EQ(lab.router.explain(route).paths.at(0).attributes.aigp, metric({}, 300).aigp);
}

// Section 4.1.
TEST_F(RouterWithAigp, PrefersTheLowerMetricToTheShorterPath) {
  enable({&sender, &other});
  lab.establish();
  sender.announce({route}, metric({65001}, 300));
  other.announce({route}, metric({65002, 65010, 65011}, 200));
  lab.settle();
  EXPECT_THAT(asns(outside.heard.at(route)), ElementsAre(65000, 65002, 65010, 65011));
  other.announce({route}, metric({65002, 65010, 65011}, 301));
  lab.settle();
  EXPECT_THAT(asns(outside.heard.at(route)), ElementsAre(65000, 65001));
  // A route without one is behind all that have one.
  sender.announce({route}, path({65001}));
  lab.settle();
  EXPECT_THAT(asns(outside.heard.at(route)), ElementsAre(65000, 65002, 65010, 65011));
  EXPECT_EQ(lab.best_reason("203.0.113.0/24"), "e2: AIGP");
}

TEST_F(RouterWithAigp, IsTurnedOnAndOffWithoutAReset) {
  enable({&sender});
  lab.establish();
  sender.announce({route}, metric({65001}, 300));
  lab.settle();
  EXPECT_EQ(told(outside), std::nullopt);
  lab.config(outside).aigp = true;
  lab.configure();
  lab.settle();
  EXPECT_EQ(told(outside), metric({}, 300).aigp);

  // What was ignored has to be said again.
  lab.config(sender).aigp = false;
  EXPECT_EQ(lab.router.plan(lab.router.config(), lab.neighbors).at(0).kind, PlannedChange::Kind::Live);
  const auto before = sender.requests;
  lab.configure();
  lab.settle();
  EXPECT_EQ(sender.requests, before + 2);
  sender.announce({route}, metric({65001}, 300));
  lab.settle();
  EXPECT_EQ(told(outside), std::nullopt);
  for (auto* speaker : {&sender, &outside}) {
    EXPECT_EQ(lab.status(*speaker).session.established_count, 1U);
    EXPECT_THAT(speaker->complaints, IsEmpty());
  }
}

TEST_F(RouterWithAigp, IsSetByFilters) {
  auto set = rule("cost", RuleAction::Accept);
  set.set.aigp = 70;
  lab.config(sender).import = {Filter{"cost", {set}}};
  enable({&outside, &other, &inside});
  auto more = rule("more", RuleAction::Accept);
  more.set.aigp = 90;
  lab.config(other).export_filter = FilterChain{Filter{"more", {more}}};
  lab.establish();
  sender.announce({route}, path({65001}));
  lab.router.set_local(pfx("198.51.100.0/24"), LocalRoute{{Announcement{}}});
  lab.settle();
  EXPECT_EQ(told(outside), (Aigp{70, {}}));
  EXPECT_EQ(told(other), (Aigp{90, {}}));
  EXPECT_EQ(other.heard.at(pfx("198.51.100.0/24")).aigp, (Aigp{90, {}}));
  EXPECT_EQ(inside.heard.at(pfx("198.51.100.0/24")).aigp, std::nullopt);
}

}  // namespace
}  // namespace bgp
