// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/views.hpp"

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

Json view(const bgp::PathAttributes& from) {
  Json out{{"origin", bgp::print(from.origin)}, {"asPath", bgp::print(from.as_path)}};
  if (from.med) out["med"] = *from.med;
  if (from.local_pref) out["localPref"] = *from.local_pref;
  if (from.aigp) out["aigp"] = from.aigp->metric;
  if (from.kernel_metric != 0) out["kernelMetric"] = from.kernel_metric;
  if (!from.communities.empty()) out["communities"] = texts(from.communities);
  if (!from.large_communities.empty()) out["largeCommunities"] = texts(from.large_communities);
  if (!from.extended_communities.empty()) out["extendedCommunities"] = texts(from.extended_communities);
  if (!from.ipv6_extended_communities.empty()) out["ipv6ExtendedCommunities"] = texts(from.ipv6_extended_communities);
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
