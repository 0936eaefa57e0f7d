// SPDX-License-Identifier: Apache-2.0
#include "bgp/peer.hpp"

#include <gmock/gmock.h>

#include "tests/bgp/pair.hpp"

namespace bgp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using Words = std::vector<std::string>;

struct Subject {
  explicit Subject(PeerConfig config = external_config()) : peer{std::move(config), 1} {}

  Words said() {
    const auto words = say(actions);
    actions.clear();
    return words;
  }
  // The connection that the last Dial in the actions names.
  ConnectionId dialled() const {
    ConnectionId last;
    for (const auto& action : actions) {
      if (const auto* dial = std::get_if<Dial>(&action)) last = dial->connection;
    }
    return last;
  }
  void hear(ConnectionId connection, const std::vector<std::uint8_t>& bytes, net::TimePoint now = t0) {
    std::span<const std::uint8_t> input{bytes};
    while (peer.read(connection, input, now, actions)) {
    }
  }
  ConnectionId open_outgoing(net::TimePoint now = t0) {
    const auto connection = dialled();
    peer.connected(connection, transport(), now, actions);
    return connection;
  }
  ConnectionId open_incoming(net::TimePoint now = t0) { return *peer.accepted(transport(), now, actions); }

  Peer peer;
  Actions actions;
};

const auto open_bytes = encode(peer_open());
const auto keepalive = encode_keepalive();

// The neighbour has 10.0.0.2 as identifier: this one outranks it, or does not.
PeerConfig higher() {
  auto config = external_config();
  config.router_id = net::RouterId{0x0a000003};
  return config;
}
PeerConfig lower() {
  return external_config();
}

// ---- administration ---------------------------------------------------------------------------------

TEST(PeerThatIsDown, RefusesConnections) {
  Subject subject;
  const auto answer = subject.peer.accepted(transport(), t0, subject.actions);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), cease(CeaseError::ConnectionRejected));
  EXPECT_EQ(subject.peer.status().refused, 1U);
  EXPECT_EQ(subject.peer.next_deadline(), std::nullopt);
}

TEST(Peer, DialsWhenStartedAndSaysWhyItStopped) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  EXPECT_EQ(subject.peer.state(), State::Connect);
  const auto connection = subject.open_outgoing();
  subject.hear(connection, open_bytes);
  subject.hear(connection, keepalive);
  EXPECT_THAT(subject.said(), ElementsAre("Dial", "Idle>Connect", "OPEN", "Connect>OpenSent", "KEEPALIVE",
                                          "OpenSent>OpenConfirm", "OpenConfirm>Established", "Up"));
  subject.peer.stop(cease(CeaseError::AdministrativeShutdown, "bye"), t0 + net::Seconds{1}, subject.actions);
  EXPECT_THAT(subject.said(), ElementsAre("NOTIFICATION 6/2", "Hangup", "Established>Idle", "Down"));
  EXPECT_EQ(subject.peer.next_deadline(), std::nullopt);
  const auto status = subject.peer.status();
  EXPECT_EQ(status.last_reset->text, "Cease/Administrative Shutdown: bye");
  EXPECT_EQ(status.established_count, 1U);
  EXPECT_EQ(status.established_since, std::nullopt);
}

TEST(Peer, OpensAgainAtOnceAfterAnAdministrativeReset) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  const auto connection = subject.open_outgoing();
  subject.said();
  subject.peer.restart(cease(CeaseError::AdministrativeReset), t0, subject.actions);
  EXPECT_THAT(subject.said(), ElementsAre("NOTIFICATION 6/4", "Hangup", "OpenSent>Idle", "Dial", "Idle>Connect"));
  subject.peer.lost(connection, "late news", t0, subject.actions);
  EXPECT_THAT(subject.said(), IsEmpty());
}

