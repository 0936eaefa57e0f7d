// SPDX-License-Identifier: Apache-2.0
// One way to reach a prefix, as tables hold it: sixteen bytes. The attribute set is counted by whoever
// stores the path.
#pragma once

#include <cstdint>

#include "bgp/rib/ids.hpp"

namespace bgp {

struct AttributeSet;

// A set of neighbours that a local route may be announced to; see rib/audience.hpp.
using AudienceId = std::uint32_t;

struct Path {
  AttributeSet* set = nullptr;
  AudienceId audience = 0;  // of local paths; of others the path identifier (RFC 7911), 0 where there are none
  PeerId source;
  std::uint8_t generation = 0;  // of the source's session; another than the source's own: stale
  std::uint8_t flags = 0;

  static constexpr std::uint8_t rejected = 1;     // kept for display only
  static constexpr std::uint8_t unreachable = 2;  // its next hop is

  [[nodiscard]] bool local() const { return source == local_peer; }
  [[nodiscard]] bool usable() const { return flags == 0; }
  // The same route: nothing that a peer is told differs.
  [[nodiscard]] bool same_route(const Path& other) const {
    return set == other.set && source == other.source && audience == other.audience;
  }
};
static_assert(sizeof(Path) == 16);

// Null: no route.
[[nodiscard]] inline bool same_route(const Path* one, const Path* other) {
  return one == nullptr || other == nullptr ? one == other : one->same_route(*other);
}

}  // namespace bgp
