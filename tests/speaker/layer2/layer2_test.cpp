// SPDX-License-Identifier: Apache-2.0
// Layer 2 with the kernel and with real clients: arping, ping, ndisc6, ip neigh.
#include "speaker/layer2/layer2.hpp"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "speaker/layer2/ndp.hpp"
#include "tests/speaker/layer2/lab.hpp"
#include "tests/speaker/layer2/solicitation.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto vip4 = "192.0.2.10";
constexpr auto vip6 = "2001:db8::10";

class Layer2OnALan : public testing::Test {
 protected:
  void SetUp() override {
    if (!Lab::possible()) GTEST_SKIP() << "needs root and network namespaces";
    lab_.emplace();
  }
  static OwnedAddresses both() { return {{ip(vip4), {}}, {ip(vip6), {}}}; }
  std::string neighbour(const std::string& address) { return lab_->client("ip neigh show " + address).text; }
  Output arping(const std::string& address, std::chrono::seconds wait) {
    return lab_->client("arping -f -w " + std::to_string(wait.count()) + " -I eth0 " + address);
  }
  bool answers(const std::string& address) { return arping(address, longest_wait).status == 0; }
  bool silent(const std::string& address) { return arping(address, std::chrono::seconds{1}).status != 0; }
  std::optional<Lab> lab_;
};

