// SPDX-License-Identifier: Apache-2.0
// All BFD sessions of a system without input and output: finds the session that a packet is for (RFC 5880 section 6.3,
// RFC 5881 section 3, RFC 5883 section 4), holds the rules on hops, and keeps one deadline for all. The edge owns
// sockets and the clock:
//
//   sessions.received(arrival, datagram, now);
//   for (auto& action : sessions.take_actions()) perform(action);
//   timer.expires_at(sessions.next_deadline());
//
// Take the actions after every call that takes the time. One thread owns it; nothing in it blocks, logs, or reads a
// clock.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "bfd/random.hpp"
#include "bfd/session.hpp"
#include "net/address.hpp"
#include "net/time.hpp"

namespace bfd {

// Single: RFC 5881, UDP port 3784, TTL 255 both ways. Multi: RFC 5883, UDP port 4784.
enum class Hops : std::uint8_t { Single, Multi };

inline constexpr std::uint16_t single_hop_port = 3784;
inline constexpr std::uint16_t echo_port = 3785;
inline constexpr std::uint16_t multihop_port = 4784;
inline constexpr std::uint16_t first_source_port = 49152;
inline constexpr std::uint16_t last_source_port = 65535;
inline constexpr std::uint8_t sent_ttl = 255;
[[nodiscard]] constexpr std::uint16_t port_of(Hops hops) {
  return hops == Hops::Single ? single_hop_port : multihop_port;
}

// Who is at the other end. Two sessions never have equal ends.
struct Endpoint {
  Hops hops = Hops::Single;
  net::IpAddress remote;
  std::optional<net::IpAddress> local;  // nothing: any address of this system
  std::uint32_t interface_index = 0;    // Single only; 0: any
  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// Our discriminator is a session's name: random, never zero, not used again soon.
struct SessionId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(SessionId, SessionId) = default;
};

// How a datagram came.
struct Arrival {
  Hops hops = Hops::Single;  // by the port it came to
  net::IpAddress remote;
  net::IpAddress local;
  std::uint32_t interface_index = 0;
  std::uint8_t ttl = 0;  // or hop limit
};

struct SessionAction {
  SessionId session;
  Action action;
};
// A session that was removed has said so for long enough: its sockets can go. Its endpoint() is gone already.
struct SessionGone {
  SessionId session;
};
using SessionsAction = std::variant<SessionAction, SessionGone>;

class Sessions {
 public:
  // `seed` should be random: it feeds discriminators, jitter and sequence numbers.
  explicit Sessions(std::uint64_t seed);

  // Precondition: no session has this end (a removed one that still says goodbye gives way).
  // `minimum_ttl`, Multi only: what a packet must have left of 255 when it arrives, 1 to 255.
  SessionId add(const Endpoint& end, const SessionConfig& config, std::uint8_t minimum_ttl, net::TimePoint now);
  void configure(SessionId session, const SessionConfig& config, std::uint8_t minimum_ttl, net::TimePoint now);
  // Says AdminDown for a detection time (section 6.8.16), then goes.
  void remove(SessionId session, net::TimePoint now);
  void path_down(SessionId session, net::TimePoint now);

  void received(const Arrival& arrival, std::span<const std::uint8_t> datagram, net::TimePoint now);
  void echo_returned(SessionId session, std::uint32_t sequence, net::TimePoint now);

  void tick(net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;
  [[nodiscard]] std::vector<SessionsAction> take_actions() { return std::exchange(actions_, {}); }

  // Nothing for a session that is not there (any more). Removed ones are not listed.
  [[nodiscard]] const Session* find(SessionId session) const;
  [[nodiscard]] const Endpoint* endpoint(SessionId session) const;
  [[nodiscard]] std::optional<SessionId> find(const Endpoint& end) const;
  [[nodiscard]] std::vector<SessionId> all() const;
  // Packets that were not used, by Discard.
  [[nodiscard]] const std::array<std::uint64_t, discard_kinds>& discarded() const { return discarded_; }
  [[nodiscard]] std::uint64_t discarded(Discard reason) const { return discarded_[static_cast<std::size_t>(reason)]; }

 private:
  struct Entry {
    Entry(const Endpoint& at, std::uint8_t least, Session made)
        : end{at}, minimum_ttl{least}, session{std::move(made)} {}
    Endpoint end;
    std::uint8_t minimum_ttl;
    Session session;
    std::optional<net::TimePoint> gone_at;  // removed: until then it says goodbye
    std::optional<net::TimePoint> queued;   // as it stands in order_
  };

  [[nodiscard]] net::Result<Entry*, Discard> find_for(const Arrival& arrival, const Packet& packet);
  [[nodiscard]] Entry* by_address(const Arrival& arrival);
  void settle(Entry& entry, Actions& actions);
  void requeue(Entry& entry);
  void erase(std::uint32_t discriminator);
  [[nodiscard]] std::uint32_t free_discriminator();

  Random random_;
  std::map<std::uint32_t, Entry> entries_;
  std::map<Endpoint, std::uint32_t> by_end_;
  std::set<std::pair<net::TimePoint, std::uint32_t>> order_;
  std::vector<SessionsAction> actions_;
  Actions scratch_;
  std::array<std::uint64_t, discard_kinds> discarded_{};
};

}  // namespace bfd