TEST(Peer, AppliesALiveChangeWithoutTouchingTheSession) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  const auto connection = subject.open_outgoing();
  subject.hear(connection, open_bytes);
  subject.hear(connection, keepalive);
  subject.said();
  auto config = external_config();
  config.description = "spine";
  config.keepalive_time = net::Seconds{5};
  config.connect = Connect::PassiveOnly;
  EXPECT_EQ(subject.peer.reconfigure(config, t0, subject.actions), Change::Live);
  EXPECT_THAT(subject.said(), IsEmpty());
  EXPECT_LE(*subject.peer.next_deadline(), t0 + net::Seconds{5});

  config.hold_time = net::Seconds{30};
  EXPECT_EQ(subject.peer.reconfigure(config, t0, subject.actions), Change::Reopen);
  EXPECT_THAT(subject.said(), ElementsAre("NOTIFICATION 6/6", "Hangup", "Established>Idle", "Down", "Idle>Active"));
  EXPECT_EQ(subject.peer.reconfigure(config, t0, subject.actions), Change::None);
}

TEST(Peer, StopsDiallingWhenItBecomesPassiveAndDialsWhenItNoLongerIs) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  subject.said();
  auto config = external_config();
  config.connect = Connect::PassiveOnly;
  subject.peer.reconfigure(config, t0, subject.actions);
  EXPECT_THAT(subject.said(), ElementsAre("Hangup", "Connect>Idle", "Idle>Active"));
  EXPECT_EQ(subject.peer.next_deadline(), std::nullopt);
  subject.peer.reconfigure(external_config(), t0, subject.actions);
  EXPECT_THAT(subject.said(), ElementsAre("Active>Idle", "Dial", "Idle>Connect"));
}

TEST(PeerThatOnlyDials, RefusesConnections) {
  auto config = external_config();
  config.connect = Connect::ActiveOnly;
  Subject subject{config};
  subject.peer.start(t0, subject.actions);
  EXPECT_FALSE(subject.peer.accepted(transport(), t0, subject.actions));
}

// ---- failures and pauses ----------------------------------------------------------------------------

TEST(PeerAfterErrors, TriesAgainAtOnceFirstAndThenEverMoreSlowly) {
  Subject subject;
  auto now = t0;
  subject.peer.start(now, subject.actions);
  auto wrong = peer_open();
  wrong.asn = net::Asn{65099};
  wrong.capabilities.four_octet_asn = net::Asn{65099};
  for (const auto seconds : {0, 1, 2, 4, 8, 10, 10, 10, 10}) {
    subject.hear(subject.open_outgoing(now), encode(wrong), now);
    EXPECT_THAT(subject.said(), Contains("NOTIFICATION 2/2"));
    const auto pause = *subject.peer.next_deadline() - now;
    EXPECT_GE(pause, net::Milliseconds{750} * seconds);
    EXPECT_LE(pause, net::Seconds{seconds});
    EXPECT_EQ(subject.peer.status().next_attempt, subject.peer.next_deadline());
    now = *subject.peer.next_deadline();
    subject.peer.tick(now, subject.actions);
    EXPECT_EQ(subject.peer.state(), State::Connect);
  }
  EXPECT_EQ(subject.peer.status().failed_attempts, 9U);
  EXPECT_EQ(subject.peer.status().last_reset->text, "OPEN Message Error/Bad Peer AS: it says AS 65099, not 65001");
}

TEST(PeerAfterErrors, RefusesConnectionsForAFewSecondsOnly) {
  Subject subject;
  auto now = t0;
  subject.peer.start(now, subject.actions);
  for (int i = 0; i < 8; ++i) {  // the pause is ten seconds by now
    subject.hear(subject.open_outgoing(now), keepalive, now);
    if (i < 7) now = *subject.peer.next_deadline();
    if (i < 7) subject.peer.tick(now, subject.actions);
  }
  EXPECT_FALSE(subject.peer.accepted(transport(), now, subject.actions));
  EXPECT_TRUE(subject.peer.accepted(transport(), now + net::Seconds{5}, subject.actions));
}

