// SPDX-License-Identifier: Apache-2.0
// RFC 8654 section 4: a route that fits into the messages of one neighbour and not into those of another is told to
// the first and withdrawn from the second.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/wire/notification.hpp"
#include "tests/bgp/lab.hpp"

namespace bgp {
namespace {

using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr auto too_small = "attributes do not fit into a message";

SpeakerOptions with_long_messages(SpeakerOptions options) {
  options.extended_messages = true;
  return options;
}

// A route whose attributes are as large as one that nobody here knows.
PathAttributes with_opaque(std::size_t octets, std::vector<std::uint32_t> numbers = {65001}) {
  auto attributes = path(std::move(numbers));
  attributes.unknown = {{flag_optional | flag_transitive | flag_partial, 99, std::vector<std::uint8_t>(octets, 1)}};
  return attributes;
}

class RouteThatOutgrowsANeighbor : public testing::Test {
 protected:
  RouteThatOutgrowsANeighbor() { lab_.establish(); }

  std::string told(const Speaker& speaker, std::string_view prefix) {
    for (const auto& each : lab_.router.explain(pfx(prefix)).exports) {
      if (each.peer == speaker.options().name) return (each.sent ? "" : "not ") + each.reason;
    }
    return "nothing";
  }
  std::vector<net::Prefix> shown_as_told(const Speaker& speaker) {
    std::vector<net::Prefix> all;
    TableCursor cursor;
    while (!cursor.done())
      lab_.router.walk_out(lab_.id(speaker), cursor, 100, [&](const RouteRow& row) { all.push_back(row.prefix); });
    return all;
  }

