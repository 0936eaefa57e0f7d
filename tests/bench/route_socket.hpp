// SPDX-License-Identifier: Apache-2.0
// The yardstick for whatever writes routes: a netlink socket that does nothing but send messages in batches.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <system_error>
#include <vector>

#include <arpa/inet.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/prefix.hpp"

namespace bench {

enum class Acknowledge { Last, Every };  // message of a batch

class RouteSocket {
 public:
  struct Options {
    std::size_t batch_bytes = std::size_t{128} * 1024;
    std::size_t batch_messages = SIZE_MAX;
    Acknowledge acknowledge = Acknowledge::Last;
    std::uint16_t create_flags = NLM_F_CREATE | NLM_F_EXCL;
  };
  struct Target {
    net::Ipv4Address gateway;
    std::uint32_t interface = 0;
    std::optional<std::uint32_t> nexthop;  // object to refer to, in place of gateway and interface
  };

  explicit RouteSocket(Options options)
      : options_{options}, fd_{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)} {
    const int size = 8 << 20;
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    ::setsockopt(fd_, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    buffer_.reserve(std::size_t{192} * 1024);
  }
  ~RouteSocket() { ::close(fd_); }
  RouteSocket(const RouteSocket&) = delete;
  RouteSocket& operator=(const RouteSocket&) = delete;

  void add_nexthop(std::uint32_t id, net::Ipv4Address gateway, std::uint32_t interface) {
    nhmsg object{};
    object.nh_family = AF_INET;
    object.nh_protocol = RTPROT_BGP;
    begin(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_REPLACE, object);
    attribute(NHA_ID, id);
    attribute(NHA_GATEWAY, htonl(gateway.value));
    attribute(NHA_OIF, interface);
    end();
    flush();
  }
  void add(net::Ipv4Prefix prefix, const Target& target) {
    route(RTM_NEWROUTE, options_.create_flags, prefix);
    if (target.nexthop) {
      attribute(RTA_NH_ID, *target.nexthop);
    } else {
      attribute(RTA_GATEWAY, htonl(target.gateway.value));
      attribute(RTA_OIF, target.interface);
    }
    end();
  }
  void remove(net::Ipv4Prefix prefix) {
    route(RTM_DELROUTE, 0, prefix);
    end();
  }
  // Sends what is left and waits for its acknowledgement.
  void flush() {
    if (messages_ == 0) return;
    header()->nlmsg_flags |= NLM_F_ACK;
    if (::send(fd_, buffer_.data(), buffer_.size(), 0) < 0) give_up("sending routes");
    const auto last = header()->nlmsg_seq;
    buffer_.clear();
    messages_ = 0;
    while (!answered(last)) {
    }
  }
  [[nodiscard]] std::size_t errors() const { return errors_; }

 private:
  [[noreturn]] static void give_up(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

  template <class Message>
  void begin(std::uint16_t type, std::uint16_t flags, const Message& message) {
    last_ = buffer_.size();
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    header.nlmsg_seq = ++sequence_;
    append(&header, sizeof header);
    append(&message, sizeof message);
  }
  void route(std::uint16_t type, std::uint16_t flags, net::Ipv4Prefix prefix) {
    rtmsg route{};
    route.rtm_family = AF_INET;
    route.rtm_dst_len = static_cast<unsigned char>(prefix.length());
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_BGP;
    route.rtm_type = RTN_UNICAST;
    begin(type, flags, route);
    attribute(RTA_DST, htonl(prefix.address().value));
    attribute(RTA_PRIORITY, 20);
  }
  void attribute(std::uint16_t type, std::uint32_t value) {
    const rtattr header{RTA_LENGTH(sizeof value), type};
    append(&header, sizeof header);
    append(&value, sizeof value);
  }
  void end() {
    header()->nlmsg_len = static_cast<std::uint32_t>(buffer_.size() - last_);
    if (options_.acknowledge == Acknowledge::Every) header()->nlmsg_flags |= NLM_F_ACK;
    ++messages_;
    if (buffer_.size() >= options_.batch_bytes || messages_ >= options_.batch_messages) flush();
  }
  // Reads answers; true when the one to the last message was among them. Refusals come without being asked for.
  bool answered(std::uint32_t last) {
    alignas(nlmsghdr) char answers[65536];
    auto size = ::recv(fd_, answers, sizeof answers, 0);
    if (size < 0) give_up("reading answers");
    bool done = false;
    for (auto* header = reinterpret_cast<nlmsghdr*>(answers); NLMSG_OK(header, size);
         header = NLMSG_NEXT(header, size)) {
      if (header->nlmsg_type != NLMSG_ERROR) continue;
      nlmsgerr error{};
      std::memcpy(&error, NLMSG_DATA(header), sizeof error);
      errors_ += error.error != 0;
      done = done || error.msg.nlmsg_seq == last;
    }
    return done;
  }
  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_.data() + last_); }
  void append(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    buffer_.insert(buffer_.end(), bytes, bytes + size);
  }

  Options options_;
  int fd_;
  std::vector<std::uint8_t> buffer_;
  std::size_t last_ = 0;  // where the last message begins
  std::size_t messages_ = 0;
  std::uint32_t sequence_ = 0;
  std::size_t errors_ = 0;
};

}  // namespace bench
