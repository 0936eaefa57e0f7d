// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/audience.hpp"

#include <algorithm>

namespace bgp {

AudienceId Audiences::of(std::vector<std::string> names) {
  if (names.empty()) return everyone;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const auto [entry, added] = ids_.try_emplace(std::move(names), static_cast<AudienceId>(ids_.size() + 1));
  return entry->second;
}

std::vector<AudienceId> Audiences::with(std::string_view name) const {
  std::vector<AudienceId> found;
  for (const auto& [names, id] : ids_) {
    if (std::binary_search(names.begin(), names.end(), name)) found.push_back(id);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace bgp
