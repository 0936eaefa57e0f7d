// SPDX-License-Identifier: Apache-2.0
#include "insight/settled_writes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "controller/json_member.hpp"
#include "controller/store/metadata.hpp"

namespace insight {
namespace {

using controller::ObjectKey;
using controller::ObjectStatus;
using controller::Statement;
using controller::WriteError;
using nlohmann::json;

// What people wait for: another status, or the same one said of what they wrote just now.
bool turns(const json& object, const ObjectStatus& said) {
  return std::ranges::any_of(said.conditions, [&](const Statement& statement) {
    const auto& before = controller::condition_of(object, statement.type);
    const auto of = before.is_object() ? before.value("observedGeneration", json{}) : json{};
    return controller::member_text(before, "status") != print(statement.status) ||
           (statement.observed_generation != 0 && of != statement.observed_generation);
  });
}

json parsed(const controller::ObjectPtr& object) {
  return object == nullptr ? json{} : json::parse(object->text, nullptr, false);
}

}  // namespace

SettledWrites::SettledWrites(controller::Objects& objects, Pace pace, Listener listener)
    : objects_{objects},
      pace_{pace},
      listener_{std::move(listener)},
      turns_{pace.per_second, 2 * pace.per_second},
      tells_{pace.told_per_second, 4 * pace.told_per_second} {}

void SettledWrites::want(const ObjectKey& key, ObjectStatus said, net::TimePoint now) {
  const auto stands = parsed(objects_.get(key));
  if (!stands.is_object() || !controller::status_patch(stands, said, {})) {
    waiting_.erase(key);
    return;
  }
  const auto known = waiting_.find(key);
  if (known != waiting_.end() && known->second.said == said) return;
  const auto turned = turns(stands, said);
  waiting_.insert_or_assign(key, Waiting{std::move(said), turned, now});
}

void SettledWrites::write_due(net::TimePoint now) {
  std::erase_if(refused_, [&](const auto& entry) { return entry.second <= now; });
  std::vector<ObjectKey> due;
  bool turns_left = true;
  bool tells_left = true;
  for (const auto& [key, waiting] : waiting_) {
    if (in_flight_.size() + due.size() >= pace_.at_once || (!turns_left && !tells_left)) break;
    auto& left = waiting.turned ? turns_left : tells_left;
    if (!left || in_flight_.contains(key) || refused_.contains(key)) continue;
    if (now - waiting.since < (waiting.turned ? pace_.settle : pace_.told_settle)) continue;
    left = (waiting.turned ? turns_ : tells_).take(now);
    if (left) due.push_back(key);
  }
  for (const auto& key : due) write(key, waiting_.extract(key).mapped().said, now);
}

void SettledWrites::write(const ObjectKey& key, const ObjectStatus& said, net::TimePoint now) {
  const auto object = objects_.get(key);
  const auto stands = parsed(object);
  if (!stands.is_object()) return;
  auto patch = controller::status_patch(stands, said, controller::rfc3339(std::chrono::system_clock::now()));
  if (!patch) return;
  in_flight_.insert(key);
  std::vector<controller::Write> batch;
  batch.push_back({controller::Write::Verb::Merge, key, {{"status", *std::move(patch)}}, object->revision, {}, {}});
  objects_.write(std::move(batch), [this, object, said, now, term = term_](const auto& results) {
    if (term == term_) answered(object, said, results.front(), now);
  });
}

// Refused because it changed meanwhile, or written: in both cases it is what stands now that counts.
void SettledWrites::answered(const controller::ObjectPtr& before, const ObjectStatus& said,
                             const controller::WriteResult& result, net::TimePoint sent) {
  in_flight_.erase(before->key);
  if (result) {
    if (listener_.written) listener_.written(*before, said);
  } else if (result.error().code == WriteError::Code::Invalid || result.error().code == WriteError::Code::Storage) {
    refused_[before->key] = sent + pace_.refused_pause;
  }
  listener_.look(before->key);
}

void SettledWrites::abandon() {
  ++term_;
  waiting_.clear();
  in_flight_.clear();
  refused_.clear();
}

}  // namespace insight
