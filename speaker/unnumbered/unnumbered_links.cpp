// SPDX-License-Identifier: Apache-2.0
#include "speaker/unnumbered/unnumbered_links.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace speaker {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

constexpr in6_addr all_nodes{{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};
constexpr in6_addr all_routers{{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}};
constexpr std::size_t messages_a_turn = 64;

template <class Value>
bool set_option(int socket, int level, int option, const Value& value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

// Two kinds of message and nothing else, with the hop limit and the interface that each came by.
bool set_options(int socket) {
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
  ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
  return set_option(socket, IPPROTO_ICMPV6, ICMP6_FILTER, filter) &&
         set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
         set_option(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
         set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 255) &&
         set_option(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
}

struct Received {
  std::size_t size = 0;
  net::Ipv6Address source;
  std::uint32_t interface = 0;
  std::uint8_t hop_limit = 0;
};

// False: there is nothing (more).
bool receive(int socket, std::span<std::uint8_t> buffer, Received& out) {
  sockaddr_in6 from{};
  iovec piece{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<std::uint8_t, 128> control{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto size = ::recvmsg(socket, &message, MSG_DONTWAIT);
  if (size < 0) return false;
  out = {};
  out.size = static_cast<std::size_t>(size);
  std::memcpy(out.source.octets.data(), &from.sin6_addr, out.source.octets.size());
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != IPPROTO_IPV6) continue;
    if (part->cmsg_type == IPV6_HOPLIMIT) {
      int hops = 0;
      std::memcpy(&hops, CMSG_DATA(part), sizeof hops);
      out.hop_limit = static_cast<std::uint8_t>(hops);
    } else if (part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      out.interface = info.ipi6_ifindex;
    }
  }
  return true;
}

void transmit(int socket, std::uint32_t interface, const in6_addr& target, std::span<const std::uint8_t> bytes) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_addr = target;
  to.sin6_scope_id = interface;
  // A link that has just gone: its news come by themselves.
  (void)::sendto(socket, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

Discovery::Link describe(const std::string& name, const netlink::LinkTable& links) {
  const auto* link = links.find(std::string_view{name});
  if (link == nullptr) return {0, false, "there is no interface " + name};
  if (!link->usable()) return {link->index, false, "interface " + name + " is down"};
  const bool addressed = std::ranges::any_of(link->addresses, [](const auto& each) {
    return each.address.is_v6() && each.address.link_local() && !each.tentative();
  });
  if (!addressed) return {link->index, false, "interface " + name + " has no link-local IPv6 address"};
  return {link->index, true, {}};
}

}  // namespace

UnnumberedLinks::UnnumberedLinks(boost::asio::io_context& io, std::function<void()> changed,
                                 std::function<bool(std::uint32_t)> in_use,
                                 std::function<void(const std::string&)> trouble)
    : io_{io}, changed_{std::move(changed)}, trouble_{std::move(trouble)}, discovery_{std::move(in_use)}, timer_{io} {}

UnnumberedLinks::~UnnumberedLinks() = default;

bool UnnumberedLinks::open() {
  if (socket_ != nullptr) return true;
  const auto socket = ::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
  if (socket >= 0 && set_options(socket)) {
    socket_ = std::make_unique<stream_descriptor>(io_, socket);
    listen();
    return true;
  }
  const auto why = std::error_code{errno, std::generic_category()}.message();
  if (socket >= 0) ::close(socket);
  if (!std::exchange(failed_, true)) trouble_("no socket for router advertisements: " + why);
  return false;
}

void UnnumberedLinks::set(const std::set<std::string>& interfaces, const netlink::LinkTable& links) {
  if (interfaces.empty() && socket_ == nullptr) return;
  std::map<std::string, Discovery::Link> wanted;
  macs_.clear();
  for (const auto& name : interfaces) {
    const auto described = describe(name, links);
    wanted.emplace(name, described);
    if (const auto* link = links.find(described.index)) macs_[described.index] = link->mac;
  }
  if (interfaces.empty()) {
    discovery_.set_links({}, net::Clock::now());
    joined_.clear();
    socket_.reset();
    return;
  }
  if (!open()) return;
  for (const auto& [name, link] : wanted) {
    if (!link.ready || !joined_.insert(link.index).second) continue;
    const ipv6_mreq group{all_routers, link.index};
    if (!set_option(socket_->native_handle(), IPPROTO_IPV6, IPV6_JOIN_GROUP, group)) joined_.erase(link.index);
  }
  std::erase_if(joined_, [&](std::uint32_t index) { return links.find(index) == nullptr; });
  discovery_.set_links(wanted, net::Clock::now());
  send();
}

void UnnumberedLinks::listen() {
  socket_->async_wait(stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;
    read();
    if (socket_ != nullptr) listen();
  });
}

void UnnumberedLinks::read() {
  std::array<std::uint8_t, 1500> buffer{};
  bool changed = false;
  Received received;
  for (std::size_t count = 0; count < messages_a_turn && receive(socket_->native_handle(), buffer, received); ++count) {
    const auto kind =
        decode_router_message(std::span{buffer}.first(received.size), received.source, received.hop_limit);
    if (kind) changed = discovery_.heard(received.interface, *kind, received.source, net::Clock::now()) || changed;
  }
  send();
  if (changed) changed_();
}

void UnnumberedLinks::send() {
  for (const auto& [index, kind] : discovery_.due(net::Clock::now())) {
    const auto mac = macs_.find(index);
    const auto bytes = encode_router_message(kind, mac == macs_.end() ? std::nullopt : mac->second);
    transmit(socket_->native_handle(), index, kind == RouterMessage::Advertisement ? all_nodes : all_routers, bytes);
  }
  arm();
}

void UnnumberedLinks::arm() {
  const auto next = discovery_.next_deadline();
  if (!next) {
    timer_.cancel();
    return;
  }
  timer_.expires_at(*next);
  timer_.async_wait([this](const error_code& error) {
    if (!error && socket_ != nullptr) send();
  });
}

}  // namespace speaker
