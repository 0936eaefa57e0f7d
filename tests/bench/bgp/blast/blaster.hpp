// SPDX-License-Identifier: Apache-2.0
// All peers in one thread over epoll. It connects, keeps the sessions up, sends what it is given and counts what
// it hears.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include <sys/types.h>

#include "tests/bench/bgp/blast/peer.hpp"

namespace blast {

[[nodiscard]] Seconds now();  // monotonic

struct Counters {
  std::uint64_t updates = 0, bytes = 0, announced = 0, withdrawn = 0, unknown = 0;
  Seconds first{-1}, last{-1};  // of the UPDATEs
};

enum class Change { Announced, Withdrawn };

class Blaster {
 public:
  explicit Blaster(const Scenario& scenario);
  ~Blaster();
  Blaster(const Blaster&) = delete;
  Blaster& operator=(const Blaster&) = delete;

  std::vector<Peer>& peers() { return peers_; }
  Counters& counters() { return counters_; }
  [[nodiscard]] unsigned lost() const { return lost_; }  // sessions that the DUT ended

  // A probe that the first receiver heard, and when; and, in place of counting, all that any peer hears.
  std::function<void(std::uint32_t index, Change change, Seconds at)> on_probe;
  std::function<void(Seconds at, const Peer& peer, Change change, Prefix prefix)> on_prefix;

  [[nodiscard]] bool all_established() const;
  [[nodiscard]] bool all_sent() const;
  template <class Predicate>
  [[nodiscard]] bool every_receiver(Predicate holds) const {
    return std::ranges::all_of(peers_, [&](const Peer& peer) { return !peer.receiver || holds(peer.view); });
  }

  // Waits that long at most and handles what came.
  void pump(std::chrono::milliseconds wait);
  void pump_until(Seconds time);
  void flush(Peer& peer);
  void close(Peer& peer);

 private:
  enum class Watch { Add, Change };
  void watch(Peer& peer, Watch how);
  void run_timers();
  void connect(Peer& peer);
  void connected(Peer& peer);
  void send_open(Peer& peer);
  void send_keepalive(Peer& peer);
  void lose(Peer& peer, const char* why);
  void readable(Peer& peer);
  [[nodiscard]] bool stamped(const Peer& peer) const;  // by the kernel
  ssize_t receive(Peer& peer, std::size_t room, Seconds& at);
  void parse(Peer& peer, Seconds at);
  void handle(Peer& peer, std::uint8_t type, std::span<const std::uint8_t> body, Seconds at);
  void notification(Peer& peer, std::span<const std::uint8_t> body);
  void update(Peer& peer, std::span<const std::uint8_t> body, Seconds at);
  void note(Peer& peer, Change change, Prefix prefix, std::uint8_t hops, std::uint16_t sender, Seconds at);

  const Scenario& scenario_;
  int epoll_;
  std::vector<Peer> peers_;
  Counters counters_;
  Seconds next_timers_{};
  unsigned lost_ = 0;
};

}  // namespace blast
