// SPDX-License-Identifier: Apache-2.0
#include "speaker/rpki/rpki_side.hpp"

#include <algorithm>

namespace speaker {

RpkiSide::~RpkiSide() {
  for (auto& [cache, entry] : clients_) entry.client->stop();
}

void RpkiSide::configure(const std::vector<RpkiCache>& caches) {
  const auto before = table_.version();
  for (auto at = clients_.begin(); at != clients_.end();) {
    if (std::find(caches.begin(), caches.end(), at->first) != caches.end()) {
      ++at;
      continue;
    }
    at->second.client->stop();
    table_.remove(at->second.number);
    at = clients_.erase(at);
  }
  for (const auto& cache : caches) {
    if (clients_.contains(cache)) continue;
    const auto number = next_number_++;
    auto& entry = clients_[cache];
    entry.number = number;
    const auto changed = [this, number, cache] {
      const auto version = table_.version();
      table_.replace(number, clients_.at(cache).client->session().vrps());
      if (table_.version() != version) changed_.ask();
    };
    const auto moved = [this, cache] { moved_(*clients_.at(cache).client); };
    entry.client = std::make_shared<CacheClient>(io_, cache, changed, moved);
    entry.client->start();
  }
  if (table_.version() != before) changed_.ask();
}

std::vector<const CacheClient*> RpkiSide::caches() const {
  std::vector<const CacheClient*> all;
  for (const auto& [cache, entry] : clients_) all.push_back(entry.client.get());
  return all;
}

}  // namespace speaker
