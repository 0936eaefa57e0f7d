// SPDX-License-Identifier: Apache-2.0
// Restarts: routes of neighbours that are away for a moment, and this router's own.
#include <algorithm>

#include "bgp/router_core.hpp"

namespace bgp {
namespace {

// A neighbour that restarts with us is back by then; one that is not may be away for days. Those that say that they
// have restarted as well may wait for us as we do for them, so RFC 4724 has us not wait; but FRR says so for two
// minutes after its start and sends all it has at once.
constexpr Deferral::Patience patience{.absent = net::Seconds{30}, .restarting = net::Seconds{5}};

ClosedBy closed_by(const ResetReason& reason) {
  switch (reason.by) {
    case ResetReason::By::Local:
      return ClosedBy::Us;
    case ResetReason::By::Remote:
      return ClosedBy::Peer;
    case ResetReason::By::Transport:
      break;
  }
  return ClosedBy::Transport;
}

}  // namespace

// ---- neighbours that are away -----------------------------------------------------------------------

void Router::Core::keep_or_close(Neighbor& neighbor, net::Family family, const WentDown& down) {
  const auto& of_family = down.restart.of(family);
  // What this router knows at its end is what the kernel goes by until the next life.
  const bool agreed = !neighbor.path_lost && (of_family.kept || of_family.long_lived > net::Seconds{0}) &&
                      keeps_routes(down.restart, closed_by(down.reason), down.reason.notification);
  const bool keep = agreed || leaving_to_restart_;
  auto& stale = neighbor.intake(family).stale;
  if (!keep) {
    (void)stale.give_up();
    return with_rib(family, [&](auto& rib) { rib.close(neighbor.id); });
  }
  std::uint32_t kept = 0;
  const auto older = stale.begin(down.restart, family, down.at) ? Older::Keep : Older::Drop;
  with_rib(family, [&](auto& rib) {
    rib.hold(neighbor.id, older);
    kept = rib.counters(neighbor.id).stale;
  });
  if (kept > 0)
    actions_.emplace_back(NeighborNotice{neighbor.id, Notice::RoutesKept,
                                         std::to_string(kept) + ' ' + std::string{net::print(family)} +
                                             " prefixes, at most " + std::to_string(down.restart.time.count()) + " s"});
}

void Router::Core::take_step(Neighbor& neighbor, net::Family family, StaleRoutes::Step step) {
  if (step == StaleRoutes::Step::Nothing) return;
  std::uint32_t moved = 0;
  with_rib(family, [&](auto& rib) {
    moved = rib.counters(neighbor.id).stale;
    if (step == StaleRoutes::Step::Fade)
      rib.fade_stale(neighbor.id);
    else if (step == StaleRoutes::Step::DropOlder)
      moved = rib.drop_older(neighbor.id);
    else
      rib.drop_stale(neighbor.id);
  });
  if (moved == 0) return;
  const auto notice = step == StaleRoutes::Step::Fade ? Notice::RoutesFaded : Notice::StaleDropped;
  actions_.emplace_back(
      NeighborNotice{neighbor.id, notice, std::to_string(moved) + ' ' + std::string{net::print(family)} + " prefixes"});
}

void Router::Core::tick_stale(Neighbor& neighbor, net::TimePoint now) {
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    auto& stale = neighbor.intake(family).stale;
    // Several at once: a restart time of zero.
    for (auto step = stale.tick(now); step != StaleRoutes::Step::Nothing; step = stale.tick(now))
      take_step(neighbor, family, step);
  }
}

void Router::Core::drop_stale(Neighbor& neighbor) {
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6})
    take_step(neighbor, family, neighbor.intake(family).stale.give_up());
}

void Router::Core::end_of_rib(Neighbor& neighbor, net::Family family, net::TimePoint now) {
  auto& intake = neighbor.intake(family);
  intake.end_of_rib = true;
  take_step(neighbor, family, intake.stale.end_of_rib());
  settle(neighbor);
  consider_restart(now);
}

// ---- our own restart --------------------------------------------------------------------------------

void Router::Core::begin_restart(net::Seconds longest, net::TimePoint now) {
  preserved_ = true;
  deferral_.begin(now, longest, patience);
  deadlines_.set(local_peer.value, deferral_.deadline(now));
}

// RFC 4724 section 4.1: those that will send End-of-RIB.
bool Router::Core::waits_for(const Neighbor& neighbor, net::Family family, net::TimePoint now) const {
  if (!neighbor.wanted() || !neighbor.config.session.families.has(family)) return false;
  const auto* session = neighbor.peer.established();
  if (session == nullptr) return deferral_.waits_for_absent(now);
  const auto& agreed = *session->negotiated();
  if (!agreed.families.has(family) || !agreed.restart.capable) return false;
  if (agreed.restart.restarting && !deferral_.waits_for_restarting(now)) return false;
  return !(family == net::Family::Ipv4 ? neighbor.ipv4 : neighbor.ipv6).end_of_rib;
}

void Router::Core::consider_restart(net::TimePoint now) {
  if (!deferral_.active()) return;
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    if (!deferral_.active(family)) continue;
    const bool waits = std::any_of(neighbors_.begin(), neighbors_.end(),
                                   [&](const auto& each) { return waits_for(each.second, family, now); });
    if (waits && !deferral_.expired(now)) continue;
    deferral_.end(family);
    for (auto& [id, neighbor] : neighbors_) {
      const auto* session = neighbor.up ? neighbor.peer.established() : nullptr;
      if (session != nullptr && session->negotiated()->families.has(family)) join(neighbor, family);
    }
  }
  deadlines_.set(local_peer.value, deferral_.deadline(now));
  if (deferral_.active()) return;
  for (auto& [id, neighbor] : neighbors_) neighbor.peer.set_restart_state(restart_state());
}

}  // namespace bgp
