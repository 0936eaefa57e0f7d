// SPDX-License-Identifier: Apache-2.0
#include "bgp/mrt/record.hpp"
#include "bgp/mrt/subtype.hpp"
#include "bgp/wire/nlri.hpp"
#include "net/reader.hpp"

namespace bgp::mrt {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes copy(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Reads down one record and remembers the first thing that is wrong and where.
class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> record) : size_{record.size()}, in_{record} {}

  [[nodiscard]] net::Result<Record, Fault> record() {
    Record made;
    made.time.seconds = in_.u32();
    made.type = static_cast<RecordType>(in_.u16());
    made.subtype = in_.u16();
    if (in_.u32() != size_ - header_size) return net::fail(Fault{8, "the length is not that of the record"});
    if (made.type == RecordType::Bgp4mpEt) made.time.microseconds = in_.u32();
    content(made);
    if (fault_) return net::fail(*fault_);
    if (!in_.ok()) return net::fail(Fault{size_, "the record ends within a field"});
    if (in_.remaining() > 0) return net::fail(Fault{offset(), "there is more than the record has fields"});
    return made;
  }

 private:
  void content(Record& record) {
    switch (record.type) {
      case RecordType::TableDumpV2:
        if (record.subtype == peer_index_table)
          record.content = peer_index();
        else if (const auto rib_type = rib_subtype(record.subtype))
          record.content = rib(*rib_type);
        else
          record.content = other();
        return;
      case RecordType::TableDump:
        if (record.subtype == table_dump_ipv4 || record.subtype == table_dump_ipv6)
          record.content = table_dump(record.subtype == table_dump_ipv6);
        else
          record.content = other();
        return;
      case RecordType::Bgp4mp:
      case RecordType::Bgp4mpEt:
        if (record.subtype == state_change_two_octets)
          record.content = state_change(AsnWidth::TwoOctets);
        else if (record.subtype == state_change_four_octets)
          record.content = state_change(AsnWidth::FourOctets);
        else if (const auto message = message_subtype(record.subtype))
          record.content = bgp_message(*message);
        else
          record.content = other();
        return;
    }
    record.content = other();
  }

  Other other() { return {copy(in_.bytes(in_.remaining()))}; }

  net::Asn asn(AsnWidth width) { return net::Asn{width == AsnWidth::FourOctets ? in_.u32() : in_.u16()}; }
  net::IpAddress address(bool v6) {
    if (v6) return in_.ipv6();
    return in_.ipv4();
  }

  PeerIndexTable peer_index() {
    PeerIndexTable table;
    table.collector = net::RouterId{in_.u32()};
    const auto name = in_.bytes(in_.u16());
    table.view.assign(name.begin(), name.end());
    const auto count = in_.u16();
    for (unsigned i = 0; i < count && in_.ok(); ++i) {
      PeerIndexTable::Peer peer;
      const auto type = in_.u8();
      peer.other_flags = static_cast<std::uint8_t>(type & ~(peer_is_ipv6 | peer_is_wide));
      peer.width = (type & peer_is_wide) != 0 ? AsnWidth::FourOctets : AsnWidth::TwoOctets;
      peer.id = net::RouterId{in_.u32()};
      peer.address = address((type & peer_is_ipv6) != 0);
      peer.asn = asn(peer.width);
      table.peers.push_back(peer);
    }
    return table;
  }

  // As in an UPDATE, but with no bits behind the length: they would not come back.
  net::Prefix packed_prefix(net::Family family) {
    const auto length = in_.u8();
    const unsigned most = family == net::Family::Ipv4 ? 32 : 128;
    if (in_.ok() && length > most) {
      complain_before(1, "the prefix is longer than an address of its family");
      return {};
    }
    const auto octets = in_.bytes(prefix_octets(length));
    if (!in_.ok()) return {};
    const net::Prefix made = family == net::Family::Ipv4
                                 ? net::Prefix{load_prefix<net::Ipv4Prefix>(octets.data(), length, octets.size())}
                                 : net::Prefix{load_prefix<net::Ipv6Prefix>(octets.data(), length, octets.size())};
    if (!std::equal(octets.begin(), octets.end(), made.address().bytes().begin()))
      complain_before(octets.size(), "bits are set behind the prefix's length");
    return made;
  }

  Rib rib(RibSubtype type) {
    Rib made;
    made.sequence = in_.u32();
    made.prefix = packed_prefix(type.family);
    made.multicast = type.multicast;
    made.path_ids = type.path_ids;
    const auto count = in_.u16();
    for (unsigned i = 0; i < count && in_.ok(); ++i) {
      RibEntry entry;
      entry.peer = in_.u16();
      entry.originated = in_.u32();
      if (type.path_ids) entry.path_id = in_.u32();
      entry.attributes = copy(in_.bytes(in_.u16()));
      made.entries.push_back(std::move(entry));
    }
    return made;
  }

  TableDump table_dump(bool v6) {
    TableDump made;
    made.view = in_.u16();
    made.sequence = in_.u16();
    const auto network = address(v6);
    const auto length = in_.u8();
    if (in_.ok() && length > (v6 ? 128 : 32)) complain_before(1, "the prefix is longer than an address of its family");
    if (in_.ok()) {
      made.prefix = v6 ? net::Prefix{*net::Ipv6Prefix::make(network.v6(), length)}
                       : net::Prefix{*net::Ipv4Prefix::make(network.v4(), length)};
      if (made.prefix.address() != network) complain_before(1, "bits are set behind the prefix's length");
    }
    made.status = in_.u8();
    made.originated = in_.u32();
    made.peer = address(v6);
    made.asn = net::Asn{in_.u16()};
    made.attributes = copy(in_.bytes(in_.u16()));
    return made;
  }

  Ends ends(AsnWidth width) {
    Ends made;
    made.width = width;
    made.peer_asn = asn(width);
    made.local_asn = asn(width);
    made.interface = in_.u16();
    const auto afi = in_.u16();
    if (in_.ok() && afi != ipv4_unicast.afi && afi != ipv6_unicast.afi)
      complain_before(2, "the address family is neither 1 (IPv4) nor 2 (IPv6)");
    made.peer = address(afi == ipv6_unicast.afi);
    made.local = address(afi == ipv6_unicast.afi);
    return made;
  }

  BgpMessage bgp_message(MessageSubtype type) {
    BgpMessage made;
    made.ends = ends(type.width);
    made.sent = type.sent;
    made.path_ids = type.path_ids;
    made.message = copy(in_.bytes(in_.remaining()));
    return made;
  }

  StateChange state_change(AsnWidth width) {
    StateChange made;
    made.ends = ends(width);
    made.before = in_.u16();
    made.after = in_.u16();
    return made;
  }

  [[nodiscard]] std::size_t offset() const { return size_ - in_.remaining(); }
  // What was wrong began so many octets ago.
  void complain_before(std::size_t octets, const char* text) {
    if (!fault_) fault_ = Fault{offset() - octets, text};
    in_.set_failed();
  }

  std::size_t size_;
  net::Reader in_;
  std::optional<Fault> fault_;
};

}  // namespace

net::Result<std::size_t, Fault> record_length(std::span<const std::uint8_t, header_size> header) {
  net::Reader in{header};
  in.skip(8);
  const std::size_t length = in.u32();
  if (length > max_body_size) return net::fail(Fault{8, "the length is above 16777216"});
  return header_size + length;
}

net::Result<Record, Fault> decode(std::span<const std::uint8_t> record) {
  if (record.size() < header_size) return net::fail(Fault{record.size(), "the record ends within its header"});
  return Decoder{record}.record();
}

}  // namespace bgp::mrt
