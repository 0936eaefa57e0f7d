// SPDX-License-Identifier: Apache-2.0
// Secrets of a Kubernetes API, each by its name: only those that a BGPPeer refers to are read, so that the right to
// list Secrets is not needed. They are asked for when a peer names them, and again from time to time, because a
// right to get one is no right to watch it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/changes.hpp"
#include "config/source/api_client.hpp"

namespace config {

class NamedSecrets {
 public:
  using OnChange = std::function<void(Changes)>;
  using Tell = std::function<void(const std::string&)>;
  NamedSecrets(const boost::asio::any_io_executor& executor, const ApiEndpoint& endpoint,
               std::chrono::milliseconds interval, OnChange on_change, Tell tell);

  void start();
  void stop();
  // Looks for references of peers in what changed.
  void follow(const Changes& changes);
  [[nodiscard]] bool running() const { return running_; }

 private:
  boost::asio::awaitable<void> run();
  boost::asio::awaitable<void> fetch(std::string key);
  void forget_unnamed();
  void trouble(const std::string& key, std::string why);

  boost::asio::any_io_executor executor_;
  AsyncApiClient client_;
  std::chrono::milliseconds interval_;
  OnChange on_change_;
  Tell tell_;
  boost::asio::steady_timer timer_;
  std::minstd_rand random_{std::random_device{}()};
  std::map<std::string, std::string> named_;  // peer -> key of its secret
  std::map<std::string, std::string> known_;  // key -> resourceVersion
  std::set<std::string> wanted_;              // keys to ask for now
  std::map<std::string, std::string> errors_;
  bool stopped_ = false;
  bool running_ = false;
};

}  // namespace config
