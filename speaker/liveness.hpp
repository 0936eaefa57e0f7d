// SPDX-License-Identifier: Apache-2.0
// Which speakers live, judged by their heartbeats alone: a node lives while its heartbeat keeps changing. The clocks of
// other nodes do not matter, only when this node saw a change. Pure; time is an argument.
//
// While the API is away nobody's heartbeat is seen, and that says nothing of the nodes: everybody stays as
// they were, and has the full time again once the API is back. One that comes back from a crash tells what it had on
// disk, which may be older than what was heard before: the last word of each speaker counts, not the last told.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "config/resources.hpp"
#include "net/time.hpp"

namespace speaker {

class Liveness {
 public:
  // A speaker is taken for dead when this many heartbeats in a row are missing.
  static constexpr int missed_heartbeats = 3;

  void observe(const config::SpeakerState& state, net::TimePoint now);
  // The object is gone: its speaker left in order.
  void forget(const std::string& node) {
    states_.erase(node);
    changed_.erase(node);
  }
  // The last word of each, also of those that are dead.
  [[nodiscard]] const std::map<std::string, config::SpeakerState>& states() const { return states_; }

  enum class Api : std::uint8_t { Reachable, Away };
  void set_api(Api api, net::TimePoint now);

  [[nodiscard]] std::set<std::string> live(net::TimePoint now) const;
  // When the next speaker dies if nothing is heard of it.
  [[nodiscard]] std::optional<net::TimePoint> next_deadline(net::TimePoint now) const;

 private:
  [[nodiscard]] net::TimePoint deadline(const config::SpeakerState& state) const;

  std::map<std::string, config::SpeakerState> states_;
  std::map<std::string, net::TimePoint> changed_;  // of the same nodes
  Api api_ = Api::Reachable;
};

}  // namespace speaker
