// SPDX-License-Identifier: Apache-2.0
// Where the BGP router meets TCP: listens, dials, reads, writes, keeps the one timer, and gives the router
// turns for its background work. It decides nothing of the protocol. Everything runs on the one thread of
// the io_context; the router must be used from that thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/router.hpp"
#include "net/address.hpp"
#include "net/prefix.hpp"

namespace speaker {

class BgpConnection;
class BgpListener;

struct BgpListen {
  std::vector<net::IpAddress> addresses;  // empty: any, of both families
  std::uint16_t port = 179;               // 0: do not listen
  friend bool operator==(const BgpListen&, const BgpListen&) = default;
};

// Something at the sockets that a person has to put right; said once when it begins.
struct BgpProblem {
  std::string where;  // "listen 10.0.0.1:179", "neighbor 10.0.1.1"
  std::string text;
};

// What the edge tells. None of these may destroy the edge. All of them may call the router.
struct BgpEdgeEvents {
  std::function<void(const bgp::NeighborMoved&)> moved;
  std::function<void()> neighbors_changed;  // some came or went
  std::function<void(const bgp::NeighborNotice&)> notice;
  std::function<void(const BgpProblem&)> problem;
  // After every turn in which the router may have changed: the time to drain route changes.
  std::function<void()> settled;
};

struct BgpEdgeCounters {
  std::uint64_t dialled = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused_unknown = 0;  // from addresses that no neighbour has
  std::uint64_t refused = 0;          // from neighbours
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

class BgpEdge {
 public:
  BgpEdge(boost::asio::io_context& io, bgp::Router& router, BgpEdgeEvents events);
  ~BgpEdge();  // closes everything at once; drain() first to close in order
  BgpEdge(const BgpEdge&) = delete;
  BgpEdge& operator=(const BgpEdge&) = delete;

  // Opens and closes listeners until they are these. One that cannot be opened is reported and left out;
  // the same call again tries it again.
  void listen(const BgpListen& wanted);
  // To be called after anyone else told the router something: what follows from it happens on the next
  // turn. Cheap, and as often as one likes.
  void wake();
  // Calls `done` once all that was to be written before closing is written, or two seconds passed. To be
  // called after Router::shut_down().
  void drain(std::function<void()> done);

  [[nodiscard]] const BgpEdgeCounters& counters() const { return counters_; }
  // Since when TCP has taken nothing of what waits for this neighbour; nothing if nothing waits.
  [[nodiscard]] std::optional<net::TimePoint> blocked_since(bgp::PeerId peer) const;
  [[nodiscard]] std::vector<std::string> listening() const;  // "10.0.0.1:179"

 private:
  friend class BgpConnection;
  friend class BgpListener;

  // From connections and listeners.
  void accepted(BgpListener& listener, boost::asio::ip::tcp::socket socket);
  void connected(BgpConnection& connection);
  void lost(BgpConnection& connection, const std::string& error);
  bool readable(BgpConnection& connection);  // whether more may be there at once
  struct Output {
    std::span<const std::uint8_t> bytes;
    bool more = false;  // there is; otherwise the router will tell when there is
  };
  Output take_output(const BgpConnection& connection);
  void written(BgpConnection& connection, std::size_t taken);
  void blocked(BgpConnection& connection);    // until TCP takes more
  void unblocked(BgpConnection& connection);  // all is written
  void progressed(BgpConnection& connection);
  void closed(BgpConnection& connection);

  // What the router asks for.
  void pump();
  void perform_actions();
  void perform(const bgp::RouterAction& action);
  void open_link(bgp::Link link);
  void close_link(const bgp::CloseLink& close);
  void neighbors_changed();
  void rearm();
  void tick();
  void work();

  // The neighbour or range that the address is of.
  [[nodiscard]] std::optional<net::Prefix> door(const net::IpAddress& remote) const;
  // The one that it enters by; nothing: it may not.
  [[nodiscard]] std::optional<net::Prefix> entrance(const BgpListener& listener, const net::IpAddress& remote);
  void refuse(boost::asio::ip::tcp::socket socket, std::span<const std::uint8_t> last);
  void open_listener(const net::IpAddress& address, std::uint16_t port, const BgpListen& wanted);
  void fit_keys(BgpListener& listener);
  void sign(BgpConnection& connection, const bgp::PeerConfig& config);
  void finish(const std::shared_ptr<BgpConnection>& connection, std::span<const std::uint8_t> last);
  void say_drained();
  void report(const std::string& where, const std::string& text);
  // Runs `step` on a later turn, if the edge is still there.
  template <class Step>
  void later(Step step);

  boost::asio::io_context& io_;
  bgp::Router& router_;
  BgpEdgeEvents events_;
  boost::asio::steady_timer timer_;
  std::optional<net::TimePoint> armed_for_;
  bool wake_posted_ = false;
  bool work_posted_ = false;
  bool pumping_ = false;
  std::vector<bgp::RouterAction> actions_;  // that are being performed
  // Handlers may still be queued when the edge goes; they look here first.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  // Connections and listeners are shared with the coroutines that run on them, which end once they are closed.
  std::map<bgp::Link, std::shared_ptr<BgpConnection>> links_;
  std::map<const BgpConnection*, std::shared_ptr<BgpConnection>> finishing_;
  std::vector<std::shared_ptr<BgpListener>> listeners_;
  std::map<net::Prefix, std::string> passwords_;  // of every neighbour and range of them; empty for one without
  std::map<net::Prefix, bgp::AuthenticationKeys> ao_keys_;  // of those that have some
  struct Signed {
    net::Prefix peers;  // that the keys are for
    bgp::AuthenticationKeys keys;
  };
  std::map<bgp::Link, Signed> signed_by_;        // open connections
  std::map<std::string, std::string> problems_;  // what was said last, by where
  std::function<void()> drained_;
  BgpEdgeCounters counters_;
  std::size_t heard_ = 0;  // bytes that the router was told since it was last asked what to do
  // One for all connections: what a read takes in is handled before the next read.
  std::vector<std::uint8_t> read_buffer_;
  std::vector<std::uint8_t> write_buffer_;
};

}  // namespace speaker