  Lab lab_;
  Speaker& sender_ = lab_.add(with_long_messages(external(1)));
  Speaker& small_ = lab_.add(external(2));
  Speaker& large_ = lab_.add(with_long_messages(external(3)));
};

TEST_F(RouteThatOutgrowsANeighbor, IsWithdrawnFromItAndStaysWithTheOthers) {
  const std::vector routes{pfx("203.0.113.0/24"), pfx("2001:db8:1::/48")};
  sender_.announce(routes, with_opaque(100));
  lab_.settle();
  EXPECT_THAT(small_.heard, SizeIs(2));
  EXPECT_THAT(large_.heard, SizeIs(2));

  sender_.announce(routes, with_opaque(5000));
  lab_.settle();
  EXPECT_THAT(small_.heard, IsEmpty());
  ASSERT_THAT(large_.heard, SizeIs(2));
  for (const auto& route : routes) {
    ASSERT_THAT(large_.heard[route].unknown, SizeIs(1));
    EXPECT_THAT(large_.heard[route].unknown[0].value, SizeIs(5000));
    EXPECT_EQ(told(small_, net::print(route)), std::string{"not "} + too_small);
    EXPECT_EQ(told(large_, net::print(route)), "sent");
  }
  EXPECT_EQ(lab_.status(small_).ipv4.advertised + lab_.status(small_).ipv6.advertised, 0U);
  EXPECT_EQ(lab_.status(large_).ipv4.advertised + lab_.status(large_).ipv6.advertised, 2U);
  EXPECT_THAT(shown_as_told(small_), IsEmpty());
  EXPECT_THAT(shown_as_told(large_), SizeIs(2));
  EXPECT_EQ(lab_.status(small_).session.state, State::Established);

  // A withdrawal of what the neighbour does not have says nothing to it.
  const auto before = small_.updates;
  sender_.withdraw(routes);
  lab_.settle();
  EXPECT_THAT(large_.heard, IsEmpty());
  EXPECT_EQ(small_.updates, before);
}

TEST_F(RouteThatOutgrowsANeighbor, IsToldAgainWhenItFits) {
  sender_.announce({pfx("203.0.113.0/24")}, with_opaque(60000));
  lab_.settle();
  EXPECT_THAT(small_.heard, IsEmpty());
  EXPECT_THAT(large_.heard, SizeIs(1));
  sender_.announce({pfx("203.0.113.0/24")}, with_opaque(200));
  lab_.settle();
  EXPECT_THAT(small_.heard, SizeIs(1));
  EXPECT_EQ(told(small_, "203.0.113.0/24"), "sent");
}

TEST_F(RouteThatOutgrowsANeighbor, IsNoneAsLongAsItsMessageHas4096Octets) {
  std::size_t fitted = 0;
  std::size_t outgrown = 0;
  for (std::size_t octets = 4020; octets < 4060; ++octets) {
    large_.recorded.clear();
    large_.record = true;
    sender_.announce({pfx("203.0.113.7/32")}, with_opaque(octets));
    lab_.settle();
    const auto header = decode_header(large_.recorded, max_extended_message_size);
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->length, large_.recorded.size());
    const bool fits = header->length <= max_message_size;
    EXPECT_EQ(small_.heard.size(), fits ? 1U : 0U) << header->length;
    ++(fits ? fitted : outgrown);
  }
  EXPECT_GT(fitted, 5U);
  EXPECT_GT(outgrown, 5U);
}

TEST_F(RouteThatOutgrowsANeighbor, IsToldAnewToOneThatAsksWithLongMessagesAfterAll) {
  sender_.announce({pfx("203.0.113.0/24")}, with_opaque(5000));
  lab_.settle();
  EXPECT_THAT(small_.heard, IsEmpty());
  small_.hang_up();
  small_.options().extended_messages = true;
  ASSERT_TRUE(small_.establish());
  lab_.settle();
  EXPECT_THAT(small_.heard, SizeIs(1));
}

TEST_F(RouteThatOutgrowsANeighbor, MayBeOneOfThisRouter) {
  LocalRoute local{{Announcement{}}};
  lab_.router.set_local(pfx("198.51.100.0/24"), local);
  lab_.settle();
  EXPECT_THAT(small_.heard, SizeIs(1));
  for (std::uint32_t i = 0; i < 1100; ++i) local.announcements[0].communities.push_back({0xfde80000 + i});
  lab_.router.set_local(pfx("198.51.100.0/24"), local);
  lab_.settle();
  EXPECT_THAT(small_.heard, IsEmpty());
  ASSERT_THAT(large_.heard, SizeIs(1));
  EXPECT_THAT(large_.heard[pfx("198.51.100.0/24")].communities, SizeIs(1100));
  EXPECT_EQ(told(small_, "198.51.100.0/24"), std::string{"not "} + too_small);
}

TEST_F(RouteThatOutgrowsANeighbor, MayDoSoByWhatAFilterAdds) {
  auto adds = rule("adds", RuleAction::Accept);
  for (std::uint32_t i = 0; i < 200; ++i) adds.set.add_communities.push_back({0xfde80000 + i});
  lab_.config(small_).export_filter = FilterChain{{.name = "edge", .rules = {adds}}};
  lab_.configure();
  lab_.settle();
  sender_.announce({pfx("203.0.113.0/24")}, with_opaque(3000));
  lab_.settle();
  ASSERT_THAT(small_.heard, SizeIs(1));
  EXPECT_THAT(small_.heard[pfx("203.0.113.0/24")].communities, SizeIs(200));
  sender_.announce({pfx("203.0.113.0/24")}, with_opaque(3500));
  lab_.settle();
  EXPECT_THAT(small_.heard, IsEmpty());
  EXPECT_THAT(large_.heard, SizeIs(1));
  EXPECT_EQ(told(small_, "203.0.113.0/24"), std::string{"not "} + too_small);
}

// For a peer of two octets AS4_PATH comes on top, which holds the whole path once more (RFC 6793 section 4.2.2).
TEST(RouteThatOutgrowsATwoOctetNeighbor, IsWithdrawnFromIt) {
  Lab lab;
  auto& sender = lab.add(external(1));
  auto old_options = external(2);
  old_options.asn_width = AsnWidth::TwoOctets;
  auto& old = lab.add(old_options);
  auto& other = lab.add(external(3));
  lab.establish();
  const auto route = pfx("203.0.113.0/24");
  sender.announce({route}, path({65001, 4200000000}));
  lab.settle();
  EXPECT_THAT(old.heard, SizeIs(1));

  std::vector<std::uint32_t> numbers{65001};
  for (std::uint32_t i = 0; i < 700; ++i) numbers.push_back(4200000000 + i);
  sender.announce({route}, path(numbers));
  lab.settle();
  EXPECT_THAT(other.heard, SizeIs(1));
  EXPECT_EQ(asns(other.heard[route]).size(), 702U);
  EXPECT_THAT(old.heard, IsEmpty());
  EXPECT_EQ(lab.status(old).ipv4.advertised, 0U);
  for (const auto& each : lab.router.explain(route).exports) {
    if (each.peer != old.options().name) continue;
    EXPECT_FALSE(each.sent);
    EXPECT_EQ(each.reason, too_small);
  }
}

// Each of several paths is judged by itself (RFC 7911).
TEST(RouteThatOutgrowsANeighborOfSeveralPaths, LeavesItTheOthers) {
  Lab lab;
  auto& best = lab.add(with_long_messages(external(1)));
  auto& second = lab.add(external(2));
  auto options = external(3);
  options.hears_ids = {true, true};
  auto& small = lab.add(options);
  lab.config(small).session.add_path.send = 2;
  lab.establish();
  const auto route = pfx("203.0.113.0/24");
  best.announce({route}, with_opaque(10));
  second.announce({route}, with_opaque(10, {65002, 65009}));
  lab.settle();
  EXPECT_THAT(small.heard_paths, UnorderedElementsAre(Key(std::pair{route, 1U}), Key(std::pair{route, 2U})));
  best.announce({route}, with_opaque(5000));
  lab.settle();
  EXPECT_THAT(small.heard_paths, UnorderedElementsAre(Key(std::pair{route, 2U})));
}

}  // namespace
}  // namespace bgp
