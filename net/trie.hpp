// SPDX-License-Identifier: Apache-2.0
// A path-compressed binary trie of prefixes: exact match, longest match and ordered walks.
// Nodes live in one vector (slab) and are named by index, so the trie moves and copies as a value and
// freed nodes are used again. Key is Ipv4Prefix or Ipv6Prefix.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "net/prefix.hpp"

namespace net {

// How many leading bits two addresses share, at most `limit`.
[[nodiscard]] constexpr unsigned common_bits(Ipv4Address a, Ipv4Address b, unsigned limit) {
  const auto same = static_cast<unsigned>(std::countl_zero(a.value ^ b.value));
  return same < limit ? same : limit;
}
[[nodiscard]] constexpr unsigned common_bits(const Ipv6Address& a, const Ipv6Address& b, unsigned limit) {
  for (unsigned i = 0; i < 16; ++i) {
    const auto difference = static_cast<std::uint8_t>(a.octets[i] ^ b.octets[i]);
    if (difference != 0) {
      const auto same = 8 * i + static_cast<unsigned>(std::countl_zero(difference));
      return same < limit ? same : limit;
    }
  }
  return limit;
}

template <class Key, class Value>
class PrefixTrie {
 public:
  // The value of exactly this prefix, made when it was not there. The reference holds until the next
  // insertion.
  Value& operator[](const Key& key) { return *nodes_[insert(key)].value; }

  [[nodiscard]] const Value* find(const Key& key) const {
    for (auto at = root_; at != none;) {
      const auto& node = nodes_[at];
      if (!node.key.contains(key)) return nullptr;
      if (node.key.length() == key.length()) return node.value ? &*node.value : nullptr;
      at = node.child[key.address().bit(node.key.length())];
    }
    return nullptr;
  }
  [[nodiscard]] Value* find(const Key& key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

  // The longest prefix that holds all of `key`.
  [[nodiscard]] std::optional<std::pair<Key, const Value*>> longest_match(const Key& key) const {
    std::optional<std::pair<Key, const Value*>> best;
    for (auto at = root_; at != none;) {
      const auto& node = nodes_[at];
      if (!node.key.contains(key)) break;
      if (node.value) best = {node.key, &*node.value};
      if (node.key.length() == key.length()) break;
      at = node.child[key.address().bit(node.key.length())];
    }
    return best;
  }

  // False when the prefix was not there.
  bool erase(const Key& key) {
    auto* link = &root_;
    std::uint32_t* parent_link = nullptr;
    while (*link != none) {
      auto& node = nodes_[*link];
      if (!node.key.contains(key)) return false;
      if (node.key.length() == key.length()) break;
      parent_link = link;
      link = &node.child[key.address().bit(node.key.length())];
    }
    if (*link == none || !nodes_[*link].value) return false;
    nodes_[*link].value.reset();
    --size_;
    splice(*link);
    // The fork above may have been there only to hold two children.
    if (parent_link != nullptr && !nodes_[*parent_link].value) splice(*parent_link);
    return true;
  }

  // Every prefix in ascending order (a prefix before what it holds): visit(key, value).
  template <class Visit>
  void for_each(Visit&& visit) const {
    walk(root_, visit);
  }
  // Every prefix inside `within`, `within` itself included.
  template <class Visit>
  void for_each_within(const Key& within, Visit&& visit) const {
    auto at = root_;
    while (at != none && !within.contains(nodes_[at].key)) {
      if (!nodes_[at].key.contains(within)) return;
      at = nodes_[at].child[within.address().bit(nodes_[at].key.length())];
    }
    walk(at, visit);
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  void clear() { *this = PrefixTrie{}; }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct Node {
    Key key;
    std::uint32_t child[2] = {none, none};
    std::optional<Value> value;  // empty: a fork only
  };

  std::uint32_t take(const Key& key) {
    if (free_ == none) {
      nodes_.push_back(Node{key, {none, none}, std::nullopt});
      return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const auto at = free_;
    free_ = nodes_[at].child[0];
    nodes_[at] = Node{key, {none, none}, std::nullopt};
    return at;
  }

  // Where the link that leads to a node is kept; an index survives the growth of nodes_.
  struct Link {
    std::uint32_t parent = none;
    unsigned side = 0;
  };
  std::uint32_t& at(Link link) { return link.parent == none ? root_ : nodes_[link.parent].child[link.side]; }

  std::uint32_t insert(const Key& key) {
    Link link;
    for (;;) {
      const auto here = at(link);
      if (here == none) {
        const auto leaf = take(key);
        at(link) = leaf;
        return fill(leaf);
      }
      const auto found = nodes_[here].key;
      const auto limit = found.length() < key.length() ? found.length() : key.length();
      const auto shared = common_bits(found.address(), key.address(), limit);
      if (shared == found.length() && shared == key.length()) return fill(here);
      if (shared == found.length()) {
        link = {here, key.address().bit(shared)};
        continue;
      }
      // Split the edge where the two part: at `key` itself when it is the shorter.
      const auto fork = take(*Key::make(key.address(), shared));
      nodes_[fork].child[found.address().bit(shared)] = here;
      at(link) = fork;
      if (shared == key.length()) return fill(fork);
      const auto leaf = take(key);
      nodes_[fork].child[key.address().bit(shared)] = leaf;
      return fill(leaf);
    }
  }

  std::uint32_t fill(std::uint32_t at) {
    if (!nodes_[at].value) {
      nodes_[at].value.emplace();
      ++size_;
    }
    return at;
  }

  // A node without a value and with fewer than two children gives its place to its child.
  void splice(std::uint32_t& link) {
    const auto at = link;
    auto& node = nodes_[at];
    if (node.child[0] != none && node.child[1] != none) return;
    link = node.child[0] != none ? node.child[0] : node.child[1];
    node.child[0] = free_;
    node.child[1] = none;
    free_ = at;
  }

  template <class Visit>
  void walk(std::uint32_t at, Visit& visit) const {
    if (at == none) return;
    const auto& node = nodes_[at];
    if (node.value) visit(node.key, *node.value);
    walk(node.child[0], visit);  // depth is bounded by the bits of the family
    walk(node.child[1], visit);
  }

  std::vector<Node> nodes_;
  std::uint32_t root_ = none;
  std::uint32_t free_ = none;
  std::size_t size_ = 0;
};

}  // namespace net
