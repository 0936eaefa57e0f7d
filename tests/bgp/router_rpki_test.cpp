// SPDX-License-Identifier: Apache-2.0
// Import filters that ask for the validity of origins.
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::Key;

TEST(RouterRpki, FollowsTheCachesByRouteRefresh) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& plain = lab.add(external(3));
  auto& receiver = lab.add(external(2));
  auto drop = rule("invalid", RuleAction::Reject);
  drop.match.rpki = OriginValidity::Invalid;
  lab.config(sender).import = {{"rpki", {drop}}, accept_all()};
  lab.config(sender).rejected = Kept::Yes;
  RoaTable roas;
  roas.replace(1, {{pfx("10.0.0.0/8"), 24, net::Asn{65009}}});
  lab.router.set_roas(&roas, start_time);
  lab.establish();
  sender.announce({pfx("10.1.0.0/16"), pfx("192.0.2.0/24")}, path({65001, 65008}));
  sender.announce({pfx("10.2.0.0/16")}, path({65001, 65009}));
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Key(pfx("10.2.0.0/16")), Key(pfx("192.0.2.0/24"))));
  const auto rejected = lab.router.explain(pfx("10.1.0.0/16")).paths.at(0);
  EXPECT_EQ(rejected.rpki, "invalid");
  EXPECT_EQ(rejected.reason, "filter rpki, rule invalid");
  EXPECT_EQ(lab.router.explain(pfx("10.2.0.0/16")).paths.at(0).rpki, "valid");

  const auto asked = sender.requests;
  roas.replace(1, {{pfx("10.0.0.0/8"), 24, net::Asn{65008}}});
  lab.router.set_roas(&roas, start_time);
  lab.settle();
  EXPECT_EQ(sender.requests, asked + 2);  // one of each family
  EXPECT_EQ(plain.requests, 0U);          // its filters do not ask
  sender.announce({pfx("10.1.0.0/16"), pfx("192.0.2.0/24")}, path({65001, 65008}));
  sender.announce({pfx("10.2.0.0/16")}, path({65001, 65009}));
  lab.settle();
  EXPECT_THAT(receiver.heard, ElementsAre(Key(pfx("10.1.0.0/16")), Key(pfx("192.0.2.0/24"))));
  EXPECT_EQ(lab.status(sender).session.established_count, 1U);
}

}  // namespace
}  // namespace bgp
