// SPDX-License-Identifier: Apache-2.0
// Answers for the addresses this node owns and tells the link when it takes one over: frames in, frames
// out. No sockets and no clock: the caller reads frames, sends what comes back, and calls tick() when
// next_deadline() has come.
//
// A take-over is announced at 0, 0.1, 0.3, 1.1 and 2.2 s, for frames get lost and Linux ignores a second
// change of a neighbour within a second (locktime). From then on it is repeated about once a minute, so
// that switches do not forget the port and caches that missed the burst mend themselves. An update that
// changes nothing announces nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/address.hpp"
#include "net/mac.hpp"
#include "net/time.hpp"
#include "speaker/layer2/arp.hpp"
#include "speaker/layer2/ndp.hpp"

namespace speaker {

struct L2Counters {
  std::uint64_t arp_requests = 0;  // for an address that is answered on that link
  std::uint64_t arp_replies = 0;
  std::uint64_t arp_announcements = 0;  // frames; two per address, link and round
  std::uint64_t ndp_solicitations = 0;
  std::uint64_t ndp_advertisements = 0;  // answers
  std::uint64_t ndp_announcements = 0;
  std::uint64_t others = 0;  // well formed, and none of our business
  std::uint64_t malformed = 0;
  std::uint64_t foreign_claims = 0;
  std::uint64_t send_errors = 0;
  std::uint64_t dropped = 0;  // by the kernel, before we could read them
};

struct AddressCounters {
  std::uint64_t requests = 0;
  std::uint64_t replies = 0;
  std::uint64_t announcements = 0;
};

// A frame of at most one neighbour advertisement's size, without an allocation.
struct L2Frame {
  unsigned link = 0;  // interface index
  std::uint8_t size = 0;
  std::array<std::uint8_t, std::tuple_size_v<NdpBytes>> storage{};
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {storage.data(), size}; }
};

class Responder {
 public:
  using Answers = std::map<net::IpAddress, std::vector<unsigned>>;  // the links that answer, ascending
  struct Port {
    net::Mac mac;
    std::uint32_t carrier_changes = 0;
    friend bool operator==(const Port&, const Port&) = default;
  };
  using Ports = std::map<unsigned, Port>;  // by interface index

  // What is answered from now on. An address is announced when it is new, has a new link, or one of its links
  // has another MAC or had its carrier away. Every link in `answers` has its port.
  void update(const Answers& answers, const Ports& ports, net::TimePoint now);

  // Takes a frame as it came from the wire; gives the answer, to be sent on the same link.
  std::optional<L2Frame> handle(unsigned link, std::span<const std::uint8_t> frame, net::TimePoint now);

  // The announcements that are due, at most `most_per_tick` and a few more to finish an address.
  std::vector<L2Frame> tick(net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  // Somebody else sent an owned address as its own. Counted each time, and kept for the log once per
  // `defence_interval` and address, when it is also answered by an announcement (RFC 5227 section 2.4 c).
  struct Claim {
    net::IpAddress address;
    net::Mac mac;
    unsigned link = 0;
  };
  [[nodiscard]] std::vector<Claim> take_claims() { return std::exchange(claims_, {}); }

  [[nodiscard]] const L2Counters& counters() const { return counters_; }
  [[nodiscard]] L2Counters& counters() { return counters_; }
  [[nodiscard]] const AddressCounters* counters(const net::IpAddress& address) const;
  [[nodiscard]] std::vector<unsigned> links(const net::IpAddress& address) const;

  static constexpr std::array<net::Milliseconds, 4> burst_gaps{net::Milliseconds{100}, net::Milliseconds{200},
                                                               net::Milliseconds{800}, net::Milliseconds{1100}};
  static constexpr net::Seconds refresh_interval{60};  // give or take a quarter
  static constexpr net::Seconds defence_interval{10};
  // Pace: 12,800 frames a second, so that thousands of addresses taken over at once do not drown the link.
  static constexpr std::size_t most_per_tick = 128;
  static constexpr net::Milliseconds tick_gap{10};

 private:
  struct Entry {
    std::vector<unsigned> links;
    unsigned rounds = 0;  // announced since the take-over
    net::TimePoint due;   // its place in queue_
    std::optional<net::TimePoint> defended;
    AddressCounters counters;
  };

  std::optional<L2Frame> handle_arp(unsigned link, std::span<const std::uint8_t> frame, net::TimePoint now);
  std::optional<L2Frame> handle_ndp(unsigned link, std::span<const std::uint8_t> frame, net::TimePoint now);
  Entry* answered(const net::IpAddress& address, unsigned link);
  void check_claim(unsigned link, const net::IpAddress& address, const net::Mac& mac, net::TimePoint now);
  [[nodiscard]] bool is_ours(const net::Mac& mac) const;
  [[nodiscard]] bool addressed_to(unsigned link, const net::Mac& destination) const;
  void schedule(const net::IpAddress& address, Entry& entry, net::TimePoint due);
  void announce(const net::IpAddress& address, Entry& entry, std::vector<L2Frame>& out);
  bool links_changed(const Entry& entry, const std::vector<unsigned>& links, const Ports& ports) const;

  std::unordered_map<net::IpAddress, Entry> entries_;
  Ports ports_;
  std::set<std::pair<net::TimePoint, net::IpAddress>> queue_;  // one per entry
  net::TimePoint paced_until_{};
  std::vector<Claim> claims_;  // bounded by one per address and interval
  L2Counters counters_;
};

}  // namespace speaker
