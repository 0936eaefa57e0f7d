// SPDX-License-Identifier: Apache-2.0
// Writing: what the kernel is told. The other half of codec.hpp.
#include <array>
#include <cstring>

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/codec.hpp"
#include "netlink/constants.hpp"

namespace netlink {
namespace {

std::uint8_t kernel_family(net::Family family) {
  return family == net::Family::Ipv4 ? AF_INET : AF_INET6;
}

std::uint16_t flags_of(Verb verb) {
  switch (verb) {
    case Verb::Add:
      return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
    case Verb::Replace:
      return NLM_F_REQUEST | NLM_F_REPLACE;
    case Verb::Put:
      return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
    case Verb::Delete:
      break;
  }
  return NLM_F_REQUEST;
}

template <class Header>
Header& put(nlmsghdr* message) {
  return *static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
}

void put_address(nlmsghdr* message, std::uint16_t type, const net::IpAddress& address) {
  const auto bytes = address.bytes();
  mnl_attr_put(message, type, bytes.size(), bytes.data());
}

// An IPv4 route names an IPv6 gateway in a struct rtvia; otherwise families agree.
void put_gateway(nlmsghdr* message, net::Family route, const net::IpAddress& gateway) {
  if (gateway.family() == route) return put_address(message, RTA_GATEWAY, gateway);
  std::array<std::uint8_t, 18> via{};
  const std::uint16_t family = kernel_family(gateway.family());
  std::memcpy(via.data(), &family, sizeof family);
  const auto bytes = gateway.bytes();
  std::memcpy(via.data() + sizeof family, bytes.data(), bytes.size());
  mnl_attr_put(message, RTA_VIA, sizeof family + bytes.size(), via.data());
}

void put_path(nlmsghdr* message, net::Family route, const Path& path) {
  if (path.gateway) put_gateway(message, route, *path.gateway);
}

void put_multipath(nlmsghdr* message, net::Family route, std::span<const Path> paths) {
  auto* list = mnl_attr_nest_start(message, RTA_MULTIPATH);
  for (const auto& path : paths) {
    const auto at = message->nlmsg_len;
    auto& hop = put<rtnexthop>(message);
    hop.rtnh_ifindex = static_cast<int>(path.interface);
    hop.rtnh_hops = static_cast<std::uint8_t>(path.weight == 0 ? 0 : path.weight - 1);
    hop.rtnh_flags = path.onlink == OnLink::Yes ? RTNH_F_ONLINK : 0;
    put_path(message, route, path);
    hop.rtnh_len = static_cast<std::uint16_t>(message->nlmsg_len - at);
  }
  mnl_attr_nest_end(message, list);
}

void put_paths(nlmsghdr* message, rtmsg& header, const RouteSpec& route) {
  if (route.nexthop_id != 0) return mnl_attr_put_u32(message, RTA_NH_ID, route.nexthop_id);
  if (route.paths.size() > 1) return put_multipath(message, route.prefix.family(), route.paths);
  for (const auto& path : route.paths) {
    if (path.onlink == OnLink::Yes) header.rtm_flags |= RTNH_F_ONLINK;
    put_path(message, route.prefix.family(), path);
    mnl_attr_put_u32(message, RTA_OIF, path.interface);
  }
}

}  // namespace

void encode(Batch& batch, Verb verb, const RouteSpec& route) {
  auto* message = batch.begin(verb == Verb::Delete ? RTM_DELROUTE : RTM_NEWROUTE, flags_of(verb));
  auto& header = put<rtmsg>(message);
  header.rtm_family = kernel_family(route.prefix.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(route.prefix.length());
  header.rtm_protocol = route.protocol;
  header.rtm_type = RTN_UNICAST;
  // Deleting, "nowhere" stands for any scope.
  header.rtm_scope = verb == Verb::Delete ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE;
  // The field is one byte wide; larger numbers go into the attribute alone.
  header.rtm_table = static_cast<std::uint8_t>(route.table < 256 ? route.table : 0);
  put_address(message, RTA_DST, route.prefix.address());
  if (route.table >= 256) mnl_attr_put_u32(message, RTA_TABLE, route.table);
  mnl_attr_put_u32(message, RTA_PRIORITY, route.metric);
  if (verb != Verb::Delete) put_paths(message, header, route);
  batch.finish(message);
}

void encode(Batch& batch, Verb verb, const NexthopSpec& nexthop) {
  if (verb == Verb::Delete) return encode_nexthop_delete(batch, nexthop.id);
  auto* message = batch.begin(RTM_NEWNEXTHOP, flags_of(verb));
  auto& header = put<nhmsg>(message);
  header.nh_family = kernel_family(nexthop.gateway.family());
  header.nh_protocol = nexthop.protocol;
  header.nh_flags = nexthop.onlink == OnLink::Yes ? RTNH_F_ONLINK : 0;
  mnl_attr_put_u32(message, NHA_ID, nexthop.id);
  if (!nexthop.gateway.unspecified()) put_address(message, NHA_GATEWAY, nexthop.gateway);
  if (nexthop.gateway.unspecified() && nexthop.interface == 0)
    mnl_attr_put(message, NHA_BLACKHOLE, 0, nullptr);
  else
    mnl_attr_put_u32(message, NHA_OIF, nexthop.interface);
  batch.finish(message);
}

void encode(Batch& batch, Verb verb, const GroupSpec& group) {
  if (verb == Verb::Delete) return encode_nexthop_delete(batch, group.id);
  auto* message = batch.begin(RTM_NEWNEXTHOP, flags_of(verb));
  auto& header = put<nhmsg>(message);
  header.nh_family = AF_UNSPEC;
  header.nh_protocol = group.protocol;
  mnl_attr_put_u32(message, NHA_ID, group.id);

  auto* members = mnl_attr_nest_start(message, NHA_GROUP);
  members->nla_type = NHA_GROUP;  // an array, which the kernel does not want marked as nested
  for (const auto& [id, weight] : group.members) {
    auto& member = put<GroupEntry>(message);
    member.id = id;
    member.weight = static_cast<std::uint8_t>(weight - 1);
    member.weight_high = static_cast<std::uint8_t>((weight - 1) >> 8);
  }
  mnl_attr_nest_end(message, members);

  if (group.resilience) {
    mnl_attr_put_u16(message, NHA_GROUP_TYPE, NEXTHOP_GRP_TYPE_RES);
    auto* nest = mnl_attr_nest_start(message, NHA_RES_GROUP);
    mnl_attr_put_u16(message, NHA_RES_GROUP_BUCKETS, group.resilience->buckets);
    mnl_attr_put_u32(message, NHA_RES_GROUP_IDLE_TIMER, group.resilience->idle_timer_centiseconds);
    mnl_attr_put_u32(message, NHA_RES_GROUP_UNBALANCED_TIMER, group.resilience->unbalanced_timer_centiseconds);
    mnl_attr_nest_end(message, nest);
  }
  batch.finish(message);
}

void encode_nexthop_delete(Batch& batch, std::uint32_t id) {
  auto* message = batch.begin(RTM_DELNEXTHOP, NLM_F_REQUEST);
  put<nhmsg>(message).nh_family = AF_UNSPEC;
  mnl_attr_put_u32(message, NHA_ID, id);
  batch.finish(message);
}

void encode(Batch& batch, Verb verb, const AddressSpec& address) {
  auto* message = batch.begin(verb == Verb::Delete ? RTM_DELADDR : RTM_NEWADDR, flags_of(verb));
  auto& header = put<ifaddrmsg>(message);
  header.ifa_family = kernel_family(address.address.family());
  header.ifa_prefixlen = address.length;
  header.ifa_index = address.interface;
  put_address(message, IFA_LOCAL, address.address);
  put_address(message, IFA_ADDRESS, address.address);
  if (verb != Verb::Delete) {
    mnl_attr_put_u8(message, IFA_PROTO, address.protocol);
    if (address.metric != 0) mnl_attr_put_u32(message, IFA_RT_PRIORITY, address.metric);
    if (address.address.is_v4()) {
      header.ifa_scope = RT_SCOPE_HOST;
    } else {
      // No duplicate detection: an anycast address is on other nodes too. Never preferred as a source.
      mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
      const ifa_cacheinfo lifetime{0, ~std::uint32_t{0}, 0, 0};
      mnl_attr_put(message, IFA_CACHEINFO, sizeof lifetime, &lifetime);
    }
  }
  batch.finish(message);
}

void encode_route_dump(Batch& batch, const RouteFilter& filter) {
  auto* message = batch.begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
  auto& header = put<rtmsg>(message);
  header.rtm_family = kernel_family(filter.family);
  header.rtm_protocol = filter.protocol;
  if (filter.table != 0) mnl_attr_put_u32(message, RTA_TABLE, filter.table);
  batch.finish(message);
}

void encode_nexthop_dump(Batch& batch) {
  auto* message = batch.begin(RTM_GETNEXTHOP, NLM_F_REQUEST | NLM_F_DUMP);
  put<nhmsg>(message).nh_family = AF_UNSPEC;
  batch.finish(message);
}

void encode_link_dump(Batch& batch) {
  auto* message = batch.begin(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP);
  put<ifinfomsg>(message).ifi_family = AF_UNSPEC;
  mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  batch.finish(message);
}

void encode_address_dump(Batch& batch, net::Family family) {
  auto* message = batch.begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP);
  put<ifaddrmsg>(message).ifa_family = kernel_family(family);
  batch.finish(message);
}

void encode_nexthop_get(Batch& batch, std::uint32_t id) {
  auto* message = batch.begin(RTM_GETNEXTHOP, NLM_F_REQUEST);
  put<nhmsg>(message).nh_family = AF_UNSPEC;
  mnl_attr_put_u32(message, NHA_ID, id);
  batch.finish(message);
}

void encode_route_lookup(Batch& batch, const net::IpAddress& address) {
  auto* message = batch.begin(RTM_GETROUTE, NLM_F_REQUEST);
  auto& header = put<rtmsg>(message);
  header.rtm_family = kernel_family(address.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(net::address_bits(address.family()));
  put_address(message, RTA_DST, address);
  batch.finish(message);
}

}  // namespace netlink
