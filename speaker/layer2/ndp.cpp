// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/ndp.hpp"

#include <algorithm>
#include <cassert>

#include "net/reader.hpp"

namespace speaker {
namespace {

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t ipv6_size = 40;
constexpr std::size_t message_size = 24;  // ICMPv6 header, flags and target
constexpr std::uint8_t next_header_icmpv6 = 58;
constexpr std::uint8_t on_link_hop_limit = 255;  // nothing that was forwarded has it
constexpr std::uint8_t option_source_link = 1;
constexpr std::uint8_t option_target_link = 2;
constexpr std::uint8_t flag_router = 0x80;
constexpr std::uint8_t flag_solicited = 0x40;
constexpr std::uint8_t flag_override = 0x20;

net::Mac read_mac(net::Reader& in) {
  net::Mac mac;
  const auto field = in.bytes(mac.octets.size());
  std::copy(field.begin(), field.end(), mac.octets.begin());
  return mac;
}

std::uint32_t sum_of(std::span<const std::uint8_t> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? unsigned{bytes[i]} << 8 : unsigned{bytes[i]};
  return sum;
}

// RFC 4443 section 2.3 over the pseudo-header of RFC 8200 section 8.1. Zero over a message with a right
// checksum in it.
std::uint16_t checksum(const net::Ipv6Address& source, const net::Ipv6Address& destination,
                       std::span<const std::uint8_t> message) {
  auto sum = sum_of(source.octets) + sum_of(destination.octets) + sum_of(message) +
             static_cast<std::uint32_t>(message.size()) + next_header_icmpv6;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// False when an option has no length or runs over the end (RFC 4861 section 4.6).
bool read_options(net::Reader& in, std::uint8_t wanted, std::optional<net::Mac>& link_address) {
  while (in.remaining() > 0) {
    const auto type = in.u8();
    const auto length = in.u8();
    if (length == 0) return false;
    auto value = in.sub(8U * length - 2U);
    if (type != wanted) continue;
    link_address = read_mac(value);
    if (!value.ok()) return false;
  }
  return in.ok();
}

// RFC 4861 sections 7.1.1 and 7.1.2, what is left after lengths, hop limit, code and checksum.
bool valid(const Ndp& ndp) {
  if (ndp.target.multicast()) return false;
  if (ndp.type == Ndp::Type::Advertisement) return !(ndp.destination.multicast() && ndp.solicited);
  if (!ndp.source.unspecified()) return true;
  return ndp.destination == solicited_node(ndp.target) && !ndp.link_address;
}

bool read_message(Ndp& ndp, std::span<const std::uint8_t> message) {
  if (message.size() < message_size || checksum(ndp.source, ndp.destination, message) != 0) return false;
  net::Reader in{message};
  const auto type = in.u8();
  const auto code = in.u8();
  in.skip(2);  // checksum
  if ((type != 135 && type != 136) || code != 0) return false;
  ndp.type = static_cast<Ndp::Type>(type);
  const auto flags = in.u32() >> 24;
  if (ndp.type == Ndp::Type::Advertisement) {
    ndp.router = (flags & flag_router) != 0;
    ndp.solicited = (flags & flag_solicited) != 0;
    ndp.overrides = (flags & flag_override) != 0;
  }
  ndp.target = in.ipv6();
  const auto wanted = ndp.type == Ndp::Type::Solicitation ? option_source_link : option_target_link;
  return read_options(in, wanted, ndp.link_address) && valid(ndp);
}

}  // namespace

std::optional<Ndp> decode_ndp(std::span<const std::uint8_t> frame) {
  net::Reader in{frame};
  Ndp ndp;
  ndp.destination_mac = read_mac(in);
  ndp.source_mac = read_mac(in);
  if (in.u16() != ethertype_ipv6 || in.u32() >> 28 != 6) return std::nullopt;
  const auto payload = in.u16();
  // Neighbour discovery behind extension headers is not accepted: RFC 6980 bars fragments, nobody sends others.
  if (in.u8() != next_header_icmpv6 || in.u8() != on_link_hop_limit) return std::nullopt;
  ndp.source = in.ipv6();
  ndp.destination = in.ipv6();
  const auto message = in.bytes(payload);
  if (!in.ok() || ndp.source.multicast() || ndp.source_mac.group()) return std::nullopt;
  if (!read_message(ndp, message)) return std::nullopt;
  if (ndp.link_address && ndp.link_address->group()) return std::nullopt;
  return ndp;
}

NdpBytes encode_ndp(const Ndp& ndp) {
  assert(ndp.link_address);
  NdpBytes bytes{};
  auto out = std::ranges::copy(ndp.destination_mac.octets, bytes.begin()).out;
  std::ranges::copy(ndp.source_mac.octets, out);
  bytes[12] = ethertype_ipv6 >> 8;
  bytes[13] = ethertype_ipv6 & 0xff;

  const std::span ip{bytes.begin() + ethernet_size, ipv6_size};
  ip[0] = 6U << 4;
  ip[5] = message_size + 8;  // payload length
  ip[6] = next_header_icmpv6;
  ip[7] = on_link_hop_limit;
  std::ranges::copy(ndp.source.octets, ip.begin() + 8);
  std::ranges::copy(ndp.destination.octets, ip.begin() + 24);

  const std::span message{bytes.begin() + ethernet_size + ipv6_size, message_size + 8};
  message[0] = static_cast<std::uint8_t>(ndp.type);
  message[4] = static_cast<std::uint8_t>((ndp.router ? flag_router : 0) | (ndp.solicited ? flag_solicited : 0) |
                                         (ndp.overrides ? flag_override : 0));
  std::ranges::copy(ndp.target.octets, message.begin() + 8);
  message[message_size] = ndp.type == Ndp::Type::Solicitation ? option_source_link : option_target_link;
  message[message_size + 1] = 1;  // in units of eight octets
  std::ranges::copy(ndp.link_address->octets, message.begin() + message_size + 2);
  const auto sum = checksum(ndp.source, ndp.destination, message);
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum);
  return bytes;
}

Ndp ndp_answer(const Ndp& solicitation, const net::Mac& mac) {
  const auto from_nobody = solicitation.source.unspecified();
  Ndp answer;
  answer.type = Ndp::Type::Advertisement;
  answer.source_mac = mac;
  answer.source = solicitation.target;
  answer.target = solicitation.target;
  answer.overrides = true;
  answer.solicited = !from_nobody;
  answer.link_address = mac;
  answer.destination = from_nobody ? all_nodes : solicitation.source;
  answer.destination_mac =
      from_nobody ? multicast_mac(all_nodes) : solicitation.link_address.value_or(solicitation.source_mac);
  return answer;
}

Ndp ndp_announcement(const net::Ipv6Address& address, const net::Mac& mac) {
  Ndp announcement;
  announcement.type = Ndp::Type::Advertisement;
  announcement.destination_mac = multicast_mac(all_nodes);
  announcement.source_mac = mac;
  announcement.source = address;
  announcement.destination = all_nodes;
  announcement.target = address;
  announcement.overrides = true;
  announcement.link_address = mac;
  return announcement;
}

net::Ipv6Address solicited_node(const net::Ipv6Address& address) {
  net::Ipv6Address group{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};
  std::copy(address.octets.begin() + 13, address.octets.end(), group.octets.begin() + 13);
  return group;
}

net::Mac multicast_mac(const net::Ipv6Address& group) {
  const auto& octets = group.octets;
  return {{0x33, 0x33, octets[12], octets[13], octets[14], octets[15]}};
}

}  // namespace speaker
