// SPDX-License-Identifier: Apache-2.0
// A neighbour that sends what is as large, as long or as broken as it can be, and what becomes of the others, of the
// tables and of all who look at them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/bmp/feed.hpp"
#include "bgp/mrt/table_writer.hpp"
#include "bgp/mrt/update_log.hpp"
#include "tests/bgp/bmp/station.hpp"
#include "tests/bgp/lab.hpp"
#include "tests/bgp/wire/wire_bytes.hpp"

namespace bgp {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr WallTime noon{1764000000, 250};

SpeakerOptions with_long_messages(SpeakerOptions options) {
  options.extended_messages = true;
  return options;
}

std::vector<std::uint32_t> numbers(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> all{first};
  for (std::uint32_t i = 1; i < count; ++i) all.push_back(4200000000 + i);
  return all;
}

// AS_PATH of so many numbers, in full segments, each of `octets` octets; the first is the neighbour's.
Bytes long_path(std::size_t count, std::size_t octets) {
  Bytes value;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 255 == 0) value.insert(value.end(), {2, static_cast<std::uint8_t>(std::min<std::size_t>(255, count - i))});
    if (octets == 4) value.insert(value.end(), {0, 0});
    const auto number = i == 0 ? 65001U : 64000U + static_cast<unsigned>(i % 500);
    value.insert(value.end(), {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)});
  }
  return attribute(0x50, 2, value);
}

// ---- the others -------------------------------------------------------------------------------------------

class RouterWithAHostilePeer : public testing::Test {
 protected:
  // The messages come octet by octet, and every now and then another neighbour says something, which is heard by the
  // third before the next octet comes.
  void say_octet_by_octet(const Bytes& bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      hostile_.say({bytes[at]});
      if (at % 997 == 0) converge();
    }
    lab_.settle();
  }
  void converge() {
    const net::Prefix prefix{*net::Ipv4Prefix::make({0xac100000 + (turn_ % 4096 << 8)}, 24)};
    auto attributes = path({65002, 64000 + turn_ % 1000});
    attributes.med = ++turn_;
    talker_.announce({prefix}, attributes);
    while (lab_.router.work()) {
    }
    listener_.listen();
    ASSERT_TRUE(listener_.heard.contains(prefix)) << turn_;
    EXPECT_EQ(asns(listener_.heard[prefix])[2], asns(attributes)[1]);
    if (turn_ % 5 != 0) return;
    talker_.withdraw({prefix});
    listener_.listen();
    EXPECT_FALSE(listener_.heard.contains(prefix)) << turn_;
  }
  void expect_all_up() {
    for (const auto* speaker : {&hostile_, &talker_, &listener_}) {
      EXPECT_EQ(lab_.status(*speaker).session.state, State::Established) << speaker->options().name;
      EXPECT_FALSE(speaker->notification.has_value());
    }
  }

  Lab lab_;
  Speaker& hostile_ = lab_.add(with_long_messages(external(1)));
  Speaker& talker_ = lab_.add(external(2));
  Speaker& listener_ = lab_.add(with_long_messages(external(3)));
  std::uint32_t turn_ = 0;
};

TEST_F(RouterWithAHostilePeer, ServesTheOthersWhileMessagesOf64KiBComeOctetByOctet) {
  lab_.establish();
  const auto sized = [](const Bytes& content) {
    auto bytes = message(2, content);
    EXPECT_LE(bytes.size(), max_extended_message_size);
    EXPECT_GT(bytes.size(), max_extended_message_size - 300);
    return bytes;
  };
  // As many prefixes as there is room for.
  Bytes many;
  for (unsigned i = 0; i < 13090; ++i)
    for (const unsigned octet : {32U, 10U, 1U, i >> 8, i & 0xff}) many.push_back(static_cast<std::uint8_t>(octet));
  say_octet_by_octet(sized(body({}, mandatory, many)));
  EXPECT_EQ(lab_.status(hostile_).ipv4.received, 13090U);
  EXPECT_GT(listener_.heard.size(), 13090U);
  say_octet_by_octet(sized(body(many, {}, {})));
  EXPECT_EQ(lab_.status(hostile_).ipv4.received, 0U);
  // One prefix with attributes as large as they may be: a path, and one that nobody knows.
  say_octet_by_octet(sized(body({}, join({origin, long_path(16300, 4), next_hop}), nlri4)));
  EXPECT_EQ(lab_.status(hostile_).ipv4.received, 1U);
  say_octet_by_octet(sized(body({}, join({mandatory, attribute(0xf0, 99, Bytes(65400, 7))}), nlri4)));
  EXPECT_EQ(lab_.status(hostile_).ipv4.received, 1U);
  EXPECT_GT(turn_, 200U);
  expect_all_up();
  // What was said meanwhile is what is there now.
  EXPECT_EQ(lab_.status(talker_).ipv4.received, lab_.status(listener_).ipv4.advertised - 1);
}

