// SPDX-License-Identifier: Apache-2.0
#include "controller/store/store.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "store_fixture.hpp"

namespace controller::testing {
namespace {

using Code = WriteError::Code;

class StoreWithOneService : public StoreTest {
 public:
  StoreWithOneService() {
    write(create(service("web"), {{"spec", {{"type", "LoadBalancer"}}}, {"metadata", {{"labels", {{"app", "web"}}}}}}));
  }
};
class StoreReopened : public StoreTest {};
class StoreWatched : public StoreTest {};
class StoreListed : public StoreTest {};
class StoreOfHeartbeats : public StoreTest {};

std::vector<std::string> names(const std::vector<ObjectPtr>& objects) {
  std::vector<std::string> all;
  for (const auto& object : objects) all.push_back(object->key.name);
  return all;
}

TEST_F(StoreWithOneService, StampsIdentityOnCreation) {
  const auto object = get(service("web"));
  EXPECT_EQ(object["apiVersion"], "v1");
  EXPECT_EQ(object["kind"], "Service");
  const auto& metadata = object["metadata"];
  EXPECT_EQ(metadata["name"], "web");
  EXPECT_EQ(metadata["namespace"], "default");
  EXPECT_EQ(metadata["generation"], 1);
  EXPECT_EQ(metadata["creationTimestamp"], "2023-11-14T22:13:20Z");
  EXPECT_THAT(metadata["uid"].get<std::string>(),
              ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(metadata["resourceVersion"], std::to_string(store->get(service("web"))->revision));
}

TEST_F(StoreWithOneService, IsNotVisibleBeforeItIsDurable) {
  auto done = false;
  store->write({create(service("late"))}, [&done](const auto&) { done = true; });
  EXPECT_FALSE(done);
  EXPECT_EQ(store->get(service("late")), nullptr);
  EXPECT_NE(store->latest(service("late")), nullptr);
  const auto listed_at = store->list({.kind = config::Kind::Service})->revision;
  ASSERT_TRUE(queue.run_until([&done] { return done; }));
  ASSERT_NE(store->get(service("late")), nullptr);
  // A watch from a list taken meanwhile shows it.
  EXPECT_GT(store->get(service("late"))->revision, listed_at);
}

TEST_F(StoreWithOneService, RefusesASecondOfTheSameName) {
  const auto second = write(create(service("web")));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), (WriteError{Code::AlreadyExists, "services \"web\" already exists"}));
}

TEST_F(StoreWithOneService, RefusesASecondOfTheSameNameWhileTheFirstIsOnItsWay) {
  const auto both = write_all({create(service("twin")), create(service("twin"))});
  EXPECT_TRUE(both[0]);
  ASSERT_FALSE(both[1]);
  EXPECT_EQ(both[1].error().code, Code::AlreadyExists);
}

TEST_F(StoreWithOneService, ChecksAWriteAgainstTheNewestOfSeveralOnTheirWay) {
  auto landed = false;
  store->write({remove(service("web")), create(service("web"))}, [&landed](const auto&) { landed = true; });
  store->write({remove(service("web"))}, nullptr);  // goes into the transaction after that one
  ASSERT_TRUE(queue.run_until([&landed] { return landed; }));
  EXPECT_NE(store->get(service("web")), nullptr);
  EXPECT_EQ(store->latest(service("web")), nullptr);
  EXPECT_TRUE(write(create(service("web"))));
}

TEST_F(StoreWithOneService, TakesTextInThePlaceOfATree) {
  auto made = create(service("text"));
  made.text = R"({"metadata":{"labels":{"a":"b"},"name":"other","uid":"x"},"spec":{"type":"NodePort"}})";
  const auto object = write(std::move(made));
  ASSERT_TRUE(object);
  EXPECT_EQ((*object)->labels.find("a"), "b");
  EXPECT_NE((*object)->uid, "x");
  EXPECT_EQ(get(service("text"))["metadata"]["name"], "text");
  auto patch = merge(service("text"), {});
  patch.text = R"({"metadata":{"labels":{"a":null}},"status":{"x":[1]}})";
  ASSERT_TRUE(write(patch));
  EXPECT_EQ(get(service("text"))["status"]["x"], json::array({1}));
  EXPECT_EQ(get(service("text"))["metadata"]["labels"], json::object());
  EXPECT_EQ(get(service("text"))["metadata"]["generation"], 1);
  patch.text = "[1";
  EXPECT_EQ(write(patch).error().code, Code::Invalid);
}

TEST_F(StoreWithOneService, KeepsObjectsAsTheirTreesArePrinted) {
  write(replace(service("web"), {{"spec", {{"b", {1, 2.5, "\"\n"}}, {"a", nullptr}}}, {"aaa", true}}));
  write(merge(service("web"),
              {{"spec", {{"b", nullptr}, {"c", {{"x", "\xc3\xa9"}}}}}, {"metadata", {{"labels", {{"l", "m"}}}}}}));
  const auto text = store->get(service("web"))->text;
  EXPECT_EQ(json::parse(text).dump(), text);
}

TEST_F(StoreWithOneService, RefusesAReplaceOfAnOlderRevision) {
  const auto old = store->get(service("web"))->revision;
  auto object = get(service("web"));
  object["spec"]["type"] = "ClusterIP";
  ASSERT_TRUE(write(replace(service("web"), object, old)));
  object["spec"]["type"] = "NodePort";
  const auto late = write(replace(service("web"), object, old));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::Conflict);
  EXPECT_EQ(get(service("web"))["spec"]["type"], "ClusterIP");
}

