// SPDX-License-Identifier: Apache-2.0
// Plays N BGP peers against a daemon under test and measures convergence. Senders announce deterministic prefixes whose
// bytes are made before the clock starts; receivers compare, prefix by prefix, what they hold with what they must hold:
// reachable, over a shortest path, through a sender that is alive. Prints one JSON object.
#include <cstdio>
#include <exception>

#include "tests/bench/bgp/blast/phases.hpp"

namespace {

int dump(const blast::Scenario& scenario) {
  for (std::uint32_t i = 0; i < scenario.expected(); ++i)
    std::puts(print(scenario.prefixes()[i], scenario.options().family).c_str());
  return 0;
}

int run(const blast::Options& options) {
  blast::Scenario scenario{options};
  if (options.mode == blast::Mode::Dump) return dump(scenario);
  blast::Run run{scenario};
  const bool up = run.establish();
  if (up && options.mode == blast::Mode::Monitor) run.keep();
  if (up && options.senders > 0) {
    run.announce();
    if (options.flap > 0) run.flap();
    if (options.probes > 0 && options.receivers > 0) run.probe();
    if (options.down) run.lose_sender();
  }
  std::puts(run.report().dump().c_str());
  std::fflush(stdout);
  if (up && options.mode == blast::Mode::Keep) run.keep();
  return up ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = blast::parse_options(argc, argv);
  if (const auto* code = std::get_if<int>(&parsed)) return *code;
  try {
    return run(std::get<blast::Options>(parsed));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bgp_blast: %s\n", error.what());
    return 1;
  }
}
