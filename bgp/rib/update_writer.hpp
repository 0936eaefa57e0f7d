// SPDX-License-Identifier: Apache-2.0
// Turns routes into UPDATE messages, in rounds: prefixes with one attribute set share messages, each set is encoded
// once a round. Keeps its buffers from round to round; knows nothing of who gets the bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bgp/rib/decision.hpp"
#include "bgp/rib/exporter.hpp"
#include "bgp/rib/path.hpp"

namespace bgp {

template <class Prefix>
class UpdateWriter {
 public:
  explicit UpdateWriter(const std::vector<Rank>& ranks) : ranks_{ranks} {}

  // A round, by the terms of one exporter. It and the attribute sets of all paths that are given must outlive the
  // round.
  void begin(const Exporter& exporter) {
    exporter_ = &exporter;
    ++round_;
  }

  struct Route {
    Prefix prefix;
    Path path;
  };

  [[nodiscard]] bool sends(const Prefix& prefix, const Path& path);
  // True when neighbours are told the same about both.
  [[nodiscard]] bool same_outcome(const Prefix& prefix, const Path& one, const Path& other) const;

  // What was written for the routes of one source.
  struct Part {
    PeerId source;
    std::size_t begin = 0;  // in `out`
    std::size_t end = 0;
    std::size_t messages = 0;
  };
  // Both append whole messages. Routes are ones that sends() is true for.
  // What is said of the parts holds until the next call.
  std::span<const Part> announce(std::span<const Route> routes, std::vector<std::uint8_t>& out);
  std::size_t withdraw(std::span<const Prefix> prefixes, std::vector<std::uint8_t>& out);

 private:
  // Neighbouring routes with one attribute set from one source.
  struct Run {
    PeerId source;
    std::uint32_t hash = 0;
    const AttributeSet* set = nullptr;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  struct Known {
    const AttributeSet* set = nullptr;
    PeerId source;
    AudienceId audience = 0;
    bool sent = false;
    std::uint64_t round = 0;
  };

  void find_runs(std::span<const Route> routes);
  // Writes every run that has the set and source of the one at `at`; returns the first that has not.
  std::size_t announce_set(std::span<const Route> routes, std::size_t at, std::vector<std::uint8_t>& out,
                           std::size_t& messages);
  void encode(const Route& route);  // into candidate_
  void flush(std::vector<std::uint8_t>& out, std::size_t& messages);
  [[nodiscard]] const Rank& rank_of(const Path& path) const {
    return path.local() ? local_rank : ranks_[path.source.value];
  }

  const Exporter* exporter_ = nullptr;
  const std::vector<Rank>& ranks_;
  std::uint64_t round_ = 0;
  std::array<Known, 64> known_{};
  std::vector<Run> runs_;
  std::vector<Part> parts_;
  struct Encoded {
    std::vector<std::uint8_t> attributes;
    NextHop next_hop;
    friend bool operator==(const Encoded&, const Encoded&) = default;
  };
  std::vector<Prefix> prefixes_;  // waiting for their message
  Encoded current_;               // what they share
  Encoded candidate_;
};

}  // namespace bgp
