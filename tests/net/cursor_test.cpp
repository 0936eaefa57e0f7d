// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/reader.hpp"
#include "net/reconcile.hpp"
#include "net/writer.hpp"

namespace net {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Reader, ReadsBigEndianAndKnowsItsEnd) {
  const std::uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7};
  Reader in{bytes};
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607U);
  EXPECT_TRUE(in.consumed());
}

TEST(Reader, StaysFailedAfterAShortRead) {
  const std::uint8_t bytes[] = {1, 2, 3};
  Reader in{bytes};
  EXPECT_EQ(in.u32(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(in.u8(), 0);
  EXPECT_FALSE(in.consumed());
}

TEST(Reader, ChildrenAreBoundedAndInheritFailure) {
  const std::uint8_t bytes[] = {2, 0xaa, 0xbb, 9};
  Reader in{bytes};
  auto child = in.sub(in.u8());
  EXPECT_EQ(child.u16(), 0xaabb);
  EXPECT_TRUE(child.consumed());
  EXPECT_EQ(child.u8(), 0);
  EXPECT_FALSE(child.ok());
  EXPECT_TRUE(in.ok());
  auto missing = in.sub(5);
  EXPECT_FALSE(missing.ok());
  EXPECT_FALSE(in.ok());
}

TEST(Writer, PatchesNestedLengthFields) {
  std::vector<std::uint8_t> bytes;
  Writer out{bytes};
  {
    auto outer = out.length_field_u16();
    out.u8(7);
    {
      auto inner = out.length_field_u8();
      out.u32(42);
    }
  }
  EXPECT_THAT(bytes, ElementsAre(0, 6, 7, 4, 0, 0, 0, 42));
}

TEST(Reconcile, NamesOnlyTheDifference) {
  const std::map<int, char> desired{{1, 'a'}, {2, 'b'}, {4, 'd'}};
  const std::map<int, char> actual{{0, 'z'}, {1, 'a'}, {2, 'x'}, {5, 'e'}};
  const auto plan = reconcile(desired, actual);
  EXPECT_THAT(plan.set, ElementsAre(Pair(2, 'b'), Pair(4, 'd')));
  EXPECT_THAT(plan.remove, ElementsAre(0, 5));
  EXPECT_TRUE(reconcile(desired, desired).empty());
}

}  // namespace
}  // namespace net
