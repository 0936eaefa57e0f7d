// SPDX-License-Identifier: Apache-2.0
// What watchers see of a router: the tables as they are, for those who come late.
#include <algorithm>

#include "bgp/rib/update_writer.hpp"
#include "bgp/router_core.hpp"

namespace bgp {
namespace {

bool changes_nothing(const FilterChain& chain) {
  return std::all_of(chain.begin(), chain.end(), [](const Filter& filter) {
    return std::all_of(filter.rules.begin(), filter.rules.end(),
                       [](const FilterRule& rule) { return rule.set.empty(); });
  });
}

// Nodes of one table from where the cursor stands.
template <class Tables>
void step(const Tables& tables, TableCursor& cursor, std::size_t& limit, const Router::VisitPaths& visit) {
  const auto& table = tables.table();
  for (; limit > 0 && cursor.index < table.end(); --limit) {
    const auto node = cursor.index++;
    if (table.used(node))
      visit(node, net::Prefix{table.prefix_of(node)}, table.paths(node), table.best(node) != nullptr);
  }
}

template <class Prefix>
void tell(const Rib<Prefix>& tables, PeerId peer, std::span<const NodeIndex> nodes, std::vector<std::uint8_t>& out,
          std::vector<NodeIndex>& behind) {
  const auto& table = tables.table();
  for (const auto& [group, member] : tables.outs(peer)) {
    const auto& exporter = *group->exporter();
    UpdateWriter<Prefix> writer{tables.ranks()};
    writer.begin(exporter);
    std::vector<typename UpdateWriter<Prefix>::Route> routes;
    for (const auto node : nodes) {
      if (!table.used(node)) continue;
      if (group->behind(*member, node)) {
        behind.push_back(node);
        continue;
      }
      const auto* path = exporter.pick(tables.tellable(node));
      if (path == nullptr || path->source == peer) continue;
      const auto prefix = table.prefix_of(node);
      if (writer.sends(prefix, *path)) routes.push_back({prefix, *path});
    }
    writer.announce(routes, out);
  }
}

template <class Prefix>
bool told_all_of(const Rib<Prefix>& tables, PeerId peer) {
  const auto outs = tables.outs(peer);
  return std::none_of(outs.begin(), outs.end(), [](const auto& out) { return out.group->behind(*out.member); });
}

}  // namespace

void Router::Core::observe(RouterObserver* observer) {
  observer_ = observer;
  each_rib([&](net::Family, auto& rib) { rib.observe(observer); });
}

const Session* Router::Core::session(PeerId peer) const {
  const auto* found = neighbor(peer);
  return found == nullptr ? nullptr : found->peer.established();
}

bool Router::Core::holds_as_received(PeerId peer) const {
  const auto* found = neighbor(peer);
  const auto* session = found == nullptr ? nullptr : found->peer.established();
  if (session == nullptr) return false;
  const auto& config = found->config;
  const auto& agreed = *session->negotiated();
  const bool all_kept = found->import_needs.accepts_everything || config.rejected == Kept::Yes;
  // What these put into routes, import does before filters.
  const bool touched = config.prepend_local_as || agreed.role.has_value() || config.accept_blackhole ||
                       session->transport().remote.link_local() ||
                       (agreed.type != PeerType::External && config.draining == Draining::Yes);
  return all_kept && changes_nothing(config.import) && !touched;
}

void Router::Core::walk_paths(TableCursor& cursor, std::size_t limit, const VisitPaths& visit) const {
  if (cursor.family == net::Family::Ipv4) {
    step(ipv4_, cursor, limit, visit);
    if (cursor.index < ipv4_.table().end()) return;
    cursor = {net::Family::Ipv6, 0, false};
  }
  step(ipv6_, cursor, limit, visit);
  cursor.at_end = cursor.index >= ipv6_.table().end();
}

void Router::Core::encode_told(PeerId peer, net::Family family, std::span<const NodeIndex> nodes,
                               std::vector<std::uint8_t>& out, std::vector<NodeIndex>& behind) const {
  if (family == net::Family::Ipv4)
    tell(ipv4_, peer, nodes, out, behind);
  else
    tell(ipv6_, peer, nodes, out, behind);
}

bool Router::Core::told_all(PeerId peer) const {
  return told_all_of(ipv4_, peer) && told_all_of(ipv6_, peer);
}

}  // namespace bgp
