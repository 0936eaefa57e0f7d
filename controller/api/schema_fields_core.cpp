// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "controller/api/schema_fields.hpp"

namespace controller {
namespace {

using enum SchemaField::Type;

constexpr auto metadata = std::to_array<SchemaField>({
    {"annotations", Map, "Notes for tools and people.", {}},
    {"creationTimestamp", Text, "When the object was made.", {}},
    {"deletionGracePeriodSeconds", Integer, "Not used here.", {}},
    {"deletionTimestamp", Text, "When it was asked to be deleted; it goes when its finalizers are gone.", {}},
    {"finalizers[]", Text, "Who has to clean up before it goes.", "set"},
    {"generateName", Text, "Beginning of a name that the server completes.", {}},
    {"generation", Integer, "Counts changes of what is wanted.", {}},
    {"labels", Map, "What selectors look at.", {}},
    {"managedFields[]", Any, "Who applied which fields.", {}},
    {"name", Text, "Unique among the objects of its kind and namespace.", {}},
    {"namespace", Text, "The space of its name.", {}},
    {"ownerReferences[]", Any, "Objects it belongs to; kept and not acted upon.", "uid"},
    {"resourceVersion", Text, "Changes with every write; writes that give another one are refused.", {}},
    {"selfLink", Text, "Not used.", {}},
    {"uid", Text, "Tells it from others of its name, before and after.", {}},
});

constexpr auto service = std::to_array<SchemaField>({
    {"spec.allocateLoadBalancerNodePorts", Boolean, "Kept and not acted upon.", {}},
    {"spec.clusterIP", Text, "Address inside a cluster, where there is one.", {}},
    {"spec.clusterIPs[]", Text, "The same for both families.", {}},
    {"spec.externalIPs[]", Text, "Addresses that somebody else routes here.", {}},
    {"spec.externalName", Text, "The name that a service of type ExternalName stands for.", {}},
    {"spec.externalTrafficPolicy", Text, "Cluster or Local: announced by all nodes, or by those with endpoints.", {}},
    {"spec.healthCheckNodePort", Integer, "Kept and not acted upon.", {}},
    {"spec.internalTrafficPolicy", Text, "Kept and not acted upon.", {}},
    {"spec.ipFamilies[]", Text, "IPv4, IPv6, in order of preference.", {}},
    {"spec.ipFamilyPolicy", Text, "SingleStack, PreferDualStack or RequireDualStack.", {}},
    {"spec.loadBalancerClass", Text, "Whose business the service is.", {}},
    {"spec.loadBalancerIP", Text, "The address asked for. Deprecated: an annotation says it better.", {}},
    {"spec.loadBalancerSourceRanges[]", Text, "Kept and not acted upon.", {}},
    {"spec.ports[]", Object, "Ports it answers at.", "port"},
    {"spec.ports[].appProtocol", Text, "What is spoken there.", {}},
    {"spec.ports[].name", Text, "Needed when there are several.", {}},
    {"spec.ports[].nodePort", Integer, "Port on every node.", {}},
    {"spec.ports[].port", Integer, "Port at its addresses.", {}},
    {"spec.ports[].protocol", Text, "TCP, UDP or SCTP. Default TCP.", {}},
    {"spec.ports[].targetPort", TextOrInteger, "Port of the endpoints. Default: port.", {}},
    {"spec.publishNotReadyAddresses", Boolean, "Kept and not acted upon.", {}},
    {"spec.selector", Map, "Labels of what is behind it.", {}},
    {"spec.sessionAffinity", Text, "Kept and not acted upon.", {}},
    {"spec.sessionAffinityConfig", Any, "Kept and not acted upon.", {}},
    {"spec.topologyKeys[]", Text, "Not used.", {}},
    {"spec.trafficDistribution", Text, "Kept and not acted upon.", {}},
    {"spec.type", Text, "ClusterIP, NodePort, LoadBalancer or ExternalName.", {}},
    {"status.conditions[]", Any, "What controllers say of it.", "type"},
    {"status.loadBalancer", Object, "What was assigned.", {}},
    {"status.loadBalancer.ingress[]", Object, "Addresses.", {}},
    {"status.loadBalancer.ingress[].hostname", Text, "A name instead of an address.", {}},
    {"status.loadBalancer.ingress[].ip", Text, "An address.", {}},
    {"status.loadBalancer.ingress[].ipMode", Text, "VIP or Proxy.", {}},
    {"status.loadBalancer.ingress[].ports[]", Any, "Ports with errors.", {}},
});

constexpr auto slice = std::to_array<SchemaField>({
    {"addressType", Text, "IPv4, IPv6 or FQDN.", {}},
    {"endpoints[]", Object, "The endpoints.", {}},
    {"endpoints[].addresses[]", Text, "Addresses of one endpoint.", {}},
    {"endpoints[].conditions", Object, "Its state.", {}},
    {"endpoints[].conditions.ready", Boolean, "Takes new connections. Default true.", {}},
    {"endpoints[].conditions.serving", Boolean, "Answers, even while it terminates. Default: ready.", {}},
    {"endpoints[].conditions.terminating", Boolean, "Is on its way out. Default false.", {}},
    {"endpoints[].deprecatedTopology", Map, "Not used.", {}},
    {"endpoints[].hints", Any, "Kept and not acted upon.", {}},
    {"endpoints[].hostname", Text, "Its name.", {}},
    {"endpoints[].nodeName", Text, "The node it is on.", {}},
    {"endpoints[].targetRef", Any, "The object it stands for.", {}},
    {"endpoints[].topology", Map, "Of v1beta1.", {}},
    {"endpoints[].zone", Text, "Where it is.", {}},
    {"ports[]", Object, "Ports of all endpoints.", {}},
    {"ports[].appProtocol", Text, "What is spoken there.", {}},
    {"ports[].name", Text, "The name of the service's port.", {}},
    {"ports[].port", Integer, "The port.", {}},
    {"ports[].protocol", Text, "TCP, UDP or SCTP.", {}},
});

constexpr auto node = std::to_array<SchemaField>({
    {"spec.configSource", Any, "Not used.", {}},
    {"spec.externalID", Text, "Not used.", {}},
    {"spec.podCIDR", Text, "Addresses of its pods.", {}},
    {"spec.podCIDRs[]", Text, "The same for both families.", "set"},
    {"spec.providerID", Text, "Kept and not acted upon.", {}},
    {"spec.taints[]", Any, "Kept and not acted upon.", {}},
    {"spec.unschedulable", Boolean, "Nothing new is placed here.", {}},
    {"status.addresses[]", Object, "Addresses of the node.", "type"},
    {"status.addresses[].address", Text, "The address.", {}},
    {"status.addresses[].type", Text, "InternalIP, ExternalIP, Hostname and so on.", {}},
    {"status.conditions[]", Any, "Its state.", "type"},
    {"status.nodeInfo", Any, "What it runs.", {}},
});

constexpr auto name_space = std::to_array<SchemaField>({
    {"spec.finalizers[]", Text, "Not used.", {}},
    {"status.conditions[]", Any, "Its state.", "type"},
    {"status.phase", Text, "Active or Terminating.", {}},
});

constexpr auto secret = std::to_array<SchemaField>({
    {"data", Map, "Values in base64.", {}},
    {"immutable", Boolean, "The data cannot be changed any more.", {}},
    {"stringData", Map, "Values as plain text, to write only.", {}},
    {"type", Text, "What the data is for. Default Opaque.", {}},
});

constexpr auto event = std::to_array<SchemaField>({
    {"action", Text, "What was done.", {}},
    {"count", Integer, "How often it happened.", {}},
    {"eventTime", Text, "When it happened.", {}},
    {"firstTimestamp", Text, "When it happened first.", {}},
    {"involvedObject", Any, "What it is about.", {}},
    {"lastTimestamp", Text, "When it happened last.", {}},
    {"message", Text, "What happened.", {}},
    {"reason", Text, "Why, in one word.", {}},
    {"related", Any, "A second object.", {}},
    {"reportingComponent", Text, "Who says so.", {}},
    {"reportingInstance", Text, "Which of them.", {}},
    {"series", Any, "A series it is part of.", {}},
    {"source", Any, "Who says so.", {}},
    {"type", Text, "Normal or Warning.", {}},
});

}  // namespace

std::span<const SchemaField> metadata_fields() {
  return metadata;
}

std::span<const SchemaField> core_fields(config::Kind kind) {
  switch (kind) {
    case config::Kind::Service:
      return service;
    case config::Kind::EndpointSlice:
      return slice;
    case config::Kind::Node:
      return node;
    case config::Kind::Namespace:
      return name_space;
    case config::Kind::Secret:
      return secret;
    case config::Kind::Event:
      return event;
    default:
      return {};
  }
}

}  // namespace controller
