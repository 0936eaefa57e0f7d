// SPDX-License-Identifier: Apache-2.0
#include "insight/object_conditions.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "controller/event.hpp"
#include "controller/json_member.hpp"
#include "controller/store/metadata.hpp"
#include "insight/metric_text.hpp"

namespace insight {
namespace {

using controller::ObjectKey;
using controller::ObjectStatus;
using controller::Statement;
using nlohmann::json;

constexpr std::size_t slice = 500;  // objects looked at before others have their turn
constexpr int events_per_second = 1;
constexpr int events_at_once = 100;

std::vector<config::Kind> kinds() {
  std::vector<config::Kind> out;
  for (const auto& kind : config::all_kinds())
    if (says_status(kind.kind)) out.push_back(kind.kind);
  return out;
}

const Statement& accepted(const ObjectStatus& status) {
  return *std::ranges::find(status.conditions, accepted_condition, &Statement::type);
}

// What could not be read tells no generation; it is that which stands there.
void observe_generation(ObjectStatus& said, const controller::Object& object) {
  const auto verdict = std::ranges::find(said.conditions, accepted_condition, &Statement::type);
  if (verdict->observed_generation != 0) return;
  const auto stands = json::parse(object.text, nullptr, false);
  if (stands.is_object())
    verdict->observed_generation = stands.value("/metadata/generation"_json_pointer, std::int64_t{0});
}

}  // namespace

ObjectConditions::ObjectConditions(const controller::ObserverContext& context)
    : objects_{context.objects},
      writes_{context.objects,
              {},
              {.look = [this](const auto& key) { queue_.insert(key); },
               .written = [this](const auto& before, const auto& said) { written(before, said); }}},
      follower_{context.objects, kinds(),
                [this](const ObjectFollower::Difference& difference) {
                  for (const auto& object : difference.set) queue_.insert(object->key);
                }},
      events_{events_per_second, events_at_once} {}

void ObjectConditions::reset() {
  nodes_.reset();
}

void ObjectConditions::lead() {
  for (const auto& [id, status] : statuses_) queue_.insert({id.kind, {}, id.key});
}

bool ObjectConditions::work(const config::ResourceSet& set, const NodeNames& live, net::TimePoint now) {
  judge(set, live);
  for (std::size_t i = 0; i < slice && !queue_.empty(); ++i) look(queue_.extract(queue_.begin()).value(), now);
  writes_.write_due(now);
  return !queue_.empty();
}

// Heartbeats come all the time, and mostly say what was said before.
void ObjectConditions::judge(const config::ResourceSet& set, const NodeNames& live) {
  const auto& resources = set.current().resources;
  auto speakers = live_speakers(resources, live);
  const auto same_nodes = nodes_ && !nodes_->stale(resources);
  if (same_nodes && speakers == speakers_) return;
  if (!same_nodes) nodes_.emplace(resources);
  speakers_ = std::move(speakers);
  auto now = object_statuses(set, *nodes_, speakers_);
  for (const auto& [id, status] : now) {
    const auto before = statuses_.find(id);
    if (before == statuses_.end() || before->second != status) queue_.insert({id.kind, {}, id.key});
  }
  statuses_ = std::move(now);
}

void ObjectConditions::look(const ObjectKey& key, net::TimePoint now) {
  const auto status = statuses_.find({key.kind, key.name});
  if (status == statuses_.end() || !key.namespace_name.empty()) return writes_.forget(key);
  const auto object = objects_.get(key);
  if (object == nullptr) return writes_.forget(key);
  auto said = status->second;
  observe_generation(said, *object);
  writes_.want(key, std::move(said), now);
}

// One Event for each refusal, and for each other reason of it.
void ObjectConditions::written(const controller::Object& before, const ObjectStatus& said) {
  const auto& verdict = accepted(said);
  if (verdict.status == Statement::Status::True) return;
  const auto object = json::parse(before.text, nullptr, false);
  const auto& stood = controller::condition_of(object, accepted_condition);
  const auto same = controller::member_text(stood, "status") == print(verdict.status) &&
                    controller::member_text(stood, "reason") == verdict.reason &&
                    controller::member_text(stood, "message") == verdict.message;
  if (same || !events_.take(net::Clock::now())) return;
  const auto wall = std::chrono::system_clock::now();
  const auto serial = static_cast<std::uint64_t>(wall.time_since_epoch().count()) + ++event_serial_;
  std::vector<controller::Write> batch;
  batch.push_back(controller::event_about(before,
                                          {controller::EventText::Type::Warning, "NotAccepted", verdict.message},
                                          serial, controller::rfc3339(wall)));
  objects_.write(std::move(batch), nullptr);
}

std::string ObjectConditions::metrics() const {
  const auto refused = std::ranges::count_if(
      statuses_, [](const auto& entry) { return accepted(entry.second).status != Statement::Status::True; });
  return gauge("herald_objects_refused", "Objects of Herald's kinds that are not accepted.",
               static_cast<std::size_t>(refused));
}

}  // namespace insight
