// SPDX-License-Identifier: Apache-2.0
#include "bfd/packet.hpp"

#include <algorithm>

#include "net/reader.hpp"
#include "net/writer.hpp"

namespace bfd {
namespace {

constexpr std::size_t header_size = 24;
constexpr std::size_t smallest_with_section = 26;  // section 6.8.6
constexpr std::size_t length_at = 3;

constexpr std::uint8_t poll_bit = 0x20;
constexpr std::uint8_t final_bit = 0x10;
constexpr std::uint8_t independent_bit = 0x08;
constexpr std::uint8_t authentication_bit = 0x04;
constexpr std::uint8_t demand_bit = 0x02;
constexpr std::uint8_t multipoint_bit = 0x01;

bool is_digest(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(AuthType::KeyedMd5) &&
         type <= static_cast<std::uint8_t>(AuthType::MeticulousKeyedSha1);
}

//   |   Auth Type   |   Auth Len    |  Auth Key ID  |  Password or Reserved, Sequence Number, Digest
net::Result<AuthSection, Discard> decode_section(net::Reader in) {
  const auto total = in.remaining();
  const auto type = in.u8();
  const auto length = in.u8();
  AuthSection section;
  section.key_id = in.u8();
  // Nothing may stand between the section and the end of the packet: what a digest covers would be open to question.
  if (!in.ok() || length != total) return net::fail(Discard::BadLength);
  if (type == static_cast<std::uint8_t>(AuthType::SimplePassword)) {
    if (in.remaining() == 0 || in.remaining() > longest_password) return net::fail(Discard::AuthenticationFailed);
  } else if (is_digest(type)) {
    in.skip(1);
    section.sequence = in.u32();
    if (!in.ok() || in.remaining() != digest_size(static_cast<AuthType>(type)))
      return net::fail(Discard::AuthenticationFailed);
  } else {
    return net::fail(Discard::AuthenticationFailed);
  }
  section.type = static_cast<AuthType>(type);
  section.data_size = static_cast<std::uint8_t>(in.remaining());
  std::ranges::copy(in.rest(), section.data.begin());
  return section;
}

void encode_section(const AuthSection& section, net::Writer& out) {
  const bool digest = section.type != AuthType::SimplePassword;
  out.u8(static_cast<std::uint8_t>(section.type));
  out.u8(static_cast<std::uint8_t>((digest ? 8U : 3U) + section.data_size));
  out.u8(section.key_id);
  if (digest) {
    out.u8(0);
    out.u32(section.sequence);
  }
  out.bytes(section.bytes());
}

}  // namespace

std::size_t digest_size(AuthType type) {
  return type == AuthType::KeyedMd5 || type == AuthType::MeticulousKeyedMd5 ? 16 : 20;
}

// Section 6.8.6, top to bottom.
net::Result<Packet, Discard> decode(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < header_size) return net::fail(Discard::Short);
  net::Reader in{datagram};
  const auto first = in.u8();
  const auto flags = in.u8();
  Packet packet;
  packet.diagnostic = static_cast<Diagnostic>(first & 0x1fU);
  packet.state = static_cast<State>(flags >> 6);
  packet.poll = (flags & poll_bit) != 0;
  packet.final = (flags & final_bit) != 0;
  packet.control_plane_independent = (flags & independent_bit) != 0;
  packet.demand = (flags & demand_bit) != 0;
  packet.detect_multiplier = in.u8();
  const std::size_t length = in.u8();
  packet.my_discriminator = in.u32();
  packet.your_discriminator = in.u32();
  packet.desired_min_tx = Interval{in.u32()};
  packet.required_min_rx = Interval{in.u32()};
  packet.required_min_echo_rx = Interval{in.u32()};

  const bool has_section = (flags & authentication_bit) != 0;
  if (first >> 5 != version) return net::fail(Discard::BadVersion);
  if (length < (has_section ? smallest_with_section : header_size)) return net::fail(Discard::BadLength);
  if (length > datagram.size()) return net::fail(Discard::Short);
  if (packet.detect_multiplier == 0) return net::fail(Discard::ZeroMultiplier);
  if ((flags & multipoint_bit) != 0) return net::fail(Discard::Multipoint);
  if (packet.my_discriminator == 0) return net::fail(Discard::ZeroDiscriminator);
  if (packet.your_discriminator == 0 && packet.state != State::Down && packet.state != State::AdminDown)
    return net::fail(Discard::BadState);
  if (!has_section) return packet;
  auto section = decode_section(net::Reader{datagram.subspan(header_size, length - header_size)});
  if (!section) return net::fail(section.error());
  packet.authentication = *section;
  return packet;
}

