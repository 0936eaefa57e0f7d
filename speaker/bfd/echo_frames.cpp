// SPDX-License-Identifier: Apache-2.0
#include "speaker/bfd/echo_frames.hpp"

#include "bfd/sessions.hpp"
#include "net/reader.hpp"
#include "net/writer.hpp"

namespace speaker {
namespace {

constexpr std::uint8_t udp = 17;
constexpr std::uint8_t traffic_class = 0xc0;
constexpr std::size_t ipv4_header = 20;
constexpr std::size_t udp_header = 8;

// RFC 1071.
std::uint16_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2)
    sum += static_cast<std::uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
  while (sum >> 16 != 0) sum = (sum & 0xffffU) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void put(std::vector<std::uint8_t>& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

std::vector<std::uint8_t> datagram(const net::IpAddress& self, std::span<const std::uint8_t> payload) {
  const auto length = static_cast<std::uint16_t>(udp_header + payload.size());
  std::vector<std::uint8_t> out;
  net::Writer writer{out};
  writer.u16(bfd::echo_port);
  writer.u16(bfd::echo_port);
  writer.u16(length);
  writer.u16(0);
  writer.bytes(payload);

  std::vector<std::uint8_t> covered;
  net::Writer pseudo{covered};
  pseudo.address(self);
  pseudo.address(self);
  pseudo.u32(length);
  pseudo.u32(udp);
  pseudo.bytes(out);
  const auto sum = checksum(covered);
  put(out, 6, sum == 0 ? std::uint16_t{0xffff} : sum);
  return out;
}

std::optional<EchoFrame> decode_udp(net::Reader in, EchoFrame frame) {
  in.skip(2);
  const auto port = in.u16();
  const auto length = in.u16();
  in.skip(2);
  if (!in.ok() || port != bfd::echo_port || length < udp_header) return std::nullopt;
  frame.payload = in.bytes(length - udp_header);
  if (!in.ok()) return std::nullopt;
  return frame;
}

std::optional<EchoFrame> decode_ipv4(std::span<const std::uint8_t> packet) {
  net::Reader in{packet};
  EchoFrame frame;
  const auto header = std::size_t{4} * (in.u8() & 0x0fU);
  in.skip(5);
  const auto fragment = in.u16();
  frame.ttl = in.u8();
  const auto protocol = in.u8();
  in.skip(2);
  frame.source = in.ipv4();
  frame.destination = in.ipv4();
  if (!in.ok() || header < ipv4_header || header > packet.size()) return std::nullopt;
  if (protocol != udp || (fragment & 0x3fffU) != 0) return std::nullopt;
  return decode_udp(net::Reader{packet.subspan(header)}, frame);
}

std::optional<EchoFrame> decode_ipv6(std::span<const std::uint8_t> packet) {
  net::Reader in{packet};
  EchoFrame frame;
  in.skip(6);
  const auto protocol = in.u8();
  frame.ttl = in.u8();
  frame.source = in.ipv6();
  frame.destination = in.ipv6();
  if (!in.ok() || protocol != udp) return std::nullopt;
  return decode_udp(in, frame);
}

}  // namespace

std::vector<std::uint8_t> encode_echo_frame(const net::IpAddress& self, std::span<const std::uint8_t> payload) {
  const auto body = datagram(self, payload);
  std::vector<std::uint8_t> out;
  net::Writer writer{out};
  if (self.is_v4()) {
    writer.u8(0x45);
    writer.u8(traffic_class);
    writer.u16(static_cast<std::uint16_t>(ipv4_header + body.size()));
    writer.u32(0x00004000);  // do not fragment
    writer.u8(bfd::sent_ttl);
    writer.u8(udp);
    writer.u16(0);
    writer.address(self);
    writer.address(self);
    put(out, 10, checksum(out));
  } else {
    writer.u32(0x60000000U | std::uint32_t{traffic_class} << 20);
    writer.u16(static_cast<std::uint16_t>(body.size()));
    writer.u8(udp);
    writer.u8(bfd::sent_ttl);
    writer.address(self);
    writer.address(self);
  }
  writer.bytes(body);
  return out;
}

std::optional<EchoFrame> decode_echo_frame(std::span<const std::uint8_t> packet) {
  if (packet.empty()) return std::nullopt;
  switch (packet[0] >> 4) {
    case 4:
      return decode_ipv4(packet);
    case 6:
      return decode_ipv6(packet);
    default:
      return std::nullopt;
  }
}

}  // namespace speaker
