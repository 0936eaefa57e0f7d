// SPDX-License-Identifier: Apache-2.0
#include "bgp/negotiate.hpp"

#include <gmock/gmock.h>

#include "tests/bgp/session_fixture.hpp"

namespace bgp {
namespace {

Decoded<Negotiated> with(const PeerConfig& config, const Open& open) {
  return negotiate(config, Offer::Full, open);
}

TEST(Negotiation, TakesWhatBothSidesOffer) {
  const auto agreed = with(external_config(), peer_open());
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->peer_asn, net::Asn{65001});
  EXPECT_EQ(agreed->type, PeerType::External);
  EXPECT_EQ(agreed->hold_time, net::Seconds{90});
  EXPECT_EQ(agreed->keepalive_time, net::Seconds{30});
  EXPECT_EQ(agreed->asn_width, AsnWidth::FourOctets);
  EXPECT_EQ(agreed->families, (Families{true, true}));
  EXPECT_TRUE(agreed->route_refresh);
  EXPECT_TRUE(agreed->enhanced_route_refresh);
  EXPECT_EQ(agreed->message_limit, max_extended_message_size);
}

TEST(Negotiation, LeavesOutWhatThePeerLacks) {
  auto open = peer_open();
  open.capabilities = {};
  const auto agreed = with(external_config(), open);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->asn_width, AsnWidth::TwoOctets);
  EXPECT_EQ(agreed->families, (Families{true, false})) << "IPv4 unicast needs no capability";
  EXPECT_FALSE(agreed->route_refresh);
  EXPECT_FALSE(agreed->enhanced_route_refresh);
  EXPECT_EQ(agreed->message_limit, max_message_size);
}

TEST(Negotiation, DoesNotImplyIpv4WhenThePeerNamesFamilies) {
  auto open = peer_open();
  open.capabilities.multiprotocol = {ipv6_unicast};
  EXPECT_EQ(with(external_config(), open)->families, (Families{false, true}));
}

TEST(Negotiation, NamesTheFamiliesItMissesWhenNoneIsCommon) {  // RFC 5492 section 5
  auto config = external_config();
  config.families = {.ipv4 = false, .ipv6 = true};
  auto open = peer_open();
  open.capabilities.multiprotocol = {ipv4_unicast};
  EXPECT_EQ(with(config, open).error(), (Notification{2, 7, {1, 4, 0, 2, 0, 1}}));
  open.capabilities.multiprotocol = {};
  EXPECT_EQ(with(config, open).error(), (Notification{2, 7, {1, 4, 0, 2, 0, 1}}));
}

TEST(Negotiation, RefusesAnAsThatIsNotTheOneExpected) {
  struct Case {
    ExpectedAsn expected;
    std::uint32_t asn;
    bool good;
  };
  using Kind = ExpectedAsn::Kind;
  for (const auto& [expected, asn, good] :
       {Case{{Kind::Exactly, net::Asn{65001}}, 65001, true}, Case{{Kind::Exactly, net::Asn{65001}}, 65002, false},
        Case{{Kind::Exactly, net::Asn{0}}, 0, false}, Case{{Kind::Internal, {}}, 65000, true},
        Case{{Kind::Internal, {}}, 65001, false}, Case{{Kind::External, {}}, 65001, true},
        Case{{Kind::External, {}}, 65000, false}, Case{{Kind::External, {}}, 0, false}}) {
    auto config = external_config();
    config.peer_asn = expected;
    auto open = peer_open();
    open.asn = net::Asn{asn};
    open.capabilities.four_octet_asn = net::Asn{asn};
    const auto agreed = with(config, open);
    EXPECT_EQ(agreed.has_value(), good) << asn;
    if (!agreed) {
      EXPECT_TRUE(is(agreed.error(), OpenError::BadPeerAs));
    }
  }
}

TEST(Negotiation, ReadsFourOctetNumbersFromTheCapability) {
  auto config = external_config();
  config.peer_asn.asn = net::Asn{4200000000};
  config.local_asn = net::Asn{4200000001};
  auto open = peer_open();
  open.asn = net::as_trans;
  open.capabilities.four_octet_asn = net::Asn{4200000000};
  EXPECT_EQ(with(config, open)->peer_asn, net::Asn{4200000000});
  EXPECT_EQ(make_open(config, Offer::Full).asn, net::as_trans);
  EXPECT_EQ(make_open(config, Offer::Full).real_asn(), net::Asn{4200000001});
}

TEST(Negotiation, WantsUniqueIdentifiersWithinAnAsOnly) {  // RFC 6286
  auto config = external_config();
  auto open = peer_open();
  open.id = config.router_id;
  EXPECT_TRUE(with(config, open)) << "external";
  config.peer_asn = {ExpectedAsn::Kind::Internal, {}};
  open.asn = config.local_asn;
  open.capabilities.four_octet_asn = config.local_asn;
  EXPECT_EQ(with(config, open).error(), open_error(OpenError::BadIdentifier));
  open.id.value += 1;
  EXPECT_EQ(with(config, open)->type, PeerType::Internal);
}

