// SPDX-License-Identifier: Apache-2.0
// A plain BGP speaker against a Router, for tests and benchmarks: opens a session, says what it is told to
// say, and keeps what it hears in a map. Complains when it hears what no router should say.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "bgp/framer.hpp"
#include "bgp/router.hpp"
#include "bgp/wire/nlri.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

inline constexpr net::TimePoint start_time{std::chrono::hours{1}};

struct SpeakerOptions {
  std::string name;
  net::Asn asn{65001};
  net::RouterId id{0x0a000101};
  net::IpAddress address = net::Ipv4Address{0x0a000101};
  net::Asn router_asn{65000};
  Families families{true, true};
  AsnWidth asn_width = AsnWidth::FourOctets;
  bool refresh = true;
  bool enhanced_refresh = false;
  bool extended_messages = false;
  // RFC 7911: path identifiers in what it hears, and in what it says.
  Families hears_ids{};
  Families says_ids{};
  bool confederation = false;  // it is in another member AS of the router's confederation
  std::optional<GracefulRestartCapability> graceful_restart = std::nullopt;
  std::optional<std::vector<LongLivedFamily>> long_lived = std::nullopt;
};

class Speaker {
 public:
  Speaker(Router& router, SpeakerOptions options) : router_{router}, options_{std::move(options)} {}

  // The configuration of this speaker as a neighbour of the router.
  [[nodiscard]] NeighborConfig neighbor() const {
    NeighborConfig config;
    config.name = options_.name;
    config.session.address = options_.address;
    config.session.connect = Connect::PassiveOnly;
    config.session.local_asn = options_.router_asn;
    config.session.router_id = net::RouterId{0x0a000001};
    config.session.peer_asn = {ExpectedAsn::Kind::Exactly, options_.asn};
    config.session.hold_time = net::Seconds{0};
    config.session.confederation = options_.confederation;
    config.import = {accept_all()};
    config.export_filter = FilterChain{accept_all()};
    return config;
  }

