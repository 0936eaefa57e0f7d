// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "bgp/bmp/message.hpp"
#include "bgp/bmp/statistic_width.hpp"
#include "net/match.hpp"
#include "net/writer.hpp"

namespace bgp::bmp {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Sixteen octets; an IPv4 address stands at their end.
void long_address(const net::IpAddress& address, net::Writer& out) {
  if (address.is_v4()) out.zeros(12);
  out.address(address);
}

void peer_header(const PeerHeader& peer, net::Writer& out) {
  out.u8(static_cast<std::uint8_t>(peer.kind));
  out.u8(peer.flags);
  out.u64(peer.distinguisher);
  long_address(peer.address, out);
  out.u32(peer.asn.value);
  out.u32(peer.id.value);
  out.u32(peer.time.seconds);
  out.u32(peer.time.microseconds);
}

void tlvs(const std::vector<Tlv>& list, net::Writer& out) {
  for (const auto& tlv : list) {
    out.u16(tlv.type);
    out.u16(static_cast<std::uint16_t>(tlv.value.size()));
    out.bytes(tlv.value);
  }
}

void body(const RouteMonitoring& message, net::Writer& out) {
  peer_header(message.peer, out);
  out.bytes(message.update);
}
void body(const RouteMirroring& message, net::Writer& out) {
  peer_header(message.peer, out);
  tlvs(message.information, out);
}
void body(const Initiation& message, net::Writer& out) {
  tlvs(message.information, out);
}
void body(const Termination& message, net::Writer& out) {
  tlvs(message.information, out);
}
void body(const PeerDown& message, net::Writer& out) {
  peer_header(message.peer, out);
  out.u8(static_cast<std::uint8_t>(message.reason));
  out.bytes(message.data);
}
void body(const PeerUp& message, net::Writer& out) {
  peer_header(message.peer, out);
  long_address(message.local, out);
  out.u16(message.local_port);
  out.u16(message.remote_port);
  out.bytes(message.sent);
  out.bytes(message.received);
  tlvs(message.information, out);
}

void statistic(const Statistic& one, net::Writer& out) {
  out.u16(static_cast<std::uint16_t>(one.type));
  const auto length = out.length_field_u16();
  if (one.raw) return out.bytes(*one.raw);
  const auto width = statistic_width(one.type);
  if (width.family) {
    out.u16(one.family.value_or(AfiSafi{}).afi);
    out.u8(one.family.value_or(AfiSafi{}).safi);
  }
  if (width.octets == 8)
    out.u64(one.value);
  else
    out.u32(static_cast<std::uint32_t>(std::min<std::uint64_t>(one.value, 0xffffffff)));
}
void body(const StatisticsReport& message, net::Writer& out) {
  peer_header(message.peer, out);
  out.u32(static_cast<std::uint32_t>(message.statistics.size()));
  for (const auto& one : message.statistics) statistic(one, out);
}

constexpr MessageType type_of(const Message& message) {
  return static_cast<MessageType>(message.index());
}
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(MessageType::RouteMirroring), Message>,
                             RouteMirroring>);
static_assert(
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(MessageType::PeerUp), Message>, PeerUp>);

void common_header(std::size_t length, MessageType type, net::Writer& out) {
  out.u8(version);
  out.u32(static_cast<std::uint32_t>(length));
  out.u8(static_cast<std::uint8_t>(type));
}

}  // namespace

Tlv text_tlv(std::uint16_t type, std::string_view text) {
  return {type, {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(text.size(), 0xffff))}};
}

Tlv number_tlv(std::uint16_t type, std::uint16_t number) {
  return {type, {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)}};
}

void encode(const Message& message, Bytes& out) {
  const auto start = out.size();
  net::Writer writer{out};
  common_header(0, type_of(message), writer);
  std::visit([&](const auto& each) { body(each, writer); }, message);
  auto length = out.size() - start;
  for (std::size_t i = 4; i > 0; --i, length >>= 8) out[start + i] = static_cast<std::uint8_t>(length);
}

void encode_route_monitoring(const PeerHeader& peer, std::span<const std::uint8_t> update, Bytes& out) {
  net::Writer writer{out};
  common_header(common_header_size + peer_header_size + update.size(), MessageType::RouteMonitoring, writer);
  peer_header(peer, writer);
  writer.bytes(update);
}

}  // namespace bgp::bmp
