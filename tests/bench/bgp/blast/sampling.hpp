// SPDX-License-Identifier: Apache-2.0
// What the daemon under test costs, read from /proc: processor time, memory, routes in the kernel.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bgp/blast/options.hpp"

namespace blast {

// User and system time of the processes, of this one, and the busy time of the whole machine (to see interference).
[[nodiscard]] Seconds processor_time(const std::vector<int>& pids);
[[nodiscard]] Seconds own_processor_time();
[[nodiscard]] Seconds machine_busy_time();
// What a host gave to other machines while this one had something to do, summed over the processors.
[[nodiscard]] Seconds stolen_time();

enum class Memory { Resident, Peak };
// KiB, summed over the processes.
[[nodiscard]] long memory(const std::vector<int>& pids, Memory which);

// Prefixes in the main table (IPv4) or in all tables (IPv6) of the network namespace of a process.
[[nodiscard]] long fib_size(int pid, net::Family family);

// Looks at the kernel's table in a thread of its own, for a tenth of a processor at most, until it has reached a size.
class FibWatch {
 public:
  enum class Direction { Filling, Emptying };
  FibWatch(int pid, net::Family family, long target, Direction direction);
  ~FibWatch();
  FibWatch(const FibWatch&) = delete;
  FibWatch& operator=(const FibWatch&) = delete;

  [[nodiscard]] std::optional<Seconds> reached() const;
  [[nodiscard]] long seen() const { return seen_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<double> reached_ = -1;
  std::atomic<long> seen_ = 0;
  std::thread thread_;
};

}  // namespace blast