TEST_F(StoreWithOneService, RefusesADeleteOfAnotherUid) {
  auto wrong = remove(service("web"));
  wrong.if_uid = "0b5ca4cd-0000-4000-8000-000000000000";
  const auto refused = write(wrong);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Conflict);
}

TEST_F(StoreWithOneService, DoesNotFindWhatIsNotThere) {
  for (const auto& absent : {merge(service("no"), {}), replace(service("no"), json::object()), remove(service("no"))}) {
    const auto result = write(absent);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), (WriteError{Code::NotFound, "services \"no\" not found"}));
  }
}

TEST_F(StoreWithOneService, CountsGenerationUpForIntentOnly) {
  ASSERT_TRUE(write(merge(service("web"), {{"status", {{"loadBalancer", {{"ingress", json::array()}}}}}})));
  ASSERT_TRUE(write(merge(service("web"), {{"metadata", {{"annotations", {{"a", "b"}}}}}})));
  EXPECT_EQ(get(service("web"))["metadata"]["generation"], 1);
  ASSERT_TRUE(write(merge(service("web"), {{"spec", {{"type", "NodePort"}}}})));
  EXPECT_EQ(get(service("web"))["metadata"]["generation"], 2);
}

TEST_F(StoreWithOneService, KeepsIdentityWhateverAnUpdateSays) {
  const auto before = get(service("web"))["metadata"];
  ASSERT_TRUE(write(merge(service("web"), {{"kind", "Secret"},
                                           {"metadata", {{"name", "x"}, {"uid", "y"}, {"generation", 77}}},
                                           {"spec", {{"type", "NodePort"}}}})));
  const auto after = get(service("web"));
  EXPECT_EQ(after["kind"], "Service");
  EXPECT_EQ(after["metadata"]["name"], "web");
  EXPECT_EQ(after["metadata"]["uid"], before["uid"]);
  EXPECT_EQ(after["metadata"]["creationTimestamp"], before["creationTimestamp"]);
  EXPECT_EQ(after["metadata"]["generation"], 2);
}

TEST_F(StoreWithOneService, MakesNoRevisionOfAWriteThatChangesNothing) {
  const auto before = store->get(service("web"));
  const auto rows = store->statistics().rows;
  const auto same = write(merge(service("web"), {{"spec", {{"type", "LoadBalancer"}}}}));
  ASSERT_TRUE(same);
  EXPECT_EQ(*same, before);
  EXPECT_EQ(store->statistics().rows, rows);
}

