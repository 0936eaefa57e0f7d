// SPDX-License-Identifier: Apache-2.0
// Graceful shutdown (RFC 8326) and roles (RFC 9234) between a router and plain speakers.
#include <array>
#include <utility>

#include <gmock/gmock.h>

#include "bgp/negotiate.hpp"
#include "bgp/wire/notification.hpp"
#include "tests/bgp/session_fixture.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}
const auto one = pfx("192.0.2.0/24");

class RouterBetweenTwo : public ::testing::Test {
 protected:
  void configure() { router.configure(router_config, neighbors, start_time); }
  void meet() {
    configure();
    ASSERT_TRUE(left.establish());
    ASSERT_TRUE(right.establish());
  }
  void meet_again() {
    for (auto* each : {&left, &right}) each->hang_up();
    settle();
    meet();
  }
  void announce(std::vector<Community> communities = {}, std::optional<net::Asn> only_to_customer = {}) {
    PathAttributes attributes;
    attributes.as_path.segments = {{AsPathSegment::Type::Sequence, {left.options().asn}}};
    attributes.communities = std::move(communities);
    attributes.only_to_customer = only_to_customer;
    left.announce({one}, attributes);
    settle();
  }
  void settle() {
    while (router.work()) {
    }
    (void)router.take_actions();
    while (left.listen() || right.listen()) {
    }
  }

  RouterConfig router_config{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}};
  Router router{router_config, 7};
  Speaker left{router, {.name = "left"}};
  Speaker right{router,
                {.name = "right",
                 .asn = net::Asn{65002},
                 .id = net::RouterId{0x0a000102},
                 .address = net::Ipv4Address{0x0a000102}}};
  std::vector<NeighborConfig> neighbors{left.neighbor(), right.neighbor()};
};

// ---- RFC 8326 ---------------------------------------------------------------------------------------

TEST_F(RouterBetweenTwo, TakesARouteThatIsAboutToGoForALastResort) {
  meet();
  announce({community_graceful_shutdown});
  const auto path = router.explain(one).paths.at(0);
  EXPECT_EQ(path.attributes.local_pref, 0U);
  EXPECT_THAT(right.heard.at(one).communities, ElementsAre(community_graceful_shutdown)) << "and passes it on";
}

TEST_F(RouterBetweenTwo, TakesNoNoteOfItWhereItIsToldNotTo) {
  neighbors[0].graceful_shutdown = NeighborConfig::GracefulShutdown::Ignored;
  meet();
  announce({community_graceful_shutdown});
  EXPECT_EQ(router.explain(one).paths.at(0).attributes.local_pref, std::nullopt);
}

TEST_F(RouterBetweenTwo, TellsEverybodyWhenItDrainsAndWhenItNoLongerDoes) {
  meet();
  router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{}}});
  announce();
  router_config.draining = Draining::Yes;
  configure();
  settle();
  for (const auto& prefix : {one, pfx("203.0.113.0/24")})
    EXPECT_THAT(right.heard.at(prefix).communities, ElementsAre(community_graceful_shutdown));
  EXPECT_TRUE(right.up()) << "the session stays";
  router_config.draining = Draining::No;
  configure();
  settle();
  EXPECT_THAT(right.heard.at(one).communities, IsEmpty());
}

TEST_F(RouterBetweenTwo, DrainsOneNeighbourInBothDirections) {
  meet();
  announce();
  router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{}}});
  settle();
  neighbors[0].draining = Draining::Yes;
  configure();
  settle();
  EXPECT_THAT(left.heard.at(pfx("203.0.113.0/24")).communities, ElementsAre(community_graceful_shutdown));
  EXPECT_THAT(right.heard.at(pfx("203.0.113.0/24")).communities, IsEmpty());
  EXPECT_EQ(left.requests, 2U) << "its routes are asked for again, in both families";
  announce();
  EXPECT_EQ(router.explain(one).paths.at(0).attributes.local_pref, 0U);
}

