// SPDX-License-Identifier: Apache-2.0
#include "ctl/kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/commands.hpp"

namespace ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal(const std::vector<std::string>& words) {
  try {
    (void)targets_of(words);
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code, 2);
    return failure.what();
  }
  return "";
}

// "bgppeer:tor1,tor2 service:"
std::string printed(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& target : targets_of(words)) {
    out += (out.empty() ? "" : " ") + std::string{target.kind->singular} + ":";
    for (const auto& name : target.names) out += (out.back() == ':' ? "" : ",") + name;
  }
  return out;
}

TEST(Targets, AreAKindOrSomeOfItsObjects) {
  EXPECT_EQ(printed({"pools"}), "ipaddresspool:");
  EXPECT_EQ(printed({"pool", "web", "lan"}), "ipaddresspool:web,lan");
}

TEST(Targets, AreSeveralKinds) {
  EXPECT_EQ(printed({"peers,filters,svc"}), "bgppeer: bgpfilter: service:");
}

TEST(Targets, AreNamedWithTheirKind) {
  EXPECT_EQ(printed({"peer/tor1", "peer/tor2", "svc/shop", "peer/tor3"}),
            "bgppeer:tor1,tor2 service:shop bgppeer:tor3");
}

TEST(Targets, AllIsWhatPeopleWrite) {
  const auto all = printed({"all"});
  EXPECT_THAT(all, HasSubstr("bgppeer:"));
  EXPECT_THAT(all, HasSubstr("service:"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("secret")));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("speakerstate")));
}

TEST(Targets, OfUnknownKindsAreRefusedWithTheNearestOne) {
  EXPECT_EQ(refusal({"peerz"}), "there is no kind \"peerz\"; did you mean peer?");
  EXPECT_EQ(refusal({"pools,servces"}), "there is no kind \"servces\"; did you mean services?");
  EXPECT_THAT(refusal({"gateways"}), HasSubstr("there are ipaddresspools (pool), communities"));
  EXPECT_THAT(refusal({"pools,"}), HasSubstr("there is no kind \"\""));
}

TEST(Targets, ThatMixTheFormsAreRefused) {
  EXPECT_EQ(refusal({"pool/web", "lan"}), "\"lan\": must be KIND/NAME, like the others");
  EXPECT_EQ(refusal({"pool/"}), "\"pool/\": must be KIND/NAME, like the others");
  EXPECT_EQ(refusal({"pools,peers", "web"}), "names can only be given for one kind");
  EXPECT_EQ(refusal({}), "a KIND is needed");
}

}  // namespace
}  // namespace ctl
