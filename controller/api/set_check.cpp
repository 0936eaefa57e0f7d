// SPDX-License-Identifier: Apache-2.0
#include "controller/api/set_check.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/validate.hpp"

namespace controller {
namespace {

constexpr std::size_t most_warnings = 5;

bool is_judged(const config::KindInfo& kind) {
  return kind.group() == "herald.dev" && kind.kind != config::Kind::SpeakerState;
}

void put(config::Resources& resources, const config::Object& object) {
  std::visit(
      [&resources](const auto& one) {
        config::items<std::decay_t<decltype(one)>>(resources).insert_or_assign(one.meta.key(), one);
      },
      object);
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
  const auto name = config::name_of(key.kind, config::meta_of(candidate));

  config::Resources before;
  for (const auto& [other, object] : read_) put(before, object.second);
  auto after = before;
  put(after, candidate);
  const auto verdict = config::validate(after);

  auto blamed = verdict.set_aside;
  if (!blamed.empty()) {
    for (const auto& [was, why] : config::validate(before).set_aside) blamed.erase(was);
    // What cannot be used even alone waits for something that may still come.
    config::Resources alone;
    put(alone, candidate);
    for (const auto& [was, why] : config::validate(alone).set_aside) blamed.erase(was);
  }
  for (const auto& problem : verdict.problems) {
    if (blamed.contains(problem.object)) {
      auto copy = problem;
      if (problem.object != name) {
        copy.message = fmt::format("{} {}: {}", problem.object, problem.field, problem.message);
        copy.field.clear();
      }
      findings.contradictions.push_back(std::move(copy));
    } else if (problem.object == name && findings.warnings.size() < most_warnings) {
      findings.warnings.push_back(fmt::format("{}: {}", problem.field, problem.message));
    }
  }
  return findings;
}

}  // namespace controller
