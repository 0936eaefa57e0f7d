// SPDX-License-Identifier: Apache-2.0
// Two peers over a simulated network and a virtual clock. TCP connections deliver bytes in order after a
// delay of their own per direction, in pieces; they can be cut (both ends learn it) or go dark (nobody
// does). Time jumps from one event to the next. Everything follows from the seed.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "bgp/peer.hpp"
#include "tests/bgp/session_fixture.hpp"

namespace bgp {

struct PairOptions {
  std::array<PeerConfig, 2> configs;
  net::Duration least_delay = net::Milliseconds{1};
  net::Duration most_delay = net::Milliseconds{50};
  std::size_t longest_piece = 1000;  // bytes that arrive at once; 1: one by one
};

class Pair {
 public:
  Pair(PairOptions options, std::uint64_t seed);

  // Peers 0 and 1. Admin calls go here, with take() after them to perform the actions.
  Peer& peer(std::size_t index) { return *ends_[index].peer; }
  Actions& actions() { return actions_; }
  void take(std::size_t index);

  void start(std::size_t index);
  void stop(std::size_t index);
  // The process of the peer dies and starts anew. Told: its kernel closes the connections. Silent: as when
  // the power fails; the other side gets a reset when it sends.
  enum class Crash { Told, Silent };
  void crash(std::size_t index, Crash kind);
  // Cuts every open connection.
  void cut();
  void set_reachable(bool reachable) { reachable_ = reachable; }

  // Handles the next event; false when there is none before `until`.
  bool step(net::TimePoint until);
  void run_until(net::TimePoint until);
  [[nodiscard]] bool both_established() const;

  net::TimePoint now = t0;
  std::uint64_t steps = 0;
  std::vector<std::string> broken;  // invariants that did not hold

 private:
  struct Wire {
    std::size_t dialler;
    std::array<std::optional<ConnectionId>, 2> ends;  // nothing: not open (any more) there
    bool dark = false;                                // one end vanished without a word
  };
  struct Arrival {
    enum class Kind { Syn, SynAck, Refused, Bytes, Closed } kind;
    std::size_t to;
    std::uint64_t wire;
    std::vector<std::uint8_t> bytes;
  };
  struct End {
    std::unique_ptr<Peer> peer;
    std::map<ConnectionId, std::uint64_t> wires;
    std::map<ConnectionId, int> hangups;
    bool up = false;
  };

  void perform(std::size_t index, const Action& action);
  void arrive(Arrival arrival);
  void post(std::uint64_t wire, std::size_t to, Arrival::Kind kind, std::vector<std::uint8_t> bytes = {});
  void close_end(std::size_t index, ConnectionId connection);
  void check(std::size_t index);
  void read(std::size_t index, ConnectionId connection, const std::vector<std::uint8_t>& bytes);

  PairOptions options_;
  Random random_;
  std::array<End, 2> ends_;
  Actions actions_;
  bool reachable_ = true;
  std::uint64_t next_wire_ = 0;
  std::uint64_t next_event_ = 0;
  std::map<std::uint64_t, Wire> wires_;
  std::map<std::pair<std::uint64_t, std::size_t>, net::TimePoint> last_arrival_;
  std::map<std::pair<net::TimePoint, std::uint64_t>, Arrival> arrivals_;
};

}  // namespace bgp
