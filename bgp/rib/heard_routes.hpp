// SPDX-License-Identifier: Apache-2.0
// What a neighbour said, as it was before import filters: for neighbours that cannot be asked again, since they lack
// ROUTE-REFRESH (RFC 2918). A route costs a node of a map; its attribute set is shared with the tables.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bgp/rib/attribute_pool.hpp"
#include "net/prefix.hpp"

namespace bgp {

class HeardRoutes {
 public:
  struct Route {
    net::Prefix prefix;
    std::uint32_t path_id = 0;
    friend auto operator<=>(const Route&, const Route&) = default;
  };

  void keep(const Route& route, SetRef attributes) { routes_.insert_or_assign(route, std::move(attributes)); }
  void drop(const Route& route) { routes_.erase(route); }
  void clear() { routes_.clear(); }

  // Each route with its set; those of one set behind each other.
  [[nodiscard]] std::vector<std::pair<const AttributeSet*, Route>> by_set() const {
    std::vector<std::pair<const AttributeSet*, Route>> all;
    all.reserve(routes_.size());
    for (const auto& [route, set] : routes_) all.emplace_back(set.get(), route);
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return all;
  }

 private:
  std::map<Route, SetRef> routes_;
};

}  // namespace bgp
