// SPDX-License-Identifier: Apache-2.0
#include "bgp/rpki/rtr_session.hpp"

#include <gmock/gmock.h>

#include "net/writer.hpp"

namespace bgp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Bytes = std::vector<std::uint8_t>;
constexpr net::TimePoint start{std::chrono::hours{1}};

Bytes pdu(std::uint8_t version, std::uint8_t type, std::uint16_t session, const Bytes& body = {}) {
  Bytes out;
  net::Writer writer{out};
  writer.u8(version);
  writer.u8(type);
  writer.u16(session);
  writer.u32(static_cast<std::uint32_t>(8 + body.size()));
  writer.bytes(body);
  return out;
}
Bytes numbers(std::initializer_list<std::uint32_t> list) {
  Bytes out;
  for (const auto each : list) net::Writer{out}.u32(each);
  return out;
}
Bytes prefix(std::uint8_t flags, std::uint32_t address, std::uint8_t length, std::uint8_t most, std::uint32_t asn,
             std::uint8_t version = 1) {
  Bytes body{flags, length, most, 0};
  net::Writer writer{body};
  writer.u32(address);
  writer.u32(asn);
  return pdu(version, 4, 0, body);
}
Bytes end_of_data(std::uint32_t serial, std::uint32_t refresh = 60) {
  return pdu(1, 7, 9, numbers({serial, refresh, 10, 600}));
}
Bytes join(const std::vector<Bytes>& all) {
  Bytes out;
  for (const auto& each : all) out.insert(out.end(), each.begin(), each.end());
  return out;
}
const Vrp ten{*net::parse_prefix("10.0.0.0/8"), 16, net::Asn{65001}};
const Vrp eleven{*net::parse_prefix("11.0.0.0/8"), 8, net::Asn{65002}};

struct Synchronized {
  RtrSession session;
  Synchronized() {
    session.connected(start);
    EXPECT_EQ(session.take_output(), pdu(1, 2, 0));
    session.received(join({pdu(1, 3, 9), prefix(1, 0x0a000000, 8, 16, 65001), end_of_data(5)}), start);
    EXPECT_TRUE(session.take_changed());
    EXPECT_EQ(session.state(), RtrSession::State::Synchronized);
  }
};

TEST(RtrSession, LearnsAllAndThenWhatChanges) {
  Synchronized with;
  EXPECT_THAT(with.session.vrps(), ElementsAre(ten));
  EXPECT_EQ(with.session.next_deadline(), start + net::Seconds{60});
  with.session.tick(start + net::Seconds{60});
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5})));
  with.session.received(join({pdu(1, 3, 9), prefix(1, 0x0b000000, 8, 8, 65002), prefix(0, 0x0a000000, 8, 16, 65001)}),
                        start);
  EXPECT_THAT(with.session.vrps(), ElementsAre(ten));  // not before the end
  EXPECT_FALSE(with.session.take_changed());
  with.session.received(end_of_data(6), start);
  EXPECT_THAT(with.session.vrps(), ElementsAre(eleven));
  EXPECT_TRUE(with.session.take_changed());
  EXPECT_EQ(with.session.serial(), 6U);
}

TEST(RtrSession, TakesBytesOneByOne) {
  RtrSession session;
  session.connected(start);
  for (const auto byte : join({pdu(1, 3, 9), prefix(1, 0x0a000000, 8, 16, 65001), end_of_data(5)}))
    session.received({&byte, 1}, start);
  EXPECT_THAT(session.vrps(), ElementsAre(ten));
}

TEST(RtrSession, AsksWhenItIsNotified) {
  Synchronized with;
  (void)with.session.take_output();
  with.session.received(pdu(1, 0, 9, numbers({5})), start);
  EXPECT_THAT(with.session.take_output(), IsEmpty());
  with.session.received(pdu(1, 0, 9, numbers({6})), start);
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5})));
}

TEST(RtrSession, AsksForEverythingAfterACacheReset) {
  Synchronized with;
  with.session.tick(start + net::Seconds{60});
  (void)with.session.take_output();
  with.session.received(pdu(1, 8, 0), start);
  EXPECT_EQ(with.session.take_output(), pdu(1, 2, 0));
  with.session.received(join({pdu(1, 3, 9), prefix(1, 0x0b000000, 8, 8, 65002), end_of_data(7)}), start);
  EXPECT_THAT(with.session.vrps(), ElementsAre(eleven));
}

