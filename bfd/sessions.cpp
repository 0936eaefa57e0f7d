// SPDX-License-Identifier: Apache-2.0
#include "bfd/sessions.hpp"

#include <algorithm>

namespace bfd {
namespace {

// A goodbye takes a detection time, and no longer than this where the two had agreed on a long one.
constexpr net::Seconds longest_goodbye{10};

bool matches(const Endpoint& end, const Arrival& arrival) {
  if (end.hops != arrival.hops || end.remote != arrival.remote) return false;
  if (end.local && *end.local != arrival.local) return false;
  return end.interface_index == 0 || end.interface_index == arrival.interface_index;
}

}  // namespace

Sessions::Sessions(std::uint64_t seed) : random_{seed} {}

// ---- configuration ------------------------------------------------------------------------------------

SessionId Sessions::add(const Endpoint& end, const SessionConfig& config, std::uint8_t minimum_ttl,
                        net::TimePoint now) {
  if (const auto leaving = by_end_.find(end); leaving != by_end_.end()) erase(leaving->second);
  const auto discriminator = free_discriminator();
  auto& entry =
      entries_.emplace(discriminator, Entry{end, minimum_ttl, Session{discriminator, config, random_.next(), now}})
          .first->second;
  by_end_[end] = discriminator;
  requeue(entry);
  return {discriminator};
}

void Sessions::configure(SessionId session, const SessionConfig& config, std::uint8_t minimum_ttl, net::TimePoint now) {
  const auto found = entries_.find(session.value);
  if (found == entries_.end()) return;
  found->second.minimum_ttl = minimum_ttl;
  found->second.session.configure(config, now, scratch_);
  settle(found->second, scratch_);
}

void Sessions::remove(SessionId session, net::TimePoint now) {
  const auto found = entries_.find(session.value);
  if (found == entries_.end() || found->second.gone_at) return;
  auto& entry = found->second;
  const auto goodbye = std::min<net::Duration>(entry.session.status().detection_time, longest_goodbye);
  entry.session.disable(now, scratch_);
  entry.gone_at = now + goodbye;
  settle(entry, scratch_);
}

void Sessions::path_down(SessionId session, net::TimePoint now) {
  const auto found = entries_.find(session.value);
  if (found == entries_.end()) return;
  found->second.session.path_down(now, scratch_);
  settle(found->second, scratch_);
}

// ---- packets ------------------------------------------------------------------------------------------

void Sessions::received(const Arrival& arrival, std::span<const std::uint8_t> datagram, net::TimePoint now) {
  const auto discard = [&](Discard reason) { ++discarded_[static_cast<std::size_t>(reason)]; };
  // RFC 5881 section 5: before anything else is looked at.
  if (arrival.hops == Hops::Single && arrival.ttl != sent_ttl) return discard(Discard::BadHops);
  const auto packet = decode(datagram);
  if (!packet) return discard(packet.error());
  const auto entry = find_for(arrival, *packet);
  if (!entry) return discard(entry.error());
  if ((*entry)->end.hops == Hops::Multi && arrival.ttl < (*entry)->minimum_ttl) return discard(Discard::BadHops);
  if (const auto reason = (*entry)->session.received(*packet, datagram, now, scratch_)) return discard(*reason);
  settle(**entry, scratch_);
}

// Section 6.8.6: by Your Discriminator where there is one. The address must fit as well: a discriminator alone would
// let a third party end somebody else's session.
net::Result<Sessions::Entry*, Discard> Sessions::find_for(const Arrival& arrival, const Packet& packet) {
  if (packet.your_discriminator != 0) {
    const auto found = entries_.find(packet.your_discriminator);
    if (found == entries_.end()) return net::fail(Discard::UnknownDiscriminator);
    if (!matches(found->second.end, arrival)) return net::fail(Discard::WrongAddress);
    return &found->second;
  }
  if (auto* entry = by_address(arrival)) return entry;
  return net::fail(Discard::NoSession);
}

// The session that says most of where the packet came from.
Sessions::Entry* Sessions::by_address(const Arrival& arrival) {
  const auto interface = arrival.hops == Hops::Single ? arrival.interface_index : 0;
  for (const auto index : {interface, 0U}) {
    for (const auto& local : {std::optional{arrival.local}, std::optional<net::IpAddress>{}}) {
      const auto found = by_end_.find({arrival.hops, arrival.remote, local, index});
      if (found != by_end_.end()) return &entries_.at(found->second);
    }
  }
  return nullptr;
}

void Sessions::echo_returned(SessionId session, std::uint32_t sequence, net::TimePoint now) {
  const auto found = entries_.find(session.value);
  if (found == entries_.end()) return;
  found->second.session.echo_returned(sequence, now);
  requeue(found->second);
}

// ---- time ---------------------------------------------------------------------------------------------

void Sessions::tick(net::TimePoint now) {
  while (!order_.empty() && order_.begin()->first <= now) {
    const auto discriminator = order_.begin()->second;
    auto& entry = entries_.at(discriminator);
    if (entry.gone_at && *entry.gone_at <= now) {
      erase(discriminator);
      continue;
    }
    entry.session.tick(now, scratch_);
    settle(entry, scratch_);
  }
}

std::optional<net::TimePoint> Sessions::next_deadline() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

void Sessions::settle(Entry& entry, Actions& actions) {
  const SessionId id{entry.session.discriminator()};
  for (auto& action : actions) actions_.emplace_back(SessionAction{id, std::move(action)});
  actions.clear();
  requeue(entry);
}

void Sessions::requeue(Entry& entry) {
  auto next = entry.session.next_deadline();
  if (entry.gone_at && (!next || *entry.gone_at < *next)) next = entry.gone_at;
  if (next == entry.queued) return;
  const auto discriminator = entry.session.discriminator();
  if (entry.queued) order_.erase({*entry.queued, discriminator});
  if (next) order_.emplace(*next, discriminator);
  entry.queued = next;
}

void Sessions::erase(std::uint32_t discriminator) {
  const auto found = entries_.find(discriminator);
  if (found->second.queued) order_.erase({*found->second.queued, discriminator});
  by_end_.erase(found->second.end);
  entries_.erase(found);
  actions_.emplace_back(SessionGone{{discriminator}});
}

// ---- the rest -----------------------------------------------------------------------------------------

const Session* Sessions::find(SessionId session) const {
  const auto found = entries_.find(session.value);
  return found == entries_.end() ? nullptr : &found->second.session;
}

const Endpoint* Sessions::endpoint(SessionId session) const {
  const auto found = entries_.find(session.value);
  return found == entries_.end() ? nullptr : &found->second.end;
}

std::optional<SessionId> Sessions::find(const Endpoint& end) const {
  const auto found = by_end_.find(end);
  if (found == by_end_.end() || entries_.at(found->second).gone_at) return std::nullopt;
  return SessionId{found->second};
}

std::vector<SessionId> Sessions::all() const {
  std::vector<SessionId> out;
  for (const auto& [discriminator, entry] : entries_)
    if (!entry.gone_at) out.push_back({discriminator});
  return out;
}

std::uint32_t Sessions::free_discriminator() {
  for (;;) {
    const auto candidate = static_cast<std::uint32_t>(random_.next() >> 32);
    if (candidate != 0 && !entries_.contains(candidate)) return candidate;
  }
}

}  // namespace bfd
