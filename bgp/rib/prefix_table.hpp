// SPDX-License-Identifier: Apache-2.0
// All prefixes of one family with their paths: a hash of slab nodes. A node's index stays its name until it
// is erased, so that others can remember prefixes in four bytes or one bit. Knows nothing of what the paths
// mean; whoever stores a path counts its attribute set.
#pragma once

#include <cstdint>
#include <span>

#include "bgp/rib/fetch.hpp"
#include "bgp/rib/growing_buckets.hpp"
#include "bgp/rib/hash.hpp"
#include "bgp/rib/path_blocks.hpp"
#include "bgp/rib/slab.hpp"
#include "net/prefix.hpp"

namespace bgp {

using NodeIndex = std::uint32_t;

template <class Address>
struct PrefixNode {
  Address address{};
  std::uint8_t length = 0;
  std::uint8_t flags = 0;
  std::uint16_t count = 0;         // of paths
  std::uint32_t block = no_index;  // where they are
  std::uint32_t next = no_index;   // in the bucket

  static constexpr std::uint8_t used = 1;
  static constexpr std::uint8_t has_best = 2;     // paths()[0] is the best
  static constexpr std::uint8_t med_matters = 4;  // a path has had a MED
  static constexpr std::uint8_t fed = 8;          // waits in the feed of route changes
  static constexpr std::uint8_t watched = 16;     // somebody asks about it: kept without paths, too
  static constexpr std::uint8_t awaited = 32;     // the kernel has no route of it yet: nobody is told of the best
  static constexpr std::uint8_t unanswered = 64;  // the kernel has not even been heard of it

  [[nodiscard]] bool is(std::uint8_t flag) const { return (flags & flag) != 0; }
  void set(std::uint8_t flag) { flags = static_cast<std::uint8_t>(flags | flag); }
  void unset(std::uint8_t flag) { flags = static_cast<std::uint8_t>(flags & ~flag); }
};
static_assert(sizeof(PrefixNode<net::Ipv4Address>) == 16);
static_assert(sizeof(PrefixNode<net::Ipv6Address>) == 28);

template <class Prefix>
class PrefixTable {
 public:
  using Address = std::decay_t<decltype(Prefix{}.address())>;
  using Node = PrefixNode<Address>;

  explicit PrefixTable(std::uint64_t seed) : seed_{seed}, buckets_{no_index} {}

  [[nodiscard]] NodeIndex find(const Prefix& prefix) const {
    for (auto index = buckets_.head(hash(prefix)); index != no_index; index = nodes_[index].next) {
      if (holds(nodes_[index], prefix)) return index;
    }
    return no_index;
  }
  NodeIndex insert(const Prefix& prefix) {
    const auto key = hash(prefix);
    for (auto index = buckets_.head(key); index != no_index; index = nodes_[index].next) {
      if (holds(nodes_[index], prefix)) return index;
    }
    const auto index = nodes_.take();
    auto& node = nodes_[index];
    node.address = prefix.address();
    node.length = static_cast<std::uint8_t>(prefix.length());
    node.flags = Node::used;
    auto& head = buckets_.head(key);
    node.next = head;
    head = index;
    buckets_.grow(
        nodes_.used(), [this](NodeIndex each) { return hash(prefix_of(each)); },
        [this](NodeIndex each) -> NodeIndex& { return nodes_[each].next; });
    return index;
  }
  // The node must have no paths.
  void erase(NodeIndex index) {
    auto* link = &buckets_.head(hash(prefix_of(index)));
    while (*link != index) link = &nodes_[*link].next;
    *link = nodes_[index].next;
    nodes_[index].flags = 0;
    nodes_.give(index);
    // An empty table gives its memory back.
    if (nodes_.used() == 0) {
      nodes_.clear();
      blocks_.clear();
      buckets_.clear();
    }
  }

  // Before several prefixes are looked up or erased one by one: what that will touch is fetched for all at once, since
  // in a large table nothing of it is in the cache. First the heads, then the nodes, then those behind them.
  void fetch_head(const Prefix& prefix) const { fetch(&buckets_.head(hash(prefix))); }
  void fetch_node(const Prefix& prefix) const {
    if (const auto index = buckets_.head(hash(prefix)); index != no_index) fetch(&nodes_[index]);
  }
  void fetch_second_node(const Prefix& prefix) const {
    const auto first = buckets_.head(hash(prefix));
    const auto second = first == no_index ? no_index : nodes_[first].next;
    if (second != no_index) fetch(&nodes_[second]);
  }

  [[nodiscard]] Node& operator[](NodeIndex index) { return nodes_[index]; }
  [[nodiscard]] const Node& operator[](NodeIndex index) const { return nodes_[index]; }
  [[nodiscard]] Prefix prefix_of(NodeIndex index) const {
    return *Prefix::make(nodes_[index].address, nodes_[index].length);
  }
  [[nodiscard]] bool used(NodeIndex index) const { return index < nodes_.end() && nodes_[index].is(Node::used); }
  // Indices are below end().
  [[nodiscard]] NodeIndex end() const { return nodes_.end(); }
  [[nodiscard]] std::size_t size() const { return nodes_.used(); }

  [[nodiscard]] std::span<Path> paths(NodeIndex index) {
    return blocks_.paths(nodes_[index].block, nodes_[index].count);
  }
  [[nodiscard]] std::span<const Path> paths(NodeIndex index) const {
    return blocks_.paths(nodes_[index].block, nodes_[index].count);
  }
  void append(NodeIndex index, const Path& path) { blocks_.append(nodes_[index].block, nodes_[index].count, path); }
  void remove(NodeIndex index, std::size_t place) { blocks_.remove(nodes_[index].block, nodes_[index].count, place); }
  // The selected path, or none.
  [[nodiscard]] const Path* best(NodeIndex index) const {
    return nodes_[index].is(Node::has_best) ? paths(index).data() : nullptr;
  }

  [[nodiscard]] std::size_t bytes() const { return nodes_.bytes() + blocks_.bytes() + buckets_.bytes(); }

 private:
  [[nodiscard]] std::uint32_t hash(const Prefix& prefix) const {
    return hash_prefix(prefix.address(), prefix.length(), seed_);
  }
  [[nodiscard]] static bool holds(const Node& node, const Prefix& prefix) {
    return node.address == prefix.address() && node.length == prefix.length();
  }

  std::uint64_t seed_;
  Slab<Node> nodes_;
  PathBlocks blocks_;
  GrowingBuckets<NodeIndex> buckets_;
};

// The selected paths of a prefix that neighbours may be told of, the best first.
template <class Prefix>
[[nodiscard]] std::span<const Path> tellable(const PrefixTable<Prefix>& table, NodeIndex node) {
  const auto& entry = table[node];
  using Node = typename PrefixTable<Prefix>::Node;
  return entry.is(Node::has_best) && !entry.is(Node::awaited) ? table.paths(node) : std::span<const Path>{};
}

}  // namespace bgp
