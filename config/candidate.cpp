// SPDX-License-Identifier: Apache-2.0
#include "config/candidate.hpp"

#include <cstddef>
#include <type_traits>
#include <utility>
#include <variant>

namespace config {
namespace {

constexpr std::size_t most_warnings = 5;

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

}  // namespace

void put(Resources& resources, const Object& object) {
  std::visit(
      [&resources](const auto& one) {
        items<std::decay_t<decltype(one)>>(resources).insert_or_assign(one.meta.key(), one);
      },
      object);
}

void erase(Resources& resources, const ObjectId& id) {
  with_type_of(id.kind, [&]<class T>(std::type_identity<T> /*type*/) { items<T>(resources).erase(id.key); });
}

CandidateFindings judge_candidate(const Resources& before, const Object& candidate, Secrets secrets) {
  CandidateFindings findings;
  const Viewpoint viewpoint{.node = {}, .refused = {}, .secrets = secrets};
  const auto name = name_of(kind_of(candidate), meta_of(candidate));
  auto after = before;
  put(after, candidate);
  const auto verdict = validate(after, viewpoint);

  auto blamed = verdict.set_aside;
  if (!blamed.empty()) {
    for (const auto& [was, why] : validate(before, viewpoint).set_aside) blamed.erase(was);
    // What cannot be used even alone waits for something that may still come.
    Resources alone;
    put(alone, candidate);
    for (const auto& [was, why] : validate(alone, viewpoint).set_aside) blamed.erase(was);
  }
  for (const auto& problem : verdict.problems) {
    if (blamed.contains(problem.object)) {
      auto copy = problem;
      if (problem.object != name) {
        copy.message = problem.object + " " + problem.field + ": " + problem.message;
        copy.field.clear();
      }
      findings.contradictions.push_back(std::move(copy));
    } else if (problem.object == name && findings.warnings.size() < most_warnings) {
      findings.warnings.push_back(problem.field + ": " + problem.message);
    }
  }
  return findings;
}

}  // namespace config
