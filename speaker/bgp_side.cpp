// SPDX-License-Identifier: Apache-2.0
#include "speaker/bgp_side.hpp"

#include <random>
#include <set>

namespace speaker {
namespace {

// Prefixes handed on in one turn; the rest follows in the next. So few that neighbours go first while they say a full
// table, 1,600 prefixes or so in a turn: the kernel is slower than they are, and is busy with these.
constexpr std::size_t most_changes = 64;

// Reasons why a session does not come up that are told of one neighbour.
constexpr std::size_t most_failures = 8;

// Attempts that somebody here ended, or the other one of two.
bool is_wanted(const bgp::ResetReason& reason) {
  if (!reason.notification) return false;
  return is(*reason.notification, bgp::CeaseError::CollisionResolution) ||
         (reason.by == bgp::ResetReason::By::Local &&
          reason.notification->code == static_cast<std::uint8_t>(bgp::ErrorCode::Cease));
}

std::uint64_t seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace

BgpSide::BgpSide(boost::asio::io_context& io, Log& log, RouteChanged route_changed, std::function<void()> settled,
                 std::function<void()> neighbors_changed)
    : io_{io},
      log_{log},
      route_changed_{std::move(route_changed)},
      settled_{std::move(settled)},
      neighbors_changed_{std::move(neighbors_changed)} {}

BgpSide::~BgpSide() = default;

void BgpSide::open(const RouterSetup& setup, const Routes& routes, Forwarding forwarding, net::TimePoint now) {
  router_ = std::make_unique<bgp::Router>(setup.router, seed());
  if (setup.restart && forwarding == Forwarding::Preserved) {
    router_->begin_restart(setup.restart->deferral, now);
    log_.info("graceful restart begun", {{"longest", std::to_string(setup.restart->deferral.count()) + " s"}});
  }
  BgpEdgeEvents events;
  events.moved = [this](const bgp::NeighborMoved& move) { moved(move); };
  events.neighbors_changed = [this] {
    std::erase_if(told_failures_, [this](const auto& each) { return router_->neighbor(each.first) == nullptr; });
    neighbors_changed_();
  };
  events.notice = [this](const bgp::NeighborNotice& notice) {
    const auto* neighbor = router_->neighbor(notice.peer);
    log_.notice(notice, neighbor == nullptr ? "" : neighbor->name);
  };
  events.problem = [this](const BgpProblem& problem) {
    log_.warning("socket", {{"where", problem.where}, {"problem", problem.text}});
  };
  events.settled = [this] {
    drain_routes();
    settled_();
  };
  edge_ = std::make_unique<BgpEdge>(io_, *router_, std::move(events));
  for (const auto& [prefix, announcement] : routes) router_->set_local(prefix, local_route(*announcement));
}

void BgpSide::moved(const bgp::NeighborMoved& move) {
  const auto* neighbor = router_->neighbor(move.peer);
  if (move.from == bgp::State::Established || move.to == bgp::State::Established) {
    ++session_changes_;
    told_failures_.erase(move.peer);
  }
  // The first of each kind is news; attempts that only differ in their number are not.
  bool news = neighbor != nullptr && move.reason && move.from != bgp::State::Established && !is_wanted(*move.reason);
  if (news) {
    auto& told = told_failures_[move.peer];
    news = told.size() < most_failures && told.insert(move.reason->text).second;
  }
  log_.moved(move, neighbor == nullptr ? "" : neighbor->name,
             neighbor == nullptr ? "" : net::print(neighbor->session.address), news);
}

void BgpSide::configure(const RouterSetup& setup, const Routes& routes, Forwarding forwarding, net::TimePoint now) {
  if (setup.absent) {
    if (absent_ != *setup.absent) log_.info("no router on this node", {{"reason", *setup.absent}});
    absent_ = *setup.absent;
    if (router_ == nullptr) return;
    // Ends the sessions in order; a router without neighbours costs nothing and is there when they come back.
    edge_->listen({{}, 0});
    router_->configure(router_->config(), {}, now);
    edge_->wake();
    return;
  }
  absent_.clear();
  if (router_ == nullptr) open(setup, routes, forwarding, now);
  for (const auto& change : router_->plan(setup.router, setup.neighbors)) log_.planned(change);
  router_->configure(setup.router, setup.neighbors, now);
  edge_->listen({setup.listen.addresses, setup.listen.port});
  edge_->wake();
}

void BgpSide::apply(const net::Plan<net::Prefix, AnnouncementPtr>& routes) {
  if (router_ == nullptr) return;
  for (const auto& [prefix, announcement] : routes.set) router_->set_local(prefix, local_route(*announcement));
  for (const auto& prefix : routes.remove) router_->set_local(prefix, std::nullopt);
  edge_->wake();
}

void BgpSide::replay() {
  if (router_ == nullptr) return;
  router_->replay_routes();
  edge_->wake();
}

void BgpSide::installed(std::span<const netlink::RouteReport> reports) {
  if (router_ == nullptr || router_->config().tell_learned == bgp::TellLearned::AtOnce) return;
  for (const auto& report : reports) {
    // Neither says anything of what the kernel has.
    if (report.outcome == netlink::Outcome::Pending || report.outcome == netlink::Outcome::Stale) continue;
    const bool there = report.outcome == netlink::Outcome::Programmed;
    router_->installed(report.prefix, there ? bgp::Installed::Yes : bgp::Installed::No);
  }
  edge_->wake();
}

void BgpSide::set_unreachable(std::vector<net::IpAddress> next_hops) {
  if (router_ == nullptr) return;
  router_->set_unreachable(std::move(next_hops));
  edge_->wake();
}

void BgpSide::wake() {
  if (edge_ != nullptr) edge_->wake();
}

void BgpSide::drain_routes() {
  const auto left = router_->drain_route_changes(most_changes, route_changed_);
  if (left != 0) edge_->wake();
}

void BgpSide::leave(const std::string& reason, bgp::Router::Leaving leaving, net::TimePoint now,
                    std::function<void()> done) {
  if (router_ == nullptr) return done();
  edge_->listen({{}, 0});
  router_->shut_down(reason, now, leaving);
  edge_->drain(std::move(done));
}

std::vector<std::string> BgpSide::listening() const {
  return edge_ == nullptr ? std::vector<std::string>{} : edge_->listening();
}

std::optional<net::TimePoint> BgpSide::blocked_since(bgp::PeerId peer) const {
  return edge_ == nullptr ? std::nullopt : edge_->blocked_since(peer);
}

std::vector<std::string> BgpSide::established() const {
  std::set<std::string> names;
  if (router_ == nullptr) return {};
  for (const auto& status : router_->neighbors()) {
    const auto* config = router_->neighbor(status.id);
    if (config != nullptr && status.session.state == bgp::State::Established) names.emplace(config->policy_name());
  }
  return {names.begin(), names.end()};
}

bool BgpSide::all_established() const {
  if (router_ == nullptr) return true;
  for (const auto& neighbor : router_->neighbors()) {
    const auto* config = router_->neighbor(neighbor.id);
    const auto wanted = neighbor.hold_down.empty() && config != nullptr && !config->shutdown;
    if (wanted && neighbor.session.state != bgp::State::Established) return false;
  }
  return true;
}

}  // namespace speaker
