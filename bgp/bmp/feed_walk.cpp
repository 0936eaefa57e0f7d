// SPDX-License-Identifier: Apache-2.0
// The tables as they are when a station comes, piece by piece; and what is counted.
#include <algorithm>
#include <array>
#include <utility>

#include "bgp/bmp/feed.hpp"
#include "bgp/rib/attribute_set.hpp"

namespace bgp::bmp {
namespace {

// What a piece may cost, in routes looked at: well under a millisecond.
constexpr std::size_t piece_cost = 2048;
constexpr std::size_t most_nodes = 256;

constexpr std::array both_families{net::Family::Ipv4, net::Family::Ipv6};

}  // namespace

bool Feed::ahead(net::Family family, NodeIndex node) const {
  if (!walking_) return false;
  if (family == cursor_.family) return node >= cursor_.index;
  return cursor_.family == net::Family::Ipv4;
}

bool Feed::pull(std::vector<std::uint8_t>& out) {
  writer_.flush();
  if (out_.empty() && walking_ && !overflowed_) walk_piece();
  if (out_.empty() && !overflowed_) tell_owed();
  if (out_.empty() || overflowed_) return false;
  counters_.bytes += out_.size();
  if (out.empty())
    std::swap(out, out_);
  else
    out.insert(out.end(), out_.begin(), out_.end());
  out_.clear();
  return true;
}

// Changes of prefixes that come after the cursor are not told, so the walk must tell the latest state of each, and
// everything of this piece before anything else happens.
void Feed::walk_piece() {
  const auto told = config_.adj_rib_out ? monitored_.size() : 0;
  const auto nodes = std::clamp<std::size_t>(piece_cost / (1 + told), 8, most_nodes);
  piece_ipv4_.clear();
  piece_ipv6_.clear();
  // When its routes came is not kept, and zero says so (RFC 7854 section 4.2).
  const auto now = std::exchange(now_, WallTime{});
  router_.walk_paths(cursor_, nodes,
                     [this](NodeIndex node, const net::Prefix& prefix, std::span<const Path> paths, bool selected) {
                       tell_paths(node, prefix, paths, selected);
                     });
  writer_.flush();
  for (auto& [peer, monitored] : monitored_) {
    if (!monitored.told_before) continue;
    tell_out(peer, monitored, net::Family::Ipv4, piece_ipv4_);
    tell_out(peer, monitored, net::Family::Ipv6, piece_ipv6_);
  }
  now_ = now;
  if (cursor_.done()) end_walk();
}

void Feed::tell_paths(NodeIndex node, const net::Prefix& prefix, std::span<const Path> paths, bool selected) {
  if (config_.adj_rib_out) (prefix.family() == net::Family::Ipv4 ? piece_ipv4_ : piece_ipv6_).push_back(node);
  if (config_.loc_rib && selected)
    writer_.announce({local_peer, View::LocRib, std::nullopt}, prefix, *paths[0].set, {}, now_);
  if (!config_.pre_policy && !config_.post_policy) return;
  for (const auto& path : paths) {
    const auto* monitored = path.local() ? nullptr : find(path.source);
    if (monitored == nullptr) continue;
    const auto id = path_id(*monitored, prefix.family(), path.audience);
    if (monitored->from_table)
      writer_.announce({path.source, View::PrePolicy, id}, prefix, *path.set, form(*monitored, View::PrePolicy), now_);
    if (config_.post_policy && (path.flags & Path::rejected) == 0)
      writer_.announce({path.source, View::PostPolicy, id}, prefix, *path.set, form(*monitored, View::PostPolicy),
                       now_);
  }
}

// What the peer has is not known of prefixes that it has still to be told about: that may be another state than the
// tables have, and when they change back it is told nothing.
void Feed::tell_out(PeerId peer, Monitored& monitored, net::Family family, std::span<const NodeIndex> nodes) {
  if (nodes.empty()) return;
  scratch_.clear();
  behind_.clear();
  router_.encode_told(peer, family, nodes, scratch_, behind_);
  sent(peer, scratch_);
  for (const auto node : behind_) monitored.owed(family).set(node);
  // It is told of these later, and then pulled() comes again.
  if (!behind_.empty()) monitored.told_all = false;
}

bool Feed::walking() const {
  return walking_ || std::any_of(monitored_.begin(), monitored_.end(),
                                 [](const auto& each) { return each.second.told_all && each.second.owes(); });
}

void Feed::pulled(PeerId peer) {
  auto* monitored = find(peer);
  if (monitored != nullptr && monitored->owes()) monitored->told_all = router_.told_all(peer);
}

void Feed::tell_owed() {
  const auto now = std::exchange(now_, WallTime{});
  std::vector<NodeIndex> nodes;
  for (auto& [peer, monitored] : monitored_) {
    for (const auto family : both_families) {
      auto& owed = monitored.owed(family);
      if (!monitored.told_all || owed.empty()) continue;
      nodes.clear();
      for (auto node = owed.next(0); node != Bitmap::none && nodes.size() < most_nodes; node = owed.next(node + 1))
        nodes.push_back(node);
      for (const auto node : nodes) owed.reset(node);
      tell_out(peer, monitored, family, nodes);
    }
    end_out(monitored);
    if (!out_.empty()) break;
  }
  now_ = now;
}

void Feed::end_out(Monitored& monitored) {
  if (monitored.owes() || !monitored.unfinished_out()) return;
  const auto head = header(monitored, flag_post_policy | flag_adj_rib_out);
  for (const auto family : both_families)
    if (monitored.out_unfinished.has(family)) end_of_rib(head, family);
  monitored.out_unfinished = {};
}

// RFC 7854 section 5. A peer that was asked again ends its own table where it can (RFC 7313); of one that cannot, the
// end is not known, and is told now.
void Feed::end_walk() {
  walking_ = false;
  for (auto& [peer, monitored] : monitored_) {
    const auto* session = router_.session(peer);
    const bool marks = session != nullptr && session->negotiated()->enhanced_route_refresh;
    for (const auto family : both_families) {
      if (!monitored.unfinished.has(family)) continue;
      if (config_.pre_policy && !(monitored.asked && marks)) end_of_rib(header(monitored, 0), family);
      if (config_.post_policy) end_of_rib(header(monitored, flag_post_policy), family);
    }
    if (monitored.told_before) monitored.out_unfinished = monitored.families;
    end_out(monitored);
  }
  if (!config_.loc_rib) return;
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) end_of_rib(loc_rib_header(), family);
}

