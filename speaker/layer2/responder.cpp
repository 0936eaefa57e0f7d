// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/responder.hpp"

#include <algorithm>

namespace speaker {
namespace {

template <class Bytes>
L2Frame frame_of(unsigned link, const Bytes& bytes) {
  L2Frame frame;
  frame.link = link;
  frame.size = static_cast<std::uint8_t>(bytes.size());
  std::ranges::copy(bytes, frame.storage.begin());
  return frame;
}

// How long after round `rounds` the next one is due. The jitter differs per address and per round, so that
// addresses taken over together do not stay together.
net::Duration gap_after(unsigned rounds, const net::IpAddress& address) {
  if (rounds <= Responder::burst_gaps.size()) return Responder::burst_gaps[rounds - 1];
  const auto mixed = (std::hash<net::IpAddress>{}(address) + rounds) * 0x9e3779b97f4a7c15ULL;
  const auto percent = 75 + static_cast<int>((mixed >> 32) % 51);
  return net::Milliseconds{Responder::refresh_interval} * percent / 100;
}

}  // namespace

void Responder::update(const Answers& answers, const Ports& ports, net::TimePoint now) {
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto kept = answers.find(at->first);
    if (kept != answers.end() && !kept->second.empty()) {
      ++at;
      continue;
    }
    queue_.erase({at->second.due, at->first});
    at = entries_.erase(at);
  }
  for (const auto& [address, links] : answers) {
    if (links.empty()) continue;
    auto& entry = entries_[address];
    const auto announce_again = links_changed(entry, links, ports);
    if (entry.links != links) entry.links = links;
    if (!announce_again) continue;
    entry.rounds = 0;
    schedule(address, entry, now);
  }
  ports_ = ports;
}

// True when the address is new on some link, or a link of it is not what it was.
bool Responder::links_changed(const Entry& entry, const std::vector<unsigned>& links, const Ports& ports) const {
  return std::ranges::any_of(links, [&](unsigned link) {
    if (!std::ranges::binary_search(entry.links, link)) return true;
    const auto before = ports_.find(link);
    return before == ports_.end() || before->second != ports.at(link);
  });
}

std::optional<L2Frame> Responder::handle(unsigned link, std::span<const std::uint8_t> frame, net::TimePoint now) {
  if (!ports_.contains(link)) return std::nullopt;  // read before the link was given up
  const auto type = frame.size() < 14 ? 0 : frame[12] << 8 | frame[13];
  if (type == ethertype_arp) return handle_arp(link, frame, now);
  if (type == ethertype_ipv6) return handle_ndp(link, frame, now);
  ++counters_.malformed;
  return std::nullopt;
}

std::optional<L2Frame> Responder::handle_arp(unsigned link, std::span<const std::uint8_t> frame, net::TimePoint now) {
  const auto arp = decode_arp(frame);
  if (!arp) {
    ++counters_.malformed;
    return std::nullopt;
  }
  check_claim(link, arp->sender, arp->sender_mac, now);
  // An announcement asks nothing: sender and target are the same.
  const auto asks = arp->operation == Arp::Operation::Request && arp->sender != arp->target;
  auto* entry = asks && addressed_to(link, arp->destination) ? answered(arp->target, link) : nullptr;
  if (entry == nullptr) {
    ++counters_.others;
    return std::nullopt;
  }
  ++counters_.arp_requests;
  ++counters_.arp_replies;
  ++entry->counters.requests;
  ++entry->counters.replies;
  return frame_of(link, encode_arp(arp_answer(*arp, ports_.at(link).mac)));
}

std::optional<L2Frame> Responder::handle_ndp(unsigned link, std::span<const std::uint8_t> frame, net::TimePoint now) {
  const auto ndp = decode_ndp(frame);
  if (!ndp) {
    ++counters_.malformed;
    return std::nullopt;
  }
  if (ndp->type == Ndp::Type::Advertisement)
    check_claim(link, ndp->target, ndp->link_address.value_or(ndp->source_mac), now);
  else
    check_claim(link, ndp->source, ndp->link_address.value_or(ndp->source_mac), now);
  const auto asks = ndp->type == Ndp::Type::Solicitation;
  auto* entry = asks && addressed_to(link, ndp->destination_mac) ? answered(ndp->target, link) : nullptr;
  if (entry == nullptr) {
    ++counters_.others;
    return std::nullopt;
  }
  ++counters_.ndp_solicitations;
  ++counters_.ndp_advertisements;
  ++entry->counters.requests;
  ++entry->counters.replies;
  return frame_of(link, encode_ndp(ndp_answer(*ndp, ports_.at(link).mac)));
}

std::vector<L2Frame> Responder::tick(net::TimePoint now) {
  std::vector<L2Frame> out;
  if (now < paced_until_) return out;
  while (!queue_.empty() && queue_.begin()->first <= now) {
    if (out.size() >= most_per_tick) {
      paced_until_ = now + tick_gap;
      break;
    }
    const auto address = queue_.begin()->second;
    auto& entry = entries_.at(address);
    announce(address, entry, out);
    ++entry.rounds;
    schedule(address, entry, now + gap_after(entry.rounds, address));
  }
  return out;
}

std::optional<net::TimePoint> Responder::next_deadline() const {
  if (queue_.empty()) return std::nullopt;
  return std::max(queue_.begin()->first, paced_until_);
}

const AddressCounters* Responder::counters(const net::IpAddress& address) const {
  const auto at = entries_.find(address);
  return at == entries_.end() ? nullptr : &at->second.counters;
}

std::vector<unsigned> Responder::links(const net::IpAddress& address) const {
  const auto at = entries_.find(address);
  return at == entries_.end() ? std::vector<unsigned>{} : at->second.links;
}

Responder::Entry* Responder::answered(const net::IpAddress& address, unsigned link) {
  const auto at = entries_.find(address);
  if (at == entries_.end() || !std::ranges::binary_search(at->second.links, link)) return nullptr;
  return &at->second;
}

void Responder::check_claim(unsigned link, const net::IpAddress& address, const net::Mac& mac, net::TimePoint now) {
  auto* entry = answered(address, link);
  if (entry == nullptr || is_ours(mac)) return;
  ++counters_.foreign_claims;
  if (entry->defended && now - *entry->defended < defence_interval) return;
  entry->defended = now;
  claims_.push_back({address, mac, link});
  schedule(address, *entry, now);
}

bool Responder::is_ours(const net::Mac& mac) const {
  return std::ranges::any_of(ports_, [&](const auto& port) { return port.second.mac == mac; });
}

// A frame for another station, seen because the interface is promiscuous, is left to that station.
bool Responder::addressed_to(unsigned link, const net::Mac& destination) const {
  return destination.group() || destination == ports_.at(link).mac;
}

void Responder::schedule(const net::IpAddress& address, Entry& entry, net::TimePoint due) {
  queue_.erase({entry.due, address});
  entry.due = due;
  queue_.emplace(due, address);
}

void Responder::announce(const net::IpAddress& address, Entry& entry, std::vector<L2Frame>& out) {
  for (const auto link : entry.links) {
    const auto& mac = ports_.at(link).mac;
    if (address.is_v6()) {
      out.push_back(frame_of(link, encode_ndp(ndp_announcement(address.v6(), mac))));
      ++counters_.ndp_announcements;
      ++entry.counters.announcements;
      continue;
    }
    for (const auto form : {Arp::Operation::Request, Arp::Operation::Reply})
      out.push_back(frame_of(link, encode_arp(arp_announcement(form, address.v4(), mac))));
    counters_.arp_announcements += 2;
    entry.counters.announcements += 2;
  }
}

}  // namespace speaker
