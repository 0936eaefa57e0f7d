// SPDX-License-Identifier: Apache-2.0
// The desired set of neighbours against the present one. Only what the session's own parameters demand
// opens a session anew; filters and limits are applied to the running one.
#include <algorithm>
#include <set>
#include <tuple>

#include "bgp/router_core.hpp"
#include "bgp/wire/notification.hpp"

namespace bgp {
namespace {

bool wanted(const NeighborConfig& config) {
  return config.hold_down.empty() && !config.shutdown;
}

// What decides over received routes.
auto import_of(const NeighborConfig& config) {
  return std::tie(config.import, config.rejected, config.allowed_own_as, config.prepend_local_as, config.aigp,
                  config.enforce_first_as, config.accept_blackhole);
}

// Nothing: the two are the same.
std::optional<PlannedChange> change_of(const NeighborConfig& before, const NeighborConfig& after) {
  using Kind = PlannedChange::Kind;
  if (before == after) return std::nullopt;
  PlannedChange change{after.name, Kind::Live, "description, timers or limits"};
  if (change_class(before.session, after.session) == Change::Reopen)
    return PlannedChange{after.name, Kind::Reopen, "session parameters"};
  // Who a client is decides what all internal peers are told.
  if (before.out.reflector_client != after.out.reflector_client)
    return PlannedChange{after.name, Kind::Reopen, "route reflector client"};
  if (wanted(before) != wanted(after)) {
    const auto why = !after.hold_down.empty() ? "held down: " + after.hold_down
                     : after.shutdown         ? "shut down"
                                              : "no longer held or shut down";
    return PlannedChange{after.name, wanted(after) ? Kind::Reopen : Kind::Close, why};
  }
  if (import_of(before) != import_of(after))
    change.why = "import filters: ROUTE-REFRESH";
  else if (before.export_filter != after.export_filter || before.out != after.out || before.draining != after.draining)
    change.why = "export filters: the difference is sent";
  return change;
}

}  // namespace

Router::Core::Core(const RouterConfig& config, std::uint64_t seed)
    : config_{config},
      seed_{seed},
      pool_{seed},
      ipv4_{pool_, config_, unreachable_, mix(seed + 1)},
      ipv6_{pool_, config_, unreachable_, mix(seed + 2)} {
  watch_aggregates();
}

std::vector<PlannedChange> Router::Core::plan(const RouterConfig& /*config*/,
                                              std::span<const NeighborConfig> neighbors) const {
  return changes_to(expanded(neighbors));
}

std::vector<PlannedChange> Router::Core::changes_to(std::span<const NeighborConfig> neighbors) const {
  std::vector<PlannedChange> changes;
  std::set<std::string_view> named;
  for (const auto& after : neighbors) {
    named.insert(after.name);
    const auto id = find(after.name);
    if (!id)
      changes.push_back({after.name, PlannedChange::Kind::Added, ""});
    else if (auto change = change_of(neighbor(*id)->config, after))
      changes.push_back(std::move(*change));
  }
  for (const auto& [name, id] : by_name_) {
    if (!named.contains(name)) changes.push_back({name, PlannedChange::Kind::Removed, ""});
  }
  return changes;
}

void Router::Core::configure(const RouterConfig& config, std::span<const NeighborConfig> neighbors,
                             net::TimePoint now) {
  if (closing_) return;
  const auto all = expanded(neighbors);
  const auto changes = changes_to(all);
  const auto patterns_before = std::exchange(patterns_, patterns_of(neighbors));
  for (const auto& change : changes) {
    if (change.kind == PlannedChange::Kind::Removed) remove_neighbor(*get(*find(change.neighbor)), now);
  }
  apply_router_config(config);
  const bool links_asked_before = std::exchange(links_asked_, asks_for_links(all));
  for (const auto& after : all) {
    const auto id = find(after.name);
    if (!id)
      apply_wanted(add_neighbor(after), now);
    else if (auto& known = *get(*id); !(known.config == after))
      change_neighbor(known, after, now);
  }
  std::size_t ranked = 1;
  for (const auto& [id, neighbor] : neighbors_)
    ranked = std::max<std::size_t>(ranked, neighbor.config.session.add_path.send);
  each_rib([&](net::Family, auto& rib) { rib.keep_ranked(ranked); });
  apply_links(!links_asked_before, now);
  watch_tables();
  update_defaults();
  for (auto& [id, neighbor] : neighbors_) retarget(neighbor, Difference::Find);
  if (changes.empty() && patterns_before == patterns_) return;
  consider_restart(now);
  index_addresses();
  actions_.emplace_back(NeighborsChanged{});
}

void Router::Core::apply_router_config(const RouterConfig& config) {
  const bool decide_again = !(config.decision == config_.decision);
  const bool feed_changed = config.feed != config_.feed;
  const bool told_at_once = config.tell_learned == TellLearned::AtOnce && config_.tell_learned != TellLearned::AtOnce;
  const bool aggregates_changed = config.aggregates != config_.aggregates;
  config_ = config;
  if (aggregates_changed) watch_aggregates();
  each_rib([&](net::Family, auto& rib) {
    if (decide_again) rib.reconsider_all();
    if (feed_changed) rib.set_feed(config.feed);
    if (told_at_once) rib.tell_awaited();
  });
}

// ---- neighbours -------------------------------------------------------------------------------------

PeerId Router::Core::free_id() {
  // Numbers are used again as late as possible: tables may still hold paths of the last bearer.
  while (neighbors_.contains(PeerId{next_id_}) || PeerId{next_id_} == local_peer) ++next_id_;
  return PeerId{next_id_++};
}

Neighbor& Router::Core::add_neighbor(const NeighborConfig& config) {
  const auto id = free_id();
  by_name_.emplace(config.name, id);
  auto& added = neighbors_
                    .emplace(std::piecewise_construct, std::forward_as_tuple(id),
                             std::forward_as_tuple(id, config, mix(seed_ ^ (id.value + 3ULL) << 32)))
                    .first->second;
  added.peer.set_restart_state(restart_state());
  return added;
}

void Router::Core::remove_neighbor(Neighbor& neighbor, net::TimePoint now) {
  neighbor.peer.stop(cease(CeaseError::PeerDeconfigured), now, peer_actions_);
  perform(neighbor, peer_actions_);
  drop_stale(neighbor);
  deadlines_.set(neighbor.id.value, std::nullopt);
  by_name_.erase(neighbor.config.name);
  neighbors_.erase(neighbor.id);
}

void Router::Core::change_neighbor(Neighbor& neighbor, const NeighborConfig& config, net::TimePoint now) {
  const auto before = std::exchange(neighbor.config, config);
  neighbor.import_needs = Neighbor::ImportNeeds{neighbor.config.import};
  neighbor.peer.reconfigure(config.session, now, peer_actions_);
  neighbor.context.aigp = config.aigp;
  neighbor.context.enforce_first_as = config.enforce_first_as;
  if (before.out.reflector_client != config.out.reflector_client && neighbor.up)
    neighbor.peer.restart(cease(CeaseError::OtherConfigurationChange), now, peer_actions_);
  perform(neighbor, peer_actions_);
  // Another limit is a reason to try again.
  if (!(before.ipv4_limit == config.ipv4_limit && before.ipv6_limit == config.ipv6_limit)) {
    neighbor.limited = false;
    neighbor.restart_at.reset();
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      neighbor.intake(family).warned = neighbor.intake(family).warned_out = false;
      if (neighbor.up) check_limit(neighbor, family, now);
    }
  }
  apply_wanted(neighbor, now);
  if (before.accept_blackhole != config.accept_blackhole)
    each_rib([&](net::Family, auto& rib) { rib.set_blackholes(neighbor.id, config.accept_blackhole); });
  if (import_of(before) != import_of(config) || before.draining != config.draining) apply_import(neighbor, now);
}

