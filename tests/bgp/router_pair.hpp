// SPDX-License-Identifier: Apache-2.0
// Two routers with all their tables over a simulated network and a virtual clock: what pair.hpp is for sessions. TCP
// connections deliver bytes in order, in pieces, after a delay; a lost piece holds up what is behind it. Sockets take
// a bounded number of bytes. Connections can be cut or go dark, the link can fail for a while, and the routers can be
// started anew. What can happen at once happens in any order. Everything follows from the seed.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bgp/router.hpp"
#include "tests/bgp/session_fixture.hpp"

namespace bgp {

struct RouterPairOptions {
  std::array<net::Asn, 2> asns{net::Asn{65000}, net::Asn{65001}};
  std::array<GracefulRestart::Mode, 2> restart{GracefulRestart::Mode::Off, GracefulRestart::Mode::Off};
  net::Duration least_delay = net::Milliseconds{1};
  net::Duration most_delay = net::Milliseconds{50};
  std::uint64_t longest_piece = 1500;  // bytes that arrive at once
  std::uint64_t window = 4096;         // bytes of a connection that may be under way in one direction
  unsigned loss_percent = 0;           // of pieces that arrive only after a timeout of TCP
  bool ipv6_next_hops = false;         // RFC 8950: neither has an IPv4 address for the other's packets
};

class RouterPair {
 public:
  RouterPair(RouterPairOptions options, std::uint64_t seed);

  void start();
  Router& router(std::size_t index) { return *ends_[index].router; }
  [[nodiscard]] PeerId peer(std::size_t index) { return *router(index).find("peer"); }
  [[nodiscard]] NeighborStatus status(std::size_t index) { return router(index).neighbors().at(0); }
  // What the router says of its neighbour, to be changed before configure().
  NeighborConfig& config(std::size_t index) { return ends_[index].config; }
  void configure(std::size_t index);
  void set_local(std::size_t index, const net::Prefix& prefix, const std::optional<LocalRoute>& route);
  [[nodiscard]] const std::map<net::Prefix, LocalRoute>& local(std::size_t index) const { return ends_[index].local; }
  // What the kernel was told by the router, with the first next hop.
  [[nodiscard]] std::map<net::Prefix, net::IpAddress> kernel(std::size_t index);
  void take(std::size_t index);  // after calls of the router

  // The process ends and starts anew. Orderly: it says goodbye, or leaves to restart where that is agreed. Told: its
  // kernel closes the connections. Silent: as when the power fails.
  enum class Ending { Orderly, Told, Silent };
  void restart(std::size_t index, Ending how);
  void cut();  // every open connection
  enum class Road { Open, Closed };
  void set_road(Road road);  // closed: nothing arrives until it is open again

  // Handles the next event; false when there is none before `until`.
  bool step(net::TimePoint until);
  void run_until(net::TimePoint until);
  [[nodiscard]] bool both_established();

  net::TimePoint now = t0;
  std::uint64_t steps = 0;
  std::vector<std::string> broken;  // what should not happen

  static net::IpAddress address(std::size_t index, net::Family family);
  // Of routes of the family, as the router says them.
  [[nodiscard]] net::IpAddress next_hop(std::size_t index, net::Family family) const {
    return address(index, options_.ipv6_next_hops ? net::Family::Ipv6 : family);
  }

 private:
  struct Wire {
    std::array<std::optional<Link>, 2> ends;  // nothing: not open (any more) there
    std::array<std::uint64_t, 2> under_way{};
    std::array<bool, 2> writable{};
    bool dark = false;  // one end vanished without a word
  };
  struct Arrival {
    enum class Kind { Syn, SynAck, Bytes, Closed } kind;
    std::size_t to;
    std::uint64_t wire;
    std::vector<std::uint8_t> bytes;
  };
  struct End {
    std::unique_ptr<Router> router;
    NeighborConfig config;
    std::map<net::Prefix, LocalRoute> local;
    std::map<net::Prefix, net::IpAddress> kernel;
    std::map<Link, std::uint64_t> wires;
  };

  void boot(std::size_t index);
  void perform(std::size_t index, const RouterAction& action);
  void note_end(const NeighborMoved& moved);
  void post(std::uint64_t wire, std::size_t to, Arrival::Kind kind, std::vector<std::uint8_t> bytes = {});
  void arrive(Arrival arrival);
  void accept(const Arrival& arrival);
  void close_end(std::size_t index, Link link);
  void lose(std::size_t index, Link link, const char* why);
  bool write(std::size_t index, std::uint64_t wire);
  bool do_something(std::uint64_t choice);
  [[nodiscard]] bool may_write(std::size_t index, const Wire& wire) const;
  [[nodiscard]] Transport transport(std::size_t index) const;

  RouterPairOptions options_;
  Random random_;
  std::array<End, 2> ends_;
  Road road_ = Road::Open;
  std::deque<Arrival> held_;
  std::uint64_t next_wire_ = 0;
  std::uint64_t next_event_ = 0;
  std::map<std::uint64_t, Wire> wires_;
  std::map<std::pair<std::uint64_t, std::size_t>, net::TimePoint> last_arrival_;
  std::map<std::pair<net::TimePoint, std::uint64_t>, Arrival> arrivals_;
};

}  // namespace bgp
