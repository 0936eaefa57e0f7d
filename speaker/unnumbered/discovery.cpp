// SPDX-License-Identifier: Apache-2.0
#include "speaker/unnumbered/discovery.hpp"

#include <algorithm>

namespace speaker {
namespace {

// A link that has come up is advertised on a few times in short order, then at leisure.
constexpr unsigned eager_messages = 4;
constexpr net::Seconds eager_interval{1};
constexpr net::Seconds interval{10};
// RFC 4861 section 10, MIN_DELAY_BETWEEN_RAS.
constexpr net::Seconds least_between{3};
// A neighbour that is silent for so long may be replaced by another that is not.
constexpr net::Seconds believed{35};
// What one without a session gets to open it: where several routers share a link, they must not displace each other.
constexpr net::Seconds tried{5};

}  // namespace

void Discovery::set_links(const std::map<std::string, Link>& links, net::TimePoint now) {
  std::erase_if(links_, [&](const auto& known) { return !links.contains(known.first); });
  for (const auto& [name, link] : links) {
    auto& state = links_[name];
    const bool fresh = link.ready && (!state.link.ready || state.link.index != link.index);
    // The same name on another device: whoever was heard is elsewhere.
    if (state.link.index != link.index) state.neighbor.reset();
    state.link = link;
    if (fresh) {
      state.sent = 0;
      state.next = now;
    } else if (!link.ready) {
      state.next.reset();
    }
  }
}

bool Discovery::heard(std::uint32_t index, RouterMessage kind, const net::Ipv6Address& source, net::TimePoint now) {
  for (auto& [name, state] : links_) {
    if (state.link.index != index || !state.link.ready) continue;
    if (kind == RouterMessage::Solicitation) {
      const auto soonest = state.last_sent ? std::max(now, *state.last_sent + least_between) : now;
      state.next = state.next ? std::min(*state.next, soonest) : soonest;
      return false;
    }
    const bool same = state.neighbor == source;
    if (!same && state.neighbor && !gives_way(state, now)) return false;
    if (!same) state.found = now;
    state.neighbor = source;
    state.last_heard = now;
    return !same;
  }
  return false;
}

bool Discovery::gives_way(const State& state, net::TimePoint now) const {
  if (now - state.last_heard >= believed) return true;
  return in_use_ && now - state.found >= tried && !in_use_(state.link.index);
}

std::vector<Discovery::Sending> Discovery::due(net::TimePoint now) {
  std::vector<Sending> out;
  for (auto& [name, state] : links_) {
    if (!state.next || *state.next > now) continue;
    out.push_back({state.link.index, RouterMessage::Advertisement});
    if (!state.neighbor && state.sent < eager_messages) out.push_back({state.link.index, RouterMessage::Solicitation});
    state.last_sent = now;
    state.next = now + (++state.sent < eager_messages ? eager_interval : interval);
  }
  return out;
}

std::optional<net::TimePoint> Discovery::next_deadline() const {
  std::optional<net::TimePoint> next;
  for (const auto& [name, state] : links_)
    if (state.next && (!next || *state.next < *next)) next = state.next;
  return next;
}

std::map<std::string, net::Result<net::Ipv6Address, std::string>> Discovery::neighbors() const {
  std::map<std::string, net::Result<net::Ipv6Address, std::string>> out;
  for (const auto& [name, state] : links_) {
    if (state.neighbor)
      out.emplace(name, *state.neighbor);
    else if (!state.link.ready)
      out.emplace(name, net::fail(state.link.why));
    else
      out.emplace(name, net::fail("no router was heard on " + name + " yet"));
  }
  return out;
}

}  // namespace speaker
