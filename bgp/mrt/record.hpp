// SPDX-License-Identifier: Apache-2.0
// Records of MRT files (RFC 6396, add-path of RFC 8050) to and from bytes. What decodes encodes to the same bytes; a
// record of a type that is not known here is kept as it is. Knows nothing of files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "bgp/session.hpp"
#include "bgp/wall_time.hpp"
#include "bgp/wire/fault.hpp"
#include "bgp/wire/update.hpp"
#include "net/prefix.hpp"

namespace bgp::mrt {

enum class RecordType : std::uint16_t { TableDump = 12, TableDumpV2 = 13, Bgp4mp = 16, Bgp4mpEt = 17 };

inline constexpr std::size_t header_size = 12;
// Of what stands behind the header; the largest that real files have are far below.
inline constexpr std::size_t max_body_size = 16 << 20;

// RFC 6396 section 4.3.1. Entries of later records name a peer by its place here.
struct PeerIndexTable {
  struct Peer {
    net::RouterId id;
    net::IpAddress address;
    net::Asn asn;
    AsnWidth width = AsnWidth::FourOctets;
    std::uint8_t other_flags = 0;  // bits of its type that mean nothing
    friend bool operator==(const Peer&, const Peer&) = default;
  };
  net::RouterId collector;
  std::string view;
  std::vector<Peer> peers;
  friend bool operator==(const PeerIndexTable&, const PeerIndexTable&) = default;
};

struct RibEntry {
  std::uint16_t peer = 0;
  std::uint32_t originated = 0;          // seconds since 1970
  std::uint32_t path_id = 0;             // with add-path
  std::vector<std::uint8_t> attributes;  // as on the wire, but see decode_attributes()
  friend bool operator==(const RibEntry&, const RibEntry&) = default;
};
// RFC 6396 section 4.3.2, RFC 8050 section 4.1.
struct Rib {
  std::uint32_t sequence = 0;
  net::Prefix prefix;
  bool multicast = false;
  bool path_ids = false;
  std::vector<RibEntry> entries;
  friend bool operator==(const Rib&, const Rib&) = default;
};
// RFC 6396 section 4.2, the older form: one path a record, AS numbers of two octets.
struct TableDump {
  std::uint16_t view = 0;
  std::uint16_t sequence = 0;
  net::Prefix prefix;
  std::uint8_t status = 1;
  std::uint32_t originated = 0;
  net::IpAddress peer;
  net::Asn asn;
  std::vector<std::uint8_t> attributes;
  friend bool operator==(const TableDump&, const TableDump&) = default;
};

// The two ends of a session (RFC 6396 section 4.4).
struct Ends {
  net::Asn peer_asn;
  net::Asn local_asn;
  AsnWidth width = AsnWidth::FourOctets;
  std::uint16_t interface = 0;
  net::IpAddress peer;  // both of one family
  net::IpAddress local;
  friend bool operator==(const Ends&, const Ends&) = default;
};
// RFC 6396 sections 4.4.2 and 4.4.3, RFC 8050 section 3. The width is also that of AS numbers in the message.
struct BgpMessage {
  Ends ends;
  bool sent = false;      // by the one who wrote the file
  bool path_ids = false;  // the prefixes in it have path identifiers
  std::vector<std::uint8_t> message;
  friend bool operator==(const BgpMessage&, const BgpMessage&) = default;
};
// RFC 6396 section 4.4.1. States are those of RFC 4271, counted from 1: Idle.
struct StateChange {
  Ends ends;
  std::uint16_t before = 0;
  std::uint16_t after = 0;
  friend bool operator==(const StateChange&, const StateChange&) = default;
};
[[nodiscard]] std::uint16_t number_of(State state);

// Of a type or subtype that is not known: what stands behind the header.
struct Other {
  std::vector<std::uint8_t> body;
  friend bool operator==(const Other&, const Other&) = default;
};

struct Record {
  WallTime time;
  // As in the file: they also follow from the content, except for whether microseconds are written.
  RecordType type{};
  std::uint16_t subtype = 0;
  std::variant<Other, PeerIndexTable, Rib, TableDump, BgpMessage, StateChange> content;
  friend bool operator==(const Record&, const Record&) = default;
};

// With type and subtype by the content. BGP messages and changes of state are written with microseconds (BGP4MP_ET).
[[nodiscard]] Record make_record(WallTime time, PeerIndexTable table);
[[nodiscard]] Record make_record(WallTime time, Rib rib);
[[nodiscard]] Record make_record(WallTime time, BgpMessage message);
[[nodiscard]] Record make_record(WallTime time, StateChange change);

void encode(const Record& record, std::vector<std::uint8_t>& out);

// The length of the whole record that begins with these twelve octets.
[[nodiscard]] net::Result<std::size_t, Fault> record_length(std::span<const std::uint8_t, header_size> header);
[[nodiscard]] net::Result<Record, Fault> decode(std::span<const std::uint8_t> record);

// The attributes of an entry. In TABLE_DUMP_V2 AS numbers have four octets, and MP_REACH_NLRI is its next hop alone
// (RFC 6396 section 4.3.4); whole ones, which some writers leave there, are read as well. The error says what is wrong.
[[nodiscard]] net::Result<PathAttributes, const char*> decode_attributes(std::span<const std::uint8_t> attributes,
                                                                         AsnWidth width);
// The reverse for four octets.
void encode_attributes(const PathAttributes& attributes, net::Family family, std::vector<std::uint8_t>& out);

}  // namespace bgp::mrt