TEST(PeerAfterErrors, StartsOverWithShortPausesOnceASessionLasted) {
  Subject subject;
  auto now = t0;
  subject.peer.start(now, subject.actions);
  for (int i = 0; i < 6; ++i) {
    subject.hear(subject.open_outgoing(now), keepalive, now);
    now = *subject.peer.next_deadline();
    subject.peer.tick(now, subject.actions);
  }
  const auto connection = subject.open_outgoing(now);
  subject.hear(connection, open_bytes, now);
  subject.hear(connection, keepalive, now);
  ASSERT_NE(subject.peer.established(), nullptr);
  now += net::Seconds{11};
  subject.peer.lost(connection, "reset", now, subject.actions);
  EXPECT_EQ(subject.peer.next_deadline(), now);
}

TEST(Peer, SaysThatNobodyAnswers) {
  for (const bool with_key : {false, true}) {
    auto config = external_config();
    if (with_key) config.password = "secret";
    Subject subject{config};
    subject.peer.start(t0, subject.actions);
    const auto again = *subject.peer.next_deadline();
    subject.actions.clear();
    subject.peer.tick(again, subject.actions);
    EXPECT_THAT(subject.said(), ElementsAre("Hangup", "Dial", "Connect>Connect"));
    EXPECT_EQ(subject.peer.status().failed_attempts, 1U);
    EXPECT_EQ(subject.peer.status().last_dial_error,
              with_key ? "no answer; are the keys the same at both ends?" : "no answer");
    EXPECT_EQ(subject.peer.status().last_dial_error_at, again);

    const auto connection = subject.peer.accepted(transport(), again, subject.actions);
    subject.hear(*connection, open_bytes, again);
    subject.hear(*connection, keepalive, again);
    EXPECT_EQ(subject.peer.status().last_dial_error, "") << "it is there by the connection that it opened";
  }
}

TEST(Peer, KeepsTheErrorOfTheLastDialApartFromTheLastReset) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  subject.peer.lost(subject.dialled(), "connection refused", t0, subject.actions);
  EXPECT_EQ(subject.peer.state(), State::Active);
  EXPECT_EQ(subject.peer.status().last_dial_error, "connection refused");
  EXPECT_EQ(subject.peer.status().last_reset, std::nullopt);
  subject.peer.tick(*subject.peer.next_deadline(), subject.actions);
  subject.open_outgoing();
  EXPECT_EQ(subject.peer.status().last_dial_error, "");
}

TEST(Peer, KeepsWhyTheLastSessionEndedOverAttemptsThatAreCutOff) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  auto connection = subject.open_outgoing();
  subject.hear(connection, open_bytes);
  subject.hear(connection, keepalive);
  subject.hear(connection, encode(cease(CeaseError::AdministrativeShutdown, "rack 4")));
  for (const auto hears_open : {false, true}) {
    const auto now = *subject.peer.next_deadline();
    subject.peer.tick(now, subject.actions);
    connection = subject.open_outgoing(now);
    if (hears_open) subject.hear(connection, open_bytes, now);
    subject.peer.lost(connection, "closed by peer", now, subject.actions);
    const auto status = subject.peer.status();
    EXPECT_EQ(status.last_dial_error, "closed by peer");
    EXPECT_EQ(status.last_reset->text, "Cease/Administrative Shutdown: rack 4");
  }
  EXPECT_EQ(subject.peer.status().failed_attempts, 2U);
}

TEST(Peer, TakesNoNoteOfAConnectionThatCameAndWentSilently) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  const auto connection = subject.open_incoming();
  subject.peer.lost(connection, "closed by peer", t0, subject.actions);
  EXPECT_EQ(subject.peer.status().last_reset, std::nullopt);
  EXPECT_TRUE(subject.peer.accepted(transport(), t0, subject.actions));
}

TEST(PeerWhoseTablesFoundAnError, ClosesWithIt) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  const auto connection = subject.open_outgoing();
  subject.hear(connection, open_bytes);
  subject.hear(connection, keepalive);
  subject.said();
  subject.peer.count_sent(MessageType::Update, 3);
  EXPECT_EQ(subject.peer.status().messages.out[2], 3U);
  subject.peer.violated(cease(CeaseError::MaximumPrefixes), t0, subject.actions);
  EXPECT_THAT(subject.said(), ElementsAre("NOTIFICATION 6/1", "Hangup", "Established>Idle", "Down"));
  EXPECT_FALSE(subject.peer.accepted(transport(), t0 - net::Seconds{1}, subject.actions));
}

