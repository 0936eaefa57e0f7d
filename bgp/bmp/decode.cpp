// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "bgp/bmp/message.hpp"
#include "bgp/bmp/statistic_width.hpp"
#include "bgp/wire/message.hpp"
#include "net/reader.hpp"

namespace bgp::bmp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes copy(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Reads down one message and remembers the first thing that is wrong and where.
class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> message)
      : size_{message.size()}, in_{message.subspan(common_header_size)} {}

  [[nodiscard]] net::Result<Message, Fault> message(MessageType type) {
    auto made = body(type);
    if (fault_) return net::fail(*fault_);
    if (!in_.ok()) return net::fail(Fault{size_, "the message ends within a field"});
    if (in_.remaining() > 0) return net::fail(Fault{offset(), "there is more than the message has fields"});
    return made;
  }

 private:
  Message body(MessageType type) {
    switch (type) {
      case MessageType::RouteMonitoring: {
        RouteMonitoring message{peer_header(), {}};
        message.update = bgp_message("the UPDATE is no whole BGP message");
        return message;
      }
      case MessageType::StatisticsReport: {
        StatisticsReport message{peer_header(), {}};
        const auto count = in_.u32();
        for (std::uint32_t i = 0; i < count && in_.remaining() > 0; ++i) message.statistics.push_back(statistic());
        if (message.statistics.size() != count) complain("there are fewer statistics than the message says");
        return message;
      }
      case MessageType::PeerDown:
        return peer_down();
      case MessageType::PeerUp: {
        PeerUp message;
        message.peer = peer_header();
        message.local = long_address(ipv6(message.peer));
        message.local_port = in_.u16();
        message.remote_port = in_.u16();
        message.sent = bgp_message("the sent OPEN is no whole BGP message");
        message.received = bgp_message("the received OPEN is no whole BGP message");
        message.information = tlvs();
        return message;
      }
      case MessageType::Initiation:
        return Initiation{tlvs()};
      case MessageType::Termination:
        return Termination{tlvs()};
      case MessageType::RouteMirroring:
        break;
    }
    RouteMirroring message{peer_header(), {}};
    message.information = tlvs();
    return message;
  }

  PeerDown peer_down() {
    PeerDown message;
    message.peer = peer_header();
    const auto reason = in_.u8();
    message.reason = static_cast<DownReason>(reason);
    switch (message.reason) {
      case DownReason::LocalNotification:
      case DownReason::RemoteNotification:
        message.data = bgp_message("the NOTIFICATION is no whole BGP message");
        break;
      case DownReason::LocalSilent:
        message.data = copy(in_.bytes(2));
        break;
      case DownReason::RemoteSilent:
      case DownReason::NoLongerMonitored:
        break;
      case DownReason::LocRibClosed:
        message.data = copy(in_.bytes(in_.remaining()));
        break;
      default:
        if (in_.ok()) complain_before(1, "the reason is none of 1 to 6");
    }
    return message;
  }

  static bool ipv6(const PeerHeader& peer) { return peer.kind != PeerKind::LocRib && (peer.flags & flag_ipv6) != 0; }

  net::IpAddress long_address(bool v6) {
    if (v6) return in_.ipv6();
    const auto zeros = in_.bytes(12);
    if (std::any_of(zeros.begin(), zeros.end(), [](std::uint8_t octet) { return octet != 0; }))
      complain_before(12, "an IPv4 address has twelve octets of zero in front");
    return in_.ipv4();
  }

  PeerHeader peer_header() {
    PeerHeader peer;
    const auto kind = in_.u8();
    if (in_.ok() && kind > static_cast<std::uint8_t>(PeerKind::LocRib)) complain_before(1, "the peer type is above 3");
    peer.kind = static_cast<PeerKind>(kind);
    peer.flags = in_.u8();
    peer.distinguisher = in_.u64();
    peer.address = long_address(ipv6(peer));
    peer.asn = net::Asn{in_.u32()};
    peer.id = net::RouterId{in_.u32()};
    peer.time = {in_.u32(), in_.u32()};
    return peer;
  }

  std::vector<Tlv> tlvs() {
    std::vector<Tlv> list;
    while (in_.remaining() > 0) {
      Tlv tlv{in_.u16(), {}};
      tlv.value = copy(in_.bytes(in_.u16()));
      list.push_back(std::move(tlv));
    }
    return list;
  }

  Statistic statistic() {
    Statistic one{static_cast<StatisticType>(in_.u16()), std::nullopt, 0, std::nullopt};
    const std::size_t length = in_.u16();
    const auto width = statistic_width(one.type);
    if (width.octets == 0) {
      one.raw = copy(in_.bytes(length));
      return one;
    }
    if (in_.ok() && length != width.octets + (width.family ? 3U : 0U))
      complain_before(2, "the length is not that of a statistic of the type");
    if (width.family) one.family = AfiSafi{in_.u16(), in_.u8()};
    one.value = width.octets == 8 ? in_.u64() : in_.u32();
    return one;
  }

  // One message, by the length in its own header.
  Bytes bgp_message(const char* otherwise) {
    const auto rest = in_.rest();
    if (!in_.ok() || rest.size() < header_size) {
      complain(otherwise);
      return {};
    }
    const auto length = static_cast<std::size_t>(rest[16] << 8 | rest[17]);
    const bool marked = std::all_of(rest.begin(), rest.begin() + 16, [](std::uint8_t octet) { return octet == 0xff; });
    if (!marked || length < header_size || length > rest.size()) {
      complain(otherwise);
      return {};
    }
    return copy(in_.bytes(length));
  }

  [[nodiscard]] std::size_t offset() const { return size_ - in_.remaining(); }
  void complain(const char* text) { complain_before(0, text); }
  // What was wrong began so many octets ago.
  void complain_before(std::size_t octets, const char* text) {
    if (!fault_) fault_ = in_.ok() ? Fault{offset() - octets, text} : Fault{size_, "the message ends within a field"};
    in_.set_failed();
  }

  std::size_t size_;
  net::Reader in_;
  std::optional<Fault> fault_;
};

}  // namespace

net::Result<std::optional<std::size_t>, Fault> message_length(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty() && bytes[0] != version) return net::fail(Fault{0, "the version is not 3"});
  if (bytes.size() < common_header_size) return std::optional<std::size_t>{};
  net::Reader in{bytes};
  in.skip(1);
  const std::size_t length = in.u32();
  if (length < common_header_size) return net::fail(Fault{1, "the length is shorter than the header"});
  if (length > max_message_size) return net::fail(Fault{1, "the length is above 1048576"});
  return std::optional<std::size_t>{length};
}

net::Result<Message, Fault> decode(std::span<const std::uint8_t> message) {
  const auto length = message_length(message);
  if (!length) return net::fail(length.error());
  if (*length != message.size()) return net::fail(Fault{1, "the length is not that of the message"});
  const auto type = message[common_header_size - 1];
  if (type > static_cast<std::uint8_t>(MessageType::RouteMirroring))
    return net::fail(Fault{common_header_size - 1, "the type is above 6"});
  return Decoder{message}.message(static_cast<MessageType>(type));
}

}  // namespace bgp::bmp
