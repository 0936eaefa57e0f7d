// SPDX-License-Identifier: Apache-2.0
#include "insight/object_follower.hpp"

namespace insight {
namespace {

constexpr std::size_t at_once = 500;  // changes

}  // namespace

void ObjectFollower::start() {
  Difference all;
  for (const auto kind : kinds_) {
    subscriptions_.push_back(objects_.subscribe(kind, [this, kind] {
      Difference difference;
      follow(kind, difference);
      if (!difference.set.empty() || !difference.removed.empty()) on_change_(difference);
    }));
    follow(kind, all);
  }
  on_change_(all);
}

void ObjectFollower::follow(config::Kind kind, Difference& difference) {
  auto& known = known_[kind];
  if (!take_changes(kind, known, difference)) compare(kind, known, difference);
}

// False, and nothing taken, when it has to be listed.
bool ObjectFollower::take_changes(config::Kind kind, Known& known, Difference& difference) {
  if (!known.up_to) return false;
  std::map<controller::ObjectKey, controller::ObjectPtr> latest;  // null: gone
  auto up_to = *known.up_to;
  for (;;) {
    const auto changes = objects_.changes(kind, up_to, at_once);
    if (!changes) return false;
    for (const auto& change : *changes) {
      latest[change.object->key] = change.type == controller::Change::Type::Deleted ? nullptr : change.object;
      up_to = change.revision;
    }
    if (changes->size() < at_once) break;
  }
  known.up_to = up_to;
  for (auto& [key, object] : latest) {
    if (object == nullptr) {
      if (known.revisions.erase(key) > 0) difference.removed.push_back(key);
      continue;
    }
    known.revisions[key] = object->revision;
    difference.set.push_back(std::move(object));
  }
  return true;
}

void ObjectFollower::compare(config::Kind kind, Known& known, Difference& difference) {
  const auto list = objects_.list({.kind = kind});
  if (!list) return;
  std::map<controller::ObjectKey, std::uint64_t> now;
  for (const auto& object : list->objects) {
    now.emplace(object->key, object->revision);
    const auto before = known.revisions.find(object->key);
    if (before == known.revisions.end() || before->second != object->revision) difference.set.push_back(object);
  }
  for (const auto& [key, revision] : known.revisions)
    if (!now.contains(key)) difference.removed.push_back(key);
  known.revisions = std::move(now);
  known.up_to = list->revision;
}

}  // namespace insight
