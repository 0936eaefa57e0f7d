// SPDX-License-Identifier: Apache-2.0
// Work over the whole table, cut in slices: removing what lost sessions left behind, deciding again after a
// change of configuration, and finding what members of out groups have to be sent.
#include <algorithm>

#include "bgp/rib/rib.hpp"
#include "bgp/wire/attributes.hpp"

namespace bgp {
namespace {

// What a change of a prefix costs, in prefixes that are only looked at.
constexpr std::size_t change_cost = 12;
// Prefixes that are cleared away while what a later one touches is on its way into the cache.
constexpr std::size_t fetch_ahead = 4;

}  // namespace

template <class Prefix>
void Rib<Prefix>::sweep_stale(PeerId peer) {
  auto& from = source(peer);
  from.sweep_age = 1;
  from.fade_age = from.older_age = Source::never;
  sweepable_ += from.counters.stale - from.counters.swept;
  from.counters.swept = from.counters.stale;
  if (from.counters.swept > 0) start_sweep(Sweep::StalePaths);
}

template <class Prefix>
std::uint32_t Rib<Prefix>::drop_older(PeerId peer) {
  auto& from = source(peer);
  if (from.older_age == Source::never) return 0;
  from.sweep_age = std::exchange(from.older_age, Source::never);
  sweepable_ += from.older - from.counters.swept;
  from.counters.swept = from.older;
  if (from.counters.swept > 0) start_sweep(Sweep::StalePaths);
  return from.older;
}

// All background work on paths at once. Rare: it takes as long as the table is large.
template <class Prefix>
void Rib<Prefix>::sweep_now() {
  for (NodeIndex node = 0; node < table_.end(); ++node) sweep(node);
}

// A neighbour that is lost, or begins a refresh, time and again with no end in between: its paths are as old as can be
// told apart. Nothing depends on their ages but what is kept in older_age.
template <class Prefix>
void Rib<Prefix>::renumber(PeerId peer) {
  sweep_now();
  auto& from = source(peer);
  const auto older_age = std::exchange(from.older_age, from.older_age == Source::never ? Source::never : 2);
  for (NodeIndex node = 0; node < table_.end(); ++node) {
    if (!table_.used(node)) continue;
    for (auto& path : table_.paths(node)) {
      if (path.source != peer || age(path) == 0) continue;
      path.generation = static_cast<std::uint8_t>(from.generation - (age(path) >= older_age ? 2 : 1));
    }
  }
  from.oldest = 2;
  from.sweep_age = from.fade_age = Source::never;
  from.earlier_age = 1;
}

template <class Prefix>
void Rib<Prefix>::start_sweep(Sweep what) {
  sweeping_ = true;
  sweep_wrapped_ = false;
  sweep_from_ = sweep_at_;
  if (what == Sweep::Everything) sweep_everything_ = true;
}

template <class Prefix>
void Rib<Prefix>::reconsider_all() {
  reconsider_ = true;
  start_sweep(Sweep::Everything);
}

template <class Prefix>
void Rib<Prefix>::fade_stale(PeerId peer) {
  auto& from = source(peer);
  if (from.counters.stale == 0) return;
  from.fade_age = 1;
  start_sweep(Sweep::Everything);
}

template <class Prefix>
bool Rib<Prefix>::fades(const Path& path) const {
  return !path.local() && age(path) >= sources_[path.source.value].fade_age &&
         (path.set->flags & AttributeSet::llgr_stale) == 0;
}

// RFC 9494 section 4.2. The path may be erased, so go from the last place to the first.
template <class Prefix>
void Rib<Prefix>::fade(NodeIndex node, std::size_t place) {
  auto attributes = table_.paths(node)[place].set->attributes();
  if (attributes.has(community_no_llgr)) return erase_path(node, place);
  attributes.communities.push_back(community_llgr_stale);
  const auto faded = pool_.intern(attributes);
  AttributePool::retain(faded.get());
  auto& path = table_.paths(node)[place];
  dropped_.push_back(path.set);
  path.set = faded.get();
  multipath_touched_ = true;
}

// Returns what it cost.
template <class Prefix>
std::size_t Rib<Prefix>::sweep(NodeIndex node) {
  if (!table_.used(node)) return 1;
  if (table_[node].count == 0) {
    reap(node);
    return 1;
  }
  const auto paths = table_.paths(node);
  const bool leftovers =
      std::any_of(paths.begin(), paths.end(), [&](const Path& path) { return sweepable(path) || fades(path); });
  if (!leftovers && !reconsider_) return 1;

  begin_change(node);
  for (std::size_t place = table_[node].count; place-- > 0;) {
    const auto& path = table_.paths(node)[place];
    if (sweepable(path))
      erase_path(node, place);
    else if (fades(path))
      fade(node, place);
  }
  if (reconsider_) {
    for (auto& path : table_.paths(node)) {
      if (!path.local())
        path.flags = static_cast<std::uint8_t>((path.flags & ~Path::unreachable) | reach_flag(*path.set, path.source));
    }
    if (table_[node].count > 1) multipath_touched_ = true;
  }
  select(node, 0);
  end_change(node);
  return change_cost;
}

template <class Prefix>
std::size_t Rib<Prefix>::sweep_some(std::size_t budget) {
  std::size_t cost = 0;
  while (sweeping_ && cost < budget) {
    if (sweep_is_over())
      sweeping_ = sweep_everything_ = reconsider_ = false;
    else
      cost += sweep(sweep_at_++);
  }
  return cost;
}

template <class Prefix>
bool Rib<Prefix>::sweep_is_over() {
  if (sweepable_ == 0 && !sweep_everything_) return true;
  if (sweep_at_ >= table_.end()) {
    // Twice at the end: the table was emptied on the way.
    if (std::exchange(sweep_wrapped_, true)) return true;
    sweep_at_ = 0;
  }
  return sweep_at_ >= table_.end() || (sweep_wrapped_ && sweep_at_ >= sweep_from_);
}

template <class Prefix>
std::size_t Rib<Prefix>::walk_some(std::size_t budget) {
  std::size_t cost = 0;
  while (!walking_.empty() && cost < budget) {
    auto& [member, group] = outs_.at(walking_.back());
    cost += 1 + group->walk(member, budget - cost);
    if (!member.catch_up->walking) walking_.pop_back();
  }
  return cost;
}

template <class Prefix>
bool Rib<Prefix>::has_work() const {
  return sweeping_ || !walking_.empty();
}

template <class Prefix>
void Rib<Prefix>::work(std::size_t budget) {
  const auto cost = sweep_some(walking_.empty() ? budget : budget / 2);
  if (cost < budget) walk_some(budget - cost);
  reap_settled();
}

template <class Prefix>
void Rib<Prefix>::reap(NodeIndex node) {
  if (!table_.used(node) || table_[node].count != 0 || table_[node].is(Node::fed) || table_[node].is(Node::watched))
    return;
  const bool remembered =
      std::any_of(groups_.begin(), groups_.end(), [&](const auto& group) { return group->remembers(node); });
  if (!remembered) table_.erase(node);
}

template <class Prefix>
void Rib<Prefix>::reap_settled() {
  const auto soon = [this](std::size_t place, auto&& fetch_for) {
    if (place < settled_.size() && table_.used(settled_[place])) fetch_for(table_.prefix_of(settled_[place]));
  };
  for (std::size_t i = 0; i < settled_.size(); ++i) {
    soon(i + 2 * fetch_ahead, [this](const Prefix& prefix) { table_.fetch_head(prefix); });
    soon(i + fetch_ahead, [this](const Prefix& prefix) { table_.fetch_node(prefix); });
    reap(settled_[i]);
  }
  settled_.clear();
}

template class Rib<net::Ipv4Prefix>;
template class Rib<net::Ipv6Prefix>;

}  // namespace bgp
