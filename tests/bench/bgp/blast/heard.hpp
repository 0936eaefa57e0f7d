// SPDX-License-Identifier: Apache-2.0
// UPDATEs as a receiver reads them: only what says whether the router under test has converged.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "tests/bench/bgp/blast/scenario.hpp"

namespace blast {

// What one receiver holds, compared with what it must hold.
class View {
 public:
  explicit View(const Scenario& scenario)
      : scenario_{&scenario}, hops_(scenario.expected(), 0), sender_(scenario.expected(), 0) {}

  void recount();
  void set(std::uint32_t index, std::uint8_t hops, std::uint16_t sender) {
    right_ -= right(index);
    present_ -= hops_[index] != 0;
    hops_[index] = hops;
    sender_[index] = sender;
    present_ += hops != 0;
    right_ += right(index);
  }
  [[nodiscard]] std::uint32_t present() const { return present_; }
  [[nodiscard]] std::uint32_t right() const { return right_; }

 private:
  [[nodiscard]] std::uint32_t right(std::uint32_t index) const {
    return scenario_->right(index, hops_[index], sender_[index]) ? 1 : 0;
  }
  const Scenario* scenario_;
  std::vector<std::uint8_t> hops_;
  std::vector<std::uint16_t> sender_;
  std::uint32_t present_ = 0;
  std::uint32_t right_ = 0;
};

// The parts of one UPDATE. `hops` and `via` are of its AS path: how many, and the second one.
struct Heard {
  std::span<const std::uint8_t> withdrawn, withdrawn_mp, announced, announced_mp;
  unsigned hops = 0;
  std::uint32_t via = 0;
  [[nodiscard]] bool empty() const {  // End-of-RIB
    return withdrawn.empty() && withdrawn_mp.empty() && announced.empty() && announced_mp.empty();
  }
};
[[nodiscard]] Heard read_update(std::span<const std::uint8_t> body);

// Calls `each` with every prefix of an NLRI field.
template <class Each>
void for_each_prefix(std::span<const std::uint8_t> field, Each&& each) {
  while (!field.empty()) {
    Prefix prefix{.bits = 0, .length = field[0]};
    const std::size_t octets = (prefix.length + 7U) / 8;
    if (field.size() < octets + 1) return;
    for (std::size_t i = 0; i < octets && i < 8; ++i) prefix.bits |= std::uint64_t{field[1 + i]} << (56 - 8 * i);
    field = field.subspan(octets + 1);
    each(prefix);
  }
}

}  // namespace blast
