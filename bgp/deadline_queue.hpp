// SPDX-License-Identifier: Apache-2.0
// The next deadline of many things, each of which has at most one. Changing one costs O(log n), an
// unchanged one nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "net/time.hpp"

namespace bgp {

class DeadlineQueue {
 public:
  using Key = std::uint16_t;
  void set(Key key, std::optional<net::TimePoint> at) {
    const auto found = at_.find(key);
    if (found == at_.end() ? !at : at == found->second) return;
    if (found != at_.end()) {
      order_.erase({found->second, key});
      at_.erase(found);
    }
    if (!at) return;
    order_.emplace(*at, key);
    at_.emplace(key, *at);
  }
  [[nodiscard]] std::optional<net::TimePoint> next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
  }
  // One that is due, without taking it out.
  [[nodiscard]] std::optional<Key> due(net::TimePoint now) const {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    return order_.begin()->second;
  }

 private:
  std::set<std::pair<net::TimePoint, Key>> order_;
  std::unordered_map<Key, net::TimePoint> at_;
};

}  // namespace bgp
