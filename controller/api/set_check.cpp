// SPDX-License-Identifier: Apache-2.0
#include "controller/api/set_check.hpp"

#include <chrono>

#include <nlohmann/json.hpp>

#include "config/candidate.hpp"

namespace controller {
namespace {

bool is_judged(const config::KindInfo& kind) {
  return kind.group() == "herald.dev" && kind.kind != config::Kind::SpeakerState;
}

}  // namespace

void SetCheck::refresh() {
  std::map<ObjectKey, std::pair<std::uint64_t, config::Object>> current;
  for (const auto& kind : config::all_kinds()) {
    if (!is_judged(kind)) continue;
    const auto objects = store_.list({.kind = kind.kind});
    if (!objects) continue;
    for (const auto& object : objects->objects) {
      const auto known = read_.find(object->key);
      if (known != read_.end() && known->second.first == object->revision) {
        current.insert(read_.extract(known));
        continue;
      }
      auto read = config::read_object(nlohmann::json::parse(object->text, nullptr, false));
      if (read.objects.size() != 1) continue;  // from an older version; whoever uses it sets it aside
      current.emplace(object->key, std::pair{object->revision, std::move(read.objects.front())});
    }
  }
  read_ = std::move(current);
}

SetCheck::Findings SetCheck::check(const ObjectKey& key, config::Object candidate, WallTime now) {
  Findings findings;
  if (!is_judged(config::info(key.kind))) return findings;
  refresh();
  // What is new is the youngest, and of two that contradict each other the older stays. Timestamps are whole seconds,
  // so what was made in this one is older by the next.
  std::visit(
      [now](auto& one) {
        if (one.meta.creation_timestamp.empty()) one.meta.creation_timestamp = rfc3339(now + std::chrono::seconds{1});
      },
      candidate);
  config::Resources before;
  for (const auto& [other, object] : read_) config::put(before, object.second);
  auto found = config::judge_candidate(before, candidate);
  findings.contradictions = std::move(found.contradictions);
  findings.warnings = std::move(found.warnings);
  return findings;
}

}  // namespace controller
