// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/views.hpp"

#include <array>
#include <ctime>

#include <fmt/format.h>
#include <net/if.h>

#include "bgp/wire/text.hpp"

namespace speaker {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::duration_cast;

std::string rfc3339(std::chrono::system_clock::time_point when) {
  const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(when);
  const auto fraction = duration_cast<std::chrono::milliseconds>(when - seconds).count();
  const auto time = std::chrono::system_clock::to_time_t(seconds);
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, fraction < 0 ? 0 : fraction);
}

Json texts(const auto& values) {
  auto out = Json::array();
  for (const auto& value : values) out.push_back(bgp::print(value));
  return out;
}

Json family_names(const bgp::Families& families) {
  auto out = Json::array();
  if (families.ipv4) out.push_back("ipv4-unicast");
  if (families.ipv6) out.push_back("ipv6-unicast");
  return out;
}

Json counters(const bgp::FamilyCounters& from) {
  return {{"received", from.received}, {"accepted", from.accepted},     {"filtered", from.filtered},
          {"best", from.best},         {"advertised", from.advertised}, {"stale", from.stale}};
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
           {"families", family_names(from.families)},
           {"fourOctetAsn", from.asn_width == bgp::AsnWidth::FourOctets},
           {"routeRefresh", from.route_refresh},
           {"enhancedRouteRefresh", from.enhanced_route_refresh},
           {"addPathReceive", family_names(from.add_path_receive)},
           {"addPathSend", family_names(from.add_path_send)},
           {"messageLimit", from.message_limit}};
  out["extendedMessages"] = from.message_limit > bgp::max_message_size;
  out["ipv4OverIpv6NextHops"] = from.ipv4_over_ipv6;
  if (from.role) out["role"] = {{"ours", bgp::print(*from.role)}, {"confirmed", from.role_confirmed}};
  if (from.restart.capable) out["gracefulRestart"] = restart_terms(from.restart);
  return out;
}

Json expected_asn(const bgp::ExpectedAsn& expected) {
  switch (expected.kind) {
    case bgp::ExpectedAsn::Kind::Exactly:
      return expected.asn.value;
    case bgp::ExpectedAsn::Kind::Internal:
      return "internal";
    case bgp::ExpectedAsn::Kind::External:
      break;
  }
  return "external";
}

Json malformed(const bgp::NeighborStatus& status, const WallClock& clock) {
  auto out = Json::array();
  for (const auto& update : status.malformed)
    out.push_back({{"at", clock.timestamp(update.time)}, {"reason", update.reason}, {"hex", update.hex}});
  return out;
}

}  // namespace

std::string WallClock::timestamp(net::TimePoint when) const {
  return rfc3339(wall + duration_cast<std::chrono::system_clock::duration>(when - steady));
}

std::int64_t WallClock::since(net::TimePoint when) const {
  return duration_cast<std::chrono::milliseconds>(steady - when).count();
}

std::string print_next_hop(const bgp::NextHop& next_hop) {
  auto text = net::print(next_hop.address);
  char name[IF_NAMESIZE] = {};
  if (next_hop.interface != 0 && ::if_indextoname(next_hop.interface, name) != nullptr) text.append("%").append(name);
  return text;
}

std::string_view print(bgp::State state) {
  switch (state) {
    case bgp::State::Idle:
      return "Idle";
    case bgp::State::Connect:
      return "Connect";
    case bgp::State::Active:
      return "Active";
    case bgp::State::OpenSent:
      return "OpenSent";
    case bgp::State::OpenConfirm:
      return "OpenConfirm";
    case bgp::State::Established:
      break;
  }
  return "Established";
}

