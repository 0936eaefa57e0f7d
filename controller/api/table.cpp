// SPDX-License-Identifier: Apache-2.0
#include "controller/api/table.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "controller/api/lookup.hpp"

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;
using std::chrono::seconds;

constexpr auto wide = Column::Shown::Wide;
constexpr Column name_column{"Name", "string", "The name of the object, unique among its kind and namespace."};
constexpr Column age_column{"Age", "string", "How long ago the object was created."};

std::string or_else(std::string text, std::string_view instead) {
  return text.empty() ? std::string{instead} : std::move(text);
}

std::string age_since(std::string_view timestamp, WallTime now) {
  const auto time = parse_rfc3339(timestamp);
  return time ? short_duration(std::chrono::duration_cast<seconds>(now - *time)) : "<unknown>";
}

std::string age(const json& object, WallTime now) {
  return age_since(text_at(object, "metadata.creationTimestamp"), now);
}

std::string name(const json& object) {
  return text_at(object, "metadata.name");
}

// "a=b,c=d" of an object of strings.
std::string pairs(const json& object, std::string_view path) {
  const auto& map = lookup(object, path);
  std::string text;
  if (!map.is_object()) return text;
  for (const auto& [key, value] : map.items()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key,
                        value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

// At most three, and how many more.
std::string shortened(const json& list, std::string_view field) {
  if (!list.is_array()) return {};
  constexpr std::size_t shown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, list.size()); ++i) {
    text += (i == 0 ? "" : ",") + text_at(list[i], field);
  }
  return list.size() > shown ? fmt::format("{} + {} more...", text, list.size() - shown) : text;
}

std::size_t size_at(const json& object, std::string_view path) {
  const auto& value = lookup(object, path);
  return value.is_array() || value.is_object() ? value.size() : 0;
}

// ---- core kinds: the columns that kubectl shows against Kubernetes -------------------------------------

std::string external_ips(const json& service) {
  const auto type = text_at(service, "spec.type");
  auto fixed = joined_at(service, "spec.externalIPs");
  if (type != "LoadBalancer") {
    return type == "ExternalName" ? text_at(service, "spec.externalName") : or_else(fixed, "<none>");
  }
  std::string all;
  const auto& ingress = lookup(service, "status.loadBalancer.ingress");
  for (std::size_t i = 0; ingress.is_array() && i < ingress.size(); ++i) {
    const auto address = or_else(text_at(ingress[i], "ip"), text_at(ingress[i], "hostname"));
    if (!all.empty() && !address.empty()) all += ",";
    all += address;
  }
  if (!fixed.empty()) all += (all.empty() ? "" : ",") + fixed;
  return or_else(all, "<pending>");
}

std::string service_ports(const json& service) {
  std::string all;
  const auto& ports = lookup(service, "spec.ports");
  for (std::size_t i = 0; ports.is_array() && i < ports.size(); ++i) {
    const auto node_port = text_at(ports[i], "nodePort");
    all += fmt::format("{}{}{}/{}", all.empty() ? "" : ",", text_at(ports[i], "port"),
                       node_port.empty() || node_port == "0" ? "" : ":" + node_port,
                       or_else(text_at(ports[i], "protocol"), "TCP"));
  }
  return or_else(all, "<none>");
}

constexpr std::array service_columns{
    name_column,
    Column{"Type", "string", "How the service is reachable."},
    Column{"Cluster-IP", "string", "The address inside the cluster, where there is one."},
    Column{"External-IP", "string", "The addresses that were assigned to it."},
    Column{"Port(s)", "string", "Ports and protocols."},
    age_column,
    Column{"Selector", "string", "Which pods are behind it.", wide},
};
json service_cells(const json& service, WallTime now) {
  return {name(service),
          or_else(text_at(service, "spec.type"), "ClusterIP"),
          or_else(text_at(service, "spec.clusterIP"), "<none>"),
          external_ips(service),
          service_ports(service),
          age(service, now),
          or_else(pairs(service, "spec.selector"), "<none>")};
}

