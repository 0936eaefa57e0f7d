// SPDX-License-Identifier: Apache-2.0
// The two numbers that the store promises: 100,000 service statuses written durably in under 5 s, and a file of
// 100,000 services opened in under 2 s.
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include "controller/store/store.hpp"

namespace controller {
namespace {

using nlohmann::json;

class Owner {
 public:
  void post(std::function<void()> work) {
    const std::lock_guard lock{mutex_};
    work_.push_back(std::move(work));
    wake_.notify_one();
  }
  void run_until(const bool& done) {
    while (!done) {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return !work_.empty(); });
      const auto work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      work();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> work_;
};

StoreOptions options(const std::filesystem::path& file, Owner& owner) {
  return {.file = file,
          .post = [&owner](std::function<void()> work) { owner.post(std::move(work)); },
          .now = [] { return std::chrono::system_clock::now(); }};
}

ObjectKey key(std::int64_t i) {
  return {config::Kind::Service, "default", fmt::format("service-{:06}", i)};
}

json service(std::int64_t i) {
  return {{"metadata", {{"labels", {{"app", fmt::format("app-{}", i)}, {"tier", "front"}}}}},
          {"spec",
           {{"type", "LoadBalancer"},
            {"selector", {{"app", fmt::format("app-{}", i)}}},
            {"ports", {{{"name", "http"}, {"port", 80}, {"protocol", "TCP"}, {"targetPort", 8080}}}}}}};
}

json status(std::int64_t i) {
  return {
      {"metadata", {{"annotations", {{"herald.dev/ip-allocated-from-pool", "pool"}}}}},
      {"status",
       {{"conditions", {{{"type", "Allocated"}, {"status", "True"}, {"reason", "Assigned"}, {"message", "from pool"}}}},
        {"loadBalancer", {{"ingress", {{{"ip", fmt::format("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255)}}}}}}}}};
}

void write_in_batches(Store& store, Owner& owner, std::int64_t count, Write::Verb verb, json (*value)(std::int64_t)) {
  constexpr std::int64_t batch = 5000;
  for (std::int64_t first = 0; first < count; first += batch) {
    std::vector<Write> writes;
    for (auto i = first; i < std::min(first + batch, count); ++i) {
      writes.push_back({.verb = verb, .key = key(i), .value = value(i)});
    }
    auto done = false;
    store.write(std::move(writes), [&done](const auto&) { done = true; });
    owner.run_until(done);
  }
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "herald-bench-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::filesystem::path file() const { return path_ / "store.db"; }

 private:
  std::filesystem::path path_;
};

void WriteStatuses(benchmark::State& state) {
  for (auto _ : state) {
    const Folder folder;
    Owner owner;
    Store store{options(folder.file(), owner)};
    write_in_batches(store, owner, state.range(0), Write::Verb::Create, service);
    std::chrono::nanoseconds disk{};
    store.on_commit([&disk](const Commit& commit) { disk += commit.took; });
    const auto began = std::chrono::steady_clock::now();
    write_in_batches(store, owner, state.range(0), Write::Verb::Merge, status);
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    state.counters["disk_s"] = std::chrono::duration<double>(disk).count();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(WriteStatuses)->Arg(100'000)->Iterations(1)->UseManualTime()->Unit(benchmark::kMillisecond);

void Open(benchmark::State& state) {
  const Folder folder;
  Owner owner;
  {
    Store store{options(folder.file(), owner)};
    write_in_batches(store, owner, state.range(0), Write::Verb::Create, service);
    write_in_batches(store, owner, state.range(0), Write::Verb::Merge, status);
  }
  for (auto _ : state) {
    const Store store{options(folder.file(), owner)};
    benchmark::DoNotOptimize(store.count(config::Kind::Service));
  }
}
BENCHMARK(Open)->Arg(100'000)->Iterations(3)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace controller

BENCHMARK_MAIN();