TEST_F(RouterWithAHostilePeer, ServesTheOthersWhenALongMessageEndsInAReset) {
  lab_.establish();
  hostile_.announce({pfx("10.9.0.0/16")}, path({65001}));
  lab_.settle();
  EXPECT_TRUE(listener_.heard.contains(pfx("10.9.0.0/16")));
  Bytes broken(65000, 0);
  broken.push_back(33);  // a prefix of 33 bits behind very many default routes
  const auto bytes = message(2, body({}, mandatory, broken));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    hostile_.say({bytes[at]});
    if (at % 997 == 0) converge();
  }
  lab_.settle();
  const auto closed = lab_.taken<CloseLink>();
  ASSERT_THAT(closed, SizeIs(1));
  EXPECT_EQ(closed[0].link, *hostile_.link());
  EXPECT_FALSE(listener_.heard.contains(pfx("10.9.0.0/16")));
  EXPECT_EQ(lab_.status(talker_).session.state, State::Established);
  EXPECT_EQ(lab_.status(listener_).session.state, State::Established);
  converge();
}

// Outbound route filters (RFC 5291) are not offered, and a request that carries some is one for all.
TEST_F(RouterWithAHostilePeer, AnswersRequestsWithFiltersWellFormedOrNot) {
  lab_.establish();
  for (unsigned i = 0; i < 50; ++i) talker_.announce({pfx("10.2." + std::to_string(i) + ".0/24")}, path({65002}));
  lab_.settle();
  const auto heard = hostile_.heard;
  const auto whole = hex("0001 00 01 01 40 0009 00 00000001 00 20 10 0a01");
  const auto lies = hex("0001 00 01 02 40 ffff 00 00000001 00 20 ff");
  const auto bare = hex("0001 00 01");
  for (const auto& request : {whole, lies, hex("0001 00 01 01"), bare, lies, whole, bare}) {
    hostile_.heard.clear();
    hostile_.say(message(5, request));
    lab_.settle();
    EXPECT_EQ(hostile_.heard, heard);
  }
  expect_all_up();
}

// A connection for a neighbour that is down by configuration is refused, and what still comes of it is nobody's.
TEST_F(RouterWithAHostilePeer, RefusesAConnectionWhileItIsShutDown) {
  lab_.establish();
  const auto link = *hostile_.link();
  lab_.config(hostile_).shutdown = "maintenance";
  lab_.configure();
  lab_.settle();
  EXPECT_FALSE(hostile_.establish());
  lab_.router.received(link, message(2, body({}, mandatory, nlri4)), start_time);
  lab_.router.lost(link, "closed by peer", start_time);
  std::vector<std::uint8_t> bytes;
  EXPECT_FALSE(lab_.router.pull(link, bytes, 4096));
  EXPECT_THAT(bytes, IsEmpty());
  lab_.settle();
  EXPECT_EQ(lab_.router.table().ipv4_paths, 0U);
  converge();
}

// ---- long paths -------------------------------------------------------------------------------------------

net::AsPathPattern pattern(std::string_view text) {
  return net::parse_as_path_pattern(text).value();
}

Filter rejecting(const std::string& name, const RuleMatch& match) {
  auto rejects = rule(name, RuleAction::Reject);
  rejects.match = match;
  return {.name = name, .rules = {rejects}};
}

class RouteWithALongPath : public testing::Test {
 protected:
  ~RouteWithALongPath() override {
    lab_.router.observe(nullptr);
    EXPECT_THAT(station_.complaints, IsEmpty());
  }

  void establish() {
    lab_.establish();
    feed_.set_time(noon);
    feed_.open();
    lab_.router.observe(&feed_);
    station_.take(feed_);
  }
  void settle() {
    lab_.settle();
    station_.take(feed_);
  }
  std::vector<RouteRow> held(const Speaker& speaker) {
    std::vector<RouteRow> rows;
    TableCursor cursor;
    while (!cursor.done())
      lab_.router.walk_in(lab_.id(speaker), cursor, 100, [&](const RouteRow& row) { rows.push_back(row); });
    return rows;
  }

