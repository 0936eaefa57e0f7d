// SPDX-License-Identifier: Apache-2.0
// The messages of the BGP Monitoring Protocol: RFC 7854, with Adj-RIB-Out (RFC 8671) and Loc-RIB (RFC 9069), to and
// from bytes. Knows nothing of who sends them when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bgp/wall_time.hpp"
#include "bgp/wire/capabilities.hpp"
#include "bgp/wire/fault.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"
#include "net/result.hpp"

namespace bgp::bmp {

enum class MessageType : std::uint8_t {
  RouteMonitoring = 0,
  StatisticsReport = 1,
  PeerDown = 2,
  PeerUp = 3,
  Initiation = 4,
  Termination = 5,
  RouteMirroring = 6,
};

inline constexpr std::uint8_t version = 3;
inline constexpr std::size_t common_header_size = 6;
inline constexpr std::size_t peer_header_size = 42;
// Of a message that is taken: a BGP message of 65,535 octets with all that may stand around it fits.
inline constexpr std::size_t max_message_size = 1 << 20;

// RFC 7854 section 4.2; LocRib from RFC 9069 section 4.1.
enum class PeerKind : std::uint8_t { Global = 0, Distinguished = 1, Local = 2, LocRib = 3 };

// The flags of peers but LocRib.
inline constexpr std::uint8_t flag_ipv6 = 0x80;
inline constexpr std::uint8_t flag_post_policy = 0x40;
inline constexpr std::uint8_t flag_two_octet_as_path = 0x20;
inline constexpr std::uint8_t flag_adj_rib_out = 0x10;  // RFC 8671
// Of LocRib: only some of its routes are told.
inline constexpr std::uint8_t flag_filtered = 0x80;

struct PeerHeader {
  PeerKind kind = PeerKind::Global;
  std::uint8_t flags = 0;
  std::uint64_t distinguisher = 0;
  net::IpAddress address;  // an IPv6 one where the flags say so
  net::Asn asn;
  net::RouterId id;
  WallTime time;
  friend bool operator==(const PeerHeader&, const PeerHeader&) = default;
};

struct Tlv {
  std::uint16_t type = 0;
  std::vector<std::uint8_t> value;
  friend bool operator==(const Tlv&, const Tlv&) = default;
};
// Information TLVs of Initiation and Peer Up.
inline constexpr std::uint16_t info_string = 0;
inline constexpr std::uint16_t info_sys_descr = 1;
inline constexpr std::uint16_t info_sys_name = 2;
inline constexpr std::uint16_t info_table_name = 3;  // RFC 9069 section 5.2.1; also of Peer Down
// Of Termination.
inline constexpr std::uint16_t termination_string = 0;
inline constexpr std::uint16_t termination_reason = 1;
// Of Route Mirroring.
inline constexpr std::uint16_t mirrored_message = 0;
inline constexpr std::uint16_t mirrored_information = 1;
inline constexpr std::uint16_t errored_pdu = 0;
inline constexpr std::uint16_t messages_lost = 1;

[[nodiscard]] Tlv text_tlv(std::uint16_t type, std::string_view text);
[[nodiscard]] Tlv number_tlv(std::uint16_t type, std::uint16_t number);

// RFC 7854 section 4.5.
enum class TerminationReason : std::uint16_t {
  Closed = 0,
  Unspecified = 1,
  OutOfResources = 2,
  Redundant = 3,
  ClosedForGood = 4,
};

struct Initiation {
  std::vector<Tlv> information;
  friend bool operator==(const Initiation&, const Initiation&) = default;
};
struct Termination {
  std::vector<Tlv> information;
  friend bool operator==(const Termination&, const Termination&) = default;
};
// RFC 7854 section 4.10.
struct PeerUp {
  PeerHeader peer;
  net::IpAddress local;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::vector<std::uint8_t> sent;  // the OPENs, whole messages
  std::vector<std::uint8_t> received;
  std::vector<Tlv> information;
  friend bool operator==(const PeerUp&, const PeerUp&) = default;
};
// RFC 7854 section 4.9; LocRib from RFC 9069 section 5.3.
enum class DownReason : std::uint8_t {
  LocalNotification = 1,   // data: the NOTIFICATION sent
  LocalSilent = 2,         // data: the event of the state machine, two octets; 0: none fits
  RemoteNotification = 3,  // data: the NOTIFICATION received
  RemoteSilent = 4,
  NoLongerMonitored = 5,
  LocRibClosed = 6,  // data: information TLVs
};
struct PeerDown {
  PeerHeader peer;
  DownReason reason{};
  std::vector<std::uint8_t> data;
  friend bool operator==(const PeerDown&, const PeerDown&) = default;
};
struct RouteMonitoring {
  PeerHeader peer;
  std::vector<std::uint8_t> update;  // a whole message
  friend bool operator==(const RouteMonitoring&, const RouteMonitoring&) = default;
};
struct RouteMirroring {
  PeerHeader peer;
  std::vector<Tlv> information;
  friend bool operator==(const RouteMirroring&, const RouteMirroring&) = default;
};

// RFC 7854 section 4.8, RFC 8671 section 6.2.
enum class StatisticType : std::uint16_t {
  RejectedByPolicy = 0,
  DuplicateAdvertisements = 1,
  DuplicateWithdrawals = 2,
  ClusterListLoops = 3,
  AsPathLoops = 4,
  OriginatorLoops = 5,
  ConfederationLoops = 6,
  AdjRibIn = 7,
  LocRib = 8,
  AdjRibInOfFamily = 9,
  LocRibOfFamily = 10,
  UpdatesTreatedAsWithdraw = 11,
  PrefixesTreatedAsWithdraw = 12,
  DuplicateUpdates = 13,
  AdjRibOutPrePolicy = 14,
  AdjRibOut = 15,
  AdjRibOutPrePolicyOfFamily = 16,
  AdjRibOutOfFamily = 17,
};
// Its width is that of its type: a counter of 32 bits or a gauge of 64, some with a family in front. One of another
// type is kept as bytes.
struct Statistic {
  StatisticType type{};
  std::optional<AfiSafi> family;
  std::uint64_t value = 0;
  std::optional<std::vector<std::uint8_t>> raw;  // instead, where the type is not known
  friend bool operator==(const Statistic&, const Statistic&) = default;
};
struct StatisticsReport {
  PeerHeader peer;
  std::vector<Statistic> statistics;
  friend bool operator==(const StatisticsReport&, const StatisticsReport&) = default;
};

using Message =
    std::variant<RouteMonitoring, StatisticsReport, PeerDown, PeerUp, Initiation, Termination, RouteMirroring>;

// Appends one message.
void encode(const Message& message, std::vector<std::uint8_t>& out);
// The same for one Route Monitoring message, without a copy of the UPDATE.
void encode_route_monitoring(const PeerHeader& peer, std::span<const std::uint8_t> update,
                             std::vector<std::uint8_t>& out);

// The length of the message at the front of `bytes`, whole or not; nothing while fewer than six octets are there. The
// error means that the stream cannot be read on.
[[nodiscard]] net::Result<std::optional<std::size_t>, Fault> message_length(std::span<const std::uint8_t> bytes);
// One whole message. What decodes encodes to the same bytes.
[[nodiscard]] net::Result<Message, Fault> decode(std::span<const std::uint8_t> message);

}  // namespace bgp::bmp
