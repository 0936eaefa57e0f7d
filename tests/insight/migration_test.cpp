// SPDX-License-Identifier: Apache-2.0
#include "insight/migration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/insight/objects.hpp"

namespace insight {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json theirs(const std::string& kind, const std::string& name, json spec, const std::string& version = "v1beta1") {
  return {{"apiVersion", "metallb.io/" + version},
          {"kind", kind},
          {"metadata",
           {{"name", name},
            {"namespace", "metallb-system"},
            {"resourceVersion", "7"},
            {"uid", "u"},
            {"labels", {{"a", "b"}}}}},
          {"spec", std::move(spec)}};
}

const auto old_pool = theirs("IPAddressPool", "legacy", {{"addresses", {"203.0.113.200-203.0.113.220"}}});

TEST(Migration, KeepsEveryAddress) {
  const auto plan = plan_migration(
      {{service("web", "2026-01-01T00:00:01Z", {"203.0.113.205"}), service("waiting", "2026-01-01T00:00:02Z", {})},
       {old_pool},
       ""});
  EXPECT_EQ(plan["kept"], 1) << plan;
  EXPECT_TRUE(plan["services"].empty()) << plan;
  EXPECT_TRUE(plan["refused"].empty());
}

TEST(Migration, WritesOurKindsWithoutWhatBelongsToTheApi) {
  const auto plan = plan_migration({{}, {old_pool}, ""});
  ASSERT_EQ(plan["objects"].size(), 1U);
  const auto& object = plan["objects"][0];
  EXPECT_EQ(object["apiVersion"], "herald.dev/v1");
  EXPECT_EQ(object["metadata"], (json{{"name", "legacy"}, {"labels", {{"a", "b"}}}}));
  EXPECT_EQ(object["spec"]["addresses"], json({"203.0.113.200-203.0.113.220"}));
  EXPECT_FALSE(object.contains("status"));
}

TEST(Migration, NamesTheFieldThatCannotBeTakenOver) {
  const auto peer = theirs(
      "BGPPeer", "tor", {{"myASN", 65000}, {"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"vrf", "red"}}, "v1beta2");
  const auto plan = plan_migration({{}, {peer}, ""});
  EXPECT_TRUE(plan["objects"].empty());
  ASSERT_EQ(plan["refused"].size(), 1U) << plan;
  EXPECT_EQ(plan["refused"][0]["object"], "BGPPeer/tor");
  EXPECT_THAT(plan["refused"][0]["problems"][0].get<std::string>(), HasSubstr("spec.vrf"));
}

TEST(Migration, TellsWhoseAddressWouldNotStay) {
  // The pool that the service's address is from is not MetalLB's any more.
  const auto plan = plan_migration({{service("web", "2026-01-01T00:00:01Z", {"198.51.100.7"})}, {old_pool}, ""});
  EXPECT_EQ(plan["kept"], 0);
  ASSERT_EQ(plan["services"].size(), 1U) << plan;
  EXPECT_EQ(plan["services"][0]["change"], "is in no pool");
  EXPECT_EQ(plan["services"][0]["after"], json({"198.51.100.7"})) << "nobody takes it away";
}

TEST(Migration, LeavesOursOfTheSameNameAsItIs) {
  const auto plan = plan_migration({{pool("legacy", {"192.0.2.0/24"})}, {old_pool}, ""});
  EXPECT_EQ(plan["hidden"], json({"IPAddressPool/legacy"}));
  EXPECT_TRUE(plan["objects"].empty());
}

TEST(Migration, SaysWhatDiffersOfWhatTheObjectsUse) {
  const auto peer =
      theirs("BGPPeer", "tor",
             {{"myASN", 65000}, {"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"passwordSecret", {{"name", "bgp"}}}},
             "v1beta2");
  const auto plan = plan_migration({{}, {old_pool, theirs("L2Advertisement", "lan", json::object()), peer}, ""});
  const auto text = plan["differences"].dump();
  EXPECT_THAT(text, HasSubstr("quarantine"));
  EXPECT_THAT(text, HasSubstr("another rule"));
  EXPECT_THAT(text, HasSubstr("Secret metallb-system/bgp"));
  EXPECT_EQ(plan_migration({{}, {}, ""})["differences"], json::array());
}

}  // namespace
}  // namespace insight