  const net::Prefix route_ = pfx("203.0.113.0/24");
  Lab lab_;
  Speaker& sender_ = lab_.add(with_long_messages(external(1)));
  Speaker& other_ = lab_.add(external(2));
  Speaker& listener_ = lab_.add(with_long_messages(external(3)));
  Speaker& inside_ = lab_.add(with_long_messages(internal(4)));
  bmp::Feed feed_{lab_.router,
                  {.pre_policy = true,
                   .post_policy = true,
                   .adj_rib_out = true,
                   .loc_rib = true,
                   .malformed = true,
                   .system_name = "r1",
                   .system_description = "Herald"}};
  bmp::TestStation station_;
};

TEST_F(RouteWithALongPath, Of750NumbersGoesEverywhereWhole) {
  establish();
  const auto long_one = numbers(65001, 750);
  sender_.announce({route_}, path(long_one));
  settle();
  auto outside = long_one;
  outside.insert(outside.begin(), 65000);
  EXPECT_EQ(asns(listener_.heard[route_]), outside);
  EXPECT_EQ(asns(inside_.heard[route_]), long_one);
  const auto rows = held(sender_);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_TRUE(rows[0].best);
  EXPECT_EQ(asns(rows[0].attributes), long_one);
  const auto& address = sender_.options().address;
  for (const auto* view : {"pre", "post"}) {
    EXPECT_EQ(asns(station_.table(view, address).at({route_, 0})), long_one) << view;
  }
  EXPECT_EQ(asns(station_.table("loc").at({route_, 0})), long_one);
  EXPECT_EQ(asns(station_.table("out", listener_.options().address).at({route_, 0})), outside);

  // One number less is the better path, and the one with fewer wins again when that goes.
  auto shorter = numbers(65002, 749);
  other_.announce({route_}, path(shorter));
  settle();
  EXPECT_EQ(lab_.best_reason("203.0.113.0/24"), "e2: AS Path");
  EXPECT_EQ(asns(inside_.heard[route_]), shorter);
  shorter.resize(2);
  other_.announce({route_}, path(numbers(65002, 751)));
  settle();
  EXPECT_EQ(lab_.best_reason("203.0.113.0/24"), "e1: AS Path");
  EXPECT_EQ(asns(station_.table("loc").at({route_, 0})), long_one);
}

TEST_F(RouteWithALongPath, IsJudgedByFiltersToItsLastNumber) {
  RuleMatch last;
  last.as_path = {pattern("^65001(_[0-9]+)+_4200000749$")};
  RuleMatch length;
  length.as_path_min_length = 752;
  RuleMatch origin_as;
  origin_as.origin_as = {net::Asn{4200000750}};
  lab_.config(sender_).import = {rejecting("last", last), rejecting("length", length), rejecting("origin", origin_as),
                                 accept_all()};
  lab_.config(sender_).rejected = Kept::Yes;
  establish();
  for (const auto& [count, why] :
       {std::pair{749U, ""}, std::pair{750U, "filter last, rule last"}, std::pair{751U, "filter origin, rule origin"},
        std::pair{752U, "filter length, rule length"}}) {
    sender_.announce({route_}, path(numbers(65001, count)));
    settle();
    const auto rows = held(sender_);
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].rejected, *why != 0) << count;
    if (*why != 0) {
      EXPECT_EQ(rows[0].reason, why);
    }
    EXPECT_EQ(rows[0].attributes.as_path.length(), count);
    EXPECT_EQ(station_.table("post", sender_.options().address).size(), *why == 0 ? 1U : 0U) << count;
  }
}

