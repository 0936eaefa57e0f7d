// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "controller/api/schema_fields.hpp"

namespace controller {
namespace {

using enum SchemaField::Type;

constexpr auto pool = std::to_array<SchemaField>({
    {"spec.addresses[]",
     Text,
     "Ranges (10.0.0.1-10.0.0.9) and prefixes (10.0.0.0/24, 2001:db8::/120) of addresses.",
     {}},
    {"spec.autoAssign",
     Boolean,
     "Whether services get addresses from here without asking for this pool. Default true.",
     {}},
    {"spec.avoidBuggyIPs", Boolean, "Whether IPv4 addresses that end in .0 and .255 are left out. Default false.", {}},
    {"spec.quarantine",
     Duration,
     "How long a released address rests before another service may get it. Default 60s.",
     {}},
    {"spec.serviceAllocation", Object, "Which services the pool is for.", {}},
    {"spec.serviceAllocation.priority", Integer, "Lower goes first among the pools that fit; 0 goes last.", {}},
    {"spec.serviceAllocation.namespaces[]", Text, "Services in these namespaces.", {}},
    {"spec.serviceAllocation.namespaceSelectors[]", Selector, "Services in namespaces with these labels.", {}},
    {"spec.serviceAllocation.serviceSelectors[]", Selector, "Services with these labels.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.assignedIPv4", Integer, "Addresses in use.", {}},
    {"status.assignedIPv6", Integer, "Addresses in use.", {}},
    {"status.availableIPv4", TextOrInteger, "Addresses left.", {}},
    {"status.availableIPv6", TextOrInteger, "Addresses left.", {}},
    {"status.capacityIPv4", TextOrInteger, "Addresses that the pool can give out.", {}},
    {"status.capacityIPv6", TextOrInteger, "Addresses that the pool can give out.", {}},
    {"status.conditions[]", Any, "Accepted; herald.dev/Exhausted: whether a family has none left.", "type"},
    {"status.quarantinedIPv4", Integer, "Released addresses that rest before others get them.", {}},
    {"status.quarantinedIPv6", Integer, "Released addresses that rest before others get them.", {}},
});

constexpr auto community = std::to_array<SchemaField>({
    {"spec.communities[]", Object, "The names given.", {}},
    {"spec.communities[].name", Text, "The name, as advertisements and filters use it.", {}},
    {"spec.communities[].value", Text, "65001:100 or large:1:2:3.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not.", "type"},
});

constexpr auto peer = std::to_array<SchemaField>({
    {"spec.peerAddress", Text, "Address of the neighbour. Or interface, listenRange or peerSelectors.", {}},
    {"spec.interface", Text, "Its link; without peerAddress, whoever sends router advertisements there.", {}},
    {"spec.listenRange", Text, "Every address in it may connect.", {}},
    {"spec.maxDynamicPeers", Integer, "Of the range at a time. Default 100.", {}},
    {"spec.peerSelectors[]", Selector, "Nodes that are neighbours, by their InternalIP.", {}},
    {"spec.peerPort", Integer, "Its TCP port. Default 179.", {}},
    {"spec.peerASN", Integer, "Its AS number. Either this or dynamicASN.", {}},
    {"spec.dynamicASN", Text, "internal or external: any AS that is ours, or is not.", {}},
    {"spec.myASN", Integer, "Our AS number towards it. Default: that of BGPConfiguration.", {}},
    {"spec.sourceAddress", Text, "Address that sessions are opened from.", {}},
    {"spec.routerID", Text, "Router ID towards it. Default: that of BGPConfiguration.", {}},
    {"spec.holdTime", Duration, "0 or at least 3s. Default 90s.", {}},
    {"spec.keepaliveTime", Duration, "Default: a third of the hold time.", {}},
    {"spec.connectTime", Duration, "Between attempts to connect. Default 10s.", {}},
    {"spec.passive", Boolean, "Only the neighbour connects. Default false.", {}},
    {"spec.ebgpMultiHop", Any, "It is more than one hop away; auto: if it is external. Default false.", {}},
    {"spec.ttlSecurity", Integer, "It is at most this many hops away, 1 to 254; packets from farther are dropped.", {}},
    {"spec.password", Text, "TCP MD5 password, at most 80 bytes. Better: passwordSecret.", {}},
    {"spec.passwordSecret", Object, "The Secret that holds the TCP MD5 password.", {}},
    {"spec.passwordSecret.name", Text, "Its name.", {}},
    {"spec.passwordSecret.namespace", Text, "Its namespace.", {}},
    {"spec.passwordSecret.key", Text, "The key of it that is meant. Default: password.", {}},
    {"spec.tcpAO", Object, "TCP-AO, RFC 5925.", {}},
    {"spec.tcpAO.secret", Object, "The Secret that holds the keys, named 0 to 255 by their number.", {}},
    {"spec.tcpAO.secret.name", Text, "Its name.", {}},
    {"spec.tcpAO.secret.namespace", Text, "Its namespace.", {}},
    {"spec.tcpAO.algorithm", Text, "hmac-sha-1-96 or aes-128-cmac-96. Default hmac-sha-1-96.", {}},
    {"spec.bfdProfile", Text, "The BFDProfile by which the neighbour is watched. Default: not at all.", {}},
    {"spec.bfdStrict", Boolean, "The session waits until BFD is up. Default false.", {}},
    {"spec.bfdHoldTime", Duration, "It waits no longer than this. Default: for ever.", {}},
    {"spec.families[]", Text, "ipv4-unicast, ipv6-unicast. Default: both.", {}},
    {"spec.nodeSelectors[]", Selector, "Nodes that have the session. Default: all.", {}},
    {"spec.import[]", Text, "Filters for what comes in, in order: names of BGPFilter, accept-all, reject-all.", {}},
    {"spec.export[]", Text, "Filters for what goes out. Default: what this node announces, and nothing learned.", {}},
    {"spec.maxPrefixes", Integer, "Of each family; 0: no limit. Default 10000.", {}},
    {"spec.maxPrefixesAction", Text, "stop or warn, when there are more. Default stop.", {}},
    {"spec.maxPrefixesWarning", Integer, "Percent of it at which there is a warning; 0: none. Default 75.", {}},
    {"spec.maxPrefixesRestart", Duration, "How long after a stop the session is tried again. Default: never.", {}},
    {"spec.maxPrefixesOut", Integer, "How many prefixes of each family may be announced; 0: no limit.", {}},
    {"spec.keepRejected", Boolean, "Rejected routes are kept to be looked at. Default false.", {}},
    {"spec.localASN", Integer, "Our AS number towards it alone.", {}},
    {"spec.localASNOptions[]", Text, "no-prepend: not into received paths. replace-as: alone in announced ones.", {}},
    {"spec.routeReflectorClient", Boolean, "It is a client of this route reflector. Default false.", {}},
    {"spec.nextHopMode", Text, "Auto, Self or Keep. Default Auto.", {}},
    {"spec.nextHops[]", Text, "Next hops announced, one of a family, instead of our own address.", {}},
    {"spec.numAllowedLocalASNumbers", Integer, "How often our AS may stand in a received path. Default 0.", {}},
    {"spec.addPath", Object, "Several paths of a prefix (RFC 7911).", {}},
    {"spec.addPath.receive", Boolean, "Taken from it. Default false.", {}},
    {"spec.addPath.send", Integer, "Announced to it: so many, the best. Default 0: one, without an identifier.", {}},
    {"spec.acceptBlackhole", Boolean, "Packets for its routes with BLACKHOLE are dropped. Default false.", {}},
    {"spec.enforceFirstAS", Boolean, "Its AS is the first of its paths. Default true, but for role rs-client.", {}},
    {"spec.aigp", Boolean, "The accumulated IGP metric is taken and announced (RFC 7311). Default false.", {}},
    {"spec.asOverride", Boolean, "Its AS in announced paths becomes ours. Default false.", {}},
    {"spec.privateASNs", Text, "keep, remove or replace private AS numbers in announced paths. Default keep.", {}},
    {"spec.defaultOriginate", Object, "It always has a default route from us.", {}},
    {"spec.defaultOriginate.whenPresent[]", Text, "While all of these are in the tables.", {}},
    {"spec.enableGracefulRestart", Boolean, "As gracefulRestart with mode full. Default false.", {}},
    {"spec.gracefulRestart", Object, "RFC 4724.", {}},
    {"spec.gracefulRestart.mode",
     Text,
     "off; helper: its routes outlive its restart; full: and ours. Default helper.",
     {}},
    {"spec.gracefulRestart.restartTime", Duration, "How long it waits for us. Default 120s.", {}},
    {"spec.gracefulRestart.stalePathTime", Duration, "For all its routes, when it is back. Default 360s.", {}},
    {"spec.gracefulRestart.longLivedStaleTime", Duration, "Stale routes as a last resort after that. Default 0s.", {}},
    {"spec.gracefulRestart.notification", Boolean, "Routes outlive NOTIFICATIONs, too. Default true.", {}},
    {"spec.gracefulShutdown", Boolean, "The session is about to go, RFC 8326. Default false.", {}},
    {"spec.honorGracefulShutdown", Boolean, "Its routes that say so are a last resort. Default true.", {}},
    {"spec.role", Text, "What this node is to it: provider, rs, rs-client, customer or peer. RFC 9234.", {}},
    {"spec.roleStrict", Boolean, "It must say its role. Default false.", {}},
    {"spec.shutdown", Boolean, "Held down on purpose. Default false.", {}},
    {"spec.shutdownMessage", Text, "What the neighbour is told then.", {}},
    {"spec.description", Text, "For people.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not; Established: on every node it runs on that has a live speaker.",
     "type"},
    {"status.sessions", Object, "Its sessions, on nodes with a live speaker.", {}},
    {"status.sessions.nodes", Integer, "On so many nodes it runs.", {}},
    {"status.sessions.established", Integer, "On so many of them its session is established.", {}},
    {"status.sessions.summary", Text, "Both in short: 2/3.", {}},
    {"status.sessions.notEstablished[]", Text, "Nodes where it is not, the first of them.", {}},
});

constexpr auto configuration = std::to_array<SchemaField>({
    {"spec.asn", Integer, "AS number of the node. Required where a peer has no myASN.", {}},
    {"spec.routerID", Text, "Default: the first IPv4 address of the interface with the lowest index.", {}},
    {"spec.listen", Object, "Where neighbours can connect.", {}},
    {"spec.listen.addresses[]", Text, "Default: any.", {}},
    {"spec.listen.port", Integer, "0: not at all. Default 179.", {}},
    {"spec.kernel", Object, "What becomes of learned routes.", {}},
    {"spec.kernel.install", Boolean, "Whether they go into the kernel. Default true.", {}},
    {"spec.kernel.table", Integer, "Into this routing table. Default 254, main.", {}},
    {"spec.kernel.metric", Integer, "With this metric. Default 20.", {}},
    {"spec.kernel.protocol", Integer, "With this protocol number, which marks them as ours. Default 201.", {}},
    {"spec.kernel.installBeforeAdvertising",
     Boolean,
     "Neighbours are told of a learned route once it is there. Default false.",
     {}},
    {"spec.multipath", Object, "Several best routes at once.", {}},
    {"spec.multipath.maximumPaths", Integer, "At most so many; 1: no multipath. Default 64.", {}},
    {"spec.multipath.relax", Boolean, "Different AS paths of equal length count as equal. Default true.", {}},
    {"spec.multipath.linkBandwidth", Boolean, "Shares by link bandwidth communities. Default true.", {}},
    {"spec.alwaysCompareMED", Boolean, "MED decides between different neighbouring AS, too. Default false.", {}},
    {"spec.restartDeferral", Duration, "How long a restarted router waits for its peers. Default 120s.", {}},
    {"spec.rpkiCaches[]", Object, "RPKI caches that origins are validated by (RFC 8210).", {}},
    {"spec.rpkiCaches[].address", Text, "Its address.", {}},
    {"spec.rpkiCaches[].port", Integer, "Its TCP port. Default 323.", {}},
    {"spec.bmpStations[]", Object, "Stations that are told what happens here (BMP).", {}},
    {"spec.bmpStations[].address", Text, "Its address.", {}},
    {"spec.bmpStations[].port", Integer, "Its TCP port. Default 11019.", {}},
    {"spec.bmpStations[].what[]", Text, "pre-policy, post-policy, adj-rib-out, loc-rib or malformed.", {}},
    {"spec.bmpStations[].statisticsInterval", Duration, "Between reports; 0s: none. Default 300s.", {}},
    {"spec.bmpStations[].bufferLimit", Integer, "MiB that may wait for it. Default 32.", {}},
    {"spec.mrt", Object, "Files of the tables and of updates (MRT).", {}},
    {"spec.mrt.directory", Text, "Where they are written.", {}},
    {"spec.mrt.ribInterval", Duration, "Between files of the tables; 0s: when asked for only.", {}},
    {"spec.mrt.updates", Boolean, "Write what neighbours say. Default false.", {}},
    {"spec.mrt.rotation", Duration, "How long a file of updates is written. Default 900s.", {}},
    {"spec.mrt.keep", Integer, "Files of each sort that are kept; 0: all.", {}},
    {"spec.clusterID", Text, "Of a route reflector. Default: the router ID.", {}},
    {"spec.confederation", Object, "asn is a member AS of this confederation.", {}},
    {"spec.confederation.identifier", Integer, "The AS number that others see.", {}},
    {"spec.confederation.members[]", Integer, "The other member AS.", {}},
    {"spec.aggregates[]", Object, "Routes announced while there are learned ones within.", {}},
    {"spec.aggregates[].prefix", Text, "The route.", {}},
    {"spec.aggregates[].summaryOnly", Boolean, "Those within are not announced. Default false.", {}},
    {"spec.aggregates[].asSet", Boolean, "Its path holds their AS numbers as a set. Default false.", {}},
    {"spec.aggregates[].communities[]", Text, "Such as 65001:100.", {}},
    {"spec.import[]", Text, "Filters of peers that have none of their own. Default: reject-all.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not.", "type"},
});

constexpr auto advertisement = std::to_array<SchemaField>({
    {"spec.ipAddressPools[]", Text, "Pools whose addresses are announced. Default: all.", {}},
    {"spec.ipAddressPoolSelectors[]", Selector, "The same by label.", {}},
    {"spec.serviceSelectors[]", Selector, "Services whose addresses are announced. Default: all.", {}},
    {"spec.nodeSelectors[]", Selector, "Nodes that announce. Default: all.", {}},
    {"spec.peers[]", Text, "Neighbours that are told. Default: all.", {}},
    {"spec.prefixes[]", Text, "Announced by every selected node besides, whatever services there are.", {}},
    {"spec.aggregationLength", Integer, "IPv4 addresses are announced as prefixes of this length. Default 32.", {}},
    {"spec.aggregationLengthV6", Integer, "The same for IPv6. Default 128.", {}},
    {"spec.localPref", Integer, "LOCAL_PREF, for internal neighbours only.", {}},
    {"spec.med", Integer, "MULTI_EXIT_DISC.", {}},
    {"spec.prepend", Integer, "How many times more our AS stands in the path, 0 to 16.", {}},
    {"spec.communities[]", Text, "65001:100, large:1:2:3 or a name of a Community.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not; Effective, or the first reason why nothing comes of it.",
     "type"},
});

constexpr auto filter = std::to_array<SchemaField>({
    {"spec.rules[]", Object, "In order; the first that matches and does not say next decides. None: reject.", {}},
    {"spec.rules[].name", Text, "For people and explain.", {}},
    {"spec.rules[].action", Text, "accept, reject or next.", {}},
    {"spec.rules[].match", Object, "All conditions given must hold; a list holds when one entry does.", {}},
    {"spec.rules[].match.prefixes[]", Object, "Prefixes.", {}},
    {"spec.rules[].match.prefixes[].cidr", Text, "The prefix that the route is in.", {}},
    {"spec.rules[].match.prefixes[].ge", Integer, "Length of the route at least. Default: that of cidr.", {}},
    {"spec.rules[].match.prefixes[].le", Integer, "Length of the route at most.", {}},
    {"spec.rules[].match.notPrefixes[]", Object, "Prefixes, of which none may hold.", {}},
    {"spec.rules[].match.notPrefixes[].cidr", Text, "The prefix that the route is in.", {}},
    {"spec.rules[].match.notPrefixes[].ge", Integer, "Length of the route at least. Default: that of cidr.", {}},
    {"spec.rules[].match.notPrefixes[].le", Integer, "Length of the route at most.", {}},
    {"spec.rules[].match.direction", Text, "import or export: the rule is skipped in the other. Default: both.", {}},
    {"spec.rules[].match.asPathRegex[]", Text, "Regular expressions over the path: _65001_, ^65001_65002$, ^$.", {}},
    {"spec.rules[].match.localPref", Integer, "LOCAL_PREF.", {}},
    {"spec.rules[].match.kernelMetric", Integer, "The metric of the route in the kernel.", {}},
    {"spec.rules[].match.source", Text, "learned from a neighbour, or local.", {}},
    {"spec.rules[].match.peerType", Text, "external, internal or confederation.", {}},
    {"spec.rules[].match.rpki", Text, "valid, invalid or not-found.", {}},
    {"spec.rules[].match.whenPresent[]", Text, "Export only: prefixes that must all be in the tables.", {}},
    {"spec.rules[].match.whenAbsent[]", Text, "Export only: prefixes of which none may be in the tables.", {}},
    {"spec.rules[].match.family", Text, "ipv4-unicast or ipv6-unicast.", {}},
    {"spec.rules[].match.communities[]", Text, "65001:100, 65001:*, large:1:2:*, rt:65001:* or a name.", {}},
    {"spec.rules[].match.asPathContains[]", Integer, "AS numbers anywhere in the path.", {}},
    {"spec.rules[].match.originAS[]", Integer, "AS numbers at the end of the path.", {}},
    {"spec.rules[].match.neighborAS[]", Integer, "AS numbers at the beginning of the path.", {}},
    {"spec.rules[].match.asPathMinLength", Integer, "Length of the path at least.", {}},
    {"spec.rules[].match.asPathMaxLength", Integer, "Length of the path at most.", {}},
    {"spec.rules[].match.nextHops[]", Text, "Prefixes that the next hop is in.", {}},
    {"spec.rules[].match.interfaces[]", Text, "Links that lead to the next hop; * for any characters.", {}},
    {"spec.rules[].match.peers[]", Text, "Names of BGPPeer.", {}},
    {"spec.rules[].match.origin", Text, "igp, egp or incomplete.", {}},
    {"spec.rules[].match.med", Integer, "MULTI_EXIT_DISC.", {}},
    {"spec.rules[].set", Object, "Changes to the route.", {}},
    {"spec.rules[].set.localPref", Integer, "LOCAL_PREF.", {}},
    {"spec.rules[].set.med", Integer, "MULTI_EXIT_DISC.", {}},
    {"spec.rules[].set.prepend", Integer, "How many times more our AS stands in the path, 0 to 16.", {}},
    {"spec.rules[].set.prependPath[]", Integer, "AS numbers put in front of the path, in this order.", {}},
    {"spec.rules[].set.aigp", Integer, "Accumulated IGP metric (RFC 7311).", {}},
    {"spec.rules[].set.kernelMetric", Integer, "Metric of the route in the kernel, from 1.", {}},
    {"spec.rules[].set.linkBandwidth", Integer, "Link bandwidth community, in Mbit/s.", {}},
    {"spec.rules[].set.origin", Text, "igp, egp or incomplete.", {}},
    {"spec.rules[].set.addCommunities[]", Text, "Added.", {}},
    {"spec.rules[].set.removeCommunities[]", Text, "Taken away; * stands for any number.", {}},
    {"spec.rules[].set.communities[]", Text, "Instead of all that are there.", {}},
    {"spec.rules[].set.nextHop", Text, "The next hop: an address, or self.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not.", "type"},
});

constexpr auto bfd = std::to_array<SchemaField>({
    {"spec.receiveInterval", Integer, "Milliseconds; how often packets can be received. Default 300.", {}},
    {"spec.transmitInterval", Integer, "Milliseconds; how often packets are sent. Default 300.", {}},
    {"spec.detectMultiplier", Integer, "How many lost packets mean that the neighbour is lost. Default 3.", {}},
    {"spec.echoInterval", Integer, "Milliseconds; how often echoes are sent and looped. Default 50.", {}},
    {"spec.echoMode", Boolean, "Whether echoes are sent. Default false.", {}},
    {"spec.passiveMode", Boolean, "Say nothing before the neighbour does. Default false.", {}},
    {"spec.minimumTtl", Integer, "TTL that packets from more than one hop away must have left. Default 254.", {}},
    {"spec.authentication", Object, "Sign packets, and take signed ones only.", {}},
    {"spec.authentication.type",
     Text,
     "simple-password, keyed-md5, meticulous-keyed-md5, keyed-sha1 or meticulous-keyed-sha1.",
     {}},
    {"spec.authentication.keyID", Integer, "0 to 255, the same at both ends. Default 1.", {}},
    {"spec.authentication.secret", Object, "The Secret that holds the key.", {}},
    {"spec.authentication.secret.name", Text, "Its name.", {}},
    {"spec.authentication.secret.namespace", Text, "Its namespace.", {}},
    {"spec.authentication.secret.key", Text, "The key of it that is meant. Default: password.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not.", "type"},
});

constexpr auto layer2 = std::to_array<SchemaField>({
    {"spec.ipAddressPools[]", Text, "Pools whose addresses are answered for. Default: all.", {}},
    {"spec.ipAddressPoolSelectors[]", Selector, "The same by label.", {}},
    {"spec.serviceSelectors[]", Selector, "Services whose addresses are answered for. Default: all.", {}},
    {"spec.nodeSelectors[]", Selector, "Nodes that may answer. Default: all.", {}},
    {"spec.interfaces[]", Text, "Interfaces that are answered on. Default: all.", {}},
    {"spec.preferredNodeSelectors[]", Object, "Nodes that answer rather than others.", {}},
    {"spec.preferredNodeSelectors[].weight", Integer, "How much rather, 1 to 100.", {}},
    {"spec.preferredNodeSelectors[].preference", Selector, "Which nodes.", {}},
    {"status", Object, "What the controller says of it.", {}},
    {"status.conditions[]", Any, "Accepted, or why not; Effective, or the first reason why nothing comes of it.",
     "type"},
});

constexpr auto speaker = std::to_array<SchemaField>({
    {"spec.heartbeat", Integer, "Goes up with every renewal; a node lives while it goes up.", {}},
    {"spec.heartbeatInterval", Duration, "How often it goes up.", {}},
    {"spec.instance", Text, "Changes with every start of the speaker.", {}},
    {"spec.draining", Boolean, "The speaker is on its way out.", {}},
    {"spec.interfaces[]", Object, "Links of the node.", {}},
    {"spec.interfaces[].name", Text, "Name of the link.", {}},
    {"spec.interfaces[].carrier", Boolean, "Whether it is up.", {}},
    {"spec.interfaces[].subnets[]", Text, "Prefixes on it.", {}},
    {"spec.owned[]", Text, "Layer 2 addresses that it answers for.", {}},
    {"spec.sessions[]", Text, "BGPPeers with a session that is established.", {}},
});

}  // namespace

std::span<const SchemaField> herald_fields(config::Kind kind) {
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

}  // namespace controller
