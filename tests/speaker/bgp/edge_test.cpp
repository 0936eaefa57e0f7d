// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp/edge.hpp"

#include <fstream>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include "bgp/wire/notification.hpp"
#include "tests/speaker/bgp/edge_fixture.hpp"

namespace speaker {
namespace {

using bgp::State;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tcp = boost::asio::ip::tcp;

// Two routers: 10.9.0.2 (AS 65002) dials 10.9.0.3 (AS 65003), which waits.
class TwoRouters : public EdgeTest {
 protected:
  void SetUp() override {
    active.edge->listen({{ip("10.9.0.2")}, port});
    passive.edge->listen({{ip("10.9.0.3")}, port});
    to_passive.session.source = ip("10.9.0.2");
    to_passive.session.connect_retry = net::Seconds{1};
    to_active.session.connect = bgp::Connect::PassiveOnly;
  }
  void begin() {
    passive.set(to_active);
    active.set(to_passive);
  }
  bool up() { return active.state() == State::Established && passive.state() == State::Established; }

  std::uint16_t port = free_port();
  Node active{io, 65002, "10.0.0.2"};
  Node passive{io, 65003, "10.0.0.3"};
  bgp::NeighborConfig to_passive = neighbor("10.9.0.3", port, 65002, 65003);
  bgp::NeighborConfig to_active = neighbor("10.9.0.2", port, 65003, 65002);
};

TEST_F(TwoRouters, ComeUpAndExchangeRoutes) {
  active.announce("192.0.2.0/24");
  passive.announce("198.51.100.0/24");
  begin();
  ASSERT_TRUE(eventually([&] { return active.routes.size() == 1 && passive.routes.size() == 1; }));
  EXPECT_EQ(passive.routes[prefix("192.0.2.0/24")], ip("10.9.0.2"));
  EXPECT_EQ(active.routes[prefix("198.51.100.0/24")], ip("10.9.0.3"));
  active.router.set_local(prefix("192.0.2.0/24"), std::nullopt);
  active.edge->wake();
  EXPECT_TRUE(eventually([&] { return passive.routes.empty(); }));
  EXPECT_EQ(active.edge->counters().dialled, 1U);
  EXPECT_EQ(passive.edge->counters().accepted, 1U);
  EXPECT_EQ(passive.status().transport->remote, ip("10.9.0.2"));
  EXPECT_NE(passive.status().transport->interface_index, 0U);
}

TEST_F(TwoRouters, SettleOnOneConnectionWhenBothDial) {
  to_active.session.connect = bgp::Connect::Both;
  to_active.session.source = ip("10.9.0.3");
  begin();
  ASSERT_TRUE(eventually([&] { return up(); }));
  EXPECT_TRUE(never([&] { return !up(); }));
}

TEST_F(TwoRouters, FindEachOtherAgainAfterTheListenerWasAway) {
  passive.edge->listen({{}, 0});
  begin();
  ASSERT_TRUE(eventually([&] { return !active.status().session.last_dial_error.empty(); }));
  EXPECT_EQ(active.status().session.last_dial_error, "Connection refused");
  EXPECT_THAT(passive.edge->listening(), IsEmpty());
  passive.edge->listen({{ip("10.9.0.3")}, port});
  EXPECT_TRUE(eventually([&] { return up(); }));
}

TEST_F(TwoRouters, TellTheReasonWhenOneLeaves) {
  begin();
  ASSERT_TRUE(eventually([&] { return up(); }));
  active.router.shut_down("rack 4 maintenance", net::Clock::now());
  bool drained = false;
  active.edge->drain([&] { drained = true; });
  ASSERT_TRUE(eventually([&] { return drained && passive.state() != State::Established; }));
  const auto reason = passive.status().session.last_reset;
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->by, bgp::ResetReason::By::Remote);
  EXPECT_EQ(reason->text, "Cease/Administrative Shutdown: rack 4 maintenance");
}

TEST_F(TwoRouters, LoseASessionWhoseSocketBreaks) {
  begin();
  ASSERT_TRUE(eventually([&] { return up(); }));
  active.edge.reset();  // as when the process dies
  ASSERT_TRUE(eventually([&] { return passive.state() != State::Established; }));
  EXPECT_EQ(passive.status().session.last_reset->by, bgp::ResetReason::By::Transport);
}

TEST_F(TwoRouters, KeepTheSessionWhileAWholeTableGoesThrough) {
  constexpr std::uint32_t count = 60000;
  to_passive.session.hold_time = net::Seconds{3};
  to_active.ipv4_limit.maximum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto each = net::Ipv4Prefix::host(net::Ipv4Address{0x0b000000 + i});
    active.router.set_local(each, bgp::LocalRoute{.announcements = {bgp::Announcement{}}, .origin = bgp::Origin::Igp});
  }
  begin();
  ASSERT_TRUE(eventually([&] { return passive.routes.size() == count; }, std::chrono::seconds{60}));
  EXPECT_EQ(active.status().session.established_count, 1U);
  EXPECT_EQ(passive.edge->counters().bytes_in, active.edge->counters().bytes_out);
}

