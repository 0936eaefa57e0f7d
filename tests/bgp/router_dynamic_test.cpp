// SPDX-License-Identifier: Apache-2.0
// Neighbours by range, and by link.
#include <gmock/gmock.h>

#include "bgp/wire/notification.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

net::Prefix pfx(std::string_view text) {
  return *net::parse_prefix(text);
}

SpeakerOptions at(std::string_view address, std::uint32_t asn = 65001) {
  const auto value = net::parse_ip(address)->v4();
  return {.name = "range", .asn = net::Asn{asn}, .id = net::RouterId{value.value}, .address = value};
}

class RouterWithARange : public ::testing::Test {
 protected:
  NeighborConfig pattern(std::string_view range = "10.0.1.0/24") {
    auto config = one.neighbor();
    config.session.address = {};
    config.session.peer_asn = {ExpectedAsn::Kind::External, {}};
    config.range = pfx(range);
    config.range_limit = 2;
    return config;
  }
  void configure(std::vector<NeighborConfig> neighbors) {
    router.configure(router.config(), neighbors, start_time);
    settle();
  }
  void settle() {
    router.tick(start_time);
    while (router.work()) {
    }
    (void)router.take_actions();
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& each : router.neighbors()) all.push_back(each.name);
    return all;
  }

  Router router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, 7};
  Speaker one{router, at("10.0.1.7")};
  Speaker other{router, at("10.0.1.8", 65002)};
  Speaker third{router, at("10.0.1.9", 65003)};
  Speaker stranger{router, at("10.0.2.1")};
};

TEST_F(RouterWithARange, HasNoNeighboursUntilTheyCome) {
  configure({pattern()});
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(router.patterns().size(), 1U);
  EXPECT_EQ(router.next_deadline(), std::nullopt);
}

TEST_F(RouterWithARange, TakesWhoeverConnectsFromIt) {
  configure({pattern()});
  EXPECT_TRUE(one.establish());
  EXPECT_TRUE(other.establish());
  EXPECT_FALSE(stranger.establish());
  EXPECT_THAT(names(), UnorderedElementsAre("range/10.0.1.7", "range/10.0.1.8"));
  one.announce({pfx("192.0.2.0/24")}, {});
  settle();
  other.listen();
  EXPECT_THAT(other.heard, IsEmpty()) << "its own path was empty, so the route was malformed";
  PathAttributes attributes;
  attributes.as_path.segments = {{AsPathSegment::Type::Sequence, {net::Asn{65001}}}};
  one.announce({pfx("192.0.2.0/24")}, attributes);
  settle();
  other.listen();
  EXPECT_THAT(other.heard, ElementsAre(Key(pfx("192.0.2.0/24"))));
}

TEST_F(RouterWithARange, ForgetsThemWithTheirSession) {
  configure({pattern()});
  ASSERT_TRUE(one.establish());
  one.hang_up();
  settle();
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_TRUE(one.establish()) << "and takes them again";
}

TEST_F(RouterWithARange, TakesNoMoreThanItMay) {
  configure({pattern()});
  ASSERT_TRUE(one.establish());
  ASSERT_TRUE(other.establish());
  const Transport transport{.local = Speaker::router_address,
                            .remote = third.options().address,
                            .local_ipv4 = std::nullopt,
                            .local_ipv6 = std::nullopt,
                            .local_link_local = std::nullopt};
  const auto refused = router.accept(transport, "", start_time);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().bytes, encode(cease(CeaseError::OutOfResources)));
  const auto actions = router.take_actions();
  EXPECT_TRUE(std::any_of(actions.begin(), actions.end(), [](const auto& action) {
    const auto* notice = std::get_if<NeighborNotice>(&action);
    return notice != nullptr && notice->notice == Notice::RangeFull;
  }));
  one.hang_up();
  settle();
  EXPECT_TRUE(third.establish()) << "there is room again";
}

