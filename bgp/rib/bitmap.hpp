// SPDX-License-Identifier: Apache-2.0
// One bit for each place of a slab; bits beyond the last one set are zero and cost nothing.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bgp {

class Bitmap {
 public:
  [[nodiscard]] bool test(std::uint32_t index) const {
    const auto word = index / 64;
    return word < words_.size() && (words_[word] >> index % 64 & 1U) != 0;
  }
  // False when it was set before.
  bool set(std::uint32_t index) {
    const auto word = index / 64;
    if (word >= words_.size()) words_.resize(word + 1 + word / 2);
    const auto bit = std::uint64_t{1} << index % 64;
    if ((words_[word] & bit) != 0) return false;
    words_[word] |= bit;
    ++count_;
    return true;
  }
  // False when it was not set.
  bool reset(std::uint32_t index) {
    if (!test(index)) return false;
    words_[index / 64] &= ~(std::uint64_t{1} << index % 64);
    --count_;
    return true;
  }
  // The first set bit at or after `from`, or `none`.
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  [[nodiscard]] std::uint32_t next(std::uint32_t from) const {
    if (count_ == 0) return none;
    for (std::size_t word = from / 64; word < words_.size(); ++word) {
      auto bits = words_[word];
      if (word == from / 64) bits &= ~std::uint64_t{0} << from % 64;
      if (bits != 0) return static_cast<std::uint32_t>(word * 64) + static_cast<std::uint32_t>(std::countr_zero(bits));
    }
    return none;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return words_.size() * 8; }
  void clear() { *this = Bitmap{}; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t count_ = 0;
};

}  // namespace bgp
