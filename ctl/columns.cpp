// SPDX-License-Identifier: Apache-2.0
#include "ctl/columns.hpp"

#include <ctime>

namespace ctl {
namespace {

using nlohmann::json;
using Row = std::vector<Cell>;

std::string joined(const json& object, const char* pointer, const char* key = nullptr) {
  const auto path = json::json_pointer{pointer};
  std::string text;
  if (!object.contains(path) || !object[path].is_array()) return text;
  for (const auto& entry : object[path]) {
    const auto& value = key == nullptr ? entry : entry.contains(key) ? entry[key] : json{};
    if (value.is_null()) continue;
    text += (text.empty() ? "" : ",") + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

std::string count(const json& object, const char* pointer) {
  const auto path = json::json_pointer{pointer};
  return std::to_string(object.contains(path) ? object[path].size() : 0);
}

std::string or_all(const std::string& text) {
  return text.empty() ? "all" : text;
}

const json* condition(const json& object, const std::string& type) {
  const auto path = "/status/conditions"_json_pointer;
  if (!object.contains(path)) return nullptr;
  for (const auto& entry : object[path])
    if (entry.value("type", "") == type) return &entry;
  return nullptr;
}

Row service(const json& o) {
  const auto* assigned = condition(o, "herald.dev/Assigned");
  const auto good = assigned != nullptr && assigned->value("status", "") == "True";
  const auto state =
      assigned == nullptr ? Cell{"-"} : Cell{assigned->value("reason", ""), good ? Colour::Good : Colour::Bad};
  return {at(o, "/spec/type"), joined(o, "/status/loadBalancer/ingress", "ip"), joined(o, "/spec/ports", "port"),
          state};
}

// Whether a condition holds; else why not. A dash where nobody says, such as in files.
Cell held(const json& object, const std::string& type, const char* yes) {
  const auto* said = condition(object, type);
  if (said == nullptr) return Cell{"-"};
  const auto good = said->value("status", "") == "True";
  return {good ? yes : said->value("reason", ""), good ? Colour::Good : Colour::Bad};
}

Cell accepted(const json& object) {
  return held(object, "Accepted", "True");
}

Row pool(const json& o) {
  return {joined(o, "/spec/addresses"), at(o, "/status/assignedIPv4") + "/" + at(o, "/status/assignedIPv6"),
          at(o, "/status/availableIPv4") + "/" + at(o, "/status/availableIPv6"), accepted(o)};
}

Row peer(const json& o) {
  const auto asn = at(o, "/spec/peerASN");
  const auto down = at(o, "/spec/shutdown") == "true";
  const auto* established = condition(o, "Established");
  const auto up = established != nullptr && established->value("status", "") == "True";
  return {asn.empty() ? at(o, "/spec/dynamicASN") : asn,
          at(o, "/spec/peerAddress"),
          accepted(o),
          Cell{at(o, "/status/sessions/summary"), up ? Colour::Good : Colour::Bad},
          joined(o, "/spec/import"),
          joined(o, "/spec/export"),
          Cell{down ? "shutdown" : "", Colour::Warning}};
}

Row bgp_configuration(const json& o) {
  return {at(o, "/spec/asn"), at(o, "/spec/routerID"), joined(o, "/spec/import"), accepted(o)};
}

Row bgp_advertisement(const json& o) {
  const auto prefixes = joined(o, "/spec/prefixes");
  const auto by_label = o.contains("/spec/ipAddressPoolSelectors"_json_pointer);
  const auto pools = joined(o, "/spec/ipAddressPools");
  return {!pools.empty()     ? pools
          : by_label         ? "by label"
          : prefixes.empty() ? "all"
                             : "",
          prefixes, or_all(joined(o, "/spec/peers")), joined(o, "/spec/communities"),
          held(o, "Effective", "Effective")};
}

Row layer2_advertisement(const json& o) {
  const auto by_label = o.contains("/spec/ipAddressPoolSelectors"_json_pointer);
  const auto pools = joined(o, "/spec/ipAddressPools");
  return {pools.empty() && by_label ? "by label" : or_all(pools), or_all(joined(o, "/spec/interfaces")),
          held(o, "Effective", "Effective")};
}

Row node(const json& o) {
  const auto* ready = condition(o, "Ready");
  const auto good = ready == nullptr || ready->value("status", "") == "True";
  const auto cordoned = at(o, "/spec/unschedulable") == "true";
  return {Cell{!good      ? "NotReady"
               : cordoned ? "Cordoned"
                          : "Ready",
               good && !cordoned ? Colour::Good : Colour::Warning},
          joined(o, "/status/addresses", "address")};
}

Row event(const json& o) {
  return {Cell{at(o, "/type"), at(o, "/type") == "Normal" ? Colour::None : Colour::Warning}, at(o, "/reason"),
          at(o, "/involvedObject/name"), at(o, "/message")};
}

Row bfd_profile(const json& o) {
  const auto or_else = [&](const char* path, const char* fallback) {
    const auto said = at(o, path);
    return said.empty() ? std::string{fallback} : said;
  };
  return {or_else("/spec/receiveInterval", "300") + "ms", or_else("/spec/transmitInterval", "300") + "ms",
          or_else("/spec/detectMultiplier", "3"),         or_else("/spec/echoMode", "false"),
          or_else("/spec/authentication/type", "none"),   accepted(o)};
}

}  // namespace

Columns columns_of(const config::KindInfo& kind) {
  using config::Kind;
  switch (kind.kind) {
    case Kind::Service:
      return {{"TYPE", "ADDRESSES", "PORTS", "STATE"}, service};
    case Kind::IPAddressPool:
      return {{"ADDRESSES", "ASSIGNED", "FREE", "ACCEPTED"}, pool};
    case Kind::BGPPeer:
      return {{"ASN", "ADDRESS", "ACCEPTED", "ESTABLISHED", "IMPORT", "EXPORT", "ADMIN"}, peer};
    case Kind::BGPConfiguration:
      return {{"ASN", "ROUTER-ID", "IMPORT", "ACCEPTED"}, bgp_configuration};
    case Kind::BGPAdvertisement:
      return {{"POOLS", "PREFIXES", "PEERS", "COMMUNITIES", "STATE"}, bgp_advertisement};
    case Kind::BFDProfile:
      return {{"RECEIVE", "TRANSMIT", "MULTIPLIER", "ECHO", "AUTHENTICATION", "ACCEPTED"}, bfd_profile};
    case Kind::L2Advertisement:
      return {{"POOLS", "INTERFACES", "STATE"}, layer2_advertisement};
    case Kind::BGPFilter:
      return {{"RULES", "ACCEPTED"}, [](const json& o) -> Row { return {count(o, "/spec/rules"), accepted(o)}; }};
    case Kind::Community:
      return {{"NAMES", "ACCEPTED"}, [](const json& o) -> Row {
                return {joined(o, "/spec/communities", "name"), accepted(o)};
              }};
    case Kind::SpeakerState:
      return {{"HEARTBEAT", "OWNED", "INTERFACES"}, [](const json& o) -> Row {
                return {at(o, "/spec/heartbeat"), count(o, "/spec/owned"), joined(o, "/spec/interfaces", "name")};
              }};
    case Kind::EndpointSlice:
      return {{"SERVICE", "NODES"}, [](const json& o) -> Row {
                return {at(o, "/metadata/labels/kubernetes.io~1service-name"), joined(o, "/endpoints", "nodeName")};
              }};
    case Kind::Node:
      return {{"STATE", "ADDRESSES"}, node};
    case Kind::Secret:
      return {{"TYPE", "KEYS"}, [](const json& o) -> Row { return {at(o, "/type"), count(o, "/data")}; }};
    case Kind::Event:
      return {{"TYPE", "REASON", "OBJECT", "MESSAGE"}, event};
    default:
      return {{}, [](const json&) -> Row { return {}; }};
  }
}

std::string at(const json& object, const char* pointer) {
  const auto path = json::json_pointer{pointer};
  if (!object.contains(path)) return {};
  const auto& value = object[path];
  return value.is_string() ? value.get<std::string>() : value.is_null() ? std::string{} : value.dump();
}

std::string age_of(const std::string& timestamp, std::chrono::system_clock::time_point now) {
  std::tm parts{};
  if (::strptime(timestamp.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr) return "-";
  const auto then = std::chrono::system_clock::from_time_t(::timegm(&parts));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - then).count();
  if (seconds < 10) return std::to_string(seconds < 0 ? 0 : seconds) + "s";
  return age(seconds * 1000);
}

ObjectTable::ObjectTable(const config::KindInfo& kind, const Options& options,
                         std::chrono::system_clock::time_point now)
    : columns_{columns_of(kind)},
      namespaces_{options.all_namespaces && kind.namespaced()},
      wide_{options.format == Format::Wide},
      now_{now} {
  std::vector<std::string> header;
  if (namespaces_) header.emplace_back("NAMESPACE");
  header.emplace_back("NAME");
  header.insert(header.end(), columns_.header.begin(), columns_.header.end());
  header.emplace_back("AGE");
  if (wide_) header.emplace_back("LABELS");
  table_ = Table{std::move(header)};
}

void ObjectTable::add(const json& object) {
  Row row;
  if (namespaces_) row.emplace_back(at(object, "/metadata/namespace"));
  row.emplace_back(at(object, "/metadata/name"));
  for (auto& cell : columns_.row(object)) row.push_back(std::move(cell));
  row.emplace_back(age_of(at(object, "/metadata/creationTimestamp"), now_));
  if (wide_) row.emplace_back(at(object, "/metadata/labels"));
  for (auto& cell : row)
    if (cell.text.empty()) cell = Cell{"-"};
  table_.add(std::move(row));
}

}  // namespace ctl
