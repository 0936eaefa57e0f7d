// SPDX-License-Identifier: Apache-2.0
#include "bgp/router.hpp"

#include "bgp/router_core.hpp"

namespace bgp {

Router::Router(const RouterConfig& config, std::uint64_t seed) : core_{std::make_unique<Core>(config, seed)} {}
Router::~Router() = default;

std::vector<PlannedChange> Router::plan(const RouterConfig& config, std::span<const NeighborConfig> neighbors) const {
  return core_->plan(config, neighbors);
}
void Router::configure(const RouterConfig& config, std::span<const NeighborConfig> neighbors, net::TimePoint now) {
  core_->configure(config, neighbors, now);
}
void Router::shut_down(const std::string& reason, net::TimePoint now, Leaving leaving) {
  core_->shut_down(reason, now, leaving);
}
void Router::begin_restart(net::Seconds longest, net::TimePoint now) {
  core_->begin_restart(longest, now);
}
bool Router::restarting() const {
  return core_->restarting();
}
void Router::restart(PeerId peer, const std::string& reason, net::TimePoint now) {
  core_->restart(peer, reason, now);
}
void Router::bfd_down(PeerId peer, BfdLoss loss, net::TimePoint now) {
  core_->bfd_down(peer, loss, now);
}
void Router::bfd_ready(PeerId peer, BfdReady ready, net::TimePoint now) {
  core_->bfd_ready(peer, ready, now);
}
Router::Refreshed Router::refresh_in(PeerId peer) {
  return core_->refresh_in(peer);
}
Router::Refreshed Router::refresh_out(PeerId peer) {
  return core_->refresh_out(peer);
}

net::Result<Link, Router::Refusal> Router::accept(const Transport& transport, std::string_view interface,
                                                  net::TimePoint now) {
  return core_->accept(transport, interface, now);
}
void Router::connected(Link link, const Transport& transport, net::TimePoint now) {
  core_->connected(link, transport, now);
}
void Router::lost(Link link, std::string error, net::TimePoint now) {
  core_->lost(link, std::move(error), now);
}
void Router::received(Link link, std::span<const std::uint8_t> bytes, net::TimePoint now) {
  core_->received(link, bytes, now);
}
bool Router::pull(Link link, std::vector<std::uint8_t>& out, std::size_t limit) {
  return core_->pull(link, out, limit);
}
void Router::blocked(Link link, net::TimePoint now) {
  core_->blocked(link, now);
}
void Router::progressed(Link link) {
  core_->progressed(link);
}

std::vector<RouterAction> Router::take_actions() {
  std::vector<RouterAction> actions;
  core_->take_actions(actions);
  return actions;
}
void Router::take_actions(std::vector<RouterAction>& into) {
  core_->take_actions(into);
}
void Router::tick(net::TimePoint now) {
  core_->tick(now);
}
std::optional<net::TimePoint> Router::next_deadline() const {
  return core_->next_deadline();
}
bool Router::work() {
  return core_->work();
}
bool Router::has_work() const {
  return core_->has_work();
}

void Router::set_local(const net::Prefix& prefix, const std::optional<LocalRoute>& route) {
  core_->set_local(prefix, route);
}
void Router::set_roas(const RoaTable* roas, net::TimePoint now) {
  core_->set_roas(roas, now);
}
void Router::set_links(std::vector<LinkSubnets> links, net::TimePoint now) {
  core_->set_links(std::move(links), now);
}

std::optional<std::vector<net::IpAddress>> Router::take_next_hops() {
  return core_->take_next_hops();
}
void Router::set_unreachable(std::vector<net::IpAddress> next_hops) {
  core_->set_unreachable(std::move(next_hops));
}
void Router::installed(const net::Prefix& prefix, Installed installed) {
  core_->installed(prefix, installed);
}
std::size_t Router::drain_route_changes(std::size_t limit, const VisitChange& visit) {
  return core_->drain(limit, visit);
}
void Router::replay_routes() {
  core_->replay();
}

void Router::observe(RouterObserver* observer) {
  core_->observe(observer);
}
const Session* Router::session(PeerId peer) const {
  return core_->session(peer);
}
bool Router::holds_as_received(PeerId peer) const {
  return core_->holds_as_received(peer);
}
void Router::walk_paths(TableCursor& cursor, std::size_t limit, const VisitPaths& visit) const {
  core_->walk_paths(cursor, limit, visit);
}
void Router::encode_told(PeerId peer, net::Family family, std::span<const NodeIndex> nodes,
                         std::vector<std::uint8_t>& out, std::vector<NodeIndex>& behind) const {
  core_->encode_told(peer, family, nodes, out, behind);
}
bool Router::told_all(PeerId peer) const {
  return core_->told_all(peer);
}

const RouterConfig& Router::config() const {
  return core_->config();
}
const NeighborConfig* Router::neighbor(PeerId peer) const {
  const auto* found = core_->neighbor(peer);
  return found == nullptr ? nullptr : &found->config;
}
std::optional<PeerId> Router::find(std::string_view name) const {
  return core_->find(name);
}
std::vector<NeighborStatus> Router::neighbors() const {
  return core_->neighbors();
}
const std::vector<NeighborConfig>& Router::patterns() const {
  return core_->patterns();
}
TableStatus Router::table() const {
  return core_->table();
}
void Router::walk_in(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const {
  core_->walk_in(peer, cursor, limit, visit);
}
void Router::walk_best(TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const {
  core_->walk_best(cursor, limit, visit);
}
void Router::walk_out(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const {
  core_->walk_out(peer, cursor, limit, visit);
}
Explanation Router::explain(const net::Prefix& prefix) const {
  return core_->explain(prefix);
}

}  // namespace bgp
