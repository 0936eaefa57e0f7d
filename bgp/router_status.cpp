// SPDX-License-Identifier: Apache-2.0
// What a router shows of itself.
#include <algorithm>

#include "bgp/router_core.hpp"

namespace bgp {
namespace {

// Steps over a table from where the cursor stands; visit(node) for at most `limit` nodes.
template <class Table, class Visit>
void step(const Table& table, TableCursor& cursor, std::size_t& limit, Visit&& visit) {
  for (; limit > 0 && cursor.index < table.end(); --limit) {
    const auto node = cursor.index++;
    if (table.used(node)) visit(node);
  }
}

// Both tables in turn: visit(rib, node).
template <class Ipv4, class Ipv6, class Visit>
void walk(const Ipv4& ipv4, const Ipv6& ipv6, TableCursor& cursor, std::size_t limit, Visit&& visit) {
  if (cursor.family == net::Family::Ipv4) {
    step(ipv4.table(), cursor, limit, [&](NodeIndex node) { visit(ipv4, node); });
    if (cursor.index < ipv4.table().end()) return;
    cursor = {net::Family::Ipv6, 0, false};
  }
  step(ipv6.table(), cursor, limit, [&](NodeIndex node) { visit(ipv6, node); });
  cursor.at_end = cursor.index >= ipv6.table().end();
}

template <class Tables>
bool selected(const Tables& tables, NodeIndex node) {
  return tables.table().best(node) != nullptr;
}

// Which paths are used together; empty when the best is local or none.
template <class Tables>
std::vector<std::size_t> used_together(const Tables& tables, NodeIndex node) {
  std::vector<std::size_t> used;
  if (selected(tables, node)) tables.decision().multipath(tables.table().paths(node), 0, used);
  return used;
}

template <class Tables>
SelectionReason reason_for(const Tables& tables, NodeIndex node, std::size_t place) {
  const auto paths = tables.table().paths(node);
  if ((paths[place].flags & Path::rejected) != 0) return SelectionReason::Rejected;
  if ((paths[place].flags & Path::unreachable) != 0) return SelectionReason::Unreachable;
  return place == 0 ? tables.decision().reason_of_best(paths, 0) : tables.decision().reason(paths, 0, place);
}

template <class Tables>
const Rank& rank_of(const Tables& tables, const Path& path) {
  return path.local() ? local_rank : tables.ranks()[path.source.value];
}

template <class Tables>
FamilyCounters count(const Tables& tables, PeerId peer, std::uint64_t filtered) {
  const auto& held = tables.counters(peer);
  std::uint64_t advertised = 0;
  for (const auto& out : tables.outs(peer)) advertised += out.member->advertised;
  return {.received = held.paths,
          .accepted = held.paths - held.rejected,
          .filtered = filtered,
          .best = held.best,
          .advertised = advertised,
          .stale = held.stale};
}

NeighborStatus::Restart restart_of(const Neighbor::Intake& intake) {
  return {intake.stale.phase(), intake.stale.deadline(), intake.end_of_rib};
}

}  // namespace

const Neighbor* Router::Core::neighbor(PeerId peer) const {
  const auto found = neighbors_.find(peer);
  return found == neighbors_.end() ? nullptr : &found->second;
}

std::optional<PeerId> Router::Core::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::vector<NeighborStatus> Router::Core::neighbors() const {
  std::vector<NeighborStatus> all;
  for (const auto& [id, each] : neighbors_) {
    NeighborStatus status;
    status.id = id;
    status.name = each.config.name;
    status.waits_for_bfd = each.waits() && each.peer.status().admin == Admin::Down;
    status.hold_down = each.limited ? "prefix limit reached" : each.config.hold_down;
    status.session = each.peer.status();
    if (each.restart_at) status.session.next_attempt = each.restart_at;
    if (const auto* session = each.peer.established()) {
      status.negotiated = session->negotiated();
      status.transport = session->transport();
    }
    status.ipv4 = count(ipv4_, id, each.ipv4.filtered);
    status.ipv6 = count(ipv6_, id, each.ipv6.filtered);
    status.ipv4.leaked = each.ipv4.leaked;
    status.ipv6.leaked = each.ipv6.leaked;
    status.loops = each.loops;
    status.attribute_faults = each.attribute_faults;
    status.malformed.assign(each.malformed.begin(), each.malformed.end());
    status.ipv4_restart = restart_of(each.ipv4);
    status.ipv6_restart = restart_of(each.ipv6);
    const auto clearing = [](const auto& counters, const Neighbor::Intake& intake) {
      return counters.stale > 0 && intake.stale.phase() == StaleRoutes::Phase::None;
    };
    status.clearing = clearing(ipv4_.counters(id), each.ipv4) || clearing(ipv6_.counters(id), each.ipv6);
    const auto ipv4_out = ipv4_.out(id);
    const auto ipv6_out = ipv6_.out(id);
    status.ipv4_group = ipv4_out ? ipv4_out->group->id() : 0;
    status.ipv6_group = ipv6_out ? ipv6_out->group->id() : 0;
    const auto behind = [](const auto& outs) {
      return std::any_of(outs.begin(), outs.end(), [](const auto& out) { return out.member->catch_up != nullptr; });
    };
    status.catching_up = behind(ipv4_.outs(id)) || behind(ipv6_.outs(id));
    all.push_back(std::move(status));
  }
  return all;
}

TableStatus Router::Core::table() const {
  TableStatus status;
  status.ipv4_prefixes = ipv4_.table().size();
  status.ipv6_prefixes = ipv6_.table().size();
  status.ipv4_selected = ipv4_.selected_count();
  status.ipv6_selected = ipv6_.selected_count();
  status.ipv4_paths = ipv4_.path_count();
  status.ipv6_paths = ipv6_.path_count();
  status.attribute_sets = pool_.size();
  status.bytes = ipv4_.bytes() + ipv6_.bytes() + pool_.bytes();
  return status;
}

// ---- tables -----------------------------------------------------------------------------------------

void Router::Core::walk_in(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const {
  walk(ipv4_, ipv6_, cursor, limit, [&](const auto& tables, NodeIndex node) {
    const auto paths = tables.table().paths(node);
    for (std::size_t place = 0; place < paths.size(); ++place) {
      if (paths[place].source == peer) visit(row(tables, node, place));
    }
  });
}

void Router::Core::walk_best(TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const {
  walk(ipv4_, ipv6_, cursor, limit, [&](const auto& tables, NodeIndex node) {
    for (const auto place : used_together(tables, node)) visit(row(tables, node, place));
  });
}

void Router::Core::walk_out(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const {
  walk(ipv4_, ipv6_, cursor, limit, [&](const auto& tables, NodeIndex node) {
    if (tables.tellable(node).empty()) return;
    for (const auto& out : tables.outs(peer)) {
      const auto& exporter = *out.group->exporter();
      const auto* path = exporter.pick(tables.tellable(node));
      if (path == nullptr || path->source == peer) continue;
      const net::Prefix prefix{tables.table().prefix_of(node)};
      auto outcome = exporter.evaluate(prefix, *path, rank_of(tables, *path));
      if (outcome.gate != ExportGate::Sent) continue;
      RouteRow row;
      row.prefix = prefix;
      row.path_id = exporter.terms().path_id;
      row.peer = name_of(path->source);
      row.attributes = std::move(outcome.attributes);
      row.best = row.path_id <= 1;
      visit(row);
    }
  });
}

std::string Router::Core::name_of(PeerId peer) const {
  const auto* from = neighbor(peer);
  return from == nullptr ? std::string{} : from->config.name;
}

template <class Tables>
RouteRow Router::Core::row(const Tables& tables, NodeIndex node, std::size_t place) const {
  const auto& path = tables.table().paths(node)[place];
  const bool best = place == 0 && selected(tables, node);
  const auto used = used_together(tables, node);
  RouteRow row;
  row.prefix = tables.table().prefix_of(node);
  row.path_id = path.local() ? 0 : path.audience;
  row.peer = name_of(path.source);
  row.attributes = path.set->attributes();
  row.best = best;
  if (roas_ != nullptr && roas_->version() != 0 && !path.local())
    row.rpki = print(validity(row.prefix, row.attributes));
  row.multipath = used.size() > 1 && std::find(used.begin(), used.end(), place) != used.end();
  row.rejected = (path.flags & Path::rejected) != 0;
  row.reason = row.rejected ? why_rejected(path, row.prefix) : std::string{describe(reason_for(tables, node, place))};
  return row;
}

OriginValidity Router::Core::validity(const net::Prefix& prefix, const PathAttributes& attributes) const {
  if (roas_ == nullptr) return OriginValidity::NotFound;
  return roas_->validate(prefix, attributes.as_path.validated_origin(home_of(config_)));
}

// The filters are asked again: which rule rejected a route is not kept with it.
std::string Router::Core::why_rejected(const Path& path, const net::Prefix& prefix) const {
  const auto* from = neighbor(path.source);
  if (from == nullptr) return std::string{describe(SelectionReason::Rejected)};
  auto attributes = path.set->attributes();
  const auto type = from->up ? from->peer.established()->negotiated()->type : PeerType::External;
  const RouteContext context{.prefix = prefix,
                             .peer = from->config.policy_name(),
                             .own_asn = from->config.session.local_asn,
                             .peer_type = type,
                             .validity = validity(prefix, attributes),
                             .links = &links_,
                             .prepends = import_prepends(config_, type)};
  const auto verdict = run(from->config.import, context, attributes);
  if (verdict.accepted) return "loop: the path holds this router's AS or identifier, or its next hop is this router";
  return describe(verdict);
}

// ---- one prefix -------------------------------------------------------------------------------------

namespace {

Explanation::Export told(const std::string& peer, std::uint32_t path_id, Exporter::Outcome outcome) {
  Explanation::Export out{.peer = peer,
                          .path_id = path_id,
                          .sent = outcome.gate == ExportGate::Sent,
                          .reason = std::string{describe(outcome.gate)},
                          .attributes = {}};
  if (outcome.gate == ExportGate::Filter) out.reason += ": " + describe(outcome.verdict);
  if (out.sent) out.attributes = std::move(outcome.attributes);
  return out;
}

}  // namespace

template <class Tables>
Explanation Router::Core::explain_in(const Tables& tables, const net::Prefix& prefix, NodeIndex node) const {
  Explanation explanation;
  if (node == no_index || tables.table()[node].count == 0) return explanation;
  explanation.known = true;
  for (std::size_t place = 0; place < tables.table().paths(node).size(); ++place) {
    auto shown = row(tables, node, place);
    explanation.paths.push_back({std::move(shown.peer), std::move(shown.attributes), shown.best, shown.multipath,
                                 std::move(shown.rpki), std::move(shown.reason)});
  }
  for (const auto& [id, each] : neighbors_) {
    for (const auto& out : tables.outs(id)) {
      const auto& exporter = *out.group->exporter();
      const auto* path = selected(tables, node) ? exporter.pick(tables.table().paths(node)) : nullptr;
      // A best path is explained even where there is none; a second and third are not.
      if (path == nullptr && exporter.terms().path_id > 1) continue;
      Exporter::Outcome outcome;
      outcome.gate = path == nullptr ? ExportGate::NoRoute : ExportGate::OwnRoute;
      if (path != nullptr && path->source != id) outcome = exporter.evaluate(prefix, *path, rank_of(tables, *path));
      if (outcome.gate == ExportGate::Sent && tables.tellable(node).empty()) outcome.gate = ExportGate::NotInstalled;
      explanation.exports.push_back(told(each.config.name, exporter.terms().path_id, std::move(outcome)));
    }
  }
  return explanation;
}

Explanation Router::Core::explain(const net::Prefix& prefix) const {
  if (prefix.is_v4()) return explain_in(ipv4_, prefix, ipv4_.table().find(prefix.v4()));
  return explain_in(ipv6_, prefix, ipv6_.table().find(prefix.v6()));
}

}  // namespace bgp
