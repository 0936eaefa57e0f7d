// SPDX-License-Identifier: Apache-2.0
// Route changes on their way to the thread that writes them. Keyed by prefix, so that it never holds
// more than there are prefixes and a route that flaps is written once, as it is last. Next hops are kept
// once per distinct set: a change costs no allocation of its own.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "netlink/operations.hpp"
#include "netlink/prefix_table.hpp"

namespace netlink {

class PendingChanges {
 public:
  void put(const RouteChange& change);
  [[nodiscard]] bool empty() const { return routes_.empty(); }
  [[nodiscard]] std::size_t size() const { return routes_.size(); }

  // intern(span of next hops) -> Set once for each distinct set, then want(prefix, Set, metric) or
  // withdraw(prefix) once for each prefix.
  template <class Intern, class Want, class Withdraw>
  void hand_over(Intern&& intern, Want&& want, Withdraw&& withdraw) const {
    using Index = decltype(intern(std::span<const NextHop>{}));
    std::vector<Index> indices;
    indices.reserve(sets_.size());
    for (const auto& set : sets_) indices.push_back(intern(hops_of(set)));
    routes_.for_each([&](std::uint32_t handle) {
      const auto set = routes_[handle];
      if (set == withdrawn)
        withdraw(routes_.prefix(handle));
      else
        want(routes_.prefix(handle), indices[set], sets_[set].metric);
    });
  }
  void clear();

 private:
  static constexpr std::uint32_t withdrawn = ~std::uint32_t{0};
  struct Set {
    std::uint32_t first = 0;  // in hops_
    std::uint32_t count = 0;
    std::uint32_t metric = 0;  // of the routes with it
  };
  [[nodiscard]] std::span<const NextHop> hops_of(Set set) const {
    return std::span{hops_}.subspan(set.first, set.count);
  }
  std::uint32_t intern(const RouteChange& change);

  PrefixTable<std::uint32_t> routes_;
  std::vector<Set> sets_;
  std::vector<NextHop> hops_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> index_;
  std::uint32_t last_ = withdrawn;  // most changes have the set of the one before
};

}  // namespace netlink
