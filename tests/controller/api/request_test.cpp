// SPDX-License-Identifier: Apache-2.0
#include "controller/api/request.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

TEST(Target, IsDecoded) {
  Request request;
  ASSERT_TRUE(set_target(request, "/api/v1/a%2Fb+c?labelSelector=a%3Db%2Cc+in+%28d%29&watch&limit=5&=x&limit=6"));
  EXPECT_EQ(request.path, "/api/v1/a/b+c");
  EXPECT_EQ(request.query.get("labelSelector"), "a=b,c in (d)");
  EXPECT_EQ(request.query.get("limit"), "5");
  EXPECT_TRUE(request.query.flag("watch"));
  EXPECT_FALSE(request.query.flag("absent"));
  EXPECT_FALSE(request.query.has("absent"));
}

TEST(Target, WithABrokenEscapeIsRefused) {
  Request request;
  for (const auto* target : {"/a%", "/a%2", "/a%zz", "/a?b=%", "/a?%4=1"}) EXPECT_FALSE(set_target(request, target));
}

}  // namespace
}  // namespace controller