namespace {

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

Json view(const bgp::NeighborStatus& status, const bgp::NeighborConfig& config, const WallClock& clock) {
  const auto& session = status.session;
  Json out{{"name", status.name},
           {"address", net::print(config.session.address)},
           {"port", config.session.port},
           {"peerAsn", expected_asn(config.session.peer_asn)},
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
  if (!session.last_dial_error.empty()) out["lastDialError"] = session.last_dial_error;
  if (session.next_attempt) out["nextAttemptMsec"] = -clock.since(*session.next_attempt);
  if (status.negotiated) out["negotiated"] = negotiated(*status.negotiated);
  if (status.transport) out["transport"] = transport(*status.transport, config.session);
  if (config.out.reflector_client) out["routeReflectorClient"] = true;
  if (config.default_originate) out["defaultOriginate"] = true;
  if (config.aigp) out["aigp"] = true;
  out["families"] = {{"ipv4Unicast", counters(status.ipv4)}, {"ipv6Unicast", counters(status.ipv6)}};
  out["gracefulRestart"] = restart_view(status, config.session.graceful_restart, clock);
  out["prefixLimit"] = {{"ipv4Unicast", config.ipv4_limit.maximum}, {"ipv6Unicast", config.ipv6_limit.maximum}};
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

Json view(const bgp::PathAttributes& from) {
  Json out{{"origin", bgp::print(from.origin)}, {"asPath", bgp::print(from.as_path)}};
  if (from.med) out["med"] = *from.med;
  if (from.local_pref) out["localPref"] = *from.local_pref;
  if (from.aigp) out["aigp"] = from.aigp->metric;
  if (!from.communities.empty()) out["communities"] = texts(from.communities);
  if (!from.large_communities.empty()) out["largeCommunities"] = texts(from.large_communities);
  if (!from.extended_communities.empty()) out["extendedCommunities"] = texts(from.extended_communities);
  for (const auto community : from.extended_communities)
    if (const auto bandwidth = bgp::link_bandwidth(community)) out["linkBandwidth"] = *bandwidth;
  if (from.atomic_aggregate) out["atomicAggregate"] = true;
  if (from.aggregator)
    out["aggregator"] = {{"asn", from.aggregator->asn.value}, {"address", net::print(from.aggregator->address)}};
  if (from.only_to_customer) out["onlyToCustomer"] = from.only_to_customer->value;
  if (from.originator_id) out["originatorId"] = net::print(*from.originator_id);
  if (!from.cluster_list.empty()) {
    out["clusterList"] = Json::array();
    for (const auto id : from.cluster_list) out["clusterList"].push_back(net::print(id));
  }
  return out;
}

Json view(const bgp::RouteRow& row) {
  Json out{{"prefix", net::print(row.prefix)}, {"nextHop", print_next_hop(row.attributes.next_hop)}};
  out["peer"] = row.peer.empty() ? Json(nullptr) : Json(row.peer);
  if (row.path_id != 0) out["pathId"] = row.path_id;
  out["best"] = row.best;
  if (row.multipath) out["multipath"] = true;
  if (row.rejected) out["rejected"] = true;
  if (!row.rpki.empty()) out["rpki"] = row.rpki;
  if (!row.reason.empty()) out["reason"] = row.reason;
  out.update(view(row.attributes));
  return out;
}

Json view_best(const std::vector<bgp::RouteRow>& rows) {
  const auto* best = &rows.front();
  auto next_hops = Json::array();
  auto peers = Json::array();
  for (const auto& row : rows) {
    if (row.best) best = &row;
    if (row.peer.empty()) continue;
    next_hops.push_back(print_next_hop(row.attributes.next_hop));
    peers.push_back(row.peer);
  }
  Json out{
      {"prefix", net::print(best->prefix)}, {"nextHops", next_hops}, {"peers", peers}, {"local", best->peer.empty()}};
  if (!best->reason.empty()) out["selectionReason"] = best->reason;
  out.update(view(best->attributes));
  return out;
}

Json view(const net::Prefix& prefix, const bgp::Explanation& explanation) {
  Json out{{"prefix", net::print(prefix)}, {"known", explanation.known}};
  out["paths"] = Json::array();
  for (const auto& path : explanation.paths) {
    Json entry{{"peer", path.peer.empty() ? Json(nullptr) : Json(path.peer)},
               {"nextHop", print_next_hop(path.attributes.next_hop)},
               {"best", path.best},
               {"multipath", path.multipath},
               {"reason", path.reason}};
    if (!path.rpki.empty()) entry["rpki"] = path.rpki;
    entry.update(view(path.attributes));
    out["paths"].push_back(std::move(entry));
  }
  out["exports"] = Json::array();
  for (const auto& sent : explanation.exports) {
    Json entry{{"peer", sent.peer}, {"sent", sent.sent}, {"reason", sent.reason}};
    if (sent.path_id != 0) entry["pathId"] = sent.path_id;
    if (sent.attributes) entry["attributes"] = view(*sent.attributes);
    out["exports"].push_back(std::move(entry));
  }
  return out;
}

Json view(const Verdict& verdict) {
  Json out{{"method", print(verdict.method)}};
  if (verdict.address) out["address"] = net::print(*verdict.address);
  out["announced"] = verdict.gate == Gate::Open;
  out["gate"] = print(verdict.gate);
  out["detail"] = verdict.detail;
  if (!verdict.peers.empty()) out["peers"] = verdict.peers;
  if (!verdict.routes.empty()) {
    out["routes"] = Json::array();
    for (const auto& route : verdict.routes) out["routes"].push_back(net::print(route));
  }
  return out;
}

Json view(const bgp::TableStatus& table) {
  return {{"ipv4Prefixes", table.ipv4_prefixes},   {"ipv6Prefixes", table.ipv6_prefixes},
          {"ipv4Paths", table.ipv4_paths},         {"ipv6Paths", table.ipv6_paths},
          {"attributeSets", table.attribute_sets}, {"bytes", table.bytes}};
}

}  // namespace speaker
