// SPDX-License-Identifier: Apache-2.0
// Every configuration that MetalLB is known to refuse is refused here as well: with its object, its field, its place,
// and what would be right. What follows is refused there and fine here, because Herald has none of the limits of a
// routing daemon underneath: IPv6 pools, BFD, keepalive and connect timers, dynamic AS numbers and large communities
// without FRR; a peer that selects no node; objects in any namespace (it means nothing).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/source/files.hpp"

namespace config {
namespace {

struct Case {
  const char* name;
  const char* text;
  const char* problem;
};

const Case cases[] = {
    {"pool_without_name",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {namespace: x}
spec: {addresses: [192.0.2.0/24]}
)",
     R"(set.yaml:3:11: IPAddressPool metadata.name: is required)"},
    {"pool_without_addresses",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {autoAssign: false}
)",
     R"(set.yaml:4:7: IPAddressPool/web spec.addresses: is required)"},
    {"pool_with_an_empty_list",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: []}
)",
     R"(set.yaml:4:19: IPAddressPool/web spec.addresses: must have at least one entry)"},
    {"pool_with_a_bad_prefix",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/33]}
)",
     R"(set.yaml:4:20: IPAddressPool/web spec.addresses[0]: must be a prefix such as 192.0.2.0/24 or a range such as 192.0.2.10-192.0.2.20, got "192.0.2.0/33")"},
    {"pool_with_a_bad_range",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.1-x]}
)",
     R"(set.yaml:4:20: IPAddressPool/web spec.addresses[0]: must be a prefix such as 192.0.2.0/24 or a range such as 192.0.2.10-192.0.2.20, got "192.0.2.1-x")"},
    {"pool_with_a_range_backwards",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.9-192.0.2.1]}
)",
     R"(set.yaml:4:20: IPAddressPool/web spec.addresses[0]: must be a range that begins with its lower address, got "192.0.2.9-192.0.2.1")"},
    {"pool_with_a_range_of_two_families",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: ["192.0.2.1-2001:db8::1"]}
)",
     R"(set.yaml:4:20: IPAddressPool/web spec.addresses[0]: must be a range of one family, got "192.0.2.1-2001:db8::1")"},
    {"pool_that_overlaps_itself",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24, 192.0.2.128/25]}
)",
     R"(set.yaml:4:19: IPAddressPool/web spec.addresses: 192.0.2.0/24 and 192.0.2.128/25 overlap)"},
    {"pools_that_overlap",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan}
