// SPDX-License-Identifier: Apache-2.0
// Adj-RIB-In and the choice of the best path. What neighbours are told is in rib_out.cpp, background work in
// rib_work.cpp.
#include "bgp/rib/rib.hpp"

#include <algorithm>

namespace bgp {

template <class Prefix>
Rib<Prefix>::Rib(AttributePool& pool, const RouterConfig& config, const NextHopSet& unreachable, std::uint64_t seed)
    : pool_{pool},
      config_{config},
      unreachable_{unreachable},
      feed_enabled_{config.feed},
      table_{seed},
      decision_{config.decision, ranks_},
      scratch_{ranks_} {}

template <class Prefix>
Rib<Prefix>::~Rib() {
  groups_.clear();
  for (NodeIndex node = 0; node < table_.end(); ++node) {
    if (!table_.used(node)) continue;
    for (const auto& path : table_.paths(node)) pool_.release(path.set);
  }
}

template <class Prefix>
typename Rib<Prefix>::Source& Rib<Prefix>::source(PeerId peer) {
  if (peer.value >= sources_.size()) {
    sources_.resize(peer.value + 1U);
    ranks_.resize(peer.value + 1U);
  }
  return sources_[peer.value];
}

template <class Prefix>
const SourceCounters& Rib<Prefix>::counters(PeerId peer) const {
  static constexpr SourceCounters nothing{};
  return peer.value < sources_.size() ? sources_[peer.value].counters : nothing;
}

template <class Prefix>
std::uint8_t Rib<Prefix>::age(const Path& path) const {
  return path.local() ? std::uint8_t{0}
                      : static_cast<std::uint8_t>(sources_[path.source.value].generation - path.generation);
}

template <class Prefix>
bool Rib<Prefix>::sweepable(const Path& path) const {
  return !path.local() && age(path) >= sources_[path.source.value].sweep_age;
}

template <class Prefix>
void Rib<Prefix>::count(const Path& path, int by) {
  path_count_ += static_cast<std::size_t>(by);
  if (path.local()) return;
  auto& from = sources_[path.source.value];
  const auto add = static_cast<std::uint32_t>(by);
  if (age(path) == 0) {
    from.counters.paths += add;
    if ((path.flags & Path::rejected) != 0) from.counters.rejected += add;
    return;
  }
  from.counters.stale += add;
  if (age(path) >= from.older_age) from.older += add;
  if (!sweepable(path)) return;
  from.counters.swept += add;
  sweepable_ += static_cast<std::size_t>(by);
}

template <class Prefix>
std::uint8_t Rib<Prefix>::reach_flag(const AttributeSet& set, PeerId source) const {
  // No way is needed to where packets are dropped.
  if (unreachable_.empty() || blackholed(set, source) || !unreachable_.contains(set.next_hop().address)) return 0;
  return Path::unreachable;
}

// ---- sessions ---------------------------------------------------------------------------------------

namespace {

// What was chosen and told by one holds by the other.
bool same_speaker(const Rank& one, const Rank& other) {
  return one.type == other.type && one.router_id == other.router_id && one.address == other.address &&
         one.reflector_client == other.reflector_client;
}

}  // namespace

template <class Prefix>
void Rib<Prefix>::open(PeerId peer, const Rank& rank) {
  auto& from = source(peer);
  const auto before = ranks_[peer.value];
  if (before.router_id != net::RouterId{} && !same_speaker(before, rank)) {
    sweep_stale(peer);
    sweep_now();
    for (const auto& group : groups_) group->detach_all();
  }
  ranks_[peer.value] = rank;
  from.earlier_age = 1;
}

template <class Prefix>
void Rib<Prefix>::close(PeerId peer) {
  begin_refresh(peer);
  sweep_stale(peer);
}

template <class Prefix>
void Rib<Prefix>::hold(PeerId peer, Older older) {
  auto& from = source(peer);
  if (older == Older::Drop) {
    sweep_stale(peer);
  } else {
    from.older_age = 1;
    from.older = from.counters.stale;
  }
  begin_refresh(peer);
}

template <class Prefix>
void Rib<Prefix>::begin_refresh(PeerId peer) {
  auto& from = source(peer);
  if (from.counters.stale == 0) from.oldest = 0;
  if (from.oldest + 1 == Source::never) renumber(peer);
  ++from.generation;
  ++from.oldest;
  for (auto* age : {&from.sweep_age, &from.fade_age, &from.older_age, &from.earlier_age})
    if (*age != Source::never) ++*age;
  from.counters.stale += from.counters.paths;
  from.counters.paths = 0;
  from.counters.rejected = 0;
}

template <class Prefix>
void Rib<Prefix>::end_refresh(PeerId peer) {
  sweep_stale(peer);
}

// ---- routes of peers --------------------------------------------------------------------------------

template <class Prefix>
void Rib<Prefix>::expect(std::span<const Prefix> prefixes) const {
  for (const auto& prefix : prefixes) table_.fetch_head(prefix);
  for (const auto& prefix : prefixes) table_.fetch_node(prefix);
  for (const auto& prefix : prefixes) table_.fetch_second_node(prefix);
}

template <class Prefix>
void Rib<Prefix>::announce(PeerId peer, const Prefix& prefix, AttributeSet* set, Acceptance acceptance,
                           std::uint32_t path_id) {
  const auto generation = sources_[peer.value].generation;
  const auto flags =
      static_cast<std::uint8_t>((acceptance == Acceptance::Rejected ? Path::rejected : 0U) | reach_flag(*set, peer));
  const auto node = table_.insert(prefix);
  auto paths = table_.paths(node);
  const auto known = std::find_if(paths.begin(), paths.end(),
                                  [&](const Path& path) { return path.source == peer && path.audience == path_id; });
  const auto place = static_cast<std::size_t>(known - paths.begin());
  const Path path{set, path_id, peer, generation, flags};

  if (known != paths.end() && known->set == set && known->flags == flags) {
    // Whoever watches this session has not heard of what is left of an earlier one.
    if (observer_ != nullptr && acceptance == Acceptance::Accepted && age(*known) >= sources_[peer.value].earlier_age)
      observer_->accepted(peer, node, net::Prefix{prefix}, path_id, set);
    count(*known, -1);
    known->generation = generation;
    count(*known, 1);
    return;
  }
  if (observer_ != nullptr && (acceptance == Acceptance::Accepted || known != paths.end()))
    observer_->accepted(peer, node, net::Prefix{prefix}, path_id, acceptance == Acceptance::Accepted ? set : nullptr);
  begin_change(node);
  AttributePool::retain(set);
  if ((set->flags & AttributeSet::has_med) != 0) table_[node].set(Node::med_matters);
  if (known != paths.end()) {
    if (!before_.empty() && decision_.may_matter(*known, before_.front())) multipath_touched_ = true;
    dropped_.push_back(known->set);
    count(*known, -1);
    *known = path;
  } else {
    table_.append(node, path);
  }
  count(path, 1);
  select(node, place);
  if (const auto* best = table_.best(node); best != nullptr && decision_.may_matter(path, *best))
    multipath_touched_ = true;
  end_change(node);
}

template <class Prefix>
void Rib<Prefix>::withdraw(PeerId peer, const Prefix& prefix, std::uint32_t path_id) {
  const auto node = table_.find(prefix);
  if (node == no_index) return;
  const auto paths = table_.paths(node);
  const auto known = std::find_if(paths.begin(), paths.end(),
                                  [&](const Path& path) { return path.source == peer && path.audience == path_id; });
  if (known == paths.end()) return;
  begin_change(node);
  const auto place = static_cast<std::size_t>(known - paths.begin());
  erase_path(node, place);
  // Without it, another may no longer be out of the question for its MED.
  if (place == 0 || ranked_ > 1 || table_[node].is(Node::med_matters)) select(node, 0);
  end_change(node);
}

template <class Prefix>
void Rib<Prefix>::erase_path(NodeIndex node, std::size_t place) {
  const auto path = table_.paths(node)[place];
  if (observer_ != nullptr && !path.local() && (path.flags & Path::rejected) == 0)
    observer_->accepted(path.source, node, net::Prefix{table_.prefix_of(node)}, path.audience, nullptr);
  if (!before_.empty() && decision_.may_matter(path, before_.front())) multipath_touched_ = true;
  dropped_.push_back(path.set);
  count(path, -1);
  table_.remove(node, place);
}

// ---- routes of this node ----------------------------------------------------------------------------

template <class Prefix>
bool Rib<Prefix>::same_local(NodeIndex node, std::span<const std::pair<AttributeSet*, AudienceId>> local) const {
  const auto paths = table_.paths(node);
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (i >= paths.size() || !paths[i].same_route({local[i].first, local[i].second, local_peer, 0, 0})) return false;
  }
  return local.size() == paths.size() || !paths[local.size()].local();
}

