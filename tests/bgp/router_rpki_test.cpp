// SPDX-License-Identifier: Apache-2.0
// Filters that ask for the validity of origins.
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
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

TEST(RouterRpki, TakesRoutesWithoutAPathForTheOwnAs) {
  Lab lab;
  auto& sender = lab.add(internal(1));
  auto keep = rule("valid", RuleAction::Accept);
  keep.match.rpki = OriginValidity::Valid;
  lab.config(sender).import = {{"rpki", {keep}}};
  RoaTable roas;
  roas.replace(1, {{pfx("10.1.0.0/16"), 16, net::Asn{65000}}, {pfx("10.2.0.0/16"), 16, net::Asn{65009}}});
  lab.router.set_roas(&roas, start_time);
  lab.establish();
  auto without = path({});
  without.local_pref = 100;
  sender.announce({pfx("10.1.0.0/16"), pfx("10.2.0.0/16")}, without);
  lab.settle();
  EXPECT_TRUE(lab.router.explain(pfx("10.1.0.0/16")).known);
  EXPECT_FALSE(lab.router.explain(pfx("10.2.0.0/16")).known);
}

// RFC 8893: what counts is the origin that the neighbour will see, and own routes have one too.
TEST(RouterRpki, KeepsWhatIsInvalidFromANeighbourAsTheCachesChange) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto& strict = lab.add(external(2));
  auto& upstream = lab.add(external(3));
  auto& internal_one = lab.add(internal(4));
  auto drop = rule("invalid", RuleAction::Reject);
  drop.match.rpki = OriginValidity::Invalid;
  for (auto* each : {&strict, &upstream, &internal_one})
    lab.config(*each).export_filter = {{"rpki", {drop}}, accept_all()};
  lab.config(upstream).out.private_as = PrivateAs::Removed;
  RoaTable roas;
  roas.replace(1, {{pfx("10.1.0.0/16"), 16, net::Asn{65001}}, {pfx("10.2.0.0/16"), 16, net::Asn{65000}}});
  lab.router.set_roas(&roas, start_time);
  lab.router.set_local(pfx("10.2.2.0/24"), LocalRoute{{Announcement{}}});  // longer than its payload allows
  lab.router.set_local(pfx("10.2.0.0/16"), LocalRoute{{Announcement{}}});
  lab.establish();
  sender.announce({pfx("10.1.0.0/16"), pfx("192.0.2.0/24")}, path({65001}));
  lab.settle();
  const auto asked = sender.requests;
  const auto all = ElementsAre(Key(pfx("10.1.0.0/16")), Key(pfx("10.2.0.0/16")), Key(pfx("192.0.2.0/24")));
  EXPECT_THAT(strict.heard, all);
  EXPECT_THAT(internal_one.heard, all);
  // Without the private number, this router is the origin of what it learned.
  EXPECT_THAT(upstream.heard, ElementsAre(Key(pfx("10.2.0.0/16")), Key(pfx("192.0.2.0/24"))));

  roas.replace(1, {{pfx("10.1.0.0/16"), 16, net::Asn{65000}}, {pfx("10.2.0.0/16"), 24, net::Asn{65000}}});
  // Until the router is told, what was decided by the payloads before stays as it is.
  lab.settle();
  EXPECT_THAT(strict.heard, all);
  lab.router.set_roas(&roas, start_time);
  lab.settle();
  const auto own = ElementsAre(Key(pfx("10.2.0.0/16")), Key(pfx("10.2.2.0/24")), Key(pfx("192.0.2.0/24")));
  EXPECT_THAT(strict.heard, own);
  EXPECT_THAT(internal_one.heard, own);
  EXPECT_THAT(upstream.heard, ElementsAre(Key(pfx("10.1.0.0/16")), Key(pfx("10.2.0.0/16")), Key(pfx("10.2.2.0/24")),
                                          Key(pfx("192.0.2.0/24"))));
  EXPECT_EQ(sender.requests, asked);  // nobody is asked for routes again
  const auto exports = lab.router.explain(pfx("10.1.0.0/16")).exports;
  EXPECT_THAT(
      exports,
      Contains(AllOf(Field(&Explanation::Export::peer, strict.options().name),
                     Field(&Explanation::Export::reason, "rejected by export filters: filter rpki, rule invalid"))));
}

}  // namespace
}  // namespace bgp