TEST(Negotiation, TakesTheShorterHoldTimeAndRefusesOneOrTwoSeconds) {
  auto config = external_config();
  auto open = peer_open();
  for (const auto& [ours, theirs, agreed] : {std::array{90, 30, 30}, {9, 180, 9}, {0, 90, 0}, {90, 0, 0}, {90, 3, 3}}) {
    config.hold_time = net::Seconds{ours};
    open.hold_time = net::Seconds{theirs};
    EXPECT_EQ(with(config, open)->hold_time, net::Seconds{agreed});
  }
  for (const auto theirs : {1, 2}) {
    open.hold_time = net::Seconds{theirs};
    EXPECT_EQ(with(config, open).error(), open_error(OpenError::UnacceptableHoldTime));
  }
}

TEST(Negotiation, SendsKeepalivesNoLaterThanEveryThirdOfTheHoldTime) {
  auto config = external_config();
  EXPECT_EQ(keepalive_time(config, net::Seconds{3}), net::Seconds{1});
  EXPECT_EQ(keepalive_time(config, net::Seconds{0}), net::Seconds{0});
  config.keepalive_time = net::Seconds{10};
  EXPECT_EQ(keepalive_time(config, net::Seconds{90}), net::Seconds{10});
  EXPECT_EQ(keepalive_time(config, net::Seconds{9}), net::Seconds{3});
}

TEST(PeerConfigChange, IsLiveUnlessTheSessionWasBuiltOnIt) {
  const auto before = external_config();
  EXPECT_EQ(change_class(before, before), Change::None);
  auto after = before;
  const auto changed = [&](auto change) {
    after = before;
    change(after);
    return change_class(before, after);
  };
  EXPECT_EQ(changed([](auto& c) { c.description = "spine"; }), Change::Live);
  EXPECT_EQ(changed([](auto& c) { c.keepalive_time = net::Seconds{5}; }), Change::Live);
  EXPECT_EQ(changed([](auto& c) { c.connect_retry = net::Seconds{5}; }), Change::Live);
  EXPECT_EQ(changed([](auto& c) { c.connect = Connect::PassiveOnly; }), Change::Live);
  EXPECT_EQ(changed([](auto& c) { c.reach = {Reach::Kind::Security, 1}; }), Change::Live);
  EXPECT_EQ(changed([](auto& c) { c.hold_time = net::Seconds{9}; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.families.ipv6 = false; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.password = "x"; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.port = 1179; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.source = net::Ipv4Address{1}; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.local_asn = net::Asn{1}; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.router_id = net::RouterId{1}; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.peer_asn.kind = ExpectedAsn::Kind::External; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.extended_messages = false; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.graceful_restart.stale_time = net::Seconds{9}; }), Change::Live);
  EXPECT_EQ(changed([](auto& c) { c.graceful_restart.mode = GracefulRestart::Mode::Full; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.role = Role::Peer; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.ipv4_over_ipv6 = true; }), Change::Reopen);
  EXPECT_EQ(changed([](auto& c) { c.authentication.keys[1] = "x"; }), Change::Reopen);
}

TEST(PeerConfigChange, IsLiveWhileSomeKeyStays) {
  auto before = external_config();
  before.authentication.keys = {{1, "old"}};
  auto after = before;
  after.authentication.keys = {{1, "old"}, {2, "new"}};
  EXPECT_EQ(change_class(before, after), Change::Live);
  EXPECT_EQ(change_class(after, before), Change::Live);
  after.authentication.keys = {{1, "another of the same number"}};
  EXPECT_EQ(change_class(before, after), Change::Reopen);
  before.authentication.keys = {{1, "old"}, {2, "new"}};
  after.authentication.keys = {{1, "old"}, {2, "another of the same number"}};
  EXPECT_EQ(change_class(before, after), Change::Reopen) << "the second may be the one in use";
  after.authentication.keys = {{2, "new"}, {3, "newer"}};
  EXPECT_EQ(change_class(before, after), Change::Live);
  before.authentication.keys = {{1, "old"}};
  after = before;
  after.authentication.algorithm = AuthenticationKeys::Algorithm::AesCmac;
  EXPECT_EQ(change_class(before, after), Change::Reopen);
}

TEST(Negotiation, TakesIpv6NextHopsWhereBothSidesHaveThem) {  // RFC 8950
  auto config = external_config();
  auto open = peer_open();
  open.capabilities.extended_next_hop = {{ipv4_unicast, 2}};
  EXPECT_FALSE(with(config, open)->ipv4_over_ipv6);
  config.ipv4_over_ipv6 = true;
  EXPECT_TRUE(with(config, open)->ipv4_over_ipv6);
  open.capabilities.extended_next_hop = {{{1, 128}, 2}};
  EXPECT_FALSE(with(config, open)->ipv4_over_ipv6) << "of another family only";
  config.families = {.ipv4 = false, .ipv6 = true};
  EXPECT_THAT(make_open(config, Offer::Full).capabilities.extended_next_hop, ::testing::IsEmpty());
}

}  // namespace
}  // namespace bgp
