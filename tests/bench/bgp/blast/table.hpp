// SPDX-License-Identifier: Apache-2.0
// A real table from an MRT file (TABLE_DUMP_V2, RFC 6396 section 4.3): what its collector's peers had, for senders to
// say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/bgp/blast/prefixes.hpp"

namespace blast {

// Attributes that many prefixes share, as read. AS_PATH and next hop are kept apart: senders write their own.
struct AttributeSet {
  std::vector<std::uint8_t> as_path;  // the value of the attribute
  std::vector<std::uint8_t> others;   // whole attributes that a sender repeats: ORIGIN, MED, communities, ...
  std::uint8_t hops = 0;              // of the path as the decision counts them (RFC 4271 section 9.1.2.2)
  friend auto operator<=>(const AttributeSet&, const AttributeSet&) = default;
};

struct Table {
  static constexpr std::uint32_t absent = ~0U;
  std::vector<Prefix> prefixes;                  // in the order of the file
  std::vector<AttributeSet> sets;                // no two alike
  std::vector<std::vector<std::uint32_t>> held;  // by sender, by prefix: its set, or absent
};

// The entries of one family. Sender i repeats what the peer with the (i + 1)-th most entries had. Left out is what a
// receiver must not use (AS 0 in the path, RFC 7607, or an AS of the benchmark; no ORIGIN or AS_PATH) and prefixes that
// Prefix cannot hold. Throws std::runtime_error, with the file's name, when it cannot be read or has not that many
// peers.
[[nodiscard]] Table read_table(const std::string& file, net::Family family, unsigned senders);

}  // namespace blast
