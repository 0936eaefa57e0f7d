// SPDX-License-Identifier: Apache-2.0
#include "bfd/session.hpp"

#include "tests/bfd/fixture.hpp"

namespace bfd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr State every_state[] = {State::AdminDown, State::Down, State::Init, State::Up};

// ---- the state machine: every state, every event ------------------------------------------------------

struct Step {
  State from;
  State heard;
  State to;
};

// RFC 5880 section 6.2; in AdminDown nothing that is heard counts.
constexpr Step by_packet[] = {
    {State::AdminDown, State::AdminDown, State::AdminDown},
    {State::AdminDown, State::Down, State::AdminDown},
    {State::AdminDown, State::Init, State::AdminDown},
    {State::AdminDown, State::Up, State::AdminDown},
    {State::Down, State::AdminDown, State::Down},
    {State::Down, State::Down, State::Init},
    {State::Down, State::Init, State::Up},
    {State::Down, State::Up, State::Down},
    {State::Init, State::AdminDown, State::Down},
    {State::Init, State::Down, State::Init},
    {State::Init, State::Init, State::Up},
    {State::Init, State::Up, State::Up},
    {State::Up, State::AdminDown, State::Down},
    {State::Up, State::Down, State::Down},
    {State::Up, State::Init, State::Up},
    {State::Up, State::Up, State::Up},
};

TEST(BfdSession, MovesByWhatTheNeighbourSays) {
  for (const auto& step : by_packet) {
    Subject subject;
    subject.bring_to(step.from);
    EXPECT_EQ(subject.hear(step.heard), std::nullopt);
    EXPECT_EQ(subject.session.state(), step.to) << print(step.from) << " hears " << print(step.heard);
    EXPECT_EQ(subject.change().has_value(), step.from != step.to);
    if (step.to == State::Down && step.from != State::Down) {
      EXPECT_EQ(subject.change()->diagnostic, Diagnostic::NeighborSignaledDown);
      EXPECT_EQ(subject.change()->remote_state, step.heard);
    }
  }
}

TEST(BfdSession, FallsWhenTheDetectionTimeIsOver) {
  for (const auto state : every_state) {
    Subject subject;
    subject.bring_to(state);
    subject.pass(net::Seconds{10});
    const auto falls = state == State::Init || state == State::Up;
    EXPECT_EQ(subject.session.state(), falls ? State::Down : state);
    EXPECT_EQ(subject.change().has_value(), falls);
    if (falls) {
      EXPECT_EQ(subject.change()->diagnostic, Diagnostic::DetectionTimeExpired);
    }
  }
}

TEST(BfdSession, CanBeDisabledAndEnabledInEveryState) {
  for (const auto state : every_state) {
    Subject subject;
    subject.bring_to(state);
    subject.session.disable(subject.now, subject.actions);
    EXPECT_EQ(subject.session.state(), State::AdminDown);
    EXPECT_EQ(subject.session.status().diagnostic, Diagnostic::AdministrativelyDown);
    if (state != State::AdminDown) {
      EXPECT_EQ(subject.sent().back().state, State::AdminDown);
    }
    subject.session.enable(subject.now, subject.actions);
    EXPECT_EQ(subject.session.state(), State::Down);
    subject.hear(State::Down, 0);
    EXPECT_EQ(subject.session.state(), State::Init);
  }
}

TEST(BfdSession, EnablingChangesNothingElsewhere) {
  for (const auto state : {State::Down, State::Init, State::Up}) {
    Subject subject;
    subject.bring_to(state);
    subject.session.enable(subject.now, subject.actions);
    EXPECT_EQ(subject.session.state(), state);
    EXPECT_THAT(subject.actions, IsEmpty());
  }
}

TEST(BfdSession, FallsWithItsPath) {
  for (const auto state : every_state) {
    Subject subject;
    subject.bring_to(state);
    subject.session.path_down(subject.now, subject.actions);
    const auto falls = state == State::Init || state == State::Up;
    EXPECT_EQ(subject.session.state(), falls ? State::Down : state);
    if (falls) {
      EXPECT_EQ(subject.sent().back().diagnostic, Diagnostic::PathDown);
    }
  }
}

// ---- what is sent when --------------------------------------------------------------------------------

