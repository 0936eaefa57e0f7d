// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/sampling.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include <sys/resource.h>
#include <unistd.h>

#include "tests/bench/bgp/blast/blaster.hpp"

namespace blast {
namespace {

std::string slurp(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string proc(int pid, const char* file) {
  return slurp("/proc/" + std::to_string(pid) + "/" + file);
}

Seconds ticks(double count) {
  return Seconds{count / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

Seconds seconds(const timeval& time) {
  return Seconds{static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6};
}

struct MachineTime {  // in ticks, of all processors
  double busy = 0, stolen = 0;
};

MachineTime machine_time() {
  std::istringstream fields{slurp("/proc/stat")};
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft_interrupts = 0, stolen = 0;
  fields >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >> stolen;
  return {user + nice + system + interrupts + soft_interrupts, stolen};
}

}  // namespace

Seconds processor_time(const std::vector<int>& pids) {
  double total = 0;
  for (const auto pid : pids) {
    const auto text = proc(pid, "stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream fields{text.substr(name_end + 1)};
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    double user = 0;
    double system = 0;
    if (fields >> user >> system) total += user + system;
  }
  return ticks(total);
}

Seconds own_processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Seconds machine_busy_time() {
  const auto spent = machine_time();
  return ticks(spent.busy + spent.stolen);
}

Seconds stolen_time() {
  return ticks(machine_time().stolen);
}

long memory(const std::vector<int>& pids, Memory which) {
  const std::string key = which == Memory::Peak ? "VmHWM:" : "VmRSS:";
  long total = 0;
  for (const auto pid : pids) {
    const auto text = proc(pid, "status");
    const auto at = text.find(key);
    if (at != std::string::npos) total += std::stol(text.substr(at + key.size()));
  }
  return total;
}

long fib_size(int pid, net::Family family) {
  if (family == net::Family::Ipv6) {
    std::istringstream fields{proc(pid, "net/rt6_stats")};
    long nodes = 0, route_nodes = 0, allocated = 0, entries = 0;
    fields >> std::hex >> nodes >> route_nodes >> allocated >> entries;
    return entries;
  }
  const auto text = proc(pid, "net/fib_triestat");
  const auto main = text.find("Main:");
  const auto at = main == std::string::npos ? main : text.find("Prefixes:", main);
  return at == std::string::npos ? 0 : std::stol(text.substr(at + 9));
}

FibWatch::FibWatch(int pid, net::Family family, long target, Direction direction) {
  thread_ = std::thread{[=, this] {
    long most_ever = target;
    while (!stop_) {
      const auto begun = now();
      const auto size = fib_size(pid, family);
      const auto ended = now();
      seen_ = size;
      most_ever = std::max(most_ever, size);
      if (direction == Direction::Filling ? size >= target : size <= target) {
        reached_ = ended.count();
        return;
      }
      // The kernel counts by walking the table: seldom, until the end is near and the moment matters.
      const auto left = direction == Direction::Filling ? target - size : size - target;
      const auto pause = left > most_ever / 8 ? 9 : 1;
      std::this_thread::sleep_for(std::max<Seconds>(Seconds{0.01}, pause * (ended - begun)));
    }
  }};
}

FibWatch::~FibWatch() {
  stop_ = true;
  thread_.join();
}

std::optional<Seconds> FibWatch::reached() const {
  const Seconds time{reached_};
  return time.count() < 0 ? std::nullopt : std::optional{time};
}

}  // namespace blast
