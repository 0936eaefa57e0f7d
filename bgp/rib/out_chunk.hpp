// SPDX-License-Identifier: Apache-2.0
// A stretch of UPDATE messages that is made once and shared by all members of an out group. Some parts are
// not for everybody: a neighbour is not told its own routes, and gets a withdrawal instead where it had
// another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bgp/rib/ids.hpp"

namespace bgp {

struct OutChunk {
  enum class For : std::uint8_t { Everybody, AllBut, Only };
  struct Part {
    For whom{};
    PeerId peer;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t messages = 0;
    [[nodiscard]] bool is_for(PeerId member) const {
      return whom == For::Everybody || (whom == For::AllBut) == (member != peer);
    }
  };

  std::vector<std::uint8_t> bytes;
  std::vector<Part> parts;
  // How many more prefixes everybody has from us, and what to add to that for some.
  std::int64_t more = 0;
  std::vector<std::pair<PeerId, std::int64_t>> corrections;

  // Keeps the memory.
  void clear() {
    bytes.clear();
    parts.clear();
    more = 0;
    corrections.clear();
  }
  [[nodiscard]] std::int64_t more_for(PeerId member) const {
    auto sum = more;
    for (const auto& [peer, correction] : corrections) {
      if (peer == member) sum += correction;
    }
    return sum;
  }
  void correct(PeerId peer, std::int64_t by) {
    for (auto& [known, correction] : corrections) {
      if (known != peer) continue;
      correction += by;
      return;
    }
    corrections.emplace_back(peer, by);
  }
};

}  // namespace bgp