// A frame from the client's eth0, and what comes back to it that `wanted` accepts.
std::optional<Ndp> exchange(Lab& lab, const std::vector<std::uint8_t>& frame,
                            const std::function<bool(const Ndp&)>& wanted) {
  std::optional<Ndp> answer;
  std::thread client{[&] {
    enter_namespace(lab.client_namespace());
    const auto handle = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(0x86dd);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
    EXPECT_EQ(::bind(handle, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(handle, frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
    const auto deadline = std::chrono::steady_clock::now() + longest_wait;
    while (!answer && std::chrono::steady_clock::now() < deadline) {
      pollfd readable{handle, POLLIN, 0};
      if (::poll(&readable, 1, 100) <= 0) continue;
      std::array<std::uint8_t, 2048> buffer{};
      const auto size = ::recv(handle, buffer.data(), buffer.size(), 0);
      if (size <= 0) continue;
      const auto ndp = decode_ndp(std::span{buffer}.first(static_cast<std::size_t>(size)));
      if (ndp && wanted(*ndp)) answer = ndp;
    }
    ::close(handle);
  }};
  client.join();
  return answer;
}

TEST_F(Layer2OnALan, AnswersArpWithTheMacOfItsInterface) {
  EXPECT_TRUE(silent(vip4));
  lab_->own(both());
  const auto output = lab_->client(std::string{"arping -c 2 -w 3 -I eth0 "} + vip4);
  EXPECT_EQ(output.status, 0) << output.text;
  auto upper = lab_->node_mac();
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_THAT(output.text, HasSubstr("[" + upper + "]"));
  EXPECT_GE(lab_->counters().arp_replies, 2U);
  EXPECT_TRUE(silent("192.0.2.11"));
}

TEST_F(Layer2OnALan, StopsAnsweringWhatItNoLongerOwns) {
  lab_->own(both());
  ASSERT_TRUE(answers(vip4));
  lab_->own({});
  EXPECT_TRUE(silent(vip4));
  EXPECT_THAT(lab_->answering(ip(vip4)), IsEmpty());
}

TEST_F(Layer2OnALan, AnswersNeighbourSolicitations) {
  lab_->own(both());
  const auto output = lab_->client(std::string{"ndisc6 -1 -r 2 -w 2000 "} + vip6 + " eth0");
  EXPECT_EQ(output.status, 0) << output.text;
  auto upper = lab_->node_mac();
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  EXPECT_THAT(output.text, HasSubstr(upper));
}

TEST_F(Layer2OnALan, CarriesPingsToAnAddressOnLoopback) {
  // The kernel answers no ARP for it on eth1 (arp_ignore), and no NDP.
  Lab::must("ip netns exec " + lab_->client_namespace() + " true");
  ASSERT_EQ(lab_->node("sysctl -qw net.ipv4.conf.all.arp_ignore=1").status, 0);
  ASSERT_EQ(lab_->node(std::string{"ip addr add "} + vip4 + "/32 dev lo").status, 0);
  ASSERT_EQ(lab_->node(std::string{"ip addr add "} + vip6 + "/128 dev lo").status, 0);
  EXPECT_NE(lab_->client(std::string{"ping -c 1 -W 1 "} + vip4).status, 0);
  lab_->client("ip neigh flush all");
  lab_->own(both());
  for (const auto* vip : {vip4, vip6}) {
    const auto output = lab_->client(std::string{"ping -c 3 -i 0.2 -W 2 "} + vip);
    EXPECT_EQ(output.status, 0) << output.text;
  }
}

TEST_F(Layer2OnALan, AnswersProbesOfTheNeighbourCache) {
  lab_->own(both());
  const auto mac = lab_->node_mac();
  for (const std::string vip : {vip4, vip6}) {
    // The kernel asks this very MAC now, by unicast; unanswered, the entry fails.
    ASSERT_EQ(lab_->client("ip neigh replace " + vip + " lladdr " + mac + " dev eth0 nud probe").status, 0);
    EXPECT_TRUE(eventually([&] { return neighbour(vip).find("REACHABLE") != std::string::npos; })) << neighbour(vip);
  }
}

TEST_F(Layer2OnALan, AnswersUnicastSolicitationsFromGlobalAddresses) {
  lab_->own(both());
  Solicitation solicitation{.destination_mac = *net::parse_mac(lab_->node_mac()),
                            .source_mac = *net::parse_mac("02:00:00:00:00:aa"),
                            .source = ip("2001:db8::99").v6(),
                            .destination = ip(vip6).v6(),
                            .target = ip(vip6).v6(),
                            .source_link = std::nullopt,
                            .more_options = {}};
  const auto answer = exchange(*lab_, solicitation.bytes(), [](const Ndp& ndp) { return ndp.solicited; });
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->overrides);
  EXPECT_EQ(answer->target, ip(vip6).v6());
  EXPECT_EQ(net::print(answer->link_address.value()), lab_->node_mac());
}

TEST_F(Layer2OnALan, DefendsItsAddressAgainstDuplicateAddressDetection) {
  lab_->own(both());
  ASSERT_EQ(lab_->client("sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.eth0.dad_transmits=1").status, 0);
  ASSERT_EQ(lab_->client(std::string{"ip addr add "} + vip6 + "/64 dev eth0").status, 0);
  EXPECT_TRUE(eventually([&] {
    return lab_->client("ip -6 addr show dev eth0").text.find("dadfailed") != std::string::npos;
  })) << lab_->client("ip -6 addr show dev eth0").text;
  // arping -D is silent success when nobody has the address.
  EXPECT_NE(lab_->client(std::string{"arping -D -c 1 -w 2 -I eth0 "} + vip4).status, 0);
}

TEST_F(Layer2OnALan, CorrectsStaleNeighboursOnTakeOver) {
  for (const std::string vip : {vip4, vip6}) {
    ASSERT_EQ(lab_->client("ip neigh replace " + vip + " lladdr 02:00:00:00:00:99 dev eth0 nud stale").status, 0);
  }
  lab_->own(both());
  const auto mac = lab_->node_mac();
  for (const std::string vip : {vip4, vip6}) {
    EXPECT_TRUE(eventually([&] { return neighbour(vip).find(mac) != std::string::npos; })) << neighbour(vip);
  }
}

TEST_F(Layer2OnALan, JoinsTheSolicitedNodeGroupAndLeavesIt) {
  const auto joined = [&] { return lab_->node("ip -6 maddr show dev eth1").text; };
  EXPECT_THAT(joined(), Not(HasSubstr("ff02::1:ff00:10")));
  lab_->own(both());
  EXPECT_THAT(joined(), HasSubstr("ff02::1:ff00:10"));
  lab_->own({{ip(vip4), {}}});
  EXPECT_THAT(joined(), Not(HasSubstr("ff02::1:ff00:10")));
}

TEST_F(Layer2OnALan, JoinsAndAnnouncesAgainWhenTheLinkReturns) {
  lab_->own(both());
  ASSERT_TRUE(answers(vip4));
  ASSERT_EQ(lab_->node("ip link set eth1 down").status, 0);
  lab_->own(both());
  EXPECT_THAT(lab_->answering(ip(vip4)), IsEmpty());
  ASSERT_EQ(lab_->node("ip link set eth1 up").status, 0);
  ASSERT_EQ(lab_->node("ip addr replace 2001:db8::1/64 dev eth1 nodad").status, 0);
  // The client has lost its neighbours with the carrier, and may learn a wrong one.
  ASSERT_TRUE(eventually([&] { return lab_->client("ip link show eth0").text.find("state UP") != std::string::npos; }));
  for (const std::string vip : {vip4, vip6})
    ASSERT_EQ(lab_->client("ip neigh replace " + vip + " lladdr 02:00:00:00:00:99 dev eth0 nud stale").status, 0);
  ASSERT_TRUE(eventually([&] {
    lab_->own(both());
    return lab_->answering(ip(vip4)).size() == 1;
  }));
  const auto mac = lab_->node_mac();
  EXPECT_TRUE(eventually([&] { return neighbour(vip4).find(mac) != std::string::npos; })) << neighbour(vip4);
  EXPECT_TRUE(eventually([&] { return neighbour(vip6).find(mac) != std::string::npos; })) << neighbour(vip6);
  EXPECT_THAT(lab_->node("ip -6 maddr show dev eth1").text, HasSubstr("ff02::1:ff00:10"));
  EXPECT_TRUE(answers(vip4));
}

TEST_F(Layer2OnALan, AnswersOnAnInterfaceThatWasMadeAnew) {
  lab_->own(both());
  ASSERT_EQ(lab_->node("ip link del eth1").status, 0);
  lab_->own(both());
  lab_->plug_in();
  lab_->own(both());
  EXPECT_TRUE(answers(vip4));
  EXPECT_EQ(lab_->client(std::string{"ndisc6 -1 -r 2 -w 2000 "} + vip6 + " eth0").status, 0);
  EXPECT_THAT(lab_->node("ip -6 maddr show dev eth1").text, HasSubstr("ff02::1:ff00:10"));
  EXPECT_THAT(lab_->events(), IsEmpty());
}

TEST_F(Layer2OnALan, AnswersOnlyWhereTheSubnetIsAndTheInterfaceIsAllowed) {
  lab_->own({{ip(vip4), {"eth7"}}, {ip("198.51.100.1"), {}}, {ip("192.0.2.12"), {"eth1"}}});
  EXPECT_THAT(lab_->answering(ip(vip4)), IsEmpty());
  EXPECT_THAT(lab_->answering(ip("198.51.100.1")), IsEmpty());
  EXPECT_THAT(lab_->answering(ip("192.0.2.12")), ElementsAre("eth1"));
  EXPECT_TRUE(silent(vip4));
  EXPECT_TRUE(answers("192.0.2.12"));
}

TEST_F(Layer2OnALan, TellsWhoElseClaimsItsAddress) {
  lab_->own(both());
  ASSERT_EQ(lab_->client(std::string{"ip addr add "} + vip4 + "/32 dev eth0").status, 0);
  lab_->client(std::string{"arping -U -c 1 -I eth0 "} + vip4);
  ASSERT_TRUE(eventually([&] { return lab_->counters().foreign_claims > 0; }));
  const auto events = lab_->events();
  ASSERT_EQ(events.size(), 1U);
  const auto& claim = std::get<ForeignClaim>(events[0]);
  EXPECT_EQ(claim.address, ip(vip4));
  EXPECT_EQ(claim.interface, "eth1");
}

TEST_F(Layer2OnALan, SleepsThroughOtherTraffic) {
  lab_->own(both());
  const auto before = lab_->counters();
  ASSERT_EQ(lab_->client("ping -c 20 -i 0.01 -W 2 192.0.2.1").status, 0);
  ASSERT_EQ(lab_->client("ping -c 20 -i 0.01 -W 2 2001:db8::1").status, 0);
  const auto after = lab_->counters();
  // A few requests for the node's own address; no echo.
  EXPECT_LE(after.others - before.others, 6U);
  EXPECT_EQ(after.malformed, before.malformed);
}

TEST_F(Layer2OnALan, JoinsThousandsOfGroups) {
  OwnedAddresses many;
  for (unsigned i = 0; i < 4000; ++i) many[*net::advance(ip("2001:db8::1:0"), i)] = {};
  lab_->own(many);
  EXPECT_THAT(lab_->events(), IsEmpty());
  EXPECT_THAT(lab_->node("ip -6 maddr show dev eth1").text, HasSubstr("ff02::1:ff01:f9f"));
  EXPECT_EQ(lab_->client("ndisc6 -1 -r 2 -w 2000 2001:db8::1:f9f eth0").status, 0);
  lab_->own({});
  EXPECT_THAT(lab_->node("ip -6 maddr show dev eth1").text, Not(HasSubstr("ff02::1:ff01:f9f")));
}

}  // namespace
}  // namespace speaker
