// SPDX-License-Identifier: Apache-2.0
// RFC 7911: several paths of a prefix, in and out.
#include <array>

#include "bgp/negotiate.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

const auto route = net::Ipv4Prefix::make({0xcb007100}, 24).value();
const net::Prefix any_route{route};

// ---- on the wire ----------------------------------------------------------------------------------------

TEST(AddPathCapability, IsTheSameInBytesAndInFields) {
  Open open;
  open.asn = net::Asn{65001};
  open.id = net::RouterId{1};
  open.capabilities.add_path = {{ipv4_unicast, true, true}, {ipv6_unicast, true, false}};
  const auto bytes = encode(open);
  const auto read = decode_open(std::span{bytes}.subspan(header_size));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->capabilities.add_path, open.capabilities.add_path);
}

TEST(AddPathCapability, IgnoresOtherModesAndRefusesHalfAnEntry) {
  // version, AS 65001, hold time, identifier, parameters: capability 69 with IPv4 unicast in modes 4 and 2
  std::vector<std::uint8_t> body{4, 0xfd, 0xe9, 0, 90, 0, 0, 0, 1, 12, 2, 10, 69, 8, 0, 1, 1, 4, 0, 1, 1, 2};
  auto read = decode_open(body);
  ASSERT_TRUE(read);
  EXPECT_THAT(read->capabilities.add_path, ElementsAre(AddPathFamily{ipv4_unicast, false, true}));
  body[9] = 11;
  body[11] = 9;
  body[13] = 7;
  body.pop_back();
  EXPECT_FALSE(decode_open(body));
}

TEST(AddPathNegotiation, NeedsASenderAndAReceiver) {
  PeerConfig config;
  config.local_asn = net::Asn{65000};
  config.peer_asn = {ExpectedAsn::Kind::Exactly, net::Asn{65001}};
  config.router_id = net::RouterId{1};
  config.add_path = {true, 2};
  Open theirs;
  theirs.asn = net::Asn{65001};
  theirs.id = net::RouterId{2};
  theirs.capabilities.multiprotocol = {ipv4_unicast, ipv6_unicast};
  theirs.capabilities.add_path = {{ipv4_unicast, true, false}, {ipv6_unicast, false, true}};
  const auto agreed = negotiate(config, Offer::Full, theirs);
  ASSERT_TRUE(agreed);
  EXPECT_EQ(agreed->add_path_send, (Families{true, false}));
  EXPECT_EQ(agreed->add_path_receive, (Families{false, true}));
  config.add_path = {};
  EXPECT_EQ(negotiate(config, Offer::Full, theirs)->add_path_send, Families{});
  EXPECT_THAT(make_open(config, Offer::Full).capabilities.add_path, IsEmpty());
}

TEST(AddPathUpdate, HasAnIdentifierBeforeEachPrefix) {
  const std::array prefixes{route, net::Ipv4Prefix::make({0x0a000000}, 8).value()};
  std::vector<std::uint8_t> out;
  EXPECT_EQ(encode_withdrawn(std::span<const net::Ipv4Prefix>{prefixes}, max_message_size, out, PathId{7}), 2U);
  const std::vector<std::uint8_t> body(out.begin() + header_size, out.end());
  EXPECT_THAT(body, ElementsAre(0, 14, 0, 0, 0, 7, 24, 203, 0, 113, 0, 0, 0, 7, 8, 10, 0, 0));
  UpdateContext context;
  context.path_ids = {true, false};
  const auto update = decode_update(body, context);
  ASSERT_TRUE(update);
  ASSERT_THAT(update->withdrawn, SizeIs(1));
  std::vector<std::pair<net::Ipv4Prefix, std::uint32_t>> read;
  for_each_path<net::Ipv4Prefix>(update->withdrawn[0].bytes,
                                 [&](const auto& prefix, std::uint32_t id) { read.emplace_back(prefix, id); });
  EXPECT_THAT(read, ElementsAre(std::pair{prefixes[0], 7U}, std::pair{prefixes[1], 7U}));
}

