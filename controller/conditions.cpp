// SPDX-License-Identifier: Apache-2.0
#include "controller/conditions.hpp"

#include <algorithm>
#include <utility>

#include "controller/json_member.hpp"

namespace controller {
namespace {

using nlohmann::json;

const json& no_value() {
  static const json nothing;
  return nothing;
}

// The condition that says this, given the one that stands there.
json condition(const Statement& said, const json& before, const std::string& timestamp) {
  const auto same_status = member_text(before, "status") == print(said.status);
  const auto since = same_status ? member_text(before, "lastTransitionTime") : std::string{};
  json out{{"type", said.type},
           {"status", print(said.status)},
           {"reason", said.reason},
           {"message", said.message},
           {"lastTransitionTime", since.empty() ? timestamp : since}};
  if (said.observed_generation != 0) out["observedGeneration"] = said.observed_generation;
  return out;
}

// Nothing: they are right.
std::optional<json> conditions_with(const json& before, const std::vector<Statement>& said,
                                    const std::string& timestamp) {
  auto out = before.is_array() ? before : json::array();
  for (const auto& statement : said) {
    const auto place = std::find_if(out.begin(), out.end(),
                                    [&](const json& entry) { return member_text(entry, "type") == statement.type; });
    if (statement.status == Statement::Status::Unsaid) {
      if (place != out.end()) out.erase(place);
      continue;
    }
    auto now = condition(statement, place == out.end() ? no_value() : *place, timestamp);
    if (place == out.end())
      out.push_back(std::move(now));
    else
      *place = std::move(now);
  }
  if (out == before || (before.is_null() && out.empty())) return std::nullopt;
  return out;
}

}  // namespace

std::string_view print(Statement::Status status) {
  switch (status) {
    case Statement::Status::True:
      return "True";
    case Statement::Status::False:
      return "False";
    case Statement::Status::Unsaid:
      break;
  }
  return {};
}

std::optional<json> status_patch(const json& object, const ObjectStatus& said, const std::string& timestamp) {
  const auto& before = member(object, "status");
  auto patch = said.members;
  if (auto conditions = conditions_with(member(before, "conditions"), said.conditions, timestamp))
    patch["conditions"] = *std::move(conditions);
  auto after = before.is_object() ? before : json::object();
  after.merge_patch(patch);
  if (after == before || (before.is_null() && after.empty())) return std::nullopt;
  return patch;
}

const json& condition_of(const json& object, std::string_view type) {
  const auto& conditions = member(member(object, "status"), "conditions");
  if (!conditions.is_array()) return no_value();
  const auto found = std::find_if(conditions.begin(), conditions.end(),
                                  [&](const json& entry) { return member_text(entry, "type") == type; });
  return found == conditions.end() ? no_value() : *found;
}

}  // namespace controller
