// SPDX-License-Identifier: Apache-2.0
#include "bfd/sessions.hpp"

#include "tests/bfd/fixture.hpp"

namespace bfd {
namespace {

net::IpAddress ip(const char* text) {
  return *net::parse_ip(text);
}

const auto router = ip("10.0.0.1");
const auto node = ip("10.0.0.2");

Arrival single(std::uint8_t ttl = 255, std::uint32_t interface = 2) {
  return {Hops::Single, router, node, interface, ttl};
}
Arrival multi(std::uint8_t ttl) {
  return {Hops::Multi, router, node, 2, ttl};
}
Endpoint single_end(std::uint32_t interface = 0) {
  return {Hops::Single, router, std::nullopt, interface};
}
Endpoint multi_end() {
  return {Hops::Multi, router, node, 0};
}

struct Lab {
  Sessions sessions{1};
  net::TimePoint now = t0;

  SessionId add(const Endpoint& end, const SessionConfig& config = {}, std::uint8_t least = 254) {
    return sessions.add(end, config, least, now);
  }
  void hear(const Arrival& arrival, const Packet& packet) { sessions.received(arrival, bytes_of(packet), now); }
  [[nodiscard]] State state(SessionId session) const { return sessions.find(session)->state(); }
  void pass(net::Duration duration) {
    const auto end = now + duration;
    for (auto next = sessions.next_deadline(); next && *next <= end; next = sessions.next_deadline()) {
      now = std::max(now, *next);
      sessions.tick(now);
    }
    now = end;
  }
};

TEST(BfdSessions, FindsTheFirstPacketsSessionByAddress) {
  Lab lab;
  const auto one = lab.add(single_end());
  lab.hear(single(), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(one), State::Init);
  auto stranger = single();
  stranger.remote = ip("10.0.0.9");
  lab.hear(stranger, from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.sessions.discarded(Discard::NoSession), 1U);
}

TEST(BfdSessions, FindsLaterPacketsSessionByDiscriminatorAndAddress) {
  Lab lab;
  const auto one = lab.add(single_end());
  lab.hear(single(), from_neighbor(State::Init, one.value));
  EXPECT_EQ(lab.state(one), State::Up);
  lab.hear(single(), from_neighbor(State::Down, one.value + 1));
  EXPECT_EQ(lab.sessions.discarded(Discard::UnknownDiscriminator), 1U);
  auto stranger = single();
  stranger.remote = ip("10.0.0.9");
  lab.hear(stranger, from_neighbor(State::Down, one.value));
  EXPECT_EQ(lab.sessions.discarded(Discard::WrongAddress), 1U);
  EXPECT_EQ(lab.state(one), State::Up);
}

TEST(BfdSessions, KeepsTheSameAddressOnTwoLinksApart) {
  Lab lab;
  const auto two = lab.add(single_end(2));
  const auto three = lab.add(single_end(3));
  lab.hear(single(255, 3), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(two), State::Down);
  EXPECT_EQ(lab.state(three), State::Init);
  lab.hear(single(255, 2), from_neighbor(State::Init, three.value));
  EXPECT_EQ(lab.sessions.discarded(Discard::WrongAddress), 1U);
  lab.hear(single(255, 4), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.sessions.discarded(Discard::NoSession), 1U);
}

TEST(BfdSessions, KeepsSingleHopAndMultihopApart) {
  Lab lab;
  const auto one = lab.add(single_end());
  const auto many = lab.add(multi_end());
  lab.hear(multi(254), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(one), State::Down);
  EXPECT_EQ(lab.state(many), State::Init);
  lab.hear(single(), from_neighbor(State::Down, many.value));
  EXPECT_EQ(lab.sessions.discarded(Discard::WrongAddress), 1U);
}

// RFC 5881 section 5.
TEST(BfdSessions, WantsTtl255OnASingleHop) {
  Lab lab;
  const auto one = lab.add(single_end());
  for (const int ttl : {0, 1, 64, 254}) lab.hear(single(static_cast<std::uint8_t>(ttl)), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(one), State::Down);
  EXPECT_EQ(lab.sessions.discarded(Discard::BadHops), 4U);
}

TEST(BfdSessions, HoldsMultihopToItsMinimumTtl) {
  Lab lab;
  const auto many = lab.add(multi_end(), {}, 250);
  lab.hear(multi(249), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(many), State::Down);
  EXPECT_EQ(lab.sessions.discarded(Discard::BadHops), 1U);
  lab.hear(multi(250), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(many), State::Init);
  lab.sessions.configure(many, {}, 1, lab.now);
  lab.hear(multi(1), from_neighbor(State::Init, many.value));
  EXPECT_EQ(lab.state(many), State::Up);
}

TEST(BfdSessions, CountsWhatDoesNotHoldTogether) {
  Lab lab;
  lab.add(single_end());
  lab.sessions.received(single(), std::vector<std::uint8_t>(10), lab.now);
  EXPECT_EQ(lab.sessions.discarded(Discard::Short), 1U);
  auto bytes = bytes_of(from_neighbor(State::Down, 0));
  bytes[0] = 0;
  lab.sessions.received(single(), bytes, lab.now);
  EXPECT_EQ(lab.sessions.discarded(Discard::BadVersion), 1U);
}

TEST(BfdSessions, GivesEachSessionAnotherDiscriminator) {
  Lab lab;
  std::set<std::uint32_t> seen;
  for (std::uint32_t index = 1; index <= 200; ++index) seen.insert(lab.add(single_end(index)).value);
  EXPECT_EQ(seen.size(), 200U);
  EXPECT_FALSE(seen.contains(0));
  EXPECT_EQ(lab.sessions.all().size(), 200U);
}

TEST(BfdSessions, SaysGoodbyeForADetectionTime) {
  Lab lab;
  const auto one = lab.add(single_end());
  lab.hear(single(), from_neighbor(State::Init, one.value));
  (void)lab.sessions.take_actions();
  lab.sessions.remove(one, lab.now);
  EXPECT_EQ(lab.sessions.find(single_end()), std::nullopt);
  EXPECT_THAT(lab.sessions.all(), ::testing::IsEmpty());
  const auto detection = lab.sessions.find(one)->status().detection_time;
  EXPECT_EQ(detection, Milliseconds{900});
  lab.pass(detection);
  int goodbyes = 0;
  bool gone = false;
  for (const auto& action : lab.sessions.take_actions()) {
    if (std::holds_alternative<SessionGone>(action)) gone = true;
    const auto* of = std::get_if<SessionAction>(&action);
    const auto* send = of == nullptr ? nullptr : std::get_if<SendControl>(&of->action);
    if (send != nullptr && decode(send->bytes)->state == State::AdminDown) ++goodbyes;
  }
  EXPECT_GE(goodbyes, 1);
  EXPECT_TRUE(gone);
  EXPECT_EQ(lab.sessions.find(one), nullptr);
  EXPECT_EQ(lab.sessions.next_deadline(), std::nullopt);
}

TEST(BfdSessions, StartsAnewWhereOneStillSaysGoodbye) {
  Lab lab;
  const auto before = lab.add(single_end());
  lab.hear(single(), from_neighbor(State::Init, before.value));
  lab.sessions.remove(before, lab.now);
  const auto after = lab.add(single_end());
  EXPECT_NE(before, after);
  EXPECT_EQ(lab.sessions.find(before), nullptr);
  EXPECT_EQ(lab.sessions.find(single_end()), after);
  lab.hear(single(), from_neighbor(State::Down, 0));
  EXPECT_EQ(lab.state(after), State::Init);
}

TEST(BfdSessions, RunsAllDeadlinesInOrder) {
  Lab lab;
  std::vector<SessionId> all;
  for (std::uint32_t index = 1; index <= 50; ++index) all.push_back(lab.add(single_end(index)));
  lab.pass(net::Seconds{5});
  std::map<std::uint32_t, int> sent;
  for (const auto& action : lab.sessions.take_actions())
    if (const auto* of = std::get_if<SessionAction>(&action)) ++sent[of->session.value];
  for (const auto session : all) {
    EXPECT_GE(sent[session.value], 5);
    EXPECT_LE(sent[session.value], 8);
  }
}

}  // namespace
}  // namespace bfd