// ---- collisions, RFC 4271 section 6.8 ---------------------------------------------------------------

TEST(PeerInCollision, KeepsItsOwnConnectionWhenItIsTheHigher) {
  Subject subject{higher()};
  subject.peer.start(t0, subject.actions);
  const auto outgoing = subject.open_outgoing();
  const auto incoming = subject.open_incoming();
  subject.hear(incoming, open_bytes);
  EXPECT_EQ(subject.peer.state(), State::OpenConfirm) << "its own connection may still come to nothing";
  subject.said();
  subject.hear(outgoing, open_bytes);
  EXPECT_THAT(subject.said(),
              ElementsAre("KEEPALIVE", "OpenSent>OpenConfirm", "NOTIFICATION 6/7", "Hangup", "OpenConfirm>Idle"));
  subject.hear(outgoing, keepalive);
  EXPECT_EQ(subject.peer.established()->connection(), outgoing);
  EXPECT_EQ(subject.peer.status().collisions, 1U);
  EXPECT_EQ(subject.peer.status().last_reset, std::nullopt);
}

TEST(PeerInCollision, RefusesTheOtherConnectionOnceItsOwnIsConfirmed) {
  Subject subject{higher()};
  subject.peer.start(t0, subject.actions);
  subject.hear(subject.open_outgoing(), open_bytes);
  const auto answer = subject.peer.accepted(transport(), t0, subject.actions);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), cease(CeaseError::CollisionResolution));
}

TEST(PeerInCollision, GivesItsOwnConnectionUpWhenItIsTheLower) {
  Subject subject{lower()};
  subject.peer.start(t0, subject.actions);
  subject.open_outgoing();
  const auto incoming = subject.open_incoming();
  subject.said();
  subject.hear(incoming, open_bytes);
  EXPECT_THAT(subject.said(),
              ElementsAre("KEEPALIVE", "OpenSent>OpenConfirm", "NOTIFICATION 6/7", "Hangup", "OpenSent>Idle"));
  subject.hear(incoming, keepalive);
  EXPECT_EQ(subject.peer.established()->connection(), incoming);
}

TEST(PeerInCollision, LeavesTheChoiceToTheHigherOnceBothAreConfirmed) {
  Subject subject{lower()};
  subject.peer.start(t0, subject.actions);
  const auto outgoing = subject.open_outgoing();
  const auto incoming = subject.open_incoming();
  subject.hear(outgoing, open_bytes);
  subject.hear(incoming, open_bytes);
  EXPECT_THAT(subject.said(), Not(Contains("Hangup")));
  subject.hear(outgoing, keepalive);
  EXPECT_THAT(subject.said(), ElementsAre("OpenConfirm>Established", "Up"));
  subject.hear(incoming, keepalive);  // the higher kept its own after all
  EXPECT_THAT(subject.said(),
              ElementsAre("OpenConfirm>Established", "NOTIFICATION 6/7", "Hangup", "Established>Idle", "Down", "Up"));
  EXPECT_EQ(subject.peer.established()->connection(), incoming);
}

TEST(PeerInCollision, ComparesAsNumbersWhenIdentifiersAreEqual) {  // RFC 6286
  auto config = external_config();
  config.router_id = peer_open().id;
  config.local_asn = net::Asn{65100};
  Subject subject{config};
  subject.peer.start(t0, subject.actions);
  subject.hear(subject.open_outgoing(), open_bytes);
  EXPECT_FALSE(subject.peer.accepted(transport(), t0, subject.actions)) << "65100 outranks 65001";
}