// ---- who may enter ----------------------------------------------------------------------------------

TEST_F(TwoRouters, RefuseAddressesThatAreNoNeighbors) {
  active.set(to_passive);
  ASSERT_TRUE(eventually([&] { return passive.edge->counters().refused_unknown > 0; }));
  EXPECT_EQ(passive.edge->counters().accepted, 0U);
}

TEST_F(TwoRouters, SayThatANeighborIsShutDown) {
  to_active.shutdown = "";
  begin();
  ASSERT_TRUE(eventually([&] { return active.status().session.last_reset.has_value(); }));
  EXPECT_EQ(active.status().session.last_reset->text, "Cease/Connection Rejected");
  EXPECT_GT(passive.edge->counters().refused, 0U);
}

// ---- MD5 --------------------------------------------------------------------------------------------

TEST_F(TwoRouters, ComeUpWithTheSamePassword) {
  to_passive.session.password = to_active.session.password = "correct horse";
  begin();
  EXPECT_TRUE(eventually([&] { return up(); }));
  EXPECT_THAT(passive.problems, IsEmpty());
}

TEST_F(TwoRouters, StayApartWithDifferentPasswords) {
  to_passive.session.password = "correct horse";
  to_active.session.password = "battery staple";
  begin();
  EXPECT_TRUE(never([&] { return passive.edge->counters().accepted > 0 || up(); }));
  passive.set(to_active);
  to_active.session.password = "correct horse";
  passive.set(to_active);  // on the live listener
  EXPECT_TRUE(eventually([&] { return up(); }));
}

TEST_F(TwoRouters, StayApartWhenOnlyTheListenerHasAPassword) {
  to_active.session.password = "correct horse";
  begin();
  EXPECT_TRUE(never([&] { return passive.edge->counters().accepted > 0 || up(); }));
  to_active.session.password.clear();
  passive.set(to_active);
  EXPECT_TRUE(eventually([&] { return up(); }));
}

TEST_F(TwoRouters, StayApartWhenOnlyTheDialerHasAPassword) {
  to_passive.session.password = "correct horse";
  begin();
  EXPECT_TRUE(never([&] { return up(); }));
}

TEST_F(TwoRouters, OpenAnewWhenThePasswordChangesOnBothSides) {
  begin();
  ASSERT_TRUE(eventually([&] { return up(); }));
  to_passive.session.password = to_active.session.password = "correct horse";
  passive.set(to_active);
  active.set(to_passive);
  EXPECT_TRUE(eventually([&] { return up() && passive.status().session.established_count == 2; }));
}

TEST_F(TwoRouters, NameAPasswordThatTcpCannotTake) {
  to_active.session.password = std::string(81, 'x');
  passive.set(to_active);
  ASSERT_TRUE(eventually([&] { return !passive.problems.empty(); }));
  EXPECT_THAT(passive.problems, ElementsAre("neighbor 10.9.0.2: TCP MD5: the key is longer than 80 octets"));
  active.set(to_passive);
  EXPECT_TRUE(eventually([&] { return passive.edge->counters().refused > 0; })) << "closed, not open";
  EXPECT_EQ(passive.edge->counters().accepted, 0U);
}

// ---- hops -------------------------------------------------------------------------------------------

TEST_F(TwoRouters, ComeUpWithTtlSecurityOnBothSides) {
  to_passive.session.reach = to_active.session.reach = {bgp::Reach::Kind::Security, 1};
  begin();
  EXPECT_TRUE(eventually([&] { return up(); }));
}

TEST_F(TwoRouters, HearNothingFromTooFarWithTtlSecurity) {
  to_active.session.reach = {bgp::Reach::Kind::Security, 1};
  to_passive.session.reach = {bgp::Reach::Kind::Multihop, 64};  // arrives with 64, as from afar
  begin();
  ASSERT_TRUE(eventually([&] { return passive.edge->counters().accepted > 0; }));
  EXPECT_TRUE(never([&] { return passive.edge->counters().bytes_in > 0; }));

  to_active.session.reach = {};
  passive.set(to_active);  // a live change: holds for the open connection too
  EXPECT_TRUE(eventually([&] { return up(); }));
  EXPECT_EQ(passive.edge->counters().accepted, 1U);
}

// ---- IPv6 -------------------------------------------------------------------------------------------

