// SPDX-License-Identifier: Apache-2.0
// Against the real store; the time is the test's.
#include "insight/settled_writes.hpp"

#include <gtest/gtest.h>

#include "controller/json_member.hpp"
#include "tests/controller/store/store_fixture.hpp"

namespace insight {
namespace {

using controller::ObjectKey;
using controller::ObjectStatus;
using controller::Statement;
using controller::testing::create;
using controller::testing::merge;
using controller::testing::pool;
using nlohmann::json;
using namespace std::chrono_literals;
using Status = Statement::Status;

constexpr SettledWrites::Pace pace{.settle = 500ms, .per_second = 10, .told_settle = 2s, .told_per_second = 1};

ObjectStatus ready(Status status, const std::string& message = "as it is") {
  return {.conditions = {{.type = "Ready", .status = status, .reason = "Said", .message = message}}};
}

class SettledWritesTest : public controller::testing::StoreTest {
 public:
  void SetUp() override {
    for (int i = 0; i < 30; ++i) ASSERT_TRUE(write(create(one(i), {{"spec", {{"addresses", {"192.0.2.0/24"}}}}})));
  }
  static ObjectKey one(int number) { return pool("p" + std::to_string(number)); }

  void want(int number, const ObjectStatus& said) { writes.want(one(number), said, clock); }
  // Lets the time pass, in the steps of a caller's timer.
  void pass(std::chrono::milliseconds time) {
    for (auto left = time; left.count() > 0; left -= 250ms) {
      clock += std::min(left, std::chrono::milliseconds{250ms});
      writes.write_due(clock);
      ASSERT_TRUE(queue.run_until([this] { return store->statistics().pending == 0 && calm(); }));
    }
  }
  // What was posted so far has run.
  bool calm() {
    auto passed = std::make_shared<bool>(false);
    queue.post([passed] { *passed = true; });
    return queue.run_until([passed] { return *passed; });
  }
  std::string said(int number) {
    return controller::member_text(controller::condition_of(get(one(number)), "Ready"), "message");
  }
  int count_said() {
    int count = 0;
    for (int i = 0; i < 30; ++i) count += said(i).empty() ? 0 : 1;
    return count;
  }

  net::TimePoint clock = net::TimePoint{} + 1h;
  std::vector<ObjectKey> looked;
  std::vector<std::uint64_t> written;  // revisions before
  SettledWrites writes{*store,
                       pace,
                       {.look = [this](const ObjectKey& key) { looked.push_back(key); },
                        .written = [this](const controller::Object& before,
                                          const ObjectStatus& /*said*/) { written.push_back(before.revision); }}};
};

TEST_F(SettledWritesTest, WriteWhatHasHeldAndLookAgain) {
  want(1, ready(Status::True));
  pass(250ms);
  EXPECT_EQ(said(1), "");
  pass(250ms);
  EXPECT_EQ(said(1), "as it is");
  EXPECT_EQ(looked, std::vector{one(1)});
  EXPECT_EQ(written.size(), 1U);
  const auto revision = store->get(one(1))->revision;
  want(1, ready(Status::True));
  pass(5s);
  EXPECT_EQ(store->get(one(1))->revision, revision) << "it says so already";
}

TEST_F(SettledWritesTest, WriteNothingOfWhatChangesBackAndForth) {
  want(1, ready(Status::True));
  pass(1s);
  const auto revision = store->get(one(1))->revision;
  for (int i = 0; i < 20; ++i) {
    want(1, ready(i % 2 == 0 ? Status::False : Status::True));
    pass(250ms);
  }
  want(1, ready(Status::True));
  pass(5s);
  EXPECT_EQ(store->get(one(1))->revision, revision);
}

TEST_F(SettledWritesTest, GoAtTheirPaceAndSlowerWhereTheStatusStays) {
  for (int i = 0; i < 30; ++i) want(i, ready(Status::True));
  pass(500ms);
  EXPECT_EQ(count_said(), 20) << "the burst";
  pass(1s);
  EXPECT_EQ(count_said(), 30);
  // Only the message is another: 2 s, and then 4 at once and one a second.
  for (int i = 0; i < 30; ++i) want(i, ready(Status::True, "other nodes"));
  pass(2s);
  const auto others = [this] {
    int count = 0;
    for (int i = 0; i < 30; ++i) count += said(i) == "other nodes" ? 1 : 0;
    return count;
  };
  EXPECT_EQ(others(), 4);
  pass(10s);
  EXPECT_EQ(others(), 14);
}

TEST_F(SettledWritesTest, TakeAnotherGenerationForNews) {
  auto status = ready(Status::True);
  want(1, status);
  pass(1s);
  status.conditions[0].observed_generation = 2;
  want(1, status);
  pass(500ms);
  EXPECT_EQ(controller::condition_of(get(one(1)), "Ready")["observedGeneration"], 2);
}

TEST_F(SettledWritesTest, DoNotOverwriteWhatChangedMeanwhile) {
  want(1, ready(Status::True));
  clock += 500ms;
  store->write({merge(one(1), {{"status", {{"note", "newer"}}}})}, nullptr);
  writes.write_due(clock);  // decided upon what is committed, which the other write is ahead of
  ASSERT_TRUE(queue.run_until([this] { return !looked.empty(); }));
  EXPECT_EQ(said(1), "");
  EXPECT_TRUE(written.empty());
  want(1, ready(Status::True));
  pass(500ms);
  EXPECT_EQ(said(1), "as it is");
  EXPECT_EQ(get(one(1))["status"]["note"], "newer");
}

TEST_F(SettledWritesTest, AreForgottenWithTheObjectAndWithTheLead) {
  want(1, ready(Status::True));
  writes.abandon();
  pass(2s);
  EXPECT_EQ(said(1), "");
  writes.want(pool("nowhere"), ready(Status::True), clock);
  pass(2s);
  EXPECT_TRUE(looked.empty());
}

}  // namespace
}  // namespace insight
