// SPDX-License-Identifier: Apache-2.0
#include "controller/kubernetes/crd_rules.hpp"

#include <array>

namespace controller {
namespace {

// Expressions of CEL cost by the longest list they may meet, so lists with rules below them have a bound.

constexpr auto pool = std::to_array<CrdRule>({
    {"", R"({"required": ["spec"]})"},
    {"spec", R"({"required": ["addresses"]})"},
    {"spec.addresses[]", R"({"minItems": 1, "maxItems": 1024, "x-kubernetes-list-type": "atomic"})"},
    {"spec.autoAssign", R"({"default": true})"},
    {"spec.avoidBuggyIPs", R"({"default": false})"},
    {"spec.quarantine", R"({"default": "60s"})"},
    {"spec.serviceAllocation.priority", R"({"minimum": 0, "maximum": 2147483647})"},
});

constexpr auto community = std::to_array<CrdRule>({
    {"", R"({"required": ["spec"]})"},
    {"spec.communities[]",
     R"({"maxItems": 1024, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]})"},
    {"spec.communities[]*", R"({"required": ["name", "value"]})"},
    {"spec.communities[].name", R"({"minLength": 1, "pattern": "^[^:*]+$"})"},
});

constexpr auto peer = std::to_array<CrdRule>({
    {"", R"({"required": ["spec"]})"},
    {"spec", R"js({"x-kubernetes-validations": [
      {"rule": "has(self.peerASN) != has(self.dynamicASN)", "message": "exactly one of peerASN and dynamicASN must be given"},
      {"rule": "!(has(self.password) && has(self.passwordSecret))", "message": "password and passwordSecret exclude each other"}
    ]})js"},
    {"spec.peerPort", R"({"minimum": 1, "maximum": 65535, "default": 179})"},
    {"spec.peerASN", R"({"minimum": 1, "maximum": 4294967295})"},
    {"spec.myASN", R"({"minimum": 1, "maximum": 4294967295})"},
    {"spec.dynamicASN", R"({"enum": ["internal", "external"]})"},
    {"spec.holdTime", R"js({"x-kubernetes-validations": [
      {"rule": "duration(self) == duration('0s') || duration(self) >= duration('3s')", "message": "must be 0 or at least 3s"}
    ]})js"},
    {"spec.connectTime", R"({"default": "10s"})"},
    {"spec.passive", R"({"default": false})"},
    {"spec.bfdStrict", R"({"default": false})"},
    {"spec.ebgpMultiHop", R"({"default": false})"},
    {"spec.ttlSecurity", R"({"minimum": 1, "maximum": 254})"},
    {"spec.password", R"({"minLength": 1, "maxLength": 80})"},
    {"spec.passwordSecret", R"({"required": ["name"]})"},
    {"spec.maxPrefixes", R"({"minimum": 0, "maximum": 4294967295, "default": 10000})"},
    {"spec.shutdown", R"({"default": false})"},
    {"spec.shutdownMessage", R"({"maxLength": 255})"},
});

constexpr auto configuration = std::to_array<CrdRule>({
    {"", R"js({"x-kubernetes-validations": [
      {"rule": "self.metadata.name == 'default' || self.metadata.name.startsWith('node.')",
       "message": "the name must be default, or node. and the name of a node"}
    ]})js"},
    {"spec.asn", R"({"minimum": 1, "maximum": 4294967295})"},
    {"spec.listen.port", R"({"minimum": 0, "maximum": 65535, "default": 179})"},
    {"spec.kernel.install", R"({"default": true})"},
    {"spec.kernel.table", R"({"minimum": 1, "maximum": 4294967295, "default": 254})"},
    {"spec.kernel.metric", R"({"minimum": 0, "maximum": 4294967295, "default": 20})"},
    {"spec.kernel.protocol", R"({"minimum": 5, "maximum": 255, "default": 201})"},
    {"spec.kernel.installBeforeAdvertising", R"({"default": false})"},
    {"spec.kernel", R"js({"x-kubernetes-validations": [
      {"rule": "self.install || !self.installBeforeAdvertising",
       "message": "installBeforeAdvertising must be false where install is: no route would ever be advertised"}
    ]})js"},
    {"spec.alwaysCompareMED", R"({"default": false})"},
    {"spec.multipath.maximumPaths", R"({"minimum": 1, "maximum": 512, "default": 64})"},
    {"spec.multipath.relax", R"({"default": true})"},
});

