// SPDX-License-Identifier: Apache-2.0
// Keeps a Lease of a Kubernetes API, or waits for it: the sockets and timers around election.hpp. The Lease is watched,
// so that one given up is taken at once.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/source/api_client.hpp"
#include "config/source/collection_follower.hpp"
#include "controller/kubernetes/election.hpp"

namespace controller {

class LeaseKeeper {
 public:
  struct Options {
    config::ApiEndpoint endpoint;
    std::string namespace_name;
    std::string name;
    std::string identity;  // of this process and no other, ever
    LeaseTiming timing{};
  };
  struct Listener {
    std::function<void()> gained;  // ours, for the first time or again
    std::function<void()> paused;  // in doubt: nothing may be written; it may be ours again
    std::function<void()> lost;    // somebody else had it since
    std::function<void(const std::string&)> event;
  };
  LeaseKeeper(const boost::asio::any_io_executor& executor, Options options, Listener listener);
  ~LeaseKeeper();
  LeaseKeeper(const LeaseKeeper&) = delete;
  LeaseKeeper& operator=(const LeaseKeeper&) = delete;
  LeaseKeeper(LeaseKeeper&&) = delete;
  LeaseKeeper& operator=(LeaseKeeper&&) = delete;

  void start();
  // Whether it is ours at this moment, by the clock.
  [[nodiscard]] bool leads() const;
  [[nodiscard]] const std::string& holder() const { return election_.holder(); }
  // Gives it up, so that another takes over at once; then `done`, also when the API does not answer.
  void leave(std::function<void()> done);

 private:
  class Sink;
  boost::asio::awaitable<void> keep();
  boost::asio::awaitable<void> write(LeaseRecord record);
  boost::asio::awaitable<void> give_up(LeaseRecord record, std::function<void()> done);
  void observe(const LeaseRecord& record);
  void settle();
  void trouble(const std::string& what);

  boost::asio::any_io_executor executor_;
  Options options_;
  Listener listener_;
  Election election_;
  std::unique_ptr<Sink> sink_;
  config::CollectionFollower follower_;
  config::AsyncApiClient client_;
  boost::asio::steady_timer timer_;
  std::string trouble_;
  bool leading_ = false;
  bool leaving_ = false;
};

}  // namespace controller