template <class Prefix>
void Rib<Prefix>::set_local(const Prefix& prefix, std::span<const std::pair<AttributeSet*, AudienceId>> local) {
  auto node = table_.find(prefix);
  if (node == no_index) {
    if (local.empty()) return;
    node = table_.insert(prefix);
  } else if (same_local(node, local)) {
    return;
  }
  begin_change(node);
  // Local paths stand in front, in their order; the others follow in any.
  std::vector<Path> learned;
  for (const auto& path : table_.paths(node)) {
    if (path.local()) {
      dropped_.push_back(path.set);
      count(path, -1);
    } else {
      learned.push_back(path);
    }
  }
  while (table_[node].count > 0) table_.remove(node, table_[node].count - 1U);
  for (const auto& [set, audience] : local) {
    AttributePool::retain(set);
    const Path path{set, audience, local_peer, 0, 0};
    table_.append(node, path);
    count(path, 1);
  }
  for (const auto& path : learned) table_.append(node, path);
  select(node, 0);
  end_change(node);
}

// ---- selection --------------------------------------------------------------------------------------

template <class Prefix>
void Rib<Prefix>::begin_change(NodeIndex node) {
  before_.clear();
  multipath_touched_ = false;
  if (!table_[node].is(Node::has_best)) return;
  const auto paths = table_.paths(node);
  before_.push_back(paths[0]);
  for (std::size_t i = 1; i < paths.size() && (paths[i].local() || (i < ranked_ && paths[i].usable())); ++i)
    before_.push_back(paths[i]);
}

