// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/arp.hpp"

#include <algorithm>

#include "net/reader.hpp"

namespace speaker {
namespace {

constexpr std::uint16_t hardware_ethernet = 1;
constexpr std::uint16_t protocol_ipv4 = 0x0800;

net::Mac read_mac(net::Reader& in) {
  net::Mac mac;
  const auto field = in.bytes(mac.octets.size());
  std::copy(field.begin(), field.end(), mac.octets.begin());
  return mac;
}

template <class Iterator>
Iterator write_u16(Iterator out, unsigned value) {
  *out++ = static_cast<std::uint8_t>(value >> 8);
  *out++ = static_cast<std::uint8_t>(value);
  return out;
}

}  // namespace

std::optional<Arp> decode_arp(std::span<const std::uint8_t> frame) {
  net::Reader in{frame};
  Arp arp;
  arp.destination = read_mac(in);
  arp.source = read_mac(in);
  const auto header_is_right = in.u16() == ethertype_arp && in.u16() == hardware_ethernet &&
                               in.u16() == protocol_ipv4 && in.u8() == 6 && in.u8() == 4;
  if (!header_is_right) return std::nullopt;
  const auto operation = in.u16();
  arp.operation = static_cast<Arp::Operation>(operation);
  arp.sender_mac = read_mac(in);
  arp.sender = in.ipv4();
  arp.target_mac = read_mac(in);
  arp.target = in.ipv4();
  if (!in.ok() || (operation != 1 && operation != 2) || arp.sender_mac.group()) return std::nullopt;
  return arp;
}

ArpBytes encode_arp(const Arp& arp) {
  ArpBytes bytes{};
  auto out = std::ranges::copy(arp.destination.octets, bytes.begin()).out;
  out = std::ranges::copy(arp.source.octets, out).out;
  out = write_u16(out, ethertype_arp);
  out = write_u16(out, hardware_ethernet);
  out = write_u16(out, protocol_ipv4);
  out = write_u16(out, 6U << 8 | 4U);  // address lengths
  out = write_u16(out, static_cast<unsigned>(arp.operation));
  out = std::ranges::copy(arp.sender_mac.octets, out).out;
  out = std::ranges::copy(arp.sender.bytes(), out).out;
  out = std::ranges::copy(arp.target_mac.octets, out).out;
  std::ranges::copy(arp.target.bytes(), out);
  return bytes;
}

Arp arp_answer(const Arp& request, const net::Mac& mac) {
  return {.destination = request.sender_mac,
          .source = mac,
          .operation = Arp::Operation::Reply,
          .sender_mac = mac,
          .sender = request.target,
          .target_mac = request.sender_mac,
          .target = request.sender};
}

Arp arp_announcement(Arp::Operation form, net::Ipv4Address address, const net::Mac& mac) {
  return {.destination = net::broadcast_mac,
          .source = mac,
          .operation = form,
          .sender_mac = mac,
          .sender = address,
          // RFC 5227 section 1.1: the target hardware address of an announcement is not looked at; zero.
          .target_mac = form == Arp::Operation::Request ? net::Mac{} : mac,
          .target = address};
}

}  // namespace speaker
