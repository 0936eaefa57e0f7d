// SPDX-License-Identifier: Apache-2.0
#include "insight/announced_status.hpp"

#include <gtest/gtest.h>

namespace insight {
namespace {

using controller::Statement;

TEST(AnnouncedCondition, SaysTheAnswer) {
  const auto yes = status_of(Announced{Announced::Status::Yes, "Announced", "192.0.2.1: by BGP from n1"});
  ASSERT_EQ(yes.conditions.size(), 1U);
  EXPECT_EQ(yes.conditions[0].type, announced_condition);
  EXPECT_EQ(yes.conditions[0].status, Statement::Status::True);
  EXPECT_EQ(yes.conditions[0].message, "192.0.2.1: by BGP from n1");
  const auto no = status_of(Announced{Announced::Status::No, "NoEndpoints", "192.0.2.1: no endpoint is ready"});
  EXPECT_EQ(no.conditions[0].status, Statement::Status::False);
  EXPECT_EQ(no.conditions[0].reason, "NoEndpoints");
}

TEST(AnnouncedCondition, GoesWhenThereIsNoAnswer) {
  EXPECT_EQ(status_of(std::nullopt).conditions.at(0).status, Statement::Status::Unsaid);
}

}  // namespace
}  // namespace insight
