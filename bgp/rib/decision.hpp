// SPDX-License-Identifier: Apache-2.0
// The decision process: RFC 4271 section 9.1.2.2 with RFC 7311 section 4 and the tie-breaks of RFC 4456 section 9, as
// pure functions of a prefix's paths. The outcome does not depend on the order of the paths: MED is compared by
// elimination among all paths of a neighbouring AS, as the RFC has it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bgp/decision_config.hpp"
#include "bgp/rib/attribute_set.hpp"
#include "bgp/rib/path.hpp"
#include "bgp/rib/rank.hpp"

namespace bgp {

// The step that set two paths apart.
enum class SelectionReason : std::uint8_t {
  OnlyPath,
  LocalRoute,
  LongLivedStale,
  LocalPref,
  Aigp,
  AsPathLength,
  Origin,
  Med,
  PeerType,
  RouterId,
  ClusterListLength,
  NeighborAddress,
  PathIdentifier,
  // Paths that are not considered at all.
  Rejected,
  Unreachable,
  // Nothing sets them apart: paths of one peer, and local routes for different neighbours.
  Equal,
};
[[nodiscard]] std::string_view describe(SelectionReason reason);  // "Local Pref", "AS Path", "Router ID"

class Decision {
 public:
  // `ranks` is indexed by PeerId and may grow.
  Decision(const DecisionConfig& config, const std::vector<Rank>& ranks) : config_{&config}, ranks_{&ranks} {}

  static constexpr std::size_t none = ~std::size_t{0};
  // The best usable path.
  [[nodiscard]] std::size_t best(std::span<const Path> paths) const;
  // The same when `best` is known to be it among all but `changed`, which was added or got other attributes:
  // cheap, and only right where no path of the prefix has a MED.
  [[nodiscard]] bool beats(const Path& changed, const Path& best) const;

  // Moves the best usable paths to the front, in order: `count` of them, or all there are.
  void rank(std::span<Path> paths, std::size_t count) const;

  // The paths that are used together with the best, which comes first; at most the configured number.
  void multipath(std::span<const Path> paths, std::size_t best, std::vector<std::size_t>& out) const;
  // The shares of paths that are used together, for `out` of multipath(): all 1 unless each has a link bandwidth.
  void weights(std::span<const Path> paths, std::span<const std::size_t> used, std::vector<std::uint16_t>& out) const;
  // True when multipath() may depend on `path`: it could stand beside `best`, or keep another path from it by a
  // lower MED. A quick test that may err to true.
  [[nodiscard]] bool may_matter(const Path& path, const Path& best) const;

  // Why `winner` is preferred to `loser`, given all paths.
  [[nodiscard]] SelectionReason reason(std::span<const Path> paths, std::size_t winner, std::size_t loser) const;
  // What set the best apart from the next best.
  [[nodiscard]] SelectionReason reason_of_best(std::span<const Path> paths, std::size_t best) const;

 private:
  struct Order {
    int sign = 0;  // negative: the first is better
    SelectionReason reason = SelectionReason::Equal;
  };
  [[nodiscard]] Order before_med(const Path& one, const Path& other) const;
  [[nodiscard]] Order after_med(const Path& one, const Path& other) const;
  [[nodiscard]] Order tie_break(const Path& one, const Path& other) const;
  [[nodiscard]] bool comparable_med(const Path& one, const Path& other) const;
  [[nodiscard]] bool may_join(const Path& path, const Path& best) const;
  [[nodiscard]] bool beaten_by_med(std::span<const Path> paths, const Path& path) const;
  [[nodiscard]] std::uint32_t local_pref(const Path& path) const;
  [[nodiscard]] const Rank& rank_of(const Path& path) const { return (*ranks_)[path.source.value]; }

  const DecisionConfig* config_;
  const std::vector<Rank>* ranks_;
};

}  // namespace bgp
