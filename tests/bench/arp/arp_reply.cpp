// SPDX-License-Identifier: Apache-2.0
// The least that answers ARP in user space: no look-up, no state, one loop. The yardstick for a real responder.
#include <cstdio>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>
#include <linux/filter.h>

#include "net/prefix.hpp"
#include "tests/bench/arp/frame.hpp"

namespace {

using bench::ArpFrame;
using bench::burst;

// ARP requests only, so that nothing else wakes us.
void filter(int fd) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REQUEST, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 128),         BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog program{sizeof code / sizeof *code, code};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    throw std::system_error{errno, std::generic_category(), "filter"};
}

// Turns a request into its answer, in place.
void answer(ArpFrame& frame, const std::array<std::uint8_t, 6>& mac) {
  std::array<std::uint8_t, 4> target{};
  std::memcpy(target.data(), frame.arp.arp_tpa, 4);
  std::memcpy(frame.ethernet.ether_dhost, frame.arp.arp_sha, 6);
  std::memcpy(frame.ethernet.ether_shost, mac.data(), 6);
  frame.arp.ea_hdr.ar_op = htons(ARPOP_REPLY);
  std::memcpy(frame.arp.arp_tha, frame.arp.arp_sha, 6);
  std::memcpy(frame.arp.arp_tpa, frame.arp.arp_spa, 4);
  std::memcpy(frame.arp.arp_sha, mac.data(), 6);
  std::memcpy(frame.arp.arp_spa, target.data(), 4);
}

[[noreturn]] void reply_for_ever(const bench::PacketSocket& socket, net::Ipv4Prefix network) {
  std::array<ArpFrame, burst> frames{};
  std::array<iovec, burst> in_parts{}, out_parts{};
  std::array<mmsghdr, burst> in{}, out{};
  for (std::size_t i = 0; i < burst; ++i) {
    in_parts[i] = {&frames[i], sizeof frames[i]};
    in[i].msg_hdr.msg_iov = &in_parts[i];
    in[i].msg_hdr.msg_iovlen = 1;
    out[i].msg_hdr.msg_iov = &out_parts[i];
    out[i].msg_hdr.msg_iovlen = 1;
  }
  while (true) {
    const auto got = ::recvmmsg(socket.fd(), in.data(), burst, MSG_WAITFORONE, nullptr);
    unsigned replies = 0;
    for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got); ++i) {
      if (in[i].msg_len < sizeof frames[i] ||
          !network.contains(net::Ipv4Address::from_bytes(std::span{frames[i].arp.arp_tpa, 4})))
        continue;
      answer(frames[i], socket.mac());
      out_parts[replies++] = {&frames[i], sizeof frames[i]};
    }
    for (unsigned done = 0; done < replies;) {
      const auto sent = ::sendmmsg(socket.fd(), out.data() + done, replies - done, 0);
      if (sent <= 0) break;
      done += static_cast<unsigned>(sent);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string interface;
  std::string text;
  CLI::App app{"Answers every ARP request for an address of a network.", "arp_reply"};
  app.add_option("interface", interface)->required();
  app.add_option("network", text, "ADDRESS/LENGTH")->required();
  CLI11_PARSE(app, argc, argv);
  const auto network = net::parse_prefix(text);
  if (!network || network->family() != net::Family::Ipv4) {
    std::cerr << "arp_reply: the network must be an IPv4 prefix\n";
    return 2;
  }
  try {
    const bench::PacketSocket socket{interface, bench::Blocking::Yes};
    filter(socket.fd());
    reply_for_ever(socket, network->v4());
  } catch (const std::exception& error) {
    std::cerr << "arp_reply: " << error.what() << '\n';
    return 1;
  }
}
