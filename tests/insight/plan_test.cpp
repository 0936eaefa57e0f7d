// SPDX-License-Identifier: Apache-2.0
#include "insight/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/insight/objects.hpp"

namespace insight {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A network with a pool, three nodes, a router for each, and two services with addresses.
struct Network {
  std::vector<json> objects{
      pool("front", {"203.0.113.0/28"}),
      node("n1"),
      node("n2"),
      own("BGPConfiguration", "default", {{"asn", 65000}}),
      own("BGPPeer", "tor", {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"holdTime", "9s"}}),
      ours(service("web", "2026-01-01T00:00:01Z", {"203.0.113.1"})),
      ours(service("shop", "2026-01-01T00:00:02Z", {"203.0.113.2"})),
  };
  [[nodiscard]] json with(std::vector<json> changed, std::vector<json> removed = {}) const {
    return make_plan({objects, std::move(changed), std::move(removed), ""});
  }
};

TEST(Plan, OfNothingSaysNothing) {
  const auto plan = Network{}.with({});
  EXPECT_EQ(plan["schemaVersion"], 1);
  for (const auto* list : {"services", "sessions", "problems"}) EXPECT_TRUE(plan[list].empty()) << plan;
}

TEST(Plan, OfTheSameObjectsSaysNothing) {
  const Network network;
  const auto plan = network.with(network.objects);
  EXPECT_TRUE(plan["services"].empty() && plan["sessions"].empty()) << plan;
}

TEST(Plan, TellsWhichAddressANewServiceGets) {
  const auto plan = Network{}.with({service("new", "", {})});
  ASSERT_EQ(plan["services"].size(), 1U) << plan;
  EXPECT_EQ(plan["services"][0]["service"], "default/new");
  EXPECT_EQ(plan["services"][0]["change"], "gets");
  EXPECT_EQ(plan["services"][0]["after"], json({"203.0.113.0"}));
  EXPECT_EQ(plan["services"][0]["pool"], "front");
}

TEST(Plan, TellsWhoLosesAnAddressAndWhatComesInItsPlace) {
  const auto plan = Network{}.with({pool("front", {"198.51.100.0/31"})});
  ASSERT_EQ(plan["services"].size(), 2U) << plan;
  EXPECT_EQ(plan["services"][1]["service"], "default/web");
  EXPECT_EQ(plan["services"][1]["change"], "changes");
  EXPECT_EQ(plan["services"][1]["before"], json({"203.0.113.1"}));
  // The older service is served first.
  EXPECT_EQ(plan["services"][1]["after"], json({"198.51.100.0"}));
  EXPECT_THAT(plan["services"][1]["why"].get<std::string>(), HasSubstr("203.0.113.1"));
  const auto fewer = Network{}.with({pool("front", {"198.51.100.0/32"})});
  EXPECT_EQ(fewer["services"][0]["service"], "default/shop");
  EXPECT_EQ(fewer["services"][0]["change"], "loses");
}

TEST(Plan, SaysNothingOfAServiceThatKeepsItsAddress) {
  const auto plan = Network{}.with({pool("front", {"203.0.113.1/32", "203.0.113.2/32"})});
  EXPECT_TRUE(plan["services"].empty()) << plan;
}

TEST(Plan, OfADeletionTellsWhoLosesAnAddress) {
  const Network network;
  const auto plan = network.with({}, {pool("front", {})});
  ASSERT_EQ(plan["services"].size(), 2U);
  EXPECT_EQ(plan["services"][0]["change"], "loses");
  const auto gone = network.with({}, {service("web", "", {})});
  ASSERT_EQ(gone["services"].size(), 1U);
  EXPECT_EQ(gone["services"][0]["change"], "loses");
}

TEST(Plan, TellsASessionThatIsOpenedAgainFromOneThatIsNot) {
  json peer = own("BGPPeer", "tor", {{"peerASN", 65002}, {"peerAddress", "10.0.0.1"}, {"holdTime", "9s"}});
  const auto other_as = Network{}.with({peer});
  ASSERT_EQ(other_as["sessions"].size(), 1U) << other_as;
  EXPECT_EQ(other_as["sessions"][0]["peer"], "tor");
  EXPECT_EQ(other_as["sessions"][0]["change"], "re-opened");
  EXPECT_EQ(other_as["sessions"][0]["nodes"], json({"n1", "n2"}));

  peer["spec"] = {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"holdTime", "9s"}, {"import", {"accept-all"}}};
  const auto filter = Network{}.with({peer});
  ASSERT_EQ(filter["sessions"].size(), 1U) << filter;
  EXPECT_EQ(filter["sessions"][0]["change"], "live");
  EXPECT_EQ(filter["sessions"][0]["why"], "import filters: ROUTE-REFRESH");
}

TEST(Plan, TellsOfSessionsOnTheNodesThatTheyConcernAlone) {
  json peer = own("BGPPeer", "spine", {{"peerASN", 65001}, {"peerAddress", "10.0.0.9"}});
  peer["spec"]["nodeSelectors"] = {{{"matchLabels", {{"kubernetes.io/hostname", "n2"}}}}};
  const auto plan = Network{}.with({peer});
  ASSERT_EQ(plan["sessions"].size(), 1U) << plan;
  EXPECT_EQ(plan["sessions"][0]["change"], "added");
  EXPECT_EQ(plan["sessions"][0]["nodes"], json({"n2"}));
  const auto gone = Network{}.with({}, {own("BGPPeer", "tor", json::object())});
  EXPECT_EQ(gone["sessions"][0]["change"], "removed");
}

TEST(Plan, TellsOfProblemsThatWereNotThereBefore) {
  const auto plan = Network{}.with({pool("second", {"203.0.113.8/29"})});
  ASSERT_FALSE(plan["problems"].empty()) << plan;
  EXPECT_THAT(plan["problems"][0].get<std::string>(), HasSubstr("IPAddressPool/"));
  EXPECT_TRUE(plan["services"].empty()) << "the older pool holds";
}

TEST(Plan, LeavesServicesOfAnotherClassAlone) {
  auto other = service("other", "2026-01-01T00:00:03Z", {"203.0.113.9"});
  other["spec"]["loadBalancerClass"] = "other.example/lb";
  Network network;
  network.objects.push_back(other);
  EXPECT_EQ(network.with({pool("front", {"198.51.100.0/28"})})["services"].size(), 2U);
}

TEST(Plan, TakesNoOffenceAtObjectsThatAreNone) {
  Network network;
  for (const auto& odd : {json(), json("text"), json{{"kind", "Pod"}, {"apiVersion", "v1"}}, json{{"metadata", "x"}}})
    network.objects.push_back(odd);
  EXPECT_TRUE(network.with({})["services"].empty());
}

}  // namespace
}  // namespace insight
