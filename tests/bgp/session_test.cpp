// SPDX-License-Identifier: Apache-2.0
#include "bgp/session.hpp"

#include <map>

#include <gmock/gmock.h>

#include "tests/bgp/session_fixture.hpp"

namespace bgp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Words = std::vector<std::string>;

// A session with the calls that tests make, and everything it said since the last look.
struct Subject {
  explicit Subject(Side side = Side::Outgoing, PeerConfig with = external_config())
      : config{std::move(with)}, session{side, config, 1} {}
  Subject(const Subject&) = delete;

  Words on(const Event& event, net::TimePoint now = t0) {
    actions.clear();
    session.handle(event, now, actions);
    return say(actions);
  }
  Words at(net::TimePoint now) {
    actions.clear();
    session.tick(now, actions);
    return say(actions);
  }
  Words hear(const std::vector<std::uint8_t>& bytes, net::TimePoint now = t0) {
    actions.clear();
    route_messages = 0;
    std::span<const std::uint8_t> input{bytes};
    while (!input.empty()) {
      const auto before = session.state();
      if (session.read(input, now, actions)) {
        ++route_messages;
      } else if (session.state() == before) {
        break;
      }
    }
    EXPECT_TRUE(input.empty());
    return say(actions);
  }
  std::optional<ResetReason> reason() const {
    for (const auto& action : actions) {
      if (const auto* moved = std::get_if<Moved>(&action)) return moved->reason;
    }
    return std::nullopt;
  }
  void bring_to(State state) {
    on(Start{});
    if (state == State::Active) on(ConnectionLost{"refused"});
    if (state >= State::OpenSent) on(Connected{transport()});
    if (state >= State::OpenConfirm) on(peer_open());
    if (state == State::Established) on(KeepaliveReceived{});
    actions.clear();
    ASSERT_EQ(session.state(), state);
  }

  PeerConfig config;
  Session session;
  Actions actions;
  int route_messages = 0;
};