  // False when the router refused.
  bool establish(net::TimePoint now = start_time) {
    heard.clear();
    heard_paths.clear();
    end_of_rib.clear();
    framer_.reset();
    const Transport transport{.local = router_address,
                              .remote = options_.address,
                              .local_port = 179,
                              .remote_port = 40000,
                              .local_ipv4 = router_address,
                              .local_ipv6 = router_address_ipv6,
                              .local_link_local = std::nullopt};
    auto link = router_.accept(transport, "", now);
    if (!link) return false;
    link_ = *link;
    Open open;
    open.asn = options_.asn.four_octet() ? net::as_trans : options_.asn;
    open.hold_time = net::Seconds{0};
    open.id = options_.id;
    auto& offer = open.capabilities;
    if (options_.families.ipv4) offer.multiprotocol.push_back(ipv4_unicast);
    if (options_.families.ipv6) offer.multiprotocol.push_back(ipv6_unicast);
    if (options_.asn_width == AsnWidth::FourOctets) offer.four_octet_asn = options_.asn;
    offer.route_refresh = options_.refresh;
    offer.enhanced_route_refresh = options_.enhanced_refresh;
    offer.extended_message = options_.extended_messages;
    offer.graceful_restart = options_.graceful_restart;
    offer.long_lived = options_.long_lived;
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      const bool hears = options_.hears_ids.has(family);
      const bool says = options_.says_ids.has(family);
      if (hears || says) offer.add_path.push_back({unicast(family), hears, says});
    }
    say(encode(open), now);
    say(encode_keepalive(), now);
    listen();
    return up();
  }
  void hang_up(net::TimePoint now = start_time) {
    if (link_) router_.lost(*link_, "closed by peer", now);
    link_.reset();
  }
  // Established as far as this side can tell.
  [[nodiscard]] bool up() const { return link_ && established_; }
  [[nodiscard]] std::optional<Link> link() const { return link_; }

  void say(const std::vector<std::uint8_t>& bytes, net::TimePoint now = start_time) {
    if (link_) router_.received(*link_, bytes, now);
  }

  void announce(const std::vector<net::Prefix>& prefixes, PathAttributes attributes, PathId id = std::nullopt) {
    say(update(prefixes, std::move(attributes), id));
  }
  void say_end_of_rib(net::Family family, net::TimePoint now = start_time) {
    std::vector<std::uint8_t> bytes;
    encode_end_of_rib(family, bytes);
    say(bytes, now);
  }
  void withdraw(const std::vector<net::Prefix>& prefixes, PathId id = std::nullopt) { say(withdrawal(prefixes, id)); }

  // As one message per family.
  [[nodiscard]] std::vector<std::uint8_t> update(const std::vector<net::Prefix>& prefixes, PathAttributes attributes,
                                                 PathId id = std::nullopt) const {
    const auto [ipv4, ipv6] = split(prefixes);
    const EncodeContext context{type(), options_.asn_width, limit()};
    std::vector<std::uint8_t> out;
    if (!ipv4.empty()) {
      if (!attributes.next_hop.address.is_v4() || attributes.next_hop.address.unspecified())
        attributes.next_hop = {next_hop(net::Family::Ipv4), std::nullopt};
      std::vector<std::uint8_t> section;
      encode_attributes(attributes, net::Family::Ipv4, context, section);
      encode_all(ipv4, out,
                 [&](auto rest) { return encode_reachable(section, attributes.next_hop, rest, limit(), out, id); });
    }
    if (!ipv6.empty()) {
      if (!attributes.next_hop.address.is_v6()) attributes.next_hop = {next_hop(net::Family::Ipv6), std::nullopt};
      std::vector<std::uint8_t> section;
      encode_attributes(attributes, net::Family::Ipv6, context, section);
      encode_all(ipv6, out,
                 [&](auto rest) { return encode_reachable(section, attributes.next_hop, rest, limit(), out, id); });
    }
    return out;
  }
  [[nodiscard]] std::vector<std::uint8_t> withdrawal(const std::vector<net::Prefix>& prefixes,
                                                     PathId id = std::nullopt) const {
    const auto [ipv4, ipv6] = split(prefixes);
    std::vector<std::uint8_t> out;
    encode_all(ipv4, out, [&](auto rest) { return encode_withdrawn(rest, limit(), out, id); });
    encode_all(ipv6, out, [&](auto rest) { return encode_withdrawn(rest, limit(), out, id); });
    return out;
  }

  // Pulls until there is nothing; false when nothing came at all.
  bool listen(std::size_t most = ~std::size_t{0}, std::size_t at_once = 65536) {
    bool any = false;
    std::vector<std::uint8_t> bytes;
    while (link_ && most > 0 && router_.pull(*link_, bytes, at_once)) {
      any = true;
      most -= bytes.size() < most ? bytes.size() : most;
      hear(bytes);
      bytes.clear();
    }
    return any;
  }

  // Bytes that the router sent, in whole messages.
  void hear(const std::vector<std::uint8_t>& bytes) {
    if (record) recorded.insert(recorded.end(), bytes.begin(), bytes.end());
    std::span<const std::uint8_t> input{bytes};
    while (!input.empty()) {
      const auto frame = framer_.next(input, limit());
      if (!frame) return complain("unreadable bytes");
      if (!*frame) return;
      hear_message(**frame);
    }
  }

  // What the speaker has from the router, by prefix.
  std::map<net::Prefix, PathAttributes> heard;
  std::map<std::pair<net::Prefix, std::uint32_t>, PathAttributes> heard_paths;  // the same with path identifiers
  std::vector<net::Family> end_of_rib;
  std::optional<Open> opened_with;
  std::optional<Notification> notification;
  std::size_t updates = 0;
  std::size_t requests = 0;             // ROUTE-REFRESH
  std::vector<RouteRefresh> refreshes;  // all of them
  std::vector<std::string> complaints;
  bool record = false;
  std::vector<std::uint8_t> recorded;

  static constexpr net::Ipv4Address router_address{0x0a0000fe};
  static constexpr net::Ipv6Address router_address_ipv6{{0x20, 0x01, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe}};

  [[nodiscard]] PeerType type() const {
    if (options_.confederation) return PeerType::Confederation;
    return options_.asn == options_.router_asn ? PeerType::Internal : PeerType::External;
  }
  [[nodiscard]] const SpeakerOptions& options() const { return options_; }
  [[nodiscard]] SpeakerOptions& options() { return options_; }
  [[nodiscard]] net::IpAddress next_hop(net::Family family) const {
    const auto value = options_.address.v4().value;
    if (family == net::Family::Ipv4) return options_.address;
    auto address = router_address_ipv6;
    address.octets[14] = static_cast<std::uint8_t>(value >> 8);
    address.octets[15] = static_cast<std::uint8_t>(value);
    return address;
  }

 private:
  using Split = std::pair<std::vector<net::Ipv4Prefix>, std::vector<net::Ipv6Prefix>>;
  static Split split(const std::vector<net::Prefix>& prefixes) {
    Split result;
    for (const auto& prefix : prefixes) {
      if (prefix.is_v4())
        result.first.push_back(prefix.v4());
      else
        result.second.push_back(prefix.v6());
    }
    return result;
  }
  template <class Prefix, class Encode>
  static void encode_all(const std::vector<Prefix>& prefixes, std::vector<std::uint8_t>&, Encode encode_some) {
    for (std::span<const Prefix> rest{prefixes}; !rest.empty();) rest = rest.subspan(encode_some(rest));
  }
  [[nodiscard]] std::size_t limit() const {
    return options_.extended_messages ? max_extended_message_size : max_message_size;
  }

  void complain(std::string text) { complaints.push_back(options_.name + ": " + std::move(text)); }

  void hear_message(const Frame& frame) {
    switch (frame.type) {
      case MessageType::Keepalive:
        established_ = true;
        break;
      case MessageType::Notification:
        notification = decode_notification(frame.body);
        break;
      case MessageType::RouteRefresh:
        if (const auto refresh = decode_route_refresh(frame.body)) {
          refreshes.push_back(*refresh);
          if (refresh->kind == RefreshKind::Request) ++requests;
        }
        break;
      case MessageType::Update:
        hear_update(frame.body);
        break;
      case MessageType::Open:
        if (const auto open = decode_open(frame.body)) opened_with = *open;
        break;
    }
  }

  void hear_update(std::span<const std::uint8_t> body) {
    ++updates;
    const UpdateContext context{.peer = type(),
                                .asn_width = options_.asn_width,
                                .families = options_.families,
                                .peer_asn = options_.router_asn,
                                .path_ids = options_.hears_ids,
                                .aigp = true};
    const auto update = decode_update(body, context);
    if (!update) return complain("reset by " + describe(update.error()));
    for (const auto& fault : update->faults) complain(std::string{"fault: "} + fault.reason);
    if (update->end_of_rib) end_of_rib.push_back(*update->end_of_rib);
    for (const auto& run : update->withdrawn) {
      if (run.path_ids) {
        for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) {
          if (heard_paths.erase({prefix, id}) == 0) complain("withdrawn and not known: " + print(prefix));
        });
        continue;
      }
      for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t) {
        if (heard.erase(prefix) == 0) complain("withdrawn and not known: " + print(prefix));
      });
    }
    for (const auto& run : update->reachable) {
      auto attributes = update->attributes;
      attributes.next_hop = run.family == net::Family::Ipv4 ? update->next_hop_ipv4 : update->next_hop_ipv6;
      if (run.path_ids)
        for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) {
          heard_paths[{prefix, id}] = attributes;
        });
      else
        for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t) { heard[prefix] = attributes; });
    }
  }

  Router& router_;
  SpeakerOptions options_;
  std::optional<Link> link_;
  bool established_ = false;
  Framer framer_;
};

}  // namespace bgp