TEST(PeerInCollision, LetsAnEstablishedSessionWinAndProbesIt) {
  Subject subject{lower()};
  subject.peer.start(t0, subject.actions);
  const auto outgoing = subject.open_outgoing();
  subject.hear(outgoing, open_bytes);
  subject.hear(outgoing, keepalive);
  subject.said();
  const auto answer = subject.peer.accepted(transport(), t0, subject.actions);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error(), cease(CeaseError::CollisionResolution));
  EXPECT_THAT(subject.said(), ElementsAre("KEEPALIVE"));
}

TEST(PeerInCollision, TakesTheNewerOfTwoAcceptedConnections) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  const auto first = subject.open_incoming();
  subject.said();
  const auto second = subject.open_incoming();
  EXPECT_NE(first, second);
  EXPECT_THAT(subject.said(), ElementsAre("NOTIFICATION 6/7", "Hangup", "OpenSent>Idle", "OPEN", "Idle>OpenSent"));
}

TEST(PeerInCollision, DoesNotDialWhileAnAcceptedConnectionIsConfirmed) {
  Subject subject;
  subject.peer.start(t0, subject.actions);
  const auto incoming = subject.open_incoming();
  subject.said();
  subject.hear(incoming, open_bytes);
  EXPECT_THAT(subject.said(), ElementsAre("KEEPALIVE", "OpenSent>OpenConfirm", "Hangup", "Connect>Idle"));
  subject.peer.lost(incoming, "reset", t0, subject.actions);
  subject.peer.tick(*subject.peer.next_deadline(), subject.actions);
  EXPECT_EQ(subject.peer.state(), State::Connect);
}

// ---- two peers, one network --------------------------------------------------------------------------

PairOptions options(Connect one = Connect::Both, Connect other = Connect::Both) {
  PairOptions made;
  made.configs[0] = external_config();
  made.configs[0].connect = one;
  made.configs[1] = external_config();
  made.configs[1].local_asn = net::Asn{65001};
  made.configs[1].router_id = net::RouterId{0x0a000002};
  made.configs[1].peer_asn = {ExpectedAsn::Kind::External, {}};
  made.configs[1].connect = other;
  return made;
}

TEST(TwoPeers, ComeUpWhicheverOfThemDials) {
  using enum Connect;
  for (const auto& [one, other] : {std::pair{Both, Both},
                                   {Both, PassiveOnly},
                                   {PassiveOnly, Both},
                                   {ActiveOnly, PassiveOnly},
                                   {PassiveOnly, ActiveOnly},
                                   {Both, ActiveOnly}}) {
    Pair pair{options(one, other), 7};
    pair.start(0);
    pair.start(1);
    pair.run_until(t0 + net::Seconds{5});
    EXPECT_TRUE(pair.both_established());
    EXPECT_THAT(pair.broken, IsEmpty());
  }
}

TEST(TwoPeers, StayUpForADay) {
  Pair pair{options(), 7};
  pair.start(0);
  pair.start(1);
  pair.run_until(t0 + std::chrono::hours{24});
  EXPECT_TRUE(pair.both_established());
  EXPECT_EQ(pair.peer(0).status().established_count, 1U);
}

TEST(TwoPeers, ResolveCollisionsOfAllTimings) {
  std::uint64_t collisions = 0;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    auto made = options();
    if (seed % 3 == 0) made.longest_piece = 1;
    if (seed % 2 == 0) std::swap(made.configs[0].router_id, made.configs[1].router_id);
    Pair pair{made, seed};
    pair.start(0);
    pair.run_until(t0 + net::Milliseconds{seed % 60});
    pair.start(1);
    pair.run_until(t0 + net::Seconds{4});
    ASSERT_TRUE(pair.both_established()) << "seed " << seed;
    ASSERT_THAT(pair.broken, IsEmpty()) << "seed " << seed;
    collisions += pair.peer(0).status().collisions;
    const auto count = pair.peer(0).status().established_count + pair.peer(1).status().established_count;
    ASSERT_LE(count, 4U) << "seed " << seed;
  }
  EXPECT_GT(collisions, 300U);
}