TEST_F(StoreWithOneService, HoldsADeleteForFinalizers) {
  ASSERT_TRUE(write(merge(service("web"), {{"metadata", {{"finalizers", {"herald.dev/address"}}}}})));
  ASSERT_TRUE(write(remove(service("web"))));
  ASSERT_NE(store->get(service("web")), nullptr);
  EXPECT_EQ(get(service("web"))["metadata"]["deletionTimestamp"], "2023-11-14T22:13:20Z");
  ASSERT_TRUE(write(merge(service("web"), {{"metadata", {{"finalizers", json::array()}}}})));
  EXPECT_EQ(store->get(service("web")), nullptr);
}

TEST_F(StoreWithOneService, PreviewsWithoutWriting) {
  const auto preview = store->preview(merge(service("web"), {{"spec", {{"type", "NodePort"}}}}));
  ASSERT_TRUE(preview);
  EXPECT_EQ(json::parse((*preview)->text)["spec"]["type"], "NodePort");
  EXPECT_EQ(get(service("web"))["spec"]["type"], "LoadBalancer");
  EXPECT_FALSE(store->preview(create(service("web"))));
}

TEST_F(StoreWithOneService, JudgesEachWriteOfABatchOnItsOwn) {
  const auto results = write_all({create(service("a")), create(service("web")), create(service("b"))});
  EXPECT_TRUE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_TRUE(results[2]);
  EXPECT_EQ(store->count(config::Kind::Service), 3U);
}

TEST_F(StoreWithOneService, SharesOneTransactionBetweenWritesThatArriveTogether) {
  const auto before = store->statistics().transactions;
  auto answers = 0;
  for (auto i = 0; i < 100; ++i) {
    store->write({create(service(fmt::format("s{}", i)))}, [&answers](const auto&) { ++answers; });
  }
  ASSERT_TRUE(queue.run_until([&answers] { return answers == 100; }));
  EXPECT_LE(store->statistics().transactions - before, 2U);
}

TEST_F(StoreReopened, HasEverythingAndGoesOnCounting) {
  write_all({create(service("a"), {{"metadata", {{"labels", {{"x", "1"}, {"y", "2"}}}}}}), create(pool("p"))});
  write(create(service("gone")));
  const auto last = write(remove(service("gone")));
  const auto text = store->get(service("a"))->text;
  open();
  ASSERT_NE(store->get(service("a")), nullptr);
  EXPECT_EQ(store->get(service("a"))->text, text);
  EXPECT_EQ(store->get(service("a"))->labels.find("y"), "2");
  EXPECT_EQ(store->get(service("a"))->labels.find("z"), std::nullopt);
  EXPECT_NE(store->get(pool("p")), nullptr);
  EXPECT_EQ(store->get(service("gone")), nullptr);
  EXPECT_GT((*write(create(service("b"))))->revision, (*last)->revision);
}

TEST_F(StoreReopened, ResumesWatchesOfKindsThatDidNotChangeSince) {
  write(create(pool("p")));
  const auto seen = store->revision(config::Kind::IPAddressPool);
  write(create(service("a")));
  open();
  EXPECT_TRUE(store->changes(config::Kind::IPAddressPool, seen, 10));
  EXPECT_FALSE(store->changes(config::Kind::Service, seen, 10)) << "the creation of a is not in the history";
}

TEST_F(StoreReopened, AsANewFileKnowsNothingOfOldRevisions) {
  const auto seen = store->revision(config::Kind::Service);
  store.reset();
  queue.discard();
  std::filesystem::remove(folder / "store.db");
  now += std::chrono::hours{1};
  open();
  EXPECT_FALSE(store->changes(config::Kind::Service, seen, 10));
}

class StoreOfThingsHeld : public StoreTest {
 public:
  StoreOfThingsHeld() {
    holdings = [](config::Kind kind, std::string_view object) {
      const auto holds = json::parse(object).value("/spec/holds"_json_pointer, json::array());
      return kind == config::Kind::Service ? holds.get<std::vector<std::string>>() : std::vector<std::string>{};
    };
    open();
  }
  static json holding(std::vector<std::string> things) { return {{"spec", {{"holds", std::move(things)}}}}; }
};