std::string node_status(const json& node) {
  std::string status = "Unknown";
  const auto& conditions = lookup(node, "status.conditions");
  for (std::size_t i = 0; conditions.is_array() && i < conditions.size(); ++i) {
    if (text_at(conditions[i], "type") == "Ready") {
      status = text_at(conditions[i], "status") == "True" ? "Ready" : "NotReady";
    }
  }
  return lookup(node, "spec.unschedulable") == true ? status + ",SchedulingDisabled" : status;
}

std::string node_roles(const json& node) {
  constexpr std::string_view prefix = "node-role.kubernetes.io/";
  const auto& labels = lookup(node, "metadata.labels");
  std::string roles;
  if (!labels.is_object()) return "<none>";
  for (const auto& [label, value] : labels.items()) {
    if (label.starts_with(prefix)) roles += (roles.empty() ? "" : ",") + label.substr(prefix.size());
  }
  return or_else(roles, "<none>");
}

std::string node_address(const json& node, std::string_view type) {
  const auto& addresses = lookup(node, "status.addresses");
  for (std::size_t i = 0; addresses.is_array() && i < addresses.size(); ++i) {
    if (text_at(addresses[i], "type") == type) return text_at(addresses[i], "address");
  }
  return "<none>";
}

constexpr std::array node_columns{
    name_column,
    Column{"Status", "string", "Whether the node is ready."},
    Column{"Roles", "string", "From its node-role labels."},
    age_column,
    Column{"Version", "string", "Of the kubelet."},
    Column{"Internal-IP", "string", "The node's own address.", wide},
    Column{"External-IP", "string", "The address others know it by.", wide},
};
json node_cells(const json& node, WallTime now) {
  return {name(node),
          node_status(node),
          node_roles(node),
          age(node, now),
          text_at(node, "status.nodeInfo.kubeletVersion"),
          node_address(node, "InternalIP"),
          node_address(node, "ExternalIP")};
}

constexpr std::array namespace_columns{name_column, Column{"Status", "string", "Active or Terminating."}, age_column};
json namespace_cells(const json& object, WallTime now) {
  return {name(object), text_at(object, "status.phase"), age(object, now)};
}

constexpr std::array secret_columns{name_column, Column{"Type", "string", "What the data is for."},
                                    Column{"Data", "integer", "How many keys it has."}, age_column};
json secret_cells(const json& secret, WallTime now) {
  return {name(secret), text_at(secret, "type"), size_at(secret, "data"), age(secret, now)};
}

std::string endpoint_addresses(const json& slice) {
  auto all = json::array();
  const auto& endpoints = lookup(slice, "endpoints");
  for (std::size_t i = 0; endpoints.is_array() && i < endpoints.size(); ++i) {
    const auto& addresses = lookup(endpoints[i], "addresses");
    for (std::size_t k = 0; addresses.is_array() && k < addresses.size(); ++k)
      all.push_back({{"address", addresses[k]}});
  }
  return or_else(shortened(all, "address"), "<unset>");
}

constexpr std::array slice_columns{name_column, Column{"AddressType", "string", "IPv4 or IPv6."},
                                   Column{"Ports", "string", "Of all endpoints."},
                                   Column{"Endpoints", "string", "Addresses, the first of them."}, age_column};
json slice_cells(const json& slice, WallTime now) {
  return {name(slice), text_at(slice, "addressType"), or_else(shortened(lookup(slice, "ports"), "port"), "<unset>"),
          endpoint_addresses(slice), age(slice, now)};
}

