// SPDX-License-Identifier: Apache-2.0
// What an operator may choose about the decision process.
#pragma once

#include <cstdint>

namespace bgp {

enum class MedComparison : std::uint8_t { SameNeighborAs, Always };
enum class AsPathRelax : std::uint8_t { SamePath, EqualLength };

struct DecisionConfig {
  MedComparison med = MedComparison::SameNeighborAs;
  std::uint32_t default_local_pref = 100;            // of routes that have none
  std::uint16_t maximum_paths = 64;                  // 1: no multipath
  AsPathRelax multipath = AsPathRelax::EqualLength;  // what paths must share to be used together
  friend bool operator==(const DecisionConfig&, const DecisionConfig&) = default;
};

}  // namespace bgp
