// SPDX-License-Identifier: Apache-2.0
// Path attributes as tables hold them: one allocation with a small decoded summary, the next hop, and the
// canonical wire bytes of all other attributes. Immutable and interned by AttributePool: two sets are equal
// when their addresses are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bgp/wire/attributes.hpp"
#include "net/asn.hpp"

namespace bgp {

struct AttributeSet {
  std::uint32_t references = 0;
  std::uint32_t hash = 0;
  AttributeSet* next = nullptr;  // in the pool's bucket
  std::uint32_t local_pref = 0;
  std::uint32_t med = 0;          // absent counts as 0, the best
  std::uint32_t neighbor_as = 0;  // leftmost of the path; 0 for an empty one
  std::uint32_t size = 0;         // of bytes(); more than a message when a two-octet path became a four-octet one
  std::uint16_t path_length = 0;
  std::uint8_t origin = 0;
  std::uint16_t flags = 0;
  std::uint8_t next_hop_size = 4;  // 4, 16, or 32 with a link-local address; 4 more with an interface
  std::uint8_t unsent_size = 0;    // of what stays here: 0, or 8 for the link and the metric in the kernel

  static constexpr std::uint8_t has_local_pref = 1;
  static constexpr std::uint8_t has_med = 2;
  static constexpr std::uint8_t no_export = 4;  // or NO_EXPORT_SUBCONFED, which goes farther
  static constexpr std::uint8_t no_advertise = 8;
  static constexpr std::uint8_t reflected = 16;            // has ORIGINATOR_ID or CLUSTER_LIST
  static constexpr std::uint8_t no_export_subconfed = 32;  // not beyond the member AS, RFC 5065
  static constexpr std::uint16_t llgr_stale = 256;         // RFC 9494: a last resort
  static constexpr std::uint16_t only_to_customer = 512;   // RFC 9234
  static constexpr std::uint16_t accumulates = 1024;       // has an AIGP metric, RFC 7311

  static constexpr std::uint8_t weighed = 64;     // has a link bandwidth community
  static constexpr std::uint8_t blackhole = 128;  // RFC 7999

  // Canonical bytes of every attribute but NEXT_HOP and MP_REACH_NLRI.
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {tail() + next_hop_size, size}; }
  [[nodiscard]] std::span<const std::uint8_t> next_hop_bytes() const { return {tail(), next_hop_size}; }
  [[nodiscard]] std::size_t tail_size() const { return std::size_t{next_hop_size} + size + unsent_size; }
  [[nodiscard]] NextHop next_hop() const;
  [[nodiscard]] PathAttributes attributes() const;  // exploded, next hop included

  // See PathAttributes.
  [[nodiscard]] std::uint32_t link() const;
  [[nodiscard]] std::uint32_t kernel_metric() const;
  // The metric of a set with the flag `accumulates`.
  [[nodiscard]] std::uint64_t aigp_metric() const;

  // What follows the header in the same allocation.
  [[nodiscard]] const std::uint8_t* tail() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }
  [[nodiscard]] std::uint8_t* tail() { return reinterpret_cast<std::uint8_t*>(this + 1); }
};

}  // namespace bgp
