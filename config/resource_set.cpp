// SPDX-License-Identifier: Apache-2.0
#include "config/resource_set.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

namespace config {
namespace {

constexpr bool is_judged(Kind kind) {
  return kind != Kind::Service && kind != Kind::EndpointSlice && kind != Kind::SpeakerState &&
         kind != Kind::Namespace && kind != Kind::Event;
}

template <class Function>
void with_type_of(Kind kind, Function function) {
  const auto try_all = [&]<std::size_t... index>(std::index_sequence<index...> /*indices*/) {
    ((static_cast<std::size_t>(kind) == index
          ? function(std::type_identity<std::variant_alternative_t<index, Object>>{})
          : void()),
     ...);
  };
  try_all(std::make_index_sequence<std::variant_size_v<Object>>{});
}

void erase(Resources& resources, const ObjectId& id) {
  with_type_of(id.kind, [&]<class T>(std::type_identity<T> /*type*/) { items<T>(resources).erase(id.key); });
}

// Only the status differs, as it does with every address that is given out: the server counts generation up when
// anything else does. Where nobody counts (generation 0), everything may differ.
bool only_status_differs(const Meta& before, const Meta& now) {
  return now.generation != 0 && before.generation == now.generation && before.uid == now.uid &&
         before.labels == now.labels && before.annotations == now.annotations;
}

// Of a node only labels matter to validation; its status comes and goes.
template <class T>
bool matters(const Resources& judged, const T& object) {
  const auto& known = items<T>(judged);
  const auto found = known.find(object.meta.key());
  if (found == known.end()) return true;
  if constexpr (std::is_same_v<T, Node>) return found->second.meta.labels != object.meta.labels;
  return !only_status_differs(found->second.meta, object.meta);
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
    std::visit(
        [&]<class T>(T& it) {
          auto key = it.meta.key();
          auto& running = items<T>(current_.resources);
          if (is_judged(kind)) {
            const bool judge_it = matters(judged_, it);
            dirty = judge_it || dirty;
            items<T>(judged_).insert_or_assign(key, it);
            if (!judge_it && !running.contains(key)) return;  // set aside, and stays so
          }
          // Until judge() says otherwise, below.
          running.insert_or_assign(std::move(key), std::move(it));
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
  Viewpoint view{node_, {}};
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
  out.l2_advertisements = judged_.l2_advertisements;
  remove_set_aside(out, verdict);

  std::ranges::move(verdict.problems, std::back_inserter(current_.problems));
  for (auto& [name, reasons] : verdict.set_aside)
    std::ranges::move(reasons, std::back_inserter(current_.set_aside[name]));
  current_.held_down = std::move(verdict.held_down);
}

}  // namespace config