TEST_F(StoreOfThingsHeld, RemembersOverARestartWhatWasGivenUpByWhomAndWhen) {
  write(create(service("a"), holding({"x", "y"})));
  write(create(pool("p"), holding({"not asked"})));
  write(remove(pool("p")));
  const auto first = now;
  write(merge(service("a"), holding({"y", "z"})));
  now += std::chrono::seconds{10};
  write(remove(service("a")));
  EXPECT_TRUE(store->releases().empty()) << "it tells of earlier lives";
  open();
  EXPECT_THAT(store->releases(),
              ::testing::ElementsAre(Release{"x", "default/a", first}, Release{"y", "default/a", now},
                                     Release{"z", "default/a", now}));
}

TEST_F(StoreOfThingsHeld, RemembersNothingOfWritesThatWereRefusedOrGaveNothingUp) {
  write(create(service("a"), holding({"x"})));
  EXPECT_FALSE(write(replace(service("a"), holding({}), 1)));
  write(merge(service("a"), {{"metadata", {{"labels", {{"b", "c"}}}}}}));
  write(replace(service("a"), holding({"x", "more"})));
  write(create(service("kept"), {{"spec", {{"holds", {"k"}}}}, {"metadata", {{"finalizers", {"f"}}}}}));
  write(remove(service("kept")));  // it waits for its finalizer and holds until then
  open();
  EXPECT_TRUE(store->releases().empty());
  write(merge(service("kept"), {{"metadata", {{"finalizers", nullptr}}}}));
  open();
  ASSERT_EQ(store->releases().size(), 1U);
  EXPECT_EQ(store->releases()[0].what, "k");
}

TEST_F(StoreOfThingsHeld, KnowsTheLastTimeOfEachAndForgetsWhatIsOld) {
  write(create(service("a"), holding({"x", "y"})));
  write(remove(service("a")));
  now += std::chrono::seconds{60};
  write(create(service("b"), holding({"x"})));
  write(remove(service("b")));
  store->forget_releases(now - std::chrono::seconds{30});
  write(create(service("c")));  // the next transaction takes it along
  open();
  EXPECT_THAT(store->releases(), ::testing::ElementsAre(Release{"x", "default/b", now}));
}

TEST_F(StoreOfThingsHeld, PutsOnRecordWhatWasOnItsWayWhenItClosed) {
  write(create(service("a"), holding({"x"})));
  store->write({remove(service("a"))}, nullptr);
  store->write({create(service("b"), holding({"y"}))}, nullptr);
  store->write({remove(service("b"))}, nullptr);
  open();
  EXPECT_EQ(store->releases().size(), 2U);
}

TEST_F(StoreReopened, IsRefusedToASecondProcess) {
  const auto second = [this] {
    Store{{.file = folder / "store.db", .post = [](auto) {}, .now = [this] { return now; }}};
  };
  EXPECT_THROW(second(), std::runtime_error);
}

TEST_F(StoreReopened, IsRefusedWhenTheFileIsDamaged) {
  const auto file = folder / "damaged.db";
  std::ofstream{file} << std::string(8192, 'x');
  const auto reopen = [&] { Store{{.file = file, .post = [](auto) {}, .now = [this] { return now; }}}; };
  EXPECT_THROW(reopen(), std::runtime_error);
}

