// SPDX-License-Identifier: Apache-2.0
#include "bgp/wire/message.hpp"

#include <algorithm>

#include "bgp/wire/bytes.hpp"
#include "bgp/wire/framing.hpp"
#include "bgp/wire/notification.hpp"
#include "net/reader.hpp"
#include "net/writer.hpp"

namespace bgp {
namespace {

struct LengthRule {
  std::size_t minimum;
  std::size_t maximum;
};

// RFC 4271 sections 4.1 to 4.5, RFC 2918 section 3, RFC 8654 section 3. The length of a ROUTE-REFRESH
// above its minimum is left to RFC 7313 section 5.
constexpr LengthRule length_rule(MessageType type, std::size_t limit) {
  switch (type) {
    case MessageType::Open:
      return {29, max_message_size};
    case MessageType::Update:
      return {23, limit};
    case MessageType::Notification:
      return {21, limit};
    case MessageType::Keepalive:
      return {header_size, header_size};
    case MessageType::RouteRefresh:
      return {23, limit};
  }
  return {header_size, limit};
}

}  // namespace

/*   0                   1                   2                   3
 *  |                    Marker: sixteen octets of 0xff                   |
 *  |            Length             |      Type     |
 */
Decoded<Header> decode_header(std::span<const std::uint8_t> bytes, std::size_t limit) {
  if (std::any_of(bytes.begin(), bytes.begin() + 16, [](std::uint8_t octet) { return octet != 0xff; }))
    return net::fail(header_error(HeaderError::NotSynchronized));

  const std::size_t length = load_u16(bytes.data() + 16);
  const auto type = bytes[18];
  const auto bad_length = [&] { return net::fail(header_error(HeaderError::BadLength, {bytes[16], bytes[17]})); };
  if (length < header_size || length > limit) return bad_length();
  if (type < 1 || type > 5) return net::fail(header_error(HeaderError::BadType, {type}));

  const auto [minimum, maximum] = length_rule(static_cast<MessageType>(type), limit);
  if (length < minimum || length > maximum) return bad_length();
  return Header{static_cast<MessageType>(type), length};
}

/*  |          AFI          |    Subtype    |     SAFI      |     (ORF entries)
 *  RFC 2918 section 3, RFC 7313 section 3.2
 */
Decoded<RouteRefresh> decode_route_refresh(std::span<const std::uint8_t> body) {
  net::Reader in{body};
  RouteRefresh refresh;
  refresh.family.afi = in.u16();
  const auto subtype = in.u8();
  refresh.family.safi = in.u8();
  refresh.kind = subtype <= 2 ? static_cast<RefreshKind>(subtype) : RefreshKind::Unknown;

  // A request may be followed by outbound route filters (RFC 5291): never negotiated here, so not read.
  const bool marker = refresh.kind == RefreshKind::BeginOfRefresh || refresh.kind == RefreshKind::EndOfRefresh;
  if (!in.ok() || (marker && !in.consumed())) {
    Notification error{static_cast<std::uint8_t>(ErrorCode::RouteRefresh),
                       static_cast<std::uint8_t>(RouteRefreshError::InvalidLength),
                       {}};
    // RFC 7313 section 5: the data is the complete message.
    const Message message{error.data, MessageType::RouteRefresh};
    net::Writer{error.data}.bytes(body);
    message.finish();
    return net::fail(std::move(error));
  }
  return refresh;
}

std::vector<std::uint8_t> encode(const RouteRefresh& refresh) {
  std::vector<std::uint8_t> out;
  const Message message{out, MessageType::RouteRefresh};
  net::Writer writer{out};
  writer.u16(refresh.family.afi);
  writer.u8(static_cast<std::uint8_t>(refresh.kind));
  writer.u8(refresh.family.safi);
  message.finish();
  return out;
}

std::vector<std::uint8_t> encode(const Notification& notification) {
  std::vector<std::uint8_t> out;
  const Message message{out, MessageType::Notification};
  net::Writer writer{out};
  writer.u8(notification.code);
  writer.u8(notification.subcode);
  // Data that quotes a long message is cut: a NOTIFICATION must fit any peer (RFC 8654 section 5).
  const std::span<const std::uint8_t> data{notification.data};
  writer.bytes(data.first(std::min(data.size(), max_message_size - out.size())));
  message.finish();
  return out;
}

std::vector<std::uint8_t> encode_keepalive() {
  std::vector<std::uint8_t> out;
  Message{out, MessageType::Keepalive}.finish();
  return out;
}

}  // namespace bgp