void Router::Core::apply_wanted(Neighbor& neighbor, net::TimePoint now) {
  const bool running = neighbor.peer.status().admin == Admin::Up;
  if (neighbor.wanted() && !closing_) {
    if (!running && !neighbor.waits()) neighbor.peer.start(now, peer_actions_);
  } else if (running) {
    neighbor.peer.stop(cease(CeaseError::AdministrativeShutdown, neighbor.config.shutdown.value_or("")), now,
                       peer_actions_);
    drop_stale(neighbor);
  }
  perform(neighbor, peer_actions_);
}

// Rejected routes are not kept in full, so the peer is asked for everything again (RFC 2918); of one that cannot be
// asked, everything was kept.
void Router::Core::apply_import(Neighbor& neighbor, net::TimePoint now) {
  if (!neighbor.up || refresh_in(neighbor.id) == Refreshed::Done) return;
  import_again(neighbor, now);
}

bool Router::Core::asks_for_links(std::span<const NeighborConfig> neighbors) const {
  const auto asks = [](const NeighborConfig& each) {
    return depends_on_links(each.import) || (each.export_filter && depends_on_links(*each.export_filter));
  };
  return std::any_of(neighbors.begin(), neighbors.end(), asks) || std::any_of(patterns_.begin(), patterns_.end(), asks);
}

