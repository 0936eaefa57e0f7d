// SPDX-License-Identifier: Apache-2.0
// How fast can routes be put into the kernel? Reads IPv4 prefixes, one a line, from standard input, adds them and
// removes them again, and prints one JSON object for each of the two.
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <net/if.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "tests/bench/route_socket.hpp"

namespace {

using bench::RouteSocket;
using Seconds = std::chrono::duration<double>;

struct Setup {
  std::string gateway;
  std::string interface;
  std::size_t batch = 0;  // messages; 0: as many as go into 128 KiB
  bool nexthop_object = false;
  bool acknowledge_every = false;
  bool replace = false;
};

std::vector<net::Ipv4Prefix> read_prefixes() {
  std::vector<net::Ipv4Prefix> all;
  for (std::string line; std::getline(std::cin, line);)
    if (const auto prefix = net::parse_prefix(line); prefix && prefix->is_v4()) all.push_back(prefix->v4());
  return all;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

template <class Work>
void measure(const char* what, const RouteSocket& socket, std::size_t routes, Work work) {
  const auto errors = socket.errors();
  const auto processor = processor_seconds();
  const auto begun = std::chrono::steady_clock::now();
  work();
  const Seconds took = std::chrono::steady_clock::now() - begun;
  const nlohmann::json line{{"operation", what},
                            {"routes", routes},
                            {"seconds", took.count()},
                            {"cpu", processor_seconds() - processor},
                            {"per_second", static_cast<double>(routes) / took.count()},
                            {"errors", socket.errors() - errors}};
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

int run(const Setup& setup) {
  const auto gateway = net::parse_ipv4(setup.gateway);
  const auto interface = ::if_nametoindex(setup.interface.c_str());
  if (!gateway || interface == 0) {
    std::cerr << "fib_insert: no such gateway or interface\n";
    return 2;
  }
  RouteSocket::Options options;
  if (setup.batch > 0) {
    options.batch_messages = setup.batch;
    options.batch_bytes = SIZE_MAX / 2;
  }
  if (setup.acknowledge_every) options.acknowledge = bench::Acknowledge::Every;
  if (setup.replace) options.create_flags = NLM_F_CREATE | NLM_F_REPLACE;
  RouteSocket socket{options};
  RouteSocket::Target target{*gateway, interface, std::nullopt};
  if (setup.nexthop_object) {
    target.nexthop = 4711;
    socket.add_nexthop(*target.nexthop, *gateway, interface);
  }
  const auto prefixes = read_prefixes();
  measure("add", socket, prefixes.size(), [&] {
    for (const auto& prefix : prefixes) socket.add(prefix, target);
    socket.flush();
  });
  measure("remove", socket, prefixes.size(), [&] {
    for (const auto& prefix : prefixes) socket.remove(prefix);
    socket.flush();
  });
  return socket.errors() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Setup setup;
  CLI::App app{"Adds the prefixes on standard input to the kernel's main table, and removes them.", "fib_insert"};
  app.add_option("gateway", setup.gateway)->required();
  app.add_option("interface", setup.interface)->required();
  app.add_option("--batch", setup.batch, "Messages in one send (default: 128 KiB of them)");
  app.add_flag("--nexthop-object", setup.nexthop_object, "Routes refer to one nexthop object");
  app.add_flag("--acknowledge-every", setup.acknowledge_every, "Not only the last message of a batch");
  app.add_flag("--replace", setup.replace, "NLM_F_REPLACE in place of NLM_F_EXCL");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(setup);
  } catch (const std::exception& error) {
    std::cerr << "fib_insert: " << error.what() << '\n';
    return 1;
  }
}
