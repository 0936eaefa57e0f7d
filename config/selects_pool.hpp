// SPDX-License-Identifier: Apache-2.0
// Which pools an advertisement is about: those it names and those its selectors match; naming none, all.
#pragma once

#include <algorithm>

#include "config/resources.hpp"

namespace config {

template <class Advertisement>
[[nodiscard]] bool selects_pool(const Advertisement& ad, const IPAddressPool& pool) {
  if (ad.ip_address_pools.empty() && ad.ip_address_pool_selectors.empty()) return true;
  return std::ranges::find(ad.ip_address_pools, pool.meta.name) != ad.ip_address_pools.end() ||
         (!ad.ip_address_pool_selectors.empty() && any_matches(ad.ip_address_pool_selectors, pool.meta.labels));
}

// One that has prefixes of its own and names no pool is about those prefixes alone.
[[nodiscard]] inline bool only_prefixes(const BGPAdvertisement& ad) {
  return !ad.prefixes.empty() && ad.ip_address_pools.empty() && ad.ip_address_pool_selectors.empty();
}

}  // namespace config
