// SPDX-License-Identifier: Apache-2.0
// The tables of one family: every path of every peer (Adj-RIB-In), the best of each prefix (Loc-RIB), and
// the groups that tell neighbours about it (Adj-RIB-Out). Changes go straight through: when announce()
// returns, the new best path waits to be pulled. Knows no sessions, messages or configuration.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "bgp/rib/attribute_pool.hpp"
#include "bgp/rib/decision.hpp"
#include "bgp/rib/next_hop_set.hpp"
#include "bgp/rib/out_group.hpp"
#include "bgp/rib/prefix_table.hpp"
#include "bgp/router_config.hpp"
#include "bgp/router_observer.hpp"

namespace bgp {

// What the tables hold of one peer, as counters.
struct SourceCounters {
  std::uint32_t paths = 0;     // of the present session
  std::uint32_t rejected = 0;  // of these, kept for display only
  std::uint32_t stale = 0;     // of earlier sessions, or not yet refreshed
  std::uint32_t swept = 0;     // of these, on their way out
  std::uint32_t best = 0;      // prefixes for which the peer's path is selected
  [[nodiscard]] std::uint32_t held() const { return paths + stale - swept; }
};

// What import filters said. Rejected paths are kept for display only.
enum class Acceptance : std::uint8_t { Accepted, Rejected };
// Whether new terms may lead to other outcomes for routes that are in the tables.
enum class Difference : std::uint8_t { Find, None };
// What was stale already when a peer is lost once more: RFC 4724 has it go, RFC 9494 section 4.2 wants it kept while
// its long-lived stale time lasts.
enum class Older : std::uint8_t { Drop, Keep };
// RFC 7313: whether a refresh is said to begin and to end.
enum class RefreshMarks : std::uint8_t { No, Yes };

// What the tables have of one prefix.
struct Presence {
  bool selected = false;
  bool local = false;    // a path of this router's own
  bool learned = false;  // a usable path of a neighbour
};

// What of the routes within it an aggregate depends on: that there are some and of which ORIGIN, or all they have.
enum class AggregateDetail : std::uint8_t { Existence, Attributes };
template <class Prefix>
struct AggregateTarget {
  Prefix prefix;
  AggregateDetail detail = AggregateDetail::Existence;
};

template <class Prefix>
class Rib {
 public:
  using Node = typename PrefixTable<Prefix>::Node;

  // `config` and `unreachable` may change; reconsider_all() and set_feed() apply that.
  Rib(AttributePool& pool, const RouterConfig& config, const NextHopSet& unreachable, std::uint64_t seed);
  ~Rib();
  Rib(const Rib&) = delete;
  Rib& operator=(const Rib&) = delete;

  // ---- what peers say ----
  // A session came up. Paths of an earlier one may still be there: they are replaced or swept. Where the peer is not
  // what it was, they go at once, and whoever was told of them by the old rank is.
  void open(PeerId peer, const Rank& rank);
  // It ended: its paths stay in use until work() gets to them.
  void close(PeerId peer);
  // It ended and the peer may come back (RFC 4724): its paths are stale and stay in use until they are replaced or
  // dropped.
  void hold(PeerId peer, Older older = Older::Drop);
  void drop_stale(PeerId peer) { sweep_stale(peer); }
  // What the last hold() kept of before; returns how many paths.
  std::uint32_t drop_older(PeerId peer);
  // RFC 9494: what is stale becomes a last resort, but for paths that forbid that, which go. Done by work().
  void fade_stale(PeerId peer);
  // RFC 7313: what is not announced between the two is withdrawn.
  void begin_refresh(PeerId peer);
  void end_refresh(PeerId peer);

  // These are about to be announced or withdrawn: their places in the table are fetched together.
  void expect(std::span<const Prefix> prefixes) const;
  // `set` is retained by the table.
  void announce(PeerId peer, const Prefix& prefix, AttributeSet* set, Acceptance acceptance, std::uint32_t path_id = 0);
  void withdraw(PeerId peer, const Prefix& prefix, std::uint32_t path_id = 0);
  [[nodiscard]] const SourceCounters& counters(PeerId peer) const;

