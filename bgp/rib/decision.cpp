// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/decision.hpp"

#include <algorithm>
#include <cmath>

namespace bgp {
namespace {

// Negative when the smaller value is the first.
template <class Value>
int smaller(const Value& one, const Value& other) {
  return one < other ? -1 : (other < one ? 1 : 0);
}

// RFC 4456 section 9: ORIGINATOR_ID stands in for the identifier, and the shorter CLUSTER_LIST wins.
net::RouterId identifier(const AttributeSet& set, const Rank& rank) {
  if ((set.flags & AttributeSet::reflected) == 0) return rank.router_id;
  return set.attributes().originator_id.value_or(rank.router_id);
}
std::size_t clusters(const AttributeSet& set) {
  return (set.flags & AttributeSet::reflected) == 0 ? 0 : set.attributes().cluster_list.size();
}

// RFC 7311 section 4.1: with an accumulated metric before without, and the lower one before the higher. The distance to
// the next hop, which belongs to it, is the same for all: see after_med().
int by_accumulated_metric(const AttributeSet& one, const AttributeSet& other) {
  const bool first = (one.flags & AttributeSet::accumulates) != 0;
  const bool second = (other.flags & AttributeSet::accumulates) != 0;
  if (!first || !second) return first == second ? 0 : (first ? -1 : 1);
  return smaller(one.aigp_metric(), other.aigp_metric());
}

}  // namespace

std::string_view describe(SelectionReason reason) {
  switch (reason) {
    case SelectionReason::OnlyPath:
      return "Only path";
    case SelectionReason::LocalRoute:
      return "Local Route";
    case SelectionReason::LongLivedStale:
      return "Long-lived stale";
    case SelectionReason::LocalPref:
      return "Local Pref";
    case SelectionReason::Aigp:
      return "AIGP";
    case SelectionReason::AsPathLength:
      return "AS Path";
    case SelectionReason::Origin:
      return "Origin";
    case SelectionReason::Med:
      return "MED";
    case SelectionReason::PeerType:
      return "Peer Type";
    case SelectionReason::RouterId:
      return "Router ID";
    case SelectionReason::ClusterListLength:
      return "Cluster List";
    case SelectionReason::NeighborAddress:
      return "Neighbor IP";
    case SelectionReason::PathIdentifier:
      return "Path ID";
    case SelectionReason::Rejected:
      return "Rejected by import";
    case SelectionReason::Unreachable:
      return "Next hop unreachable";
    case SelectionReason::Equal:
      return "Equal";
  }
  return "";
}

std::uint32_t Decision::local_pref(const Path& path) const {
  return (path.set->flags & AttributeSet::has_local_pref) != 0 ? path.set->local_pref : config_->default_local_pref;
}

// RFC 4271 section 9.1.1 and section 9.1.2.2 a and b.
Decision::Order Decision::before_med(const Path& one, const Path& other) const {
  // Local paths are for different neighbours and stand in the order in which they were given.
  if (one.local() && other.local()) return {};
  if (one.local() != other.local()) return {one.local() ? -1 : 1, SelectionReason::LocalRoute};
  // RFC 9494 section 4.3: below every route that is not stale.
  if (const auto stale = (one.set->flags ^ other.set->flags) & AttributeSet::llgr_stale; stale != 0)
    return {(one.set->flags & AttributeSet::llgr_stale) != 0 ? 1 : -1, SelectionReason::LongLivedStale};
  if (const auto sign = smaller(local_pref(other), local_pref(one)); sign != 0)
    return {sign, SelectionReason::LocalPref};
  if (const auto sign = by_accumulated_metric(*one.set, *other.set); sign != 0) return {sign, SelectionReason::Aigp};
  if (const auto sign = smaller(one.set->path_length, other.set->path_length); sign != 0)
    return {sign, SelectionReason::AsPathLength};
  return {smaller(one.set->origin, other.set->origin), SelectionReason::Origin};
}

// Section 9.1.2.2 d; e, the interior cost, is the same for all: every next hop that can be reached is
// as near as another.
Decision::Order Decision::after_med(const Path& one, const Path& other) const {
  if (one.local() || other.local()) return {};
  // RFC 5065 section 5.3: within the confederation is within the AS.
  const auto inside = [this](const Path& path) { return rank_of(path).type != PeerType::External; };
  return {smaller(inside(one), inside(other)), SelectionReason::PeerType};
}

// Section 9.1.2.2 f and g, RFC 4456 section 9.
Decision::Order Decision::tie_break(const Path& one, const Path& other) const {
  if (one.local() || other.local()) return {};
  if (const auto sign = smaller(identifier(*one.set, rank_of(one)), identifier(*other.set, rank_of(other))); sign != 0)
    return {sign, SelectionReason::RouterId};
  if (const auto sign = smaller(clusters(*one.set), clusters(*other.set)); sign != 0)
    return {sign, SelectionReason::ClusterListLength};
  const auto sign = smaller(rank_of(one).address, rank_of(other).address);
  if (sign != 0) return {sign, SelectionReason::NeighborAddress};
  if (const auto id = smaller(one.audience, other.audience); id != 0 && one.source == other.source)
    return {id, SelectionReason::PathIdentifier};
  return {};
}

bool Decision::comparable_med(const Path& one, const Path& other) const {
  return config_->med == MedComparison::Always || one.set->neighbor_as == other.set->neighbor_as;
}

// Section 9.1.2.2 c: some path that is as good so far, of the same neighbouring AS, has a lower MED.
bool Decision::beaten_by_med(std::span<const Path> paths, const Path& path) const {
  if (path.local() || path.set->med == 0) return false;
  return std::any_of(paths.begin(), paths.end(), [&](const Path& other) {
    return other.usable() && other.set->med < path.set->med && comparable_med(other, path) &&
           before_med(other, path).sign == 0;
  });
}

bool Decision::beats(const Path& changed, const Path& best) const {
  for (const auto step : {&Decision::before_med, &Decision::after_med, &Decision::tie_break}) {
    const auto order = (this->*step)(changed, best);
    if (order.sign != 0) return order.sign < 0;
  }
  return false;
}

std::size_t Decision::best(std::span<const Path> paths) const {
  auto found = none;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto& path = paths[i];
    if (!path.usable()) continue;
    if (found != none && before_med(path, paths[found]).sign > 0) continue;
    if (beaten_by_med(paths, path)) continue;
    if (found == none || beats(path, paths[found])) found = i;
  }
  return found;
}

