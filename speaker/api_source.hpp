// SPDX-License-Identifier: Apache-2.0
// Resources from an API: listed, then followed. Also this node's word to the others: its SpeakerState, renewed at every
// heartbeat and at once when it changes. Whether heartbeats arrive is what tells that the API is reached.
#pragma once

#include <functional>
#include <span>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "config/resource_set.hpp"
#include "config/source/api_client.hpp"
#include "config/source/api_endpoint.hpp"
#include "config/source/api_watcher.hpp"
#include "speaker/desired.hpp"
#include "speaker/liveness.hpp"
#include "speaker/options.hpp"

namespace speaker {

class ApiSource {
 public:
  struct Listener {
    // Once, before anything else is told: every kind was listed, so many objects in all.
    std::function<void(std::size_t objects)> listed;
    std::function<void(const config::Loaded&)> replaced;
    std::function<void(const config::Loaded&, std::span<const Change>)> changed;
    std::function<void(Liveness::Api)> reached;
    std::function<void(const std::string&)> log;
  };
  ApiSource(boost::asio::io_context& io, const config::ApiEndpoint& endpoint, const Options& options, Listener listener,
            std::function<config::SpeakerState()> own_state);

  void start();
  // The state changed: the next heartbeat is due now.
  void beat();
  // Takes this node's state out of the API, so that others take over without waiting; then `done`, also when the API
  // does not answer.
  void leave(std::function<void()> done);

 private:
  void take(config::Changes changes);
  void give_memory_back_soon();
  [[nodiscard]] std::chrono::milliseconds interval() const;
  boost::asio::awaitable<void> heartbeats();
  boost::asio::awaitable<config::ApiAnswer> publish();
  boost::asio::awaitable<void> withdraw(std::function<void()> done);

  boost::asio::io_context& io_;
  Options options_;
  Listener listener_;
  std::function<config::SpeakerState()> own_state_;
  config::ResourceSet set_;
  config::ApiWatcher watcher_;
  config::AsyncApiClient client_;
  boost::asio::steady_timer next_beat_;
  boost::asio::steady_timer worked_through_;
  std::string instance_;
  std::string refusal_;  // of the last heartbeat
  std::uint64_t heartbeat_ = 0;
  bool synced_ = false;
  bool published_ = false;
  bool leaving_ = false;
};

}  // namespace speaker
