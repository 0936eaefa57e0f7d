// SPDX-License-Identifier: Apache-2.0
// The router with its sockets: follows the setup and the routes that this node announces, reports to the log, and hands
// changes of best routes to whoever wants them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bgp/router.hpp"
#include "net/reconcile.hpp"
#include "netlink/operations.hpp"
#include "speaker/bgp/edge.hpp"
#include "speaker/log.hpp"
#include "speaker/router_setup.hpp"

namespace speaker {

class BgpSide {
 public:
  using RouteChanged = std::function<void(const net::Prefix&, std::span<const bgp::RouteHop>)>;
  // `settled` is called after every turn in which something may have changed, when route_changed has been called
  // for a bounded number of prefixes; `neighbors_changed` when some came or went.
  BgpSide(boost::asio::io_context& io, Log& log, RouteChanged route_changed, std::function<void()> settled,
          std::function<void()> neighbors_changed);
  ~BgpSide();
  BgpSide(const BgpSide&) = delete;
  BgpSide& operator=(const BgpSide&) = delete;

  // Whether the data path of an earlier life of this program still works.
  enum class Forwarding : std::uint8_t { Lost, Preserved };
  // Makes the router what the setup says. When there was none, `routes` are what it starts with, and with its
  // forwarding preserved it starts as one that restarts (RFC 4724), where the setup asks for that.
  void configure(const RouterSetup& setup, const Routes& routes, Forwarding forwarding, net::TimePoint now);
  void apply(const net::Plan<net::Prefix, AnnouncementPtr>& routes);
  // Every best route is told again.
  void replay();
  // What became of routes in the kernel.
  void installed(std::span<const netlink::RouteReport> reports);
  // Paths by these next hops are not used.
  void set_unreachable(std::vector<net::IpAddress> next_hops);
  // Ends all sessions with Cease/Administrative Shutdown and the reason, then calls `done`.
  // ToRestart: neighbours that keep our routes meanwhile are left without a word.
  void leave(const std::string& reason, bgp::Router::Leaving leaving, net::TimePoint now, std::function<void()> done);
  // The router was started anew and waits for what its neighbours know.
  [[nodiscard]] bool restarting() const { return router_ != nullptr && router_->restarting(); }

  // Nothing while this node runs no router; absent() says why.
  [[nodiscard]] const bgp::Router* router() const { return router_.get(); }
  [[nodiscard]] bgp::Router* router() { return router_.get(); }
  [[nodiscard]] const std::string& absent() const { return absent_; }
  [[nodiscard]] std::vector<std::string> listening() const;
  // As BgpEdge::blocked_since().
  [[nodiscard]] std::optional<net::TimePoint> blocked_since(bgp::PeerId peer) const;
  // To be called after telling the router something.
  void wake();
  // The BGPPeers with a session that is established, ascending.
  [[nodiscard]] std::vector<std::string> established() const;
  // Another number whenever a session was established or ended.
  [[nodiscard]] std::uint64_t session_changes() const { return session_changes_; }
  // Every neighbour that is not held down or shut down is established.
  [[nodiscard]] bool all_established() const;

 private:
  void open(const RouterSetup& setup, const Routes& routes, Forwarding forwarding, net::TimePoint now);
  void drain_routes();

  boost::asio::io_context& io_;
  Log& log_;
  RouteChanged route_changed_;
  std::function<void()> settled_;
  std::function<void()> neighbors_changed_;
  std::unique_ptr<bgp::Router> router_;
  std::unique_ptr<BgpEdge> edge_;
  void moved(const bgp::NeighborMoved& move);

  std::uint64_t session_changes_ = 0;
  // Why sessions do not come up, as far as it was said since they last did.
  std::map<bgp::PeerId, std::set<std::string>> told_failures_;
  std::string absent_ = "not configured yet";
};

}  // namespace speaker