// `changed` is the place of the path that was added or changed; 0 when the best itself may have become worse.
template <class Prefix>
void Rib<Prefix>::select(NodeIndex node, std::size_t changed) {
  const auto paths = table_.paths(node);
  auto& entry = table_[node];
  auto best = Decision::none;
  if (changed == 0 || !entry.is(Node::has_best) || entry.is(Node::med_matters))
    best = decision_.best(paths);
  else
    best = paths[changed].usable() && decision_.beats(paths[changed], paths[0]) ? changed : 0;
  if (best == Decision::none) {
    entry.unset(Node::has_best);
    return;
  }
  entry.set(Node::has_best);
  if (best != 0) std::swap(paths[0], paths[best]);
  if (ranked_ > 1 && !paths[0].local()) decision_.rank(paths.subspan(1), ranked_ - 1);
}

// The selected path of the prefix, or one that is ranked, has changed.
template <class Prefix>
void Rib<Prefix>::tell(NodeIndex node, const Path* best, const Path* old) {
  if (old != nullptr && !old->local()) --sources_[old->source.value].counters.best;
  if (best != nullptr && !best->local()) ++sources_[best->source.value].counters.best;
  const bool awaited = table_[node].is(Node::awaited);
  await(node, comes_after_the_kernel(best) && (awaited || !comes_after_the_kernel(old)));
  for (const auto& group : groups_) group->changed(node, awaited ? std::span<const Path>{} : before_);
}

