// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/speaker.hpp"

namespace bgp {

NeighborConfig Speaker::neighbor() const {
  NeighborConfig config;
  config.name = options_.name;
  config.session.address = options_.address;
  config.session.connect = Connect::PassiveOnly;
  config.session.local_asn = options_.router_asn;
  config.session.router_id = net::RouterId{0x0a000001};
  config.session.peer_asn = {ExpectedAsn::Kind::Exactly, options_.asn};
  config.session.hold_time = net::Seconds{0};
  config.session.ipv4_over_ipv6 = options_.ipv6_next_hops;
  config.session.confederation = options_.confederation;
  config.import = {accept_all()};
  config.export_filter = FilterChain{accept_all()};
  return config;
}

bool Speaker::establish(net::TimePoint now) {
  heard.clear();
  heard_paths.clear();
  end_of_rib.clear();
  framer_.reset();
  const Transport transport{.local = router_address,
                            .remote = options_.address,
                            .local_port = 179,
                            .remote_port = 40000,
                            .local_ipv4 = options_.ipv4_on_link ? std::optional{router_address} : std::nullopt,
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
  if (options_.ipv6_next_hops) offer.extended_next_hop = {{ipv4_unicast, ipv6_unicast.afi}};
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

void Speaker::hang_up(net::TimePoint now) {
  if (link_) router_.lost(*link_, "closed by peer", now);
  link_.reset();
}

void Speaker::say(const std::vector<std::uint8_t>& bytes, net::TimePoint now) {
  if (link_) router_.received(*link_, bytes, now);
}

void Speaker::announce(const std::vector<net::Prefix>& prefixes, PathAttributes attributes, PathId id) {
  say(update(prefixes, std::move(attributes), id));
}

void Speaker::say_end_of_rib(net::Family family, net::TimePoint now) {
  std::vector<std::uint8_t> bytes;
  encode_end_of_rib(family, bytes);
  say(bytes, now);
}

std::vector<std::uint8_t> Speaker::update(const std::vector<net::Prefix>& prefixes, PathAttributes attributes,
                                          PathId id) const {
  const auto [ipv4, ipv6] = split(prefixes);
  const EncodeContext context{type(), options_.asn_width, limit()};
  std::vector<std::uint8_t> out;
  if (!ipv4.empty()) {
    const bool given = attributes.next_hop.address.is_v4() || options_.ipv6_next_hops;
    if (!given || attributes.next_hop.address.unspecified())
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

std::vector<std::uint8_t> Speaker::withdrawal(const std::vector<net::Prefix>& prefixes, PathId id) const {
  const auto [ipv4, ipv6] = split(prefixes);
  std::vector<std::uint8_t> out;
  encode_all(ipv4, out, [&](auto rest) { return encode_withdrawn(rest, limit(), out, id); });
  encode_all(ipv6, out, [&](auto rest) { return encode_withdrawn(rest, limit(), out, id); });
  return out;
}

bool Speaker::listen(std::size_t most, std::size_t at_once) {
  bool any = false;
  std::vector<std::uint8_t> bytes;
  for (bool more = true; link_ && most > 0 && more;) {
    bytes.clear();
    more = router_.pull(*link_, bytes, at_once);
    any = any || !bytes.empty();
    most -= bytes.size() < most ? bytes.size() : most;
    hear(bytes);
  }
  return any;
}

void Speaker::hear(const std::vector<std::uint8_t>& bytes) {
  if (record) recorded.insert(recorded.end(), bytes.begin(), bytes.end());
  std::span<const std::uint8_t> input{bytes};
  while (!input.empty()) {
    const auto frame = framer_.next(input, limit());
    if (!frame) return complain("unreadable bytes");
    if (!*frame) return;
    hear_message(**frame);
  }
}

PeerType Speaker::type() const {
  if (options_.confederation) return PeerType::Confederation;
  return options_.asn == options_.router_asn ? PeerType::Internal : PeerType::External;
}

net::IpAddress Speaker::next_hop(net::Family family) const {
  const auto value = options_.address.v4().value;
  if (family == net::Family::Ipv4) return options_.address;
  auto address = router_address_ipv6;
  address.octets[14] = static_cast<std::uint8_t>(value >> 8);
  address.octets[15] = static_cast<std::uint8_t>(value);
  return address;
}

Speaker::Split Speaker::split(const std::vector<net::Prefix>& prefixes) {
  Split result;
  for (const auto& prefix : prefixes) {
    if (prefix.is_v4())
      result.first.push_back(prefix.v4());
    else
      result.second.push_back(prefix.v6());
  }
  return result;
}

std::size_t Speaker::limit() const {
  return options_.extended_messages ? max_extended_message_size : max_message_size;
}

void Speaker::hear_message(const Frame& frame) {
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

void Speaker::hear_update(std::span<const std::uint8_t> body) {
  ++updates;
  const UpdateContext context{.peer = type(),
                              .asn_width = options_.asn_width,
                              .families = options_.families,
                              .peer_asn = options_.router_asn,
                              .ipv4_over_ipv6 = options_.ipv6_next_hops,
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
      for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) { heard_paths[{prefix, id}] = attributes; });
    else
      for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t) { heard[prefix] = attributes; });
  }
}

}  // namespace bgp