spec: {addresses: [192.0.2.7-192.0.2.9]}
)",
     R"(set.yaml:9:20: IPAddressPool/lan spec.addresses[0]: 192.0.2.7-192.0.2.9 overlaps 192.0.2.0/24 of IPAddressPool/web (set.yaml:1:1))"},
    {"pools_of_one_name",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [198.51.100.0/24]}
)",
     R"(set.yaml:6:1: IPAddressPool/web: is here twice; the first, set.yaml:1:1, is used)"},
    {"pool_with_a_namespace_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24], serviceAllocation: {namespaces: [a, a]}}
)",
     R"(set.yaml:4:67: IPAddressPool/web spec.serviceAllocation.namespaces: has a twice)"},
    {"pool_with_a_bad_selector",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24], serviceAllocation: {serviceSelectors: [{matchExpressions: [{key: a, operator: Is, values: [b]}]}]}}
)",
     R"(set.yaml:4:113: IPAddressPool/web spec.serviceAllocation.serviceSelectors[0].matchExpressions[0].operator: must be In, NotIn, Exists or DoesNotExist, got "Is")"},
    {"pool_with_a_selector_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24], serviceAllocation: {namespaceSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}}
)",
     R"(set.yaml:4:75: IPAddressPool/web spec.serviceAllocation.namespaceSelectors: has {"matchLabels":{"a":"b"}} twice)"},
    {"peer_without_our_asn",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {peerASN: 64513, peerAddress: 10.0.0.1}
)",
     R"(set.yaml:4:7: BGPPeer/tor spec.myASN: is required)"},
    {"peer_with_our_asn_0",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 0, peerASN: 64513, peerAddress: 10.0.0.1}
)",
     R"(set.yaml:4:15: BGPPeer/tor spec.myASN: must be a whole number from 1 to 4294967295, got 0)"},
    {"peer_without_asn",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerAddress: 10.0.0.1}
)",
     R"(set.yaml:4:7: BGPPeer/tor spec.peerASN: is required, or dynamicASN)"},
    {"peer_with_both_asns",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, dynamicASN: external, peerAddress: 10.0.0.1}
)",
     R"(set.yaml:4:50: BGPPeer/tor spec.dynamicASN: must not be given together with peerASN)"},
    {"peer_with_a_bad_dynamic_asn",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, dynamicASN: sideways, peerAddress: 10.0.0.1}
)",
     R"(set.yaml:4:34: BGPPeer/tor spec.dynamicASN: must be internal or external, got "sideways")"},
    {"peer_internal_and_multihop",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64512, peerAddress: 10.0.0.1, ebgpMultiHop: true}
)",
     R"(set.yaml:4:75: BGPPeer/tor spec.ebgpMultiHop: must be false for an internal peer)"},
    {"peer_without_address",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513}
)",
     R"(set.yaml:4:7: BGPPeer/tor spec.peerAddress: is required, or interface, listenRange or peerSelectors)"},
    {"peer_with_a_bad_address",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.256}
)",
     R"(set.yaml:4:51: BGPPeer/tor spec.peerAddress: must be an IPv4 or IPv6 address, got "10.0.0.256")"},
    {"peer_with_a_bad_router_id",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, routerID: "2001:db8::1"}
)",
     R"(set.yaml:4:71: BGPPeer/tor spec.routerID: must be written like an IPv4 address and not 0.0.0.0, got "2001:db8::1")"},
    {"peer_with_a_bad_source",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, sourceAddress: eth0}
)",
     R"(set.yaml:4:76: BGPPeer/tor spec.sourceAddress: must be an IPv4 or IPv6 address, got "eth0")"},
    {"peer_with_a_source_of_the_other_family",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, sourceAddress: "2001:db8::1"}
)",
     R"(set.yaml:4:76: BGPPeer/tor spec.sourceAddress: must be of the same family as peerAddress, got 2001:db8::1 and 10.0.0.1)"},
    {"peer_with_a_short_hold_time",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, holdTime: 2s}
)",
     R"(set.yaml:4:71: BGPPeer/tor spec.holdTime: must be 0 or at least 3 s, got 2 s)"},
    {"peer_with_keepalives_after_the_hold_time",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, holdTime: 9s, keepaliveTime: 10s}
)",
     R"(set.yaml:4:90: BGPPeer/tor spec.keepaliveTime: must not be above holdTime (9s), got 10s)"},
    {"peer_with_a_port_of_0",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, peerPort: 0}
)",
     R"(set.yaml:4:71: BGPPeer/tor spec.peerPort: must be a whole number from 1 to 65535, got 0)"},
    {"peer_with_a_connect_time_of_0",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, connectTime: 0s}
)",
     R"(set.yaml:4:74: BGPPeer/tor spec.connectTime: must be from 1s to 65535s, got "0s")"},
    {"peer_with_password_and_secret",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, password: hush, passwordSecret: {name: s}}
)",
     R"(set.yaml:4:93: BGPPeer/tor spec.passwordSecret: must not be given together with password)"},
    {"peer_without_its_secret",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, passwordSecret: {name: s}}
)",
     R"(set.yaml:4:77: BGPPeer/tor spec.passwordSecret: names Secret/default/s, which is not there or is refused)"},
    {"peer_with_a_secret_of_another_type",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, passwordSecret: {name: s}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {password: hush}
)",
     R"(set.yaml:4:77: BGPPeer/tor spec.passwordSecret: the type of Secret/default/s must be kubernetes.io/basic-auth, it is Opaque)"},
    {"peer_with_a_secret_without_password",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, passwordSecret: {name: s}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
type: kubernetes.io/basic-auth
stringData: {username: hush}
)",
     R"(set.yaml:4:77: BGPPeer/tor spec.passwordSecret: Secret/default/s has no key password)"},
    {"peer_with_a_password_that_is_too_long",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, password: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
)",
     R"(set.yaml:4:71: BGPPeer/tor spec.password: must be at most 80 octets, has 81)"},
    {"peer_twice",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: a}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: b}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1}
)",
     R"(set.yaml:9:51: BGPPeer/b spec.peerAddress: is the address of BGPPeer/a (set.yaml:1:1) as well, and both hold on the same node)"},
    {"peer_with_a_selector_twice",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, nodeSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}
)",
     R"(set.yaml:4:76: BGPPeer/tor spec.nodeSelectors: has {"matchLabels":{"a":"b"}} twice)"},
    {"peers_of_two_router_ids",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: a}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, routerID: 10.0.0.8}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: b}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.2, routerID: 10.0.0.9}
)",
     R"(set.yaml:9:71: BGPPeer/b spec.routerID: a node has one router ID: this is 10.0.0.9 and BGPPeer/a (set.yaml:1:1) has 10.0.0.8 on the same node)"},
    {"peers_of_two_selves",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: a}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: b}