std::vector<std::uint8_t> message(MessageType type, const std::vector<std::uint8_t>& body) {
  std::vector<std::uint8_t> bytes(16, 0xff);
  const auto length = header_size + body.size();
  bytes.push_back(static_cast<std::uint8_t>(length >> 8));
  bytes.push_back(static_cast<std::uint8_t>(length));
  bytes.push_back(static_cast<std::uint8_t>(type));
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

std::vector<std::uint8_t> operator+(std::vector<std::uint8_t> one, const std::vector<std::uint8_t>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

const auto end_of_rib = message(MessageType::Update, {0, 0, 0, 0});

// ---- every state × event ----------------------------------------------------------------------------

struct Row {
  State state;
  const char* event_name;
  Event event;
  Words words;
};

std::vector<Row> table() {
  const auto admin = cease(CeaseError::AdministrativeShutdown);
  const Event start = Start{};
  const Event stop = Stop{admin};
  const Event connected = Connected{transport()};
  const Event lost = ConnectionLost{"reset"};
  const Event retry = Expired{Timer::ConnectRetry};
  const Event hold = Expired{Timer::Hold};
  const Event keep = Expired{Timer::Keepalive};
  const Event send_hold = Expired{Timer::SendHold};
  const Event open = peer_open();
  const Event keepalive = KeepaliveReceived{};
  const Event update = UpdateReceived{};
  const Event refresh = RefreshReceived{};
  const Event notification = hold_timer_expired();
  const Event violation = Violation{header_error(HeaderError::BadType)};
  const Event abandoned = Abandoned{{ResetReason::By::Transport, std::nullopt, "replaced"}};
  using enum State;
  return {
      {Connect, "start", start, {}},
      {Connect, "stop", stop, {"Hangup", "Connect>Idle"}},
      {Connect, "connected", connected, {"OPEN", "Connect>OpenSent"}},
      {Connect, "lost", lost, {"Connect>Active"}},
      {Connect, "retry", retry, {"Hangup", "Dial"}},
      {Connect, "open", open, {"Hangup", "Connect>Idle"}},
      {Connect, "keepalive", keepalive, {"Hangup", "Connect>Idle"}},
      {Connect, "update", update, {"Hangup", "Connect>Idle"}},
      {Connect, "refresh", refresh, {"Hangup", "Connect>Idle"}},
      {Connect, "notification", notification, {"Hangup", "Connect>Idle"}},
      {Connect, "violation", violation, {"Hangup", "Connect>Idle"}},
      {Connect, "abandoned", abandoned, {"Hangup", "Connect>Idle"}},

      {Active, "start", start, {}},
      {Active, "stop", stop, {"Active>Idle"}},
      {Active, "connected", connected, {}},
      {Active, "lost", lost, {}},
      {Active, "retry", retry, {"Dial", "Active>Connect"}},
      {Active, "open", open, {}},
      {Active, "keepalive", keepalive, {}},
      {Active, "update", update, {}},
      {Active, "refresh", refresh, {}},
      {Active, "notification", notification, {}},
      {Active, "violation", violation, {}},
      {Active, "abandoned", abandoned, {}},

      {OpenSent, "start", start, {}},
      {OpenSent, "stop", stop, {"NOTIFICATION 6/2", "Hangup", "OpenSent>Idle"}},
      {OpenSent, "connected", connected, {}},
      {OpenSent, "lost", lost, {"OpenSent>Active"}},
      {OpenSent, "hold", hold, {"NOTIFICATION 4/0", "Hangup", "OpenSent>Idle"}},
      {OpenSent, "open", open, {"KEEPALIVE", "OpenSent>OpenConfirm"}},
      {OpenSent, "keepalive", keepalive, {"NOTIFICATION 5/1", "Hangup", "OpenSent>Idle"}},
      {OpenSent, "update", update, {"NOTIFICATION 5/1", "Hangup", "OpenSent>Idle"}},
      {OpenSent, "refresh", refresh, {"NOTIFICATION 5/1", "Hangup", "OpenSent>Idle"}},
      {OpenSent, "notification", notification, {"Hangup", "OpenSent>Idle"}},
      {OpenSent, "violation", violation, {"NOTIFICATION 1/3", "Hangup", "OpenSent>Idle"}},
      {OpenSent, "abandoned", abandoned, {"Hangup", "OpenSent>Idle"}},

      {OpenConfirm, "start", start, {}},
      {OpenConfirm, "stop", stop, {"NOTIFICATION 6/2", "Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "connected", connected, {}},
      {OpenConfirm, "lost", lost, {"OpenConfirm>Idle"}},
      {OpenConfirm, "hold", hold, {"NOTIFICATION 4/0", "Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "keepalive timer", keep, {"KEEPALIVE"}},
      {OpenConfirm, "open", open, {"NOTIFICATION 5/2", "Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "keepalive", keepalive, {"OpenConfirm>Established"}},
      {OpenConfirm, "update", update, {"NOTIFICATION 5/2", "Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "refresh", refresh, {"NOTIFICATION 5/2", "Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "notification", notification, {"Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "violation", violation, {"NOTIFICATION 1/3", "Hangup", "OpenConfirm>Idle"}},
      {OpenConfirm, "abandoned", abandoned, {"Hangup", "OpenConfirm>Idle"}},

      {Established, "start", start, {}},
      {Established, "stop", stop, {"NOTIFICATION 6/2", "Hangup", "Established>Idle"}},
      {Established, "connected", connected, {}},
      {Established, "lost", lost, {"Established>Idle"}},
      {Established, "hold", hold, {"NOTIFICATION 4/0", "Hangup", "Established>Idle"}},
      {Established, "keepalive timer", keep, {"KEEPALIVE"}},
      {Established, "send hold", send_hold, {"NOTIFICATION 8/0", "Hangup", "Established>Idle"}},
      {Established, "open", open, {"NOTIFICATION 5/3", "Hangup", "Established>Idle"}},
      {Established, "keepalive", keepalive, {}},
      {Established, "update", update, {}},
      {Established, "refresh", refresh, {}},
      {Established, "notification", notification, {"Hangup", "Established>Idle"}},
      {Established, "violation", violation, {"NOTIFICATION 1/3", "Hangup", "Established>Idle"}},
      {Established, "abandoned", abandoned, {"Hangup", "Established>Idle"}},
  };
}

// Timers run in these states alone; in others their end does nothing that could be seen.
bool runs_in(State state, Timer timer) {
  switch (timer) {
    case Timer::ConnectRetry:
      return state == State::Connect || state == State::Active;
    case Timer::Hold:
      return state >= State::OpenSent;
    case Timer::Keepalive:
      return state >= State::OpenConfirm;
    case Timer::SendHold:
      return state == State::Established;
  }
  return false;
}

TEST(Session, HasARowForEveryEventInEveryState) {
  for (const auto state : {State::Connect, State::Active, State::OpenSent, State::OpenConfirm, State::Established}) {
    std::set<std::size_t> events;
    std::set<Timer> timers;
    for (const auto& row : table()) {
      if (row.state != state) continue;
      events.insert(row.event.index());
      if (const auto* expired = std::get_if<Expired>(&row.event)) timers.insert(expired->timer);
    }
    EXPECT_EQ(events.size(), std::variant_size_v<Event>) << name(state);
    for (const auto timer : {Timer::ConnectRetry, Timer::Hold, Timer::Keepalive, Timer::SendHold})
      EXPECT_EQ(timers.contains(timer), runs_in(state, timer)) << name(state);
  }
}

TEST(Session, OutlivesTheEndOfATimerThatDoesNotRun) {
  for (const auto state : {State::OpenSent, State::OpenConfirm, State::Established}) {
    for (const auto timer : {Timer::ConnectRetry, Timer::Keepalive}) {
      Subject subject;
      subject.bring_to(state);
      subject.on(Expired{timer});
      EXPECT_EQ(subject.session.state(), state) << name(state);
    }
  }
}

TEST(Session, SendsNoTwoKeepalivesWithinASecond) {  // RFC 4271 section 4.4
  Subject subject;
  subject.config.hold_time = net::Seconds{3};
  subject.bring_to(State::Established);
  net::TimePoint last{};
  for (int i = 0; i < 20; ++i) {
    const auto due = *subject.session.next_deadline();
    if (i > 0) {
      EXPECT_GE(due - last, net::Seconds{1});
    }
    last = due;
    EXPECT_EQ(subject.at(due), Words{"KEEPALIVE"});
    subject.actions.clear();
    subject.session.probe(due + net::Milliseconds{999}, subject.actions);
    EXPECT_THAT(subject.actions, IsEmpty());
    subject.session.handle(KeepaliveReceived{}, due, subject.actions);
  }
  subject.session.probe(last + net::Seconds{1}, subject.actions);
  EXPECT_EQ(say(subject.actions), Words{"KEEPALIVE"});
}

TEST(SessionInEstablished, DoesNotReadAnotherOpen) {  // RFC 6608
  Subject subject;
  subject.bring_to(State::Established);
  EXPECT_EQ(subject.hear(message(MessageType::Open, std::vector<std::uint8_t>(10, 0))),
            (Words{"NOTIFICATION 5/3", "Hangup", "Established>Idle"}));
}

TEST(Session, AnswersEveryEventInEveryState) {
  for (const auto& row : table()) {
    SCOPED_TRACE(name(row.state) + " × " + row.event_name);
    Subject subject;
    subject.bring_to(row.state);
    EXPECT_EQ(subject.on(row.event), row.words);
  }
}

TEST(Session, HasNoDeadlineWhenIdle) {
  for (const auto& row : table()) {
    SCOPED_TRACE(name(row.state) + " × " + row.event_name);
    Subject subject;
    subject.bring_to(row.state);
    subject.on(row.event);
    if (subject.session.state() == State::Idle) {
      EXPECT_EQ(subject.session.next_deadline(), std::nullopt);
    }
  }
}

TEST(SessionInIdle, StartsByDiallingAndIgnoresAllElse) {
  Subject subject;
  for (const auto& row : table()) {
    if (row.state != State::Established || std::holds_alternative<Start>(row.event)) continue;
    EXPECT_THAT(subject.on(row.event), IsEmpty()) << row.event_name;
  }
  EXPECT_THAT(subject.on(Start{}), ElementsAre("Dial", "Idle>Connect"));
}

TEST(SessionInIdle, WaitsWithoutATimerWhenPassive) {
  auto config = external_config();
  config.connect = Connect::PassiveOnly;
  Subject subject{Side::Outgoing, config};
  EXPECT_THAT(subject.on(Start{}), ElementsAre("Idle>Active"));
  EXPECT_EQ(subject.session.next_deadline(), std::nullopt);
}

TEST(SessionThatWasAccepted, BeginsWithItsOpenAndNeverDials) {
  Subject subject{Side::Incoming};
  EXPECT_THAT(subject.on(Start{}), IsEmpty());
  EXPECT_THAT(subject.on(Connected{transport()}), ElementsAre("OPEN", "Idle>OpenSent"));
  EXPECT_EQ(subject.session.connection(), (ConnectionId{Side::Incoming, 1}));
  EXPECT_THAT(subject.on(ConnectionLost{"reset"}), ElementsAre("OpenSent>Idle"));
  EXPECT_EQ(subject.session.next_deadline(), std::nullopt);
}

// ---- reasons ----------------------------------------------------------------------------------------

TEST(Session, TellsWhoEndedItAndWhy) {
  Subject subject;
  subject.bring_to(State::Established);
  subject.on(Stop{cease(CeaseError::AdministrativeShutdown, "rack 4")});
  ASSERT_TRUE(subject.reason());
  EXPECT_EQ(subject.reason()->by, ResetReason::By::Local);
  EXPECT_EQ(subject.reason()->text, "Cease/Administrative Shutdown: rack 4");

  subject.bring_to(State::Established);
  subject.on(hold_timer_expired());
  EXPECT_EQ(subject.reason()->by, ResetReason::By::Remote);
  EXPECT_EQ(subject.reason()->notification, hold_timer_expired());

  subject.bring_to(State::Established);
  subject.on(ConnectionLost{"connection reset"});
  EXPECT_EQ(subject.reason(), (ResetReason{ResetReason::By::Transport, std::nullopt, "connection reset"}));
}

TEST(Session, SendsTheTypeOfAnUnexpectedMessage) {  // RFC 6608
  Subject subject;
  subject.bring_to(State::OpenConfirm);
  subject.on(UpdateReceived{});
  EXPECT_EQ(subject.reason()->notification, (Notification{5, 2, {2}}));
}

// ---- timers -----------------------------------------------------------------------------------------

net::Duration wait_of(const Subject& subject, net::TimePoint now = t0) {
  return subject.session.next_deadline().value_or(now - net::Seconds{1}) - now;
}

TEST(SessionInConnect, DialsAnewWhenTcpStaysSilent) {
  Subject subject;
  subject.on(Start{});
  const auto first = subject.session.connection();
  const auto due = *subject.session.next_deadline();
  EXPECT_GE(due - t0, subject.config.connect_retry * 3 / 4);
  EXPECT_LE(due - t0, subject.config.connect_retry);
  EXPECT_THAT(subject.at(due), ElementsAre("Hangup", "Dial"));
  EXPECT_EQ(std::get<Hangup>(subject.actions[0]).connection, first);
  EXPECT_NE(std::get<Dial>(subject.actions[1]).connection, first);
}

TEST(SessionInActive, WaitsLongerAfterEachFailedDialUpToTheRetryTime) {
  Subject subject;
  subject.on(Start{});
  auto now = t0;
  for (const auto half_seconds : {1, 2, 4, 8, 16, 20, 20}) {
    subject.on(ConnectionLost{"refused"}, now);
    EXPECT_GE(wait_of(subject, now), net::Milliseconds{375 * half_seconds});
    EXPECT_LE(wait_of(subject, now), net::Milliseconds{500 * half_seconds});
    now = *subject.session.next_deadline();
    EXPECT_THAT(subject.at(now), ElementsAre("Dial", "Active>Connect"));
  }
}

TEST(SessionInOpenSent, GivesThePeerFourMinutes) {
  Subject subject;
  subject.bring_to(State::OpenSent);
  EXPECT_EQ(wait_of(subject), net::Seconds{240});
  EXPECT_THAT(subject.at(t0 + net::Seconds{239}), IsEmpty());
  EXPECT_THAT(subject.at(t0 + net::Seconds{240}), ElementsAre("NOTIFICATION 4/0", "Hangup", "OpenSent>Idle"));
}

TEST(SessionInEstablished, SendsKeepalivesThreeTimesAHoldTimeWithJitter) {
  Subject subject;
  subject.bring_to(State::Established);
  auto now = t0;
  std::map<net::Duration, int> waits;
  for (int i = 0; i < 50; ++i) {
    const auto due = *subject.session.next_deadline();
    ++waits[due - now];
    EXPECT_GE(due - now, net::Milliseconds{22500});
    EXPECT_LE(due - now, net::Seconds{30});
    now = due;
    EXPECT_THAT(subject.at(now), ElementsAre("KEEPALIVE"));
    subject.on(KeepaliveReceived{}, now);
  }
  EXPECT_GT(waits.size(), 20U);
}

TEST(SessionInEstablished, EndsWhenThePeerIsSilentForTheHoldTime) {
  Subject subject;
  subject.bring_to(State::Established);
  subject.on(UpdateReceived{}, t0 + net::Seconds{50});
  subject.at(t0 + net::Seconds{100});
  EXPECT_THAT(subject.at(t0 + net::Milliseconds{139999}), testing::Each("KEEPALIVE"));
  EXPECT_EQ(subject.at(t0 + net::Seconds{140}).back(), "Established>Idle");
  EXPECT_EQ(subject.reason()->notification, hold_timer_expired());
}

TEST(SessionInEstablished, RunsNoTimersWhenOneSideWantsNone) {
  Subject subject;
  subject.bring_to(State::OpenSent);
  auto open = peer_open();
  open.hold_time = net::Seconds{0};
  EXPECT_THAT(subject.on(open), ElementsAre("KEEPALIVE", "OpenSent>OpenConfirm"));
  subject.on(KeepaliveReceived{});
  subject.session.blocked(t0);
  EXPECT_EQ(subject.session.next_deadline(), std::nullopt);
}

TEST(SessionInEstablished, EndsWhenThePeerTakesNothingForTheSendHoldTime) {  // RFC 9687
  Subject subject;
  subject.bring_to(State::Established);
  subject.session.blocked(t0);
  subject.session.blocked(t0 + net::Seconds{400});  // no progress in between: the first one counts
  auto now = t0;
  while (now < t0 + net::Seconds{480}) {
    subject.on(KeepaliveReceived{}, now);
    EXPECT_THAT(subject.at(now), IsEmpty()) << "a KEEPALIVE behind a blocked stream";
    now += net::Seconds{10};
  }
  EXPECT_THAT(subject.at(now), ElementsAre("NOTIFICATION 8/0", "Hangup", "Established>Idle"));
}

TEST(SessionInEstablished, ForgetsTheSendHoldTimeOnProgress) {
  Subject subject;
  subject.bring_to(State::Established);
  subject.session.blocked(t0);
  subject.session.progressed();
  subject.on(KeepaliveReceived{}, t0 + net::Seconds{470});
  EXPECT_THAT(subject.at(t0 + net::Seconds{481}), testing::Each("KEEPALIVE"));
}

TEST(SessionInEstablished, TakesANewKeepaliveTimeAtOnce) {
  Subject subject;
  subject.bring_to(State::Established);
  subject.config.keepalive_time = net::Seconds{4};
  subject.session.retime(t0);
  EXPECT_LE(wait_of(subject), net::Seconds{4});
}

// ---- bytes ------------------------------------------------------------------------------------------

const auto handshake = encode(peer_open()) + encode_keepalive();

TEST(SessionReading, ComesUpOnBytesHoweverTheyAreCut) {
  const auto stream = handshake + end_of_rib + encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}) + end_of_rib;
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    Subject subject;
    subject.bring_to(State::OpenSent);
    int messages = 0;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const auto end = std::min(at + step, stream.size());
      subject.hear(
          {stream.begin() + static_cast<std::ptrdiff_t>(at), stream.begin() + static_cast<std::ptrdiff_t>(end)});
      messages += subject.route_messages;
    }
    EXPECT_EQ(subject.session.state(), State::Established) << "in pieces of " << step;
    EXPECT_EQ(messages, 3) << "in pieces of " << step;
  }
}

TEST(SessionReading, StopsAtAChangeOfState) {
  Subject subject;
  subject.bring_to(State::OpenSent);
  std::span<const std::uint8_t> input{handshake};
  EXPECT_FALSE(subject.session.read(input, t0, subject.actions));
  EXPECT_EQ(subject.session.state(), State::OpenConfirm);
  EXPECT_EQ(input.size(), header_size);
}

TEST(SessionReading, HandsUpTheBodyOfAnUpdateAsAView) {
  Subject subject;
  subject.bring_to(State::Established);
  std::span<const std::uint8_t> input{end_of_rib};
  const auto message = subject.session.read(input, t0, subject.actions);
  ASSERT_TRUE(message);
  EXPECT_EQ(std::get<UpdateBody>(*message).bytes.data(), end_of_rib.data() + header_size);
  EXPECT_EQ(subject.session.counters().in[2], 1U);
}

TEST(SessionReading, AnswersABrokenHeaderAndIgnoresTheRest) {
  Subject subject;
  subject.bring_to(State::Established);
  auto bytes = encode_keepalive();
  bytes[3] = 0;
  EXPECT_THAT(subject.hear(bytes + end_of_rib), ElementsAre("NOTIFICATION 1/1", "Hangup", "Established>Idle"));
  EXPECT_EQ(subject.route_messages, 0);
}

TEST(SessionReading, AnswersAMalformedOpenAndRefresh) {
  Subject subject;
  subject.bring_to(State::OpenSent);
  auto bytes = encode(peer_open());
  bytes[header_size] = 3;
  EXPECT_THAT(subject.hear(bytes), ElementsAre("NOTIFICATION 2/1", "Hangup", "OpenSent>Idle"));

  subject.bring_to(State::Established);
  EXPECT_THAT(subject.hear(message(MessageType::RouteRefresh, {0, 1, 1, 1, 0})),
              ElementsAre("NOTIFICATION 7/1", "Hangup", "Established>Idle"));
}

TEST(SessionReading, TakesNothingFromAnUpdateBeforeItIsUp) {
  Subject subject;
  subject.bring_to(State::OpenConfirm);
  EXPECT_THAT(subject.hear(end_of_rib), ElementsAre("NOTIFICATION 5/2", "Hangup", "OpenConfirm>Idle"));
  EXPECT_EQ(subject.route_messages, 0);
}

TEST(SessionReading, TakesLongMessagesOnlyWhenBothSidesOfferedThem) {  // RFC 8654
  const auto long_update = message(MessageType::Update, std::vector<std::uint8_t>(5000, 0));
  Subject subject;
  subject.bring_to(State::Established);
  EXPECT_THAT(subject.hear(long_update), IsEmpty());
  EXPECT_EQ(subject.route_messages, 1);

  auto config = external_config();
  config.extended_messages = false;
  Subject plain{Side::Outgoing, config};
  plain.bring_to(State::Established);
  EXPECT_THAT(plain.hear(long_update), ElementsAre("NOTIFICATION 1/2", "Hangup", "Established>Idle"));
}

TEST(SessionReading, ForgetsAHalfMessageWithItsConnection) {
  Subject subject;
  subject.bring_to(State::OpenSent);
  auto half = encode(peer_open());
  half.resize(25);
  subject.hear(half);
  subject.on(ConnectionLost{"reset"});
  subject.at(*subject.session.next_deadline());
  subject.on(Connected{transport()});
  subject.hear(handshake);
  EXPECT_EQ(subject.session.state(), State::Established);
}

// ---- capabilities that a peer does not bear -----------------------------------------------------------

bool last_open_is_bare(const Subject& subject) {
  for (const auto& action : subject.actions) {
    if (const auto* send = std::get_if<Send>(&action)) {
      return decode_open(std::span{send->bytes}.subspan(header_size))->capabilities == Capabilities{};
    }
  }
  return false;
}

TEST(SessionWithAnOldPeer, OffersNoCapabilitiesAfterTheyWereRefused) {  // RFC 5492 section 3
  Subject subject;
  subject.bring_to(State::OpenSent);
  subject.on(open_error(OpenError::UnsupportedParameter));
  subject.on(Start{});
  subject.on(Connected{transport()});
  EXPECT_TRUE(last_open_is_bare(subject));

  auto old = peer_open();
  old.capabilities = {};
  subject.on(old);
  EXPECT_EQ(subject.session.negotiated()->asn_width, AsnWidth::TwoOctets);
  EXPECT_EQ(subject.session.negotiated()->families, (Families{true, false}));
  subject.on(KeepaliveReceived{});
  subject.on(ConnectionLost{"reset"});
  subject.on(Start{});
  subject.on(Connected{transport()});
  EXPECT_FALSE(last_open_is_bare(subject)) << "the peer may have been renewed";
}

TEST(SessionWithAnOldPeer, GoesBackToCapabilitiesWhenItRefusesBothKinds) {
  Subject subject;
  for (const bool bare : {false, true, false, true}) {
    subject.on(Start{});
    subject.on(Connected{transport()});
    EXPECT_EQ(last_open_is_bare(subject), bare);
    subject.on(open_error(OpenError::UnsupportedCapability));
  }
}

TEST(Session, CountsMessagesBothWays) {
  Subject subject;
  subject.bring_to(State::OpenSent);
  subject.hear(handshake + encode_keepalive() + end_of_rib);
  subject.session.count_sent(MessageType::Update, 7);
  const auto& counters = subject.session.counters();
  EXPECT_THAT(counters.in, ElementsAre(0, 1, 1, 0, 2, 0));
  EXPECT_THAT(counters.out, ElementsAre(0, 1, 7, 0, 1, 0));
}

}  // namespace
}  // namespace bgp
