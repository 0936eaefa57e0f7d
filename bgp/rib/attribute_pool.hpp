// SPDX-License-Identifier: Apache-2.0
// Keeps each attribute set once and counts who holds it. Knows nothing of prefixes or peers.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "bgp/rib/attribute_set.hpp"
#include "bgp/rib/growing_buckets.hpp"

namespace bgp {

class AttributePool;

// One counted reference.
class SetRef {
 public:
  SetRef() = default;
  // Takes over a reference that was counted already.
  SetRef(AttributePool& pool, AttributeSet* set) : pool_{&pool}, set_{set} {}
  SetRef(SetRef&& other) noexcept : pool_{other.pool_}, set_{std::exchange(other.set_, nullptr)} {}
  SetRef& operator=(SetRef&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(set_, other.set_);
    return *this;
  }
  ~SetRef();

  [[nodiscard]] AttributeSet* get() const { return set_; }
  AttributeSet* operator->() const { return set_; }
  AttributeSet& operator*() const { return *set_; }
  explicit operator bool() const { return set_ != nullptr; }

 private:
  AttributePool* pool_ = nullptr;
  AttributeSet* set_ = nullptr;
};

class AttributePool {
 public:
  explicit AttributePool(std::uint64_t seed) : seed_{seed}, buckets_{nullptr} {}
  ~AttributePool();  // every set must have been released
  AttributePool(const AttributePool&) = delete;
  AttributePool& operator=(const AttributePool&) = delete;

  // The set of exactly these attributes, which must be encodable(); made when there is none.
  [[nodiscard]] SetRef intern(const PathAttributes& attributes);

  static void retain(AttributeSet* set) { ++set->references; }
  void release(AttributeSet* set) {
    if (--set->references == 0) forget(set);
  }
  [[nodiscard]] SetRef share(AttributeSet* set) {
    retain(set);
    return {*this, set};
  }

  // The next hops of the sets, each once, ascending. Without link-local ones: these are reached as their session is.
  [[nodiscard]] std::vector<net::IpAddress> next_hops() const;
  // Whether they have changed since the last call.
  [[nodiscard]] bool take_next_hops_changed() { return std::exchange(next_hops_changed_, false); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_ + buckets_.bytes(); }

 private:
  using NextHops = std::map<net::IpAddress, std::uint32_t>;  // with the number of sets

  void forget(AttributeSet* set);
  void count_next_hop(const AttributeSet& set);
  void discount_next_hop(const AttributeSet& set);

  std::uint64_t seed_;  // of the hash: a peer must not be able to choose what collides
  GrowingBuckets<AttributeSet*> buckets_;
  NextHops next_hops_;
  NextHops::iterator last_next_hop_ = next_hops_.end();  // most sets have that of the set before
  bool next_hops_changed_ = false;
  std::vector<std::uint8_t> scratch_;  // next hop and bytes of the set that is looked for
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
};

inline SetRef::~SetRef() {
  if (set_ != nullptr) pool_->release(set_);
}

}  // namespace bgp