spec: {myASN: 64599, peerASN: 64513, peerAddress: 10.0.0.2}
)",
     R"(set.yaml:9:15: BGPPeer/b spec.myASN: a node has one AS: this is 64599 and BGPPeer/a (set.yaml:1:1) is 64512 on the same node)"},
    {"peer_in_a_vrf",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, vrf: red}
)",
     R"(set.yaml:4:66: BGPPeer/tor spec.vrf: is not implemented by Herald)"},
    {"peer_misspelt",
     R"(apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: tor}
spec: {myASN: 64512, peerASN: 64513, peerAddress: 10.0.0.1, holdtime: 9s}
)",
     R"(set.yaml:4:61: BGPPeer/tor spec.holdtime: is not a field that Herald knows; did you mean holdTime?)"},
    {"ad_with_a_pool_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {ipAddressPools: [web, web]}
)",
     R"(set.yaml:9:24: BGPAdvertisement/ad spec.ipAddressPools: has web twice)"},
    {"ad_with_a_peer_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {peers: [tor, tor]}
)",
     R"(set.yaml:4:15: BGPAdvertisement/ad spec.peers: has tor twice)"},
    {"ad_with_a_community_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {communities: ["1:2", "1:2"]}
)",
     R"(set.yaml:4:21: BGPAdvertisement/ad spec.communities: has 1:2 twice)"},
    {"ad_with_a_selector_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {nodeSelectors: [{matchLabels: {a: b}}, {matchLabels: {a: b}}]}
)",
     R"(set.yaml:4:23: BGPAdvertisement/ad spec.nodeSelectors: has {"matchLabels":{"a":"b"}} twice)"},
    {"ad_with_a_long_aggregate",
     R"(apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {aggregationLength: 33}
)",
     R"(set.yaml:4:27: BGPAdvertisement/ad spec.aggregationLength: must be a whole number from 1 to 32, got 33)"},
    {"ad_with_a_long_aggregate_v6",
     R"(apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {aggregationLengthV6: 129}
)",
     R"(set.yaml:4:29: BGPAdvertisement/ad spec.aggregationLengthV6: must be a whole number from 1 to 128, got 129)"},
    {"ad_that_aggregates_beyond_its_pool",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {aggregationLength: 23}
)",
     R"(set.yaml:9:27: BGPAdvertisement/ad spec.aggregationLength: 23 is shorter than any part of 192.0.2.0/24 in IPAddressPool/web (set.yaml:1:1))"},
    {"ad_that_aggregates_and_selects_services",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {aggregationLength: 24, serviceSelectors: [{matchLabels: {a: b}}]}
)",
     R"(set.yaml:9:49: BGPAdvertisement/ad spec.serviceSelectors: can only be used with aggregationLength 32 and aggregationLengthV6 128)"},
    {"ad_with_an_unknown_community",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {communities: [gold]}
)",
     R"(set.yaml:9:21: BGPAdvertisement/ad spec.communities: no Community defines gold)"},
    {"ad_with_a_bad_community",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {communities: ["65536:1"]}
)",
     R"(set.yaml:9:22: BGPAdvertisement/ad spec.communities[0]: must be a community such as 65001:100, large:1:2:3 or rt:65001:100, or the name of one, got "65536:1")"},
    {"ads_that_say_the_same",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: a}
spec: {localPref: 100}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: b}
spec: {localPref: 100}
)",
     R"(set.yaml:14:7: BGPAdvertisement/b spec: says the same as BGPAdvertisement/a (set.yaml:6:1))"},
    {"ads_of_two_local_prefs",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: a}
spec: {localPref: 100}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: b}
spec: {localPref: 200, ipAddressPools: [web]}
)",
     R"(set.yaml:14:19: BGPAdvertisement/b spec.localPref: 200 contradicts 100 of BGPAdvertisement/a (set.yaml:6:1): both announce IPAddressPool/web to the same peers)"},
    {"ad_of_an_unknown_pool",
     R"(apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {ipAddressPools: [nowhere]}
)",
     R"(set.yaml:4:24: BGPAdvertisement/ad spec.ipAddressPools: names IPAddressPool/nowhere, which is not there or is refused)"},
    {"ad_to_an_unknown_peer",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: ad}