TEST(AddPathUpdate, IsRefusedWhenAnIdentifierIsCutShort) {
  UpdateContext context;
  context.path_ids = {true, false};
  for (const auto& run :
       {std::vector<std::uint8_t>{0, 0, 0}, {0, 0, 0, 1}, {0, 0, 0, 1, 33, 1}, {0, 0, 0, 1, 16, 10}}) {
    std::vector<std::uint8_t> body{0, static_cast<std::uint8_t>(run.size())};
    body.insert(body.end(), run.begin(), run.end());
    body.insert(body.end(), {0, 0});
    EXPECT_FALSE(decode_update(body, context)) << run.size();
  }
}

// ---- through the router -------------------------------------------------------------------------------------

// What a listener has by identifier.
using Heard = std::map<std::uint32_t, std::vector<std::uint32_t>>;

struct AddPathLab : Lab {
  Speaker& first = add(external(1));
  Speaker& second = add(external(3));
  Speaker& third = add(external(4));
  Speaker& listener = add([] {
    auto options = external(2);
    options.hears_ids = {true, true};
    return options;
  }());
  Speaker& plain = add(external(5));
  AddPathLab() { config(listener).session.add_path.send = 2; }
  void say(Speaker& who, std::vector<std::uint32_t> with) {
    with.insert(with.begin(), who.options().asn.value);
    who.announce({any_route}, path(std::move(with)));
    settle();
  }
  Heard heard() {
    Heard all;
    for (const auto& [key, attributes] : listener.heard_paths)
      if (key.first == any_route) all[key.second] = asns(attributes);
    return all;
  }
};

TEST(RouterAddPath, TellsTheBestOnesInOrder) {
  AddPathLab lab;
  lab.establish();
  lab.say(lab.first, {1, 2, 3});
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{1U, std::vector<std::uint32_t>{65000, 65001, 1, 2, 3}}));
  lab.say(lab.second, {1});
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{1U, std::vector<std::uint32_t>{65000, 65003, 1}},
                                       std::pair{2U, std::vector<std::uint32_t>{65000, 65001, 1, 2, 3}}));
  lab.say(lab.third, {1, 2});
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{1U, std::vector<std::uint32_t>{65000, 65003, 1}},
                                       std::pair{2U, std::vector<std::uint32_t>{65000, 65004, 1, 2}}));
  EXPECT_EQ(lab.status(lab.listener).ipv4.advertised, 2U);
  EXPECT_THAT(lab.plain.heard, ElementsAre(Key(any_route)));
  lab.second.withdraw({any_route});
  lab.settle();
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{1U, std::vector<std::uint32_t>{65000, 65004, 1, 2}},
                                       std::pair{2U, std::vector<std::uint32_t>{65000, 65001, 1, 2, 3}}));
  lab.first.hang_up();
  lab.third.hang_up();
  lab.settle();
  EXPECT_THAT(lab.heard(), IsEmpty());
  EXPECT_EQ(lab.status(lab.listener).ipv4.advertised, 0U);
}

TEST(RouterAddPath, TellsALateListenerEverythingThenEndOfRibOnce) {
  AddPathLab lab;
  lab.configure();
  for (auto* each : {&lab.first, &lab.second, &lab.third, &lab.plain}) ASSERT_TRUE(each->establish());
  lab.say(lab.first, {1, 2});
  lab.say(lab.second, {1});
  ASSERT_TRUE(lab.listener.establish());
  lab.settle();
  EXPECT_THAT(lab.heard(), SizeIs(2));
  EXPECT_THAT(lab.listener.end_of_rib, SizeIs(2));  // one a family
}

TEST(RouterAddPath, FollowsFiltersOfEachPath) {
  AddPathLab lab;
  auto refuse = rule("refuse", RuleAction::Reject);
  refuse.match.neighbor_as = {net::Asn{65003}};
  lab.establish();
  lab.say(lab.first, {1, 2});
  lab.say(lab.second, {1});
  EXPECT_THAT(lab.heard(), SizeIs(2));
  lab.config(lab.listener).export_filter = FilterChain{{"f", {refuse}}, accept_all()};
  lab.configure();
  lab.settle();
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{2U, std::vector<std::uint32_t>{65000, 65001, 1, 2}}));
  EXPECT_EQ(lab.status(lab.listener).session.established_count, 1U);
}

