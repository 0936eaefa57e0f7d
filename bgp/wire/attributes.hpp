// SPDX-License-Identifier: Apache-2.0
// Path attributes as plain values (RFC 4271 section 5, RFC 4760, RFC 6793, RFC 1997, RFC 4360, RFC 5701, RFC 8092,
// RFC 4456, RFC 7311). This is the exploded form, for decoding, policy and display; tables hold the interned
// canonical bytes of rib/attribute_pool.hpp instead.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "net/address.hpp"
#include "net/asn.hpp"

namespace bgp {

enum class AttributeType : std::uint8_t {
  Origin = 1,
  AsPath = 2,
  NextHop = 3,
  Med = 4,
  LocalPref = 5,
  AtomicAggregate = 6,
  Aggregator = 7,
  Communities = 8,
  OriginatorId = 9,
  ClusterList = 10,
  MpReach = 14,
  MpUnreach = 15,
  ExtendedCommunities = 16,
  As4Path = 17,
  As4Aggregator = 18,
  Ipv6ExtendedCommunities = 25,
  Aigp = 26,
  LargeCommunities = 32,
  OnlyToCustomer = 35,
};

// The flags octet, RFC 4271 section 4.3. The low four bits are ignored on receipt and sent as zero.
inline constexpr std::uint8_t flag_optional = 0x80;
inline constexpr std::uint8_t flag_transitive = 0x40;
inline constexpr std::uint8_t flag_partial = 0x20;
inline constexpr std::uint8_t flag_extended_length = 0x10;

enum class Origin : std::uint8_t { Igp, Egp, Incomplete };

struct AsPathSegment {
  enum class Type : std::uint8_t { Set = 1, Sequence = 2, ConfedSequence = 3, ConfedSet = 4 };
  Type type = Type::Sequence;
  std::vector<net::Asn> asns;
  friend bool operator==(const AsPathSegment&, const AsPathSegment&) = default;
};

struct AsPath {
  std::vector<AsPathSegment> segments;

