// SPDX-License-Identifier: Apache-2.0
// A store over a file of its own, an owner's thread that is the test's, and a clock that the test moves.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "controller/store/store.hpp"

namespace controller::testing {

using nlohmann::json;

// Work posted to the owner's thread; run() does it until something holds.
class Queue {
 public:
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock{mutex_};
      work_.push_back(std::move(work));
    }
    wake_.notify_one();
  }
  // False when it does not come to hold within the time.
  bool run_until(const std::function<bool()>& holds, std::chrono::seconds within = std::chrono::seconds{20}) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    while (!holds()) {
      std::unique_lock lock{mutex_};
      if (!wake_.wait_until(lock, deadline, [this] { return !work_.empty(); })) return false;
      const auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
    }
    return true;
  }
  void discard() {
    const std::lock_guard lock{mutex_};
    work_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> work_;
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "herald-store-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline ObjectKey service(std::string name, std::string namespace_name = "default") {
  return {config::Kind::Service, std::move(namespace_name), std::move(name)};
}
inline ObjectKey pool(std::string name) {
  return {config::Kind::IPAddressPool, "", std::move(name)};
}
inline ObjectKey speaker(std::string name) {
  return {config::Kind::SpeakerState, "", std::move(name)};
}

inline Write create(ObjectKey key, json value = json::object()) {
  return {.verb = Write::Verb::Create, .key = std::move(key), .value = std::move(value)};
}
inline Write merge(ObjectKey key, json patch) {
  return {.verb = Write::Verb::Merge, .key = std::move(key), .value = std::move(patch)};
}
inline Write replace(ObjectKey key, json value, std::optional<std::uint64_t> if_revision = {}) {
  return {.verb = Write::Verb::Replace, .key = std::move(key), .value = std::move(value), .if_revision = if_revision};
}
inline Write remove(ObjectKey key) {
  return {.verb = Write::Verb::Delete, .key = std::move(key), .value = {}};
}

class StoreTest : public ::testing::Test {
 public:
  StoreTest() { open(); }

  void open() {
    store.reset();
    queue.discard();
    store.emplace(StoreOptions{.file = folder / "store.db",
                               .post = [this](std::function<void()> work) { queue.post(std::move(work)); },
                               .now = [this] { return now; },
                               .history = history,
                               .holdings = holdings});
  }

  // Writes, and waits until it is durable.
  std::vector<WriteResult> write_all(std::vector<Write> batch) {
    std::optional<std::vector<WriteResult>> answer;
    store->write(std::move(batch), [&answer](std::vector<WriteResult> results) { answer = std::move(results); });
    if (!queue.run_until([&answer] { return answer.has_value(); })) ADD_FAILURE() << "no answer to a write";
    return std::move(*answer);
  }
  WriteResult write(Write one) { return write_all({std::move(one)}).at(0); }

  json get(const ObjectKey& key) {
    const auto object = store->get(key);
    return object ? json::parse(object->text) : json{};
  }

  std::chrono::system_clock::time_point now{std::chrono::seconds{1'700'000'000}};
  std::size_t history = 4096;
  std::function<std::vector<std::string>(config::Kind, std::string_view)> holdings;
  TemporaryFolder folder;
  Queue queue;
  std::optional<Store> store;
};

}  // namespace controller::testing