TEST_F(RouterWithARange, PrefersWhoIsListedAndTheLongerRange) {
  auto longer = pattern("10.0.1.8/31");
  longer.name = "longer";
  auto listed = one.neighbor();
  listed.name = "listed";
  configure({pattern(), longer, listed});
  EXPECT_THAT(names(), ElementsAre("listed"));
  EXPECT_TRUE(one.establish());
  EXPECT_TRUE(other.establish());
  EXPECT_THAT(names(), UnorderedElementsAre("listed", "longer/10.0.1.8"));
}

TEST_F(RouterWithARange, AppliesAChangeOfThePatternToThoseWhoAreThere) {
  configure({pattern()});
  ASSERT_TRUE(one.establish());
  auto changed = pattern();
  changed.session.description = "guests";
  configure({changed});
  ASSERT_THAT(names(), ElementsAre("range/10.0.1.7"));
  EXPECT_EQ(router.neighbor(*router.find("range/10.0.1.7"))->session.description, "guests");
  EXPECT_EQ(router.neighbors().front().session.state, State::Established);
  configure({pattern("10.0.1.8/31")});
  EXPECT_THAT(names(), IsEmpty()) << "no longer covered";
}

TEST_F(RouterWithARange, MeansThemByTheNameOfThePattern) {
  configure({pattern()});
  ASSERT_TRUE(one.establish());
  router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{.peers = {"range"}}}});
  router.set_local(pfx("203.0.114.0/24"), LocalRoute{.announcements = {{.peers = {"others"}}}});
  settle();
  one.listen();
  EXPECT_THAT(one.heard, ElementsAre(Key(pfx("203.0.113.0/24"))));
}

// ---- by link ----------------------------------------------------------------------------------------

// What a router says on a session over IPv6 with these addresses of its own and these families.
std::vector<std::uint8_t> said_over(const net::IpAddress& own, const net::IpAddress& peer, net::Asn asn,
                                    std::vector<AfiSafi> families) {
  Router router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, 7};
  NeighborConfig config;
  config.name = "eth1";
  config.session.address = peer;
  config.session.interface = "eth1";
  config.session.connect = Connect::PassiveOnly;
  config.session.local_asn = net::Asn{65000};
  config.session.router_id = net::RouterId{0x0a000001};
  config.session.peer_asn = {ExpectedAsn::Kind::Exactly, asn};
  config.session.hold_time = net::Seconds{0};
  router.configure(router.config(), std::vector{config}, start_time);
  const auto link = router.accept({.local = own,
                                   .remote = peer,
                                   .local_ipv4 = std::nullopt,
                                   .local_ipv6 = net::parse_ip("2001:db8::fe")->v6(),
                                   .local_link_local = net::parse_ip("fe80::fe")->v6(),
                                   .interface_index = 1},
                                  "eth1", start_time);
  std::vector<std::uint8_t> said;
  EXPECT_TRUE(link);
  if (!link) return said;
  Open open;
  open.asn = asn;
  open.id = net::RouterId{1};
  open.capabilities.multiprotocol = std::move(families);
  open.capabilities.four_octet_asn = asn;
  router.received(*link, encode(open), start_time);
  router.received(*link, encode_keepalive(), start_time);
  for (const auto* prefix : {"2001:db8:9::/48", "203.0.113.0/24"})
    router.set_local(pfx(prefix), LocalRoute{.announcements = {{}}});
  while (router.work()) {
  }
  router.pull(*link, said, 65536);
  return said;
}

bool contains(const std::vector<std::uint8_t>& bytes, std::span<const std::uint8_t> what) {
  return std::search(bytes.begin(), bytes.end(), what.begin(), what.end()) != bytes.end();
}

// An internal neighbour on a link whose other addresses it need not have a way to.
TEST(RouterOnLinks, GivesItsLinkLocalNextHopToInternalNeighboursToo) {  // RFC 2545 section 3
  const auto own = *net::parse_ip("fe80::fe");
  const auto said = said_over(own, *net::parse_ip("fe80::1"), net::Asn{65000}, {ipv6_unicast});
  EXPECT_TRUE(contains(said, own.bytes()));
}