TEST_F(StoreWatched, ShowsChangesInOrder) {
  const auto start = store->revision(config::Kind::Service);
  write(create(service("a")));
  write(merge(service("a"), {{"spec", {{"type", "NodePort"}}}}));
  write(create(pool("other kind")));
  write(remove(service("a")));
  const auto changes = store->changes(config::Kind::Service, start, 10);
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 3U);
  EXPECT_EQ((*changes)[0].type, Change::Type::Added);
  EXPECT_EQ((*changes)[1].type, Change::Type::Modified);
  EXPECT_EQ((*changes)[1].before, (*changes)[0].object);
  EXPECT_EQ((*changes)[2].type, Change::Type::Deleted);
  EXPECT_EQ((*changes)[2].object->revision, (*changes)[2].revision);
  EXPECT_EQ(json::parse((*changes)[2].object->text)["spec"]["type"], "NodePort");
  EXPECT_EQ(store->changes(config::Kind::Service, (*changes)[1].revision, 10)->size(), 1U);
  EXPECT_EQ(store->changes(config::Kind::Service, start, 2)->size(), 2U);
}

TEST_F(StoreWatched, ForgetsWhatIsOlderThanItsHistory) {
  history = 8;
  open();
  const auto start = store->revision(config::Kind::IPAddressPool);
  write(create(pool("p")));
  for (auto i = 0; i < 20; ++i) write(merge(pool("p"), {{"spec", {{"n", i}}}}));
  const auto expired = store->changes(config::Kind::IPAddressPool, start, 100);
  ASSERT_FALSE(expired);
  const auto rest = store->changes(config::Kind::IPAddressPool, expired.error().oldest, 100);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size(), 8U);
}

TEST_F(StoreWatched, RefusesRevisionsThatItNeverGaveOut) {
  EXPECT_FALSE(store->changes(config::Kind::Service, store->revision(config::Kind::Service) + 1, 10));
}

TEST_F(StoreWatched, WakesThoseWhoSubscribedToTheKind) {
  auto services = 0;
  auto pools = 0;
  auto first = store->subscribe(config::Kind::Service, [&services] { ++services; });
  const auto second = store->subscribe(config::Kind::IPAddressPool, [&pools] { ++pools; });
  write(create(service("a")));
  ASSERT_TRUE(queue.run_until([&services] { return services == 1; }));
  EXPECT_EQ(pools, 0);
  first = Subscription{};
  write(create(service("b")));
  write(create(pool("p")));
  ASSERT_TRUE(queue.run_until([&pools] { return pools == 1; }));
  EXPECT_EQ(services, 1);
}

TEST_F(StoreWatched, LetsASubscriberCancelWhileItIsWoken) {
  auto woken = 0;
  Subscription subscription;
  subscription = store->subscribe(config::Kind::Service, [&] {
    ++woken;
    subscription = Subscription{};
  });
  write(create(service("a")));
  ASSERT_TRUE(queue.run_until([&woken] { return woken == 1; }));
}