  // ---- what this node says ----
  // Replaces all local paths of the prefix; the first that is for a neighbour is its own.
  void set_local(const Prefix& prefix, std::span<const std::pair<AttributeSet*, AudienceId>> paths);

  // ---- what neighbours are told ----
  // So many paths of a prefix are told to somebody; each prefix keeps as many in order. Looks at the whole table when
  // it becomes more.
  void keep_ranked(std::size_t paths);
  // Everything that the terms let through, then End-of-RIB. With terms that have a path identifier: `paths` of a
  // prefix.
  void join(PeerId peer, ExportTerms terms, std::size_t paths = 1);
  void leave(PeerId peer);
  // Other terms for a member: it is sent the difference, if there may be one.
  void retarget(PeerId peer, ExportTerms terms, Difference difference);
  // Everything again: an answer to ROUTE-REFRESH.
  void resend(PeerId peer, RefreshMarks marks);
  [[nodiscard]] bool joined(PeerId peer) const { return outs_.contains({peer, 0}); }
  std::size_t pull(PeerId peer, std::vector<std::uint8_t>& out, std::size_t limit);
  // Clears prefixes away that have no paths and that nobody has to be told of any more.
  void reap_settled();
  // Members that have something to pull again.
  [[nodiscard]] std::vector<PeerId>& woken() { return woken_; }

  // ---- background work ----
  // Every prefix will be decided again: the decision's configuration or reachability changed.
  void reconsider_all();
  [[nodiscard]] bool has_work() const;
  void work(std::size_t budget);

  // ---- prefixes that somebody asks about ----
  // Whether packets for the peer's routes with BLACKHOLE are dropped; those that are there are looked at again.
  void set_blackholes(PeerId peer, bool wanted) {
    if (peer.value >= ranks_.size() || std::exchange(ranks_[peer.value].blackholes, wanted) == wanted) return;
    if (!unreachable_.empty()) reconsider_all();
    replay();
  }
  // From now on watch_changed() tells of changes of these prefixes, and of no others.
  void watch(std::span<const Prefix> prefixes);
  [[nodiscard]] bool watch_changed() const { return watch_changed_; }
  [[nodiscard]] bool take_watch_changed() { return std::exchange(watch_changed_, false); }
  [[nodiscard]] Presence presence(const Prefix& prefix) const;
  // Follows the learned routes within these from now on; looks at the whole table once.
  void aggregate(std::vector<AggregateTarget<Prefix>> targets);
  // By their place in the list given: those to be looked at again.
  [[nodiscard]] std::vector<std::size_t> take_dirty_aggregates();
  [[nodiscard]] bool has_dirty_aggregates() const {
    return std::any_of(contributions_.begin(), contributions_.end(), [](const auto& each) { return each.dirty; });
  }
  void touch_aggregates() {
    for (auto& each : contributions_) each.dirty = true;
  }
  // The ORIGIN of an aggregate of all routes within (RFC 4271 section 9.2.2.2).
  [[nodiscard]] Origin origin_of_aggregate(std::size_t aggregate) const { return contributions_[aggregate].origin(); }
  // The distinct attribute sets of the routes within.
  [[nodiscard]] std::vector<const AttributeSet*> contributors(std::size_t aggregate) const;

  // ---- the feed of changes for the kernel ----
  template <class Visit>
  std::size_t drain(std::size_t limit, Visit&& visit);
  void replay();
  void set_feed(RouteFeed feed);
  // What became of the prefix in the kernel, as far as it is known; see TellLearned.
  void installed(const Prefix& prefix, Installed installed);
  // Nobody waits for the kernel any more.
  void tell_awaited();

  // Told of accepted and of selected paths as they change; nothing: nobody.
  void observe(RouterObserver* observer) { observer_ = observer; }

