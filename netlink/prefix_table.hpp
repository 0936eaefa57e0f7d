// SPDX-License-Identifier: Apache-2.0
// A hash table of prefixes for a million routes: entries live in slabs that never move and are named by
// 32-bit handles, so other structures refer to a route in four bytes; a freed handle is used again.
// Exact match only. An IPv4 entry costs 8 bytes beside its value, plus 8 to 23 for its slot.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "net/prefix.hpp"

namespace netlink {

template <class Key, class Value>
class SlabTable {
 public:
  using Handle = std::uint32_t;
  static constexpr Handle none = ~Handle{0};

  [[nodiscard]] Handle find(const Key& key) const {
    if (slots_.empty()) return none;
    const auto tag = tag_of(key);
    for (auto at = home(tag);; at = (at + 1) & mask()) {
      if (slots_[at].handle == none) return none;
      if (slots_[at].tag == tag && entry(slots_[at].handle).key == key) return slots_[at].handle;
    }
  }

  // The entry of exactly this key, made with Value{} when it was not there.
  std::pair<Handle, bool> insert(const Key& key) {
    if (const auto found = find(key); found != none) return {found, false};
    if ((size_ + 1) * 10 > slots_.size() * 7) grow();
    const auto handle = take();
    auto& fresh = entry(handle);
    fresh.key = key;
    fresh.value = Value{};
    place({tag_of(key), handle});
    ++size_;
    return {handle, true};
  }

  void erase(Handle handle) {
    auto at = home(tag_of(key(handle)));
    while (slots_[at].handle != handle) at = (at + 1) & mask();
    // Close the gap: move back whatever would no longer be reached from its home.
    for (auto next = (at + 1) & mask(); slots_[next].handle != none; next = (next + 1) & mask()) {
      if (((next - home(slots_[next].tag)) & mask()) >= ((next - at) & mask())) {
        slots_[at] = slots_[next];
        at = next;
      }
    }
    slots_[at] = Slot{};
    entry(handle).value = Value{};
    free_.push_back(handle);
    --size_;
  }

  [[nodiscard]] const Key& key(Handle handle) const { return entry(handle).key; }
  [[nodiscard]] Value& value(Handle handle) { return entry(handle).value; }
  [[nodiscard]] const Value& value(Handle handle) const { return entry(handle).value; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // visit(handle); it may erase that entry and no other.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::vector<bool> gone(count_, false);
    for (const auto handle : free_) gone[handle] = true;
    for (Handle handle = 0; handle < gone.size(); ++handle) {
      if (!gone[handle]) visit(handle);
    }
  }

  void clear() { *this = SlabTable{}; }

 private:
  struct Entry {
    Key key;
    Value value;
  };
  struct Slot {
    std::uint32_t tag = 0;
    Handle handle = none;
  };
  static constexpr std::size_t slab_size = 1024;

  [[nodiscard]] Entry& entry(Handle handle) { return (*slabs_[handle / slab_size])[handle % slab_size]; }
  [[nodiscard]] const Entry& entry(Handle handle) const { return (*slabs_[handle / slab_size])[handle % slab_size]; }
  [[nodiscard]] static std::uint32_t tag_of(const Key& key) {
    return static_cast<std::uint32_t>((std::uint64_t{std::hash<Key>{}(key)} * 0x9e3779b97f4a7c15ULL) >> 32);
  }
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }
  [[nodiscard]] std::size_t home(std::uint32_t tag) const { return tag & mask(); }

  Handle take() {
    if (!free_.empty()) {
      const auto handle = free_.back();
      free_.pop_back();
      return handle;
    }
    if (count_ % slab_size == 0) slabs_.push_back(std::make_unique<std::array<Entry, slab_size>>());
    return static_cast<Handle>(count_++);
  }
  void place(Slot slot) {
    auto at = home(slot.tag);
    while (slots_[at].handle != none) at = (at + 1) & mask();
    slots_[at] = slot;
  }
  void grow() {
    auto old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 64 : slots_.size() * 2));
    for (const auto& slot : old) {
      if (slot.handle != none) place(slot);
    }
  }

  std::vector<std::unique_ptr<std::array<Entry, slab_size>>> slabs_;
  std::vector<Slot> slots_;  // a power of two, at most 0.7 full
  std::vector<Handle> free_;
  std::size_t count_ = 0;
  std::size_t size_ = 0;
};

// Both families under one kind of handle; the top bit says which.
template <class Value>
class PrefixTable {
 public:
  using Handle = std::uint32_t;
  static constexpr Handle none = ~Handle{0};

  [[nodiscard]] Handle find(const net::Prefix& prefix) const {
    if (prefix.is_v4()) return v4_.find(prefix.v4());
    const auto handle = v6_.find(prefix.v6());
    return handle == none ? none : handle | v6_bit;
  }
  std::pair<Handle, bool> insert(const net::Prefix& prefix) {
    if (prefix.is_v4()) return v4_.insert(prefix.v4());
    const auto [handle, fresh] = v6_.insert(prefix.v6());
    return {handle | v6_bit, fresh};
  }
  void erase(Handle handle) {
    if (is_v6(handle))
      v6_.erase(handle & ~v6_bit);
    else
      v4_.erase(handle);
  }
  [[nodiscard]] net::Prefix prefix(Handle handle) const {
    return is_v6(handle) ? net::Prefix{v6_.key(handle & ~v6_bit)} : net::Prefix{v4_.key(handle)};
  }
  [[nodiscard]] Value& operator[](Handle handle) {
    return is_v6(handle) ? v6_.value(handle & ~v6_bit) : v4_.value(handle);
  }
  [[nodiscard]] const Value& operator[](Handle handle) const {
    return is_v6(handle) ? v6_.value(handle & ~v6_bit) : v4_.value(handle);
  }
  // visit(handle); it may erase that entry and no other.
  template <class Visit>
  void for_each(Visit&& visit) const {
    v4_.for_each(visit);
    v6_.for_each([&](Handle handle) { visit(handle | v6_bit); });
  }
  [[nodiscard]] std::size_t size() const { return v4_.size() + v6_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  void clear() {
    v4_.clear();
    v6_.clear();
  }

 private:
  static constexpr Handle v6_bit = Handle{1} << 31;
  [[nodiscard]] static bool is_v6(Handle handle) { return (handle & v6_bit) != 0; }
  SlabTable<net::Ipv4Prefix, Value> v4_;
  SlabTable<net::Ipv6Prefix, Value> v6_;
};

}  // namespace netlink