TEST(DrainingRouter, GivesInternalPeersTheLowestPreference) {
  RouterConfig config{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}};
  config.draining = Draining::Yes;
  Router router{config, 7};
  Speaker inside{router, {.name = "inside", .asn = net::Asn{65000}, .id = net::RouterId{0x0a000103}}};
  const std::vector neighbors{inside.neighbor()};
  router.configure(config, neighbors, start_time);
  ASSERT_TRUE(inside.establish());
  router.set_local(one, LocalRoute{.announcements = {{.local_pref = 200}}});
  while (inside.listen()) {
  }
  EXPECT_EQ(inside.heard.at(one).local_pref, 0U);
  EXPECT_THAT(inside.heard.at(one).communities, ElementsAre(community_graceful_shutdown));
}

// ---- RFC 9234, section 4.2 --------------------------------------------------------------------------

TEST(RoleNegotiation, NeedsRolesThatFit) {
  auto config = external_config();
  config.role = Role::Customer;
  auto open = peer_open();
  const auto outcome = [&] { return negotiate(config, Offer::Full, open); };
  ASSERT_TRUE(outcome());
  EXPECT_EQ(outcome()->role, Role::Customer);
  EXPECT_FALSE(outcome()->role_confirmed);
  open.capabilities.roles = {static_cast<std::uint8_t>(Role::Provider)};
  EXPECT_TRUE(outcome()->role_confirmed);
  for (const auto& wrong :
       {std::vector<std::uint8_t>{3}, std::vector<std::uint8_t>{0, 4}, std::vector<std::uint8_t>{9}}) {
    open.capabilities.roles = wrong;
    ASSERT_FALSE(outcome());
    EXPECT_TRUE(is(outcome().error(), OpenError::RoleMismatch));
  }
  open.capabilities.roles.clear();
  config.role_required = true;
  EXPECT_TRUE(is(outcome().error(), OpenError::RoleMismatch));
}

TEST(RoleNegotiation, MeansNothingWithinAnAsOrWithoutARoleOfOurs) {
  auto config = external_config();
  auto open = peer_open();
  open.capabilities.roles = {3};
  EXPECT_EQ(negotiate(config, Offer::Full, open)->role, std::nullopt);
  config.role = Role::Peer;
  config.peer_asn = {ExpectedAsn::Kind::Internal, {}};
  open.asn = config.local_asn;
  open.capabilities.four_octet_asn = config.local_asn;
  EXPECT_EQ(negotiate(config, Offer::Full, open)->role, std::nullopt);
}

// ---- RFC 9234, section 5 ----------------------------------------------------------------------------

TEST_F(RouterBetweenTwo, RefusesALeakOfACustomer) {
  neighbors[0].session.role = Role::Provider;
  meet();
  announce({}, net::Asn{64999});
  EXPECT_FALSE(router.explain(one).known);
  EXPECT_EQ(router.neighbors().at(0).ipv4.leaked, 1U);
  announce();
  EXPECT_TRUE(router.explain(one).known);
}

TEST_F(RouterBetweenTwo, RefusesEveryPathOfALeakWithIdentifiers) {
  left.options().says_ids = {true, true};
  neighbors[0].session.add_path.receive = true;
  neighbors[0].session.role = Role::Provider;
  meet();
  PathAttributes leak;
  leak.as_path.segments = {{AsPathSegment::Type::Sequence, {left.options().asn}}};
  leak.only_to_customer = net::Asn{64999};
  left.announce({one, pfx("192.0.2.0/30")}, leak, 5);
  left.announce({one}, leak, 6);
  settle();
  EXPECT_FALSE(router.explain(one).known);
  EXPECT_EQ(router.neighbors().at(0).ipv4.leaked, 3U);
}

TEST_F(RouterBetweenTwo, RefusesWhatAPeerHasFromSomebodyElse) {
  neighbors[0].session.role = Role::Peer;
  meet();
  announce({}, net::Asn{64999});
  EXPECT_FALSE(router.explain(one).known);
  announce({}, net::Asn{65001});
  EXPECT_TRUE(router.explain(one).known) << "its own mark is right";
}

