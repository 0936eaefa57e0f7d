// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/peer_config_view.hpp"

#include <string>

#include <fmt/format.h>

#include "speaker/bgp/socket_options.hpp"

namespace speaker {
namespace {

using Json = nlohmann::ordered_json;

Json names(const bgp::FilterChain& chain) {
  auto out = Json::array();
  for (const auto& filter : chain) out.push_back(filter.name);
  return out;
}

// By what the sockets are told, so that it cannot differ from it. Nothing where no hop is counted.
Json reach(const bgp::PeerConfig& session) {
  const auto limits = hop_limits(session);
  if (!limits.sent) return nullptr;
  switch (session.reach.kind) {
    case bgp::Reach::Kind::Security:
      return {{"kind", "ttl-security"}, {"ttl", *limits.sent}, {"minimumTtl", limits.least_received}};
    case bgp::Reach::Kind::Multihop:
      return {{"kind", "multihop"}, {"ttl", *limits.sent}};
    case bgp::Reach::Kind::Default:
      break;
  }
  return {{"kind", "direct"}, {"ttl", *limits.sent}};
}

Json authentication(const bgp::PeerConfig& session) {
  if (!session.password.empty()) return {{"type", "md5"}};
  if (session.authentication.empty()) return nullptr;
  const auto sha1 = session.authentication.algorithm == bgp::AuthenticationKeys::Algorithm::HmacSha1;
  auto keys = Json::array();
  for (const auto& [id, key] : session.authentication.keys) keys.push_back(id);
  return {{"type", "tcp-ao"}, {"algorithm", sha1 ? "hmac-sha-1-96" : "aes-128-cmac-96"}, {"keys", std::move(keys)}};
}

Json timers(const bgp::PeerConfig& session) {
  Json out{{"holdTimeSec", session.hold_time.count()}};
  if (session.keepalive_time) out["keepaliveTimeSec"] = session.keepalive_time->count();
  out["connectRetrySec"] = session.connect_retry.count();
  return out;
}

// A BGPPeer says warning, action, restart and outgoing maximum once for both families.
Json prefix_limit(const bgp::NeighborConfig& config) {
  const auto& limit = config.ipv4_limit;
  Json out{{"ipv4Unicast", config.ipv4_limit.maximum}, {"ipv6Unicast", config.ipv6_limit.maximum}};
  if (config.ipv4_limit.maximum == 0 && config.ipv6_limit.maximum == 0 && limit.maximum_out == 0) return out;
  out["warningPercent"] = limit.warn_percent;
  out["action"] = limit.action == bgp::PrefixLimit::Action::Warn ? "warn" : "stop";
  if (limit.restart) out["restartSec"] = limit.restart->count();
  if (limit.maximum_out != 0) out["maximumOut"] = limit.maximum_out;
  return out;
}

// With an AS number for this neighbour alone: the words of spec.localASNOptions that hold. RFC 5065: others than
// members know a confederation by its identifier, which is no such number.
Json local_asn_options(const bgp::NeighborConfig& config, const bgp::RouterConfig& router) {
  const auto own = config.session.local_asn;
  if (own == router.asn || own == router.confederation) return nullptr;
  auto out = Json::array();
  if (!config.prepend_local_as) out.push_back("no-prepend");
  if (!config.out.prepend_own_as) out.push_back("replace-as");
  return out;
}

void add_as_options(Json& out, const bgp::NeighborConfig& config, const bgp::RouterConfig& router) {
  if (auto options = local_asn_options(config, router); !options.is_null()) {
    out["routerAsn"] = router.asn.value;
    out["localAsnOptions"] = std::move(options);
  }
  if (config.out.as_override) out["asOverride"] = true;
  if (config.out.private_as != bgp::PrivateAs::Kept)
    out["privateAsns"] = config.out.private_as == bgp::PrivateAs::Removed ? "remove" : "replace";
  if (config.allowed_own_as != 0) out["allowedOwnAsns"] = config.allowed_own_as;
  if (!config.enforce_first_as) out["enforceFirstAs"] = false;
}

void add_next_hop(Json& out, const bgp::ExportOptions& from) {
  if (from.next_hop != bgp::NextHopMode::Auto)
    out["nextHopMode"] = from.next_hop == bgp::NextHopMode::Self ? "self" : "keep";
  auto given = Json::array();
  if (from.next_hop_ipv4) given.push_back(net::print(*from.next_hop_ipv4));
  if (from.next_hop_ipv6) given.push_back(net::print(*from.next_hop_ipv6));
  if (!given.empty()) out["nextHops"] = std::move(given);
}

std::string name(bgp::AfiSafi family) {
  const auto known = bgp::unicast_family(family);
  if (!known) return fmt::format("{}/{}", family.afi, family.safi);
  return *known == net::Family::Ipv4 ? "ipv4-unicast" : "ipv6-unicast";
}

Json add_path(const std::vector<bgp::AddPathFamily>& families) {
  auto out = Json::array();
  for (const auto& each : families)
    out.push_back({{"family", name(each.family)}, {"receive", each.receive}, {"send", each.send}});
  return out;
}

Json graceful_restart(const bgp::GracefulRestartCapability& from) {
  Json out{{"restartTimeSec", from.time.count()}};
  if (from.restarting) out["restarting"] = true;
  if (from.notification) out["notification"] = true;
  out["families"] = Json::array();
  auto forwarding = Json::array();
  for (const auto& each : from.families) {
    out["families"].push_back(name(each.family));
    if (each.forwarding) forwarding.push_back(name(each.family));
  }
  if (!forwarding.empty()) out["forwarding"] = std::move(forwarding);
  return out;
}

Json long_lived(const std::vector<bgp::LongLivedFamily>& families) {
  auto out = Json::array();
  for (const auto& each : families) {
    out.push_back({{"family", name(each.family)}, {"staleTimeSec", each.stale_time.count()}});
    if (each.forwarding) out.back()["forwarding"] = true;
  }
  return out;
}

// A role that RFC 9234 does not define is its number.
Json roles(const std::vector<std::uint8_t>& from) {
  auto out = Json::array();
  for (const auto role : from) {
    if (role > static_cast<std::uint8_t>(bgp::Role::Peer))
      out.push_back(std::to_string(role));
    else
      out.push_back(bgp::print(static_cast<bgp::Role>(role)));
  }
  return out;
}

}  // namespace

Json view(const bgp::ExpectedAsn& expected) {
  if (expected.kind == bgp::ExpectedAsn::Kind::Exactly) return expected.asn.value;
  return bgp::print(expected);
}

Json view(const bgp::Families& families) {
  auto out = Json::array();
  if (families.ipv4) out.push_back("ipv4-unicast");
  if (families.ipv6) out.push_back("ipv6-unicast");
  return out;
}

Json view(const bgp::Capabilities& from) {
  auto out = Json::object();
  for (const auto family : from.multiprotocol) out["families"].push_back(name(family));
  if (from.route_refresh) out["routeRefresh"] = true;
  if (from.enhanced_route_refresh) out["enhancedRouteRefresh"] = true;
  if (from.extended_message) out["extendedMessages"] = true;
  if (from.four_octet_asn) out["fourOctetAsn"] = from.four_octet_asn->value;
  if (!from.add_path.empty()) out["addPath"] = add_path(from.add_path);
  for (const auto& each : from.extended_next_hop)
    out["extendedNextHops"].push_back({{"family", name(each.family)}, {"nextHopAfi", each.next_hop_afi}});
  if (!from.roles.empty()) out["roles"] = roles(from.roles);
  if (from.graceful_restart) out["gracefulRestart"] = graceful_restart(*from.graceful_restart);
  if (from.long_lived) out["longLivedGracefulRestart"] = long_lived(*from.long_lived);
  for (const auto& each : from.unknown) out["unknown"].push_back(each.code);
  return out;
}

void add_configuration(Json& out, const bgp::NeighborConfig& config, const bgp::RouterConfig& router) {
  const auto& session = config.session;
  if (session.role) out["role"] = bgp::print(*session.role);
  if (session.role_required) out["roleStrict"] = true;
  out["timers"] = timers(session);
  if (auto how_far = reach(session); !how_far.is_null()) out["reach"] = std::move(how_far);
  if (auto keys = authentication(session); !keys.is_null()) out["authentication"] = std::move(keys);
  out["import"] = names(config.import);
  if (config.export_filter) out["export"] = names(*config.export_filter);
  if (config.rejected == bgp::Kept::Yes) out["keepRejected"] = true;
  add_as_options(out, config, router);
  add_next_hop(out, config.out);
  if (config.out.reflector_client) out["routeReflectorClient"] = true;
  if (config.default_originate) out["defaultOriginate"] = true;
  if (config.aigp) out["aigp"] = true;
  if (config.accept_blackhole) out["acceptBlackhole"] = true;
  if (config.graceful_shutdown == bgp::NeighborConfig::GracefulShutdown::Ignored) out["honorGracefulShutdown"] = false;
  if (session.add_path != bgp::AddPath{})
    out["addPath"] = {{"receive", session.add_path.receive}, {"send", session.add_path.send}};
  out["prefixLimit"] = prefix_limit(config);
}

}  // namespace speaker
