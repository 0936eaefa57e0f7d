// SPDX-License-Identifier: Apache-2.0
// The heads of a chained hash table that grows by one bucket at a time (linear hashing), so that no
// insertion ever pays for rehashing the whole table. The chained values keep their own links.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bgp/rib/fetch.hpp"

namespace bgp {

template <class Link>
class GrowingBuckets {
 public:
  explicit GrowingBuckets(Link none) : none_{none} {
    for (std::uint32_t i = 0; i < first_size; ++i) add_bucket();
  }

  [[nodiscard]] Link& head(std::uint32_t hash) { return at(bucket_of(hash)); }
  [[nodiscard]] const Link& head(std::uint32_t hash) const {
    const auto index = bucket_of(hash);
    return pages_[index >> page_bits][index & page_mask];
  }

  // Keeps the load at most one value a bucket: call after each insertion with the number of values.
  // hash_of(link) and next_of(link) -> Link& look into the values.
  template <class HashOf, class NextOf>
  void grow(std::size_t values, HashOf&& hash_of, NextOf&& next_of) {
    if (values <= size_) return;
    const auto old_bucket = size_ - mask_ - 1;  // the next one to be split
    const auto new_bucket = add_bucket();
    auto rest = at(old_bucket);
    at(old_bucket) = none_;
    while (rest != none_) {
      const auto here = rest;
      rest = next_of(here);
      auto& target = at((hash_of(here) & (2 * mask_ + 1)) == old_bucket ? old_bucket : new_bucket);
      next_of(here) = target;
      target = here;
    }
    // The first value of a bucket is in the cache when its link to the second is looked at, and so on.
    if (const auto far = first_of(old_bucket + 2 * split_ahead); far != none_) fetch(&next_of(far));
    if (const auto near = first_of(old_bucket + split_ahead); near != none_) {
      if (const auto second = next_of(near); second != none_) fetch(&next_of(second));
    }
    if (size_ == 2 * (mask_ + 1)) mask_ = 2 * mask_ + 1;
  }

  // NOLINTNEXTLINE(bugprone-sizeof-expression): a link may well be a pointer
  [[nodiscard]] std::size_t bytes() const { return pages_.size() * (sizeof(Link) << page_bits); }
  void clear() { *this = GrowingBuckets{none_}; }

 private:
  static constexpr unsigned page_bits = 10;
  static constexpr std::uint32_t page_mask = (1U << page_bits) - 1;
  static constexpr std::uint32_t first_size = 64;
  static constexpr std::uint32_t split_ahead = 4;  // insertions, in which a value comes into the cache

  // Buckets [0, size - mask - 1) have been split already and use one more bit of the hash.
  [[nodiscard]] std::uint32_t bucket_of(std::uint32_t hash) const {
    const auto bucket = hash & (2 * mask_ + 1);
    return bucket < size_ ? bucket : hash & mask_;
  }
  // Of a bucket that is still to be split.
  [[nodiscard]] Link first_of(std::uint32_t bucket) { return bucket <= mask_ ? at(bucket) : none_; }
  Link& at(std::uint32_t index) { return pages_[index >> page_bits][index & page_mask]; }
  std::uint32_t add_bucket() {
    if (size_ == pages_.size() << page_bits) pages_.push_back(std::make_unique<Link[]>(std::size_t{1} << page_bits));
    at(size_) = none_;
    return size_++;
  }

  Link none_;
  std::vector<std::unique_ptr<Link[]>> pages_;
  std::uint32_t size_ = 0;
  std::uint32_t mask_ = first_size - 1;
};

}  // namespace bgp
