// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/attributes.hpp"

#include <gtest/gtest.h>

#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using Type = AsPathSegment::Type;

AsPath mixed() {
  return {{{Type::ConfedSequence, asns({64512, 64513})},
           {Type::Sequence, asns({65001, 65002, 65001})},
           {Type::Set, asns({65003, 65004})},
           {Type::ConfedSet, asns({64514})}}};
}

TEST(AnAsPath, CountsASetOnceAndAConfederationNotAtAll) {
  EXPECT_EQ(AsPath{}.length(), 0U);
  EXPECT_EQ(sequence({1, 2, 3}).length(), 3U);
  EXPECT_EQ(mixed().length(), 4U);
}

TEST(AnAsPath, BeginsWithTheNeighbour) {
  EXPECT_EQ(AsPath{}.first(), std::nullopt);
  EXPECT_EQ(sequence({7, 8}).first(), net::Asn{7});
  EXPECT_EQ(mixed().first(), net::Asn{65001});
  EXPECT_EQ((AsPath{{{Type::Set, asns({1})}, {Type::Sequence, asns({2})}}}).first(), std::nullopt);
  EXPECT_EQ((AsPath{{{Type::ConfedSequence, asns({1})}}}).first(), std::nullopt);
}

TEST(AnAsPath, EndsWithTheOrigin) {
  EXPECT_EQ(AsPath{}.origin(), std::nullopt);
  EXPECT_EQ(sequence({7, 8}).origin(), net::Asn{8});
  EXPECT_EQ(mixed().origin(), std::nullopt);
  EXPECT_EQ((AsPath{{{Type::Sequence, asns({2})}, {Type::ConfedSequence, asns({1})}}}).origin(), net::Asn{2});
}

// RFC 6811 section 2: what is of nobody else's AS is of ours.
TEST(AnAsPath, IsValidatedAsOfOurAsWhereItHasNoOther) {
  constexpr net::Asn own{64500};
  EXPECT_EQ(AsPath{}.validated_origin(own), own);
  EXPECT_EQ((AsPath{{{Type::ConfedSequence, asns({1})}}}).validated_origin(own), own);
  EXPECT_EQ((AsPath{{{Type::ConfedSet, asns({1, 2})}}}).validated_origin(own), own);
  EXPECT_EQ(sequence({7, 8}).validated_origin(own), net::Asn{8});
  EXPECT_EQ((AsPath{{{Type::ConfedSequence, asns({1})}, {Type::Sequence, asns({2})}}}).validated_origin(own),
            net::Asn{2});
  EXPECT_EQ((AsPath{{{Type::Sequence, asns({2})}, {Type::Set, asns({3})}}}).validated_origin(own), std::nullopt);
}

TEST(AnAsPath, CountsANumberInEverySegment) {
  EXPECT_EQ(mixed().count(net::Asn{65001}), 2U);
  EXPECT_EQ(mixed().count(net::Asn{64514}), 1U);
  EXPECT_TRUE(mixed().contains(net::Asn{65004}));
  EXPECT_FALSE(mixed().contains(net::Asn{65005}));
}

TEST(AnAsPath, IsPrependedInFront) {
  AsPath path;
  path.prepend(net::Asn{2});
  path.prepend(net::Asn{1}, 3);
  EXPECT_EQ(path, sequence({1, 1, 1, 2}));
  path.prepend(net::Asn{9}, 0);
  EXPECT_EQ(path, sequence({1, 1, 1, 2}));
}

TEST(AnAsPath, GetsASequenceInFrontOfASet) {
  AsPath path{{{Type::Set, asns({5})}}};
  path.prepend(net::Asn{1});
  EXPECT_EQ(path, (AsPath{{{Type::Sequence, asns({1})}, {Type::Set, asns({5})}}}));
}

TEST(AnAsPath, StartsAnotherSegmentWhenOneIsFull) {
  AsPath path{{{Type::Sequence, std::vector<net::Asn>(254, net::Asn{7})}}};
  path.prepend(net::Asn{1}, 300);
  ASSERT_EQ(path.segments.size(), 3U);
  EXPECT_EQ(path.segments[0].asns.size(), 44U);
  EXPECT_EQ(path.segments[1].asns.size(), 255U);
  EXPECT_EQ(path.segments[2].asns.size(), 255U);
  EXPECT_EQ(path.segments[2].asns.front(), net::Asn{1});
  EXPECT_EQ(path.length(), 554U);
}

}  // namespace
}  // namespace bgp
