// SPDX-License-Identifier: Apache-2.0
#include "config/changes.hpp"

#include <set>
#include <utility>

namespace config {

Changes together(std::vector<Changes> told) {
  Changes out;
  std::size_t most = 0;
  for (const auto& changes : told) most += changes.set.size();
  out.set.reserve(most);
  std::set<ObjectId> later;  // told of already, since the last is looked at first
  for (; !told.empty(); told.pop_back()) {
    auto& changes = told.back();
    const auto last = [&](ObjectId id) { return later.insert(std::move(id)).second; };
    for (auto& object : changes.set)
      if (last({kind_of(object), meta_of(object).key()})) out.set.push_back(std::move(object));
    for (auto& id : changes.removed)
      if (last(id)) out.removed.push_back(std::move(id));
    for (auto& refused : changes.refused)
      if (last(refused.id)) out.refused.push_back(std::move(refused));
  }
  return out;
}

}  // namespace config
