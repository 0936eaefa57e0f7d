// SPDX-License-Identifier: Apache-2.0
#include "netlink/neighbors.hpp"

#include <algorithm>
#include <cstring>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hpp"

namespace netlink {
namespace {

constexpr std::uint16_t valid = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

std::optional<net::Mac> decode_neighbor(const RawMessage& message) {
  ndmsg header{};
  if (message.type != RTM_NEWNEIGH || message.payload.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, message.payload.data(), sizeof header);
  if ((header.ndm_state & valid) == 0) return std::nullopt;
  Attributes attributes{message.payload.subspan(sizeof header)};
  std::optional<net::Mac> found;
  for (Attribute attribute; attributes.next(attribute);) {
    if (attribute.type != NDA_LLADDR || attribute.value.size() != 6) continue;
    found.emplace();
    std::ranges::copy(attribute.value, found->octets.begin());
  }
  return found;
}

}  // namespace

std::optional<net::Mac> Neighbors::find(std::uint32_t interface, const net::IpAddress& address) {
  auto* message = request_.begin(RTM_GETNEIGH, NLM_F_REQUEST);
  auto* header = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
  header->ndm_family = address.is_v4() ? AF_INET : AF_INET6;
  header->ndm_ifindex = static_cast<int>(interface);
  const auto bytes = address.bytes();
  mnl_attr_put(message, NDA_DST, bytes.size(), bytes.data());
  request_.finish(message);
  std::optional<net::Mac> found;
  const auto done = socket_.ask(request_, [&](const RawMessage& raw) { found = decode_neighbor(raw); });
  return done ? found : std::nullopt;
}

}  // namespace netlink