  // ---- to look at ----
  [[nodiscard]] const PrefixTable<Prefix>& table() const { return table_; }
  [[nodiscard]] const Decision& decision() const { return decision_; }
  [[nodiscard]] const std::vector<Rank>& ranks() const { return ranks_; }
  // The selected paths that neighbours may be told of, the best first.
  [[nodiscard]] std::span<const Path> tellable(NodeIndex node) const { return bgp::tellable(table_, node); }
  struct Out {
    const OutGroup<Prefix>* group;
    const OutMember* member;
  };
  [[nodiscard]] std::optional<Out> out(PeerId peer) const;  // of the best path
  [[nodiscard]] std::vector<Out> outs(PeerId peer) const;   // of all that are told, best first
  [[nodiscard]] std::size_t path_count() const { return path_count_; }
  [[nodiscard]] std::size_t selected_count() const { return selected_count_; }  // prefixes that have a best path
  [[nodiscard]] std::size_t bytes() const;

 private:
  // Paths age by a generation with each session that ends and each refresh that begins.
  struct Source {
    SourceCounters counters;
    std::uint8_t generation = 0;
    std::uint8_t oldest = 0;  // no path is of more generations
    // From which age on a path is to be removed, is to be marked as long-lived stale, was stale before the peer was
    // lost the last time, is of an earlier session.
    static constexpr std::uint8_t never = 255;
    std::uint8_t sweep_age = never;
    std::uint8_t fade_age = never;
    std::uint8_t older_age = never;
    std::uint8_t earlier_age = never;
    std::uint32_t older = 0;  // how many paths are of older_age
  };
  struct Membership {
    OutMember member;
    OutGroup<Prefix>* group = nullptr;
  };
  // A neighbour that is told several paths is a member of as many groups, each of one rank.
  struct OutKey {
    PeerId peer;
    std::uint16_t layer = 0;
    friend auto operator<=>(const OutKey&, const OutKey&) = default;
  };

  Source& source(PeerId peer);
  [[nodiscard]] std::uint8_t age(const Path& path) const;  // 0: of the present session
  [[nodiscard]] bool sweepable(const Path& path) const;
  [[nodiscard]] bool fades(const Path& path) const;
  void fade(NodeIndex node, std::size_t place);
  void count(const Path& path, int by);
  [[nodiscard]] bool blackholed(const AttributeSet& set, PeerId source) const {
    return (set.flags & AttributeSet::blackhole) != 0 && ranks_[source.value].blackholes;
  }
  [[nodiscard]] std::uint8_t reach_flag(const AttributeSet& set, PeerId source) const;

  // Between the two calls the paths of a prefix may be changed; what is dropped is released at the end.
  void begin_change(NodeIndex node);
  void end_change(NodeIndex node);
  void tell(NodeIndex node, const Path* best, const Path* old);
  void select(NodeIndex node, std::size_t changed);
  [[nodiscard]] bool same_local(NodeIndex node, std::span<const std::pair<AttributeSet*, AudienceId>> local) const;
  void erase_path(NodeIndex node, std::size_t place);  // select() must follow
  [[nodiscard]] bool comes_after_the_kernel(const Path* path) const;
  void await(NodeIndex node, bool wanted);
  void answered(NodeIndex node);
  void feed(NodeIndex node);
  enum class Changed : std::uint8_t { No, Yes };
  void note_watched(NodeIndex node, const Path* best, Changed changed);
  void note_contribution(NodeIndex node, const Path* best, Changed changed);
  void reap(NodeIndex node);
  // Makes all that is stale now subject to the sweep.
  void sweep_stale(PeerId peer);
  void sweep_now();
  void renumber(PeerId peer);
  enum class Sweep : std::uint8_t { StalePaths, Everything };
  void start_sweep(Sweep what);
  [[nodiscard]] bool sweep_is_over();
  std::size_t sweep(NodeIndex node);
  std::size_t sweep_some(std::size_t budget);

  OutGroup<Prefix>& group_for(ExportTerms terms);
  void drop_if_empty(OutGroup<Prefix>* group);
  // Catching up by itself, and not in the middle of a walk.
  CatchUp& on_its_own(OutKey key, Membership& membership);
  template <class Call>
  void each_layer(PeerId peer, Call&& call) {
    for (auto at = outs_.lower_bound({peer, 0}); at != outs_.end() && at->first.peer == peer; ++at)
      call(at->first, at->second);
  }
  void start_walk(OutKey key, Membership& membership, const std::shared_ptr<const Exporter>& before,
                  CatchUp::Resend resend);
  std::size_t walk_some(std::size_t budget);

