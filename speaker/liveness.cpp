// SPDX-License-Identifier: Apache-2.0
#include "speaker/liveness.hpp"

namespace speaker {

void Liveness::observe(const config::SpeakerState& state, net::TimePoint now) {
  // What was there before we came may be the last word of a dead speaker: it counts as a heartbeat, for once.
  const auto [entry, first] = states_.try_emplace(state.meta.name, state);
  auto& last = entry->second;
  if (!first && last.instance == state.instance && state.heartbeat <= last.heartbeat) return;
  last = state;
  changed_[state.meta.name] = now;
}

void Liveness::set_api(Api api, net::TimePoint now) {
  if (api_ == Api::Away && api == Api::Reachable)
    for (auto& [node, changed] : changed_) changed = now;
  api_ = api;
}

net::TimePoint Liveness::deadline(const config::SpeakerState& state) const {
  return changed_.at(state.meta.name) + missed_heartbeats * net::Duration{state.heartbeat_interval};
}

std::set<std::string> Liveness::live(net::TimePoint now) const {
  std::set<std::string> out;
  for (const auto& [node, state] : states_)
    if (api_ == Api::Away || now < deadline(state)) out.insert(node);
  return out;
}

std::optional<net::TimePoint> Liveness::next_deadline(net::TimePoint now) const {
  std::optional<net::TimePoint> earliest;
  if (api_ == Api::Away) return earliest;
  for (const auto& [node, state] : states_) {
    const auto due = deadline(state);
    if (due > now && (!earliest || due < *earliest)) earliest = due;
  }
  return earliest;
}

}  // namespace speaker
