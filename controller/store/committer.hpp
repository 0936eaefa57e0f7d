// SPDX-License-Identifier: Apache-2.0
// The thread that writes the file, one transaction at a time: the owner's thread never waits for the disk.
// It hands results back through `post` and knows nothing of what they mean.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "controller/store/database.hpp"

namespace controller {

class Committer {
 public:
  struct Outcome {
    net::Result<void, std::string> result;
    std::chrono::nanoseconds took{};
  };
  using Finished = std::function<void(Outcome)>;

  // `finished` is called through `post` after each transaction.
  Committer(Database& database, std::function<void(std::function<void()>)> post, Finished finished);
  // Waits for the transaction under way.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Precondition: the one before has finished.
  void start(Transaction transaction);

 private:
  void run();

  Database& database_;
  std::function<void(std::function<void()>)> post_;
  Finished finished_;
  std::mutex mutex_;  // guards the two below
  std::optional<Transaction> next_;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace controller