template <class Prefix>
void Rib<Prefix>::end_change(NodeIndex node) {
  const auto* best = table_.best(node);
  const auto* old = before_.empty() ? nullptr : before_.data();
  const bool local = (best != nullptr && best->local()) || (old != nullptr && old->local());
  const bool same = same_route(best, old);
  if (best != nullptr && old == nullptr) ++selected_count_;
  if (best == nullptr && old != nullptr) --selected_count_;
  if (!same || local || ranked_ > 1) tell(node, best, old);
  if (!same && observer_ != nullptr) observer_->selected(node, net::Prefix{table_.prefix_of(node)}, best);
  if (!same || multipath_touched_) feed(node);
  if (!watched_.empty() || !contributions_.empty()) note_watched(node, best, same ? Changed::No : Changed::Yes);
  for (auto* set : dropped_) pool_.release(set);
  dropped_.clear();
  if (table_[node].count == 0) reap(node);
}

template <class Prefix>
void Rib<Prefix>::feed(NodeIndex node) {
  if (feed_enabled_ == RouteFeed::Off || table_[node].is(Node::fed)) return;
  table_[node].set(Node::fed);
  feed_.push_back(node);
}

template <class Prefix>
bool Rib<Prefix>::comes_after_the_kernel(const Path* path) const {
  return path != nullptr && !path->local() && config_.tell_learned == TellLearned::OnceInstalled &&
         feed_enabled_ == RouteFeed::On;
}

// The flags alone: whoever is told sees an awaited prefix as one without routes.
template <class Prefix>
void Rib<Prefix>::await(NodeIndex node, bool wanted) {
  auto& entry = table_[node];
  if (entry.is(Node::awaited) == wanted) return;
  if (wanted) {
    entry.set(Node::awaited | Node::unanswered);
    ++answers_.asked;
    return;
  }
  entry.unset(Node::awaited);
  answered(node);
}

// The kernel was heard of the prefix, or need not be any more.
template <class Prefix>
void Rib<Prefix>::answered(NodeIndex node) {
  auto& entry = table_[node];
  if (!entry.is(Node::unanswered)) return;
  entry.unset(Node::unanswered);
  ++answers_.given;
  for (const auto& group : groups_) group->kernel_answered();
}

template <class Prefix>
void Rib<Prefix>::installed(const Prefix& prefix, Installed installed) {
  const auto node = table_.find(prefix);
  if (node == no_index) return;
  answered(node);
  if (!comes_after_the_kernel(table_.best(node))) return;
  auto& entry = table_[node];
  const bool awaited = installed == Installed::No;
  if (entry.is(Node::awaited) == awaited) return;
  const auto before = tellable(node);
  if (awaited)
    entry.set(Node::awaited);
  else
    entry.unset(Node::awaited);
  for (const auto& group : groups_) group->changed(node, before);
}

template <class Prefix>
void Rib<Prefix>::tell_awaited() {
  for (NodeIndex node = 0; node < table_.end(); ++node) {
    if (!table_.used(node) || !table_[node].is(Node::awaited)) continue;
    await(node, false);
    for (const auto& group : groups_) group->changed(node, {});
  }
}

template <class Prefix>
void Rib<Prefix>::set_feed(RouteFeed feed) {
  feed_enabled_ = feed;
  if (feed == RouteFeed::On) return replay();
  tell_awaited();
  for (const auto node : std::exchange(feed_, {})) {
    table_[node].unset(Node::fed);
    reap(node);
  }
}

template <class Prefix>
void Rib<Prefix>::replay() {
  for (NodeIndex node = 0; node < table_.end(); ++node) {
    if (table_.used(node)) feed(node);
  }
}

template class Rib<net::Ipv4Prefix>;
template class Rib<net::Ipv6Prefix>;

}  // namespace bgp
