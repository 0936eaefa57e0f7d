// SPDX-License-Identifier: Apache-2.0
// The parts of a run, one after the other, and what they say of themselves.
#pragma once

#include <functional>

#include <nlohmann/json.hpp>

#include "tests/bench/bgp/blast/blaster.hpp"
#include "tests/bench/bgp/blast/sampling.hpp"

namespace blast {

class Run {
 public:
  explicit Run(Scenario& scenario) : scenario_{scenario}, blaster_{scenario} {}

  // False when not all sessions came up; the report says how many did.
  bool establish();
  void announce();
  void flap();
  void probe();
  void lose_sender();
  // Keeps the sessions up until the process is ended.
  [[noreturn]] void keep();

  [[nodiscard]] const nlohmann::json& report() const { return report_; }

 private:
  struct Fib {
    long target;
    FibWatch::Direction direction;
  };
  void phase(const char* name, const std::function<void()>& start, std::optional<Fib> fib);
  void send(Peer& peer, const std::vector<std::uint8_t>& bytes);
  void keep_loading();

  Scenario& scenario_;
  Blaster blaster_;
  nlohmann::json report_;
  long fib_at_start_ = 0;
  std::array<std::vector<std::uint8_t>, 2> loads_;  // of the second sender, in turns while probes are measured
  std::size_t next_load_ = 0;
};

}  // namespace blast