void encode(const Packet& packet, std::vector<std::uint8_t>& out) {
  const auto begin = out.size();
  net::Writer writer{out};
  writer.u8(static_cast<std::uint8_t>(version << 5 | (static_cast<std::uint8_t>(packet.diagnostic) & 0x1fU)));
  auto flags = static_cast<unsigned>(packet.state) << 6;
  if (packet.poll) flags |= poll_bit;
  if (packet.final) flags |= final_bit;
  if (packet.control_plane_independent) flags |= independent_bit;
  if (packet.authentication) flags |= authentication_bit;
  if (packet.demand) flags |= demand_bit;
  writer.u8(static_cast<std::uint8_t>(flags));
  writer.u8(packet.detect_multiplier);
  writer.u8(0);  // the length, below
  writer.u32(packet.my_discriminator);
  writer.u32(packet.your_discriminator);
  writer.u32(packet.desired_min_tx.count());
  writer.u32(packet.required_min_rx.count());
  writer.u32(packet.required_min_echo_rx.count());
  if (packet.authentication) encode_section(*packet.authentication, writer);
  out[begin + length_at] = static_cast<std::uint8_t>(out.size() - begin);
}

std::span<const std::uint8_t> signed_part(std::span<const std::uint8_t> datagram) {
  return datagram.first(datagram[length_at]);
}

std::string_view print(State state) {
  switch (state) {
    case State::AdminDown:
      return "AdminDown";
    case State::Down:
      return "Down";
    case State::Init:
      return "Init";
    case State::Up:
      break;
  }
  return "Up";
}

std::string_view print(Diagnostic diagnostic) {
  switch (diagnostic) {
    case Diagnostic::None:
      return "none";
    case Diagnostic::DetectionTimeExpired:
      return "control detection time expired";
    case Diagnostic::EchoFailed:
      return "echo function failed";
    case Diagnostic::NeighborSignaledDown:
      return "neighbor signaled session down";
    case Diagnostic::ForwardingPlaneReset:
      return "forwarding plane reset";
    case Diagnostic::PathDown:
      return "path down";
    case Diagnostic::ConcatenatedPathDown:
      return "concatenated path down";
    case Diagnostic::AdministrativelyDown:
      return "administratively down";
    case Diagnostic::ReverseConcatenatedPathDown:
      return "reverse concatenated path down";
  }
  return "reserved";
}

std::string_view print(AuthType type) {
  switch (type) {
    case AuthType::SimplePassword:
      return "simple-password";
    case AuthType::KeyedMd5:
      return "keyed-md5";
    case AuthType::MeticulousKeyedMd5:
      return "meticulous-keyed-md5";
    case AuthType::KeyedSha1:
      return "keyed-sha1";
    case AuthType::MeticulousKeyedSha1:
      break;
  }
  return "meticulous-keyed-sha1";
}

std::string_view print(Discard discard) {
  switch (discard) {
    case Discard::Short:
      return "short";
    case Discard::BadVersion:
      return "bad version";
    case Discard::BadLength:
      return "bad length";
    case Discard::ZeroMultiplier:
      return "zero multiplier";
    case Discard::Multipoint:
      return "multipoint";
    case Discard::ZeroDiscriminator:
      return "zero discriminator";
    case Discard::UnknownDiscriminator:
      return "unknown discriminator";
    case Discard::BadState:
      return "bad state";
    case Discard::NoSession:
      return "no session";
    case Discard::UnexpectedAuthentication:
      return "unexpected authentication";
    case Discard::MissingAuthentication:
      return "missing authentication";
    case Discard::AuthenticationFailed:
      return "authentication failed";
    case Discard::BadHops:
      return "bad hops";
    case Discard::WrongAddress:
      break;
  }
  return "wrong address";
}

}  // namespace bfd
