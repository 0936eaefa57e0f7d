// SPDX-License-Identifier: Apache-2.0
// What an operator may choose about the decision process.
#pragma once

#include <cstdint>

namespace bgp {

enum class MedComparison : std::uint8_t { SameNeighborAs, Always };
// Whether paths that are used together get shares by their link bandwidth communities.
enum class LinkBandwidth : std::uint8_t { Ignored, Weighs };
enum class AsPathRelax : std::uint8_t { SamePath, EqualLength };

struct DecisionConfig {
  MedComparison med = MedComparison::SameNeighborAs;
  std::uint32_t default_local_pref = 100;            // of routes that have none
  std::uint16_t maximum_paths = 64;                  // 1: no multipath
  AsPathRelax multipath = AsPathRelax::EqualLength;  // what paths must share to be used together
  LinkBandwidth link_bandwidth = LinkBandwidth::Weighs;
  friend bool operator==(const DecisionConfig&, const DecisionConfig&) = default;
};

}  // namespace bgp
