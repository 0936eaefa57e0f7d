// SPDX-License-Identifier: Apache-2.0
// A whole BGP router without input and output. The edge owns sockets and the clock: it tells what
// happened on a link, performs the actions that it takes out, pulls bytes while a socket can take more,
// calls work() while there is some, and ticks when next_deadline() is reached.
//
//   router.received(link, bytes, now);
//   for (auto& action : router.take_actions()) std::visit(perform, action);
//   do { more = router.pull(link, buffer, 65536); write(buffer); } while (more && socket_writable);
//   while (router.work()) handle_io();                 // slices of about a millisecond
//   timer.expires_at(router.next_deadline());
//
// Take the actions after every call that may make some: all that take the time, set_local(), work().
// One thread owns it; nothing in it blocks, logs, or reads a clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bgp/rib/path.hpp"
#include "bgp/router_config.hpp"
#include "bgp/router_observer.hpp"
#include "bgp/router_status.hpp"
#include "net/prefix.hpp"
#include "net/result.hpp"
#include "net/time.hpp"

namespace bgp {

// One TCP connection of one neighbour.
struct Link {
  PeerId peer;
  ConnectionId connection;
  friend constexpr auto operator<=>(Link, Link) = default;
};

// ---- what the edge has to do ------------------------------------------------------------------------

// Connect to the neighbour: address, port, source, password and reach are in neighbor(link.peer)->session.
// Answered by connected() or lost().
struct OpenLink {
  Link link;
};
// Write `last` behind what pull() gave, then close; a socket that takes no more is closed anyway after a
// moment. No news of the link is expected any more, and pull() gives nothing.
struct CloseLink {
  Link link;
  std::vector<std::uint8_t> last;
};
// pull() has something again for a link of which it last said that there was nothing.
struct WritableLink {
  Link link;
};
// Neighbours came, went or changed: listeners hold passwords and hop limits by address.
struct NeighborsChanged {};

// For the log and for events on objects. Old and new state are the further of the peer's two sessions.
struct NeighborMoved {
  PeerId peer;
  State from{};
  State to{};
  std::optional<ResetReason> reason;
};
enum class Notice : std::uint8_t {
  PrefixLimitWarning,
  PrefixLimitReached,
  MalformedUpdate,  // handled by RFC 7606 without a reset
  NoNextHop,        // a family cannot be announced: the link has no address of it
  RoutesKept,       // the session is lost and the peer's routes stay in use (RFC 4724)
  RoutesFaded,      // the peer stays away: its routes are a last resort from now on (RFC 9494)
  StaleDropped,     // stale routes were given up: the peer did not come back, or not with all of them
  RangeFull,        // of the router: a pattern has as many neighbours as it may
};
struct NeighborNotice {
  PeerId peer;
  Notice notice{};
  std::string text;
};

using RouterAction = std::variant<OpenLink, CloseLink, WritableLink, NeighborsChanged, NeighborMoved, NeighborNotice>;

// What a change of a neighbour's configuration does. Live: the session stays.
struct PlannedChange {
  enum class Kind : std::uint8_t { Added, Removed, Live, Reopen, Close };
  std::string neighbor;
  Kind kind{};
  std::string why;  // "import filters: ROUTE-REFRESH", "session parameters"
};

// What the loss of a BFD session says (RFC 5882 section 4.3). Path: the neighbour said that its BFD does not share fate
// with its control plane, so it no longer forwards. Unknown: only its control plane may be gone.
enum class BfdLoss : std::uint8_t { Unknown, Path };
enum class BfdReady : std::uint8_t { No, Yes };

class Router {
 public:
  // `seed` feeds the jitter of timers (RFC 4271 section 10).
  Router(const RouterConfig& config, std::uint64_t seed);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // ---- configuration: the whole desired set; the difference is found here ----
  // Unchanged neighbours are not listed.
  [[nodiscard]] std::vector<PlannedChange> plan(const RouterConfig& config,
                                                std::span<const NeighborConfig> neighbors) const;
  void configure(const RouterConfig& config, std::span<const NeighborConfig> neighbors, net::TimePoint now);
  // Cease/Administrative Shutdown to everybody, with the text of RFC 9003. A last configuration: nothing
  // is opened again.
  // ToRestart: neighbours that agreed to keep our routes are left without a word (RFC 4724).
  enum class Leaving : std::uint8_t { ForGood, ToRestart };
  void shut_down(const std::string& reason, net::TimePoint now, Leaving leaving = Leaving::ForGood);
  // This router was started anew and forwards by what it learned before (RFC 4724 section 4.1): OPENs say so, and
  // neighbours and the feed are told nothing before every neighbour has sent its End-of-RIB, or `longest` is
  // over. To be called before the first configure().
  void begin_restart(net::Seconds longest, net::TimePoint now);
  [[nodiscard]] bool restarting() const;
  // An operator's commands for one neighbour. restart() also ends the hold of a prefix limit.
  void restart(PeerId peer, const std::string& reason, net::TimePoint now);
  // BFD lost the neighbour: its session ends with Cease/BFD Down (RFC 9384), and is opened again at once unless the
  // neighbour waits for BFD.
  void bfd_down(PeerId peer, BfdLoss loss, net::TimePoint now);
  // Whether a neighbour that waits for BFD may be opened. Does nothing to a session that there is.
  void bfd_ready(PeerId peer, BfdReady ready, net::TimePoint now);
  enum class Refreshed : std::uint8_t { Done, NotEstablished, NotSupported };
  Refreshed refresh_in(PeerId peer);   // asks the peer for its routes again
  Refreshed refresh_out(PeerId peer);  // sends ours again