TEST_F(StoreListed, IsInOrderAndByNamespace) {
  for (const auto* name : {"c", "a", "b"}) write(create(service(name)));
  write(create(service("z", "alpha")));
  EXPECT_EQ(names(store->list({.kind = config::Kind::Service})->objects),
            (std::vector<std::string>{"z", "a", "b", "c"}));
  EXPECT_EQ(names(store->list({.kind = config::Kind::Service, .namespace_name = "default"})->objects),
            (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(names(store->list({.kind = config::Kind::Service, .namespace_name = "alpha"})->objects),
            (std::vector<std::string>{"z"}));
  EXPECT_TRUE(store->list({.kind = config::Kind::Service, .namespace_name = "none"})->objects.empty());
}

TEST_F(StoreListed, InPiecesShowsOneRevision) {
  for (const auto* name : {"a", "b", "c", "d", "e"}) write(create(service(name)));
  const auto first = store->list({.kind = config::Kind::Service, .limit = 2});
  EXPECT_EQ(names(first->objects), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(first->more);

  const auto old_d = store->get(service("d"))->text;
  write(remove(service("c")));
  write(create(service("bb")));
  write(merge(service("d"), {{"spec", {{"x", 1}}}}));
  write(remove(service("e")));
  write(create(service("e")));
  const auto second = store->list(
      {.kind = config::Kind::Service, .after = first->objects.back()->key, .at = first->revision, .limit = 2});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->revision, first->revision);
  EXPECT_EQ(names(second->objects), (std::vector<std::string>{"c", "d"}));
  EXPECT_EQ(second->objects[1]->text, old_d);
  const auto third = store->list(
      {.kind = config::Kind::Service, .after = second->objects.back()->key, .at = first->revision, .limit = 2});
  EXPECT_EQ(names(third->objects), (std::vector<std::string>{"e"}));
  EXPECT_FALSE(third->more);
}

TEST_F(StoreListed, AtARevisionOlderThanItsHistoryIsExpired) {
  history = 2;
  open();
  const auto old = store->revision(config::Kind::Service);
  write(create(service("a")));
  for (auto i = 0; i < 5; ++i) write(merge(service("a"), {{"spec", {{"n", i}}}}));
  EXPECT_FALSE(store->list({.kind = config::Kind::Service, .at = old}));
}

TEST_F(StoreListed, FiltersBeforeItCounts) {
  for (auto i = 0; i < 10; ++i) write(create(service(fmt::format("s{}", i))));
  const auto odd = [](const Object& object) { return (object.key.name.back() - '0') % 2 == 1; };
  const auto page = store->list({.kind = config::Kind::Service, .limit = 5, .filter = odd});
  EXPECT_EQ(names(page->objects), (std::vector<std::string>{"s1", "s3", "s5", "s7", "s9"}));
  EXPECT_FALSE(page->more);
}

TEST_F(StoreOfHeartbeats, AnswersWithoutTheDisk) {
  write(create(speaker("n1")));
  const auto before = store->statistics();
  for (auto i = 0; i < 100; ++i) write(merge(speaker("n1"), {{"status", {{"heartbeat", i}}}}));
  EXPECT_EQ(get(speaker("n1"))["status"]["heartbeat"], 99);
  EXPECT_EQ(store->statistics().transactions, before.transactions);
}

TEST_F(StoreOfHeartbeats, PutsTheNewestOnDiskWhenItIsDue) {
  write(create(speaker("n1")));
  write(merge(speaker("n1"), {{"status", {{"heartbeat", 7}}}}));
  const auto before = store->statistics().transactions;
  store->tick();
  EXPECT_EQ(store->statistics().transactions, before) << "not due yet";
  now += std::chrono::seconds{11};
  store->tick();
  ASSERT_TRUE(queue.run_until([&] { return store->statistics().transactions == before + 1; }));
  now += std::chrono::seconds{11};
  store->tick();
  write(create(service("a")));
  EXPECT_EQ(store->statistics().transactions, before + 2) << "what did not change is not written again";
}

TEST_F(StoreOfHeartbeats, KeepsThemOverAnOrderlyRestart) {
  write(create(speaker("n1")));
  write(merge(speaker("n1"), {{"status", {{"heartbeat", 7}}}}));
  const auto seen = store->revision(config::Kind::SpeakerState);
  open();
  EXPECT_EQ(get(speaker("n1"))["status"]["heartbeat"], 7);
  EXPECT_FALSE(store->changes(config::Kind::SpeakerState, seen, 10)) << "it cannot know what was lost";
}

TEST_F(StoreOfHeartbeats, DoNotHideAServiceThatIsOnItsWay) {
  write(create(speaker("n1")));
  auto done = false;
  store->write({create(service("a"))}, [&done](const auto&) { done = true; });
  store->write({merge(speaker("n1"), {{"status", {{"heartbeat", 1}}}})}, nullptr);
  const auto listed = store->list({.kind = config::Kind::Service})->revision;
  ASSERT_TRUE(queue.run_until([&done] { return done; }));
  EXPECT_EQ(store->changes(config::Kind::Service, listed, 10)->size(), 1U);
}

TEST_F(StoreOfHeartbeats, DoNotOutliveTheirObject) {
  write(create(speaker("n1")));
  write(merge(speaker("n1"), {{"status", {{"heartbeat", 1}}}}));
  write(remove(speaker("n1")));
  open();
  EXPECT_EQ(store->get(speaker("n1")), nullptr);
}

}  // namespace
}  // namespace controller::testing
