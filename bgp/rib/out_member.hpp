// SPDX-License-Identifier: Apache-2.0
// One neighbour in an out group: what was made for it and not yet written, and, while it catches up by
// itself, which prefixes it still has to be sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "bgp/rib/bitmap.hpp"
#include "bgp/rib/exporter.hpp"
#include "bgp/rib/ids.hpp"
#include "bgp/rib/out_chunk.hpp"
#include "bgp/rib/slab.hpp"

namespace bgp {

struct CatchUp {
  Bitmap dirty;  // to be sent in their latest state
  Bitmap had;    // of these: the member has a route from us
  std::uint32_t scan = 0;

  // A walk over the table finds what differs from what the member was sent under other terms. Prefixes
  // at and after `cursor` have not been looked at, and are not sent before they were: the walk would take what
  // was sent meanwhile for what the other terms once sent.
  bool walking = false;
  std::uint32_t cursor = 0;
  std::shared_ptr<const Exporter> before;  // nothing: the member has nothing
  enum class Resend : std::uint8_t { Changed, Everything } resend = Resend::Changed;

  // Still to be said: before anything else, and when nothing is left.
  bool begin_refresh = false;  // RFC 7313
  bool end_of_rib = false;     // RFC 4724
  std::uint64_t awaits = 0;    // so many answers of the kernel come before End-of-RIB
  bool end_of_refresh = false;

  // The next prefix to send, in a round from `scan` on, or Bitmap::none.
  [[nodiscard]] std::uint32_t next() const {
    const auto end = walking ? cursor : Bitmap::none;
    const auto ahead = dirty.next(scan);
    const auto node = ahead < end ? ahead : dirty.next(0);
    return node < end ? node : Bitmap::none;
  }
};

struct OutMember {
  PeerId peer;
  std::uint64_t advertised = 0;
  bool awake = false;  // has something to pull, or was told so
  std::deque<std::shared_ptr<const OutChunk>> backlog;
  std::size_t part = 0;  // of the first chunk: where to go on
  std::size_t backlog_bytes = 0;
  std::unique_ptr<CatchUp> catch_up;
};

}  // namespace bgp
