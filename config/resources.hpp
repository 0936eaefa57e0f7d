// SPDX-License-Identifier: Apache-2.0
// The resource kinds as plain structs, valid by construction of the reader: nothing downstream checks
// them again. Field names follow MetalLB where it has the field, Calico where that has it, Kubernetes for
// the core kinds. A field that Herald does not implement is absent here, and giving it is an error.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/bfd_profile.hpp"
#include "config/meta.hpp"
#include "config/secret_ref.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"
#include "net/prefix.hpp"
#include "net/range.hpp"

namespace config {

using net::Asn;

// ---- herald.dev/v1 ------------------------------------------------------------------------------

// Addresses for services.
struct IPAddressPool {
  struct ServiceAllocation {
    int priority = 0;  // lower goes first; 0 goes last
    std::vector<std::string> namespaces;
    std::vector<LabelSelector> namespace_selectors;
    std::vector<LabelSelector> service_selectors;
    friend bool operator==(const ServiceAllocation&, const ServiceAllocation&) = default;
  };
  Meta meta;
  std::vector<net::AddressRange> addresses;  // in the order given; they do not overlap
  bool auto_assign = true;
  bool avoid_buggy_ips = false;  // IPv4 addresses that end in .0 or .255
  std::optional<ServiceAllocation> service_allocation;
  std::chrono::seconds quarantine{60};  // a released address is not given to another service before
};

// Named communities for use in advertisements and filters.
struct Community {
  Meta meta;
  std::map<std::string, std::string> communities;  // alias -> "65001:100" | "large:1:2:3"
};

enum class DynamicAsn : std::uint8_t { Internal, External };
enum class NextHopMode : std::uint8_t { Auto, Self, Keep };
enum class PrivateAsn : std::uint8_t { Keep, Remove, Replace };
enum class LimitAction : std::uint8_t { Stop, Warn };
enum class AddressFamily : std::uint8_t { Ipv4Unicast, Ipv6Unicast };

// What a peer's routes undergo, filters aside.
struct PeerRoutes {
  struct LocalAsn {  // instead of the node's own towards this peer
    Asn asn;
    bool prepend = false;      // received paths get it in front
    bool prepend_own = false;  // announced paths have the node's own AS behind it
    friend bool operator==(const LocalAsn&, const LocalAsn&) = default;
  };
  struct Limit {  // of prefixes, per family
    LimitAction action = LimitAction::Stop;
    std::uint8_t warn_percent = 75;  // 0: no warning
    std::optional<std::chrono::seconds> restart;
    std::uint32_t out = 0;  // 0: no limit
    friend bool operator==(const Limit&, const Limit&) = default;
  };
  struct AddPath {
    bool receive = false;
    std::uint16_t send = 0;  // at most so many paths; 0: off
    friend bool operator==(const AddPath&, const AddPath&) = default;
  };
  std::optional<LocalAsn> local_asn;
  bool reflector_client = false;
  NextHopMode next_hop_mode = NextHopMode::Auto;
  std::vector<net::IpAddress> next_hops;  // at most one of a family; instead of the node's own address
  std::uint8_t allowed_own_asns = 0;      // how often an own AS may stand in a received path, 0..10
  bool as_override = false;
  PrivateAsn private_asns = PrivateAsn::Keep;
  std::optional<std::vector<net::Prefix>> default_originate;  // given: while all of these are in the tables
  Limit limit;
  bool keep_rejected = false;            // rejected routes are kept for display
  bool accept_blackhole = false;         // RFC 7999
  std::optional<bool> enforce_first_as;  // nothing: but for clients of a route server
  bool aigp = false;                     // RFC 7311, both ways
  AddPath add_path;
  friend bool operator==(const PeerRoutes&, const PeerRoutes&) = default;
};

// RFC 4724, RFC 8538, RFC 9494. Helper: the peer's routes are kept while it restarts. Full: and it keeps ours.
struct GracefulRestart {
  enum class Mode : std::uint8_t { Off, Helper, Full };
  Mode mode = Mode::Helper;
  std::chrono::seconds restart_time{120};         // until we are back, as the peer is told; 1..4095
  std::chrono::seconds stale_path_time{360};      // for the End-of-RIB of a peer that is back; 1..4095
  std::chrono::seconds long_lived_stale_time{0};  // stale routes as a last resort after that; 0: not at all
  bool notification = true;                       // routes also outlive NOTIFICATIONs that are no hard reset
  friend bool operator==(const GracefulRestart&, const GracefulRestart&) = default;
};

// The number that a key for TCP-AO has by its name in a Secret, "0" to "255".
[[nodiscard]] std::optional<std::uint8_t> key_number(const std::string& name);

// RFC 9234: what this node is to the neighbour.
enum class PeerRole : std::uint8_t { Provider, RouteServer, RouteServerClient, Customer, Peer };

// One neighbour, or several: every node that peer_selectors choose, or whoever connects from listen_range.
struct BGPPeer {
  Meta meta;
  std::optional<Asn> my_asn;              // default: BGPConfiguration.asn
  std::optional<Asn> peer_asn;            // exactly one of peer_asn and dynamic_asn
  std::optional<DynamicAsn> dynamic_asn;  // any AS that is the same as / not the same as ours
  // How the neighbour is found: exactly one of peer_address, interface, listen_range and peer_selectors; a link-local
  // address needs its interface as well.
  net::IpAddress peer_address;  // unspecified: not given
  std::string interface;        // with no address: whoever sends router advertisements there
  std::optional<net::Prefix> listen_range;
  std::uint32_t max_dynamic_peers = 100;      // of the range at a time
  std::vector<LabelSelector> peer_selectors;  // nodes, by their InternalIP
  std::uint16_t peer_port = 179;
  std::optional<net::IpAddress> source_address;
  std::optional<net::RouterId> router_id;              // default: BGPConfiguration.routerID
  std::chrono::seconds hold_time{90};                  // 0 or at least 3
  std::optional<std::chrono::seconds> keepalive_time;  // default: a third of the hold time
  std::chrono::seconds connect_time{10};               // ConnectRetryTime, 1..65535
  bool passive = false;
  bool ebgp_multi_hop = false;
  bool multi_hop_if_external = false;                 // ebgpMultiHop: auto
  std::optional<std::uint8_t> ttl_security;           // GTSM: the peer is at most this many hops away, 1..254
  std::optional<std::string> password;                // TCP MD5, RFC 2385; at most 80 octets
  std::optional<SecretRef> password_secret;           // key "password"
  std::optional<std::string> bfd_profile;             // BFDProfile; nothing: not watched by BFD
  bool bfd_strict = false;                            // the session waits for BFD to be Up
  std::optional<std::chrono::seconds> bfd_hold_time;  // strict: no longer than this; default: for ever
  // TCP-AO, RFC 5925: the keys of the Secret are numbered, "0" to "255".
  struct TcpAo {
    enum class Algorithm : std::uint8_t { HmacSha1, AesCmac };
    SecretRef secret;
    Algorithm algorithm = Algorithm::HmacSha1;
    friend bool operator==(const TcpAo&, const TcpAo&) = default;
  };
  std::optional<TcpAo> tcp_ao;
  std::vector<AddressFamily> families{AddressFamily::Ipv4Unicast, AddressFamily::Ipv6Unicast};
  std::vector<LabelSelector> node_selectors;
  std::optional<std::vector<std::string>>
      import_filters;  // BGPFilter names; default BGPConfiguration.import, else reject-all
  std::optional<std::vector<std::string>> export_filters;  // default: what this node announces, nothing learned
  std::uint32_t max_prefixes = 10000;                      // per family; 0 = no limit
  PeerRoutes routes;
  bool shutdown = false;         // administratively down
  std::string shutdown_message;  // RFC 9003, at most 255 octets
  GracefulRestart graceful_restart;
  bool graceful_shutdown = false;       // RFC 8326: the session is about to go
  bool honor_graceful_shutdown = true;  // routes that say so are a last resort
  std::optional<PeerRole> role;         // external peers only
  bool role_strict = false;             // the peer must say its own
  std::string description;
};

// What a node is as a router. The object named "default" holds for all nodes, "node.NAME" for one node instead.
struct BGPConfiguration {
  struct Listen {
    std::vector<net::IpAddress> addresses;  // empty: any
    std::uint16_t port = 179;               // 0: do not listen
    friend bool operator==(const Listen&, const Listen&) = default;
  };
  struct Kernel {
    bool install = true;
    std::uint32_t table = 254;
    std::uint32_t metric = 20;
    std::uint8_t protocol = 201;
    // Neighbours are told of a learned route once it is there; needs `install`.
    bool install_before_advertising = false;
    friend bool operator==(const Kernel&, const Kernel&) = default;
  };
  struct Multipath {
    std::uint16_t maximum_paths = 64;  // 1: no multipath
    bool relax = true;                 // different AS paths of equal length count as equal
    bool link_bandwidth = true;        // shares by link bandwidth communities
    friend bool operator==(const Multipath&, const Multipath&) = default;
  };
  struct Confederation {
    Asn identifier;            // what others see
    std::vector<Asn> members;  // all but our own
    friend bool operator==(const Confederation&, const Confederation&) = default;
  };
  struct Aggregate {
    net::Prefix prefix;
    bool summary_only = false;
    bool as_set = false;
    std::vector<std::string> communities;
    friend bool operator==(const Aggregate&, const Aggregate&) = default;
  };
  Meta meta;
  struct RpkiCache {
    net::IpAddress address;
    std::uint16_t port = 323;
    friend auto operator<=>(const RpkiCache&, const RpkiCache&) = default;
  };
  // A station that is told what happens here (BMP, RFC 7854).
  struct BmpStation {
    net::IpAddress address;
    std::uint16_t port = 11019;
    std::vector<std::string> what{"pre-policy", "loc-rib"};
    std::chrono::seconds statistics_interval{300};  // 0: none
    std::uint32_t buffer_limit = 32;                // MiB that may wait for it
    friend bool operator==(const BmpStation&, const BmpStation&) = default;
  };
  // Files of the tables and of what neighbours say (MRT, RFC 6396).
  struct Mrt {
    std::string directory;
    std::chrono::seconds rib_interval{0};  // 0: when asked for only
    bool updates = false;
    std::chrono::seconds rotation{900};  // of the files of updates
    std::uint16_t keep = 0;              // files of each sort; 0: all
    friend bool operator==(const Mrt&, const Mrt&) = default;
  };
  std::vector<RpkiCache> rpki_caches;
  std::vector<BmpStation> bmp_stations;
  std::optional<Mrt> mrt;
  std::optional<net::RouterId> cluster_id;  // of a route reflector; default: the router ID
  std::optional<Confederation> confederation;
  std::vector<Aggregate> aggregates;
  std::optional<Asn> asn;                  // required where a peer has no myASN
  std::optional<net::RouterId> router_id;  // default: the lowest-index interface's first IPv4 address
  Listen listen;
  Kernel kernel;
  Multipath multipath;
  bool always_compare_med = false;          // also between paths of different neighbouring AS
  std::vector<std::string> import_filters;  // what peers without an own `import` use; empty: reject-all
  // How long a restarted router waits for its peers' routes before it tells anybody anything, 1..4095.
  std::chrono::seconds restart_deferral{120};
};

// Which addresses go to which peers with which attributes.
struct BGPAdvertisement {
  Meta meta;
  std::uint8_t aggregation_length = 32;      // 1..32
  std::uint8_t aggregation_length_v6 = 128;  // 1..128
  std::optional<std::uint32_t> local_pref;   // internal peers only
  std::optional<std::uint32_t> med;
  std::uint8_t prepend = 0;              // own AS this many times more, 0..16
  std::vector<std::string> communities;  // "65001:100", "large:1:2:3" or an alias
  std::vector<std::string> ip_address_pools;
  std::vector<LabelSelector> ip_address_pool_selectors;
  std::vector<LabelSelector> node_selectors;
  std::vector<LabelSelector> service_selectors;
  std::vector<std::string> peers;     // empty: all
  std::vector<net::Prefix> prefixes;  // originated by every selected node, independent of services
};

enum class FilterAction : std::uint8_t { Accept, Reject, Next };
enum class Direction : std::uint8_t { Import, Export };

// Names of filters that need not be written.
[[nodiscard]] inline bool built_in_filter(std::string_view name) {
  return name == "accept-all" || name == "reject-all" || name == "accept-local";
}

// Ordered rules; the first that matches and does not say Next decides. No rule: Reject.
struct BGPFilter {
  struct PrefixMatch {
    net::Prefix cidr;
    std::uint8_t ge = 0;  // resolved by the reader: cidr length where not given
    std::uint8_t le = 0;
    friend bool operator==(const PrefixMatch&, const PrefixMatch&) = default;
  };
  // Every condition given must hold; a list holds when one of its entries does.
  struct Match {
    std::vector<PrefixMatch> prefixes;
    std::vector<PrefixMatch> not_prefixes;  // holds when none of them does
    std::optional<AddressFamily> family;
    std::optional<Direction> direction;    // the rule is skipped in the other
    std::vector<std::string> communities;  // "65001:100", "large:1:2:3", "rt:1:2", an alias; "*" stands for any number
    std::vector<std::string> as_path_regex;
    std::vector<Asn> as_path_contains;
    std::vector<Asn> origin_as;
    std::vector<Asn> neighbor_as;
    std::optional<std::uint16_t> as_path_min_length;
    std::optional<std::uint16_t> as_path_max_length;
    std::vector<net::Prefix> next_hops;
    std::vector<std::string> interfaces;  // that lead to the next hop; "*" stands for any characters
    std::vector<std::string> peers;       // BGPPeer names
    std::optional<std::string> origin;    // igp | egp | incomplete
    std::optional<std::uint32_t> med;
    std::optional<std::uint32_t> local_pref;
    std::optional<std::uint32_t> kernel_metric;
    std::optional<std::string> source;      // learned | local
    std::optional<std::string> rpki;        // valid | invalid | not-found; import only
    std::optional<std::string> peer_type;   // external | internal | confederation
    std::vector<net::Prefix> when_present;  // in the tables, all of them
    std::vector<net::Prefix> when_absent;
    friend bool operator==(const Match&, const Match&) = default;
  };
  struct Set {
    std::optional<std::uint32_t> local_pref;
    std::optional<std::uint32_t> med;
    std::optional<std::uint32_t> aigp;
    std::optional<std::uint32_t> kernel_metric;  // from 1
    std::uint8_t prepend = 0;                    // own AS, 0..16
    std::vector<Asn> prepend_path;               // these in front, in this order; at most 16
    std::optional<std::string> origin;
    std::vector<std::string> add_communities;
    std::vector<std::string> remove_communities;          // with "*"
    std::optional<std::vector<std::string>> communities;  // replaces all standard and large ones
    std::optional<net::IpAddress> next_hop;
    bool next_hop_self = false;
    std::optional<std::uint32_t> link_bandwidth;  // Mbit/s
    friend bool operator==(const Set&, const Set&) = default;
  };
  struct Rule {
    std::string name;  // for explain; default "rule N"
    Match match;
    Set set;
    FilterAction action = FilterAction::Accept;
    friend bool operator==(const Rule&, const Rule&) = default;
  };
  Meta meta;
  std::vector<Rule> rules;
};

// Which addresses are answered by ARP and NDP, on which nodes and interfaces.
struct L2Advertisement {
  struct PreferredNodes {
    std::uint8_t weight = 1;  // 1..100
    LabelSelector preference;
    friend bool operator==(const PreferredNodes&, const PreferredNodes&) = default;
  };
  Meta meta;
  std::vector<std::string> ip_address_pools;
  std::vector<LabelSelector> ip_address_pool_selectors;
  std::vector<LabelSelector> node_selectors;
  std::vector<LabelSelector> service_selectors;
  std::vector<std::string> interfaces;  // empty: all
  std::vector<PreferredNodes> preferred_node_selectors;
};

// What a speaker says of its node: its heartbeat, and the links that decide who may own an address.
// Written by the speaker of the node of the same name; never by people.
struct SpeakerState {
  struct Interface {
    std::string name;
    bool carrier = false;
    std::vector<net::Prefix> subnets;
    friend bool operator==(const Interface&, const Interface&) = default;
  };
  Meta meta;
  std::uint64_t heartbeat = 0;  // goes up with every renewal; a node is live while it keeps going up
  std::chrono::milliseconds heartbeat_interval{1000};
  std::string instance;  // changes with every start of the speaker
  std::vector<Interface> interfaces;
  std::vector<net::IpAddress> owned;  // layer 2 addresses it answers for, ascending: what keeps an owner in place
  std::vector<std::string> sessions;  // BGPPeers with a session that is established, ascending
  bool draining = false;
};

// ---- core kinds, the fields used ----------------------------------------------------------------

enum class Protocol : std::uint8_t { Tcp, Udp, Sctp };
enum class TrafficPolicy : std::uint8_t { Cluster, Local };
enum class IpFamilyPolicy : std::uint8_t { SingleStack, PreferDualStack, RequireDualStack };

struct Condition {
  std::string type;
  std::string status;  // True | False | Unknown
  std::string reason;
  std::string message;
  std::string last_transition_time;
  std::int64_t observed_generation = 0;
  friend bool operator==(const Condition&, const Condition&) = default;
};

struct Service {
  struct Port {
    std::string name;
    Protocol protocol = Protocol::Tcp;
    std::uint16_t port = 0;
    std::uint16_t node_port = 0;
    friend auto operator<=>(const Port&, const Port&) = default;
  };
  Meta meta;
  std::string type = "ClusterIP";
  std::vector<std::string> cluster_ips;
  std::vector<net::Family> ip_families;  // in order; empty: the cluster's default, IPv4
  IpFamilyPolicy ip_family_policy = IpFamilyPolicy::SingleStack;
  TrafficPolicy external_traffic_policy = TrafficPolicy::Cluster;
  std::vector<Port> ports;
  Labels selector;
  std::string load_balancer_ip;  // deprecated field of Kubernetes, still honoured
  std::string load_balancer_class;
  std::vector<net::IpAddress> ingress;  // status.loadBalancer.ingress[].ip
  std::vector<Condition> conditions;
};

struct EndpointSlice {
  struct Endpoint {
    bool ready = true;    // absent means true
    bool serving = true;  // absent means the same as ready
    bool terminating = false;
    std::string node_name;
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
  };
  Meta meta;
  std::string service_name;  // label kubernetes.io/service-name
  std::vector<Endpoint> endpoints;
  // Of each endpoint, in the same order. Apart from them, since there are very many of them and nothing here looks at
  // these.
  std::vector<std::vector<net::IpAddress>> addresses;
};

struct Node {
  Meta meta;
  bool unschedulable = false;
  std::vector<Condition> conditions;
  std::vector<net::IpAddress> addresses;  // InternalIP
};

struct Namespace {
  Meta meta;
};

struct Secret {
  Meta meta;
  std::string type = "Opaque";
  std::map<std::string, std::string> data;  // decoded
};

// Everything that was read and holds together, by key ("name" or "namespace/name").
struct Resources {
  std::map<std::string, IPAddressPool> pools;
  std::map<std::string, Community> communities;
  std::map<std::string, BGPPeer> peers;
  std::map<std::string, BGPConfiguration> bgp_configurations;
  std::map<std::string, BGPAdvertisement> bgp_advertisements;
  std::map<std::string, BGPFilter> filters;
  std::map<std::string, BFDProfile> bfd_profiles;
  std::map<std::string, L2Advertisement> l2_advertisements;
  std::map<std::string, SpeakerState> speaker_states;
  std::map<std::string, Service> services;
  std::map<std::string, EndpointSlice> endpoint_slices;
  std::map<std::string, Node> nodes;
  std::map<std::string, Namespace> namespaces;
  std::map<std::string, Secret> secrets;
};

}  // namespace config
