// SPDX-License-Identifier: Apache-2.0
// The tables as they are when a station comes, piece by piece; and what is counted.
#include <algorithm>
#include <utility>

#include "bgp/bmp/feed.hpp"
#include "bgp/rib/attribute_set.hpp"

namespace bgp::bmp {
namespace {

// What a piece may cost, in routes looked at: well under a millisecond.
constexpr std::size_t piece_cost = 2048;
constexpr std::size_t most_nodes = 256;

}  // namespace

bool Feed::ahead(net::Family family, NodeIndex node) const {
  if (!walking_) return false;
  if (family == cursor_.family) return node >= cursor_.index;
  return cursor_.family == net::Family::Ipv4;
}

bool Feed::pull(std::vector<std::uint8_t>& out) {
  writer_.flush();
  if (out_.empty() && walking_ && !overflowed_) walk_piece();
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
  const auto begin = cursor_;
  // When its routes came is not kept, and zero says so (RFC 7854 section 4.2).
  const auto now = std::exchange(now_, WallTime{});
  router_.walk_paths(cursor_, nodes,
                     [this](NodeIndex node, const net::Prefix& prefix, std::span<const Path> paths, bool selected) {
                       tell_paths(node, prefix, paths, selected);
                     });
  writer_.flush();
  if (config_.adj_rib_out) {
    for (const auto& [peer, monitored] : monitored_) {
      scratch_.clear();
      if (begin.family == cursor_.family) {
        router_.encode_told(peer, begin.family, begin.index, cursor_.index, scratch_);
      } else {
        router_.encode_told(peer, net::Family::Ipv4, begin.index, ~NodeIndex{0}, scratch_);
        router_.encode_told(peer, net::Family::Ipv6, 0, cursor_.index, scratch_);
      }
      sent(peer, scratch_);
    }
  }
  now_ = now;
  if (cursor_.done()) end_walk();
}

void Feed::tell_paths(NodeIndex /*node*/, const net::Prefix& prefix, std::span<const Path> paths, bool selected) {
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

// RFC 7854 section 5. A peer that was asked again ends its own table where it can (RFC 7313); of one that cannot, the
// end is not known, and is told now.
void Feed::end_walk() {
  walking_ = false;
  for (const auto& [peer, monitored] : monitored_) {
    const auto* session = router_.session(peer);
    const bool marks = session != nullptr && session->negotiated()->enhanced_route_refresh;
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      if (!monitored.unfinished.has(family)) continue;
      if (config_.pre_policy && !(monitored.asked && marks)) end_of_rib(header(monitored, 0), family);
      if (config_.post_policy) end_of_rib(header(monitored, flag_post_policy), family);
      if (config_.adj_rib_out) end_of_rib(header(monitored, flag_post_policy | flag_adj_rib_out), family);
    }
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
    add(StatisticType::RejectedByPolicy, v4.filtered + v6.filtered);
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
      {StatisticType::LocRib, std::nullopt, table.ipv4_prefixes + table.ipv6_prefixes, std::nullopt});
  report.statistics.push_back({StatisticType::LocRibOfFamily, ipv4_unicast, table.ipv4_prefixes, std::nullopt});
  report.statistics.push_back({StatisticType::LocRibOfFamily, ipv6_unicast, table.ipv6_prefixes, std::nullopt});
  say(report);
}

}  // namespace bgp::bmp