// ---- statistics -------------------------------------------------------------------------------------

void Feed::report() {
  for (const auto& neighbor : router_.neighbors()) {
    const auto* monitored = find(neighbor.id);
    if (monitored == nullptr) continue;
    StatisticsReport report{header(*monitored, 0), {}};
    const auto add = [&](StatisticType type, std::uint64_t value, std::optional<AfiSafi> family = std::nullopt) {
      report.statistics.push_back({type, family, value, std::nullopt});
    };
    const auto& [v4, v6] = std::tie(neighbor.ipv4, neighbor.ipv6);
    const auto& loops = neighbor.loops;
    add(StatisticType::RejectedByPolicy,
        v4.filtered + v6.filtered - loops.as_path - loops.cluster_list - loops.originator_id - loops.next_hop);
    add(StatisticType::ClusterListLoops, loops.cluster_list);
    add(StatisticType::AsPathLoops, loops.as_path);
    add(StatisticType::OriginatorLoops, loops.originator_id);
    add(StatisticType::AdjRibIn, v4.received + v6.received);
    add(StatisticType::AdjRibOut, v4.advertised + v6.advertised);
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      if (!monitored->families.has(family)) continue;
      const auto& counters = family == net::Family::Ipv4 ? v4 : v6;
      add(StatisticType::AdjRibInOfFamily, counters.received, unicast(family));
      add(StatisticType::AdjRibOutOfFamily, counters.advertised, unicast(family));
    }
    say(report);
  }
  if (!config_.loc_rib) return;
  const auto table = router_.table();
  StatisticsReport report{loc_rib_header(), {}};
  report.statistics.push_back(
      {StatisticType::LocRib, std::nullopt, table.ipv4_selected + table.ipv6_selected, std::nullopt});
  report.statistics.push_back({StatisticType::LocRibOfFamily, ipv4_unicast, table.ipv4_selected, std::nullopt});
  report.statistics.push_back({StatisticType::LocRibOfFamily, ipv6_unicast, table.ipv6_selected, std::nullopt});
  say(report);
}

}  // namespace bgp::bmp