spec: {peers: [nobody]}
)",
     R"(set.yaml:9:15: BGPAdvertisement/ad spec.peers: names BGPPeer/nobody, which is not there or is refused)"},
    {"community_with_a_number_that_is_too_big",
     R"(apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names}
spec: {communities: [{name: x, value: "1:65536"}]}
)",
     R"(set.yaml:4:39: Community/names spec.communities[0].value: must be a community such as 65001:100 or large:1:2:3, got "1:65536")"},
    {"community_with_a_large_number_that_is_too_big",
     R"(apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names}
spec: {communities: [{name: x, value: "large:1:2:4294967296"}]}
)",
     R"(set.yaml:4:39: Community/names spec.communities[0].value: must be a community such as 65001:100 or large:1:2:3, got "large:1:2:4294967296")"},
    {"community_with_another_marker",
     R"(apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names}
spec: {communities: [{name: x, value: "big:1:2:3"}]}
)",
     R"(set.yaml:4:39: Community/names spec.communities[0].value: must be a community such as 65001:100 or large:1:2:3, got "big:1:2:3")"},
    {"community_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: names}
spec: {communities: [{name: x, value: "1:2"}, {name: x, value: "1:3"}]}
)",
     R"(set.yaml:4:21: Community/names spec.communities: has the name x twice)"},
    {"community_in_two_objects",
     R"(apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: a}
spec: {communities: [{name: x, value: "1:2"}]}
---
apiVersion: metallb.io/v1beta1
kind: Community
metadata: {name: b}
spec: {communities: [{name: x, value: "1:3"}]}
)",
     R"(set.yaml:9:21: Community/b spec.communities: defines x, which Community/a (set.yaml:1:1) defines already)"},
    {"l2_with_a_pool_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: web}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
spec: {ipAddressPools: [web, web]}
)",
     R"(set.yaml:9:24: L2Advertisement/lan spec.ipAddressPools: has web twice)"},
    {"l2_with_an_interface_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
spec: {interfaces: [eth0, eth0]}
)",
     R"(set.yaml:4:20: L2Advertisement/lan spec.interfaces: has eth0 twice)"},
    {"l2_with_a_selector_twice",
     R"(apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
spec: {nodeSelectors: [{}, {}]}
)",
     R"(set.yaml:4:23: L2Advertisement/lan spec.nodeSelectors: has {} twice)"},
    {"l2_with_a_bad_selector",
     R"(apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
spec: {nodeSelectors: [{matchLabels: {"-": b}}]}
)",
     R"(set.yaml:4:44: L2Advertisement/lan spec.nodeSelectors[0].matchLabels.-: its key must be a label key such as app or example.com/app, got "-")"},
    {"l2_with_a_weight_of_0",
     R"(apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
spec: {preferredNodeSelectors: [{weight: 0, preference: {}}]}
)",
     R"(set.yaml:4:42: L2Advertisement/lan spec.preferredNodeSelectors[0].weight: must be a whole number from 1 to 100, got 0)"},
    {"l2_of_an_unknown_pool",
     R"(apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
spec: {ipAddressPools: [nowhere]}
)",
     R"(set.yaml:4:24: L2Advertisement/lan spec.ipAddressPools: names IPAddressPool/nowhere, which is not there or is refused)"},
};

class RefusedByMetalLb : public ::testing::TestWithParam<Case> {};

TEST_P(RefusedByMetalLb, IsRefusedByName) {
  const auto loaded = assemble(read_objects(GetParam().text, "set.yaml", Syntax::Yaml));
  std::vector<std::string> said;
  for (const auto& problem : loaded.problems) said.push_back(print(problem));
  EXPECT_THAT(said, ::testing::ElementsAre(GetParam().problem));
}

// A sound object beside it runs, whatever is wrong.
TEST_P(RefusedByMetalLb, LeavesTheOthersAlone) {
  const auto beside =
      std::string{GetParam().text} +
      "---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: sound}\n"
      "spec: {addresses: [203.0.113.0/24]}\n---\napiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n"
      "metadata: {name: sound}\nspec: {ipAddressPools: [sound]}\n";
  const auto loaded = assemble(read_objects(beside, "set.yaml", Syntax::Yaml));
  EXPECT_TRUE(loaded.resources.pools.contains("sound"));
  EXPECT_TRUE(loaded.resources.l2_advertisements.contains("sound"));
  EXPECT_EQ(loaded.problems.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Each, RefusedByMetalLb, ::testing::ValuesIn(cases),
                         [](const auto& one) { return std::string{one.param.name}; });

}  // namespace
}  // namespace config
