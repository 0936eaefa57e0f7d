// SPDX-License-Identifier: Apache-2.0
// A monitoring station: reads what a feed gives it and knows what it was told. Complains about what no feed should say.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "bgp/bmp/feed.hpp"
#include "bgp/wire/nlri.hpp"
#include "bgp/wire/notification.hpp"

namespace bgp::bmp {

class TestStation {
 public:
  // "pre", "post", "out" or "loc".
  using Table = std::map<std::pair<net::Prefix, std::uint32_t>, PathAttributes>;

  // Takes all there is; false when there was nothing.
  bool take(Feed& feed) {
    bool any = false;
    std::vector<std::uint8_t> bytes;
    for (int rounds = 0; rounds < 100000 && (feed.pull(bytes) || feed.walking()); ++rounds) {
      any = any || !bytes.empty();
      hear(bytes);
      bytes.clear();
    }
    return any;
  }

  void hear(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const auto length = message_length(bytes);
      if (!length || !*length || **length > bytes.size()) return complain("unreadable bytes");
      const auto message = decode(bytes.first(**length));
      if (!message) return complain(std::string{"undecodable: "} + message.error().text);
      std::visit([&](const auto& each) { hear_one(each); }, *message);
      messages.push_back(*message);
      bytes = bytes.subspan(**length);
    }
  }

  [[nodiscard]] const Table& table(const std::string& view, const net::IpAddress& peer = {}) {
    return tables[{view, peer}];
  }
  [[nodiscard]] std::set<std::string> prefixes(const std::string& view, const net::IpAddress& peer = {}) {
    std::set<std::string> all;
    for (const auto& [key, attributes] : table(view, peer)) all.insert(net::print(key.first));
    return all;
  }
  template <class Kind>
  [[nodiscard]] std::vector<Kind> all() const {
    std::vector<Kind> found;
    for (const auto& message : messages)
      if (const auto* each = std::get_if<Kind>(&message)) found.push_back(*each);
    return found;
  }

  std::vector<Message> messages;
  std::map<std::pair<std::string, net::IpAddress>, Table> tables;
  std::multiset<std::tuple<std::string, net::IpAddress, net::Family>> ends;  // of tables
  std::map<net::IpAddress, PeerUp> up;
  bool loc_rib_up = false;
  std::vector<std::string> complaints;

 private:
  void complain(const std::string& text) { complaints.push_back(text); }

  static std::string view_of(const PeerHeader& peer) {
    if (peer.kind == PeerKind::LocRib) return "loc";
    if ((peer.flags & flag_adj_rib_out) != 0) return (peer.flags & flag_post_policy) != 0 ? "out" : "out before policy";
    return (peer.flags & flag_post_policy) != 0 ? "post" : "pre";
  }

  void hear_one(const Initiation&) {
    if (!messages.empty()) complain("Initiation is not the first message");
  }
  void hear_one(const Termination&) {}
  void hear_one(const StatisticsReport& report) { known(report.peer); }
  void hear_one(const RouteMirroring& mirrored) { known(mirrored.peer); }
  void hear_one(const PeerUp& peer) {
    if (peer.peer.kind == PeerKind::LocRib) {
      loc_rib_up = true;
      return;
    }
    if (!up.emplace(peer.peer.address, peer).second) complain("Peer Up of a peer that is up");
  }
  void hear_one(const PeerDown& peer) {
    if (!known(peer.peer)) return;
    if (peer.peer.kind == PeerKind::LocRib) {
      loc_rib_up = false;
      return;
    }
    up.erase(peer.peer.address);
    for (const auto* view : {"pre", "post", "out"}) tables.erase({view, peer.peer.address});
  }
  void hear_one(const RouteMonitoring& route) {
    if (!known(route.peer)) return;
    const auto view = view_of(route.peer);
    const std::span<const std::uint8_t> update{route.update};
    UpdateContext context;
    // What filters made of a route may have a LOCAL_PREF, and need not.
    const bool any = view == "post" || view == "loc" || route.peer.asn == net::Asn{65000};
    context.peer = any ? PeerType::Internal : PeerType::External;
    context.enforce_first_as = false;
    context.ipv4_over_ipv6 = true;
    context.asn_width =
        (route.peer.flags & flag_two_octet_as_path) != 0 && view != "loc" ? AsnWidth::TwoOctets : AsnWidth::FourOctets;
    if (view != "loc") context.path_ids = path_ids(up.at(route.peer.address), view);
    const auto decoded = decode_update(update.subspan(header_size), context);
    if (!decoded) return complain("UPDATE: " + describe(decoded.error()));
    for (const auto& fault : decoded->faults)
      if (!any || std::string_view{fault.reason} != "mandatory attribute is missing")
        complain(std::string{"UPDATE: "} + fault.reason);
    const auto where = view == "loc" ? net::IpAddress{} : route.peer.address;
    if (decoded->end_of_rib) ends.emplace(view, where, *decoded->end_of_rib);
    auto& routes = tables[{view, where}];
    for (const auto& run : decoded->withdrawn)
      for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) { routes.erase({prefix, id}); });
    for (const auto& run : decoded->reachable) {
      auto attributes = decoded->attributes;
      attributes.next_hop = run.family == net::Family::Ipv4 ? decoded->next_hop_ipv4 : decoded->next_hop_ipv6;
      for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) { routes[{prefix, id}] = attributes; });
    }
  }

  bool known(const PeerHeader& peer) {
    const bool is = peer.kind == PeerKind::LocRib ? loc_rib_up : up.contains(peer.address);
    if (!is) complain("a message about a peer that is not up");
    return is;
  }

  // By the OPENs, as a station has to find it.
  static Families path_ids(const PeerUp& peer, const std::string& view) {
    const auto sent = decode_open(std::span{peer.sent}.subspan(header_size));
    const auto received = decode_open(std::span{peer.received}.subspan(header_size));
    Families families;
    const auto has = [](const Open& open, net::Family family, bool AddPathFamily::*way) {
      for (const auto& entry : open.capabilities.add_path)
        if (entry.family == unicast(family) && entry.*way) return true;
      return false;
    };
    const bool out = view == "out";
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      const bool agreed = has(out ? *sent : *received, family, &AddPathFamily::send) &&
                          has(out ? *received : *sent, family, &AddPathFamily::receive);
      (family == net::Family::Ipv4 ? families.ipv4 : families.ipv6) = agreed;
    }
    return families;
  }
};

}  // namespace bgp::bmp
