// SPDX-License-Identifier: Apache-2.0
#include "insight/object_follower.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/controller/store/store_fixture.hpp"

namespace insight {
namespace {

using config::Kind;
using controller::testing::create;
using controller::testing::merge;
using controller::testing::pool;
using controller::testing::remove;
using nlohmann::json;

class ObjectFollowerTest : public controller::testing::StoreTest {
 public:
  ObjectFollowerTest() {
    history = 4;
    open();
  }
  void follow() {
    follower.emplace(*store, std::vector{Kind::IPAddressPool, Kind::BGPFilter},
                     [this](const ObjectFollower::Difference& difference) { take(difference); });
    follower->start();
  }
  void take(const ObjectFollower::Difference& difference) {
    ++told;
    for (const auto& object : difference.set) seen[object->key.name] = object->revision;
    for (const auto& key : difference.removed) seen.erase(key.name);
  }
  // What is there.
  std::map<std::string, std::uint64_t> there() {
    std::map<std::string, std::uint64_t> out;
    const auto list = store->list({.kind = Kind::IPAddressPool});
    for (const auto& object : list->objects) out.emplace(object->key.name, object->revision);
    return out;
  }
  void settle() {
    auto passed = std::make_shared<bool>(false);
    queue.post([passed] { *passed = true; });
    ASSERT_TRUE(queue.run_until([passed] { return *passed; }));
  }

  std::optional<ObjectFollower> follower;
  std::map<std::string, std::uint64_t> seen;
  int told = 0;
};

TEST_F(ObjectFollowerTest, TellsWhatIsThereAtOnceAndThenWhatChanges) {
  write(create(pool("a")));
  write(create(pool("b")));
  follow();
  EXPECT_EQ(told, 1);
  EXPECT_EQ(seen, there());
  write(merge(pool("a"), {{"spec", {{"note", 1}}}}));
  write(remove(pool("b")));
  write(create(pool("c")));
  settle();
  EXPECT_EQ(seen, there());
  EXPECT_GT(told, 1);
  const auto before = told;
  write(create(controller::testing::service("web")));
  settle();
  EXPECT_EQ(told, before) << "another kind";
}

TEST_F(ObjectFollowerTest, ComparesAListWhereTheHistoryIsTooShort) {
  for (int i = 0; i < 3; ++i) write(create(pool("p" + std::to_string(i))));
  follow();
  // Many changes in one transaction, told by one wake.
  std::vector<controller::Write> batch;
  for (int i = 0; i < 40; ++i) batch.push_back(merge(pool("p1"), {{"spec", {{"note", i}}}}));
  batch.push_back(remove(pool("p0")));
  batch.push_back(create(pool("p9")));
  write_all(std::move(batch));
  settle();
  EXPECT_EQ(seen, there());
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(ObjectFollowerTest, IsSilentWhenItStops) {
  follow();
  follower->stop();
  write(create(pool("a")));
  settle();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace insight
