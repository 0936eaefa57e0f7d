// SPDX-License-Identifier: Apache-2.0
#include "controller/store/committer.hpp"

namespace controller {

Committer::Committer(Database& database, std::function<void(std::function<void()>)> post, Finished finished)
    : database_{database}, post_{std::move(post)}, finished_{std::move(finished)}, thread_{[this] { run(); }} {}

Committer::~Committer() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Committer::start(Transaction transaction) {
  {
    const std::lock_guard lock{mutex_};
    next_ = std::move(transaction);
  }
  wake_.notify_one();
}

void Committer::run() {
  for (;;) {
    std::unique_lock lock{mutex_};
    wake_.wait(lock, [this] { return next_ || stopping_; });
    if (!next_) return;
    const auto transaction = std::move(*next_);
    next_.reset();
    lock.unlock();

    const auto began = std::chrono::steady_clock::now();
    auto result = database_.commit(transaction);
    const auto took = std::chrono::steady_clock::now() - began;
    post_([this, outcome = Outcome{std::move(result), took}] { finished_(outcome); });
  }
}

}  // namespace controller
