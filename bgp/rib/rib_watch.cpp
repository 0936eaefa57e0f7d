// SPDX-License-Identifier: Apache-2.0
// Prefixes that somebody asks about: single ones, and all within aggregates. Costs one test of a change while
// nobody asks.
#include <algorithm>

#include "bgp/rib/rib.hpp"

namespace bgp {

template <class Prefix>
void Rib<Prefix>::watch(std::span<const Prefix> prefixes) {
  const auto before = std::exchange(watched_, {});
  for (const auto node : before) table_[node].unset(Node::watched);
  for (const auto& prefix : prefixes) {
    const auto node = table_.insert(prefix);
    if (table_[node].is(Node::watched)) continue;
    table_[node].set(Node::watched);
    watched_.push_back(node);
  }
  for (const auto node : before) reap(node);
  watch_changed_ = true;
}

template <class Prefix>
Presence Rib<Prefix>::presence(const Prefix& prefix) const {
  Presence presence;
  const auto node = table_.find(prefix);
  if (node == no_index || table_.best(node) == nullptr) return presence;
  presence.selected = true;
  for (const auto& path : table_.paths(node)) {
    presence.local = presence.local || path.local();
    presence.learned = presence.learned || (!path.local() && path.usable());
  }
  return presence;
}

template <class Prefix>
void Rib<Prefix>::aggregate(std::vector<AggregateTarget<Prefix>> targets) {
  contributions_.clear();
  for (auto& target : targets) contributions_.push_back({std::move(target), {}, {}, true});
  if (contributions_.empty()) return;
  for (NodeIndex node = 0; node < table_.end(); ++node) {
    if (table_.used(node)) note_contribution(node, table_.best(node), Changed::Yes);
  }
}

template <class Prefix>
void Rib<Prefix>::note_contribution(NodeIndex node, const Path* best, Changed changed) {
  const auto prefix = table_.prefix_of(node);
  const bool counts = best != nullptr && !best->local();
  for (auto& each : contributions_) {
    const auto& whole = each.target.prefix;
    if (whole.length() >= prefix.length() || !whole.contains(prefix)) continue;
    const bool some = !each.nodes.empty();
    const auto origin = each.origin();
    for (std::size_t i = 0; i < each.worse.size(); ++i) {
      const bool this_one = counts && best->set->origin == i + 1;
      this_one ? each.worse[i].set(node) : each.worse[i].reset(node);
    }
    const bool other = counts ? each.nodes.set(node) : each.nodes.reset(node);
    const bool by_detail = each.target.detail == AggregateDetail::Attributes;
    if (some == each.nodes.empty() || origin != each.origin() ||
        (by_detail && (other || (counts && changed == Changed::Yes))))
      each.dirty = true;
  }
}

template <class Prefix>
void Rib<Prefix>::note_watched(NodeIndex node, const Path* best, Changed changed) {
  if (table_[node].is(Node::watched)) watch_changed_ = true;
  if (!contributions_.empty()) note_contribution(node, best, changed);
}

template <class Prefix>
std::vector<std::size_t> Rib<Prefix>::take_dirty_aggregates() {
  std::vector<std::size_t> dirty;
  for (std::size_t i = 0; i < contributions_.size(); ++i) {
    if (std::exchange(contributions_[i].dirty, false)) dirty.push_back(i);
  }
  return dirty;
}

template <class Prefix>
std::vector<const AttributeSet*> Rib<Prefix>::contributors(std::size_t aggregate) const {
  std::vector<const AttributeSet*> sets;
  const auto& nodes = contributions_[aggregate].nodes;
  for (auto node = nodes.next(0); node != Bitmap::none; node = nodes.next(node + 1))
    sets.push_back(table_.best(node)->set);
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  return sets;
}

template class Rib<net::Ipv4Prefix>;
template class Rib<net::Ipv6Prefix>;

}  // namespace bgp
