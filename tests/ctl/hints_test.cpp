// SPDX-License-Identifier: Apache-2.0
#include "ctl/hints.hpp"

#include <fstream>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

nlohmann::json verdict(const char* address, const char* method, const char* gate) {
  return {{"address", address}, {"method", method}, {"gate", gate}, {"announced", std::string{gate} == "Open"}};
}

// The speaker's list of gates is read as text: heraldctl knows the speaker by what it answers only.
TEST(Hints, ThereIsOneForEveryGateThatCanBeMended) {
  std::ifstream file{HERALD_SOURCE_DIR "/speaker/gate.cpp"};
  const std::regex name{"return \"([A-Z][A-Za-z0-9]+)\""};
  int gates = 0;
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (!std::regex_search(line, found, name)) continue;
    ++gates;
    const bool fine = found[1] == "Open" || found[1] == "NotOwner";
    EXPECT_EQ(hint_for(found[1].str(), "bgp").empty(), fine) << found[1];
  }
  EXPECT_GE(gates, 17);
}

TEST(Hints, AreGivenOncePerAddressThatNobodyAnnounces) {
  EXPECT_THAT(hints_for({verdict("192.0.2.1", "bgp", "NoEndpoints"), verdict("192.0.2.1", "layer2", "NoEndpoints"),
                         verdict("192.0.2.2", "bgp", "NoEndpoints")}),
              ElementsAre(HasSubstr("EndpointSlice")));
}

TEST(Hints, KeepQuietOfAMethodThatIsNotUsed) {
  EXPECT_THAT(hints_for({verdict("192.0.2.1", "bgp", "Open"), verdict("192.0.2.1", "layer2", "NoAdvertisement")}),
              IsEmpty());
  EXPECT_THAT(hints_for({verdict("192.0.2.1", "bgp", "NoAdvertisement"), verdict("192.0.2.1", "layer2", "NotOwner")}),
              IsEmpty());
}

TEST(Hints, NameTheKindOfAdvertisementOfTheMethod) {
  EXPECT_THAT(hint_for("NoAdvertisement", "bgp"), HasSubstr("a BGPAdvertisement"));
  EXPECT_THAT(hint_for("NoAdvertisement", "layer2"), HasSubstr("an L2Advertisement"));
}

TEST(Hints, AreEmptyForAGateOfALaterVersion) {
  EXPECT_EQ(hint_for("NoMoon", "bgp"), "");
}

}  // namespace
}  // namespace ctl
