// SPDX-License-Identifier: Apache-2.0
// Neighbours that nobody listed: whoever connects from a range gets one made after the range's pattern, which is
// gone with its session.
#include <algorithm>

#include "bgp/router_core.hpp"
#include "bgp/wire/notification.hpp"

namespace bgp {
namespace {

// The pattern with the longest range that holds the address.
const NeighborConfig* pattern_for(std::span<const NeighborConfig> patterns, const net::IpAddress& address,
                                  std::string_view interface) {
  const NeighborConfig* best = nullptr;
  for (const auto& pattern : patterns) {
    const auto& link = pattern.session.interface;
    if (!pattern.range->contains(address)) continue;
    if (address.link_local() && !link.empty() && link != interface) continue;
    if (best == nullptr || pattern.range->length() > best->range->length()) best = &pattern;
  }
  return best;
}

NeighborConfig made_after(const NeighborConfig& pattern, const net::IpAddress& address, std::string interface) {
  auto made = pattern;
  made.name = pattern.name + '/' + net::print(address);
  if (!interface.empty()) made.name += '%' + interface;
  made.group = pattern.policy_name();
  made.dynamic = true;
  made.range.reset();
  made.session.address = address;
  if (made.session.interface.empty()) made.session.interface = std::move(interface);
  made.session.connect = Connect::PassiveOnly;
  return made;
}

// Nothing is left of its session.
bool is_gone(const Neighbor& neighbor) {
  return neighbor.peer.state() <= State::Active && !neighbor.limited &&
         neighbor.ipv4.stale.phase() == StaleRoutes::Phase::None &&
         neighbor.ipv6.stale.phase() == StaleRoutes::Phase::None;
}

}  // namespace

std::vector<NeighborConfig> Router::Core::patterns_of(std::span<const NeighborConfig> neighbors) {
  std::vector<NeighborConfig> patterns;
  for (const auto& each : neighbors)
    if (each.range) patterns.push_back(each);
  return patterns;
}

// The neighbours that are listed, and those that are there by a pattern which still covers them.
std::vector<NeighborConfig> Router::Core::expanded(std::span<const NeighborConfig> neighbors) const {
  const auto patterns = patterns_of(neighbors);
  std::vector<NeighborConfig> all;
  for (const auto& each : neighbors)
    if (!each.range) all.push_back(each);
  const auto listed = all.size();
  for (const auto& [id, neighbor] : neighbors_) {
    const auto& known = neighbor.config;
    if (!known.dynamic) continue;
    const auto& address = known.session.address;
    const bool now_listed = std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(listed),
                                        [&](const auto& each) { return each.session.address == address; });
    const auto* pattern = pattern_for(patterns, address, known.session.interface);
    if (!now_listed && pattern != nullptr)
      all.push_back(made_after(*pattern, address, address.link_local() ? known.session.interface : std::string{}));
  }
  return all;
}

net::Result<Neighbor*, Notification> Router::Core::add_dynamic(const Transport& transport, std::string_view interface,
                                                               net::TimePoint now) {
  const auto* pattern = closing_ ? nullptr : pattern_for(patterns_, transport.remote, interface);
  if (pattern == nullptr) return nullptr;
  const auto there = std::count_if(neighbors_.begin(), neighbors_.end(), [&](const auto& each) {
    return each.second.config.dynamic &&
           pattern_for(patterns_, each.second.config.session.address, each.second.config.session.interface) == pattern;
  });
  if (static_cast<std::uint32_t>(there) >= pattern->range_limit) {
    actions_.emplace_back(NeighborNotice{local_peer, Notice::RangeFull,
                                         pattern->name + " has its " + std::to_string(pattern->range_limit) +
                                             " neighbors; " + net::print(transport.remote) + " is refused"});
    return net::fail(cease(CeaseError::OutOfResources));
  }
  auto& added = add_neighbor(
      made_after(*pattern, transport.remote, transport.remote.link_local() ? std::string{interface} : std::string{}));
  by_address_.emplace(transport.remote, added.id);
  apply_wanted(added, now);
  actions_.emplace_back(NeighborsChanged{});
  return &added;
}

std::optional<net::TimePoint> Router::Core::deadline_of(const Neighbor& neighbor) {
  if (neighbor.config.dynamic && is_gone(neighbor)) return net::TimePoint::min();
  return neighbor.next_deadline();
}

bool Router::Core::remove_if_gone(Neighbor& neighbor, net::TimePoint now) {
  if (!neighbor.config.dynamic || !is_gone(neighbor)) return false;
  remove_neighbor(neighbor, now);
  index_addresses();
  actions_.emplace_back(NeighborsChanged{});
  return true;
}

void Router::Core::index_addresses() {
  by_address_.clear();
  for (const auto& [id, neighbor] : neighbors_) by_address_.emplace(neighbor.config.session.address, id);
}

}  // namespace bgp