// As many numbers as a message holds: patterns, rows, stations and files take them all.
TEST_F(RouteWithALongPath, OfThousandsOfNumbersIsJudgedShownAndWritten) {
  RuleMatch match;
  match.as_path = {pattern("^(_65001_)(_[0-9]+_)*_1$"), pattern("(6400[0-9]_)+(64[1-9][0-9][0-9]_)*$"),
                   pattern("^65001(_64[0-9]+)*_65001$")};
  auto marks = rule("marks", RuleAction::Next);
  marks.match.as_path = {pattern("^65001(_64[0-9][0-9][0-9])+$")};
  marks.set.add_communities = {Community{0xfde80001}};
  lab_.config(sender_).import = {rejecting("odd", match), {.name = "marks", .rules = {marks}}, accept_all()};
  establish();
  for (const std::size_t count : {2048U, 2049U, 8000U, 16000U}) {
    const auto section = join({origin, long_path(count, 4), next_hop});
    sender_.say(message(2, body({}, section, nlri4)));
    settle();
    const auto rows = held(sender_);
    ASSERT_THAT(rows, SizeIs(1));
    EXPECT_EQ(rows[0].attributes.as_path.length(), count);
    EXPECT_EQ(rows[0].attributes.communities, std::vector{Community{0xfde80001}}) << count;
    const auto& views = station_.table("pre", sender_.options().address);
    EXPECT_EQ(views.at({pfx("192.0.2.0/24"), 0}).as_path.length(), count);
    EXPECT_EQ(station_.table("loc").at({pfx("192.0.2.0/24"), 0}).as_path.length(), count);
    EXPECT_EQ(listener_.heard.at(pfx("192.0.2.0/24")).as_path.length(), count + 1);

    mrt::TableWriter writer{lab_.router, noon, start_time};
    Bytes file;
    while (writer.next(file, 10)) {
    }
    std::size_t found = 0;
    for (std::span<const std::uint8_t> rest{file}; !rest.empty();) {
      const auto length = mrt::record_length(rest.first<mrt::header_size>()).value();
      const auto record = mrt::decode(rest.first(length)).value();
      if (const auto* rib = std::get_if<mrt::Rib>(&record.content)) {
        ASSERT_THAT(rib->entries, SizeIs(1));
        const auto written = mrt::decode_attributes(rib->entries[0].attributes, AsnWidth::FourOctets);
        ASSERT_TRUE(written.has_value());
        EXPECT_EQ(written->as_path.length(), count);
        ++found;
      }
      rest = rest.subspan(length);
    }
    EXPECT_EQ(found, 1U);
  }
}

// The log of what neighbours say takes a message of the largest size as it came.
TEST(MrtLogOfAHostilePeer, HoldsMessagesOf64KiB) {
  Lab lab;
  auto& sender = lab.add(with_long_messages(external(1)));
  lab.establish();
  mrt::UpdateLog log{lab.router};
  log.set_time(noon);
  lab.router.observe(&log);
  const auto bytes = message(2, body({}, join({origin, long_path(16300, 4), next_hop}), nlri4));
  sender.say(bytes);
  lab.router.observe(nullptr);
  const auto file = log.take();
  ASSERT_GE(file.size(), mrt::header_size);
  const auto length = mrt::record_length(std::span{file}.first<mrt::header_size>());
  ASSERT_TRUE(length.has_value());
  ASSERT_EQ(*length, file.size());
  const auto record = mrt::decode(file);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(std::get<mrt::BgpMessage>(record->content).message, bytes);
}

// Two octets a number on the wire are four in the tables, and there the path is longer than any attribute may be:
// nobody can be told of it, so it is no route.
TEST(TwoOctetPathThatFillsAMessage, IsRejected) {
  Lab lab;
  auto old = with_long_messages(external(1));
  old.asn_width = AsnWidth::TwoOctets;
  auto& sender = lab.add(old);
  lab.config(sender).rejected = Kept::Yes;
  auto& listener = lab.add(with_long_messages(external(2)));
  lab.establish();
  sender.say(message(2, body({}, join({origin, long_path(100, 2), next_hop}), nlri4)));
  lab.settle();
  EXPECT_THAT(listener.heard, SizeIs(1));
  sender.say(message(2, body({}, join({origin, long_path(20000, 2), next_hop}), nlri4)));
  lab.settle();
  EXPECT_THAT(listener.heard, IsEmpty());
  EXPECT_EQ(lab.status(sender).ipv4.filtered, 1U);
  EXPECT_EQ(lab.status(sender).session.established_count, 1U);
}

// The same where a filter puts numbers in front.
TEST(PathThatAFilterMakesLongerThanAMessage, IsRejected) {
  Lab lab;
  auto& sender = lab.add(with_long_messages(external(1)));
  auto& listener = lab.add(with_long_messages(external(2)));
  auto prepends = rule("prepends", RuleAction::Accept);
  prepends.set.prepend = 200;
  lab.config(sender).import = {{.name = "prepends", .rules = {prepends}}};
  lab.establish();
  sender.say(message(2, body({}, join({origin, long_path(15000, 4), next_hop}), nlri4)));
  lab.settle();
  EXPECT_THAT(listener.heard, SizeIs(1));
  sender.say(message(2, body({}, join({origin, long_path(16300, 4), next_hop}), nlri4)));
  lab.settle();
  EXPECT_THAT(listener.heard, IsEmpty());
  EXPECT_EQ(lab.status(sender).ipv4.filtered, 1U);
}

}  // namespace
}  // namespace bgp
