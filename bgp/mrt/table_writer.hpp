// SPDX-License-Identifier: Apache-2.0
// A router's tables as records of an MRT file (TABLE_DUMP_V2), piece by piece: every path in the decision, with the
// attributes that import filters gave it. Changes between the pieces are fine: each prefix is as it is then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "bgp/mrt/record.hpp"
#include "bgp/router.hpp"
#include "net/time.hpp"

namespace bgp::mrt {

class TableWriter {
 public:
  // Neighbours that come later are not in the file. Place 0 of its peer table is the router itself.
  TableWriter(const Router& router, WallTime wall, net::TimePoint now);

  // Appends the records of at most `limit` prefixes; first the peer table. False: that was the last piece.
  bool next(std::vector<std::uint8_t>& out, std::size_t limit);
  [[nodiscard]] std::uint32_t prefixes() const { return sequence_; }

 private:
  struct Origin {
    std::uint16_t index = 0;
    std::uint32_t heard = 0;  // since when its routes may have been known, seconds since 1970
  };
  void write(const net::Prefix& prefix, std::span<const Path> paths, std::vector<std::uint8_t>& out);

  const Router& router_;
  WallTime wall_;
  PeerIndexTable peers_;
  std::map<PeerId, Origin> origins_;
  TableCursor cursor_;
  std::uint32_t sequence_ = 0;
  bool begun_ = false;
};

}  // namespace bgp::mrt
