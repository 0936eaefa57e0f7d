// SPDX-License-Identifier: Apache-2.0
// The objects of one kind in memory: each with what is committed of it and what is on its way, found by name at once
// and walked in the order that lists have. Knows nothing of revisions or of the disk.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "controller/store/database.hpp"

namespace controller {

class ObjectIndex {
 public:
  // Namespace, then name: the order of lists.
  using Name = std::pair<std::string_view, std::string_view>;
  static Name name_of(const ObjectKey& key) { return {key.namespace_name, key.name}; }

  struct Entry {
    ObjectPtr live;             // committed; empty: nothing is
    std::optional<Row> coming;  // the newest of what is on its way
  };
  using Entries = std::unordered_map<ObjectKey, Entry, KeyHash>;
  using Node = Entries::value_type;
  struct ByName {
    using is_transparent = void;
    static Name order(const Node* node) { return name_of(node->first); }
    static Name order(const Name& name) { return name; }
    template <class Left, class Right>
    bool operator()(const Left& left, const Right& right) const {
      return order(left) < order(right);
    }
  };

  // Committed; empty: there is none.
  [[nodiscard]] ObjectPtr live(const ObjectKey& key) const;
  // What the next write is checked against; empty: there will be none.
  [[nodiscard]] ObjectPtr latest(const ObjectKey& key) const;
  [[nodiscard]] bool on_its_way(const ObjectKey& key) const;

  void stage(const Row& row);
  // Commits a row and says what was there before. Rows that were not staged do not meet one that is.
  ObjectPtr commit(const Row& row);
  // Nothing is on its way any more.
  void forget_staged();

  // Those that are committed.
  [[nodiscard]] std::size_t size() const { return in_order_.size(); }
  [[nodiscard]] const std::set<const Node*, ByName>& in_order() const { return in_order_; }

 private:
  Entries entries_;
  std::set<const Node*, ByName> in_order_;
};

}  // namespace controller
