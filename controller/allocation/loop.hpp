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
#include <unordered_map>
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
  // `post` runs a function later on the objects' thread. The objects must outlive the loop. The numbers in the status
  // of pools are written at most once in `pool_interval`: the first change at once, those that follow it together.
  AllocationLoop(Objects& store, std::string load_balancer_class, AllocationClocks clocks,
                 std::function<void(std::function<void()>)> post,
                 net::TimePoint::duration pool_interval = net::TimePoint::duration::zero());

  // Takes in what is there; services that have addresses keep them, oldest first, before any other gets one.
  void start();
  // Ends quarantines, writes what waited for its time. Call it when next_deadline() has come, and every pool_interval.
  void tick();
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  [[nodiscard]] const Allocator& allocator() const { return reconciler_.allocator(); }
  // Those in use, by name; a pool that is unreadable or overlaps another is none of them.
  [[nodiscard]] std::vector<std::string> pools() const;
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  // Nothing left to do and nothing on its way.
  [[nodiscard]] bool settled() const { return queue_.empty() && touched_pools_.empty() && batches_ == 0; }
  struct Counters {
    std::uint64_t assigned = 0;  // services that were given addresses
    std::uint64_t refused = 0;   // refusals told to a service
    std::uint64_t conflicts = 0;
    std::uint64_t looked = 0;  // services looked at
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  // What is known of a service while there is something to do for it.
  struct Work {
    bool queued = false;
    bool written = false;      // and not yet durable; looked at again when it is
    bool again = false;        // of these: something other than the service itself changed meanwhile
    std::uint64_t change = 0;  // of these: the revision of the last change of the service meanwhile
    bool waits = false;        // without an address; tried again when one may be free
  };
  using Works = std::unordered_map<ObjectKey, Work, KeyHash>;
  using Entry = Works::value_type;
  struct ByKey {
    bool operator()(const Entry* a, const Entry* b) const { return a->first < b->first; }
  };
  // A write for a service, and where in its batch it is.
  struct Written {
    Entry* entry;
    std::size_t index;
  };

  void follow_services();
  void follow_pools();
  void follow_namespaces();
  // Calls visit(change) for what happened after `seen`, and counts it up; false when it is not known any more.
  template <class Visit>
  bool pull(config::Kind kind, std::uint64_t& seen, Visit visit);
  // Both say whether anything that matters to allocation is different now.
  bool load_pools();
  bool load_namespaces();
  bool load_namespace(const Object& object);
  bool forget_namespace(const std::string& name);
  void recall_released(net::TimePoint now);
  // `change`: the revision of the service that is the reason; 0: something else is.
  void enqueue(const ObjectKey& key, std::uint64_t change);
  void enqueue_waiting();
  void enqueue_all();
  void set_waits(Entry& entry, bool waits);
  void drop_idle(const Entry& entry);
  void schedule();
  [[nodiscard]] bool pools_due() const;
  void run_slice();
  bool reconcile(Entry& entry, const std::string& timestamp, std::vector<Write>& batch);
  void add_event(const Object& service, const EventText& event, const std::string& timestamp,
                 std::vector<Write>& batch);
  void add_pool_status(const std::string& timestamp, std::vector<Write>& batch);
  void written(const std::vector<Written>& writes, const std::vector<WriteResult>& results);

  Objects& store_;
  ServiceReconciler reconciler_;
  AllocationClocks clocks_;
  std::function<void(std::function<void()>)> post_;
  std::vector<Subscription> subscriptions_;
  std::uint64_t services_seen_ = 0;
  std::uint64_t pools_seen_ = 0;
  std::uint64_t namespaces_seen_ = 0;
  Works works_;
  std::deque<Entry*> queue_;  // services to look at, in the order of their changes
  std::set<Entry*, ByKey> waiting_;
  std::set<std::string> pools_;
  std::map<std::string, std::string> pool_specs_;  // as text, to tell a change from a new status
  std::map<std::string, config::Labels> namespaces_;
  std::set<std::string> touched_pools_;  // whose status may have to be written anew
  net::TimePoint::duration pool_interval_;
  std::optional<net::TimePoint> pools_written_;
  net::TimePoint forget_due_{};   // when old releases are dropped from the record
  std::deque<ObjectKey> events_;  // oldest first; bounded
  std::uint64_t event_serial_ = 0;
  std::size_t batches_ = 0;
  bool scheduled_ = false;
  Counters counters_;
};

}  // namespace controller
