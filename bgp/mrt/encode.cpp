// SPDX-License-Identifier: Apache-2.0
#include "bgp/mrt/record.hpp"
#include "bgp/mrt/subtype.hpp"
#include "bgp/wire/nlri.hpp"
#include "net/writer.hpp"

namespace bgp::mrt {
namespace {

using Bytes = std::vector<std::uint8_t>;

void asn(net::Asn number, AsnWidth width, net::Writer& out) {
  if (width == AsnWidth::FourOctets)
    out.u32(number.value);
  else
    out.u16(static_cast<std::uint16_t>(number.four_octet() ? net::as_trans.value : number.value));
}

void prefix(const net::Prefix& prefix, Bytes& out) {
  if (prefix.is_v4())
    encode_prefix(prefix.v4(), out);
  else
    encode_prefix(prefix.v6(), out);
}

void attributes(const Bytes& bytes, net::Writer& out) {
  out.u16(static_cast<std::uint16_t>(bytes.size()));
  out.bytes(bytes);
}

void body(const Other& other, Bytes& out) {
  net::Writer{out}.bytes(other.body);
}

void body(const PeerIndexTable& table, Bytes& bytes) {
  net::Writer out{bytes};
  out.u32(table.collector.value);
  out.u16(static_cast<std::uint16_t>(table.view.size()));
  bytes.insert(bytes.end(), table.view.begin(), table.view.end());
  out.u16(static_cast<std::uint16_t>(table.peers.size()));
  for (const auto& peer : table.peers) {
    const auto v6 = peer.address.is_v6() ? peer_is_ipv6 : 0U;
    const auto wide = peer.width == AsnWidth::FourOctets ? peer_is_wide : 0U;
    out.u8(static_cast<std::uint8_t>(peer.other_flags | wide | v6));
    out.u32(peer.id.value);
    out.address(peer.address);
    asn(peer.asn, peer.width, out);
  }
}

void body(const Rib& rib, Bytes& bytes) {
  net::Writer out{bytes};
  out.u32(rib.sequence);
  prefix(rib.prefix, bytes);
  out.u16(static_cast<std::uint16_t>(rib.entries.size()));
  for (const auto& entry : rib.entries) {
    out.u16(entry.peer);
    out.u32(entry.originated);
    if (rib.path_ids) out.u32(entry.path_id);
    attributes(entry.attributes, out);
  }
}

void body(const TableDump& dump, Bytes& bytes) {
  net::Writer out{bytes};
  out.u16(dump.view);
  out.u16(dump.sequence);
  out.address(dump.prefix.address());
  out.u8(static_cast<std::uint8_t>(dump.prefix.length()));
  out.u8(dump.status);
  out.u32(dump.originated);
  out.address(dump.peer);
  asn(dump.asn, AsnWidth::TwoOctets, out);
  attributes(dump.attributes, out);
}

void ends(const Ends& session, net::Writer& out) {
  asn(session.peer_asn, session.width, out);
  asn(session.local_asn, session.width, out);
  out.u16(session.interface);
  out.u16(session.peer.is_v4() ? ipv4_unicast.afi : ipv6_unicast.afi);
  out.address(session.peer);
  out.address(session.local);
}

void body(const BgpMessage& message, Bytes& bytes) {
  net::Writer out{bytes};
  ends(message.ends, out);
  out.bytes(message.message);
}

void body(const StateChange& change, Bytes& bytes) {
  net::Writer out{bytes};
  ends(change.ends, out);
  out.u16(change.before);
  out.u16(change.after);
}

}  // namespace

std::uint16_t number_of(State state) {
  return static_cast<std::uint16_t>(1U + static_cast<unsigned>(state));
}

Record make_record(WallTime time, PeerIndexTable table) {
  return {time, RecordType::TableDumpV2, peer_index_table, std::move(table)};
}
Record make_record(WallTime time, Rib rib) {
  const auto subtype = subtype_of(RibSubtype{rib.prefix.family(), rib.multicast, rib.path_ids});
  return {time, RecordType::TableDumpV2, subtype, std::move(rib)};
}
Record make_record(WallTime time, BgpMessage message) {
  const auto subtype = subtype_of(MessageSubtype{message.ends.width, message.sent, message.path_ids});
  return {time, RecordType::Bgp4mpEt, subtype, std::move(message)};
}
Record make_record(WallTime time, StateChange change) {
  const auto subtype = change.ends.width == AsnWidth::FourOctets ? state_change_four_octets : state_change_two_octets;
  return {time, RecordType::Bgp4mpEt, subtype, change};
}

void encode(const Record& record, Bytes& out) {
  const auto start = out.size();
  net::Writer writer{out};
  writer.u32(record.time.seconds);
  writer.u16(static_cast<std::uint16_t>(record.type));
  writer.u16(record.subtype);
  writer.u32(0);
  // RFC 6396 section 3: the length counts the microseconds.
  if (record.type == RecordType::Bgp4mpEt) writer.u32(record.time.microseconds);
  std::visit([&](const auto& each) { body(each, out); }, record.content);
  auto length = out.size() - start - header_size;
  for (std::size_t i = header_size; i-- > 8; length >>= 8) out[start + i] = static_cast<std::uint8_t>(length);
}

}  // namespace bgp::mrt