constexpr std::array event_columns{
    Column{"Last Seen", "string", "How long ago it happened last."},
    Column{"Type", "string", "Normal or Warning."},
    Column{"Reason", "string", "Why, in one word."},
    Column{"Object", "string", "What it is about."},
    Column{"Source", "string", "Who says so.", wide},
    Column{"Message", "string", "What happened."},
    Column{"First Seen", "string", "How long ago it happened first.", wide},
    Column{"Count", "string", "How often.", wide},
    Column{"Name", "string", "The name of the event itself.", wide},
};
json event_cells(const json& event, WallTime now) {
  const auto created = text_at(event, "metadata.creationTimestamp");
  auto kind = text_at(event, "involvedObject.kind");
  std::ranges::transform(kind, kind.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return {age_since(or_else(text_at(event, "lastTimestamp"), created), now),
          text_at(event, "type"),
          text_at(event, "reason"),
          fmt::format("{}/{}", kind, text_at(event, "involvedObject.name")),
          or_else(text_at(event, "source.component"), text_at(event, "reportingComponent")),
          text_at(event, "message"),
          age_since(or_else(text_at(event, "firstTimestamp"), created), now),
          or_else(text_at(event, "count"), "1"),
          name(event)};
}

// ---- herald.dev -----------------------------------------------------------------------------------------

// Of one family or both: "12", "12/3" (IPv4/IPv6), "" before the allocator has said.
std::string per_family(const json& pool, std::string_view what) {
  const auto v4 = text_at(pool, fmt::format("status.{}IPv4", what));
  const auto v6 = text_at(pool, fmt::format("status.{}IPv6", what));
  return v4.empty() || v6.empty() || v6 == "0" ? or_else(v4, v6) : v4 == "0" ? v6 : fmt::format("{}/{}", v4, v6);
}

// Of one of its conditions.
std::string condition(const json& object, std::string_view type, std::string_view what) {
  const auto& conditions = lookup(object, "status.conditions");
  for (std::size_t i = 0; conditions.is_array() && i < conditions.size(); ++i)
    if (text_at(conditions[i], "type") == type) return text_at(conditions[i], what);
  return {};
}

constexpr Column accepted_column{"Accepted", "string", "Whether it is used as it is written."};
constexpr Column reason_column{"Reason", "string", "Why it is accepted or not.", wide};
constexpr Column state_column{"State", "string", "Effective, or the first reason why nothing comes of it."};
std::string accepted(const json& object) {
  return condition(object, "Accepted", "status");
}
std::string reason(const json& object) {
  return condition(object, "Accepted", "reason");
}
std::string state(const json& object) {
  return condition(object, "Effective", "reason");
}

constexpr std::array pool_columns{
    name_column,
    Column{"Auto-Assign", "string", "Whether services get its addresses without asking for this pool."},
    Column{"Avoid-Buggy-IPs", "string", "Whether .0 and .255 are left out.", wide},
    Column{"Addresses", "string", "Ranges and prefixes."},
    Column{"Assigned", "string", "Addresses in use, IPv4/IPv6."},
    Column{"Free", "string", "Addresses left, IPv4/IPv6."},
    accepted_column,
    reason_column,
    age_column};
json pool_cells(const json& pool, WallTime now) {
  return {name(pool),
          or_else(text_at(pool, "spec.autoAssign"), "true"),
          or_else(text_at(pool, "spec.avoidBuggyIPs"), "false"),
          joined_at(pool, "spec.addresses"),
          per_family(pool, "assigned"),
          per_family(pool, "available"),
          accepted(pool),
          reason(pool),
          age(pool, now)};
}

constexpr std::array peer_columns{name_column,
                                  Column{"Address", "string", "Of the neighbour."},
                                  Column{"ASN", "string", "Of the neighbour."},
                                  accepted_column,
                                  Column{"Established", "string", "On how many of the nodes that it runs on."},
                                  reason_column,
                                  Column{"My-ASN", "string", "Where it is not that of BGPConfiguration.", wide},
                                  Column{"Hold-Time", "string", "As proposed to the neighbour.", wide},
                                  Column{"Passive", "string", "Whether only the neighbour connects.", wide},
                                  Column{"Shutdown", "string", "Whether it is held down on purpose."},
                                  age_column};
json peer_cells(const json& peer, WallTime now) {
  return {name(peer),
          text_at(peer, "spec.peerAddress"),
          or_else(text_at(peer, "spec.peerASN"), text_at(peer, "spec.dynamicASN")),
          accepted(peer),
          text_at(peer, "status.sessions.summary"),
          reason(peer),
          text_at(peer, "spec.myASN"),
          or_else(text_at(peer, "spec.holdTime"), "90s"),
          or_else(text_at(peer, "spec.passive"), "false"),
          or_else(text_at(peer, "spec.shutdown"), "false"),
          age(peer, now)};
}

constexpr std::array configuration_columns{name_column,
                                           Column{"ASN", "string", "Of the node."},
                                           Column{"Router-ID", "string", "Where it is not chosen."},
                                           Column{"Port", "string", "On which it listens; 0: it does not."},
                                           accepted_column,
                                           reason_column,
                                           age_column};
json configuration_cells(const json& object, WallTime now) {
  return {name(object),
          text_at(object, "spec.asn"),
          text_at(object, "spec.routerID"),
          or_else(text_at(object, "spec.listen.port"), "179"),
          accepted(object),
          reason(object),
          age(object, now)};
}

constexpr std::array advertisement_columns{name_column,
                                           Column{"Pools", "string", "Whose addresses are announced."},
                                           Column{"Prefixes", "string", "What is announced besides."},
                                           Column{"Peers", "string", "To whom; empty: to all."},
                                           Column{"Communities", "string", "Attached to the routes.", wide},
                                           Column{"Local-Pref", "string", "For internal peers.", wide},
                                           accepted_column,
                                           state_column,
                                           reason_column,
                                           age_column};
json advertisement_cells(const json& object, WallTime now) {
  return {name(object),
          joined_at(object, "spec.ipAddressPools"),
          joined_at(object, "spec.prefixes"),
          joined_at(object, "spec.peers"),
          joined_at(object, "spec.communities"),
          text_at(object, "spec.localPref"),
          accepted(object),
          state(object),
          reason(object),
          age(object, now)};
}

constexpr std::array filter_columns{name_column, Column{"Rules", "integer", "How many rules it has."}, accepted_column,
                                    reason_column, age_column};
json filter_cells(const json& object, WallTime now) {
  return {name(object), size_at(object, "spec.rules"), accepted(object), reason(object), age(object, now)};
}

constexpr std::array bfd_columns{name_column,
                                 Column{"Receive", "string", "Milliseconds."},
                                 Column{"Transmit", "string", "Milliseconds."},
                                 Column{"Multiplier", "string", "Lost packets that mean a lost neighbour."},
                                 Column{"Echo", "string", "Whether echoes are sent.", wide},
                                 Column{"Passive", "string", "Whether the neighbour begins.", wide},
                                 Column{"Authentication", "string", "How packets are signed."},
                                 accepted_column,
                                 reason_column,
                                 age_column};
json bfd_cells(const json& object, WallTime now) {
  return {name(object),
          or_else(text_at(object, "spec.receiveInterval"), "300"),
          or_else(text_at(object, "spec.transmitInterval"), "300"),
          or_else(text_at(object, "spec.detectMultiplier"), "3"),
          or_else(text_at(object, "spec.echoMode"), "false"),
          or_else(text_at(object, "spec.passiveMode"), "false"),
          text_at(object, "spec.authentication.type"),
          accepted(object),
          reason(object),
          age(object, now)};
}

constexpr std::array layer2_columns{name_column,
                                    Column{"Pools", "string", "Whose addresses are answered for."},
                                    Column{"Interfaces", "string", "On which; empty: on all."},
                                    accepted_column,
                                    state_column,
                                    reason_column,
                                    age_column};
json layer2_cells(const json& object, WallTime now) {
  return {name(object),
          joined_at(object, "spec.ipAddressPools"),
          joined_at(object, "spec.interfaces"),
          accepted(object),
          state(object),
          reason(object),
          age(object, now)};
}

constexpr std::array community_columns{name_column, Column{"Aliases", "integer", "How many names it gives."},
                                       accepted_column, reason_column, age_column};
json community_cells(const json& object, WallTime now) {
  return {name(object), size_at(object, "spec.communities"), accepted(object), reason(object), age(object, now)};
}

constexpr std::array speaker_columns{name_column, Column{"Heartbeat", "string", "Goes up while the speaker lives."},
                                     Column{"Interfaces", "string", "The first of them."},
                                     Column{"Draining", "string", "Whether it is on its way out."}, age_column};
json speaker_cells(const json& object, WallTime now) {
  return {name(object), text_at(object, "spec.heartbeat"), shortened(lookup(object, "spec.interfaces"), "name"),
          or_else(text_at(object, "spec.draining"), "false"), age(object, now)};
}

struct Printer {
  std::span<const Column> columns;
  json (*cells)(const json&, WallTime);
};

const Printer& printer(Kind kind) {
  static const std::map<Kind, Printer> printers{
      {Kind::IPAddressPool, {pool_columns, pool_cells}},
      {Kind::Community, {community_columns, community_cells}},
      {Kind::BGPPeer, {peer_columns, peer_cells}},
      {Kind::BGPConfiguration, {configuration_columns, configuration_cells}},
      {Kind::BGPAdvertisement, {advertisement_columns, advertisement_cells}},
      {Kind::BGPFilter, {filter_columns, filter_cells}},
      {Kind::BFDProfile, {bfd_columns, bfd_cells}},
      {Kind::L2Advertisement, {layer2_columns, layer2_cells}},
      {Kind::SpeakerState, {speaker_columns, speaker_cells}},
      {Kind::Service, {service_columns, service_cells}},
      {Kind::EndpointSlice, {slice_columns, slice_cells}},
      {Kind::Node, {node_columns, node_cells}},
      {Kind::Namespace, {namespace_columns, namespace_cells}},
      {Kind::Secret, {secret_columns, secret_cells}},
      {Kind::Event, {event_columns, event_cells}},
  };
  return printers.at(kind);
}

}  // namespace

