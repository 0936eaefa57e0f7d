// SPDX-License-Identifier: Apache-2.0
#include "controller/store/object_index.hpp"

namespace controller {

ObjectPtr ObjectIndex::live(const ObjectKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second.live;
}

ObjectPtr ObjectIndex::latest(const ObjectKey& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const auto& [live, coming] = found->second;
  if (!coming) return live;
  return coming->action == Row::Action::Put ? coming->object : nullptr;
}

bool ObjectIndex::on_its_way(const ObjectKey& key) const {
  const auto found = entries_.find(key);
  return found != entries_.end() && found->second.coming;
}

void ObjectIndex::stage(const Row& row) {
  entries_[row.object->key].coming = row;
}

ObjectPtr ObjectIndex::commit(const Row& row) {
  const auto place = entries_.try_emplace(row.object->key).first;
  auto& [live, coming] = place->second;
  if (coming && coming->object == row.object) coming.reset();
  auto before = std::move(live);
  if (row.action == Row::Action::Put) {
    live = row.object;
    if (!before) in_order_.insert(in_order_.end(), &*place);
    return before;
  }
  live.reset();
  if (before) in_order_.erase(&*place);
  if (!coming) entries_.erase(place);
  return before;
}

void ObjectIndex::forget_staged() {
  for (auto& [key, entry] : entries_) entry.coming.reset();
  std::erase_if(entries_, [](const auto& node) { return node.second.live == nullptr; });
}

}  // namespace controller