void Router::Core::apply_links(bool changed, net::TimePoint now) {
  if (!changed || !links_asked_) return;
  for (auto& [id, neighbor] : neighbors_) apply_import(neighbor, now);
}

void Router::Core::retarget(Neighbor& neighbor, Difference difference) {
  if (!neighbor.up) return;
  each_rib([&](net::Family family, auto& rib) {
    if (!rib.joined(neighbor.id)) return;
    if (auto with = terms(neighbor, family)) rib.retarget(neighbor.id, std::move(*with), difference);
  });
}

// ---- commands ---------------------------------------------------------------------------------------

void Router::Core::shut_down(const std::string& reason, net::TimePoint now, Leaving leaving) {
  closing_ = true;
  leaving_to_restart_ = leaving == Leaving::ToRestart;
  const auto notification = cease(CeaseError::AdministrativeShutdown, reason);
  for (auto& [id, neighbor] : neighbors_) {
    if (leaving == Leaving::ToRestart)
      neighbor.peer.leave(notification, now, peer_actions_);
    else
      neighbor.peer.stop(notification, now, peer_actions_);
    neighbor.restart_at.reset();
    perform(neighbor, peer_actions_);
  }
}

void Router::Core::restart(PeerId peer, const std::string& reason, net::TimePoint now) {
  auto* neighbor = get(peer);
  if (neighbor == nullptr) return;
  neighbor->restart_at.reset();
  if (std::exchange(neighbor->limited, false)) return apply_wanted(*neighbor, now);
  if (!neighbor->wanted() || closing_) return;
  neighbor->peer.restart(cease(CeaseError::AdministrativeReset, reason), now, peer_actions_);
  perform(*neighbor, peer_actions_);
}

// ---- BFD --------------------------------------------------------------------------------------------

void Router::Core::bfd_down(PeerId peer, BfdLoss loss, net::TimePoint now) {
  auto* neighbor = get(peer);
  if (neighbor == nullptr) return;
  // RFC 5882 section 4.3.2: who cannot forward is not restarting, and its routes lead nowhere.
  if (loss == BfdLoss::Path && !neighbor->up) drop_stale(*neighbor);
  if (!neighbor->up && !neighbor->waits()) return;
  neighbor->path_lost = loss == BfdLoss::Path;
  neighbor->peer.stop(cease(CeaseError::BfdDown), now, peer_actions_);
  perform(*neighbor, peer_actions_);
  neighbor->path_lost = false;
  apply_wanted(*neighbor, now);
}

void Router::Core::bfd_ready(PeerId peer, BfdReady ready, net::TimePoint now) {
  auto* neighbor = get(peer);
  if (neighbor == nullptr) return;
  neighbor->bfd_ready = ready == BfdReady::Yes;
  apply_wanted(*neighbor, now);
}

}  // namespace bgp
