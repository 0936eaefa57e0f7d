// SPDX-License-Identifier: Apache-2.0
// Values in pages, named by 32-bit indices. Growing never moves a value and never copies, so the cost of
// one insertion is bounded; freed places are used again. T has a member `next` (std::uint32_t) that is free
// for use while the value is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace bgp {

inline constexpr std::uint32_t no_index = ~std::uint32_t{0};

template <class T>
class Slab {
 public:
  // A default value's place.
  std::uint32_t take() {
    if (free_ != no_index) {
      const auto index = free_;
      free_ = (*this)[index].next;
      (*this)[index] = T{};
      ++used_;
      return index;
    }
    if (end_ == pages_.size() << page_bits) pages_.push_back(std::make_unique<T[]>(std::size_t{1} << page_bits));
    ++used_;
    return end_++;
  }
  // The value's destructor is not run; T{} must be free to overwrite.
  void give(std::uint32_t index) {
    (*this)[index].next = free_;
    free_ = index;
    --used_;
  }
  // Forgets everything and frees the pages.
  void clear() { *this = Slab{}; }

  [[nodiscard]] T& operator[](std::uint32_t index) { return pages_[index >> page_bits][index & page_mask]; }
  [[nodiscard]] const T& operator[](std::uint32_t index) const { return pages_[index >> page_bits][index & page_mask]; }
  // One past the highest index ever taken.
  [[nodiscard]] std::uint32_t end() const { return end_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t bytes() const { return pages_.size() * (sizeof(T) << page_bits); }

 private:
  static constexpr unsigned page_bits = 10;
  static constexpr std::uint32_t page_mask = (1U << page_bits) - 1;
  std::vector<std::unique_ptr<T[]>> pages_;
  std::uint32_t free_ = no_index;
  std::uint32_t end_ = 0;
  std::size_t used_ = 0;
};

}  // namespace bgp