constexpr auto advertisement = std::to_array<CrdRule>({
    {"spec.aggregationLength", R"({"minimum": 1, "maximum": 32, "default": 32})"},
    {"spec.aggregationLengthV6", R"({"minimum": 1, "maximum": 128, "default": 128})"},
    {"spec.localPref", R"({"minimum": 0, "maximum": 4294967295})"},
    {"spec.med", R"({"minimum": 0, "maximum": 4294967295})"},
    {"spec.prepend", R"({"minimum": 0, "maximum": 16, "default": 0})"},
    {"spec.communities[]", R"({"maxItems": 63, "x-kubernetes-list-type": "set"})"},
    {"spec", R"js({"x-kubernetes-validations": [
      {"rule": "!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || (self.aggregationLength == 32 && self.aggregationLengthV6 == 128)",
       "message": "serviceSelectors can only be used with aggregationLength 32 and aggregationLengthV6 128"}
    ]})js"},
});

constexpr auto filter = std::to_array<CrdRule>({
    {"", R"js({"required": ["spec"], "x-kubernetes-validations": [
      {"rule": "!(self.metadata.name in ['accept-all', 'reject-all'])", "message": "a filter of that name is built in"}
    ]})js"},
    {"spec.rules[]", R"({"maxItems": 1024, "x-kubernetes-list-type": "atomic"})"},
    {"spec.rules[]*", R"({"required": ["action"]})"},
    {"spec.rules[].action", R"({"enum": ["accept", "reject", "next"]})"},
    {"spec.rules[].match.prefixes[]", R"({"maxItems": 1024, "x-kubernetes-list-type": "atomic"})"},
    {"spec.rules[].match.prefixes[]*", R"({"required": ["cidr"]})"},
    {"spec.rules[].match.prefixes[].ge", R"({"minimum": 0, "maximum": 128})"},
    {"spec.rules[].match.prefixes[].le", R"({"minimum": 0, "maximum": 128})"},
    {"spec.rules[].match.family", R"({"enum": ["ipv4-unicast", "ipv6-unicast"]})"},
    {"spec.rules[].match.origin", R"({"enum": ["igp", "egp", "incomplete"]})"},
    {"spec.rules[].set.localPref", R"({"minimum": 0, "maximum": 4294967295})"},
    {"spec.rules[].set.med", R"({"minimum": 0, "maximum": 4294967295})"},
    {"spec.rules[].set.aigp", R"({"minimum": 0, "maximum": 4294967295})"},
    {"spec.rules[].set.prepend", R"({"minimum": 0, "maximum": 16})"},
});

constexpr auto layer2 = std::to_array<CrdRule>({
    {"spec.preferredNodeSelectors[]*", R"({"required": ["weight", "preference"]})"},
    {"spec.preferredNodeSelectors[].weight", R"({"minimum": 1, "maximum": 100})"},
});

constexpr auto speaker = std::to_array<CrdRule>({
    {"", R"({"required": ["spec"]})"},
    {"spec.interfaces[]*", R"({"required": ["name"]})"},
});

constexpr PrinterColumn age{"Age", "date", ".metadata.creationTimestamp"};
constexpr PrinterColumn accepted{"Accepted", "string", R"(.status.conditions[?(@.type=="Accepted")].status)"};
constexpr PrinterColumn reason{"Reason", "string", R"(.status.conditions[?(@.type=="Accepted")].reason)", 1};
constexpr PrinterColumn effective{"State", "string", R"(.status.conditions[?(@.type=="Effective")].reason)"};

constexpr std::array pool_columns{PrinterColumn{"Auto Assign", "boolean", ".spec.autoAssign"},
                                  PrinterColumn{"Avoid Buggy IPs", "boolean", ".spec.avoidBuggyIPs", 1},
                                  PrinterColumn{"Addresses", "string", ".spec.addresses"},
                                  PrinterColumn{"Assigned", "integer", ".status.assignedIPv4"},
                                  PrinterColumn{"Free", "integer", ".status.availableIPv4"},
                                  PrinterColumn{"Assigned IPv6", "integer", ".status.assignedIPv6", 1},
                                  PrinterColumn{"Free IPv6", "integer", ".status.availableIPv6", 1},
                                  accepted,
                                  reason,
                                  age};
constexpr std::array community_columns{PrinterColumn{"Names", "string", ".spec.communities[*].name"}, accepted, reason,
                                       age};
