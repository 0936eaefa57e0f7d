// SPDX-License-Identifier: Apache-2.0
// What was acknowledged outlives kill -9; what fails to be written is not acknowledged.
#include <csignal>
#include <set>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store_fixture.hpp"

namespace controller::testing {
namespace {

// Creates services and changes one until it is killed; each acknowledged name goes down the pipe.
[[noreturn]] void churn(const std::filesystem::path& file, int pipe, int round) {
  Queue queue;
  Store store{{.file = file,
               .post = [&queue](std::function<void()> work) { queue.post(std::move(work)); },
               .now = [] { return std::chrono::system_clock::now(); }}};
  auto under_way = 0;
  for (auto i = 0;; ++i) {
    ++under_way;
    auto name = fmt::format("s{}-{}", round, i);
    store.write({create(service(name))}, [&under_way, name, pipe](const std::vector<WriteResult>& results) {
      --under_way;
      const auto line = name + "\n";
      if (results[0] && ::write(pipe, line.data(), line.size()) < 0) _exit(1);
    });
    queue.run_until([&under_way] { return under_way < 50; });
  }
}

TEST(StoreKilled, HasAllThatItAcknowledged) {
  const TemporaryFolder folder;
  std::set<std::string> acknowledged;
  std::uint64_t last_revision = 0;
  for (auto round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto child = fork();
    if (child == 0) {
      close(ends[0]);
      churn(folder / "store.db", ends[1], round);
    }
    close(ends[1]);
    std::string text;
    char buffer[4096];
    auto killed = false;
    for (ssize_t count = 0; (count = read(ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
      if (!killed && std::ranges::count(text, '\n') > 300) {
        kill(child, SIGKILL);
        killed = true;
      }
    }
    close(ends[0]);
    waitpid(child, nullptr, 0);
    ASSERT_TRUE(killed) << "the child ended by itself";
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      acknowledged.insert(text.substr(at, end - at));
    }

    Queue queue;
    const Store store{{.file = folder / "store.db",
                       .post = [&queue](std::function<void()> work) { queue.post(std::move(work)); },
                       .now = [] { return std::chrono::system_clock::now(); }}};
    for (const auto& name : acknowledged) {
      EXPECT_NE(store.get(service(name)), nullptr) << name << " was acknowledged and is lost";
    }
    EXPECT_GT(store.revision(config::Kind::Service), last_revision);
    const auto all = store.list({.kind = config::Kind::Service});
    for (const auto& object : all->objects) {
      EXPECT_LE(object->revision, store.revision(config::Kind::Service));
    }
    last_revision = store.revision(config::Kind::Service);
  }
}

class StoreOnAFullDisk : public StoreTest {
 public:
  // A file may not grow any more, as on a full disk. SIGXFSZ would end the process.
  StoreOnAFullDisk() {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
  }
  ~StoreOnAFullDisk() override { setrlimit(RLIMIT_FSIZE, &before_); }
  void fill() {
    auto full = before_;
    full.rlim_cur = 16 * 1024;
    setrlimit(RLIMIT_FSIZE, &full);
  }
  void free() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(StoreOnAFullDisk, SaysSoKeepsWhatItHasAndRecovers) {
  ASSERT_TRUE(write(create(service("before"))));
  fill();
  const json big = {{"spec", {{"text", std::string(100'000, 'x')}}}};
  auto answers = std::vector<WriteResult>{};
  for (const auto* name : {"a", "b", "c"}) {
    store->write({create(service(name), big)}, [&answers](auto results) { answers.push_back(results.at(0)); });
  }
  store->write({merge(service("c"), {{"spec", {{"more", 1}}}})},
               [&answers](auto results) { answers.push_back(results.at(0)); });
  ASSERT_TRUE(queue.run_until([&answers] { return answers.size() == 4; }));
  for (const auto& answer : answers) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, WriteError::Code::Storage);
  }
  EXPECT_EQ(store->count(config::Kind::Service), 1U);
  EXPECT_EQ(store->latest(service("a")), nullptr);

  free();
  ASSERT_TRUE(write(create(service("a"), big)));
  open();
  EXPECT_NE(store->get(service("a")), nullptr);
  EXPECT_NE(store->get(service("before")), nullptr);
  EXPECT_EQ(store->get(service("c")), nullptr);
}

}  // namespace
}  // namespace controller::testing