TEST(BfdSession, BeginsSlowly) {
  Subject subject{{.desired_min_tx = Interval{50'000}}};
  subject.pass(net::Seconds{10});
  const auto sent = subject.sent();
  // Ten seconds at 0.75 to 1 s, and one at the very beginning.
  EXPECT_GE(sent.size(), 11U);
  EXPECT_LE(sent.size(), 14U);
  for (const auto& packet : sent) {
    EXPECT_EQ(packet.state, State::Down);
    EXPECT_EQ(packet.my_discriminator, ours);
    EXPECT_EQ(packet.your_discriminator, 0U);
    EXPECT_EQ(packet.desired_min_tx, slow_interval);
    EXPECT_EQ(packet.required_min_rx, Interval{300'000});
    EXPECT_FALSE(packet.poll);
  }
}

TEST(BfdSession, SpeaksOfEveryChangeAtOnce) {
  Subject subject;
  subject.pass(Milliseconds{1});
  subject.actions.clear();
  subject.hear(State::Down, 0);
  ASSERT_EQ(subject.sent().size(), 1U);
  EXPECT_EQ(subject.sent()[0].state, State::Init);
  EXPECT_EQ(subject.sent()[0].your_discriminator, theirs);
  subject.hear(State::Init);
  ASSERT_EQ(subject.sent().size(), 2U);
  EXPECT_EQ(subject.sent()[1].state, State::Up);
  EXPECT_TRUE(subject.sent()[1].poll) << "the interval is no longer the slow one";
  EXPECT_EQ(subject.sent()[1].desired_min_tx, Interval{300'000});
  subject.hear(State::Up);
  EXPECT_EQ(subject.sent().size(), 2U) << "nothing new";
}

TEST(BfdSession, AnswersAPollWithFinalWhateverTheTimer) {
  for (const auto state : {State::Init, State::Up}) {
    Subject subject;
    subject.bring_to(state);
    auto poll = from_neighbor(State::Up);
    poll.poll = true;
    subject.hear(poll);
    ASSERT_EQ(subject.sent().size(), 1U);
    EXPECT_TRUE(subject.sent()[0].final);
    EXPECT_FALSE(subject.sent()[0].poll);
  }
}

TEST(BfdSession, SendsAtTheSlowerOfTheTwoIntervals) {
  for (const auto& [mine, remote, expected] :
       {std::tuple{50'000U, 100'000U, 100}, std::tuple{200'000U, 100'000U, 200}, std::tuple{300'000U, 1U, 300}}) {
    Subject subject{{.desired_min_tx = Interval{mine}}};
    subject.bring_to(State::Up);
    auto answer = from_neighbor(State::Up);
    answer.final = true;
    answer.required_min_rx = Interval{remote};
    answer.desired_min_tx = Interval{60'000'000};  // so that it does not fall meanwhile
    subject.hear(answer);
    subject.pass(Milliseconds{1000});
    subject.actions.clear();
    const auto began = subject.now;
    std::vector<net::TimePoint> times;
    while (subject.now < began + net::Seconds{20}) {
      const auto next = *subject.session.next_deadline();
      subject.pass(next - subject.now);
      if (!subject.actions.empty()) times.push_back(subject.now);
      subject.actions.clear();
    }
    net::Duration shortest = net::Duration::max();
    net::Duration longest{};
    for (std::size_t i = 1; i < times.size(); ++i) {
      shortest = std::min(shortest, times[i] - times[i - 1]);
      longest = std::max(longest, times[i] - times[i - 1]);
    }
    EXPECT_GE(shortest, Milliseconds{expected} * 75 / 100);
    EXPECT_LE(longest, Milliseconds{expected});
    EXPECT_LE(shortest, Milliseconds{expected} * 80 / 100) << "jitter is there";
    EXPECT_GE(longest, Milliseconds{expected} * 95 / 100) << "jitter is there";
  }
}

TEST(BfdSession, StaysBelowNineTenthsWhenOneLostPacketIsTooMany) {
  Subject subject{{.detect_multiplier = 1}};
  subject.bring_to(State::Up);
  auto answer = from_neighbor(State::Up);
  answer.final = true;
  answer.desired_min_tx = Interval{60'000'000};
  subject.hear(answer);
  subject.pass(net::Seconds{1});
  net::TimePoint last = subject.now;
  net::Duration longest{};
  for (int i = 0; i < 200; ++i) {
    subject.pass(*subject.session.next_deadline() - subject.now);
    if (i > 0) longest = std::max(longest, subject.now - last);
    last = subject.now;
  }
  EXPECT_LE(longest, Milliseconds{270});
  EXPECT_GE(longest, Milliseconds{262});
}

TEST(BfdSession, IsSilentWhilePassiveUntilItHears) {
  Subject subject{{.role = Role::Passive}};
  subject.pass(net::Seconds{30});
  EXPECT_THAT(subject.actions, IsEmpty());
  subject.hear(State::Down, 0);
  EXPECT_EQ(subject.sent().size(), 1U);
  EXPECT_EQ(subject.sent()[0].state, State::Init);
  // The neighbour is gone: silent again.
  subject.pass(net::Seconds{10});
  subject.actions.clear();
  subject.pass(net::Seconds{30});
  EXPECT_THAT(subject.sent(), IsEmpty());
}

TEST(BfdSession, SendsNothingPeriodicallyToWhoWantsNothing) {
  Subject subject;
  subject.bring_to(State::Up);
  auto answer = from_neighbor(State::Up);
  answer.final = true;
  answer.required_min_rx = Interval{0};
  answer.desired_min_tx = Interval{10'000'000};
  subject.hear(answer);
  subject.actions.clear();
  subject.pass(net::Seconds{20});
  EXPECT_THAT(subject.sent(), IsEmpty());
  answer.poll = true;
  answer.final = false;
  subject.hear(answer);
  ASSERT_EQ(subject.sent().size(), 1U) << "a poll is answered all the same";
  EXPECT_TRUE(subject.sent()[0].final);
}

TEST(BfdSession, ForgetsWhatASilentNeighbourSaid) {
  Subject subject;
  subject.bring_to(State::Up);
  auto answer = from_neighbor(State::Up);
  answer.required_min_rx = Interval{0};  // it wanted nothing, and died
  subject.hear(answer);
  subject.pass(net::Seconds{5});
  EXPECT_EQ(subject.session.state(), State::Down);
  EXPECT_EQ(subject.session.status().remote_discriminator, 0U);
  subject.actions.clear();
  subject.pass(net::Seconds{5});
  EXPECT_GE(subject.sent().size(), 5U);
  EXPECT_EQ(subject.sent().back().your_discriminator, 0U);
}

TEST(BfdSession, CeasesToSendWhileTheNeighbourIsInDemandMode) {
  Subject subject;
  subject.bring_to(State::Up);
  auto answer = from_neighbor(State::Up);
  answer.final = true;
  answer.demand = true;
  answer.desired_min_tx = Interval{60'000'000};
  subject.hear(answer);
  subject.actions.clear();
  subject.pass(net::Seconds{60});
  EXPECT_THAT(subject.sent(), IsEmpty());
  EXPECT_EQ(subject.session.state(), State::Up);
  EXPECT_TRUE(subject.session.status().remote_demand);

  // A poll sequence of ours runs all the same, and so does an answer to theirs.
  auto config = subject.session.config();
  config.desired_min_tx = Interval{700'000};
  subject.session.configure(config, subject.now, subject.actions);
  subject.pass(net::Seconds{2});
  EXPECT_GE(subject.sent().size(), 2U);
  EXPECT_TRUE(subject.sent().back().poll);
  answer.final = true;
  subject.hear(answer);
  subject.actions.clear();
  subject.pass(net::Seconds{20});
  EXPECT_THAT(subject.sent(), IsEmpty());
  answer.final = false;
  answer.poll = true;
  subject.hear(answer);
  ASSERT_EQ(subject.sent().size(), 1U);
  EXPECT_TRUE(subject.sent()[0].final);

  // Out of demand mode: periodic again.
  answer.poll = false;
  answer.demand = false;
  subject.hear(answer);
  subject.actions.clear();
  subject.pass(net::Seconds{7});
  EXPECT_GE(subject.sent().size(), 9U);
}

// ---- the detection time -------------------------------------------------------------------------------

TEST(BfdSession, DetectsAfterTheNeighboursMultiplierTimesTheAgreedInterval) {
  struct Case {
    std::uint32_t required_rx, remote_tx;
    std::uint8_t multiplier;
    int expected;
  };
  for (const auto& c : {Case{50'000, 50'000, 3, 150}, Case{300'000, 50'000, 3, 900}, Case{50'000, 300'000, 4, 1200},
                        Case{10'000, 10'000, 1, 10}, Case{60'000'000, 1, 255, 15'300'000}}) {
    Subject subject{{.required_min_rx = Interval{c.required_rx}}};
    subject.bring_to(State::Up);
    auto packet = from_neighbor(State::Up);
    packet.final = true;
    packet.desired_min_tx = Interval{c.remote_tx};
    packet.detect_multiplier = c.multiplier;
    subject.hear(packet);
    EXPECT_EQ(subject.session.status().detection_time, Milliseconds{c.expected});
    subject.pass(Milliseconds{c.expected} - Milliseconds{1});
    EXPECT_EQ(subject.session.state(), State::Up);
    subject.pass(Milliseconds{1});
    EXPECT_EQ(subject.session.state(), State::Down);
    EXPECT_EQ(subject.sent().back().diagnostic, Diagnostic::DetectionTimeExpired);
  }
}

TEST(BfdSession, StaysUpAsLongAsItHears) {
  Subject subject;
  subject.bring_to(State::Up);
  for (int i = 0; i < 1000; ++i) {
    subject.pass(Milliseconds{899});
    subject.hear(State::Up);
    ASSERT_EQ(subject.session.state(), State::Up);
  }
  EXPECT_EQ(subject.session.status().times_down, 0U);
}

// ---- parameters that change while Up (section 6.8.3) --------------------------------------------------

// Up, with both sides at 300 ms and no poll sequence under way.
void settle(Subject& subject, std::uint32_t remote_tx = 300'000, std::uint32_t remote_rx = 300'000) {
  subject.bring_to(State::Up);
  auto packet = from_neighbor(State::Up);
  packet.final = true;
  packet.desired_min_tx = Interval{remote_tx};
  packet.required_min_rx = Interval{remote_rx};
  subject.hear(packet);
  ASSERT_FALSE(subject.session.status().polling);
  subject.actions.clear();
}

TEST(BfdSession, SendsMoreOftenAtOnceAndPollsForIt) {
  Subject subject;
  settle(subject, 300'000, 10'000);
  auto config = subject.session.config();
  config.desired_min_tx = Interval{100'000};
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_TRUE(subject.session.status().polling);
  EXPECT_EQ(subject.session.status().transmit_interval, Interval{100'000});
  ASSERT_EQ(subject.sent().size(), 1U);
  EXPECT_TRUE(subject.sent()[0].poll);
  EXPECT_EQ(subject.sent()[0].desired_min_tx, Interval{100'000});
}

TEST(BfdSession, SendsLessOftenOnlyWhenTheNeighbourKnows) {
  Subject subject;
  settle(subject, 300'000, 10'000);
  auto config = subject.session.config();
  config.desired_min_tx = Interval{2'000'000};
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_EQ(subject.sent().back().desired_min_tx, Interval{2'000'000});
  EXPECT_EQ(subject.session.status().transmit_interval, Interval{300'000});
  auto packet = from_neighbor(State::Up);
  packet.required_min_rx = Interval{10'000};
  subject.hear(packet);
  EXPECT_EQ(subject.session.status().transmit_interval, Interval{300'000}) << "that was no answer";
  packet.final = true;
  subject.hear(packet);
  EXPECT_EQ(subject.session.status().transmit_interval, Interval{2'000'000});
  EXPECT_FALSE(subject.session.status().polling);
}

TEST(BfdSession, ExpectsMoreOftenOnlyWhenTheNeighbourKnows) {
  Subject subject;
  settle(subject, 50'000);
  EXPECT_EQ(subject.session.status().detection_time, Milliseconds{900});
  auto config = subject.session.config();
  config.required_min_rx = Interval{50'000};
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_EQ(subject.session.status().detection_time, Milliseconds{900});
  auto packet = from_neighbor(State::Up);
  packet.desired_min_tx = Interval{50'000};
  packet.final = true;
  subject.hear(packet);
  EXPECT_EQ(subject.session.status().detection_time, Milliseconds{150});
}

TEST(BfdSession, ExpectsLessOftenAtOnce) {
  Subject subject;
  settle(subject);
  subject.pass(Milliseconds{800});
  auto config = subject.session.config();
  config.required_min_rx = Interval{1'000'000};
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_EQ(subject.session.status().detection_time, net::Seconds{3});
  subject.pass(Milliseconds{2199});
  EXPECT_EQ(subject.session.state(), State::Up);
  subject.pass(Milliseconds{1});
  EXPECT_EQ(subject.session.state(), State::Down);
}

// And when packets are expected again, the neighbour has the detection time for the first one.
TEST(BfdSession, ExpectsNothingFromWhoMustBeSilent) {
  for (const auto state : {State::Init, State::Up}) {
    Subject subject;
    state == State::Up ? settle(subject) : subject.bring_to(state);
    auto config = subject.session.config();
    config.required_min_rx = Interval{0};
    subject.session.configure(config, subject.now, subject.actions);
    auto packet = from_neighbor(State::Up);  // of a session that is Up it ends the poll sequence
    packet.final = true;
    if (state == State::Up) subject.hear(packet);
    subject.pass(net::Seconds{60});
    EXPECT_EQ(subject.session.state(), state);

    config.required_min_rx = Interval{300'000};
    subject.session.configure(config, subject.now, subject.actions);
    subject.pass(Milliseconds{899});
    EXPECT_EQ(subject.session.state(), state);
    subject.pass(Milliseconds{1});
    EXPECT_EQ(subject.session.state(), State::Down);
  }
}

TEST(BfdSession, KeepsASecondChangeUntilTheFirstIsAnswered) {
  Subject subject;
  settle(subject, 300'000, 10'000);
  auto config = subject.session.config();
  config.desired_min_tx = Interval{500'000};
  subject.session.configure(config, subject.now, subject.actions);
  config.desired_min_tx = Interval{900'000};
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_EQ(subject.sent().back().desired_min_tx, Interval{500'000});
  auto packet = from_neighbor(State::Up);
  packet.required_min_rx = Interval{10'000};
  packet.final = true;
  subject.hear(packet);
  EXPECT_TRUE(subject.session.status().polling);
  EXPECT_EQ(subject.session.status().transmit_interval, Interval{500'000});
  EXPECT_EQ(subject.sent().back().desired_min_tx, Interval{900'000});
  subject.hear(packet);
  EXPECT_EQ(subject.session.status().transmit_interval, Interval{900'000});
}

TEST(BfdSession, RepeatsThePollUntilItIsAnswered) {
  Subject subject;
  settle(subject, 60'000'000, 10'000);
  auto config = subject.session.config();
  config.required_min_rx = Interval{250'000};
  subject.session.configure(config, subject.now, subject.actions);
  subject.pass(net::Seconds{3});
  EXPECT_GE(subject.sent().size(), 10U);
  for (const auto& packet : subject.sent()) EXPECT_TRUE(packet.poll);
}

TEST(BfdSession, ChangesTheMultiplierWithoutAPoll) {
  Subject subject;
  settle(subject);
  auto config = subject.session.config();
  config.detect_multiplier = 7;
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_FALSE(subject.session.status().polling);
  ASSERT_EQ(subject.sent().size(), 1U);
  EXPECT_EQ(subject.sent()[0].detect_multiplier, 7U);
  subject.actions.clear();
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_THAT(subject.actions, IsEmpty()) << "the same again";
}

TEST(BfdSession, GoesBackToTheSlowIntervalWhenItFalls) {
  Subject subject{{.desired_min_tx = Interval{50'000}}};
  settle(subject, 300'000, 10'000);
  subject.hear(State::Down);
  EXPECT_EQ(subject.session.status().transmit_interval, slow_interval);
  EXPECT_EQ(subject.sent().back().desired_min_tx, slow_interval);
  EXPECT_FALSE(subject.sent().back().poll);
}

// ---- what the change of state tells -------------------------------------------------------------------

TEST(BfdSession, TellsThatTheNeighbourWentOnPurpose) {
  Subject subject;
  settle(subject);
  auto packet = from_neighbor(State::AdminDown);
  packet.diagnostic = Diagnostic::AdministrativelyDown;
  subject.hear(packet);
  EXPECT_EQ(subject.change(), (StateChanged{State::Up, State::Down, Diagnostic::NeighborSignaledDown, State::AdminDown,
                                            Diagnostic::AdministrativelyDown, ControlPlane::Shared}));
  EXPECT_THAT(subject.all<RemoteAdminChanged>(), ElementsAre(RemoteAdminChanged{State::AdminDown}));
  subject.actions.clear();
  subject.hear(State::Down, 0);
  EXPECT_THAT(subject.all<RemoteAdminChanged>(), ElementsAre(RemoteAdminChanged{State::Down}));
}

TEST(BfdSession, TellsWhetherTheNeighboursControlPlaneIsApart) {
  for (const bool independent : {false, true}) {
    Subject subject;
    settle(subject);
    auto packet = from_neighbor(State::Up);
    packet.control_plane_independent = independent;
    subject.hear(packet);
    subject.pass(net::Seconds{5});
    EXPECT_EQ(subject.change()->remote_control_plane, independent ? ControlPlane::Independent : ControlPlane::Shared);
  }
}

TEST(BfdSession, SaysItsOwnControlPlaneBit) {
  Subject subject{{.control_plane = ControlPlane::Independent}};
  subject.pass(Milliseconds{1});
  EXPECT_TRUE(subject.sent()[0].control_plane_independent);
}

TEST(BfdSession, RemembersWhyItFellAndHowOften) {
  Subject subject;
  settle(subject);
  EXPECT_EQ(subject.session.status().up_since, t0);
  subject.pass(net::Seconds{5});
  const auto status = subject.session.status();
  EXPECT_EQ(status.up_since, std::nullopt);
  EXPECT_EQ(status.down_since, t0 + Milliseconds{900});
  EXPECT_EQ(status.last_down, Diagnostic::DetectionTimeExpired);
  EXPECT_EQ(status.times_up, 1U);
  EXPECT_EQ(status.times_down, 1U);
}

// ---- authentication in a session ----------------------------------------------------------------------

TEST(BfdSession, IsNotMovedByAForgery) {
  Subject subject{{.key = AuthKey{AuthType::MeticulousKeyedSha1, 1, "secret"}}};
  EXPECT_EQ(subject.hear(State::Down, 0), Discard::MissingAuthentication);
  EXPECT_EQ(subject.session.state(), State::Down);
  EXPECT_EQ(subject.session.status().packets_in, 0U);
  EXPECT_EQ(subject.session.status().remote_discriminator, 0U);
}

TEST(BfdSession, TakesANewNeighbourWithLowNumbersAfterTwiceTheDetectionTime) {
  const AuthKey key{AuthType::MeticulousKeyedSha1, 1, "secret"};
  Subject subject{{.key = key}};
  const auto hear = [&](Authentication& by, State state, std::uint32_t your) {
    std::vector<std::uint8_t> bytes;
    by.encode_signed(from_neighbor(state, your), bytes);
    return subject.session.received(*decode(bytes), bytes, subject.now, subject.actions);
  };
  Authentication before{key, 1'000'000};
  Authentication after{key, 5};
  EXPECT_EQ(hear(before, State::Down, 0), std::nullopt);
  EXPECT_EQ(hear(after, State::Down, 0), Discard::AuthenticationFailed);
  subject.pass(Milliseconds{1799});
  EXPECT_EQ(hear(after, State::Down, 0), Discard::AuthenticationFailed);
  subject.pass(Milliseconds{2});
  EXPECT_EQ(hear(after, State::Down, 0), std::nullopt);
}

TEST(BfdSession, ChangesItsKeyWhileUp) {
  Subject subject;
  settle(subject);
  auto config = subject.session.config();
  config.key = AuthKey{AuthType::KeyedSha1, 2, "new"};
  subject.session.configure(config, subject.now, subject.actions);
  EXPECT_EQ(subject.session.state(), State::Up);
  EXPECT_EQ(subject.hear(State::Up), Discard::MissingAuthentication);
  subject.pass(Milliseconds{400});
  EXPECT_EQ(subject.sent().back().authentication->type, AuthType::KeyedSha1);
}

// ---- echo ---------------------------------------------------------------------------------------------

// Up, echoes at 50 ms both sides; the neighbour goes on sending for as long as the test takes.
void settle_with_echo(Subject& subject) {
  subject.bring_to(State::Up);
  auto packet = from_neighbor(State::Up);
  packet.final = true;
  packet.desired_min_tx = Interval{60'000'000};
  packet.required_min_echo_rx = Interval{50'000};
  subject.hear(packet);
  subject.actions.clear();
}

TEST(BfdSession, SendsNoEchoesToWhoLoopsNone) {
  Subject subject{{.echo_interval = Interval{50'000}}};
  settle(subject);
  subject.pass(Milliseconds{800});
  EXPECT_THAT(subject.all<SendEcho>(), IsEmpty());
  EXPECT_EQ(subject.session.status().echo, EchoState::Off);
}

TEST(BfdSession, TriesBothPathsAndJudgesNothingUntilOneWorks) {
  Subject subject{{.echo_interval = Interval{20'000}}};
  settle_with_echo(subject);
  subject.pass(net::Seconds{10});
  const auto echoes = subject.all<SendEcho>();
  ASSERT_GE(echoes.size(), 12U);
  EXPECT_LE(echoes.size(), 25U) << "the search slows down";
  EXPECT_NE(echoes[0].path, echoes[1].path);
  EXPECT_EQ(subject.session.state(), State::Up);
  EXPECT_EQ(subject.session.status().echo, EchoState::Probing);
}

TEST(BfdSession, SendsOnThePathThatWorksAtTheAgreedInterval) {
  Subject subject{{.echo_interval = Interval{20'000}}};
  settle_with_echo(subject);
  subject.pass(Milliseconds{60});
  const auto tried = subject.all<SendEcho>();
  ASSERT_GE(tried.size(), 2U);
  subject.session.echo_returned(tried[1].sequence, subject.now);
  EXPECT_EQ(subject.session.status().echo, EchoState::Active);
  EXPECT_EQ(subject.session.status().echo_interval, Interval{50'000});
  subject.actions.clear();
  for (int i = 0; i < 100; ++i) {
    subject.pass(Milliseconds{10});
    if (const auto sent = subject.all<SendEcho>(); !sent.empty()) {
      EXPECT_EQ(sent.back().path, tried[1].path);
      subject.session.echo_returned(sent.back().sequence, subject.now);
    }
  }
  const auto sent = subject.all<SendEcho>().size();
  EXPECT_GE(sent, 20U);
  EXPECT_LE(sent, 28U);
  EXPECT_EQ(subject.session.state(), State::Up);
}

TEST(BfdSession, FallsWhenEchoesCeaseToComeBack) {
  Subject subject{{.echo_interval = Interval{50'000}}};
  settle_with_echo(subject);
  subject.pass(Milliseconds{1});
  subject.session.echo_returned(subject.all<SendEcho>().back().sequence, subject.now);
  subject.pass(Milliseconds{149});
  EXPECT_EQ(subject.session.state(), State::Up);
  subject.pass(Milliseconds{1});
  EXPECT_EQ(subject.session.state(), State::Down);
  EXPECT_EQ(subject.change()->diagnostic, Diagnostic::EchoFailed);
  EXPECT_EQ(subject.sent().back().diagnostic, Diagnostic::EchoFailed);
  subject.actions.clear();
  subject.pass(net::Seconds{1});
  EXPECT_THAT(subject.all<SendEcho>(), IsEmpty());
}

TEST(BfdSession, CountsAnEchoOnceAndNoneThatWasNotSent) {
  Subject subject{{.echo_interval = Interval{50'000}}};
  settle_with_echo(subject);
  subject.pass(Milliseconds{1});
  const auto sequence = subject.all<SendEcho>().back().sequence;
  subject.session.echo_returned(sequence + 1, subject.now);
  EXPECT_EQ(subject.session.status().echoes_in, 0U);
  subject.session.echo_returned(sequence, subject.now);
  subject.session.echo_returned(sequence, subject.now);
  EXPECT_EQ(subject.session.status().echoes_in, 1U);
}

TEST(BfdSession, CeasesToEchoWhenTheNeighbourNoLongerLoops) {
  Subject subject{{.echo_interval = Interval{50'000}}};
  settle_with_echo(subject);
  subject.pass(Milliseconds{1});
  subject.session.echo_returned(subject.all<SendEcho>().back().sequence, subject.now);
  auto packet = from_neighbor(State::Up);
  packet.desired_min_tx = Interval{60'000'000};
  subject.hear(packet);
  subject.pass(net::Seconds{1});
  EXPECT_EQ(subject.session.state(), State::Up);
  EXPECT_EQ(subject.session.status().echo, EchoState::Off);
}

TEST(BfdSession, SaysWhatEchoesItLoops) {
  Subject subject{{.required_min_echo_rx = Interval{90'000}}};
  subject.pass(Milliseconds{1});
  EXPECT_EQ(subject.sent()[0].required_min_echo_rx, Interval{90'000});
}

}  // namespace
}  // namespace bfd
