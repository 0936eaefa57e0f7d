// SPDX-License-Identifier: Apache-2.0
#include "ctl/mrt_rows.hpp"

#include <array>
#include <vector>

#include "bgp/wire/notification.hpp"
#include "net/match.hpp"

namespace ctl {
namespace {

using bgp::mrt::Record;
using Visit = std::function<void(const MrtRow&)>;

constexpr auto states =
    std::to_array<const char*>({"?", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"});

std::string state(std::uint16_t number) {
  return number > 0 && number < states.size() ? states[number] : std::to_string(number);
}

// Remembers the peer table, which later records refer to.
class Rows {
 public:
  explicit Rows(const Visit& visit) : visit_{visit} {}

  // The answer is what is wrong, or empty.
  std::string add(const Record& record, std::uint64_t offset) {
    row_ = {};
    row_.offset = offset;
    row_.time = record.time;
    row_.microseconds = record.type == bgp::mrt::RecordType::Bgp4mpEt;
    problem_.clear();
    std::visit([&](const auto& content) { add_content(content, record); }, record.content);
    return problem_;
  }

 private:
  void emit(MrtRow::Kind kind) {
    row_.kind = kind;
    visit_(row_);
  }

  void add_content(const bgp::mrt::Other& other, const Record& record) {
    row_.text = "type " + std::to_string(static_cast<unsigned>(record.type)) + " subtype " +
                std::to_string(record.subtype) + ", " + std::to_string(other.body.size()) + " octets";
    emit(MrtRow::Kind::Unknown);
  }

  void add_content(const bgp::mrt::PeerIndexTable& table, const Record&) { peers_ = table; }

  void add_content(const bgp::mrt::Rib& rib, const Record&) {
    for (const auto& entry : rib.entries) {
      if (entry.peer >= peers_.peers.size()) {
        problem_ = "a path of " + net::print(rib.prefix) + " is of peer " + std::to_string(entry.peer) +
                   ", and the peer table before it has " + std::to_string(peers_.peers.size());
        return;
      }
      const auto& peer = peers_.peers[entry.peer];
      row_.peer = peer.address;
      row_.asn = peer.asn;
      row_.time = {entry.originated, 0};
      row_.path_id = rib.path_ids ? std::optional{entry.path_id} : std::nullopt;
      route(rib.prefix, entry.attributes, bgp::AsnWidth::FourOctets, rib.multicast);
    }
  }

  void add_content(const bgp::mrt::TableDump& dump, const Record&) {
    row_.peer = dump.peer;
    row_.asn = dump.asn;
    row_.time = {dump.originated, 0};
    route(dump.prefix, dump.attributes, bgp::AsnWidth::TwoOctets, false);
  }

  void route(const net::Prefix& prefix, std::span<const std::uint8_t> bytes, bgp::AsnWidth width, bool multicast) {
    row_.prefix = prefix;
    row_.text = multicast ? "multicast" : "";
    row_.attributes.reset();
    auto attributes = bgp::mrt::decode_attributes(bytes, width);
    if (attributes)
      row_.attributes = std::move(*attributes);
    else
      row_.text = std::string{"malformed: "} + attributes.error();
    emit(MrtRow::Kind::Route);
  }

  void ends(const bgp::mrt::Ends& ends) {
    row_.peer = ends.peer;
    row_.asn = ends.peer_asn;
  }

  void add_content(const bgp::mrt::StateChange& change, const Record&) {
    ends(change.ends);
    row_.text = state(change.before) + " -> " + state(change.after);
    emit(MrtRow::Kind::State);
  }

  void add_content(const bgp::mrt::BgpMessage& message, const Record&) {
    ends(message.ends);
    row_.sent = message.sent;
    const std::span<const std::uint8_t> bytes{message.message};
    if (bytes.size() < bgp::header_size) return malformed("shorter than the header of a BGP message");
    const auto header = bgp::decode_header(bytes, bgp::max_extended_message_size);
    if (!header) return malformed(bgp::describe(header.error()));
    if (header->length != bytes.size()) return malformed("its length is not that of the record");
    const auto body = bytes.subspan(bgp::header_size);
    switch (header->type) {
      case bgp::MessageType::Update:
        return update(body, message);
      case bgp::MessageType::Notification:
        row_.text = "NOTIFICATION: " + bgp::describe(bgp::decode_notification(body));
        break;
      case bgp::MessageType::Open:
        row_.text = "OPEN";
        break;
      case bgp::MessageType::Keepalive:
        row_.text = "KEEPALIVE";
        break;
      case bgp::MessageType::RouteRefresh:
        row_.text = "ROUTE-REFRESH";
        break;
    }
    emit(MrtRow::Kind::Message);
  }

  void malformed(const std::string& why) {
    row_.text = "malformed: " + why;
    emit(MrtRow::Kind::Message);
  }

  void update(std::span<const std::uint8_t> body, const bgp::mrt::BgpMessage& message) {
    bgp::UpdateContext context;
    const bool internal = message.ends.peer_asn == message.ends.local_asn;
    context.peer = internal ? bgp::PeerType::Internal : bgp::PeerType::External;
    context.asn_width = message.ends.width;
    context.enforce_first_as = false;
    context.ipv4_over_ipv6 = true;
    context.aigp = true;
    if (message.path_ids) context.path_ids = {true, true};
    auto decoded = bgp::decode_update(body, context);
    if (!decoded) return malformed(bgp::describe(decoded.error()));
    if (!decoded->faults.empty()) row_.text = std::string{"malformed: "} + decoded->faults.front().reason;
    for (const auto& run : decoded->withdrawn) prefixes(run, MrtRow::Kind::Withdrawn);
    for (const auto& run : decoded->reachable) {
      row_.attributes = decoded->attributes;
      row_.attributes->next_hop = run.family == net::Family::Ipv4 ? decoded->next_hop_ipv4 : decoded->next_hop_ipv6;
      prefixes(run, MrtRow::Kind::Announced);
    }
    if (decoded->end_of_rib) {
      row_.text = net::print(*decoded->end_of_rib);
      emit(MrtRow::Kind::EndOfRib);
    } else if (decoded->withdrawn.empty() && decoded->reachable.empty()) {
      row_.text = "UPDATE without unicast prefixes";
      emit(MrtRow::Kind::Message);
    }
  }

  void prefixes(const bgp::NlriRun& run, MrtRow::Kind kind) {
    bgp::for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) {
      row_.prefix = prefix;
      row_.path_id = run.path_ids ? std::optional{id} : std::nullopt;
      emit(kind);
    });
  }

  const Visit& visit_;
  bgp::mrt::PeerIndexTable peers_;
  MrtRow row_;
  std::string problem_;
};

std::string at(std::uint64_t offset, const std::string& text) {
  return "offset " + std::to_string(offset) + ": " + text;
}

// What the first octets say of a file that is none.
std::string not_mrt(std::span<const std::uint8_t> head) {
  if (head[0] == 0x1f && head[1] == 0x8b) return "the file is compressed: zcat FILE | heraldctl mrt show -";
  if (head[0] == 'B' && head[1] == 'Z' && head[2] == 'h')
    return "the file is compressed: bzcat FILE | heraldctl mrt show -";
  return {};
}

}  // namespace

std::string_view print(MrtRow::Kind kind) {
  switch (kind) {
    case MrtRow::Kind::Route:
      return "route";
    case MrtRow::Kind::Announced:
      return "announce";
    case MrtRow::Kind::Withdrawn:
      return "withdraw";
    case MrtRow::Kind::EndOfRib:
      return "end-of-rib";
    case MrtRow::Kind::Message:
      return "message";
    case MrtRow::Kind::State:
      return "state";
    case MrtRow::Kind::Unknown:
      break;
  }
  return "unknown";
}

std::string read_mrt(std::istream& file, const std::function<void(const MrtRow&)>& visit) {
  Rows rows{visit};
  std::uint64_t offset = 0;
  std::vector<std::uint8_t> record;
  const auto fill = [&](std::size_t size) {
    const auto have = record.size();
    record.resize(size);
    file.read(reinterpret_cast<char*>(record.data() + have), static_cast<std::streamsize>(size - have));
    const auto got = static_cast<std::size_t>(file.gcount());
    record.resize(have + got);
    return have + got == size;
  };
  for (;; offset += record.size()) {
    record.clear();
    if (!fill(bgp::mrt::header_size)) {
      if (record.empty()) return {};
      return at(offset + record.size(), "the file ends within the header of a record");
    }
    if (offset == 0) {
      if (auto other = not_mrt(record); !other.empty()) return at(0, other);
    }
    const auto length = bgp::mrt::record_length(std::span<const std::uint8_t, bgp::mrt::header_size>{record});
    if (!length) return at(offset + length.error().offset, length.error().text);
    if (!fill(*length))
      return at(offset + record.size(), "the file ends within a record that began at offset " + std::to_string(offset));
    const auto decoded = bgp::mrt::decode(record);
    if (!decoded) return at(offset + decoded.error().offset, decoded.error().text);
    if (auto problem = rows.add(*decoded, offset); !problem.empty()) return at(offset, problem);
  }
}

}  // namespace ctl
