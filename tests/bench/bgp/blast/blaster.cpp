// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bgp/blast/blaster.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/reader.hpp"
#include "tests/bench/bgp/blast/message.hpp"

namespace blast {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 18;
constexpr std::size_t stamped_read = std::size_t{1} << 14;
constexpr Seconds timer_step{0.001};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const net::IpAddress& address, std::uint16_t port) {
  SocketAddress out;
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), 4);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.size = sizeof v6;
  }
  return out;
}

[[noreturn]] void give_up(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

Seconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

Blaster::Blaster(const Scenario& scenario) : scenario_{scenario}, epoll_{::epoll_create1(EPOLL_CLOEXEC)} {
  if (epoll_ < 0) give_up("epoll_create1");
  const auto count = scenario.options().senders + scenario.options().receivers;
  for (unsigned i = 0; i < count; ++i) peers_.emplace_back(i, scenario);
}

Blaster::~Blaster() {
  for (auto& peer : peers_) close(peer);
  ::close(epoll_);
}

bool Blaster::all_established() const {
  return std::ranges::all_of(peers_, [](const Peer& peer) { return peer.state == State::Established; });
}

bool Blaster::all_sent() const {
  return std::ranges::all_of(peers_,
                             [](const Peer& peer) { return peer.state != State::Established || peer.all_sent(); });
}

void Blaster::pump(std::chrono::milliseconds wait) {
  std::array<epoll_event, 128> events{};
  const auto count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    auto& peer = peers_[event.data.u32];
    if (peer.state == State::Connecting && (event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
      connected(peer);
    else if ((event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
      readable(peer);
    if (peer.fd >= 0 && peer.state != State::Connecting && (event.events & EPOLLOUT) != 0) flush(peer);
  }
  run_timers();
}

void Blaster::pump_until(Seconds time) {
  while (now() < time) pump(std::chrono::milliseconds{1});
}

void Blaster::run_timers() {
  const auto time = now();
  if (time < next_timers_) return;
  next_timers_ = time + timer_step;
  for (auto& peer : peers_) {
    if (peer.state == State::Idle && time >= peer.retry_at) connect(peer);
    if (peer.state == State::Established && time >= peer.keepalive_at && peer.all_sent()) send_keepalive(peer);
  }
}

void Blaster::flush(Peer& peer) {
  while (!peer.all_sent()) {
    const auto chunk = std::min(peer.out.size() - peer.out_sent, buffer_size);
    const auto sent = ::send(peer.fd, peer.out.data() + peer.out_sent, chunk, MSG_NOSIGNAL);
    if (sent <= 0) {
      if (errno != EAGAIN && errno != EINTR) return lose(peer, std::strerror(errno));
      break;
    }
    peer.out_sent += static_cast<std::size_t>(sent);
  }
  if (peer.all_sent()) {
    peer.out.clear();
    peer.out_sent = 0;
  }
  if (peer.watches_writable == peer.all_sent()) {
    peer.watches_writable = !peer.all_sent();
    watch(peer, Watch::Change);
  }
}

void Blaster::close(Peer& peer) {
  if (peer.fd >= 0) ::close(peer.fd);
  peer.fd = -1;
  peer.state = State::Closed;
}

bool Blaster::stamped(const Peer& peer) const {
  return peer.receiver && scenario_.options().probing == Probing::WhileLoading;
}

void Blaster::watch(Peer& peer, Watch how) {
  epoll_event event{};
  event.events = EPOLLIN | (peer.watches_writable ? std::uint32_t{EPOLLOUT} : 0U);
  event.data.u32 = peer.id;
  if (::epoll_ctl(epoll_, how == Watch::Add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, peer.fd, &event) != 0)
    give_up("epoll_ctl");
}

void Blaster::connect(Peer& peer) {
  const auto& options = scenario_.options();
  const auto local = socket_address(peer.address, 0);
  const auto remote = socket_address(options.dut.address, options.dut.port);
  peer.fd = ::socket(remote.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (peer.fd < 0) give_up("socket");
  set_option(peer.fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(peer.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (peer.receiver) set_option(peer.fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
  if (stamped(peer)) set_option(peer.fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (::bind(peer.fd, local.get(), local.size) != 0) give_up("bind to the address of a peer");
  peer.retry_at = now() + options.retry;
  peer.in.resize(buffer_size);
  peer.in_size = 0;
  peer.out.clear();
  peer.out_sent = 0;
  if (::connect(peer.fd, remote.get(), remote.size) != 0 && errno != EINPROGRESS) {
    ::close(peer.fd);
    peer.fd = -1;
    return;
  }
  peer.state = State::Connecting;
  peer.watches_writable = true;
  watch(peer, Watch::Add);
}

void Blaster::connected(Peer& peer) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(peer.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return lose(peer, std::strerror(error));
  send_open(peer);
  peer.state = State::OpenSent;
  flush(peer);
}

void Blaster::send_open(Peer& peer) {  // RFC 4271 section 4.2; capabilities of RFC 4760, 2918 and 6793
  const auto& options = scenario_.options();
  const auto asn = options.first_asn + peer.id;
  const Message message{peer.out, MessageType::Open};
  net::Writer out{peer.out};
  out.u8(4);
  out.u16(static_cast<std::uint16_t>(asn > 65535 ? 23456 : asn));
  out.u16(static_cast<std::uint16_t>(options.hold_time));
  out.u32(0x0a010000U + peer.id + 1);
  const auto parameters = out.length_field_u8();
  out.u8(2);
  const auto capabilities = out.length_field_u8();
  out.u16(1 << 8 | 4);
  out.u16(options.family == net::Family::Ipv4 ? 1 : 2);
  out.u16(1);
  out.u16(2 << 8);
  out.u16(65 << 8 | 4);
  out.u32(asn);
}

void Blaster::send_keepalive(Peer& peer) {
  { const Message message{peer.out, MessageType::Keepalive}; }
  peer.keepalive_at = now() + Seconds{scenario_.options().hold_time / 3.0};
  flush(peer);
}

void Blaster::lose(Peer& peer, const char* why) {
  if (peer.fd < 0) return;
  const bool was_up = peer.state == State::Established;
  if (was_up || scenario_.options().verbose) std::fprintf(stderr, "bgp_blast: peer %u lost: %s\n", peer.id, why);
  ::close(peer.fd);
  peer.fd = -1;
  peer.state = was_up ? State::Closed : State::Idle;
  if (was_up) ++lost_;
}

// Reads what there is, and says when it came: by our clock, or while a table is loaded by the kernel's, which puts down
// when the last of the read octets arrived. What the receiver needs for itself, several milliseconds at times, is not
// the daemon's.
ssize_t Blaster::receive(Peer& peer, std::size_t room, Seconds& at) {
  if (!stamped(peer)) {
    const auto got = ::recv(peer.fd, peer.in.data() + peer.in_size, room, 0);
    at = now();
    return got;
  }
  iovec where{peer.in.data() + peer.in_size, std::min(room, stamped_read)};
  std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
  msghdr message{};
  message.msg_iov = &where;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto got = ::recvmsg(peer.fd, &message, 0);
  at = now();
  const auto* stamp = CMSG_FIRSTHDR(&message);
  if (got > 0 && stamp != nullptr && stamp->cmsg_level == SOL_SOCKET && stamp->cmsg_type == SCM_TIMESTAMPNS) {
    timespec arrived{};
    std::memcpy(&arrived, CMSG_DATA(stamp), sizeof arrived);
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    at -= since_epoch - std::chrono::seconds{arrived.tv_sec} - std::chrono::nanoseconds{arrived.tv_nsec};
  }
  return got;
}

void Blaster::readable(Peer& peer) {
  for (int rounds = 0; rounds < 2 && peer.fd >= 0; ++rounds) {
    const auto room = peer.in.size() - peer.in_size;
    Seconds at{};
    const auto got = receive(peer, room, at);
    if (got == 0) return lose(peer, "closed by the DUT");
    if (got < 0) {
      if (errno != EAGAIN && errno != EINTR) lose(peer, std::strerror(errno));
      return;
    }
    peer.in_size += static_cast<std::size_t>(got);
    parse(peer, at);
    if (static_cast<std::size_t>(got) < room) return;
  }
}

void Blaster::parse(Peer& peer, Seconds at) {
  std::size_t done = 0;
  while (peer.fd >= 0 && peer.in_size - done >= header_size) {
    const auto* message = peer.in.data() + done;
    const std::size_t length = static_cast<unsigned>(message[16]) << 8 | message[17];
    if (length < header_size) return lose(peer, "bad message length");
    if (peer.in_size - done < length) break;
    handle(peer, message[18], {message + header_size, length - header_size}, at);
    done += length;
  }
  if (peer.fd < 0) return;
  std::memmove(peer.in.data(), peer.in.data() + done, peer.in_size - done);
  peer.in_size -= done;
}

void Blaster::handle(Peer& peer, std::uint8_t type, std::span<const std::uint8_t> body, Seconds at) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::Open:
      if (peer.state != State::OpenSent) return;
      peer.state = State::OpenConfirm;
      send_keepalive(peer);
      return;
    case MessageType::Keepalive:
      if (peer.state != State::OpenConfirm) return;
      peer.state = State::Established;
      peer.established_at = at;
      peer.keepalive_at = at + Seconds{scenario_.options().hold_time / 3.0};
      return;
    case MessageType::Notification:
      return notification(peer, body);
    case MessageType::Update:
      if (peer.receiver) update(peer, body, at);
      return;
  }
}

void Blaster::notification(Peer& peer, std::span<const std::uint8_t> body) {
  net::Reader in{body};
  const auto code = in.u8();
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "NOTIFICATION %u/%u", unsigned{code}, unsigned{in.u8()});
  lose(peer, text.data());
}

void Blaster::update(Peer& peer, std::span<const std::uint8_t> body, Seconds at) {
  const auto heard = read_update(body);
  if (heard.empty()) return;
  ++counters_.updates;
  counters_.bytes += body.size() + header_size;
  if (counters_.first.count() < 0) counters_.first = at;
  counters_.last = at;
  const auto first_asn = scenario_.options().first_asn;
  const bool known = heard.hops >= 2 && heard.via >= first_asn && heard.via - first_asn < scenario_.options().senders;
  const auto sender = static_cast<std::uint16_t>(known ? heard.via - first_asn : 0);
  // A path through nobody that sends is right for no prefix.
  const auto hops = static_cast<std::uint8_t>(known ? heard.hops - 1 : 255);
  const auto each = [&](std::span<const std::uint8_t> field, Change change) {
    for_each_prefix(field, [&](Prefix prefix) {
      if (on_prefix) return on_prefix(at, peer, change, prefix);
      note(peer, change, prefix, hops, sender, at);
    });
  };
  each(heard.withdrawn, Change::Withdrawn);
  each(heard.withdrawn_mp, Change::Withdrawn);
  each(heard.announced, Change::Announced);
  each(heard.announced_mp, Change::Announced);
}

void Blaster::note(Peer& peer, Change change, Prefix prefix, std::uint8_t hops, std::uint16_t sender, Seconds at) {
  const auto index = scenario_.prefixes().find(prefix);
  ++(!index ? counters_.unknown : change == Change::Announced ? counters_.announced : counters_.withdrawn);
  if (!index) return;
  if (*index < scenario_.expected()) {
    if (change == Change::Announced)
      peer.view.set(*index, hops, sender);
    else
      peer.view.set(*index, 0, 0);
  } else if (on_probe && peer.id == scenario_.options().senders) {
    on_probe(*index, change, at);
  }
}

}  // namespace blast