TEST(RtrSession, KeepsWhatItKnowsWithoutAConnectionUntilItExpires) {
  Synchronized with;
  with.session.lost(start + net::Seconds{1});
  EXPECT_EQ(with.session.next_deadline(), start + net::Seconds{600});
  with.session.connected(start + net::Seconds{5});
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5})));
  with.session.lost(start + net::Seconds{6});
  with.session.tick(start + net::Seconds{600});
  EXPECT_THAT(with.session.vrps(), IsEmpty());
  EXPECT_TRUE(with.session.take_changed());
}

TEST(RtrSession, HangsUpOnACacheThatDoesNotAnswer) {
  RtrSession fresh;
  fresh.connected(start);
  EXPECT_EQ(fresh.next_deadline(), start + net::Seconds{60});
  fresh.tick(start + net::Seconds{60});
  EXPECT_TRUE(fresh.wants_close());

  Synchronized with;
  with.session.tick(start + net::Seconds{60});
  with.session.received(pdu(1, 3, 9), start + net::Seconds{100});
  const auto half = prefix(1, 0x0b000000, 8, 8, 65002);
  with.session.received(std::span{half}.first(10), start + net::Seconds{150});
  with.session.tick(start + net::Seconds{159});
  EXPECT_FALSE(with.session.wants_close());
  with.session.tick(start + net::Seconds{160});
  EXPECT_TRUE(with.session.wants_close());
  EXPECT_EQ(with.session.last_error(), "cache has not answered for 60 s");
  with.session.lost(start + net::Seconds{160});
  EXPECT_THAT(with.session.vrps(), ElementsAre(ten)) << "until it expires";
  EXPECT_LE(with.session.retry_at(), start + net::Seconds{170});
}

TEST(RtrSession, AsksForChangesOfWhatItKnowsAfterAnAnswerOfAnotherSessionWasCutOff) {
  Synchronized with;
  with.session.tick(start + net::Seconds{60});
  with.session.received(join({pdu(1, 8, 0), pdu(1, 3, 10), prefix(1, 0x0b000000, 8, 8, 65002)}), start);
  with.session.lost(start + net::Seconds{61});
  EXPECT_THAT(with.session.vrps(), ElementsAre(ten));
  (void)with.session.take_output();
  with.session.connected(start + net::Seconds{62});
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5}))) << "serial 5 is of session 9";
}

// It expires at 600 s.
struct SynchronizedAndAskedAgain : Synchronized {
  SynchronizedAndAskedAgain() {
    session.lost(start + net::Seconds{500});
    session.connected(start + net::Seconds{550});
    EXPECT_EQ(session.take_output(), pdu(1, 1, 9, numbers({5})));
  }
};

TEST(RtrSession, TakesAWholeAnswerDuringWhichWhatItKnewExpired) {
  SynchronizedAndAskedAgain with;
  const auto whole = join({pdu(1, 8, 0), pdu(1, 3, 9), prefix(1, 0x0b000000, 8, 8, 65002)});
  with.session.received(whole, start + net::Seconds{590});
  with.session.tick(start + net::Seconds{600});
  EXPECT_THAT(with.session.vrps(), IsEmpty());
  with.session.received(end_of_data(7), start + net::Seconds{600});
  EXPECT_FALSE(with.session.wants_close());
  EXPECT_THAT(with.session.vrps(), ElementsAre(eleven));
}

TEST(RtrSession, AsksForEverythingWhenWhatTheAnswerChangesHasExpired) {
  for (const bool began_before : {true, false}) {
    SynchronizedAndAskedAgain with;
    const auto begin = pdu(1, 3, 9);
    if (began_before) with.session.received(begin, start + net::Seconds{590});
    with.session.tick(start + net::Seconds{600});
    const auto now = start + net::Seconds{601};
    if (!began_before) with.session.received(begin, now);
    with.session.received(join({prefix(1, 0x0a000000, 8, 16, 65001), prefix(0, 0x0b000000, 8, 8, 65002)}), now);
    with.session.received(end_of_data(6), now);
    EXPECT_FALSE(with.session.wants_close()) << with.session.last_error();
    EXPECT_THAT(with.session.vrps(), IsEmpty());
    EXPECT_EQ(with.session.take_output(), pdu(1, 2, 0));
    with.session.received(join({pdu(1, 3, 9), prefix(1, 0x0b000000, 8, 8, 65002), end_of_data(7)}), now);
    EXPECT_THAT(with.session.vrps(), ElementsAre(eleven));
  }
}