  // As the decision process counts it: a set is one, confederation segments are none
  // (RFC 4271 section 9.1.2.2 a, RFC 5065 section 5.3).
  [[nodiscard]] unsigned length() const;
  // The neighbouring AS: the leftmost of the first sequence.
  [[nodiscard]] std::optional<net::Asn> first() const;
  // The same within a confederation: the leftmost of a path that begins with a confederation's sequence (RFC 5065).
  [[nodiscard]] std::optional<net::Asn> first_member() const;
  // The AS that originated the route: the rightmost of the last sequence; nothing after a set.
  [[nodiscard]] std::optional<net::Asn> origin() const;
  // The same as origin validation wants it (RFC 6811 section 2): a path that is empty or ends within our confederation
  // is of our own AS, `own`.
  [[nodiscard]] std::optional<net::Asn> validated_origin(net::Asn own) const;
  [[nodiscard]] unsigned count(net::Asn asn) const;
  [[nodiscard]] bool contains(net::Asn asn) const { return count(asn) != 0; }
  // Puts `asn` in front `times` times, in a segment of the type; a full segment (255) starts another.
  void prepend(net::Asn asn, unsigned times = 1, AsPathSegment::Type type = AsPathSegment::Type::Sequence);
  // Takes out the segments of a confederation (RFC 5065 section 4.1).
  void remove_confederation();
  friend bool operator==(const AsPath&, const AsPath&) = default;
};

struct Aggregator {
  net::Asn asn;
  net::Ipv4Address address;
  friend bool operator==(const Aggregator&, const Aggregator&) = default;
};

struct Community {
  std::uint32_t value{};
  friend constexpr auto operator<=>(Community, Community) = default;
};
inline constexpr Community community_graceful_shutdown{0xffff0000};  // RFC 8326
inline constexpr Community community_llgr_stale{0xffff0006};         // RFC 9494
inline constexpr Community community_no_llgr{0xffff0007};
inline constexpr Community community_blackhole{0xffff029a};  // RFC 7999
inline constexpr Community community_no_export{0xffffff01};  // RFC 1997
inline constexpr Community community_no_advertise{0xffffff02};
inline constexpr Community community_no_export_subconfed{0xffffff03};

struct ExtendedCommunity {
  std::uint64_t value{};  // the eight octets, big-endian
  friend constexpr auto operator<=>(ExtendedCommunity, ExtendedCommunity) = default;
};

// The link bandwidth community, transitive or not (draft-ietf-idr-link-bandwidth): octets per second.
[[nodiscard]] ExtendedCommunity link_bandwidth(net::Asn asn, float octets_per_second);
// Nothing when it is another one, or its number is none that a link can have.
[[nodiscard]] std::optional<float> link_bandwidth(ExtendedCommunity community);

// An IPv6 address specific community, RFC 5701 section 2: the twenty octets, type and sub-type first, then the address
// of the administrator and two octets of its own.
struct Ipv6ExtendedCommunity {
  std::array<std::uint8_t, 20> octets{};
  friend constexpr auto operator<=>(const Ipv6ExtendedCommunity&, const Ipv6ExtendedCommunity&) = default;
};

struct LargeCommunity {
  std::uint32_t global{};
  std::uint32_t local1{};
  std::uint32_t local2{};
  friend constexpr auto operator<=>(const LargeCommunity&, const LargeCommunity&) = default;
};

struct NextHop {
  net::IpAddress address;
  std::optional<net::Ipv6Address> link_local;  // RFC 2545 section 3
  // Where a link-local `address` is: the index of an interface of this host; never sent. 0: not known, or elsewhere.
  std::uint32_t interface = 0;
  friend bool operator==(const NextHop&, const NextHop&) = default;
};

// Where packets for a route go: `weight` shares of them, 1 to 100; or nowhere (RFC 7999), and then alone.
struct RouteHop : NextHop {
  std::uint16_t weight = 1;
  bool blackhole = false;
  std::uint32_t metric = 0;  // of the route, the same in all of its hops; 0: that of all routes
  friend bool operator==(const RouteHop&, const RouteHop&) = default;
};

// The accumulated IGP metric, RFC 7311.
struct Aigp {
  std::uint64_t metric{};
  std::vector<std::uint8_t> rest;  // the other TLVs, to be passed on as they came (section 3)
  friend bool operator==(const Aigp&, const Aigp&) = default;
};

// An optional attribute that this speaker does not know, kept to be passed on (transitive ones only).
struct UnknownAttribute {
  std::uint8_t flags{};
  std::uint8_t type{};
  std::vector<std::uint8_t> value;
  friend bool operator==(const UnknownAttribute&, const UnknownAttribute&) = default;
};

// RFC 4271 section 5: somebody on the way did not know an optional transitive attribute, and nobody may forget that. Of
// those that this speaker knows: where that is kept; 0 for all others.
[[nodiscard]] constexpr std::uint8_t partial_bit(AttributeType type) {
  switch (type) {
    case AttributeType::Aggregator:
      return 1;
    case AttributeType::Communities:
      return 2;
    case AttributeType::ExtendedCommunities:
      return 4;
    case AttributeType::Ipv6ExtendedCommunities:
      return 8;
    case AttributeType::LargeCommunities:
      return 16;
    case AttributeType::OnlyToCustomer:
      return 32;
    default:
      return 0;
  }
}

struct PathAttributes {
  Origin origin = Origin::Igp;
  AsPath as_path;
  NextHop next_hop;
  std::optional<std::uint32_t> med;
  std::optional<std::uint32_t> local_pref;
  bool atomic_aggregate = false;
  std::optional<Aggregator> aggregator;
  std::vector<Community> communities;
  std::vector<ExtendedCommunity> extended_communities;
  std::vector<LargeCommunity> large_communities;
  std::vector<Ipv6ExtendedCommunity> ipv6_extended_communities;
  std::optional<net::RouterId> originator_id;
  std::vector<net::RouterId> cluster_list;
  std::optional<Aigp> aigp;
  std::optional<net::Asn> only_to_customer;  // RFC 9234 section 5
  std::vector<UnknownAttribute> unknown;
  std::uint8_t partial = 0;  // of which of these the Partial bit came set, by partial_bit()
  // What is never sent: the link that leads to the next hop, as LinkMap numbers it (0: none, or nobody asks), and the
  // metric of the route in the kernel (0: that of all routes).
  std::uint32_t link = 0;
  std::uint32_t kernel_metric = 0;
  [[nodiscard]] bool has(Community community) const;
  friend bool operator==(const PathAttributes&, const PathAttributes&) = default;
};

}  // namespace bgp
