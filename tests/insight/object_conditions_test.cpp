// SPDX-License-Identifier: Apache-2.0
// Against the real store; the time is the test's.
#include "insight/object_conditions.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "controller/json_member.hpp"
#include "tests/controller/store/store_fixture.hpp"
#include "tests/insight/objects.hpp"

namespace insight {
namespace {

using config::Kind;
using controller::ObjectKey;
using controller::testing::create;
using controller::testing::merge;
using nlohmann::json;
using namespace std::chrono_literals;

class ObjectConditionsTest : public controller::testing::StoreTest {
 public:
  ObjectConditionsTest() {
    conditions.start();
    source = std::make_unique<ObjectFollower>(
        *store, std::vector{Kind::BGPPeer, Kind::BGPConfiguration, Kind::BGPFilter, Kind::SpeakerState},
        [this](const ObjectFollower::Difference& difference) { take(difference); });
    source->start();
    conditions.lead();
  }

  void add(const json& object) {
    const auto kind = config::find_kind("herald.dev/v1", object["kind"].get<std::string>())->kind;
    ASSERT_TRUE(write(create({kind, "", object["metadata"]["name"].get<std::string>()}, object)));
  }
  void add_peer(json more = json::object()) {
    json spec{{"peerASN", 65001}, {"peerAddress", "10.0.0.1"}};
    spec.update(more);
    add(own("BGPPeer", "tor", spec));
  }
  void beat(int number, const std::vector<std::string>& sessions) {
    json spec{{"heartbeat", number}, {"heartbeatInterval", "1s"}, {"sessions", sessions}};
    if (number == 1) return add(own("SpeakerState", "n1", spec));
    ASSERT_TRUE(write(merge({Kind::SpeakerState, "", "n1"}, {{"spec", spec}})));
  }
  void take(const ObjectFollower::Difference& difference) {
    config::Changes changes;
    for (const auto& object : difference.set)
      for (auto& one : config::read_object(json::parse(object->text)).objects) changes.set.push_back(std::move(one));
    for (const auto& key : difference.removed) changes.removed.push_back({key.kind, key.name});
    if (set.apply(std::move(changes)) == config::ResourceSet::Effect::Configuration) conditions.reset();
  }
  void pass(std::chrono::milliseconds time) {
    for (auto left = time; left.count() > 0; left -= 250ms) {
      settle();
      clock += 250ms;
      conditions.work(set, {"n1"}, clock);
      settle();
    }
  }
  void settle() {
    auto passed = std::make_shared<bool>(false);
    ASSERT_TRUE(queue.run_until([this] { return store->statistics().pending == 0; }));
    queue.post([passed] { *passed = true; });
    ASSERT_TRUE(queue.run_until([passed] { return *passed; }));
  }
  json tor() { return get({Kind::BGPPeer, "", "tor"}); }
  std::string reason() {
    return controller::member_text(controller::condition_of(tor(), accepted_condition), "reason");
  }
  std::vector<json> events() {
    std::vector<json> out;
    const auto list = store->list({.kind = Kind::Event});
    for (const auto& event : list->objects) out.push_back(json::parse(event->text));
    return out;
  }

  boost::asio::io_context context;
  net::TimePoint clock = net::TimePoint{} + 1h;
  config::ResourceSet set;
  ObjectConditions conditions{{.executor = context.get_executor(),
                               .kubernetes = std::nullopt,
                               .load_balancer_class = {},
                               .objects = *store,
                               .event = nullptr}};
  std::unique_ptr<ObjectFollower> source;
};

TEST_F(ObjectConditionsTest, AreWrittenOnceAndHeartbeatsWriteNothing) {
  add(own("BGPConfiguration", "default", {{"asn", 65000}}));
  add_peer();
  beat(1, {"tor"});
  pass(1s);
  EXPECT_EQ(reason(), "Accepted");
  EXPECT_EQ(tor()["status"]["sessions"]["summary"], "1/1");
  EXPECT_EQ(controller::condition_of(tor(), accepted_condition)["observedGeneration"], 1);
  const auto version = tor()["metadata"]["resourceVersion"];
  for (int i = 2; i < 20; ++i) {
    beat(i, {"tor"});
    pass(250ms);
  }
  pass(5s);
  EXPECT_EQ(tor()["metadata"]["resourceVersion"], version);
  EXPECT_EQ(tor()["metadata"]["generation"], 1);
  beat(20, {});
  pass(1s);
  EXPECT_EQ(tor()["status"]["sessions"]["notEstablished"], json::array({"n1"}));
  EXPECT_TRUE(events().empty()) << "a session that is down is no refusal";
}

TEST_F(ObjectConditionsTest, MakeOneEventOfEachRefusal) {
  add(own("BGPConfiguration", "default", {{"asn", 65000}}));
  add_peer({{"import", {"later"}}});
  pass(5s);
  EXPECT_EQ(reason(), "HeldDown");
  ASSERT_EQ(events().size(), 1U);
  const auto event = events().front();
  EXPECT_EQ(event["reason"], "NotAccepted");
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["metadata"]["namespace"], "default") << "where those of objects without one belong";
  EXPECT_EQ(event["involvedObject"]["kind"], "BGPPeer");
  EXPECT_EQ(event["involvedObject"]["apiVersion"], "herald.dev/v1");
  EXPECT_EQ(event["involvedObject"]["uid"], tor()["metadata"]["uid"]);
  EXPECT_EQ(event["message"], "spec.import: names BGPFilter/later, which is not there or is refused");

  ASSERT_TRUE(write(merge({Kind::BGPPeer, "", "tor"}, {{"spec", {{"import", {"later", "never"}}}}})));
  pass(5s);
  EXPECT_EQ(events().size(), 2U) << "another reason";
  ASSERT_TRUE(write(merge({Kind::BGPPeer, "", "tor"}, {{"spec", {{"import", {"accept-all"}}}}})));
  pass(5s);
  EXPECT_EQ(reason(), "Accepted");
  EXPECT_EQ(events().size(), 2U);
}

TEST_F(ObjectConditionsTest, ArePutBackWhenSomebodyTakesThemAway) {
  add(own("BGPConfiguration", "default", {{"asn", 65000}}));
  add_peer();
  pass(1s);
  ASSERT_TRUE(write(merge({Kind::BGPPeer, "", "tor"}, {{"status", {{"conditions", nullptr}}}})));
  EXPECT_EQ(reason(), "");
  pass(1s);
  EXPECT_EQ(reason(), "Accepted");
  EXPECT_NE(conditions.metrics().find("herald_objects_refused 0"), std::string::npos) << conditions.metrics();
}

TEST_F(ObjectConditionsTest, StandStillUntilItLeads) {
  conditions.stand_by();
  add(own("BGPConfiguration", "default", {{"asn", 65000}}));
  add_peer();
  settle();
  clock += 1h;
  EXPECT_EQ(reason(), "");
  conditions.lead();
  pass(1s);
  EXPECT_EQ(reason(), "Accepted");
}

}  // namespace
}  // namespace insight