constexpr auto bfd = std::to_array<CrdRule>({
    {"spec.receiveInterval", R"({"minimum": 10, "maximum": 60000, "default": 300})"},
    {"spec.transmitInterval", R"({"minimum": 10, "maximum": 60000, "default": 300})"},
    {"spec.detectMultiplier", R"({"minimum": 2, "maximum": 255, "default": 3})"},
    {"spec.echoInterval", R"({"minimum": 10, "maximum": 60000, "default": 50})"},
    {"spec.echoMode", R"({"default": false})"},
    {"spec.passiveMode", R"({"default": false})"},
    {"spec.minimumTtl", R"({"minimum": 1, "maximum": 254, "default": 254})"},
    {"spec.authentication", R"({"required": ["type", "secret"]})"},
    {"spec.authentication.type",
     R"({"enum": ["simple-password", "keyed-md5", "meticulous-keyed-md5", "keyed-sha1", "meticulous-keyed-sha1"]})"},
    {"spec.authentication.keyID", R"({"minimum": 0, "maximum": 255, "default": 1})"},
    {"spec.authentication.secret", R"({"required": ["name"]})"},
});

constexpr std::array bfd_columns{PrinterColumn{"Receive", "integer", ".spec.receiveInterval"},
                                 PrinterColumn{"Transmit", "integer", ".spec.transmitInterval"},
                                 PrinterColumn{"Multiplier", "integer", ".spec.detectMultiplier"},
                                 accepted,
                                 reason,
                                 age};
constexpr std::array peer_columns{PrinterColumn{"Address", "string", ".spec.peerAddress"},
                                  PrinterColumn{"ASN", "string", ".spec.peerASN"},
                                  accepted,
                                  PrinterColumn{"Established", "string", ".status.sessions.summary"},
                                  reason,
                                  PrinterColumn{"Passive", "boolean", ".spec.passive", 1},
                                  PrinterColumn{"Shutdown", "boolean", ".spec.shutdown", 1},
                                  age};
constexpr std::array configuration_columns{PrinterColumn{"ASN", "integer", ".spec.asn"},
                                           PrinterColumn{"Router ID", "string", ".spec.routerID"}, accepted, reason,
                                           age};
constexpr std::array advertisement_columns{PrinterColumn{"Pools", "string", ".spec.ipAddressPools"},
                                           PrinterColumn{"Peers", "string", ".spec.peers"},
                                           accepted,
                                           effective,
                                           PrinterColumn{"Communities", "string", ".spec.communities", 1},
                                           reason,
                                           age};
constexpr std::array filter_columns{PrinterColumn{"Rules", "string", ".spec.rules[*].name"}, accepted, reason, age};
constexpr std::array layer2_columns{PrinterColumn{"Pools", "string", ".spec.ipAddressPools"},
                                    PrinterColumn{"Interfaces", "string", ".spec.interfaces"},
                                    accepted,
                                    effective,
                                    reason,
                                    age};
constexpr std::array speaker_columns{PrinterColumn{"Heartbeat", "integer", ".spec.heartbeat"},
                                     PrinterColumn{"Interval", "string", ".spec.heartbeatInterval"},
                                     PrinterColumn{"Draining", "boolean", ".spec.draining"},
                                     PrinterColumn{"Sessions", "string", ".spec.sessions", 1},
                                     PrinterColumn{"Owned", "string", ".spec.owned", 1},
                                     age};

}  // namespace

std::span<const CrdRule> crd_rules(config::Kind kind) {
  switch (kind) {
    case config::Kind::IPAddressPool:
      return pool;
    case config::Kind::Community:
      return community;
    case config::Kind::BGPPeer:
      return peer;
    case config::Kind::BGPConfiguration:
      return configuration;
    case config::Kind::BGPAdvertisement:
      return advertisement;
    case config::Kind::BGPFilter:
      return filter;
    case config::Kind::BFDProfile:
      return bfd;
    case config::Kind::L2Advertisement:
      return layer2;
    case config::Kind::SpeakerState:
      return speaker;
    default:
      return {};
  }
}

std::span<const PrinterColumn> printer_columns(config::Kind kind) {
  switch (kind) {
    case config::Kind::IPAddressPool:
      return pool_columns;
    case config::Kind::Community:
      return community_columns;
    case config::Kind::BGPPeer:
      return peer_columns;
    case config::Kind::BGPConfiguration:
      return configuration_columns;
    case config::Kind::BGPAdvertisement:
      return advertisement_columns;
    case config::Kind::BGPFilter:
      return filter_columns;
    case config::Kind::BFDProfile:
      return bfd_columns;
    case config::Kind::L2Advertisement:
      return layer2_columns;
    case config::Kind::SpeakerState:
      return speaker_columns;
    default:
      return {};
  }
}

}  // namespace controller