void Decision::rank(std::span<Path> paths, std::size_t count) const {
  for (std::size_t i = 0; i < count && i < paths.size(); ++i) {
    const auto next = best(paths.subspan(i));
    if (next == none) return;
    if (next != 0) std::swap(paths[i], paths[i + next]);
  }
}

bool Decision::may_matter(const Path& path, const Path& best) const {
  return path.usable() && !best.local() && before_med(path, best).sign == 0;
}

bool Decision::may_join(const Path& path, const Path& best) const {
  return may_matter(path, best) && after_med(path, best).sign == 0;
}

void Decision::multipath(std::span<const Path> paths, std::size_t best, std::vector<std::size_t>& out) const {
  out.clear();
  out.push_back(best);
  if (config_->maximum_paths <= 1 || paths[best].local()) return;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (i == best || !may_join(paths[i], paths[best]) || beaten_by_med(paths, paths[i])) continue;
    if (config_->multipath == AsPathRelax::SamePath &&
        paths[i].set->attributes().as_path != paths[best].set->attributes().as_path)
      continue;
    out.push_back(i);
  }
  std::sort(out.begin() + 1, out.end(),
            [&](std::size_t one, std::size_t other) { return tie_break(paths[one], paths[other]).sign < 0; });
  if (out.size() > config_->maximum_paths) out.resize(config_->maximum_paths);
}

void Decision::weights(std::span<const Path> paths, std::span<const std::size_t> used,
                       std::vector<std::uint16_t>& out) const {
  constexpr float most = 100;
  out.assign(used.size(), 1);
  const bool all = used.size() > 1 && config_->link_bandwidth == LinkBandwidth::Weighs &&
                   std::all_of(used.begin(), used.end(), [&](std::size_t place) {
                     return (paths[place].set->flags & AttributeSet::weighed) != 0;
                   });
  if (!all) return;
  std::vector<float> bandwidths;
  for (const auto place : used) {
    float sum = 0;
    for (const auto community : paths[place].set->attributes().extended_communities)
      sum += link_bandwidth(community).value_or(0);
    bandwidths.push_back(sum);
  }
  const auto widest = *std::max_element(bandwidths.begin(), bandwidths.end());
  for (std::size_t i = 0; i < used.size(); ++i)
    out[i] = static_cast<std::uint16_t>(std::max(1.0F, std::round(bandwidths[i] / widest * most)));
}

SelectionReason Decision::reason(std::span<const Path> paths, std::size_t winner, std::size_t loser) const {
  const auto& one = paths[winner];
  const auto& other = paths[loser];
  if ((other.flags & Path::rejected) != 0) return SelectionReason::Rejected;
  if ((other.flags & Path::unreachable) != 0) return SelectionReason::Unreachable;
  if (const auto order = before_med(one, other); order.sign != 0) return order.reason;
  if (beaten_by_med(paths, other)) return SelectionReason::Med;
  if (const auto order = after_med(one, other); order.sign != 0) return order.reason;
  return tie_break(one, other).reason;
}

SelectionReason Decision::reason_of_best(std::span<const Path> paths, std::size_t best) const {
  std::vector<Path> others;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (i == best || !paths[i].usable()) continue;
    others.push_back(paths[i]);
    places.push_back(i);
  }
  const auto next = this->best(others);
  return next == none ? SelectionReason::OnlyPath : reason(paths, best, places[next]);
}

}  // namespace bgp