TEST_F(EdgeTest, ComesUpOverIpv6AndTellsTheFamiliesApart) {
  const auto port = free_port();
  const auto other = free_port();
  Node one{io, 65002, "10.0.0.2"};
  Node two{io, 65003, "10.0.0.3"};
  one.edge->listen({{}, port});
  two.edge->listen({{}, other});
  if (one.edge->listening().size() < 2) GTEST_SKIP() << "no IPv6 here";
  EXPECT_THAT(one.edge->listening(), ElementsAre("0.0.0.0:" + std::to_string(port), "[::]:" + std::to_string(port)));
  auto to_one = neighbor("2001:db8:9::2", port, 65003, 65002);
  to_one.session.password = "correct horse";
  auto to_two = neighbor("2001:db8:9::3", other, 65002, 65003);
  to_two.session.password = "correct horse";
  to_two.session.connect = bgp::Connect::PassiveOnly;
  to_one.session.source = ip("2001:db8:9::3");
  to_one.session.reach = to_two.session.reach = {bgp::Reach::Kind::Security, 1};
  two.announce("2001:db8:77::/48");
  one.set(to_two);
  two.set(to_one);
  ASSERT_TRUE(eventually([&] { return one.routes.size() == 1; }));
  EXPECT_EQ(one.routes[prefix("2001:db8:77::/48")], ip("2001:db8:9::3"));
}

// ---- listeners --------------------------------------------------------------------------------------

TEST_F(EdgeTest, NamesAListenAddressThatIsTaken) {
  const auto port = free_port();
  tcp::acceptor taken{io, {boost::asio::ip::make_address("10.9.0.5"), port}};
  Node node{io, 65002, "10.0.0.2"};
  node.edge->listen({{ip("10.9.0.4"), ip("10.9.0.5")}, port});
  const auto where = "10.9.0.5:" + std::to_string(port);
  EXPECT_THAT(node.problems, ElementsAre("listen " + where + ": Address already in use"));
  EXPECT_THAT(node.edge->listening(), ElementsAre("10.9.0.4:" + std::to_string(port)));
  taken.close();
  node.edge->listen({{ip("10.9.0.4"), ip("10.9.0.5")}, port});
  EXPECT_THAT(node.edge->listening(), Contains(where));
  EXPECT_EQ(node.problems.size(), 1U);
}

TEST_F(EdgeTest, ListensOnAnAddressThatIsNotYetThere) {
  Node node{io, 65002, "10.0.0.2"};
  node.edge->listen({{ip("192.0.2.77"), ip("2001:db8::77")}, free_port()});
  EXPECT_EQ(node.edge->listening().size(), 2U);
  EXPECT_THAT(node.problems, IsEmpty());
}

TEST_F(EdgeTest, NamesASourceAddressThatIsNotHere) {
  Node node{io, 65002, "10.0.0.2"};
  auto to_nowhere = neighbor("10.9.0.3", free_port(), 65002, 65003);
  to_nowhere.session.source = ip("192.0.2.77");
  node.set(to_nowhere);
  ASSERT_TRUE(eventually([&] { return !node.status().session.last_dial_error.empty(); }));
  EXPECT_THAT(node.status().session.last_dial_error, HasSubstr("source 192.0.2.77: "));
}

TEST_F(EdgeTest, NamesAnInterfaceThatIsNotHere) {
  Node node{io, 65002, "10.0.0.2"};
  auto unnumbered = neighbor("fe80::1", free_port(), 65002, 65003);
  unnumbered.session.interface = "nowhere0";
  node.set(unnumbered);
  ASSERT_TRUE(eventually([&] { return !node.status().session.last_dial_error.empty(); }));
  EXPECT_EQ(node.status().session.last_dial_error, "fe80::1: no interface nowhere0");
}

TEST_F(EdgeTest, MayGoWhileEverythingIsUnderWay) {
  const auto port = free_port();
  auto node = std::make_unique<Node>(io, 65002, "10.0.0.2");
  node->edge->listen({{ip("10.9.0.2")}, port});
  auto self = neighbor("10.9.0.9", port, 65002, 65003);
  node->set(self);
  tcp::socket visitor{io};
  visitor.connect({boost::asio::ip::make_address("10.9.0.2"), port});
  io.poll();
  node.reset();
  io.restart();
  io.run_for(std::chrono::milliseconds{50});
}

// ---- a peer that does not read ----------------------------------------------------------------------

