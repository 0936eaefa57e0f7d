// SPDX-License-Identifier: Apache-2.0
#include "speaker/unnumbered/router_message.hpp"

#include "net/reader.hpp"
#include "net/writer.hpp"

namespace speaker {
namespace {

constexpr std::uint8_t source_link_layer_address = 1;
constexpr std::uint8_t own_hop_limit = 255;
constexpr std::uint8_t advised_hop_limit = 64;

}  // namespace

/*  |  Type  |  Code  |  Checksum  |  then of an advertisement:  | Cur Hop Limit | flags | Router Lifetime |
 *  | Reachable Time | Retrans Timer |  of a solicitation: | reserved, 32 bits |  and options of 8 octets each
 */
std::vector<std::uint8_t> encode_router_message(RouterMessage kind, const std::optional<net::Mac>& source) {
  std::vector<std::uint8_t> message;
  net::Writer out{message};
  out.u8(static_cast<std::uint8_t>(kind));
  out.u8(0);
  out.u16(0);
  if (kind == RouterMessage::Solicitation) {
    out.u32(0);
  } else {
    out.u8(advised_hop_limit);
    out.u8(0);
    out.u16(0);
    out.u32(0);
    out.u32(0);
  }
  if (source) {
    out.u8(source_link_layer_address);
    out.u8(1);
    out.bytes(source->octets);
  }
  return message;
}

std::optional<RouterMessage> decode_router_message(std::span<const std::uint8_t> message,
                                                   const net::Ipv6Address& source, std::uint8_t hop_limit) {
  net::Reader in{message};
  const auto type = in.u8();
  const auto code = in.u8();
  in.skip(2);  // the kernel has looked at the checksum
  const bool advertisement = type == static_cast<std::uint8_t>(RouterMessage::Advertisement);
  if (!advertisement && type != static_cast<std::uint8_t>(RouterMessage::Solicitation)) return std::nullopt;
  in.skip(advertisement ? 12 : 4);
  if (!in.ok() || code != 0 || hop_limit != own_hop_limit) return std::nullopt;
  while (in.remaining() > 0) {
    in.skip(1);
    const auto units = in.u8();
    if (units == 0 || !in.ok()) return std::nullopt;
    in.skip(8U * units - 2U);
  }
  if (!in.ok()) return std::nullopt;
  // A host may ask before it has an address; an advertisement comes from a link-local one.
  const bool good_source = source.link_local() || (!advertisement && source.unspecified());
  if (!good_source) return std::nullopt;
  return advertisement ? RouterMessage::Advertisement : RouterMessage::Solicitation;
}

}  // namespace speaker
