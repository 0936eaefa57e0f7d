// SPDX-License-Identifier: Apache-2.0
// Keeps every Service's addresses as they should be: follows Services, pools and namespaces, asks the
// reconciler, and writes what it says. Work is done in slices between other events of the loop, and only a bounded
// number of writes is on its way at once. Decides nothing itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "controller/allocation/service_reconciler.hpp"
#include "controller/store/store.hpp"

namespace controller {

struct AllocationClocks {
  std::function<net::TimePoint()> steady;
  std::function<std::chrono::system_clock::time_point()> wall;
};

class AllocationLoop {
 public:
  // `post` runs a function later on the objects' thread. The objects must outlive the loop.
  AllocationLoop(Objects& store, std::string load_balancer_class, AllocationClocks clocks,
                 std::function<void(std::function<void()>)> post);

  // Takes in what is there; services that have addresses keep them, oldest first, before any other gets one.
  void start();
  // Ends quarantines. Call it when next_deadline() has come.
  void tick();
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  [[nodiscard]] const Allocator& allocator() const { return reconciler_.allocator(); }
  // Those in use, by name; a pool that is unreadable or overlaps another is none of them.
  [[nodiscard]] std::vector<std::string> pools() const;
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  // Nothing left to do and nothing on its way.
  [[nodiscard]] bool settled() const {
    return queue_.empty() && in_flight_.empty() && touched_pools_.empty() && batches_ == 0;
  }
  struct Counters {
    std::uint64_t assigned = 0;  // services that were given addresses
    std::uint64_t refused = 0;   // refusals told to a service
    std::uint64_t conflicts = 0;
    std::uint64_t looked = 0;  // services looked at
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  void follow_services();
  void follow_policy();
  // Both say whether anything that matters to allocation is different now.
  bool load_pools();
  bool load_namespaces();
  void recall_released(net::TimePoint now);
  void enqueue(const ObjectKey& key);
  void enqueue_waiting();
  void enqueue_all();
  void schedule();
  void run_slice();
  bool reconcile(const ObjectKey& key, std::vector<Write>& batch);
  void add_event(const Object& service, const ServiceEvent& event, std::vector<Write>& batch);
  void add_pool_status(std::vector<Write>& batch);
  void written(const std::vector<ObjectKey>& keys, const std::vector<WriteResult>& results);

  Objects& store_;
  ServiceReconciler reconciler_;
  AllocationClocks clocks_;
  std::function<void(std::function<void()>)> post_;
  std::vector<Subscription> subscriptions_;
  std::uint64_t services_seen_ = 0;
  std::deque<ObjectKey> queue_;    // services to look at, in the order of their changes
  std::set<ObjectKey> queued_;     // the same, each once
  std::set<ObjectKey> in_flight_;  // written and not yet durable; looked at again when they are
  std::set<ObjectKey> again_;      // of these, changed meanwhile
  std::set<ObjectKey> waiting_;    // without an address; tried again when one may be free
  std::set<std::string> pools_;
  std::map<std::string, std::string> pool_specs_;  // as text, to tell a change from a new status
  std::map<std::string, config::Labels> namespaces_;
  std::set<std::string> touched_pools_;  // whose status may have to be written anew
  net::TimePoint forget_due_{};          // when old releases are dropped from the record
  std::deque<ObjectKey> events_;         // oldest first; bounded
  std::uint64_t event_serial_ = 0;
  std::size_t batches_ = 0;
  bool scheduled_ = false;
  Counters counters_;
};

}  // namespace controller