TEST_F(RouterBetweenTwo, MarksWhatComesFromAboveAndTellsItCustomersOnly) {
  neighbors[0].session.role = Role::Customer;  // left is our provider
  neighbors[1].session.role = Role::Peer;
  meet();
  announce();
  EXPECT_EQ(router.explain(one).paths.at(0).attributes.only_to_customer, net::Asn{65001});
  EXPECT_THAT(right.heard, Not(Contains(Key(one))));
  EXPECT_THAT(router.explain(one).exports.at(1).reason, "only to customers (RFC 9234)");

  neighbors[1].session.role = Role::Provider;
  configure();
  ASSERT_TRUE(right.establish());
  settle();
  EXPECT_EQ(right.heard.at(one).only_to_customer, net::Asn{65001});
}

TEST_F(RouterBetweenTwo, MarksWhatGoesToCustomersAndPeers) {
  neighbors[1].session.role = Role::Peer;
  meet();
  router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{}}});
  settle();
  EXPECT_EQ(right.heard.at(pfx("203.0.113.0/24")).only_to_customer, net::Asn{65000});
  EXPECT_EQ(left.heard.at(pfx("203.0.113.0/24")).only_to_customer, std::nullopt);
}

// What the sections say of each role of ours, for a route without OTC, with the number of the AS that says it, and with
// another one.
struct OtcRow {
  Role ours;
  enum class In : std::uint8_t { Taken, Marked, Leak } none, own, foreign;  // RFC 9234 section 5, ingress
  enum class Out : std::uint8_t { Told, Marked, Kept } without, with;       // egress
};
constexpr std::array<OtcRow, 5> otc_rows{{
    {Role::Provider, OtcRow::In::Taken, OtcRow::In::Leak, OtcRow::In::Leak, OtcRow::Out::Marked, OtcRow::Out::Told},
    {Role::RouteServer, OtcRow::In::Taken, OtcRow::In::Leak, OtcRow::In::Leak, OtcRow::Out::Marked, OtcRow::Out::Told},
    {Role::Peer, OtcRow::In::Marked, OtcRow::In::Taken, OtcRow::In::Leak, OtcRow::Out::Marked, OtcRow::Out::Kept},
    {Role::Customer, OtcRow::In::Marked, OtcRow::In::Taken, OtcRow::In::Taken, OtcRow::Out::Told, OtcRow::Out::Kept},
    {Role::RouteServerClient, OtcRow::In::Marked, OtcRow::In::Taken, OtcRow::In::Taken, OtcRow::Out::Told,
     OtcRow::Out::Kept},
}};
constexpr net::Asn others_asn{64999};

TEST_F(RouterBetweenTwo, JudgesWhatItHearsByItsRole) {
  const auto asn = left.options().asn;
  for (const auto& row : otc_rows) {
    neighbors[0].session.role = row.ours;
    meet_again();
    const std::array cases{std::pair{std::optional<net::Asn>{}, row.none}, std::pair{std::optional{asn}, row.own},
                           std::pair{std::optional{others_asn}, row.foreign}};
    for (const auto& [mark, outcome] : cases) {
      announce({}, mark);
      const auto explained = router.explain(one);
      EXPECT_EQ(explained.known, outcome != OtcRow::In::Leak) << print(row.ours);
      if (!explained.known) continue;
      EXPECT_EQ(explained.paths.at(0).attributes.only_to_customer, outcome == OtcRow::In::Marked ? asn : mark)
          << print(row.ours);
    }
  }
}

TEST_F(RouterBetweenTwo, TellsAndMarksByItsRole) {
  for (const auto& row : otc_rows) {
    neighbors[1].session.role = row.ours;
    meet_again();
    const std::array marks{std::optional<net::Asn>{}, std::optional{router_config.asn}, std::optional{others_asn}};
    for (const auto& mark : marks) {
      announce({}, mark);
      const auto outcome = mark ? row.with : row.without;
      const auto found = right.heard.find(one);
      ASSERT_EQ(found != right.heard.end(), outcome != OtcRow::Out::Kept) << print(row.ours);
      if (found == right.heard.end()) continue;
      EXPECT_EQ(found->second.only_to_customer, outcome == OtcRow::Out::Marked ? router_config.asn : mark)
          << print(row.ours);
    }
  }
}

}  // namespace
}  // namespace bgp
