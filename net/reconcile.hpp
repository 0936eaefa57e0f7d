// SPDX-License-Identifier: Apache-2.0
// Desired state in, difference out. Used for kernel routes, service addresses, announced prefixes and
// layer 2 responders, so that start-up, reload and lost events are one path.
#pragma once

#include <map>
#include <utility>
#include <vector>

namespace net {

template <class Key, class Value>
struct Plan {
  std::vector<std::pair<Key, Value>> set;  // add, or replace what is there
  std::vector<Key> remove;
  [[nodiscard]] bool empty() const { return set.empty() && remove.empty(); }
};

// What must change so that `actual` becomes `desired`. One pass over both, in key order.
template <class Key, class Value, class Compare>
[[nodiscard]] Plan<Key, Value> reconcile(const std::map<Key, Value, Compare>& desired,
                                         const std::map<Key, Value, Compare>& actual) {
  Plan<Key, Value> plan;
  const auto less = desired.key_comp();
  auto want = desired.begin();
  auto have = actual.begin();
  while (want != desired.end() || have != actual.end()) {
    if (have == actual.end() || (want != desired.end() && less(want->first, have->first))) {
      plan.set.emplace_back(*want++);
    } else if (want == desired.end() || less(have->first, want->first)) {
      plan.remove.push_back((have++)->first);
    } else {
      if (!(want->second == have->second)) plan.set.emplace_back(*want);
      ++want;
      ++have;
    }
  }
  return plan;
}

}  // namespace net