  // ---- links ----
  // A connection arrived: its name, or the bytes to write (maybe none) before it is closed.
  struct Refusal {
    std::vector<std::uint8_t> bytes;
  };
  [[nodiscard]] net::Result<Link, Refusal> accept(const Transport& transport, std::string_view interface,
                                                  net::TimePoint now);
  void connected(Link link, const Transport& transport, net::TimePoint now);
  // A dial failed, the other side closed, or the socket broke.
  void lost(Link link, std::string error, net::TimePoint now);
  void received(Link link, std::span<const std::uint8_t> bytes, net::TimePoint now);
  // Appends whole messages to `out` until `limit` bytes are in it (and at most a message more) or there are
  // no more: messages of the session first, then UPDATEs made on demand. False: there are no more, and
  // WritableLink will tell when there are. Call it when the socket took the bytes of the last call.
  bool pull(Link link, std::vector<std::uint8_t>& out, std::size_t limit);
  // How writing goes on (RFC 9687): TCP takes no more bytes; TCP took some.
  void blocked(Link link, net::TimePoint now);
  void progressed(Link link);

  [[nodiscard]] std::vector<RouterAction> take_actions();
  // The same into a vector whose memory is used again.
  void take_actions(std::vector<RouterAction>& into);
  void tick(net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;
  // One bounded slice of background work: withdrawing a lost peer's routes, re-evaluation after a change
  // of filters. False: there was nothing (more) to do.
  bool work();
  [[nodiscard]] bool has_work() const;

  // ---- routes ----
  // Originates `prefix`, changes how, or (nothing) withdraws it. A call that changes nothing costs nothing.
  void set_local(const net::Prefix& prefix, const std::optional<LocalRoute>& route);
  // The next hops of all routes, where they have changed since the last call. Without link-local ones.
  [[nodiscard]] std::optional<std::vector<net::IpAddress>> take_next_hops();
  // Next hops that cannot be reached: their paths are not used until they leave the set.
  void set_unreachable(std::vector<net::IpAddress> next_hops);

  // What is known of who may originate what; outlives the router. To be called again after every change: neighbours
  // whose import filters ask for it are asked for their routes again, those whose export filters do are told the
  // difference.
  void set_roas(const RoaTable* roas, net::TimePoint now);
  // This host's links, the loopback interface aside, for filters that ask which one leads to a next hop. Where one
  // does, a change is a reason to ask neighbours for their routes again.
  void set_links(std::vector<LinkSubnets> links, net::TimePoint now);

  // Prefixes whose best paths changed since the last call, each once with its latest state, at most
  // `limit` of them. visit(prefix, next_hops): several for ECMP, none when the route must not be in the
  // kernel (gone, or originated here). Returns how many are left.
  using VisitChange = std::function<void(const net::Prefix&, std::span<const RouteHop>)>;
  std::size_t drain_route_changes(std::size_t limit, const VisitChange& visit);
  // What became in the kernel of a prefix that was visited: it has a route of it now, or has none. Matters with
  // TellLearned::OnceInstalled only.
  void installed(const net::Prefix& prefix, Installed installed);
  // Every prefix in the table will be visited again: for a consumer that starts anew.
  void replay_routes();

  // ---- watching ----
  // From now on it is told what happens; nothing: nobody is. It must not call the router from within.
  void observe(RouterObserver* observer);
  // The established session of the peer, if there is one.
  [[nodiscard]] const Session* session(PeerId peer) const;
  // Whether the tables hold every route of the peer as it was received: import filters change and drop none of
  // them. Where they do, the peer has to be asked again for what it said.
  [[nodiscard]] bool holds_as_received(PeerId peer) const;
  // As the walks below. visit(node, prefix, paths): the selected path first; `selected` says whether there is one.
  // There may be none at all, of a prefix that somebody has still to be told is gone.
  using VisitPaths = std::function<void(NodeIndex, const net::Prefix&, std::span<const Path>, bool selected)>;
  void walk_paths(TableCursor& cursor, std::size_t limit, const VisitPaths& visit) const;
  // Appends the UPDATEs that would tell the peer what it has from us of these prefixes. Those of which it has not been
  // given the latest state are left out and go into `behind`.
  void encode_told(PeerId peer, net::Family family, std::span<const NodeIndex> nodes, std::vector<std::uint8_t>& out,
                   std::vector<NodeIndex>& behind) const;
  // The peer has been given the latest state of everything.
  [[nodiscard]] bool told_all(PeerId peer) const;

  // ---- status; nothing here costs more than what it returns ----
  [[nodiscard]] const RouterConfig& config() const;
  [[nodiscard]] const NeighborConfig* neighbor(PeerId peer) const;
  [[nodiscard]] std::optional<PeerId> find(std::string_view name) const;
  [[nodiscard]] std::vector<NeighborStatus> neighbors() const;
  // Those of the configured neighbours that stand for whoever connects from a range.
  [[nodiscard]] const std::vector<NeighborConfig>& patterns() const;
  [[nodiscard]] TableStatus table() const;
  // Rows in no particular order; looks at no more than `limit` prefixes a call. Start with a default
  // cursor and go on until it is done(); changes between the calls are fine.
  using VisitRoute = std::function<void(const RouteRow&)>;
  void walk_in(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const;
  void walk_best(TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const;
  void walk_out(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const;
  // Every path of the prefix with why it was or was not chosen, and what each peer gets.
  [[nodiscard]] Explanation explain(const net::Prefix& prefix) const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace bgp