TEST(TwoPeers, NeverCloseBothConnectionsOfACollision) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    auto made = options();
    if (seed % 2 == 0) std::swap(made.configs[0].router_id, made.configs[1].router_id);
    Pair pair{made, seed};
    pair.start(0);
    pair.start(1);
    pair.run_until(t0 + net::Seconds{4});
    ASSERT_TRUE(pair.both_established()) << "seed " << seed;
    for (const std::size_t index : {0U, 1U}) {
      ASSERT_EQ(pair.peer(index).established()->connection().serial, 1U) << "a second attempt, seed " << seed;
    }
  }
}

TEST(TwoPeers, ComeBackAfterAFailureAtEveryStep) {
  enum class Failure { Cut, CrashOne, CrashOther, PowerLoss, Stop };
  for (const auto failure : {Failure::Cut, Failure::CrashOne, Failure::CrashOther, Failure::PowerLoss, Failure::Stop}) {
    for (std::uint64_t at = 1; at < 60; ++at) {
      Pair pair{options(), at};
      pair.start(0);
      pair.start(1);
      while (pair.steps < at && pair.step(t0 + net::Seconds{200})) {
      }
      if (failure == Failure::Cut) pair.cut();
      if (failure == Failure::CrashOne) pair.crash(0, Pair::Crash::Told);
      if (failure == Failure::CrashOther) pair.crash(1, Pair::Crash::Told);
      if (failure == Failure::PowerLoss) pair.crash(0, Pair::Crash::Silent);
      if (failure == Failure::Stop) pair.stop(1), pair.start(1);
      // A dark connection is noticed by the first message on it, or by the hold time.
      pair.run_until(pair.now + net::Seconds{failure == Failure::PowerLoss ? 250 : 15});
      ASSERT_TRUE(pair.both_established()) << "failure " << static_cast<int>(failure) << " after step " << at;
      ASSERT_THAT(pair.broken, IsEmpty()) << "failure " << static_cast<int>(failure) << " after step " << at;
    }
  }
}

TEST(TwoPeers, ReplaceAStaleSessionLongBeforeItsHoldTime) {
  Pair pair{options(), 3};
  pair.start(0);
  pair.start(1);
  pair.run_until(t0 + net::Seconds{20});
  pair.crash(0, Pair::Crash::Silent);
  pair.run_until(pair.now + net::Seconds{5});
  EXPECT_TRUE(pair.both_established());
}

TEST(TwoPeers, SurviveRandomEventsAndConvergeWhenTheyEnd) {
  for (std::uint64_t seed = 0; seed < 1200; ++seed) {
    Random random{seed};
    auto made = options();
    made.longest_piece = 1 + random.next() % 64;
    Pair pair{made, seed};
    pair.start(0);
    pair.start(1);
    for (int i = 0; i < 40; ++i) {
      const auto index = random.next() % 2;
      switch (random.next() % 8) {
        case 0:
          pair.cut();
          break;
        case 1:
          pair.crash(index, random.next() % 2 == 0 ? Pair::Crash::Told : Pair::Crash::Silent);
          break;
        case 2:
          pair.stop(index);
          break;
        case 3:
          pair.start(index);
          break;
        case 4:
          pair.set_reachable(random.next() % 2 == 0);
          break;
        case 5:
          pair.peer(index).restart(cease(CeaseError::AdministrativeReset), pair.now, pair.actions());
          pair.take(index);
          break;
        case 6:
          pair.peer(index).violated(cease(CeaseError::OutOfResources), pair.now, pair.actions());
          pair.take(index);
          break;
        default:
          break;
      }
      pair.run_until(pair.now + net::Milliseconds{random.next() % 20 == 0 ? 100000 : random.next() % 400});
      ASSERT_THAT(pair.broken, IsEmpty()) << "seed " << seed;
    }
    pair.set_reachable(true);
    pair.start(0);
    pair.start(1);
    pair.run_until(pair.now + net::Seconds{300});
    ASSERT_TRUE(pair.both_established()) << "seed " << seed;
    ASSERT_THAT(pair.broken, IsEmpty()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace bgp
