// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/election.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
const net::TimePoint start{std::chrono::hours{1}};
const std::string wall = "2026-01-01T00:00:00.000000Z";

LeaseRecord held_by(const std::string& holder, const std::string& version) {
  return {holder, seconds{2}, 3, wall, version};
}

// The API of one Lease: takes a write when it is guarded by the present version.
struct Api {
  LeaseRecord record;
  int version = 0;
  bool write(Election& election, net::TimePoint now) {
    const auto due = election.due(now, wall);
    if (!due) return false;
    if (due->resource_version != record.resource_version) {
      election.failed(now);
      return false;
    }
    record = *due;
    record.resource_version = std::to_string(++version);
    election.wrote(*due, record.resource_version, now);
    return true;
  }
};

TEST(AnElection, MakesTheLeaseThatIsNotThereAndLeads) {
  Election election{"a"};
  EXPECT_FALSE(election.due(start, wall)) << "nothing is known yet";
  election.observe({}, start);
  const auto due = election.due(start, wall);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->holder, "a");
  EXPECT_EQ(due->resource_version, "");
  EXPECT_EQ(due->transitions, 0);
  EXPECT_FALSE(election.leads(start));
  election.wrote(*due, "1", start);
  EXPECT_TRUE(election.leads(start));
}

TEST(AnElection, RenewsBeforeItIsInDoubtAndStopsWhenItCannot) {
  Election election{"a"};
  Api api;
  election.observe({}, start);
  ASSERT_TRUE(api.write(election, start));
  EXPECT_FALSE(election.due(start + milliseconds{499}, wall));
  ASSERT_TRUE(api.write(election, start + milliseconds{500}));
  EXPECT_TRUE(election.leads(start + milliseconds{500 + 1749}));
  EXPECT_FALSE(election.leads(start + milliseconds{500 + 1750})) << "before others may take over";
  // The API comes back and nobody else was there: it goes on.
  EXPECT_FALSE(election.lost());
  ASSERT_TRUE(api.write(election, start + seconds{60}));
  EXPECT_TRUE(election.leads(start + seconds{60}));
  EXPECT_FALSE(election.lost());
}

TEST(AStandby, TakesOverWhenTheRecordHasNotChangedForItsDurationOnItsOwnClock) {
  Election election{"b"};
  election.observe(held_by("a", "5"), start);
  EXPECT_FALSE(election.due(start + milliseconds{1999}, wall));
  election.observe(held_by("a", "6"), start + milliseconds{1000});
  EXPECT_FALSE(election.due(start + milliseconds{2999}, wall));
  EXPECT_EQ(election.next_deadline(start + milliseconds{1500}), start + milliseconds{3000});
  const auto due = election.due(start + milliseconds{3000}, wall);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->holder, "b");
  EXPECT_EQ(due->transitions, 4);
  EXPECT_EQ(due->resource_version, "6");
}

TEST(AStandby, TakesAtOnceWhatWasGivenUp) {
  Election leader{"a"};
  Api api;
  leader.observe({}, start);
  ASSERT_TRUE(api.write(leader, start));
  Election standby{"b"};
  standby.observe(api.record, start);
  EXPECT_FALSE(standby.due(start + milliseconds{10}, wall));
  auto released = leader.release();
  ASSERT_TRUE(released);
  released->resource_version = "2";
  standby.observe(*released, start + milliseconds{20});
  EXPECT_TRUE(standby.due(start + milliseconds{20}, wall));
  EXPECT_FALSE(standby.release()) << "it is not this one's to give up";
}

TEST(ALeaderThatSlept, LearnsThatItHasLost) {
  Election election{"a"};
  Api api;
  election.observe({}, start);
  ASSERT_TRUE(api.write(election, start));
  const auto later = start + seconds{10};
  EXPECT_FALSE(election.leads(later)) << "by the clock alone, before it has heard anything";
  election.observe(held_by("b", "9"), later);
  EXPECT_TRUE(election.lost());
  election.accept_loss();
  EXPECT_FALSE(election.lost());
  EXPECT_FALSE(election.due(later, wall));
  EXPECT_FALSE(election.leads(later));
}

TEST(AnElection, IsNotMisledByAnOldEventAfterItsOwnWrite) {
  Election election{"a"};
  election.observe(held_by("b", "10"), start);
  const auto due = election.due(start + seconds{2}, wall);
  ASSERT_TRUE(due);
  election.wrote(*due, "12", start + seconds{2});
  election.observe(held_by("b", "11"), start + seconds{2});
  EXPECT_TRUE(election.leads(start + seconds{2}));
  EXPECT_FALSE(election.lost());
}

TEST(AnElection, WaitsAfterAFailureAndThenTriesAgain) {
  Election election{"a"};
  election.observe({}, start);
  election.failed(start);
  EXPECT_FALSE(election.due(start + milliseconds{199}, wall));
  EXPECT_LE(election.next_deadline(start), start + milliseconds{200});
  EXPECT_TRUE(election.due(start + milliseconds{200}, wall));
}

// Two of them over one Lease, with the writes of one lost at random times: never do both lead.
TEST(TwoElections, NeverLeadTogether) {
  for (int seed = 0; seed < 50; ++seed) {
    Api api;
    Election one{"one"}, two{"two"};
    int changes = 0;
    std::string last;
    for (int step = 0; step < 2000; ++step) {
      const auto now = start + milliseconds{step * 20};
      const bool one_away = (step / (150 + seed)) % 3 == 1;
      const bool two_away = (step / (190 + seed)) % 4 == 2;
      for (auto [election, away] : {std::pair{&one, one_away}, std::pair{&two, two_away}}) {
        if (away) continue;
        election->observe(api.record, now);
        api.write(*election, now);
      }
      ASSERT_FALSE(one.leads(now) && two.leads(now)) << "seed " << seed << " step " << step;
      const std::string leader = one.leads(now) ? "one" : two.leads(now) ? "two" : "";
      if (!leader.empty() && leader != last) {
        ++changes;
        last = leader;
      }
    }
    EXPECT_GT(changes, 1) << "seed " << seed;
  }
}

TEST(ALease, IsReadAndPrintedAsKubernetesHasIt) {
  const auto text = print_lease(held_by("a", "7"), "herald-controller", "herald-system", wall);
  EXPECT_EQ(text["spec"]["leaseDurationSeconds"], 2);
  EXPECT_EQ(text["metadata"]["resourceVersion"], "7");
  const auto read = read_lease(text);
  EXPECT_EQ(read.holder, "a");
  EXPECT_EQ(read.transitions, 3);
  EXPECT_EQ(read.duration, seconds{2});
  // Nobody is left out: an empty name is refused by newer servers.
  EXPECT_FALSE(print_lease(held_by("", "7"), "n", "s", wall)["spec"].contains("holderIdentity"));
  EXPECT_EQ(read_lease(nlohmann::json::parse(R"({"spec":{"holderIdentity":7,"leaseDurationSeconds":-4}})")).duration,
            seconds{0});
}

}  // namespace
}  // namespace controller
