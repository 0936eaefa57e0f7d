// SPDX-License-Identifier: Apache-2.0
// A Fib on a thread of its own, so that a slow kernel never holds the owner back: changes wait in a
// table keyed by prefix, answers come back as reports the owner fetches when report_fd() is readable.
// All members may be called from any one thread; none waits for the kernel except settle() and the
// destructor.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "netlink/fib.hpp"
#include "netlink/pending.hpp"

namespace netlink {

// A file descriptor that is readable after raise() and until lower().
class Signal {
 public:
  Signal();  // throws std::system_error
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  void raise();
  void lower();
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

struct FibThreadCounters {
  FibCounters fib;
  std::uint64_t submitted = 0;  // changes; those overtaken by later ones of the same prefix included
  // From the submit of the oldest change until all that came with it was written.
  std::uint64_t rounds = 0;
  std::chrono::nanoseconds round_total{};
  std::chrono::nanoseconds round_longest{};
};

class FibThread {
 public:
  // Reads and adopts what is there before it returns. Throws std::system_error when it cannot. Stays in
  // the network namespace of the calling thread.
  explicit FibThread(const FibOptions& options);
  // Stops after the batch in hand. Routes stay in the kernel: cleanup() is what removes them.
  ~FibThread();

  // The desired next hops of these prefixes from now on.
  void submit(std::span<const RouteChange> changes);
  // After End-of-RIB from all peers, or when one no longer waits for it. Everything submitted before is
  // seen first.
  void sweep();
  // Known dead or alive before BGP has drawn its conclusions (BFD): out of and back into groups.
  void allow(const net::IpAddress& gateway, Use use);
  // From now on; see Reconciler::set_reporting.
  void set_reporting(Reporting reporting);
  // See Fib::track; what it comes to is told by take_unreachable().
  void track(std::vector<net::IpAddress> gateways);
  // Compares with all that the kernel has; costs about 0.3 us per route.
  void audit();

  // Readable when take_reports() or take_unreachable() has something; for a reactor to wait on.
  [[nodiscard]] int report_fd() const { return reported_.fd(); }
  // The latest about each route that something was to be said of, each once.
  [[nodiscard]] std::vector<RouteReport> take_reports();
  // As Fib's. To be called before take_reports(), which makes report_fd() wait for something new.
  [[nodiscard]] std::optional<std::vector<net::IpAddress>> take_unreachable();
  // The answer comes with the reports.
  void ask(const net::Prefix& prefix);
  [[nodiscard]] FibThreadCounters counters() const;  // as of the last batch
  [[nodiscard]] const KernelSettings& settings() const { return fib_.settings(); }

  // Waits until all that was submitted is written or has failed. False: not within `timeout`.
  [[nodiscard]] bool settle(std::chrono::milliseconds timeout);

 private:
  struct Inbox {
    PendingChanges changes;
    std::vector<std::pair<net::IpAddress, Use>> uses;
    std::vector<net::Prefix> questions;
    std::optional<Reporting> reporting;
    std::optional<std::vector<net::IpAddress>> tracked;
    bool sweep = false;
    bool audit = false;
    bool stop = false;
    std::uint64_t submitted = 0;
    std::optional<net::TimePoint> oldest;
    [[nodiscard]] bool empty() const {
      return changes.empty() && uses.empty() && questions.empty() && !reporting && !tracked && !sweep && !audit &&
             !stop;
    }
  };
  struct Said {
    Outcome outcome = Outcome::Absent;
    std::uint32_t nexthop_id = 0;
    Text text;
  };

  template <class Fill>
  void put(Fill&& fill);
  void run();
  bool take_inbox();
  void publish();
  void finish_round();
  void wait();

  mutable std::mutex inbox_mutex_;
  Inbox inbox_;
  bool awake_ = false;  // the thread will look into the inbox without being told
  bool idle_ = false;
  std::condition_variable settled_;
  Signal work_;

  mutable std::mutex outbox_mutex_;
  PrefixTable<Said> said_;
  std::optional<std::vector<net::IpAddress>> unreachable_;
  FibThreadCounters counters_;
  Signal reported_;

  // The thread's own.
  Fib fib_;
  Inbox taken_;  // empty but while it is being taken apart
  std::vector<net::Prefix> questions_;
  std::uint64_t submitted_ = 0;
  std::optional<net::TimePoint> round_begun_;
  std::thread thread_;
};

}  // namespace netlink