// IPv4 is agreed on, and there is no IPv4 address to announce: who restarts waits for the mark all the same.
TEST(RouterOnLinks, EndsTheTableOfAFamilyThatItCannotAnnounce) {  // RFC 4724 section 2
  const auto said = said_over(*net::parse_ip("2001:db8::fe"), *net::parse_ip("2001:db8::1"), net::Asn{65001},
                              {ipv4_unicast, ipv6_unicast});
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    std::vector<std::uint8_t> mark;
    encode_end_of_rib(family, mark);
    EXPECT_TRUE(contains(said, mark)) << print(family);
  }
  EXPECT_FALSE(contains(said, std::vector<std::uint8_t>{24, 203, 0, 113}));
}

TEST(RouterOnLinks, KeepsTheSameAddressOnTwoLinksApart) {
  Router router{{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}}, 7};
  const auto address = *net::parse_ip("fe80::1");
  std::vector<NeighborConfig> neighbors(2);
  for (std::size_t i = 0; i < 2; ++i) {
    auto& config = neighbors[i];
    config.name = "eth" + std::to_string(i + 1);
    config.session.address = address;
    config.session.interface = config.name;
    config.session.connect = Connect::PassiveOnly;
    config.session.local_asn = net::Asn{65000};
    config.session.router_id = net::RouterId{0x0a000001};
    config.session.peer_asn = {ExpectedAsn::Kind::Exactly, net::Asn{65001}};
    config.session.hold_time = net::Seconds{0};
    config.session.ipv4_over_ipv6 = true;
    config.import = {accept_all()};
  }
  router.configure(router.config(), neighbors, start_time);
  for (std::uint32_t index = 1; index <= 2; ++index) {
    const Transport transport{.local = *net::parse_ip("fe80::fe"),
                              .remote = address,
                              .local_ipv4 = std::nullopt,
                              .local_ipv6 = std::nullopt,
                              .local_link_local = net::parse_ip("fe80::fe")->v6(),
                              .interface_index = index};
    const auto link = router.accept(transport, "eth" + std::to_string(index), start_time);
    ASSERT_TRUE(link);
    Open open;
    open.asn = net::Asn{65001};
    open.id = net::RouterId{index};
    open.capabilities.multiprotocol = {ipv4_unicast, ipv6_unicast};
    open.capabilities.four_octet_asn = net::Asn{65001};
    open.capabilities.extended_next_hop = {{ipv4_unicast, 2}};
    router.received(*link, encode(open), start_time);
    router.received(*link, encode_keepalive(), start_time);
    PathAttributes attributes;
    attributes.as_path.segments = {{AsPathSegment::Type::Sequence, {net::Asn{65001}}}};
    attributes.next_hop = {address, std::nullopt};
    std::vector<std::uint8_t> section;
    encode_attributes(attributes, net::Family::Ipv4, {PeerType::External, AsnWidth::FourOctets}, section);
    std::vector<std::uint8_t> update;
    const std::vector<net::Ipv4Prefix> prefixes{pfx("192.0.2.0/24").v4()};
    encode_reachable<net::Ipv4Prefix>(section, attributes.next_hop, prefixes, max_message_size, update);
    router.received(*link, update, start_time);
  }
  std::vector<NextHop> hops;
  router.drain_route_changes(10, [&](const net::Prefix& prefix, std::span<const RouteHop> next_hops) {
    EXPECT_EQ(prefix, pfx("192.0.2.0/24"));
    hops.assign(next_hops.begin(), next_hops.end());
  });
  EXPECT_THAT(hops, UnorderedElementsAre(NextHop{address, std::nullopt, 1}, NextHop{address, std::nullopt, 2}));

  // And the other direction: IPv4 prefixes leave with our link-local address.
  router.set_local(pfx("203.0.113.0/24"), LocalRoute{.announcements = {{}}});
  for (const auto& each : router.neighbors()) {
    ASSERT_EQ(each.session.state, State::Established);
    EXPECT_TRUE(each.negotiated->ipv4_over_ipv6);
    EXPECT_NE(each.ipv4_group, 0U) << "a member of an out group: it has a next hop";
  }
}

}  // namespace
}  // namespace bgp