  AttributePool& pool_;
  const RouterConfig& config_;
  const NextHopSet& unreachable_;
  RouteFeed feed_enabled_;
  RouterObserver* observer_ = nullptr;
  PrefixTable<Prefix> table_;
  std::vector<Rank> ranks_;      // by PeerId
  std::vector<Source> sources_;  // by PeerId
  std::size_t path_count_ = 0;
  std::size_t selected_count_ = 0;
  Decision decision_;

  OutScratch<Prefix> scratch_;
  std::vector<std::unique_ptr<OutGroup<Prefix>>> groups_;
  std::map<OutKey, Membership> outs_;
  std::size_t ranked_ = 1;
  std::uint32_t next_group_ = 1;
  std::vector<OutKey> walking_;
  std::vector<PeerId> woken_;
  std::vector<NodeIndex> settled_;

  // The change that is going on.
  std::vector<Path> before_;  // what was selected
  std::vector<AttributeSet*> dropped_;
  bool multipath_touched_ = false;

  // The sweep goes once round the table, which may grow meanwhile: from where it was started to the end, then
  // from the beginning to where it was started.
  bool sweeping_ = false;
  bool sweep_wrapped_ = false;
  NodeIndex sweep_at_ = 0;
  NodeIndex sweep_from_ = 0;
  std::size_t sweepable_ = 0;      // of all sources; the sweep may end early when none is left
  bool sweep_everything_ = false;  // no, it may not: prefixes without paths are looked for, too
  bool reconsider_ = false;        // every prefix is decided again on the way

  std::deque<NodeIndex> feed_;
  KernelAnswers answers_;

  std::vector<NodeIndex> watched_;
  bool watch_changed_ = false;
  struct Contributions {
    AggregateTarget<Prefix> target;
    Bitmap nodes;                 // learned routes within
    std::array<Bitmap, 2> worse;  // those of ORIGIN EGP, and INCOMPLETE
    [[nodiscard]] Origin origin() const {
      return !worse[1].empty() ? Origin::Incomplete : !worse[0].empty() ? Origin::Egp : Origin::Igp;
    }
    bool dirty = false;
  };
  std::vector<Contributions> contributions_;
};

template <class Prefix>
template <class Visit>
std::size_t Rib<Prefix>::drain(std::size_t limit, Visit&& visit) {
  std::vector<std::size_t> used;
  std::vector<std::uint16_t> weights;
  std::vector<RouteHop> next_hops;
  for (; limit > 0 && !feed_.empty(); --limit) {
    const auto node = feed_.front();
    feed_.pop_front();
    table_[node].unset(Node::fed);
    const auto paths = std::as_const(table_).paths(node);
    next_hops.clear();
    const bool learned = table_[node].is(Node::has_best) && !paths[0].local();
    const auto metric = learned ? paths[0].set->kernel_metric() : 0;
    if (learned && blackholed(*paths[0].set, paths[0].source)) {
      next_hops.push_back({paths[0].set->next_hop(), 1, true, metric});
    } else if (learned) {
      decision_.multipath(paths, 0, used);
      decision_.weights(paths, used, weights);
      for (std::size_t i = 0; i < used.size(); ++i) {
        const RouteHop hop{paths[used[i]].set->next_hop(), weights[i], false, metric};
        const auto same = [&](const RouteHop& other) { return static_cast<const NextHop&>(other) == hop; };
        if (std::find_if(next_hops.begin(), next_hops.end(), same) == next_hops.end()) next_hops.push_back(hop);
      }
    }
    visit(table_.prefix_of(node), std::span<const RouteHop>{next_hops});
    reap(node);
  }
  return feed_.size();
}

extern template class Rib<net::Ipv4Prefix>;
extern template class Rib<net::Ipv6Prefix>;

}  // namespace bgp
