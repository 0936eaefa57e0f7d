// SPDX-License-Identifier: Apache-2.0
// Writes to a Kubernetes API on behalf of the controller: status by subresource, guarded by the revision that it was
// decided upon, and Events. Rate-bounded; tries again while the API is away; nothing leaves while the gate is closed,
// which is how a controller that has lost its lease is kept quiet.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <nlohmann/json.hpp>

#include "config/source/api_client.hpp"
#include "config/source/rate_limiter.hpp"
#include "controller/store/store.hpp"

namespace controller {

class StatusWriter {
 public:
  static constexpr int writes_per_second = 300;
  static constexpr int burst = 600;
  static constexpr std::size_t connections = 4;
  static constexpr std::size_t most_events = 1000;  // waiting; the oldest goes when another comes

  using Gate = std::function<bool()>;
  struct View {
    std::function<ObjectPtr(const ObjectKey&)> find;                // as it is known
    std::function<void(const ObjectKey&, nlohmann::json)> learned;  // an answer shows a newer state
    std::function<void(const std::string&)> event;                  // for the log
    std::string metallb_namespace;                                  // where pools are that are not ours
  };
  StatusWriter(boost::asio::any_io_executor executor, const config::ApiEndpoint& endpoint, Gate gate, View view);
  ~StatusWriter();
  StatusWriter(const StatusWriter&) = delete;
  StatusWriter& operator=(const StatusWriter&) = delete;
  StatusWriter(StatusWriter&&) = delete;
  StatusWriter& operator=(StatusWriter&&) = delete;

  void write(std::vector<Write> batch, Objects::Done done);
  // The gate may have opened.
  void resume();
  // Forgets what waits; callbacks of what is under way are not called any more.
  void abandon();
  void stop();

  struct Counters {
    std::uint64_t written = 0;
    std::uint64_t conflicts = 0;
    std::uint64_t failures = 0;  // requests that came to nothing and were made again
    std::uint64_t events = 0;
    std::uint64_t events_dropped = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t waiting() const { return statuses_.size(); }

 private:
  struct Batch {
    std::vector<WriteResult> results;
    std::size_t left = 0;
    Objects::Done done;
  };
  struct Pending {
    Write write;
    std::shared_ptr<Batch> batch;  // shared by its writes, the last of which answers
    std::size_t index = 0;
  };
  struct Worker;

  boost::asio::awaitable<void> work(Worker& worker);
  boost::asio::awaitable<std::optional<WriteResult>> attempt(Worker& worker, const Write& write);
  boost::asio::awaitable<void> send_event(Worker& worker, const Write& write);
  boost::asio::awaitable<void> pause(Worker& worker, std::chrono::steady_clock::duration time);
  [[nodiscard]] std::string path_of(const ObjectKey& key) const;
  void answer(const Pending& pending, WriteResult result);
  void trouble(const std::string& what);
  [[nodiscard]] bool may_send() const { return !stopped_ && gate_(); }

  boost::asio::any_io_executor executor_;
  Gate gate_;
  View view_;
  config::RateLimiter limiter_{writes_per_second, burst};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::deque<Pending> statuses_;
  std::deque<Write> events_;
  std::uint64_t term_ = 0;  // goes up when what waits is forgotten
  std::minstd_rand random_{std::random_device{}()};
  std::string trouble_;
  Counters counters_;
  bool stopped_ = false;
};

}  // namespace controller
