// SPDX-License-Identifier: Apache-2.0
// Follows the objects of an API: list in pages, watch, resume where the stream broke, list again when the
// server has forgotten. Nothing is told before every kind has been listed once, and a new list is told as
// its difference to what was known, when it is complete. While the API is away the last state stands.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "config/changes.hpp"
#include "config/source/api_endpoint.hpp"
#include "config/source/named_secrets.hpp"

namespace config {

class ApiWatcher {
 public:
  struct Options {
    ApiEndpoint endpoint;
    std::vector<Kind> kinds;
    std::chrono::milliseconds request_timeout{10'000};  // one step of a list
    // A watch without a word (event or bookmark) for so long is taken for dead and begun anew.
    std::chrono::milliseconds silence{90'000};
    std::chrono::milliseconds first_retry{100};  // doubled with every failure, half of it by chance
    std::chrono::milliseconds last_retry{5'000};
    int page_size = 500;
    // Takes away what need not be kept of an object, as soon as it was read; nothing: all is kept.
    std::function<void(Object&)> reduce;
    // Set: the server is Kubernetes. Custom kinds may be missing, kinds have versions, MetalLB's objects are obeyed
    // beside ours, and Secrets are read by name as peers refer to them.
    struct Kubernetes {
      std::string metallb_namespace = "metallb-system";  // empty: MetalLB's objects are left alone
      std::chrono::milliseconds secret_interval{30'000};
      std::chrono::milliseconds absent_retry{60'000};
    };
    std::optional<Kubernetes> kubernetes;
  };
  // Called on the executor, never from inside start() or stop().
  using OnChange = std::function<void(Changes)>;

  ApiWatcher(boost::asio::any_io_executor executor, Options options, OnChange on_change);
  // The executor must not run any more, or stop() have been called and health().running be false.
  ~ApiWatcher();
  ApiWatcher(const ApiWatcher&) = delete;
  ApiWatcher& operator=(const ApiWatcher&) = delete;
  ApiWatcher(ApiWatcher&&) = delete;
  ApiWatcher& operator=(ApiWatcher&&) = delete;

  void start();
  void stop();

  struct Health {
    bool synced = false;   // every kind was listed once: the set is whole
    bool running = false;  // something is still under way
    // Since when some kind may be out of date; nothing while all are followed.
    std::optional<std::chrono::steady_clock::time_point> stale_since;
    std::string last_error;
    std::uint64_t relists = 0;   // complete lists after the first
    std::uint64_t failures = 0;  // connections and requests that came to nothing
  };
  [[nodiscard]] Health health() const;
  // Told whenever something failed or is well again; for the log.
  std::function<void(const std::string& what)> on_event;

 private:
  class Sink;
  struct Collection;

  void add_kubernetes(Kind kind, const Options::Kubernetes& kubernetes);
  Sink& add_collection(Kind kind, std::string title, std::vector<std::string> paths, bool optional);
  void deliver(Changes changes);
  void tell(const std::string& what) const;

  boost::asio::any_io_executor executor_;
  Options options_;
  OnChange on_change_;
  std::vector<std::unique_ptr<Collection>> collections_;
  std::unique_ptr<NamedSecrets> secrets_;
  std::vector<Changes> first_;  // until every kind was listed: what was told so far, in its order
  bool synced_ = false;
};

}  // namespace config
