// SPDX-License-Identifier: Apache-2.0
// Asks for an address by ARP, over and over, and prints how fast the answers come. At most `window` requests are
// without an answer at a time; on a veth pair answers come in the order of the requests.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <iostream>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "net/address.hpp"
#include "tests/bench/arp/frame.hpp"

namespace {

using bench::ArpFrame;
using bench::burst;
using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

struct Setup {
  std::string interface;
  std::string sender;
  std::string target;
  std::size_t count = 50000;
  std::size_t window = 1;
};

ArpFrame request(const std::array<std::uint8_t, 6>& mac, net::Ipv4Address sender, net::Ipv4Address target) {
  ArpFrame frame{};
  std::memset(frame.ethernet.ether_dhost, 0xff, 6);
  std::memcpy(frame.ethernet.ether_shost, mac.data(), 6);
  frame.ethernet.ether_type = htons(ETHERTYPE_ARP);
  frame.arp.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), 6, 4, htons(ARPOP_REQUEST)};
  std::memcpy(frame.arp.arp_sha, mac.data(), 6);
  std::memcpy(frame.arp.arp_spa, sender.bytes().data(), 4);
  std::memcpy(frame.arp.arp_tpa, target.bytes().data(), 4);
  return frame;
}

// The same frame in every message that is sent, and a buffer for every one that is received.
class Exchange {
 public:
  Exchange(const bench::PacketSocket& socket, const ArpFrame& frame) : fd_{socket.fd()}, frame_{frame} {
    frame_part_ = {&frame_, sizeof frame_};
    for (std::size_t i = 0; i < burst; ++i) {
      out_[i].msg_hdr.msg_iov = &frame_part_;
      out_[i].msg_hdr.msg_iovlen = 1;
      in_parts_[i] = {buffers_[i].data(), buffers_[i].size()};
      in_[i].msg_hdr.msg_iov = &in_parts_[i];
      in_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  std::size_t send(std::size_t count) {
    const auto sent = ::sendmmsg(fd_, out_.data(), static_cast<unsigned>(std::min(count, burst)), 0);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  std::size_t replies() {
    const auto got = ::recvmmsg(fd_, in_.data(), burst, 0, nullptr);
    std::size_t count = 0;
    for (int i = 0; i < got; ++i) {
      const auto at = static_cast<std::size_t>(i);
      ArpFrame frame{};
      std::memcpy(&frame, buffers_[at].data(), sizeof frame);
      count += in_[at].msg_len >= sizeof frame && frame.arp.ea_hdr.ar_op == htons(ARPOP_REPLY);
    }
    return count;
  }

 private:
  int fd_;
  ArpFrame frame_;
  iovec frame_part_{};
  std::array<mmsghdr, burst> out_{}, in_{};
  std::array<iovec, burst> in_parts_{};
  std::array<std::array<std::uint8_t, 128>, burst> buffers_{};
};

nlohmann::json blast(const Setup& setup, Exchange& exchange) {
  std::vector<Clock::time_point> sent_at;
  std::vector<double> latency;
  sent_at.reserve(setup.count);
  latency.reserve(setup.count);
  const auto begun = Clock::now();
  auto last = begun;
  while (latency.size() < setup.count && Clock::now() - last < std::chrono::seconds{1}) {
    const auto outstanding = sent_at.size() - latency.size();
    const auto wanted = std::min(setup.count - sent_at.size(), setup.window - std::min(outstanding, setup.window));
    if (wanted > 0) {
      const auto time = Clock::now();
      sent_at.resize(sent_at.size() + exchange.send(wanted), time);
    }
    const auto replies = exchange.replies();
    const auto time = Clock::now();
    for (std::size_t i = 0; i < replies && latency.size() < sent_at.size(); ++i)
      latency.push_back(Microseconds{time - sent_at[latency.size()]}.count());
    if (replies > 0) last = time;
  }
  const auto seconds = std::chrono::duration<double>{last - begun}.count();
  std::ranges::sort(latency);
  const auto at = [&](double share) {
    const auto index = static_cast<std::size_t>(share * static_cast<double>(latency.size()));
    return latency.empty() ? -1.0 : std::round(latency[std::min(latency.size() - 1, index)] * 10) / 10;
  };
  return {{"window", setup.window},
          {"requests", sent_at.size()},
          {"replies", latency.size()},
          {"seconds", seconds},
          {"per_second", seconds > 0 ? std::round(static_cast<double>(latency.size()) / seconds) : 0},
          {"p50_us", at(0.5)},
          {"p99_us", at(0.99)},
          {"max_us", at(1)}};
}

}  // namespace

int main(int argc, char** argv) {
  Setup setup;
  CLI::App app{"Sends ARP requests and measures the answers.", "arp_blast"};
  app.add_option("interface", setup.interface)->required();
  app.add_option("sender", setup.sender, "Address that asks")->required();
  app.add_option("target", setup.target, "Address that is asked for")->required();
  app.add_option("--count", setup.count, "Requests");
  app.add_option("--window", setup.window, "Requests without an answer at a time")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  const auto sender = net::parse_ipv4(setup.sender);
  const auto target = net::parse_ipv4(setup.target);
  if (!sender || !target) {
    std::cerr << "arp_blast: sender and target must be IPv4 addresses\n";
    return 2;
  }
  try {
    const bench::PacketSocket socket{setup.interface, bench::Blocking::No};
    Exchange exchange{socket, request(socket.mac(), *sender, *target)};
    std::puts(blast(setup, exchange).dump().c_str());
  } catch (const std::exception& error) {
    std::cerr << "arp_blast: " << error.what() << '\n';
    return 1;
  }
}
