// SPDX-License-Identifier: Apache-2.0
// A router as plainly as it can be written: maps, and everything worked out anew when it is asked for. What
// the real one is measured by.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bgp/router_config.hpp"
#include "tests/bgp/speaker.hpp"

namespace bgp {

class Model {
 public:
  struct Peer {
    SpeakerOptions options;
    NeighborConfig config;
    bool up = false;
    std::map<net::Prefix, PathAttributes> accepted;  // after import filters
  };
  struct Candidate {
    const Peer* peer = nullptr;
    PathAttributes attributes;
  };

  std::vector<Peer> peers;
  std::map<net::Prefix, LocalRoute> local;
  std::set<net::IpAddress> unreachable;
  DecisionConfig decision;
  net::Asn asn{65000};
  std::vector<Vrp> vrps;

  void announce(Peer& peer, const net::Prefix& prefix, PathAttributes attributes, const net::IpAddress& next_hop) {
    attributes.next_hop = {next_hop, std::nullopt};
    if (!internal(peer)) attributes.local_pref.reset();
    peer.accepted.erase(prefix);
    if (attributes.as_path.contains(asn)) return;
    if (run(peer.config.import, context(peer, prefix, attributes), attributes).accepted)
      peer.accepted[prefix] = attributes;
  }

  // RFC 6811 section 2; where a path has no AS, the route is of this one.
  [[nodiscard]] OriginValidity validity(const net::Prefix& prefix, const AsPath& path) const {
    const auto origin = path.segments.empty() ? asn : path.segments.back().asns.back();
    auto found = OriginValidity::NotFound;
    for (const auto& vrp : vrps) {
      if (!vrp.prefix.contains(prefix)) continue;
      if (vrp.asn == origin && prefix.length() <= vrp.max_length) return OriginValidity::Valid;
      found = OriginValidity::Invalid;
    }
    return found;
  }

  // The paths in use: the best first. As if `without` said nothing.
  [[nodiscard]] std::vector<Candidate> selected(const net::Prefix& prefix,
                                                const std::set<const Peer*>& without = {}) const {
    std::vector<Candidate> left;
    for (const auto& peer : peers) {
      if (without.contains(&peer)) continue;
      const auto found = peer.accepted.find(prefix);
      if (peer.up && found != peer.accepted.end() && !unreachable.contains(found->second.next_hop.address))
        left.push_back({&peer, found->second});
    }
    const auto keep_lowest = [&](auto value) {
      if (left.empty()) return;
      auto lowest = value(left.front());
      for (const auto& each : left) lowest = std::min(lowest, value(each));
      std::erase_if(left, [&](const auto& each) { return value(each) != lowest; });
    };
    keep_lowest([&](const Candidate& each) {
      return -static_cast<std::int64_t>(each.attributes.local_pref.value_or(decision.default_local_pref));
    });
    keep_lowest([](const Candidate& each) { return each.attributes.as_path.length(); });
    keep_lowest([](const Candidate& each) { return each.attributes.origin; });
    const auto all = left;
    std::erase_if(left, [&](const Candidate& each) {
      return std::any_of(all.begin(), all.end(), [&](const Candidate& other) {
        const bool comparable = decision.med == MedComparison::Always ||
                                other.attributes.as_path.first() == each.attributes.as_path.first();
        return comparable && other.attributes.med.value_or(0) < each.attributes.med.value_or(0);
      });
    });
    keep_lowest([](const Candidate& each) { return internal(*each.peer) ? 1 : 0; });
    std::sort(left.begin(), left.end(), [](const Candidate& one, const Candidate& other) {
      return std::pair{one.peer->options.id, one.peer->options.address} <
             std::pair{other.peer->options.id, other.peer->options.address};
    });
    if (left.size() > decision.maximum_paths) left.resize(decision.maximum_paths);
    return left;
  }

  [[nodiscard]] std::vector<net::IpAddress> kernel(const net::Prefix& prefix) const {
    std::vector<net::IpAddress> next_hops;
    if (local.contains(prefix)) return next_hops;
    for (const auto& each : selected(prefix)) next_hops.push_back(each.attributes.next_hop.address);
    return next_hops;
  }

