// SPDX-License-Identifier: Apache-2.0
// The paths of one prefix lie side by side in a block of one of a few capacities, so that looking at all
// of them touches one or two cache lines. A block is named by its capacity class, which follows from the
// number of paths, and an index.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bgp/rib/path.hpp"
#include "bgp/rib/slab.hpp"

namespace bgp {

// Capacities are 1 2 3 4 6 8 12 16 24 32 … 65536.
inline constexpr std::size_t block_classes = 32;
[[nodiscard]] constexpr std::size_t block_class(std::size_t count) {
  if (count <= 2) return count - 1;
  const auto top = static_cast<std::size_t>(std::bit_width(count - 1));  // 2^(top-1) < count <= 2^top
  const auto half = std::size_t{3} << (top - 2);
  return count <= half ? 2 * top - 2 : 2 * top - 1;
}
[[nodiscard]] constexpr std::size_t block_capacity(std::size_t shelf) {
  if (shelf < 2) return shelf + 1;
  return shelf % 2 == 0 ? std::size_t{3} << (shelf / 2 - 1) : std::size_t{2} << shelf / 2;
}

class PathBlocks {
 public:
  // The paths of a prefix that has `count` of them in block `block`.
  [[nodiscard]] std::span<Path> paths(std::uint32_t block, std::uint16_t count) {
    return {count == 0 ? nullptr : start(block_class(count), block), count};
  }
  [[nodiscard]] std::span<const Path> paths(std::uint32_t block, std::uint16_t count) const {
    return const_cast<PathBlocks*>(this)->paths(block, count);
  }

  // Adds `path` behind the others; the block may change.
  void append(std::uint32_t& block, std::uint16_t& count, const Path& path) {
    resize(block, count, static_cast<std::uint16_t>(count + 1));
    paths(block, count)[count - 1U] = path;
  }
  // Takes the path at `index` out; the last one takes its place.
  void remove(std::uint32_t& block, std::uint16_t& count, std::size_t index) {
    const auto all = paths(block, count);
    all[index] = all[count - 1U];
    resize(block, count, static_cast<std::uint16_t>(count - 1));
  }

  [[nodiscard]] std::size_t bytes() const {
    std::size_t sum = 0;
    for (const auto& shelf : shelves_) sum += shelf.bytes;
    return sum;
  }
  void clear() { shelves_ = {}; }

 private:
  struct Shelf {
    std::vector<std::unique_ptr<Path[]>> pages;
    std::uint32_t free = no_index;
    std::uint32_t end = 0;
    std::size_t bytes = 0;
  };
  // Blocks of a page: a power of two, of about 16 KiB together.
  static constexpr unsigned page_bits(std::size_t shelf) {
    const auto blocks = 1024 / block_capacity(shelf);
    return blocks == 0 ? 0 : static_cast<unsigned>(std::bit_width(blocks)) - 1;
  }

  Path* start(std::size_t shelf, std::uint32_t block) {
    const auto bits = page_bits(shelf);
    return &shelves_[shelf].pages[block >> bits][(block & ((1U << bits) - 1)) * block_capacity(shelf)];
  }

  void resize(std::uint32_t& block, std::uint16_t& count, std::uint16_t wanted) {
    const auto before = count == 0 ? block_classes : block_class(count);
    const auto after = wanted == 0 ? block_classes : block_class(wanted);
    if (before != after) {
      auto moved = no_index;
      if (after != block_classes) moved = take(after);
      if (before != block_classes) {
        const auto keep = count < wanted ? count : wanted;
        for (std::size_t i = 0; i < keep; ++i) start(after, moved)[i] = start(before, block)[i];
        give(before, block);
      }
      block = moved;
    }
    count = wanted;
  }

  std::uint32_t take(std::size_t shelf) {
    auto& here = shelves_[shelf];
    if (here.free != no_index) {
      const auto block = here.free;
      here.free = start(shelf, block)->audience;
      return block;
    }
    if (here.end == here.pages.size() << page_bits(shelf)) {
      const auto paths = block_capacity(shelf) << page_bits(shelf);
      here.pages.push_back(std::make_unique<Path[]>(paths));
      here.bytes += paths * sizeof(Path);
    }
    return here.end++;
  }
  // A free block's first path holds the next free one.
  void give(std::size_t shelf, std::uint32_t block) {
    start(shelf, block)->audience = shelves_[shelf].free;
    shelves_[shelf].free = block;
  }

  std::array<Shelf, block_classes> shelves_;
};

}  // namespace bgp
