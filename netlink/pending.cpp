// SPDX-License-Identifier: Apache-2.0
#include "netlink/pending.hpp"

#include <algorithm>

namespace netlink {
namespace {

std::uint64_t hash_of(const RouteChange& change) {
  std::uint64_t hash = change.next_hops.size() + (std::uint64_t{change.metric} << 32);
  for (const auto& hop : change.next_hops) {
    hash ^= std::hash<net::IpAddress>{}(hop.gateway) + (std::uint64_t{hop.interface} << 16 | hop.weight);
    hash = (hash ^ hash >> 29) * 0x9e3779b97f4a7c15ULL;
  }
  return hash;
}

}  // namespace

void PendingChanges::put(const RouteChange& change) {
  const auto handle = routes_.insert(change.prefix).first;
  routes_[handle] = change.next_hops.empty() ? withdrawn : intern(change);
}

std::uint32_t PendingChanges::intern(const RouteChange& change) {
  const auto& next_hops = change.next_hops;
  const auto same = [&](std::uint32_t index) {
    return sets_[index].metric == change.metric && std::ranges::equal(hops_of(sets_[index]), next_hops);
  };
  if (last_ != withdrawn && same(last_)) return last_;
  const auto hash = hash_of(change);
  const auto [first, last] = index_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    if (same(at->second)) return last_ = at->second;
  }
  const auto index = static_cast<std::uint32_t>(sets_.size());
  sets_.push_back(
      {static_cast<std::uint32_t>(hops_.size()), static_cast<std::uint32_t>(next_hops.size()), change.metric});
  hops_.insert(hops_.end(), next_hops.begin(), next_hops.end());
  index_.emplace(hash, index);
  return last_ = index;
}

void PendingChanges::clear() {
  routes_.clear();
  sets_.clear();
  hops_.clear();
  index_.clear();
  last_ = withdrawn;
}

}  // namespace netlink