  // Of the route in the kernel; 0: that of all routes.
  [[nodiscard]] std::uint32_t kernel_metric(const net::Prefix& prefix) const {
    const auto used = local.contains(prefix) ? std::vector<Candidate>{} : selected(prefix);
    return used.empty() ? 0 : used.front().attributes.kernel_metric;
  }

  // What the peer is told about the prefix: the best path, or the one of another rank (RFC 7911).
  [[nodiscard]] std::optional<PathAttributes> told(const Peer& peer, const net::Prefix& prefix,
                                                   std::size_t rank = 0) const {
    PathAttributes attributes;
    if (const auto own = local.find(prefix); own != local.end()) {
      if (rank > 0) return std::nullopt;
      const auto& announcements = own->second.announcements;
      const auto found = std::find_if(announcements.begin(), announcements.end(), [&](const Announcement& each) {
        return each.peers.empty() || std::count(each.peers.begin(), each.peers.end(), peer.config.name) > 0;
      });
      if (found == announcements.end()) return std::nullopt;
      attributes.origin = own->second.origin;
      attributes.med = found->med;
      attributes.local_pref = found->local_pref;
      attributes.as_path.prepend(asn, found->prepend);
      attributes.communities = found->communities;
      return exported(peer, prefix, attributes, nullptr);
    }
    std::set<const Peer*> better;
    auto best = selected(prefix);
    for (; rank > 0 && !best.empty(); --rank) {
      better.insert(best.front().peer);
      best = selected(prefix, better);
    }
    if (best.empty() || best.front().peer == &peer || !peer.config.export_filter) return std::nullopt;
    attributes = best.front().attributes;
    const auto& source = *best.front().peer;
    const bool reflected = internal(source) && internal(peer);
    if (reflected && !source.config.out.reflector_client && !peer.config.out.reflector_client) return std::nullopt;
    const auto carries = [&](Community community) {
      return std::count(attributes.communities.begin(), attributes.communities.end(), community) > 0;
    };
    if (carries(community_no_advertise) || (!internal(peer) && carries(community_no_export))) return std::nullopt;
    return exported(peer, prefix, attributes, best.front().peer);
  }

  static bool internal(const Peer& peer) { return peer.options.asn == peer.options.router_asn; }

 private:
  [[nodiscard]] RouteContext context(const Peer& peer, const net::Prefix& prefix,
                                     const PathAttributes& attributes) const {
    return {
        .prefix = prefix, .peer = peer.config.name, .own_asn = asn, .validity = validity(prefix, attributes.as_path)};
  }

  [[nodiscard]] std::optional<PathAttributes> exported(const Peer& peer, const net::Prefix& prefix,
                                                       PathAttributes attributes, const Peer* source) const {
    Verdict verdict;
    if (peer.config.export_filter) {
      auto with = context(peer, prefix, attributes);
      if (internal(peer)) with.prepends.reset();
      verdict = run(*peer.config.export_filter, with, attributes);
      if (!verdict.accepted) return std::nullopt;
    }
    attributes.kernel_metric = 0;
    const net::IpAddress self =
        prefix.is_v4() ? net::IpAddress{Speaker::router_address} : net::IpAddress{Speaker::router_address_ipv6};
    if (internal(peer)) {
      if (source == nullptr) attributes.as_path = {};
      const bool reflected = source != nullptr && internal(*source);
      // RFC 8950 section 4: where the neighbour does not take it, this router stands in.
      const bool usable = attributes.next_hop.address.family() == prefix.family() || peer.options.ipv6_next_hops;
      if (source == nullptr || !usable || (!reflected && peer.config.out.next_hop == NextHopMode::Self))
        attributes.next_hop = {self, {}};
      if (reflected) {
        attributes.originator_id = source->options.id;
        attributes.cluster_list = {net::RouterId{0x0a000001}};
      }
      if (!attributes.local_pref) attributes.local_pref = decision.default_local_pref;
      return attributes;
    }
    attributes.next_hop = {self, {}};
    attributes.local_pref.reset();
    if (source != nullptr && !verdict.med_set) attributes.med.reset();
    attributes.as_path.prepend(asn);
    return attributes;
  }
};

}  // namespace bgp