// A peer made of bytes: shakes hands, then reads only when told.
class SlowReader : public EdgeTest {
 protected:
  void SetUp() override {
    node.edge->listen({{ip("10.9.0.2")}, port});
    auto config = neighbor("10.9.0.9", port, 65002, 65009);
    config.session.connect = bgp::Connect::PassiveOnly;
    node.set(config);
  }
  // What TCP holds of the connections to come, in octets.
  static void buffer_at_most(int octets) {
    std::ofstream{"/proc/sys/net/ipv4/tcp_wmem"} << 4096 << ' ' << octets << ' ' << octets;
  }
  std::uint64_t keepalives() const {
    return node.status().session.messages.out.at(static_cast<std::size_t>(bgp::MessageType::Keepalive));
  }
  void shake_hands() {
    bgp::Open open;
    open.asn = net::Asn{65009};
    open.hold_time = net::Seconds{90};
    open.id = net::RouterId{9};
    open.capabilities.multiprotocol = {bgp::ipv4_unicast};
    open.capabilities.four_octet_asn = open.asn;
    peer.open(tcp::v4());
    peer.set_option(boost::asio::socket_base::receive_buffer_size{4096});
    peer.bind({boost::asio::ip::make_address("10.9.0.9"), 0});
    peer.connect({boost::asio::ip::make_address("10.9.0.2"), port});
    peer.non_blocking(true);
    boost::asio::write(peer, boost::asio::buffer(bgp::encode(open)));
    boost::asio::write(peer, boost::asio::buffer(bgp::encode_keepalive()));
    ASSERT_TRUE(eventually([&] { return node.state() == State::Established; }));
  }
  // A set of attributes of its own for each makes an UPDATE each.
  void announce_more_than_tcp_holds() {
    for (std::uint32_t i = 0; i < count; ++i) {
      bgp::Announcement announcement;
      announcement.med = i;
      node.router.set_local(net::Ipv4Prefix::host(net::Ipv4Address{0x0b000000 + i}),
                            bgp::LocalRoute{.announcements = {announcement}, .origin = bgp::Origin::Igp});
    }
  }
  std::size_t read_some() {
    std::array<std::uint8_t, 16384> buffer;
    boost::system::error_code error;
    return peer.read_some(boost::asio::buffer(buffer), error);
  }

  static constexpr std::uint32_t count = 100000;
  std::uint16_t port = free_port();
  Node node{io, 65002, "10.0.0.2"};
  tcp::socket peer{io};
};

TEST_F(SlowReader, GetsEverythingInTheEndAndBlocksNobodyMeanwhile) {
  announce_more_than_tcp_holds();
  shake_hands();
  std::uint64_t last = 0;
  ASSERT_TRUE(never([&] { return std::exchange(last, node.edge->counters().bytes_out) > 10'000'000; }));
  const auto stalled = node.edge->counters().bytes_out;
  std::size_t got = 0;
  const auto advertised = [&] { return node.status().ipv4.advertised; };
  ASSERT_TRUE(eventually(
      [&] {
        got += read_some();
        return advertised() == count && got == node.edge->counters().bytes_out;
      },
      std::chrono::seconds{60}));
  EXPECT_GT(got, stalled);
  EXPECT_GT(got, std::size_t{count} * 40);
  EXPECT_FALSE(node.edge->blocked_since(node.status().id));
  const auto before = keepalives();
  node.router.tick(net::Clock::now() + net::Seconds{31});
  EXPECT_EQ(keepalives(), before + 1) << "no longer blocked";
}

// Also when the turn of a connection is over just as the last octets fit: where they end depends on the buffer.
TEST_F(SlowReader, IsBlockedHoweverMuchTcpHolds) {  // RFC 9687
  announce_more_than_tcp_holds();
  for (const int octets : {32 * 1024, 64 * 1024, 100 * 1024, 256 * 1024}) {
    buffer_at_most(octets);
    shake_hands();
    std::uint64_t last = 0;
    ASSERT_TRUE(never([&] { return std::exchange(last, node.edge->counters().bytes_out) > 10'000'000; }));
    const auto since = node.edge->blocked_since(node.status().id);
    ASSERT_TRUE(since) << "with a buffer of " << octets << " octets";
    EXPECT_LT(*since, net::Clock::now());
    const auto before = keepalives();
    node.router.tick(net::Clock::now() + net::Seconds{31});
    EXPECT_EQ(keepalives(), before) << "behind a blocked stream with a buffer of " << octets << " octets";
    peer.set_option(boost::asio::socket_base::linger{true, 0});
    peer.close();
    ASSERT_TRUE(eventually([&] { return node.state() != State::Established; }));
  }
}

TEST_F(SlowReader, IsLostForWhatTcpSaysAlsoWhenItSaysItToTheWriter) {
  announce_more_than_tcp_holds();
  shake_hands();
  std::uint64_t last = 0;
  ASSERT_TRUE(eventually([&] {
    const auto written = node.edge->counters().bytes_out;
    return std::exchange(last, written) == written && written > 0;
  }));
  peer.set_option(boost::asio::socket_base::linger{true, 0});
  peer.close();  // with a reset
  ASSERT_TRUE(eventually([&] { return node.state() != State::Established; }));
  EXPECT_EQ(node.status().session.last_reset->text, "Connection reset by peer");
}

}  // namespace
}  // namespace speaker