// RFC 8210 section 7.
TEST(RtrSession, AsksForEverythingAfterACacheHungUpOnAQuestionForChanges) {
  Synchronized with;
  with.session.lost(start + net::Seconds{1});
  with.session.connected(start + net::Seconds{20});
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5})));
  with.session.lost(start + net::Seconds{20});
  EXPECT_THAT(with.session.vrps(), ElementsAre(ten));
  with.session.connected(start + net::Seconds{40});
  EXPECT_EQ(with.session.take_output(), pdu(1, 2, 0));
  with.session.received(join({pdu(1, 3, 10), prefix(1, 0x0b000000, 8, 8, 65002)}), start + net::Seconds{40});
  with.session.received(pdu(1, 7, 10, numbers({1, 60, 10, 600})), start + net::Seconds{40});
  EXPECT_THAT(with.session.vrps(), ElementsAre(eleven));
}

TEST(RtrSession, AsksForEverythingSoonAfterAReportOnAQuestionForChanges) {
  Synchronized with;
  auto now = start + net::Seconds{60};
  with.session.tick(now);
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5})));
  with.session.received(join({pdu(1, 3, 9), pdu(1, 7, 9, numbers({5, 60, 3000, 7200}))}), now);
  now += net::Seconds{60};
  with.session.tick(now);
  EXPECT_EQ(with.session.take_output(), pdu(1, 1, 9, numbers({5})));
  with.session.received(pdu(1, 10, 0, numbers({0, 0})), now);
  EXPECT_TRUE(with.session.wants_close());
  with.session.lost(now);
  EXPECT_LE(with.session.retry_at(), now + net::Seconds{10});
  now += net::Seconds{10};
  with.session.connected(now);
  EXPECT_EQ(with.session.take_output(), pdu(1, 2, 0));
  // A report on a question for everything is waited out as the cache wished.
  with.session.received(pdu(1, 10, 2, numbers({0, 0})), now);
  with.session.lost(now);
  EXPECT_GE(with.session.retry_at(), now + net::Seconds{3000});
}

TEST(RtrSession, SpeaksAnOlderVersionWithAnOlderCache) {
  RtrSession session;
  session.connected(start);
  (void)session.take_output();
  session.received(join({pdu(0, 3, 9), prefix(1, 0x0a000000, 8, 16, 65001, 0), pdu(0, 7, 9, numbers({5}))}), start);
  EXPECT_THAT(session.vrps(), ElementsAre(ten));
  EXPECT_EQ(session.version(), 0);

  RtrSession refused;
  refused.connected(start);
  (void)refused.take_output();
  refused.received(pdu(0, 10, 4, numbers({0, 0})), start);
  EXPECT_TRUE(refused.wants_close());
  refused.lost(start);
  EXPECT_EQ(refused.retry_at(), start);
  refused.connected(start);
  EXPECT_EQ(refused.take_output(), pdu(0, 2, 0));
}

