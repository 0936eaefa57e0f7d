// SPDX-License-Identifier: Apache-2.0
// Reading: what the kernel sends.
#include "netlink/codec.hpp"

#include <algorithm>
#include <cstring>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/attributes.hpp"
#include "netlink/constants.hpp"

namespace netlink {
namespace {

// The fixed header of a message; the attributes follow it, aligned.
template <class Header>
std::optional<Header> take_header(std::span<const std::uint8_t>& payload) {
  Header header{};
  if (payload.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof header);
  payload = payload.subspan(std::min(payload.size(), std::size_t{NLMSG_ALIGN(sizeof header)}));
  return header;
}

std::optional<net::Family> family_of(std::uint8_t family) {
  if (family == AF_INET) return net::Family::Ipv4;
  if (family == AF_INET6) return net::Family::Ipv6;
  return std::nullopt;
}

net::IpAddress unspecified(net::Family family) {
  return family == net::Family::Ipv4 ? net::IpAddress{net::Ipv4Address{}} : net::IpAddress{net::Ipv6Address{}};
}

Change change_of(const RawMessage& message, std::uint16_t deleted) {
  return message.type == deleted ? Change::Deleted : Change::New;
}

// struct rtvia: a family, then the address; how an IPv4 route names an IPv6 gateway.
std::optional<net::IpAddress> decode_via(std::span<const std::uint8_t> value) {
  if (value.size() < 2) return std::nullopt;
  std::uint16_t family = 0;
  std::memcpy(&family, value.data(), sizeof family);
  const auto address = Attribute{0, value.subspan(2)}.address();
  if (!address || family != (address->is_v4() ? AF_INET : AF_INET6)) return std::nullopt;
  return address;
}

// RTA_MULTIPATH: a list of struct rtnexthop, each with attributes of its own. Only the first is kept.
bool decode_multipath(std::span<const std::uint8_t> value, RouteMessage& out) {
  while (value.size() >= sizeof(rtnexthop)) {
    rtnexthop path{};
    std::memcpy(&path, value.data(), sizeof path);
    if (path.rtnh_len < sizeof path || path.rtnh_len > value.size()) return false;
    if (out.paths++ == 0) {
      out.interface = static_cast<std::uint32_t>(path.rtnh_ifindex);
      Attributes attributes{value.subspan(sizeof path, path.rtnh_len - sizeof path)};
      for (Attribute attribute; attributes.next(attribute);) {
        if (attribute.type == RTA_GATEWAY) out.gateway = attribute.address();
        if (attribute.type == RTA_VIA) out.gateway = decode_via(attribute.value);
      }
      if (!attributes.ok()) return false;
    }
    value = value.subspan(std::min(value.size(), static_cast<std::size_t>(RTNH_ALIGN(path.rtnh_len))));
  }
  return value.size() < 4;
}

bool decode_group(std::span<const std::uint8_t> value, std::vector<GroupMember>& out) {
  if (value.size() % sizeof(GroupEntry) != 0) return false;
  for (; !value.empty(); value = value.subspan(sizeof(GroupEntry))) {
    GroupEntry member{};
    std::memcpy(&member, value.data(), sizeof member);
    // The kernel keeps weight - 1; the high byte is there since 6.12 and zero before.
    const auto weight = (std::uint32_t{member.weight_high} << 8 | member.weight) + 1;
    out.push_back({member.id, weight});
  }
  return true;
}

Resilience decode_resilience(std::span<const std::uint8_t> value) {
  Resilience out;
  Attributes attributes{value};
  for (Attribute attribute; attributes.next(attribute);) {
    switch (attribute.type) {
      case NHA_RES_GROUP_BUCKETS:
        out.buckets = attribute.number<std::uint16_t>().value_or(0);
        break;
      case NHA_RES_GROUP_IDLE_TIMER:
        out.idle_timer_centiseconds = attribute.u32();
        break;
      case NHA_RES_GROUP_UNBALANCED_TIMER:
        out.unbalanced_timer_centiseconds = attribute.u32();
        break;
      default:
        break;
    }
  }
  return out;
}

std::string decode_kind(std::span<const std::uint8_t> value) {
  Attributes attributes{value};
  for (Attribute attribute; attributes.next(attribute);) {
    if (attribute.type == IFLA_INFO_KIND) return attribute.text();
  }
  return {};
}

bool read_route_attribute(const Attribute& attribute, RouteMessage& out, std::optional<net::IpAddress>& destination) {
  switch (attribute.type) {
    case RTA_DST:
      destination = attribute.address();
      return destination.has_value();
    case RTA_TABLE:
      out.table = attribute.u32();
      return true;
    case RTA_PRIORITY:
      out.metric = attribute.u32();
      return true;
    case RTA_NH_ID:
      out.nexthop_id = attribute.u32();
      return true;
    case RTA_OIF:
      out.interface = attribute.u32();
      out.paths = 1;
      return true;
    case RTA_GATEWAY:
      out.gateway = attribute.address();
      return out.gateway.has_value();
    case RTA_VIA:
      out.gateway = decode_via(attribute.value);
      return out.gateway.has_value();
    case RTA_MULTIPATH:
      return decode_multipath(attribute.value, out);
    default:
      return true;
  }
}

}  // namespace

std::optional<RawMessage> next_message(std::span<const std::uint8_t>& datagram) {
  nlmsghdr header{};
  if (datagram.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, datagram.data(), sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return std::nullopt;
  const auto payload = datagram.subspan(sizeof header, header.nlmsg_len - sizeof header);
  datagram = datagram.subspan(std::min(datagram.size(), std::size_t{NLMSG_ALIGN(header.nlmsg_len)}));
  return RawMessage{header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, header.nlmsg_pid, payload};
}

std::optional<Acknowledgement> decode_acknowledgement(const RawMessage& message) {
  auto rest = message.payload;
  const auto header = take_header<nlmsgerr>(rest);
  if (message.type != NLMSG_ERROR || !header) return std::nullopt;
  // errno values are small; anything else would overflow on negation.
  if (header->error > 0 || header->error < -4095) return std::nullopt;
  Acknowledgement out{-header->error, header->msg.nlmsg_seq, {}};
  if ((message.flags & NLM_F_ACK_TLVS) == 0) return out;
  if ((message.flags & NLM_F_CAPPED) == 0 && header->msg.nlmsg_len > sizeof(nlmsghdr)) {
    // The request comes back whole before the attributes.
    const auto echoed = std::size_t{NLMSG_ALIGN(header->msg.nlmsg_len - sizeof(nlmsghdr))};
    rest = rest.subspan(std::min(rest.size(), echoed));
  }
  Attributes attributes{rest};
  for (Attribute attribute; attributes.next(attribute);) {
    if (attribute.type == NLMSGERR_ATTR_MSG) out.text = attribute.text();
  }
  return out;
}

std::optional<RouteMessage> decode_route(const RawMessage& message) {
  auto rest = message.payload;
  const auto header = take_header<rtmsg>(rest);
  if (!header) return std::nullopt;
  const auto family = family_of(header->rtm_family);
  if (!family) return std::nullopt;

  RouteMessage out;
  out.change = change_of(message, RTM_DELROUTE);
  out.replaced = (message.flags & NLM_F_REPLACE) != 0;
  out.table = header->rtm_table;
  out.protocol = header->rtm_protocol;
  out.type = header->rtm_type;
  out.scope = header->rtm_scope;
  out.flags = header->rtm_flags;
  std::optional<net::IpAddress> destination = unspecified(*family);

  Attributes attributes{rest};
  for (Attribute attribute; attributes.next(attribute);) {
    if (!read_route_attribute(attribute, out, destination)) return std::nullopt;
  }
  if (!attributes.ok() || destination->family() != *family) return std::nullopt;
  const auto prefix = net::Prefix::make(*destination, header->rtm_dst_len);
  if (!prefix) return std::nullopt;
  out.prefix = *prefix;
  return out;
}

std::optional<NexthopMessage> decode_nexthop(const RawMessage& message) {
  auto rest = message.payload;
  const auto header = take_header<nhmsg>(rest);
  if (!header) return std::nullopt;

  NexthopMessage out;
  out.change = change_of(message, RTM_DELNEXTHOP);
  out.protocol = header->nh_protocol;
  out.family = family_of(header->nh_family).value_or(net::Family::Ipv4);  // groups have none
  out.onlink = (header->nh_flags & RTNH_F_ONLINK) != 0 ? OnLink::Yes : OnLink::No;

  Attributes attributes{rest};
  for (Attribute attribute; attributes.next(attribute);) {
    switch (attribute.type) {
      case NHA_ID:
        out.id = attribute.u32();
        break;
      case NHA_OIF:
        out.interface = attribute.u32();
        break;
      case NHA_BLACKHOLE:
        out.blackhole = true;
        break;
      case NHA_GATEWAY:
        out.gateway = attribute.address();
        if (!out.gateway) return std::nullopt;
        break;
      case NHA_GROUP:
        if (!decode_group(attribute.value, out.members)) return std::nullopt;
        break;
      case NHA_RES_GROUP:
        out.resilience = decode_resilience(attribute.value);
        break;
      default:
        break;
    }
  }
  if (!attributes.ok() || out.id == 0) return std::nullopt;
  return out;
}

std::optional<LinkMessage> decode_link(const RawMessage& message) {
  auto rest = message.payload;
  const auto header = take_header<ifinfomsg>(rest);
  // A bridge reports its ports in messages of its own family; "deleted" there means "left the bridge".
  if (!header || header->ifi_family != AF_UNSPEC || header->ifi_index <= 0) return std::nullopt;

  LinkMessage out;
  out.change = change_of(message, RTM_DELLINK);
  out.index = static_cast<std::uint32_t>(header->ifi_index);
  out.flags = header->ifi_flags;
  out.hardware = header->ifi_type;

  Attributes attributes{rest};
  for (Attribute attribute; attributes.next(attribute);) {
    switch (attribute.type) {
      case IFLA_IFNAME:
        out.name = attribute.text();
        break;
      case IFLA_MASTER:
        out.master = attribute.u32();
        break;
      case IFLA_LINK:
        out.parent = attribute.u32();
        break;
      case IFLA_MTU:
        out.mtu = attribute.u32();
        break;
      case IFLA_LINKINFO:
        out.kind = decode_kind(attribute.value);
        break;
      case IFLA_ADDRESS:
        if (attribute.value.size() == 6) {
          out.mac.emplace();
          std::copy(attribute.value.begin(), attribute.value.end(), out.mac->octets.begin());
        }
        break;
      default:
        break;
    }
  }
  if (!attributes.ok()) return std::nullopt;
  return out;
}

std::optional<AddressMessage> decode_address(const RawMessage& message) {
  auto rest = message.payload;
  const auto header = take_header<ifaddrmsg>(rest);
  if (!header) return std::nullopt;
  const auto family = family_of(header->ifa_family);
  if (!family || header->ifa_prefixlen > net::address_bits(*family)) return std::nullopt;

  AddressMessage out;
  out.change = change_of(message, RTM_DELADDR);
  out.interface = header->ifa_index;
  out.length = header->ifa_prefixlen;
  out.scope = header->ifa_scope;
  out.flags = header->ifa_flags;
  // IFA_LOCAL is our own address where the link has a far end, and then IFA_ADDRESS is the far end.
  std::optional<net::IpAddress> address;
  std::optional<net::IpAddress> local;
  Attributes attributes{rest};
  for (Attribute attribute; attributes.next(attribute);) {
    switch (attribute.type) {
      case IFA_ADDRESS:
        address = attribute.address();
        break;
      case IFA_LOCAL:
        local = attribute.address();
        break;
      case IFA_FLAGS:
        out.flags = attribute.u32();
        break;
      case IFA_PROTO:
        out.protocol = attribute.u8();
        break;
      case IFA_RT_PRIORITY:
        out.metric = attribute.u32();
        break;
      default:
        break;
    }
  }
  if (!address) address = local;
  if (!attributes.ok() || !address || address->family() != *family) return std::nullopt;
  if (local && local->family() != *family) return std::nullopt;
  out.peer = *address;
  out.address = local.value_or(*address);
  return out;
}

Message decode(const RawMessage& message) {
  const auto or_none = [](auto decoded) { return decoded ? Message{std::move(*decoded)} : Message{}; };
  switch (message.type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return or_none(decode_route(message));
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return or_none(decode_nexthop(message));
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return or_none(decode_link(message));
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return or_none(decode_address(message));
    default:
      return {};
  }
}

}  // namespace netlink
