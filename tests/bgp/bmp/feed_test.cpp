// SPDX-License-Identifier: Apache-2.0
#include "bgp/bmp/feed.hpp"

#include <random>

#include "tests/bgp/bmp/station.hpp"
#include "tests/bgp/lab.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp::bmp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

FeedConfig everything() {
  return {.pre_policy = true,
          .post_policy = true,
          .adj_rib_out = true,
          .loc_rib = true,
          .malformed = true,
          .system_name = "r1",
          .system_description = "Herald"};
}

constexpr WallTime noon{1764000000, 250};

class BmpFeed : public testing::Test {
 protected:
  ~BmpFeed() override {
    lab_.router.observe(nullptr);
    EXPECT_THAT(station_.complaints, IsEmpty());
  }

  void watch(FeedConfig config = everything()) {
    feed_ = std::make_unique<Feed>(lab_.router, std::move(config));
    feed_->set_time(noon);
    feed_->open();
    lab_.router.observe(feed_.get());
  }
  void settle() {
    lab_.settle();
    station_.take(*feed_);
  }

  Lab lab_;
  std::unique_ptr<Feed> feed_;
  TestStation station_;
};

TEST_F(BmpFeed, TellsALateStationTheTablesAsTheyAre) {
  auto& one = lab_.add(external(1));
  auto& two = lab_.add(external(2));
  lab_.establish();
  one.announce({pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")}, path({65001, 65009}));
  two.announce({pfx("203.0.113.0/24")}, path({65002, 65008, 65009}));
  lab_.router.set_local(pfx("198.51.100.0/24"), LocalRoute{{Announcement{}}});
  lab_.settle();
  watch();
  settle();

  const auto first = one.options().address;
  const auto second = two.options().address;
  EXPECT_THAT(station_.prefixes("pre", first), ElementsAre("2001:db8:1::/48", "203.0.113.0/24"));
  EXPECT_THAT(station_.prefixes("post", first), ElementsAre("2001:db8:1::/48", "203.0.113.0/24"));
  EXPECT_THAT(station_.prefixes("post", second), ElementsAre("203.0.113.0/24"));
  EXPECT_THAT(station_.prefixes("loc"), ElementsAre("198.51.100.0/24", "2001:db8:1::/48", "203.0.113.0/24"));
  EXPECT_THAT(station_.prefixes("out", first), ElementsAre("198.51.100.0/24"));
  EXPECT_THAT(station_.prefixes("out", second), ElementsAre("198.51.100.0/24", "2001:db8:1::/48", "203.0.113.0/24"));
  EXPECT_EQ(asns(station_.table("pre", second).at({pfx("203.0.113.0/24"), 0})),
            (std::vector<std::uint32_t>{65002, 65008, 65009}));
  EXPECT_EQ(asns(station_.table("out", second).at({pfx("203.0.113.0/24"), 0})),
            (std::vector<std::uint32_t>{65000, 65001, 65009}));
  // The end of every table is told once, and after it.
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    EXPECT_EQ(station_.ends.count({"loc", net::IpAddress{}, family}), 1U);
    for (const auto* view : {"pre", "post", "out"}) EXPECT_EQ(station_.ends.count({view, first, family}), 1U) << view;
  }
}

TEST_F(BmpFeed, BeginsWithWhoTheRouterIsAndWithTheOpensOfItsSessions) {
  auto& one = lab_.add(external(1));
  lab_.establish();
  watch();
  settle();
  const auto begun = station_.all<Initiation>();
  ASSERT_THAT(begun, SizeIs(1));
  EXPECT_THAT(begun[0].information, ElementsAre(text_tlv(info_sys_descr, "Herald"), text_tlv(info_sys_name, "r1")));

  const auto& up = station_.up.at(one.options().address);
  EXPECT_EQ(up.peer.asn, net::Asn{65001});
  EXPECT_EQ(up.peer.id, net::RouterId{0x0a000101});
  EXPECT_EQ(up.peer.time, noon);
  EXPECT_EQ(up.peer.flags, 0);
  EXPECT_EQ(up.local, net::IpAddress{Speaker::router_address});
  EXPECT_EQ(up.local_port, 179);
  EXPECT_EQ(up.remote_port, 40000);
  EXPECT_EQ(up.sent, encode(*one.opened_with));
  const auto received = decode_open(std::span{up.received}.subspan(header_size));
  ASSERT_TRUE(received.has_value());
  EXPECT_EQ(received->real_asn(), net::Asn{65001});

  // The Loc-RIB is a peer, too (RFC 9069).
  const auto peers = station_.all<PeerUp>();
  EXPECT_EQ(peers.front().peer.kind, PeerKind::LocRib);
  EXPECT_EQ(peers.front().peer.asn, net::Asn{65000});
  EXPECT_EQ(peers.front().peer.address, net::IpAddress{});
  EXPECT_THAT(peers.front().information, ElementsAre(text_tlv(info_table_name, "global")));
}

TEST_F(BmpFeed, TellsChangesAsTheyHappen) {
  auto& one = lab_.add(external(1));
  auto& two = lab_.add(external(2));
  lab_.establish();
  watch();
  settle();
  one.announce({pfx("10.1.0.0/16"), pfx("10.2.0.0/16")}, path({65001}));
  settle();
  EXPECT_THAT(station_.prefixes("pre", one.options().address), ElementsAre("10.1.0.0/16", "10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("post", one.options().address), ElementsAre("10.1.0.0/16", "10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("loc"), ElementsAre("10.1.0.0/16", "10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("out", two.options().address), ElementsAre("10.1.0.0/16", "10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("out", one.options().address), IsEmpty());

  one.withdraw({pfx("10.1.0.0/16")});
  settle();
  EXPECT_THAT(station_.prefixes("pre", one.options().address), ElementsAre("10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("post", one.options().address), ElementsAre("10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("loc"), ElementsAre("10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("out", two.options().address), ElementsAre("10.2.0.0/16"));
}

TEST_F(BmpFeed, PutsPrefixesWithTheSameAttributesIntoOneMessage) {
  auto& one = lab_.add(external(1));
  lab_.establish();
  auto config = everything();
  config.pre_policy = config.adj_rib_out = config.loc_rib = false;
  watch(config);
  settle();
  const auto before = station_.all<RouteMonitoring>().size();
  std::vector<net::Prefix> many;
  for (unsigned i = 0; i < 500; ++i)
    many.push_back(pfx("10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24"));
  one.announce(many, path({65001}));
  settle();
  EXPECT_THAT(station_.prefixes("post", one.options().address), SizeIs(500));
  EXPECT_LE(station_.all<RouteMonitoring>().size() - before, 2U);
}

TEST_F(BmpFeed, ShowsWhatFiltersRejectAndChange) {
  auto& one = lab_.add(external(1));
  auto changed = rule("prefer", RuleAction::Accept);
  changed.match.as_path_contains = {net::Asn{65009}};
  changed.set.local_pref = 300;
  changed.set.add_communities = {Community{0xfde80001}};
  lab_.config(one).import = {Filter{"in", {changed}}};
  lab_.establish();
  watch();
  settle();
  one.announce({pfx("10.1.0.0/16")}, path({65001, 65009}));
  one.announce({pfx("10.2.0.0/16")}, path({65001}));
  settle();
  const auto peer = one.options().address;
  EXPECT_THAT(station_.prefixes("pre", peer), ElementsAre("10.1.0.0/16", "10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("post", peer), ElementsAre("10.1.0.0/16"));
  EXPECT_THAT(station_.table("pre", peer).at({pfx("10.1.0.0/16"), 0}).communities, IsEmpty());
  const auto& post = station_.table("post", peer).at({pfx("10.1.0.0/16"), 0});
  EXPECT_THAT(post.communities, ElementsAre(Community{0xfde80001}));
  EXPECT_EQ(post.local_pref, 300U);

  // A path that filters take no longer is gone.
  one.announce({pfx("10.1.0.0/16")}, path({65001}));
  settle();
  EXPECT_THAT(station_.prefixes("post", peer), IsEmpty());
}

TEST_F(BmpFeed, HasPeersAskedAgainWhereTheTablesDoNotHoldWhatTheySaid) {
  auto refreshing = external(1);
  refreshing.enhanced_refresh = true;
  auto& one = lab_.add(refreshing);
  auto& two = lab_.add(external(2));
  auto changing = rule("all", RuleAction::Accept);
  changing.set.med = 5;
  lab_.config(one).import = {Filter{"in", {changing}}};
  lab_.establish();
  one.announce({pfx("10.1.0.0/16")}, path({65001}));
  two.announce({pfx("10.2.0.0/16")}, path({65002}));
  lab_.settle();
  watch();
  settle();
  EXPECT_THAT(feed_->asks_again(), ElementsAre(lab_.id(one)));
  const auto peer = one.options().address;
  EXPECT_THAT(station_.prefixes("pre", peer), IsEmpty());
  EXPECT_THAT(station_.prefixes("pre", two.options().address), ElementsAre("10.2.0.0/16"));
  EXPECT_EQ(station_.ends.count({"pre", peer, net::Family::Ipv4}), 0U);

  EXPECT_EQ(lab_.router.refresh_in(lab_.id(one)), Router::Refreshed::Done);
  one.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::BeginOfRefresh}));
  one.announce({pfx("10.1.0.0/16")}, path({65001}));
  one.say(encode(RouteRefresh{ipv4_unicast, RefreshKind::EndOfRefresh}));
  settle();
  EXPECT_THAT(station_.prefixes("pre", peer), ElementsAre("10.1.0.0/16"));
  EXPECT_EQ(station_.table("pre", peer).at({pfx("10.1.0.0/16"), 0}).med, std::nullopt);
  EXPECT_EQ(station_.ends.count({"pre", peer, net::Family::Ipv4}), 1U);
}

TEST_F(BmpFeed, SaysHowSessionsEnd) {
  auto& one = lab_.add(external(1));
  auto& two = lab_.add(external(2));
  auto& three = lab_.add(external(3));
  lab_.establish();
  watch();
  settle();
  const auto notification = encode(cease(CeaseError::AdministrativeReset));
  lab_.router.restart(lab_.id(one), "", start_time);
  two.say(notification);
  three.hang_up();
  lab_.take();
  station_.take(*feed_);
  const auto downs = station_.all<PeerDown>();
  ASSERT_THAT(downs, SizeIs(3));
  EXPECT_EQ(downs[0].reason, DownReason::LocalNotification);
  EXPECT_EQ(downs[0].data, notification);
  EXPECT_EQ(downs[1].reason, DownReason::RemoteNotification);
  EXPECT_EQ(downs[1].data, notification);
  EXPECT_EQ(downs[2].reason, DownReason::RemoteSilent);
  EXPECT_THAT(downs[2].data, IsEmpty());
}

TEST_F(BmpFeed, SaysThatASessionIsLeftWithoutAWord) {
  auto restarting = external(1);
  restarting.graceful_restart = GracefulRestartCapability{false, true, net::Seconds{120}, {{ipv4_unicast, true}}};
  auto& one = lab_.add(restarting);
  lab_.config(one).session.graceful_restart.mode = GracefulRestart::Mode::Full;
  lab_.establish();
  watch();
  settle();
  lab_.router.shut_down("restart", start_time, Router::Leaving::ToRestart);
  lab_.take();
  station_.take(*feed_);
  const auto downs = station_.all<PeerDown>();
  ASSERT_THAT(downs, SizeIs(1));
  EXPECT_EQ(downs[0].reason, DownReason::LocalSilent);
  EXPECT_THAT(downs[0].data, ElementsAre(0, 0));
}

TEST_F(BmpFeed, EndsWithEveryPeerNoLongerMonitored) {
  lab_.add(external(1));
  lab_.establish();
  watch();
  settle();
  feed_->close(TerminationReason::Closed, "no longer configured");
  station_.take(*feed_);
  const auto downs = station_.all<PeerDown>();
  ASSERT_THAT(downs, SizeIs(2));
  EXPECT_EQ(downs[0].reason, DownReason::NoLongerMonitored);
  EXPECT_EQ(downs[1].reason, DownReason::LocRibClosed);
  EXPECT_EQ(downs[1].data, hex("0003 0006 676c6f62616c"));
  ASSERT_TRUE(std::holds_alternative<Termination>(station_.messages.back()));
  EXPECT_THAT(std::get<Termination>(station_.messages.back()).information,
              ElementsAre(number_tlv(termination_reason, 0), text_tlv(termination_string, "no longer configured")));
  EXPECT_THAT(station_.up, IsEmpty());
}

TEST_F(BmpFeed, ForgetsAPeerThatWentAndTellsItAnewWhenItIsBack) {
  auto& one = lab_.add(external(1));
  lab_.establish();
  watch();
  one.announce({pfx("10.1.0.0/16")}, path({65001}));
  settle();
  one.hang_up();
  settle();
  EXPECT_THAT(station_.up, IsEmpty());
  EXPECT_THAT(station_.prefixes("loc"), IsEmpty());
  ASSERT_TRUE(one.establish(start_time + net::Seconds{100}));
  one.announce({pfx("10.2.0.0/16")}, path({65001}));
  one.say_end_of_rib(net::Family::Ipv4);
  settle();
  EXPECT_THAT(station_.prefixes("pre", one.options().address), ElementsAre("10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("post", one.options().address), ElementsAre("10.2.0.0/16"));
  EXPECT_EQ(station_.ends.count({"post", one.options().address, net::Family::Ipv4}), 2U);  // one a session
}

TEST_F(BmpFeed, TellsWhatAPeerSaysAgainAfterARestartThatItsRoutesOutlived) {
  auto options = external(1);
  options.graceful_restart = GracefulRestartCapability{false, true, net::Seconds{60}, {{ipv4_unicast, true}}};
  auto& one = lab_.add(options);
  lab_.config(one).session.graceful_restart.mode = GracefulRestart::Mode::Full;
  lab_.establish();
  watch();
  one.announce({pfx("10.1.0.0/16"), pfx("10.2.0.0/16")}, path({65001}));
  settle();
  one.hang_up();
  settle();
  EXPECT_THAT(station_.prefixes("loc"), SizeIs(2));
  ASSERT_TRUE(one.establish(start_time + net::Seconds{10}));
  one.announce({pfx("10.1.0.0/16")}, path({65001}));
  one.say_end_of_rib(net::Family::Ipv4);
  settle();
  EXPECT_THAT(station_.prefixes("post", one.options().address), ElementsAre("10.1.0.0/16"));
  EXPECT_THAT(station_.prefixes("loc"), ElementsAre("10.1.0.0/16"));
  const auto told = feed_->counters().messages;
  one.announce({pfx("10.1.0.0/16")}, path({65001}));
  settle();
  EXPECT_EQ(feed_->counters().messages, told + 1) << "what it says, and nothing that came of it";
}

TEST_F(BmpFeed, MirrorsMalformedUpdatesAndShowsWhatTheyCameTo) {
  auto& one = lab_.add(external(1));
  lab_.establish();
  one.announce({pfx("10.1.0.0/16"), pfx("10.2.0.0/16")}, path({65001}));
  watch();
  settle();
  // ORIGIN of two octets: treated as a withdrawal of 10.1.0.0/16 (RFC 7606 section 7.1).
  const auto bad =
      bgp::message(2, body({}, join({hex("40 01 02 0000"), as_path, hex("40 03 04 0a000101")}), hex("10 0a01")));
  one.say(bad);
  settle();
  const auto mirrored = station_.all<RouteMirroring>();
  ASSERT_THAT(mirrored, SizeIs(1));
  EXPECT_THAT(mirrored[0].information,
              ElementsAre(number_tlv(mirrored_information, errored_pdu), Tlv{mirrored_message, bad}));
  EXPECT_THAT(station_.prefixes("pre", one.options().address), ElementsAre("10.2.0.0/16"));
  EXPECT_THAT(station_.prefixes("post", one.options().address), ElementsAre("10.2.0.0/16"));
}

TEST_F(BmpFeed, ReportsStatistics) {
  auto& one = lab_.add(external(1));
  auto& two = lab_.add(external(2));
  lab_.config(two).import = {reject_all()};
  lab_.config(two).rejected = Kept::Yes;  // they are no part of the Loc-RIB
  lab_.establish();
  one.announce({pfx("10.1.0.0/16"), pfx("2001:db8::/32")}, path({65001}));
  two.announce({pfx("10.3.0.0/16")}, path({65002}));
  two.announce({pfx("10.4.0.0/16"), pfx("10.5.0.0/16")}, path({65002, 65000}));
  lab_.settle();
  watch();
  settle();
  feed_->report();
  station_.take(*feed_);
  const auto reports = station_.all<StatisticsReport>();
  ASSERT_THAT(reports, SizeIs(3));
  const auto value = [&](std::size_t report, StatisticType type, std::optional<AfiSafi> family = std::nullopt) {
    for (const auto& each : reports[report].statistics)
      if (each.type == type && each.family == family) return each.value;
    return ~std::uint64_t{0};
  };
  EXPECT_EQ(value(0, StatisticType::AdjRibIn), 2U);
  EXPECT_EQ(value(0, StatisticType::AdjRibInOfFamily, ipv6_unicast), 1U);
  EXPECT_EQ(value(1, StatisticType::RejectedByPolicy), 1U);
  EXPECT_EQ(value(1, StatisticType::AsPathLoops), 2U);
  EXPECT_EQ(value(1, StatisticType::OriginatorLoops), 0U);
  EXPECT_EQ(value(1, StatisticType::AdjRibOut), 2U);
  EXPECT_EQ(value(1, StatisticType::AdjRibOutOfFamily, ipv4_unicast), 1U);
  EXPECT_EQ(reports[2].peer.kind, PeerKind::LocRib);
  EXPECT_EQ(value(2, StatisticType::LocRib), 2U);
}

TEST_F(BmpFeed, TellsPathIdentifiersWhereTheSessionHasThem) {
  auto many = external(1);
  many.says_ids = {true, false};
  auto hears = external(2);
  hears.hears_ids = {true, false};
  auto& one = lab_.add(many);
  auto& two = lab_.add(hears);
  lab_.config(one).session.add_path.receive = true;
  lab_.config(two).session.add_path.send = 2;
  lab_.establish();
  one.announce({pfx("10.1.0.0/16")}, path({65001}), 1);
  one.announce({pfx("10.1.0.0/16")}, path({65001, 65007}), 2);
  lab_.settle();
  watch();
  settle();
  for (const auto* view : {"pre", "post"}) {
    const auto& table = station_.table(view, one.options().address);
    ASSERT_THAT(table, SizeIs(2)) << view;
    EXPECT_EQ(asns(table.at({pfx("10.1.0.0/16"), 2})), (std::vector<std::uint32_t>{65001, 65007}));
  }
  EXPECT_THAT(station_.table("out", two.options().address), SizeIs(2));
  one.withdraw({pfx("10.1.0.0/16")}, 1);
  settle();
  EXPECT_THAT(station_.table("post", one.options().address), SizeIs(1));
  EXPECT_THAT(station_.table("out", two.options().address), SizeIs(1));
}

TEST_F(BmpFeed, MarksTwoOctetPaths) {
  auto old = external(1);
  old.asn_width = AsnWidth::TwoOctets;
  auto& one = lab_.add(old);
  lab_.establish();
  one.announce({pfx("10.1.0.0/16")}, path({65001, 70000}));
  lab_.settle();
  watch();
  one.announce({pfx("10.2.0.0/16")}, path({65001, 70001}));
  settle();
  const auto& pre = station_.table("pre", one.options().address);
  EXPECT_EQ(asns(pre.at({pfx("10.1.0.0/16"), 0})), (std::vector<std::uint32_t>{65001, 70000}));
  EXPECT_EQ(asns(pre.at({pfx("10.2.0.0/16"), 0})), (std::vector<std::uint32_t>{65001, 70001}));
}

// A route that changes and changes back before the peer reads on is not said again to the peer: the station must have
// it as the peer has it, whatever the tables had when the walk came by.
TEST_F(BmpFeed, TellsWhatAPeerHasAlthoughItHasMoreToRead) {
  auto& one = lab_.add(external(1));
  auto& two = lab_.add(external(2));
  lab_.establish();
  const auto changed = pfx("10.1.0.0/16");
  const auto gone = pfx("10.2.0.0/16");
  const auto moved = pfx("10.3.0.0/16");
  const auto same = pfx("10.4.0.0/16");
  one.announce({changed, gone, moved, same}, path({65001}));
  lab_.settle();
  // Two has all of these, and reads nothing more for now.
  one.announce({changed, moved}, path({65001, 65009}));
  one.withdraw({gone});
  watch();
  station_.take(*feed_);
  const auto peer = two.options().address;
  EXPECT_THAT(station_.prefixes("out", peer), ElementsAre("10.4.0.0/16"));
  EXPECT_EQ(station_.ends.count({"out", peer, net::Family::Ipv4}), 0U);
  EXPECT_FALSE(feed_->walking());

  one.announce({changed, gone}, path({65001}));
  station_.take(*feed_);
  EXPECT_THAT(station_.prefixes("out", peer), ElementsAre("10.4.0.0/16"));
  const auto updates = two.updates;
  settle();
  EXPECT_EQ(two.updates, updates + 1) << "of " << print(moved);
  const auto& table = station_.table("out", peer);
  ASSERT_THAT(table, SizeIs(4));
  for (const auto& [prefix, attributes] : two.heard) EXPECT_EQ(table.at({prefix, 0}), attributes) << print(prefix);
  EXPECT_EQ(station_.ends.count({"out", peer, net::Family::Ipv4}), 1U);
}

// A peer that is still being sent its first routes when the station comes.
TEST_F(BmpFeed, TellsAPeersTableOfWhichItHasReadAPart) {
  auto& one = lab_.add(external(1));
  auto& two = lab_.add(external(2));
  lab_.configure();
  ASSERT_TRUE(one.establish());
  for (unsigned i = 0; i < 2000; ++i)
    one.announce({pfx("10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24")},
                 path({65001, 70000 + i}));
  ASSERT_TRUE(two.establish());
  while (lab_.router.work()) {
  }
  two.listen(30000, 4096);
  const auto read = two.heard.size();
  EXPECT_GT(read, 100U);
  EXPECT_LT(read, 1900U);
  watch();
  station_.take(*feed_);
  EXPECT_EQ(station_.table("out", two.options().address).size(), read);
  settle();
  EXPECT_THAT(two.heard, SizeIs(2000));
  TestStation::Table has;
  for (const auto& [prefix, attributes] : two.heard) has[{prefix, 0}] = attributes;
  EXPECT_EQ(station_.table("out", two.options().address), has);
  EXPECT_EQ(station_.ends.count({"out", two.options().address, net::Family::Ipv4}), 1U);
}

// A station that takes nothing must not cost more than it may.
TEST_F(BmpFeed, IsOverWhenTheStationIsTooSlow) {
  auto& one = lab_.add(external(1));
  lab_.establish();
  auto config = everything();
  config.limit = 64 << 10;
  watch(config);
  settle();
  for (unsigned round = 0; round < 200 && !feed_->overflowed(); ++round) {
    for (unsigned i = 0; i < 200; ++i)
      one.announce({pfx("10.0." + std::to_string(i) + ".0/24")}, path({65001, 65100 + round}));
    EXPECT_LE(feed_->waiting(), config.limit + 4096);
  }
  EXPECT_TRUE(feed_->overflowed());
  EXPECT_EQ(feed_->waiting(), 0U);
  std::vector<std::uint8_t> bytes;
  EXPECT_FALSE(feed_->pull(bytes));
}

// While the tables are told, only what the walk has passed is told as it changes: a table that is loaded meanwhile does
// not pile up.
TEST_F(BmpFeed, DoesNotTellTwiceWhatTheWalkWillTell) {
  auto& one = lab_.add(external(1));
  lab_.establish();
  auto config = everything();
  config.pre_policy = config.adj_rib_out = config.post_policy = false;
  for (unsigned i = 0; i < 1000; ++i)
    one.announce({pfx("10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24")},
                 path({65001, 70000 + i}));
  lab_.settle();
  watch(config);
  std::vector<std::uint8_t> bytes;
  ASSERT_TRUE(feed_->pull(bytes));  // who the router is
  ASSERT_TRUE(feed_->pull(bytes));  // one piece of the table
  ASSERT_TRUE(feed_->walking());
  station_.hear(bytes);
  const auto before = station_.all<RouteMonitoring>().size();
  // The last ones, which the walk has not come to, three times over.
  for (unsigned round = 0; round < 3; ++round)
    for (unsigned i = 900; i < 1000; ++i)
      one.announce({pfx("10.3." + std::to_string(i % 250) + ".0/24")}, path({65001, 80000 + i + round}));
  settle();
  EXPECT_EQ(station_.all<RouteMonitoring>().size() - before, 1000 - 256 + 2U);  // and two ends
  EXPECT_EQ(asns(station_.table("loc").at({pfx("10.3.249.0/24"), 0})), (std::vector<std::uint32_t>{65001, 81001}));
}

// What a station knows at the end is what the tables hold, whenever it came and whatever happened meanwhile.
TEST_F(BmpFeed, AgreesWithTheTablesAfterAnyCourse) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Lab lab;
    std::vector<Speaker*> speakers;
    for (unsigned i = 1; i <= 3; ++i) speakers.push_back(&lab.add(external(i)));
    lab.establish();
    std::mt19937 random{seed};
    Feed feed{lab.router, everything()};
    TestStation station;
    auto now = start_time;
    const auto opens_at = random() % 200;
    for (unsigned step = 0; step < 400; ++step) {
      if (step == opens_at) {
        feed.open();
        lab.router.observe(&feed);
      }
      auto& speaker = *speakers[random() % speakers.size()];
      now += net::Seconds{100};
      const auto prefix = random() % 4 == 0 ? pfx("2001:db8:" + std::to_string(random() % 50) + "::/48")
                                            : pfx("10.0." + std::to_string(random() % 200) + ".0/24");
      switch (random() % 8) {
        case 0:
          if (random() % 10 == 0) speaker.up() ? speaker.hang_up(now) : static_cast<void>(speaker.establish(now));
          break;
        case 1:
        case 2:
          if (speaker.up()) speaker.withdraw({prefix});
          break;
        case 3: {
          std::vector<std::uint8_t> bytes;
          if (step > opens_at && feed.pull(bytes)) station.hear(bytes);
          break;
        }
        case 4:
          lab.router.work();
          speaker.listen(2000);
          break;
        default:
          if (speaker.up())
            speaker.announce({prefix},
                             path({speaker.options().asn.value, 65100 + static_cast<unsigned>(random() % 3)}));
      }
    }
    for (auto* speaker : speakers) {
      if (!speaker->up()) {
        EXPECT_TRUE(speaker->establish(now + net::Seconds{100}));
      }
    }
    lab.settle();
    station.take(feed);
    EXPECT_THAT(station.complaints, IsEmpty()) << seed;

    std::set<std::string> best;
    for (TableCursor cursor; !cursor.done();)
      lab.router.walk_best(cursor, 1000, [&](const RouteRow& row) { best.insert(net::print(row.prefix)); });
    EXPECT_EQ(station.prefixes("loc"), best) << seed;
    for (auto* speaker : speakers) {
      const auto peer = speaker->options().address;
      TestStation::Table in;
      for (TableCursor cursor; !cursor.done();)
        lab.router.walk_in(lab.id(*speaker), cursor, 1000, [&](const RouteRow& row) {
          in[{row.prefix, 0}] = row.attributes;
        });
      EXPECT_EQ(station.table("pre", peer), in) << seed;
      EXPECT_EQ(station.table("post", peer), in) << seed;
      TestStation::Table out;
      for (const auto& [prefix, attributes] : speaker->heard) out[{prefix, 0}] = attributes;
      EXPECT_EQ(station.table("out", peer), out) << seed;
    }
    lab.router.observe(nullptr);
  }
}

}  // namespace
}  // namespace bgp::bmp
