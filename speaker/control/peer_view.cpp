// SPDX-License-Identifier: Apache-2.0
// What became of a neighbour, as it is shown: its session, what that agreed on, counters.
#include <array>

#include "bgp/wire/text.hpp"
#include "speaker/control/peer_config_view.hpp"
#include "speaker/control/views.hpp"

namespace speaker {
namespace {

using Json = nlohmann::ordered_json;

Json counters(const bgp::FamilyCounters& from) {
  Json out{{"received", from.received}, {"accepted", from.accepted},     {"filtered", from.filtered},
           {"best", from.best},         {"advertised", from.advertised}, {"stale", from.stale}};
  if (from.leaked != 0) out["leaked"] = from.leaked;
  return out;
}

Json loops(const bgp::LoopCounters& from) {
  return {{"asPath", from.as_path},
          {"originatorId", from.originator_id},
          {"clusterList", from.cluster_list},
          {"nextHop", from.next_hop}};
}

Json messages(const std::array<std::uint64_t, 6>& by_type) {
  constexpr std::array names{"", "open", "update", "notification", "keepalive", "routeRefresh"};
  Json out;
  for (std::size_t type = 1; type < names.size(); ++type) out[names[type]] = by_type[type];
  return out;
}

std::string_view print(bgp::ResetReason::By by) {
  switch (by) {
    case bgp::ResetReason::By::Local:
      return "local";
    case bgp::ResetReason::By::Remote:
      return "remote";
    case bgp::ResetReason::By::Transport:
      break;
  }
  return "transport";
}

Json last_reset(const bgp::PeerStatus& session, const WallClock& clock) {
  const auto& reason = *session.last_reset;
  Json out{{"by", print(reason.by)}, {"text", reason.text}};
  if (reason.notification) {
    out["notification"] = bgp::describe(*reason.notification);
    out["code"] = reason.notification->code;
    out["subcode"] = reason.notification->subcode;
  }
  if (session.last_reset_at) {
    out["at"] = clock.timestamp(*session.last_reset_at);
    out["agoMsec"] = clock.since(*session.last_reset_at);
  }
  return out;
}

std::string_view print(bgp::PeerType type) {
  switch (type) {
    case bgp::PeerType::External:
      return "external";
    case bgp::PeerType::Internal:
      return "internal";
    case bgp::PeerType::Confederation:
      break;
  }
  return "confederation";
}

std::string_view print(bgp::GracefulRestart::Mode mode) {
  switch (mode) {
    case bgp::GracefulRestart::Mode::Off:
      return "off";
    case bgp::GracefulRestart::Mode::Helper:
      return "helper";
    case bgp::GracefulRestart::Mode::Full:
      break;
  }
  return "full";
}

// What the two OPENs agreed on; absent where the peer does not take part.
Json restart_terms(const bgp::RestartTerms& from) {
  Json out{{"restarting", from.restarting},
           {"notification", from.notification},
           {"restartTimeSec", from.time.count()},
           {"longLived", from.long_lived_capable}};
  const auto family = [](const bgp::RestartTerms::Family& terms) -> Json {
    return {{"kept", terms.kept},
            {"forwarding", terms.forwarding},
            {"longLivedStaleTimeSec", terms.long_lived.count()},
            {"longLivedForwarding", terms.long_lived_forwarding}};
  };
  out["ipv4Unicast"] = family(from.ipv4);
  out["ipv6Unicast"] = family(from.ipv6);
  return out;
}

Json restart_state(const bgp::NeighborStatus::Restart& from, const WallClock& clock) {
  Json out{{"phase", bgp::print(from.phase)}, {"endOfRib", from.end_of_rib}};
  if (from.until) out["untilMsec"] = -clock.since(*from.until);
  return out;
}

Json restart_view(const bgp::NeighborStatus& status, const bgp::GracefulRestart& config, const WallClock& clock) {
  return {{"mode", print(config.mode)},
          {"restartTimeSec", config.restart_time.count()},
          {"longLivedStaleTimeSec", config.long_lived_time.count()},
          {"ipv4Unicast", restart_state(status.ipv4_restart, clock)},
          {"ipv6Unicast", restart_state(status.ipv6_restart, clock)}};
}

Json negotiated(const bgp::Negotiated& from) {
  Json out{{"peerAsn", from.peer_asn.value},
           {"peerRouterId", net::print(from.peer_id)},
           {"type", print(from.type)},
           {"holdTimeSec", from.hold_time.count()},
           {"keepaliveTimeSec", from.keepalive_time.count()},
           {"sendHoldTimeSec", bgp::send_hold_time(from.hold_time).count()},
           {"families", view(from.families)},
           {"fourOctetAsn", from.asn_width == bgp::AsnWidth::FourOctets},
           {"routeRefresh", from.route_refresh},
           {"enhancedRouteRefresh", from.enhanced_route_refresh},
           {"addPathReceive", view(from.add_path_receive)},
           {"addPathSend", view(from.add_path_send)},
           {"messageLimit", from.message_limit}};
  out["extendedMessages"] = from.message_limit > bgp::max_message_size;
  out["ipv4OverIpv6NextHops"] = from.ipv4_over_ipv6;
  if (from.role) out["role"] = {{"ours", bgp::print(*from.role)}, {"confirmed", from.role_confirmed}};
  if (from.restart.capable) out["gracefulRestart"] = restart_terms(from.restart);
  return out;
}

Json malformed(const bgp::NeighborStatus& status, const WallClock& clock) {
  auto out = Json::array();
  for (const auto& update : status.malformed)
    out.push_back({{"at", clock.timestamp(update.time)}, {"reason", update.reason}, {"hex", update.hex}});
  return out;
}

Json transport(const bgp::Transport& transport, const bgp::PeerConfig& config) {
  Json out{{"local", net::print(transport.local)},
           {"localPort", transport.local_port},
           {"remotePort", transport.remote_port},
           {"md5", !config.password.empty()}};
  const auto& keys = config.authentication.keys;
  if (keys.empty()) return out;
  auto ids = Json::array();
  for (const auto& [id, key] : keys) ids.push_back(id);
  out["tcpAoKeys"] = std::move(ids);
  return out;
}

}  // namespace

Json view(const bgp::NeighborStatus& status, const bgp::NeighborConfig& config, const bgp::RouterConfig& router,
          const WallClock& clock) {
  const auto& session = status.session;
  Json out{{"name", status.name},
           {"address", net::print(config.session.address)},
           {"port", config.session.port},
           {"peerAsn", view(config.session.peer_asn)},
           {"localAsn", config.session.local_asn.value},
           {"state", print(session.state)}};
  if (!config.session.description.empty()) out["description"] = config.session.description;
  if (!config.session.interface.empty()) out["interface"] = config.session.interface;
  if (!config.group.empty()) out["group"] = config.group;
  if (config.dynamic) out["dynamic"] = true;
  if (config.draining == bgp::Draining::Yes) out["draining"] = true;
  out["passive"] = config.session.connect == bgp::Connect::PassiveOnly;
  if (!status.hold_down.empty()) out["heldDown"] = status.hold_down;
  if (status.waits_for_bfd) out["waitsForBfd"] = true;
  if (config.shutdown) out["shutdown"] = *config.shutdown;
  if (session.established_since) {
    out["establishedAt"] = clock.timestamp(*session.established_since);
    out["uptimeMsec"] = clock.since(*session.established_since);
  }
  out["establishedCount"] = session.established_count;
  out["failedAttempts"] = session.failed_attempts;
  if (session.last_reset) out["lastReset"] = last_reset(session, clock);
  if (!session.last_dial_error.empty()) {
    out["lastDialError"] = session.last_dial_error;
    if (session.last_dial_error_at) out["lastDialErrorAgoMsec"] = clock.since(*session.last_dial_error_at);
  }
  if (session.next_attempt) out["nextAttemptMsec"] = -clock.since(*session.next_attempt);
  if (status.negotiated) out["negotiated"] = negotiated(*status.negotiated);
  if (status.transport) out["transport"] = transport(*status.transport, config.session);
  out["capabilities"] = {{"ours", view(bgp::make_open(config.session, bgp::Offer::Full).capabilities)}};
  if (status.negotiated) out["capabilities"]["theirs"] = view(status.negotiated->peer_offer);
  add_configuration(out, config, router);
  out["families"] = {{"ipv4Unicast", counters(status.ipv4)}, {"ipv6Unicast", counters(status.ipv6)}};
  if (status.loops != bgp::LoopCounters{}) out["loops"] = loops(status.loops);
  out["gracefulRestart"] = restart_view(status, config.session.graceful_restart, clock);
  out["messages"] = {{"in", messages(session.messages.in)}, {"out", messages(session.messages.out)}};
  if (!status.attribute_faults.empty()) {
    Json faults;
    for (const auto& [type, count] : status.attribute_faults) faults[std::to_string(type)] = count;
    out["attributeFaults"] = faults;
    out["malformedUpdates"] = malformed(status, clock);
  }
  if (status.catching_up) out["catchingUp"] = true;
  return out;
}

Json view_range(const bgp::NeighborConfig& pattern, const bgp::RouterConfig& router, std::size_t peers) {
  const auto& session = pattern.session;
  Json out{{"name", pattern.name},
           {"range", net::print(*pattern.range)},
           {"peers", peers},
           {"maximumPeers", pattern.range_limit},
           {"peerAsn", view(session.peer_asn)},
           {"localAsn", session.local_asn.value}};
  if (!session.description.empty()) out["description"] = session.description;
  if (!session.interface.empty()) out["interface"] = session.interface;
  if (!pattern.hold_down.empty()) out["heldDown"] = pattern.hold_down;
  if (pattern.shutdown) out["shutdown"] = *pattern.shutdown;
  add_configuration(out, pattern, router);
  return out;
}

}  // namespace speaker
