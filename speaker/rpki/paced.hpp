// SPDX-License-Identifier: Apache-2.0
// A call that is made at once, but not twice within a while: asked for in between, however often, it is made once when
// the while has passed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace speaker {

class Paced {
 public:
  using Clock = std::chrono::steady_clock;
  Paced(boost::asio::io_context& io, Clock::duration least, std::function<void()> call)
      : timer_{io}, least_{least}, call_{std::move(call)} {}

  void ask() {
    if (waiting_) return;
    if (Clock::now() >= next_) return make();
    waiting_ = true;
    timer_.expires_at(next_);
    timer_.async_wait([this, alive = std::weak_ptr{alive_}](const boost::system::error_code& error) {
      if (error || alive.expired()) return;
      waiting_ = false;
      make();
    });
  }

 private:
  void make() {
    next_ = Clock::now() + least_;
    call_();
  }

  boost::asio::steady_timer timer_;
  Clock::duration least_;
  std::function<void()> call_;
  Clock::time_point next_{};
  bool waiting_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // a handler may be queued when it goes
};

}  // namespace speaker
