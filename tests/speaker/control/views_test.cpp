// SPDX-License-Identifier: Apache-2.0
// Two neighbours are compared with peer.json and peer_of_defaults.json as a whole; UPDATE_GOLDEN=1 writes them anew.
// tests/ctl/peer_screen_test.cpp prints the same files.
#include "speaker/control/views.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "bgp/negotiate.hpp"
#include "bgp/wire/notification.hpp"
#include "speaker/control/peer_config_view.hpp"
#include "speaker/control/rpki_view.hpp"
#include "tests/speaker/world.hpp"

namespace speaker {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string folder = HERALD_SOURCE_DIR "/tests/speaker/control/";

void compare(const std::string& name, const Json& actual) {
  const auto path = folder + name;
  const auto text = actual.dump(2) + "\n";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream{path, std::ios::binary} << text;
    return;
  }
  std::ostringstream expected;
  expected << std::ifstream{path, std::ios::binary}.rdbuf();
  EXPECT_EQ(expected.str(), text) << path;
}

const net::TimePoint now{std::chrono::hours{100}};
// 2027-01-15T08:00:00Z.
const WallClock clock_{now, std::chrono::system_clock::from_time_t(1'800'000'000)};

bgp::RouterConfig router() {
  bgp::RouterConfig config;
  config.asn = net::Asn{65000};
  config.router_id = net::RouterId{0x0a000001};
  return config;
}

bgp::Filter filter(const std::string& name) {
  return {name, {}};
}

// Nothing but what a neighbour must have.
bgp::NeighborConfig plain() {
  bgp::NeighborConfig config;
  config.name = "tor";
  config.session.address = ip("10.0.0.2");
  config.session.local_asn = net::Asn{65000};
  config.session.peer_asn = {bgp::ExpectedAsn::Kind::Exactly, net::Asn{65001}};
  config.session.router_id = router().router_id;
  return config;
}

bgp::NeighborStatus down() {
  bgp::NeighborStatus status;
  status.name = "tor";
  status.session.state = bgp::State::Active;
  status.session.failed_attempts = 1;
  status.session.last_dial_error = "connection refused";
  status.session.next_attempt = now + seconds{5};
  return status;
}

Json shown(const bgp::NeighborConfig& config) {
  return view(down(), config, router(), clock_);
}

// Every option that is shown, and as many capabilities.
bgp::NeighborConfig rich() {
  auto config = plain();
  config.group = "tors";
  config.dynamic = true;
  auto& session = config.session;
  session.description = "top of rack";
  session.interface = "eth1";
  session.connect = bgp::Connect::PassiveOnly;
  session.local_asn = net::Asn{65010};
  session.reach = {bgp::Reach::Kind::Security, 2};
  session.authentication = {bgp::AuthenticationKeys::Algorithm::AesCmac, {{1, "secret-one"}, {7, "secret-two"}}};
  session.hold_time = seconds{30};
  session.keepalive_time = seconds{7};
  session.role = bgp::Role::Provider;
  session.role_required = true;
  session.add_path = {true, 4};
  session.ipv4_over_ipv6 = true;
  session.graceful_restart = {bgp::GracefulRestart::Mode::Full, seconds{90}, seconds{300}, seconds{600}, true};
  config.import = {filter("bogons"), bgp::accept_all()};
  config.export_filter = bgp::FilterChain{bgp::accept_local()};
  config.rejected = bgp::Kept::Yes;
  config.prepend_local_as = false;
  config.out.prepend_own_as = false;
  config.out.as_override = true;
  config.out.private_as = bgp::PrivateAs::Replaced;
  config.out.next_hop = bgp::NextHopMode::Self;
  config.out.next_hop_ipv4 = ip("192.0.2.9").v4();
  config.out.next_hop_ipv6 = ip("2001:db8::9").v6();
  config.out.reflector_client = true;
  config.default_originate = bgp::DefaultOriginate{};
  config.aigp = true;
  config.accept_blackhole = true;
  config.graceful_shutdown = bgp::NeighborConfig::GracefulShutdown::Ignored;
  config.allowed_own_as = 2;
  config.enforce_first_as = false;
  config.ipv4_limit = {.maximum = 1000,
                       .warn_percent = 80,
                       .action = bgp::PrefixLimit::Action::Stop,
                       .restart = seconds{300},
                       .maximum_out = 50};
  config.ipv6_limit = config.ipv4_limit;
  config.ipv6_limit.maximum = 200;
  return config;
}

bgp::Open offer_of_peer() {
  bgp::Open open;
  open.asn = net::Asn{65001};
  open.id = net::RouterId{0x0a000002};
  open.hold_time = seconds{90};
  auto& offer = open.capabilities;
  offer.multiprotocol = {bgp::ipv4_unicast, bgp::ipv6_unicast, {25, 70}};
  offer.route_refresh = true;
  offer.four_octet_asn = net::Asn{65001};
  offer.add_path = {{bgp::ipv4_unicast, true, false}};
  offer.extended_next_hop = {{bgp::ipv4_unicast, 2}};
  offer.roles = {static_cast<std::uint8_t>(bgp::Role::Customer)};
  offer.graceful_restart = bgp::GracefulRestartCapability{true, true, seconds{120}, {{bgp::ipv4_unicast, true}}};
  offer.long_lived = {{bgp::ipv4_unicast, false, seconds{3600}}};
  offer.unknown = {{73, {1}}, {128, {}}};
  return open;
}

bgp::NeighborStatus up(const bgp::NeighborConfig& config) {
  bgp::NeighborStatus status;
  status.name = config.name;
  status.session.state = bgp::State::Established;
  status.session.established_since = now - seconds{312};
  status.session.established_count = 3;
  status.session.last_reset =
      bgp::ResetReason{bgp::ResetReason::By::Remote, bgp::cease(bgp::CeaseError::BfdDown), "Cease/BFD Down"};
  status.session.last_reset_at = now - seconds{320};
  status.session.messages.in = {0, 1, 20, 0, 300, 0};
  status.session.messages.out = {0, 1, 2, 0, 310, 1};
  const auto agreed = bgp::negotiate(config.session, bgp::Offer::Full, offer_of_peer());
  EXPECT_TRUE(agreed);
  if (agreed) status.negotiated = *agreed;
  status.transport = bgp::Transport{ip("10.0.0.1"), ip("10.0.0.2"), 179, 40000, {}, {}, {}, 2};
  status.ipv4 = {.received = 12, .accepted = 10, .filtered = 3, .leaked = 4, .best = 9, .advertised = 5, .stale = 2};
  status.loops = {.as_path = 1, .cluster_list = 1};
  status.ipv4_restart = {bgp::StaleRoutes::Phase::Refreshing, now + seconds{45}, false};
  status.attribute_faults = {{2, 6}};
  status.malformed = {{now - milliseconds{1500}, "AS_PATH: length", "ffff"}};
  return status;
}

TEST(ViewOfAPeer, SaysWhatItIsConfiguredWithAndWhatWasAgreed) {
  const auto config = rich();
  compare("peer.json", view(up(config), config, router(), clock_));
}

TEST(ViewOfAPeer, LeavesOutWhatIsAsItIsWithoutBeingSaid) {
  compare("peer_of_defaults.json", shown(plain()));
}

TEST(ViewOfAPeer, NamesKeysAndNoSecrets) {
  auto config = plain();
  config.session.password = "hush-hush";
  const auto md5 = shown(config);
  EXPECT_EQ(md5["authentication"], (Json{{"type", "md5"}}));
  EXPECT_EQ(md5.dump().find("hush"), std::string::npos);
  EXPECT_EQ(shown(rich()).dump().find("secret"), std::string::npos);
}

TEST(ViewOfAPeer, SaysHowFarItMayBe) {
  auto config = plain();
  EXPECT_EQ(shown(config)["reach"], (Json{{"kind", "direct"}, {"ttl", 1}}));
  config.session.reach = {bgp::Reach::Kind::Multihop, 64};
  EXPECT_EQ(shown(config)["reach"], (Json{{"kind", "multihop"}, {"ttl", 64}}));
  config.session.reach = {bgp::Reach::Kind::Security, 1};
  EXPECT_EQ(shown(config)["reach"], (Json{{"kind", "ttl-security"}, {"ttl", 255}, {"minimumTtl", 255}}));
  config.session.reach = {};
  config.session.peer_asn = {bgp::ExpectedAsn::Kind::Internal, {}};
  EXPECT_FALSE(shown(config).contains("reach")) << "an internal one may be anywhere";
}

TEST(ViewOfAPeer, SaysWhatBecomesOfAnAsNumberForItAlone) {
  auto config = plain();
  EXPECT_FALSE(shown(config).contains("localAsnOptions"));
  config.session.local_asn = net::Asn{65010};
  config.prepend_local_as = config.out.prepend_own_as = true;
  const auto both = shown(config);
  EXPECT_EQ(both["localAsnOptions"], Json::array());
  EXPECT_EQ(both["routerAsn"], 65000);
  config.prepend_local_as = false;
  EXPECT_EQ(shown(config)["localAsnOptions"], (Json::array({"no-prepend"})));
  config.out.prepend_own_as = false;
  EXPECT_EQ(shown(config)["localAsnOptions"], (Json::array({"no-prepend", "replace-as"})));

  auto confederation = router();
  confederation.confederation = net::Asn{65010};
  EXPECT_FALSE(view(down(), config, confederation, clock_).contains("localAsnOptions"))
      << "others than members know a confederation by its identifier";
}

TEST(ViewOfAPeer, CountsLeaksWhereThereAreSome) {
  auto status = down();
  EXPECT_FALSE(view(status, plain(), router(), clock_)["families"]["ipv6Unicast"].contains("leaked"));
  status.ipv6.leaked = 7;
  EXPECT_EQ(view(status, plain(), router(), clock_)["families"]["ipv6Unicast"]["leaked"], 7);
}

TEST(ViewOfAPeer, CountsLoopsWhereThereAreSome) {
  auto status = down();
  EXPECT_FALSE(view(status, plain(), router(), clock_).contains("loops"));
  status.loops.next_hop = 3;
  EXPECT_EQ(view(status, plain(), router(), clock_)["loops"],
            (Json{{"asPath", 0}, {"originatorId", 0}, {"clusterList", 0}, {"nextHop", 3}}));
}

TEST(ViewOfCapabilities, KeepsWhatIsNotKnownAsNumbers) {
  bgp::Capabilities offer;
  EXPECT_EQ(view(offer), Json::object());
  offer.roles = {3, 9};
  offer.unknown = {{2, {}}};
  EXPECT_EQ(view(offer), (Json{{"roles", {"customer", "9"}}, {"unknown", {2}}}));
}

TEST(ViewOfARange, SaysHowManyMayConnectAndHowTheyAreTreated) {
  auto pattern = plain();
  pattern.name = "tors";
  pattern.range = prefix("10.0.0.0/24");
  pattern.range_limit = 20;
  pattern.session.peer_asn = {bgp::ExpectedAsn::Kind::External, {}};
  pattern.hold_down = "Secret default/x does not exist";
  const auto range = view_range(pattern, router(), 3);
  EXPECT_EQ(range["range"], "10.0.0.0/24");
  EXPECT_EQ(range["peers"], 3);
  EXPECT_EQ(range["maximumPeers"], 20);
  EXPECT_EQ(range["peerAsn"], "external");
  EXPECT_EQ(range["import"], (Json::array({"reject-all"})));
  EXPECT_EQ(range["heldDown"], "Secret default/x does not exist");
}

TEST(ViewOfRpki, SaysWhetherEachCacheIsHeardAndWhatItSaid) {
  const CacheStatus heard{ip("192.0.2.1"), 3323, true, 1, 5, 12, 3, ""};
  const CacheStatus away{ip("192.0.2.2"), 323, false, 1, {}, 0, 0, "Connection refused"};
  const auto rpki = view({heard, away}, 15);
  EXPECT_EQ(rpki["payloads"], 15);
  EXPECT_EQ(rpki["caches"][0], (Json{{"address", "192.0.2.1"},
                                     {"port", 3323},
                                     {"synchronized", true},
                                     {"protocolVersion", 1},
                                     {"payloads", 15},
                                     {"ipv4Payloads", 12},
                                     {"ipv6Payloads", 3},
                                     {"serial", 5}}));
  EXPECT_EQ(rpki["caches"][1]["trouble"], "Connection refused");
  EXPECT_FALSE(rpki["caches"][1].contains("serial"));
}

}  // namespace
}  // namespace speaker
