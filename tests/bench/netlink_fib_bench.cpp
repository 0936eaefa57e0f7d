// SPDX-License-Identifier: Apache-2.0
// How long until routes are in the kernel: through FibThread, with all its book-keeping, against a bare
// loop that only fills batches and sends them. Both in a fresh network namespace, in turns, the same
// prefixes in the same order. Prints one JSON object a line; needs root.
//
//   netlink_fib_bench [ROUTES [RUNS [GATEWAYS]]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <sched.h>
#include <sys/resource.h>

#include "netlink/fib_thread.hpp"
#include "netlink/links.hpp"
#include "tests/bench/route_socket.hpp"

namespace {

using Seconds = std::chrono::duration<double>;
using netlink::NextHop;

struct Setup {
  std::size_t routes = 100'000;
  std::size_t runs = 5;
  std::size_t gateways = 1;
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void enter_fresh_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) give_up("unshare");
  const auto* commands =
      "printf 'link set lo up\\nlink add a0 type veth peer name b0\\nlink set a0 up\\nlink set b0 up\\n"
      "addr add 10.0.0.1/16 dev a0\\n' | ip -batch - && "
      "while ! ip -br link show a0 | grep -q LOWER_UP; do :; done";
  if (std::system(commands) != 0) give_up("ip");
}

// Distinct /24s in an order like that of a routing table that grew: neighbours near, but not in line.
std::vector<net::Ipv4Prefix> make_prefixes(std::size_t count) {
  std::vector<net::Ipv4Prefix> out;
  for (std::uint32_t i = 0; i < count; ++i) out.push_back(*net::Ipv4Prefix::make({0x14000000U + (i << 8)}, 24));
  std::mt19937 random{1};
  for (std::size_t i = 0; i + 64 <= out.size(); i += 64)
    std::shuffle(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(i) + 64,
                 random);
  return out;
}

// Processor time of the process in user and kernel mode: what is left to compare on a busy machine.
double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint32_t interface_index() {
  netlink::Links links;
  return links.table().find("a0")->index;
}

struct Cost {
  double elapsed = 0;
  double processor = 0;
};

Cost run_bare(const std::vector<net::Ipv4Prefix>& prefixes) {
  enter_fresh_namespace();
  const auto interface = interface_index();
  bench::RouteSocket socket{{}};
  const auto processor = processor_seconds();
  const auto begun = net::Clock::now();
  for (const auto& prefix : prefixes) socket.add(prefix, {{0x0a000002U}, interface, std::nullopt});
  socket.flush();
  return {Seconds{net::Clock::now() - begun}.count(), processor_seconds() - processor};
}

// ---- ours ----

struct Times {
  Cost insert;
  double fail_over = 0;
  double remove = 0;
  double submitting = 0;  // how long the owner was held up
  std::size_t bytes_per_route = 0;
};

std::size_t resident_bytes() {
  long pages = 0;
  long resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<std::size_t>(resident) * 4096;
}

void submit_all(netlink::FibThread& fib, const std::vector<net::Ipv4Prefix>& prefixes, std::span<const NextHop> hops) {
  std::vector<netlink::RouteChange> changes;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    changes.push_back({prefixes[i], hops});
    if (changes.size() < 500 && i + 1 < prefixes.size()) continue;
    fib.submit(changes);
    changes.clear();
  }
}

Times run_fib(const std::vector<net::Ipv4Prefix>& prefixes, std::size_t gateways) {
  enter_fresh_namespace();
  netlink::FibOptions options;
  options.network = netlink::Namespace::Owned;
  netlink::FibThread fib{options};
  std::vector<NextHop> hops;
  for (std::uint32_t i = 0; i < gateways; ++i) hops.push_back({net::Ipv4Address{0x0a000002U + i}, 0, 1});
  Times times;
  const auto memory = resident_bytes();
  const auto since = [](net::TimePoint begun) { return Seconds{net::Clock::now() - begun}.count(); };
  const auto settle = [&] {
    if (!fib.settle(std::chrono::minutes{5})) give_up("settle");
  };

  const auto processor = processor_seconds();
  auto begun = net::Clock::now();
  submit_all(fib, prefixes, hops);
  times.submitting = since(begun);
  settle();
  times.insert = {since(begun), processor_seconds() - processor};
  times.bytes_per_route = (resident_bytes() - std::min(memory, resident_bytes())) / prefixes.size();
  if (fib.counters().fib.routes.programmed != prefixes.size()) give_up("not all routes are in the kernel");

  begun = net::Clock::now();
  fib.allow(hops.back().gateway, netlink::Use::Suspended);
  settle();
  times.fail_over = since(begun);

  begun = net::Clock::now();
  submit_all(fib, prefixes, {});
  settle();
  times.remove = since(begun);
  return times;
}

void print_spread(const char* name, std::vector<double> values, const char* unit) {
  std::sort(values.begin(), values.end());
  std::printf("{\"what\": \"%s\", \"median\": %.4f, \"min\": %.4f, \"max\": %.4f, \"unit\": \"%s\"}\n", name,
              values[values.size() / 2], values.front(), values.back(), unit);
}

}  // namespace

int main(int argc, char** argv) {
  Setup setup;
  if (argc > 1) setup.routes = std::stoul(argv[1]);
  if (argc > 2) setup.runs = std::stoul(argv[2]);
  if (argc > 3) setup.gateways = std::stoul(argv[3]);
  const auto prefixes = make_prefixes(setup.routes);

  std::vector<double> bare;
  std::vector<double> insert;
  std::vector<double> ratio;
  std::vector<double> processor_ratio;
  std::vector<double> fail_over;
  std::vector<double> remove;
  std::vector<double> submitting;
  std::size_t bytes_per_route = 0;
  for (std::size_t run = 0; run < setup.runs; ++run) {
    // In turns and swapping sides, so that neither always has the warmer machine.
    const auto first = run % 2 == 0 ? run_bare(prefixes) : Cost{};
    const auto ours = run_fib(prefixes, setup.gateways);
    const auto yardstick = run % 2 == 0 ? first : run_bare(prefixes);
    bare.push_back(yardstick.elapsed);
    insert.push_back(ours.insert.elapsed);
    processor_ratio.push_back(ours.insert.processor / yardstick.processor);
    fail_over.push_back(ours.fail_over * 1000);
    remove.push_back(ours.remove);
    submitting.push_back(ours.submitting);
    ratio.push_back(insert.back() / bare.back());
    bytes_per_route = std::max(bytes_per_route, ours.bytes_per_route);
    std::printf(
        "{\"run\": %zu, \"routes\": %zu, \"gateways\": %zu, \"bare_s\": %.4f, \"herald_s\": %.4f, \"ratio\": %.3f, "
        "\"processor_ratio\": %.3f}\n",
        run + 1, setup.routes, setup.gateways, bare.back(), insert.back(), ratio.back(), processor_ratio.back());
    std::fflush(stdout);
  }
  print_spread("bare batched insert, inline gateway", bare, "s");
  print_spread("herald insert", insert, "s");
  print_spread("herald / bare", ratio, "ratio");
  print_spread("herald / bare, processor time", processor_ratio, "ratio");
  print_spread("owner held up while submitting", submitting, "s");
  print_spread("fail-over of one gateway", fail_over, "ms");
  print_spread("herald remove", remove, "s");
  std::printf("{\"what\": \"resident memory per route\", \"max\": %zu, \"unit\": \"B\"}\n", bytes_per_route);
  return 0;
}
