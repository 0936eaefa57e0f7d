// SPDX-License-Identifier: Apache-2.0
// Between the edge and the sessions: links, bytes in and out, deadlines.
#include <algorithm>
#include <utility>

#include "bgp/router_core.hpp"
#include "net/match.hpp"

namespace bgp {

Neighbor* Router::Core::get(PeerId peer) {
  const auto found = neighbors_.find(peer);
  return found == neighbors_.end() ? nullptr : &found->second;
}

// ---- events -----------------------------------------------------------------------------------------

net::Result<Link, Router::Refusal> Router::Core::accept(const Transport& transport, std::string_view interface,
                                                        net::TimePoint now) {
  Neighbor* neighbor = nullptr;
  const auto [begin, end] = by_address_.equal_range(transport.remote);
  for (auto each = begin; each != end && neighbor == nullptr; ++each) {
    auto& candidate = *get(each->second);
    const auto& wanted = candidate.config.session.interface;
    if (wanted.empty() || interface.empty() || wanted == interface) neighbor = &candidate;
  }
  if (neighbor == nullptr) {
    const auto added = add_dynamic(transport, interface, now);
    if (!added) return net::fail(Refusal{encode(added.error())});
    neighbor = *added;
  }
  if (neighbor == nullptr) return net::fail(Refusal{});
  auto accepted = neighbor->peer.accepted(transport, now, peer_actions_);
  if (accepted) neighbor->outboxes.push_back({*accepted, {}, true});
  perform(*neighbor, peer_actions_);
  if (!accepted) return net::fail(Refusal{encode(accepted.error())});
  return Link{neighbor->id, *accepted};
}

void Router::Core::connected(Link link, const Transport& transport, net::TimePoint now) {
  auto* neighbor = get(link.peer);
  if (neighbor == nullptr) return;
  neighbor->peer.connected(link.connection, transport, now, peer_actions_);
  perform(*neighbor, peer_actions_);
}

void Router::Core::lost(Link link, std::string error, net::TimePoint now) {
  auto* neighbor = get(link.peer);
  if (neighbor == nullptr) return;
  neighbor->peer.lost(link.connection, std::move(error), now, peer_actions_);
  perform(*neighbor, peer_actions_);
  std::erase_if(neighbor->outboxes, [&](const auto& each) { return each.connection == link.connection; });
}

void Router::Core::received(Link link, std::span<const std::uint8_t> bytes, net::TimePoint now) {
  auto* neighbor = get(link.peer);
  if (neighbor == nullptr) return;
  for (;;) {
    const auto message = neighbor->peer.read(link.connection, bytes, now, peer_actions_);
    if (!peer_actions_.empty()) perform(*neighbor, peer_actions_);
    if (!message) break;
    std::visit(net::match{[&](const UpdateBody& body) { handle(*neighbor, body, now); },
                          [&](const RouteRefresh& refresh) { handle(*neighbor, refresh); }},
               *message);
  }
  settle(*neighbor);
}

void Router::Core::blocked(Link link, net::TimePoint now) {
  auto* neighbor = get(link.peer);
  if (neighbor == nullptr) return;
  neighbor->peer.blocked(link.connection, now);
  settle(*neighbor);
}

void Router::Core::progressed(Link link) {
  auto* neighbor = get(link.peer);
  if (neighbor == nullptr) return;
  neighbor->peer.progressed(link.connection);
  settle(*neighbor);
}

void Router::Core::tick(net::TimePoint now) {
  for (auto due = take_due(now); due; due = take_due(now)) {
    if (PeerId{*due} == local_peer) {
      consider_restart(now);
      continue;
    }
    auto& neighbor = *get(PeerId{*due});
    if (remove_if_gone(neighbor, now)) continue;
    if (neighbor.restart_at && *neighbor.restart_at <= now) {
      neighbor.restart_at.reset();
      neighbor.limited = false;
      apply_wanted(neighbor, now);
    }
    tick_stale(neighbor, now);
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6})
      if (neighbor.intake(family).told_too_much) stop_telling(neighbor, family, now);
    neighbor.peer.tick(now, peer_actions_);
    perform(neighbor, peer_actions_);
  }
}

