// SPDX-License-Identifier: Apache-2.0
// What the kernel hands up: programs for SO_ATTACH_FILTER, so that a speaker sleeps through all traffic but
// the few frames it could answer. Offsets are those of a whole Ethernet frame.
#pragma once

#include <cstdint>
#include <vector>

#include <linux/filter.h>

namespace speaker {

class PacketFilter {
 public:
  // ARP requests that reached this host, and replies that were sent to everybody (foreign claims).
  [[nodiscard]] static PacketFilter arp(unsigned link);
  // Neighbour solicitations, also those sent to one address only, and advertisements to a group.
  [[nodiscard]] static PacketFilter ndp(unsigned link);

  [[nodiscard]] const std::vector<sock_filter>& program() const { return program_; }

 private:
  PacketFilter() = default;
  void load(std::uint16_t width, std::uint32_t offset);
  void require_equal(std::uint32_t value);
  void require_below(std::uint32_t value);
  void accept_if_equal(std::uint32_t value);
  void refuse_if_equal(std::uint32_t value);
  void only_received_on(unsigned link);
  PacketFilter finish(std::uint32_t snap_length);

  std::vector<sock_filter> program_;
};

}  // namespace speaker