TEST(RouterAddPath, DoesNotTellANeighbourItsOwnPath) {
  AddPathLab lab;
  lab.establish();
  lab.say(lab.first, {1, 2});
  lab.listener.announce({any_route}, path({65002}));
  lab.settle();
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{2U, std::vector<std::uint32_t>{65000, 65001, 1, 2}}));
}

TEST(RouterAddPath, TellsOnlyItsOwnRouteWhereItHasOne) {
  AddPathLab lab;
  lab.establish();
  lab.say(lab.first, {1, 2});
  lab.say(lab.second, {1});
  lab.router.set_local(any_route, LocalRoute{.announcements = {{}}});
  lab.settle();
  EXPECT_THAT(lab.heard(), ElementsAre(std::pair{1U, std::vector<std::uint32_t>{65000}}));
  lab.router.set_local(any_route, std::nullopt);
  lab.settle();
  EXPECT_THAT(lab.heard(), SizeIs(2));
}

TEST(RouterAddPath, AnswersARefreshWithAllPaths) {
  AddPathLab lab;
  lab.establish();
  lab.say(lab.first, {1, 2});
  lab.say(lab.second, {1});
  lab.listener.heard_paths.clear();
  lab.listener.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}));
  lab.settle();
  EXPECT_THAT(lab.heard(), SizeIs(2));
}

// ---- and in -----------------------------------------------------------------------------------------------------

struct ReceivingLab : Lab {
  Speaker& sender = add([] {
    auto options = external(1);
    options.says_ids = {true, true};
    return options;
  }());
  Speaker& receiver = add(external(2));
  ReceivingLab() { config(sender).session.add_path.receive = true; }
};

TEST(RouterAddPath, KeepsPathsOfOneNeighbourApartByIdentifier) {
  ReceivingLab lab;
  lab.establish();
  lab.sender.announce({any_route}, path({65001, 1, 2}), 5);
  lab.sender.announce({any_route}, path({65001, 1}), 6);
  lab.settle();
  EXPECT_EQ(lab.status(lab.sender).ipv4.received, 2U);
  EXPECT_THAT(asns(lab.receiver.heard[any_route]), ElementsAre(65000, 65001, 1));
  lab.sender.announce({any_route}, path({65001, 7, 8, 9}), 6);
  lab.settle();
  EXPECT_EQ(lab.status(lab.sender).ipv4.received, 2U);
  EXPECT_THAT(asns(lab.receiver.heard[any_route]), ElementsAre(65000, 65001, 1, 2));
  lab.sender.withdraw({any_route}, 5);
  lab.settle();
  EXPECT_THAT(asns(lab.receiver.heard[any_route]), ElementsAre(65000, 65001, 7, 8, 9));
  lab.sender.hang_up();
  lab.settle();
  EXPECT_THAT(lab.receiver.heard, IsEmpty());
  EXPECT_EQ(lab.status(lab.sender).ipv4.received, 0U);
}

TEST(RouterAddPath, UsesPathsOfOneNeighbourTogether) {
  ReceivingLab lab;
  lab.establish();
  auto one = path({65001, 1});
  one.next_hop.address = net::Ipv4Address{0x0a000141};
  auto other = path({65001, 1});
  other.next_hop.address = net::Ipv4Address{0x0a000142};
  lab.sender.announce({any_route}, one, 1);
  lab.sender.announce({any_route}, other, 2);
  lab.settle();
  std::size_t hops = 0;
  lab.router.drain_route_changes(100, [&](const net::Prefix&, std::span<const RouteHop> all) { hops = all.size(); });
  EXPECT_EQ(hops, 2U);
  const auto explained = lab.router.explain(any_route);
  ASSERT_THAT(explained.paths, SizeIs(2));
  EXPECT_EQ(explained.paths[0].reason, "Path ID");
}

}  // namespace
}  // namespace bgp
