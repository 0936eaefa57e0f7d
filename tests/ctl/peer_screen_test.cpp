// SPDX-License-Identifier: Apache-2.0
// Prints the neighbours that tests/speaker/control/views_test.cpp makes, and compares the screens as a whole;
// UPDATE_GOLDEN=1 writes them anew.
#include "ctl/peer_screen.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "ctl/peer_table.hpp"

namespace ctl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

json peer(const std::string& name) {
  return json::parse(contents(HERALD_SOURCE_DIR "/tests/speaker/control/" + name));
}

std::string screen(const json& shown, Paint paint = Paint::Plain) {
  std::ostringstream out;
  print_peer(shown, paint, out);
  return out.str();
}

std::string range_screen(const json& range) {
  std::ostringstream out;
  print_range(range, Paint::Plain, out);
  return out.str();
}

std::string listed(const json& answer) {
  std::ostringstream out;
  print_peer_table(answer, Format::Table, Paint::Plain, out);
  return out.str();
}

void compare(const std::string& name, const std::string& text) {
  const auto path = HERALD_SOURCE_DIR "/tests/ctl/" + name;
  if (std::getenv("UPDATE_GOLDEN") == nullptr)
    EXPECT_EQ(contents(path), text) << path;
  else
    std::ofstream{path, std::ios::binary} << text;
}

TEST(PeerScreen, ShowsConfigurationAndWhatWasAgreed) {
  compare("peer_screen.txt", screen(peer("peer.json")));
}

TEST(PeerScreen, ShowsANeighbourThatIsAway) {
  compare("peer_screen_of_defaults.txt", screen(peer("peer_of_defaults.json")));
}

TEST(PeerScreen, IsColouredOnATerminalOnly) {
  EXPECT_THAT(screen(peer("peer.json")), Not(HasSubstr("\x1b")));
  EXPECT_THAT(screen(peer("peer.json"), Paint::Terminal), HasSubstr("\x1b[32mEstablished for 5m12s"));
  EXPECT_THAT(screen(peer("peer_of_defaults.json"), Paint::Terminal), HasSubstr("\x1b[33mreject-all"));
}

TEST(PeerScreen, SaysWhyANeighbourIsKeptDown) {
  auto held = peer("peer_of_defaults.json");
  held["heldDown"] = "BGPFilter x does not exist";
  EXPECT_THAT(screen(held), HasSubstr("HeldDown: BGPFilter x does not exist"));
  auto shut = peer("peer_of_defaults.json");
  shut["shutdown"] = "new cable";
  EXPECT_THAT(screen(shut), HasSubstr("Shutdown: new cable"));
}

TEST(PeerScreen, SaysHowFarANeighbourMayBe) {
  auto shown = peer("peer_of_defaults.json");
  shown["reach"] = {{"kind", "multihop"}, {"ttl", 64}};
  EXPECT_THAT(screen(shown), HasSubstr("multihop: packets leave with TTL 64\n"));
  shown["reach"] = {{"kind", "ttl-security"}, {"ttl", 255}, {"minimumTtl", 254}};
  EXPECT_THAT(screen(shown),
              HasSubstr("TTL security (GTSM): packets leave with TTL 255, and with less than 254 are dropped\n"));
  EXPECT_THAT(screen(shown), HasSubstr("security          GTSM\n"));
  shown["authentication"] = {{"type", "md5"}};
  EXPECT_THAT(screen(shown), HasSubstr("security          TCP MD5, GTSM\n"));
  shown.erase("reach");
  EXPECT_THAT(screen(shown), HasSubstr("reach             any distance\n"));
}

TEST(PeerScreen, SaysWhatFollowsFromTooManyPrefixes) {
  auto shown = peer("peer_of_defaults.json");
  EXPECT_THAT(screen(shown), HasSubstr("prefix limits     none\n"));
  shown["prefixLimit"] = {{"ipv4Unicast", 10}, {"ipv6Unicast", 0}, {"warningPercent", 0}, {"action", "warn"}};
  EXPECT_THAT(screen(shown), HasSubstr("prefix limits     10 IPv4; more are only warned of\n"));
  shown["prefixLimit"]["action"] = "stop";
  EXPECT_THAT(screen(shown), HasSubstr("prefix limits     10 IPv4; more end the session\n"));
}

