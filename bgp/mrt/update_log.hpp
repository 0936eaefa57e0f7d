// SPDX-License-Identifier: Apache-2.0
// What neighbours say, as records of an MRT file (BGP4MP_ET): UPDATEs as they came, and every change of a session's
// state. The bytes wait here until somebody takes them.
#pragma once

#include <cstdint>
#include <vector>

#include "bgp/mrt/record.hpp"
#include "bgp/router.hpp"

namespace bgp::mrt {

class UpdateLog final : public RouterObserver {
 public:
  explicit UpdateLog(const Router& router) : router_{router} {}

  // The time of what it is told next.
  void set_time(WallTime now) { now_ = now; }
  [[nodiscard]] std::size_t waiting() const { return out_.size(); }
  // The records since the last call, whole.
  [[nodiscard]] std::vector<std::uint8_t> take() { return std::exchange(out_, {}); }
  [[nodiscard]] std::uint64_t records() const { return records_; }

  void moved(PeerId peer, State from, State to) override;
  void received(PeerId peer, std::span<const std::uint8_t> body, const Update* update) override;

 private:
  const Router& router_;
  WallTime now_;
  std::vector<std::uint8_t> out_;
  std::uint64_t records_ = 0;
};

}  // namespace bgp::mrt