bool Router::Core::pull(Link link, std::vector<std::uint8_t>& out, std::size_t limit) {
  auto* neighbor = get(link.peer);
  auto* outbox = neighbor == nullptr ? nullptr : neighbor->outbox(link.connection);
  if (outbox == nullptr) return false;
  out.insert(out.end(), outbox->bytes.begin(), outbox->bytes.end());
  outbox->bytes = {};
  if (neighbor->up == link.connection) {
    const auto routes_from = out.size();
    const auto messages = ipv4_.pull(link.peer, out, limit) + ipv6_.pull(link.peer, out, limit);
    if (messages > 0) {
      neighbor->peer.count_sent(MessageType::Update, messages);
      check_told(*neighbor);
    }
    if (observer_ != nullptr) {
      if (out.size() > routes_from) observer_->sent(link.peer, std::span{out}.subspan(routes_from));
      observer_->pulled(link.peer);
    }
  }
  outbox->asleep = out.size() < limit;
  return !outbox->asleep;
}

void Router::Core::take_actions(std::vector<RouterAction>& into) {
  wake_members();
  // Prefixes that are gone for good are cleared away when what was to be said of them has been.
  each_rib([](net::Family, auto& rib) { rib.reap_settled(); });
  into.clear();
  std::swap(into, actions_);
}

// ---- what sessions ask for --------------------------------------------------------------------------

void Router::Core::perform(Neighbor& neighbor, Actions& actions) {
  // Going up or down may lead to more actions of the same peer.
  const auto todo = std::exchange(actions, {});
  std::optional<ResetReason> reason;
  for (const auto& action : todo) {
    std::visit(net::match{
                   [&](const Dial& dial) {
                     neighbor.outboxes.push_back({dial.connection, {}, true});
                     actions_.emplace_back(OpenLink{{neighbor.id, dial.connection}});
                   },
                   [&](const Hangup& hangup) {
                     std::vector<std::uint8_t> last;
                     if (auto* outbox = neighbor.outbox(hangup.connection)) last = std::move(outbox->bytes);
                     std::erase_if(neighbor.outboxes,
                                   [&](const auto& each) { return each.connection == hangup.connection; });
                     actions_.emplace_back(CloseLink{{neighbor.id, hangup.connection}, std::move(last)});
                   },
                   [&](const Send& message) { send(neighbor, message.connection, message.bytes); },
                   [&](const Moved& moved) {
                     if (moved.reason) reason = moved.reason;
                   },
                   [&](const WentUp& up) { went_up(neighbor, up); },
                   [&](const WentDown& down) { went_down(neighbor, down); },
               },
               action);
  }
  const auto state = neighbor.peer.state();
  if (state != neighbor.state && observer_ != nullptr) observer_->moved(neighbor.id, neighbor.state, state);
  if (state != neighbor.state || reason)
    actions_.emplace_back(NeighborMoved{neighbor.id, std::exchange(neighbor.state, state), state, reason});
  settle(neighbor);
}

void Router::Core::settle(Neighbor& neighbor) {
  if (!std::exchange(neighbor.deadline_moved, true)) deadlines_moved_.push_back(neighbor.id);
}

void Router::Core::update_deadlines() {
  for (const auto id : deadlines_moved_) {
    auto* neighbor = get(id);
    if (neighbor == nullptr) continue;
    neighbor->deadline_moved = false;
    auto deadline = deadline_of(*neighbor);
    if (neighbor->ipv4.told_too_much || neighbor->ipv6.told_too_much) deadline = net::TimePoint{};
    deadlines_.set(id.value, deadline);
  }
  deadlines_moved_.clear();
}

