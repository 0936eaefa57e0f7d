// SPDX-License-Identifier: Apache-2.0
#include "insight/admission_review.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/candidate.hpp"
#include "config/object.hpp"
#include "tests/insight/objects.hpp"

namespace insight {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

config::Resources resources(const std::vector<json>& objects) {
  config::Resources out;
  for (const auto& object : objects) {
    const auto read = config::read_object(object);
    EXPECT_EQ(read.objects.size(), 1U) << object;
    if (!read.objects.empty()) config::put(out, read.objects.front());
  }
  return out;
}

struct Review {
  config::Resources all;
  config::Resources services;
  [[nodiscard]] json ask(const std::string& operation, const json& object) const {
    const auto* field = operation == "DELETE" ? "oldObject" : "object";
    return admission_review({{"request", {{"uid", "7"}, {"operation", operation}, {field, object}}}}, all,
                            services)["response"];
  }
};

TEST(AdmissionReview, LetsASoundObjectThrough) {
  const auto said = Review{}.ask("CREATE", pool("front", {"192.0.2.0/24"}));
  EXPECT_EQ(said, (json{{"uid", "7"}, {"allowed", true}}));
}

TEST(AdmissionReview, NamesTheFieldThatMakesNoSense) {
  const auto said = Review{}.ask("CREATE", pool("front", {"nonsense"}));
  EXPECT_EQ(said["allowed"], false);
  EXPECT_EQ(said["status"]["code"], 400);
  EXPECT_THAT(said["status"]["message"].get<std::string>(), AllOf(HasSubstr("spec.addresses"), HasSubstr("nonsense")));
}

TEST(AdmissionReview, JudgesTheWholeSetWithTheObjectInIt) {
  const Review review{resources({pool("front", {"192.0.2.0/24"})}), {}};
  const auto other = review.ask("CREATE", pool("other", {"192.0.2.128/25"}));
  EXPECT_EQ(other["allowed"], false);
  EXPECT_THAT(other["status"]["message"].get<std::string>(), HasSubstr("overlap"));
  EXPECT_EQ(review.ask("UPDATE", pool("front", {"192.0.2.128/25"}))["allowed"], true) << "it does not overlap itself";
}

TEST(AdmissionReview, WarnsOfWhatIsMissingSoFar) {
  const auto said = Review{}.ask("CREATE", own("BGPAdvertisement", "front", {{"ipAddressPools", {"absent"}}}));
  EXPECT_EQ(said["allowed"], true);
  ASSERT_EQ(said["warnings"].size(), 1U) << said;
  EXPECT_THAT(said["warnings"][0].get<std::string>(), HasSubstr("IPAddressPool/absent"));
}

TEST(AdmissionReview, TakesForRightWhatIsSaidOfSecrets) {
  const auto said = Review{}.ask("CREATE", own("BGPPeer", "tor",
                                               {{"myASN", 65000},
                                                {"peerASN", 65001},
                                                {"peerAddress", "10.0.0.1"},
                                                {"passwordSecret", {{"name", "unread"}}}}));
  EXPECT_EQ(said["allowed"], true);
  EXPECT_FALSE(said.contains("warnings")) << said;
}

TEST(AdmissionReview, KeepsWhatIsInUseFromBeingDeleted) {
  const Review review{
      resources({own("BGPPeer", "tor",
                     {{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}, {"import", {"narrow"}}, {"bfdProfile", "fast"}}),
                 own("BGPAdvertisement", "front", {{"communities", {"blue"}}})}),
      resources({service("one", "", {"192.0.2.1"}), service("two", "", {"192.0.2.2"}),
                 service("three", "", {"192.0.2.3"}), service("four", "", {"192.0.2.4"}),
                 service("elsewhere", "", {"198.51.100.1"})})};
  const auto refusal = [&](const json& object) {
    const auto said = review.ask("DELETE", object);
    return said["allowed"] == true ? std::string{} : said["status"]["message"].get<std::string>();
  };
  EXPECT_THAT(refusal(pool("front", {"192.0.2.0/24"})),
              HasSubstr("Service default/four, Service default/one, Service default/three and 1 more"));
  EXPECT_THAT(refusal(own("BGPFilter", "narrow", {{"rules", json::array()}})), HasSubstr("BGPPeer tor"));
  EXPECT_THAT(refusal(own("BFDProfile", "fast", json::object())), HasSubstr("BGPPeer tor"));
  EXPECT_THAT(refusal(own("Community", "colours", {{"communities", {{{"name", "blue"}, {"value", "65000:1"}}}}})),
              HasSubstr("BGPAdvertisement front"));

  EXPECT_EQ(refusal(pool("spare", {"203.0.113.0/24"})), "");
  EXPECT_EQ(refusal(own("BGPFilter", "wide", {{"rules", json::array()}})), "");
  auto meant = pool("front", {"192.0.2.0/24"});
  meant["metadata"]["annotations"][std::string{delete_in_use}] = "true";
  EXPECT_EQ(refusal(meant), "") << "who says so may";
}

TEST(AdmissionReview, LetsThroughWhatItCannotJudge) {
  const Review review;
  for (const auto& odd : {json(), json("text"), json{{"request", "x"}}, json{{"request", {{"operation", "CONNECT"}}}},
                          json{{"request", {{"operation", "DELETE"}, {"oldObject", {{"kind", "Pod"}}}}}}})
    EXPECT_EQ(admission_review(odd, review.all, review.services)["response"]["allowed"], true) << odd;
}

}  // namespace
}  // namespace insight
