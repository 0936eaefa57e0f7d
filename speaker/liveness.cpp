// SPDX-License-Identifier: Apache-2.0
#include "speaker/liveness.hpp"

namespace speaker {

void Liveness::observe(const config::SpeakerState& state, net::TimePoint now) {
  const auto [entry, first] = seen_.try_emplace(state.meta.name);
  auto& seen = entry->second;
  // What was there before we came may be the last word of a dead speaker: it counts as a heartbeat, for once.
  if (!first && seen.heartbeat == state.heartbeat && seen.instance == state.instance) return;
  seen = {state.heartbeat, state.instance, missed_heartbeats * net::Duration{state.heartbeat_interval}, now};
}

void Liveness::set_api(Api api, net::TimePoint now) {
  if (api_ == Api::Away && api == Api::Reachable)
    for (auto& [node, seen] : seen_) seen.changed = now;
  api_ = api;
}

std::set<std::string> Liveness::live(net::TimePoint now) const {
  std::set<std::string> out;
  for (const auto& [node, seen] : seen_)
    if (api_ == Api::Away || now < seen.changed + seen.patience) out.insert(node);
  return out;
}

std::optional<net::TimePoint> Liveness::next_deadline(net::TimePoint now) const {
  std::optional<net::TimePoint> earliest;
  if (api_ == Api::Away) return earliest;
  for (const auto& [node, seen] : seen_) {
    const auto due = seen.changed + seen.patience;
    if (due > now && (!earliest || due < *earliest)) earliest = due;
  }
  return earliest;
}

}  // namespace speaker
