// SPDX-License-Identifier: Apache-2.0
#include "config/meta.hpp"

#include <algorithm>

namespace config {
namespace {

bool holds(const LabelSelector::Expression& expression, const Labels& labels) {
  const auto found = labels.find(expression.key);
  const bool present = found != labels.end();
  const bool listed = present && std::ranges::find(expression.values, found->second) != expression.values.end();
  switch (expression.op) {
    case LabelSelector::Operator::In:
      return listed;
    case LabelSelector::Operator::NotIn:
      return !listed;  // as in Kubernetes: a label that is absent is not in the list
    case LabelSelector::Operator::Exists:
      return present;
    case LabelSelector::Operator::DoesNotExist:
      return !present;
  }
  return false;
}

}  // namespace

bool LabelSelector::matches(const Labels& labels) const {
  const auto has = [&](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  };
  return std::ranges::all_of(match_labels, has) &&
         std::ranges::all_of(match_expressions, [&](const auto& expression) { return holds(expression, labels); });
}

bool any_matches(const std::vector<LabelSelector>& selectors, const Labels& labels) {
  return selectors.empty() ||
         std::ranges::any_of(selectors, [&](const LabelSelector& selector) { return selector.matches(labels); });
}

std::string print(const Problem& problem) {
  std::string out;
  if (!problem.location.file.empty()) {
    out += problem.location.file;
    if (problem.location.line > 0)
      out += ':' + std::to_string(problem.location.line) + ':' + std::to_string(problem.location.column);
    out += ": ";
  }
  out += problem.object;
  if (!problem.field.empty()) out += (problem.object.empty() ? "" : " ") + problem.field;
  if (!problem.object.empty() || !problem.field.empty()) out += ": ";
  return out + problem.message;
}

}  // namespace config
