// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/packet_filter.hpp"

#include <linux/if_packet.h>

#include "speaker/layer2/ndp.hpp"

namespace speaker {
namespace {

constexpr std::uint32_t ancillary(int field) {
  return static_cast<std::uint32_t>(SKF_AD_OFF + field);
}

// Jump targets until finish() knows the distances.
constexpr std::uint8_t next = 0;
constexpr std::uint8_t accept = 0xfe;
constexpr std::uint8_t refuse = 0xff;

constexpr std::uint16_t jump_if_equal = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t jump_if_at_least = BPF_JMP | BPF_JGE | BPF_K;

}  // namespace

PacketFilter PacketFilter::arp(unsigned link) {
  PacketFilter filter;
  filter.only_received_on(link);
  filter.load(BPF_W, 14);
  filter.require_equal(0x00010800);  // Ethernet, IPv4
  filter.load(BPF_W, 18);
  filter.accept_if_equal(0x06040001);  // address lengths; request
  filter.require_equal(0x06040002);    // reply
  filter.load(BPF_W, ancillary(SKF_AD_PKTTYPE));
  filter.refuse_if_equal(PACKET_HOST);
  return filter.finish(64);
}

PacketFilter PacketFilter::ndp(unsigned link) {
  PacketFilter filter;
  filter.only_received_on(link);
  filter.load(BPF_H, 12);
  filter.require_equal(ethertype_ipv6);
  filter.load(BPF_H, 20);
  filter.require_equal(58U << 8 | 255U);  // ICMPv6; hop limit, nothing that was forwarded
  filter.load(BPF_B, 54);
  filter.accept_if_equal(static_cast<std::uint32_t>(Ndp::Type::Solicitation));
  filter.require_equal(static_cast<std::uint32_t>(Ndp::Type::Advertisement));
  filter.load(BPF_B, 38);
  filter.require_equal(0xff);  // to a group
  return filter.finish(512);
}

void PacketFilter::load(std::uint16_t width, std::uint32_t offset) {
  program_.push_back({static_cast<std::uint16_t>(BPF_LD | width | BPF_ABS), 0, 0, offset});
}
void PacketFilter::require_equal(std::uint32_t value) {
  program_.push_back({jump_if_equal, next, refuse, value});
}
void PacketFilter::require_below(std::uint32_t value) {
  program_.push_back({jump_if_at_least, refuse, next, value});
}
void PacketFilter::accept_if_equal(std::uint32_t value) {
  program_.push_back({jump_if_equal, accept, next, value});
}
void PacketFilter::refuse_if_equal(std::uint32_t value) {
  program_.push_back({jump_if_equal, refuse, next, value});
}

// A socket bound to an interface also sees what belongs to a VLAN on top of it; the interface of the frame
// is then the VLAN's. Frames for other stations (promiscuous) and our own are left out by their type.
void PacketFilter::only_received_on(unsigned link) {
  load(BPF_W, ancillary(SKF_AD_IFINDEX));
  require_equal(link);
  load(BPF_W, ancillary(SKF_AD_PKTTYPE));
  require_below(PACKET_OTHERHOST);
}

PacketFilter PacketFilter::finish(std::uint32_t snap_length) {
  const auto end = program_.size();
  for (std::size_t at = 0; at < end; ++at) {
    if (BPF_CLASS(program_[at].code) != BPF_JMP) continue;
    for (auto* target : {&program_[at].jt, &program_[at].jf}) {
      if (*target == accept)
        *target = static_cast<std::uint8_t>(end - at - 1);
      else if (*target == refuse)
        *target = static_cast<std::uint8_t>(end - at);
    }
  }
  program_.push_back({BPF_RET | BPF_K, 0, 0, snap_length});
  program_.push_back({BPF_RET | BPF_K, 0, 0, 0});
  return *this;
}

}  // namespace speaker