std::optional<net::TimePoint> Router::Core::next_deadline() {
  update_deadlines();
  return deadlines_.next();
}

std::optional<std::uint16_t> Router::Core::take_due(net::TimePoint now) {
  update_deadlines();
  return deadlines_.due(now);
}

void Router::Core::send(Neighbor& neighbor, ConnectionId connection, std::span<const std::uint8_t> bytes) {
  auto* outbox = neighbor.outbox(connection);
  if (outbox == nullptr) return;
  outbox->bytes.insert(outbox->bytes.end(), bytes.begin(), bytes.end());
  wake(neighbor, *outbox);
}

void Router::Core::wake(Neighbor& neighbor, Neighbor::Outbox& outbox) {
  if (!outbox.asleep) return;
  outbox.asleep = false;
  actions_.emplace_back(WritableLink{{neighbor.id, outbox.connection}});
}

void Router::Core::wake_members() {
  each_rib([&](net::Family, auto& rib) {
    for (const auto peer : rib.woken()) {
      auto* neighbor = get(peer);
      if (neighbor == nullptr || !neighbor->up) continue;
      if (auto* outbox = neighbor->outbox(*neighbor->up)) wake(*neighbor, *outbox);
    }
    rib.woken().clear();
  });
}

void Router::Core::went_up(Neighbor& neighbor, const WentUp& up) {
  const auto* established = neighbor.peer.established();
  if (established == nullptr || established->connection() != up.connection) return;
  const auto& session = *established;
  const auto& agreed = *session.negotiated();
  neighbor.up = up.connection;
  neighbor.context = {.peer = agreed.type,
                      .asn_width = agreed.asn_width,
                      .families = agreed.families,
                      .peer_asn = agreed.peer_asn,
                      .enforce_first_as = neighbor.config.enforce_first_as,
                      .ipv4_over_ipv6 = agreed.ipv4_over_ipv6,
                      .path_ids = agreed.add_path_receive,
                      .aigp = neighbor.config.aigp};
  neighbor.refreshes = agreed.route_refresh || agreed.enhanced_route_refresh;
  each_rib([&](net::Family family, auto& rib) {
    auto& intake = neighbor.intake(family);
    intake.warned = intake.end_of_rib = intake.refreshing = false;
    const auto stale_time = neighbor.config.session.graceful_restart.stale_time;
    take_step(neighbor, family, intake.stale.returned(agreed.restart, family, stale_time, up.at));
    if (!agreed.families.has(family)) return;
    intake.told_too_much = intake.warned_out = false;
    rib.open(neighbor.id, {agreed.type, agreed.peer_id, session.transport().remote,
                           agreed.type == PeerType::Internal && neighbor.config.out.reflector_client,
                           neighbor.config.accept_blackhole});
  });
  if (observer_ != nullptr) observer_->went_up(neighbor.id);
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6})
    if (agreed.families.has(family) && !deferral_.active(family)) join(neighbor, family);
  consider_restart(up.at);
}

void Router::Core::join(Neighbor& neighbor, net::Family family) {
  auto with = terms(neighbor, family);
  if (with)
    return with_rib(family,
                    [&](auto& rib) { rib.join(neighbor.id, std::move(*with), neighbor.config.session.add_path.send); });
  actions_.emplace_back(NeighborNotice{neighbor.id, Notice::NoNextHop,
                                       "no local " + std::string{net::print(family)} + " address to announce"});
  // RFC 4724 section 2: also where nothing comes before it. Who restarts waits for it.
  std::vector<std::uint8_t> mark;
  encode_end_of_rib(family, mark);
  send(neighbor, *neighbor.up, mark);
  neighbor.peer.count_sent(MessageType::Update, 1);
  if (observer_ != nullptr) observer_->sent(neighbor.id, mark);
}

