// SPDX-License-Identifier: Apache-2.0
#include "ctl/status_screen.hpp"

#include <sstream>

#include <gmock/gmock.h>

namespace ctl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json status() {
  return {{"node", "n1"},
          {"version", "1"},
          {"uptimeMsec", 60'000},
          {"noRouter", "no BGPPeer selects this node"},
          {"peers", {{"total", 0}}},
          {"announcedPrefixes", 0},
          {"announcedAddresses", 0},
          {"layer2", {{"owned", 0}, {"candidates", 0}}},
          {"liveNodes", {"n1"}},
          {"kernel", {{"warnings", json::array()}, {"unreachableNextHops", json::array()}}},
          {"problems", json::array()}};
}

json cache(const char* address, bool synchronized) {
  return {{"address", address},   {"port", 3323},   {"synchronized", synchronized},
          {"protocolVersion", 1}, {"payloads", 15}, {"ipv4Payloads", 12},
          {"ipv6Payloads", 3}};
}

std::string screen(const json& answer, Paint paint = Paint::Plain) {
  std::ostringstream out;
  print_status(answer, paint, out);
  return out.str();
}

TEST(StatusScreen, SaysNothingOfRpkiWithoutCaches) {
  EXPECT_THAT(screen(status()), Not(HasSubstr("RPKI")));
}

TEST(StatusScreen, ShowsRpkiCachesAndTheirPayloads) {
  auto answer = status();
  auto heard = cache("192.0.2.1", true);
  heard["serial"] = 5;
  answer["rpki"] = {{"payloads", 15}, {"caches", {heard}}};
  EXPECT_THAT(screen(answer), HasSubstr("RPKI        192.0.2.1 port 3323: synchronized by version 1, serial 5; 12 IPv4 "
                                        "and 3 IPv6 VRPs\n"));
  EXPECT_THAT(screen(answer), Not(HasSubstr("distinct")));
  EXPECT_THAT(screen(answer, Paint::Terminal), HasSubstr("\x1b[32m192.0.2.1"));

  auto away = cache("192.0.2.2", false);
  away["trouble"] = "Connection refused";
  answer["rpki"] = {{"payloads", 20}, {"caches", {heard, away, cache("192.0.2.3", false)}}};
  const auto text = screen(answer);
  EXPECT_THAT(text, HasSubstr("192.0.2.2 port 3323: not connected: Connection refused; 12 IPv4"));
  EXPECT_THAT(text, HasSubstr("192.0.2.3 port 3323: not synchronized yet; 12 IPv4"));
  EXPECT_THAT(text, HasSubstr("            20 distinct VRPs of all caches\n"));
  EXPECT_THAT(screen(answer, Paint::Terminal), HasSubstr("\x1b[31m192.0.2.2"));
}

}  // namespace
}  // namespace ctl
