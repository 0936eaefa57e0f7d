// SPDX-License-Identifier: Apache-2.0
#include "config/resource_set.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "config/candidate.hpp"

namespace config {
namespace {

constexpr bool is_judged(Kind kind) {
  return kind != Kind::Service && kind != Kind::EndpointSlice && kind != Kind::SpeakerState &&
         kind != Kind::Namespace && kind != Kind::Event;
}

// Is it the same object with the same intent? What controllers write on it, such as the counters in a pool's status,
// comes with every assignment and changes nothing. Generations tell, where the API counts them.
template <class T>
bool same_intent(const T& before, const T& now) {
  if (before.meta.labels != now.meta.labels) return false;
  // Of a node only labels matter to validation.
  if constexpr (std::is_same_v<T, Node>) return true;
  return now.meta.generation != 0 && before.meta.generation == now.meta.generation && before.meta.uid == now.meta.uid;
}

bool matters(const Resources& judged, const Object& object) {
  return std::visit(
      [&]<class T>(const T& now) {
        const auto known = items<T>(judged).find(now.meta.key());
        return known == items<T>(judged).end() || !same_intent(known->second, now);
      },
      object);
}

}  // namespace

ResourceSet::Effect ResourceSet::apply(Changes changes) {
  bool dirty = false;
  const auto gone = [&](const ObjectId& id) {
    erase(current_.resources, id);
    erase(judged_, id);
    dirty = dirty || is_judged(id.kind);
  };
  for (auto& object : changes.set) {
    const auto kind = kind_of(object);
    dirty = refused_.erase({kind, meta_of(object).key()}) > 0 || dirty;
    if (is_judged(kind)) {
      dirty = matters(judged_, object) || dirty;
      std::visit([&]<class T>(const T& it) { items<T>(judged_).insert_or_assign(it.meta.key(), it); }, object);
    }
    // Until judge() says otherwise, below.
    std::visit(
        [&]<class T>(T& it) {
          auto key = it.meta.key();
          items<T>(current_.resources).insert_or_assign(std::move(key), std::move(it));
        },
        object);
  }
  for (const auto& id : changes.removed) {
    dirty = refused_.erase(id) > 0 || dirty;
    gone(id);
  }
  for (auto& refused : changes.refused) {
    gone(refused.id);
    refused_[refused.id] = std::move(refused.problems);
    dirty = true;
  }
  if (!dirty) return Effect::Objects;
  judge();
  return Effect::Configuration;
}

void ResourceSet::judge() {
  Viewpoint view{node_, {}, secrets_};
  current_.problems.clear();
  current_.set_aside.clear();
  for (const auto& [id, problems] : refused_) {
    const auto name = std::string{info(id.kind).name} + "/" + id.key;
    view.refused.insert(name);
    auto& reasons = current_.set_aside[name];
    for (const auto& problem : problems) {
      reasons.push_back((problem.field.empty() ? "" : problem.field + ": ") + problem.message);
      current_.problems.push_back(problem);
    }
  }
  auto verdict = validate(judged_, view);

  auto& out = current_.resources;
  out.pools = judged_.pools;
  out.communities = judged_.communities;
  out.peers = judged_.peers;
  out.bgp_configurations = judged_.bgp_configurations;
  out.bgp_advertisements = judged_.bgp_advertisements;
  out.filters = judged_.filters;
  out.bfd_profiles = judged_.bfd_profiles;
  out.l2_advertisements = judged_.l2_advertisements;
  remove_set_aside(out, verdict);

  std::ranges::move(verdict.problems, std::back_inserter(current_.problems));
  for (auto& [name, reasons] : verdict.set_aside)
    std::ranges::move(reasons, std::back_inserter(current_.set_aside[name]));
  current_.held_down = std::move(verdict.held_down);
}

}  // namespace config
