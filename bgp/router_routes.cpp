// SPDX-License-Identifier: Apache-2.0
// Routes that do not come from peers, what the kernel is to know, and work in the background.
#include <algorithm>

#include "bgp/router_core.hpp"

namespace bgp {
namespace {

// Prefixes that one slice looks at: about a millisecond.
constexpr std::size_t slice = 16384;

}  // namespace

PathAttributes Router::Core::own_attributes(const net::Prefix& prefix) {
  PathAttributes attributes;
  if (!prefix.is_v4()) attributes.next_hop.address = net::Ipv6Address{};
  return attributes;
}

void Router::Core::set_local(const net::Prefix& prefix, const std::optional<LocalRoute>& route) {
  std::vector<SetRef> held;
  std::vector<std::pair<AttributeSet*, AudienceId>> paths;
  const auto add = [&](const PathAttributes& attributes, AudienceId audience) {
    held.push_back(pool_.intern(attributes));
    paths.emplace_back(held.back().get(), audience);
  };
  const auto audiences_before = audiences_.size();
  if (route) {
    auto bare = own_attributes(prefix);
    bare.origin = route->origin;
    for (const auto& announcement : route->announcements) {
      auto attributes = bare;
      attributes.med = announcement.med;
      attributes.local_pref = announcement.local_pref;
      attributes.as_path.prepend(config_.asn, announcement.prepend);
      attributes.communities = announcement.communities;
      attributes.large_communities = announcement.large_communities;
      attributes.extended_communities = announcement.extended_communities;
      attributes.ipv6_extended_communities = announcement.ipv6_extended_communities;
      if (encodable(attributes)) add(attributes, audiences_.of(announcement.peers));
    }
    // In the tables all the same: it keeps learned routes for the prefix from being used.
    if (paths.empty()) add(bare, nobody);
  }
  // No route is for the new audiences yet, so the outcome is the same for everybody.
  if (audiences_.size() != audiences_before) {
    for (auto& [id, neighbor] : neighbors_) retarget(neighbor, Difference::None);
  }
  if (route) give_way(prefix, GivesWay::Yes);
  with_table(prefix, [&](auto& rib, const auto& typed) {
    rib.set_local(typed, std::span<const std::pair<AttributeSet*, AudienceId>>{paths});
  });
  if (!route) give_way(prefix, GivesWay::No);
}

std::optional<std::vector<net::IpAddress>> Router::Core::take_next_hops() {
  if (!pool_.take_next_hops_changed()) return std::nullopt;
  return pool_.next_hops();
}

void Router::Core::set_unreachable(std::vector<net::IpAddress> next_hops) {
  NextHopSet after{std::move(next_hops)};
  if (after == unreachable_) return;
  unreachable_ = std::move(after);
  each_rib([](net::Family, auto& rib) { rib.reconsider_all(); });
}

void Router::Core::installed(const net::Prefix& prefix, Installed installed) {
  with_table(prefix, [&](auto& rib, const auto& typed) { rib.installed(typed, installed); });
}

void Router::Core::set_roas(const RoaTable* roas, net::TimePoint now) {
  roas_ = roas;
  for (auto& [id, neighbor] : neighbors_)
    if (neighbor.import_needs.depends_on_rpki) apply_import(neighbor, now);
  for (auto& [id, neighbor] : neighbors_) retarget(neighbor, Difference::Find);
}

void Router::Core::set_links(std::vector<LinkSubnets> links, net::TimePoint now) {
  apply_links(links_.set(std::move(links)), now);
}

std::size_t Router::Core::drain(std::size_t limit, const VisitChange& visit) {
  if (leaving_to_restart_) return 0;
  std::size_t drained = 0;
  const auto counted = [&](const auto& prefix, std::span<const RouteHop> next_hops) {
    ++drained;
    visit(net::Prefix{prefix}, next_hops);
  };
  // What a restarted router learns goes to the kernel as a whole, when it is complete.
  std::size_t left = 0;
  if (!deferral_.active(net::Family::Ipv4)) left += ipv4_.drain(limit, counted);
  if (!deferral_.active(net::Family::Ipv6)) left += ipv6_.drain(limit - drained, counted);
  return left;
}

void Router::Core::replay() {
  each_rib([](net::Family, auto& rib) { rib.replay(); });
}

bool Router::Core::work() {
  follow_tables();
  update_aggregates();
  each_rib([](net::Family, auto& rib) {
    if (rib.has_work()) rib.work(slice / 2);
  });
  return has_work();
}

Router::Refreshed Router::Core::refresh_in(PeerId peer) {
  auto* neighbor = get(peer);
  if (neighbor == nullptr || !neighbor->up) return Refreshed::NotEstablished;
  const auto& agreed = *neighbor->peer.established()->negotiated();
  if (!agreed.route_refresh && !agreed.enhanced_route_refresh) return Refreshed::NotSupported;
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    if (!agreed.families.has(family)) continue;
    send(*neighbor, *neighbor->up, encode(RouteRefresh{unicast(family), RefreshKind::Request}));
    neighbor->peer.count_sent(MessageType::RouteRefresh, 1);
  }
  return Refreshed::Done;
}

Router::Refreshed Router::Core::refresh_out(PeerId peer) {
  auto* neighbor = get(peer);
  if (neighbor == nullptr || !neighbor->up) return Refreshed::NotEstablished;
  const auto marks =
      neighbor->peer.established()->negotiated()->enhanced_route_refresh ? RefreshMarks::Yes : RefreshMarks::No;
  each_rib([&](net::Family, auto& rib) { rib.resend(peer, marks); });
  return Refreshed::Done;
}

}  // namespace bgp