std::span<const Column> columns(Kind kind) {
  return printer(kind).columns;
}

json cells(Kind kind, const json& object, WallTime now) {
  return printer(kind).cells(object, now);
}

std::string short_duration(seconds duration) {
  const auto total = duration.count();
  if (total < -1) return "<invalid>";
  if (total < 0) return "0s";
  if (total < 120) return fmt::format("{}s", total);
  // The larger unit, and the smaller one while the larger is still small.
  const auto two = [](std::int64_t count, std::int64_t per, char large, char small) {
    return count % per == 0 ? fmt::format("{}{}", count / per, large)
                            : fmt::format("{}{}{}{}", count / per, large, count % per, small);
  };
  const auto minutes = total / 60;
  if (minutes < 10) return two(total, 60, 'm', 's');
  if (minutes < 180) return fmt::format("{}m", minutes);
  const auto hours = minutes / 60;
  if (hours < 8) return two(minutes, 60, 'h', 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  const auto days = hours / 24;
  if (days < 8) return two(hours, 24, 'd', 'h');
  if (days < 730) return fmt::format("{}d", days);
  if (days < 8L * 365) return two(days, 365, 'y', 'd');
  return fmt::format("{}y", days / 365);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  std::tm parts{};
  const std::string terminated{text};
  const auto* rest = strptime(terminated.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.')
    rest += std::min(std::string_view{rest}.find_first_not_of("0123456789", 1), std::string_view{rest}.size());
  // Only what this API and Kubernetes write: times in UTC.
  if (std::string_view{rest} != "Z") return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace controller
