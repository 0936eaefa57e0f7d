// SPDX-License-Identifier: Apache-2.0
// Keeps equal values once, so that within one interner equality of values is equality of pointers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>

namespace speaker {

template <class Value>
class Interner {
 public:
  using Pointer = std::shared_ptr<const Value>;

  Pointer intern(Value value) {
    const auto at = values_.find(value);
    if (at != values_.end()) return *at;
    if (values_.size() >= next_sweep_) sweep();
    return *values_.insert(std::make_shared<const Value>(std::move(value))).first;
  }

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(const Pointer& a, const Pointer& b) const { return *a < *b; }
    bool operator()(const Pointer& a, const Value& b) const { return *a < b; }
    bool operator()(const Value& a, const Pointer& b) const { return a < *b; }
  };

  // Values that nobody holds any more go when their number may have doubled: constant cost per insertion.
  void sweep() {
    std::erase_if(values_, [](const Pointer& value) { return value.use_count() == 1; });
    next_sweep_ = std::max<std::size_t>(64, 2 * values_.size());
  }

  std::set<Pointer, Less> values_;
  std::size_t next_sweep_ = 64;
};

}  // namespace speaker