TEST(PeerScreen, ShowsBfd) {
  auto shown = peer("peer_of_defaults.json");
  shown["bfd"] = {{"profile", "fast"},
                  {"state", "Up"},
                  {"strict", true},
                  {"multihop", false},
                  {"uptimeMsec", 60'000},
                  {"transmitIntervalMsec", 50.0},
                  {"receiveIntervalMsec", 60.0},
                  {"echo", {{"state", "off"}}},
                  {"remote", {{"detectMultiplier", 3}}}};
  EXPECT_THAT(screen(shown), HasSubstr("BFD               Up for 60s, 50ms/60ms x3, profile fast, strict\n"));
  shown["bfd"].update({{"echo", {{"state", "active"}, {"intervalMsec", 12.5}}},
                       {"passive", true},
                       {"authentication", "meticulous-keyed-sha1"},
                       {"remote", {{"detectMultiplier", 3}, {"controlPlaneIndependent", true}}}});
  EXPECT_THAT(
      screen(shown),
      HasSubstr("50ms/60ms x3 echo every 12.5ms, profile fast, strict, only the neighbor begins, the neighbor's "
                "outlives its control plane, packets are signed (meticulous-keyed-sha1)\n"));
  shown["bfd"].update({{"echo", {{"state", "probing"}}}, {"passive", false}, {"authentication", nullptr}});
  EXPECT_THAT(screen(shown), HasSubstr("x3, echo is tried, profile fast, strict, the neighbor's outlives"));
  EXPECT_THAT(screen(shown), Not(HasSubstr("signed")));
  shown["bfd"].update({{"state", "Down"}, {"lastDown", {{"diagnostic", "Control Detection Time Expired"}}}});
  shown["bfd"].erase("uptimeMsec");
  EXPECT_THAT(screen(shown), HasSubstr("Down: Control Detection Time Expired"));
}

// RFC 8538: who has the N bit, and what follows.
TEST(PeerScreen, SaysWhetherRoutesOutliveANotification) {
  auto shown = peer("peer.json");
  EXPECT_THAT(screen(shown), HasSubstr("may be away for 2m0s, also after a NOTIFICATION that is no hard reset"));
  EXPECT_THAT(screen(shown), ::testing::ContainsRegex("N bit \\(RFC 8538\\) +yes +yes +yes\n"));
  shown["capabilities"]["theirs"]["gracefulRestart"].erase("notification");
  shown["negotiated"]["gracefulRestart"]["notification"] = false;
  EXPECT_THAT(screen(shown), Not(HasSubstr("NOTIFICATION")));
  EXPECT_THAT(screen(shown), ::testing::ContainsRegex("N bit \\(RFC 8538\\) +yes +no +no\n"));
}

// RFC 4760 section 8.
TEST(PeerScreen, TakesANeighbourWithoutFamiliesForOneOfIpv4) {
  auto shown = peer("peer.json");
  shown["capabilities"]["theirs"].erase("families");
  shown["negotiated"]["families"] = {"ipv4-unicast"};
  const auto text = screen(shown);
  EXPECT_THAT(text, ::testing::ContainsRegex("IPv4 unicast +yes +implied +yes\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("IPv6 unicast +yes +no +no\n"));
}

json range() {
  auto shown = peer("peer_of_defaults.json");
  shown.update(
      {{"name", "tors"}, {"range", "10.0.0.0/24"}, {"peers", 3}, {"maximumPeers", 20}, {"peerAsn", "external"}});
  return shown;
}

TEST(RangeScreen, SaysWhoMayConnect) {
  const auto text = range_screen(range());
  EXPECT_THAT(text, HasSubstr("range             10.0.0.0/24\n"));
  EXPECT_THAT(text, HasSubstr("peers             3 of at most 20\n"));
  EXPECT_THAT(text, HasSubstr("AS numbers        external, here 65000\n"));
  EXPECT_THAT(text, HasSubstr("import filters    reject-all"));
}

TEST(PeerTable, SaysWhyNothingOfWhatCameIsUsed) {
  auto tor = peer("peer.json");
  tor["loops"] = {{"asPath", 3}, {"originatorId", 0}, {"clusterList", 0}, {"nextHop", 0}};
  EXPECT_THAT(listed({{"peers", {tor}}}), Not(HasSubstr("all its routes"))) << "some are accepted";
  tor["families"]["ipv4Unicast"]["accepted"] = 0;
  EXPECT_THAT(listed({{"peers", {tor}}}), HasSubstr("all its routes went through this AS already"));
  tor["loops"] = {{"asPath", 1}, {"originatorId", 0}, {"clusterList", 0}, {"nextHop", 2}};
  EXPECT_THAT(listed({{"peers", {tor}}}), HasSubstr("all its routes went through this node already"));
  tor["loops"]["nextHop"] = 1;
  EXPECT_THAT(listed({{"peers", {tor}}}), HasSubstr("the import filters let nothing through"));
  tor["import"] = json::array({"reject-all"});
  EXPECT_THAT(listed({{"peers", {tor}}}), HasSubstr("nothing is accepted without an import filter (RFC 8212)"));
}

TEST(PeerTable, SaysOfANeighborThatItHasTakenNothing) {
  auto tor = peer("peer.json");
  tor["blockedMsec"] = 4000;  // a burst may take as long
  EXPECT_THAT(listed({{"peers", {tor}}}), Not(HasSubstr("has taken nothing")));
  EXPECT_THAT(screen(tor), Not(HasSubstr("has taken nothing")));
  tor["blockedMsec"] = 34000;
  const auto told = HasSubstr("the neighbor has taken nothing for 34s; the session ends after 8m0s\n");
  EXPECT_THAT(listed({{"peers", {tor}}}), told);
  EXPECT_THAT(screen(tor), told);
  tor["negotiated"]["sendHoldTimeSec"] = 0;
  EXPECT_THAT(screen(tor), HasSubstr("the neighbor has taken nothing for 34s\n"));
}

TEST(PeerTable, EndsWithTheRanges) {
  const auto tor = peer("peer.json");
  const std::string rows =
      "PEER  ADDRESS   ASN    STATE        UP     BFD  RECEIVED  ADVERTISED  TROUBLE\n"
      "tor   10.0.0.2  65001  Established  5m12s  -    12/0      5/0         \n";
  const std::string ranges =
      "RANGE        PEER  ASN       PEERS  MAXIMUM  TROUBLE\n"
      "10.0.0.0/24  tors  external  3      20       \n";
  EXPECT_EQ(listed({{"peers", {tor}}}), rows);
  EXPECT_EQ(listed({{"peers", {tor}}, {"ranges", {range()}}}), rows + "\n" + ranges);
  EXPECT_EQ(listed({{"peers", json::array()}, {"ranges", {range()}}}), ranges);
  EXPECT_EQ(listed({{"peers", json::array()}}), "no peers on this node\n");
}

}  // namespace
}  // namespace ctl