TEST(RtrSession, EndsTheConnectionForWhatIsWrong) {
  const auto reported = [](const Bytes& bytes) {
    Synchronized with;
    with.session.tick(start + net::Seconds{60});
    (void)with.session.take_output();
    with.session.received(bytes, start);
    EXPECT_TRUE(with.session.wants_close());
    EXPECT_THAT(with.session.vrps(), SizeIs(1));  // nothing is lost by it
    const auto output = with.session.take_output();
    EXPECT_EQ(output.at(1), 10);
    return static_cast<unsigned>(output.at(3));
  };
  EXPECT_EQ(reported(pdu(1, 99, 0)), 5U);                                               // type
  EXPECT_EQ(reported(pdu(1, 2, 0)), 3U);                                                // a question
  EXPECT_EQ(reported(pdu(2, 3, 9)), 8U);                                                // version
  EXPECT_EQ(reported(prefix(1, 0x0a000000, 8, 16, 65001)), 0U);                         // out of place
  EXPECT_EQ(reported(join({pdu(1, 3, 9), prefix(1, 0x0a000000, 24, 16, 65001)})), 0U);  // lengths
  EXPECT_EQ(reported(join({pdu(1, 3, 9), prefix(1, 0x0a000000, 33, 33, 65001)})), 0U);
  EXPECT_EQ(reported(join({pdu(1, 3, 9), pdu(1, 4, 0, {1, 2, 3})})), 0U);
  EXPECT_EQ(reported({1, 3, 0, 9, 0, 0, 0, 7}), 0U);
  EXPECT_EQ(reported({1, 3, 0, 9, 0xff, 0, 0, 0}), 0U);
  EXPECT_EQ(reported(join({pdu(1, 3, 9), prefix(0, 0x0c000000, 8, 8, 65001), end_of_data(6)})), 6U);
  const auto again = prefix(1, 0x0a000000, 8, 16, 65001);
  const auto fresh = prefix(1, 0x0b000000, 8, 8, 65002);
  EXPECT_EQ(reported(join({pdu(1, 3, 9), again})), 7U);
  EXPECT_EQ(reported(join({pdu(1, 3, 9), fresh, fresh})), 7U);
}

// RFC 8210 section 5.6: announced twice is what is announced while it holds.
TEST(RtrSession, TakesAPayloadThatIsAnnouncedAndWithdrawnInTurn) {
  const auto announced = prefix(1, 0x0a000000, 8, 16, 65001);
  const auto withdrawn = prefix(0, 0x0a000000, 8, 16, 65001);
  Synchronized with;
  with.session.tick(start + net::Seconds{60});
  with.session.received(join({pdu(1, 3, 9), withdrawn, announced, withdrawn, announced, end_of_data(6)}), start);
  EXPECT_THAT(with.session.vrps(), ElementsAre(ten));
  EXPECT_FALSE(with.session.wants_close());

  RtrSession all;
  all.connected(start);
  (void)all.take_output();
  all.received(join({pdu(1, 3, 9), announced, announced}), start);
  EXPECT_TRUE(all.wants_close());
  EXPECT_THAT(all.last_error(), HasSubstr("10.0.0.0/8"));
  EXPECT_EQ(all.take_output().at(3), 7U);
  all.lost(start);
  all.connected(start);
  all.received(join({pdu(1, 3, 9), announced, end_of_data(5)}), start);
  EXPECT_THAT(all.vrps(), ElementsAre(ten));
}

TEST(RtrSession, ForgetsEverythingWhenTheCacheStartsAnew) {
  Synchronized with;
  with.session.tick(start + net::Seconds{60});
  with.session.received(pdu(1, 3, 10), start);
  EXPECT_TRUE(with.session.wants_close());
  EXPECT_THAT(with.session.vrps(), IsEmpty());
  with.session.lost(start);
  (void)with.session.take_output();
  with.session.connected(start);
  EXPECT_EQ(with.session.take_output(), pdu(1, 2, 0));
}

TEST(RtrSession, ShowsWhatTheCacheReports) {
  Synchronized with;
  Bytes body = numbers({0, 4});
  for (const char c : std::string{"busy"}) body.push_back(static_cast<std::uint8_t>(c));
  with.session.received(pdu(1, 10, 1, body), start);
  EXPECT_THAT(with.session.last_error(), HasSubstr("error 1: busy"));
  EXPECT_THAT(with.session.take_output(), IsEmpty());  // a report is not answered with one
}

// RFC 8210 section 5.11: not even one that cannot be read.
TEST(RtrSession, DoesNotAnswerABrokenReportWithAnother) {
  for (const auto& broken : {Bytes{1, 10, 0, 0, 0, 0, 0, 7}, Bytes{1, 10, 0, 0, 0xff, 0, 0, 0}}) {
    Synchronized with;
    with.session.received(broken, start);
    EXPECT_TRUE(with.session.wants_close());
    EXPECT_THAT(with.session.last_error(), HasSubstr("length"));
    EXPECT_THAT(with.session.take_output(), IsEmpty());
  }
}

}  // namespace
}  // namespace bgp