void Router::Core::went_down(Neighbor& neighbor, const WentDown& down) {
  if (!std::exchange(neighbor.up, std::nullopt)) return;
  neighbor.heard.clear();
  if (observer_ != nullptr) observer_->went_down(neighbor.id, down.reason);
  each_rib([&](net::Family family, auto& rib) {
    rib.leave(neighbor.id);
    keep_or_close(neighbor, family, down);
  });
}

namespace {

// Ours as a neighbour can reach it; nothing where there is no address of the kind that it needs.
std::optional<NextHop> own_next_hop(const Session& session, Reach::Kind reach, net::Family family) {
  const auto& transport = session.transport();
  const auto& local = transport.local;
  NextHop self;
  // An unnumbered neighbour need not have a way to an IPv4 address of ours (RFC 8950).
  const bool over_ipv6 = session.negotiated()->ipv4_over_ipv6 && (local.link_local() || !transport.local_ipv4);
  if (family == net::Family::Ipv4 && !over_ipv6) {
    if (!local.is_v4() && !transport.local_ipv4) return std::nullopt;
    self.address = local.is_v4() ? local.v4() : *transport.local_ipv4;
    return self;
  }
  // RFC 2545 section 3: the link-local address goes along where the neighbour shares the link; alone, where
  // there is no other.
  const bool one_hop = session.negotiated()->type == PeerType::External && reach != Reach::Kind::Multihop;
  const bool shared_link = local.is_v6() && (one_hop || local.link_local());
  auto link_local = transport.local_link_local;
  if (local.is_v6() && local.link_local()) link_local = local.v6();
  if (local.is_v6() && !local.link_local())
    self.address = local.v6();
  else if (transport.local_ipv6)
    self.address = *transport.local_ipv6;
  else if (link_local && local.is_v6())
    self.address = *link_local;
  else
    return std::nullopt;
  if (shared_link && link_local && self.address != net::IpAddress{*link_local}) self.link_local = link_local;
  return self;
}

}  // namespace

std::optional<ExportTerms> Router::Core::terms(const Neighbor& neighbor, net::Family family) const {
  const auto& session = *neighbor.peer.established();
  const auto& agreed = *session.negotiated();
  ExportTerms terms{.family = family,
                    .type = agreed.type,
                    .path_id = agreed.add_path_send.has(family) ? 1U : 0U,
                    .asn_width = agreed.asn_width,
                    .message_limit = agreed.message_limit,
                    .local_asn = neighbor.config.session.local_asn,
                    .self = {},
                    .ipv4_over_ipv6 = family == net::Family::Ipv4 && agreed.ipv4_over_ipv6,
                    .options = neighbor.config.out,
                    .peer_asn = {},
                    .own_asn = config_.asn,
                    .home = home_of(config_),
                    .cluster_id = agreed.type == PeerType::Internal ? cluster_id() : net::RouterId{},
                    .default_local_pref = config_.decision.default_local_pref,
                    .role = std::nullopt,
                    .draining = neighbor.config.draining,
                    .aigp = neighbor.config.aigp,
                    .takes_long_lived_stale = agreed.restart.long_lived_capable,
                    .filter = neighbor.config.export_filter,
                    .roas = nullptr,
                    .links = &links_,
                    .peer = {},
                    .audiences = audiences_.with(neighbor.config.policy_name()),
                    .summaries = {}};
  if (terms.options.as_override || terms.options.private_as != PrivateAs::Kept) terms.peer_asn = agreed.peer_asn;
  add_table_terms(neighbor, family, terms);
  if (terms.filter && depends_on_peer(*terms.filter)) terms.peer = neighbor.config.policy_name();
  if (roas_ != nullptr && terms.filter && depends_on_rpki(*terms.filter)) terms.roas = roas_->snapshot();
  if (config_.draining == Draining::Yes) terms.draining = Draining::Yes;

  terms.role = agreed.role;
  const auto self = own_next_hop(session, neighbor.config.session.reach.kind, family);
  if (!self) return std::nullopt;
  terms.self = *self;
  return terms;
}

}  // namespace bgp
