// SPDX-License-Identifier: Apache-2.0
// The inside of Router: neighbours, tables, and how events go from one to the other. Its functions are in
// files by their reason to change: router_config.cpp, router_links.cpp, router_import.cpp, router_routes.cpp,
// router_status.cpp.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <type_traits>
#include <vector>

#include "bgp/deadline_queue.hpp"
#include "bgp/neighbor.hpp"
#include "bgp/rib/audience.hpp"
#include "bgp/rib/rib.hpp"
#include "bgp/router.hpp"

namespace bgp {

// The segment that import filters put the own AS in. RFC 5065: numbers of member AS do not leave the confederation.
[[nodiscard]] inline AsPathSegment::Type import_prepends(const RouterConfig& router, PeerType from) {
  return router.confederation && from != PeerType::External ? AsPathSegment::Type::ConfedSequence
                                                            : AsPathSegment::Type::Sequence;
}

class Router::Core {
 public:
  Core(const RouterConfig& config, std::uint64_t seed);

  // ---- router_config.cpp ----
  [[nodiscard]] std::vector<PlannedChange> plan(const RouterConfig& config,
                                                std::span<const NeighborConfig> neighbors) const;
  void configure(const RouterConfig& config, std::span<const NeighborConfig> neighbors, net::TimePoint now);
  void shut_down(const std::string& reason, net::TimePoint now, Leaving leaving);
  void restart(PeerId peer, const std::string& reason, net::TimePoint now);

  void bfd_down(PeerId peer, BfdLoss loss, net::TimePoint now);
  void bfd_ready(PeerId peer, BfdReady ready, net::TimePoint now);
  // ---- router_dynamic.cpp ----
  [[nodiscard]] const std::vector<NeighborConfig>& patterns() const { return patterns_; }

  // ---- router_restart.cpp ----
  void begin_restart(net::Seconds longest, net::TimePoint now);
  [[nodiscard]] bool restarting() const { return deferral_.active(); }

  // ---- router_links.cpp ----
  net::Result<Link, Refusal> accept(const Transport& transport, std::string_view interface, net::TimePoint now);
  void connected(Link link, const Transport& transport, net::TimePoint now);
  void lost(Link link, std::string error, net::TimePoint now);
  void received(Link link, std::span<const std::uint8_t> bytes, net::TimePoint now);
  bool pull(Link link, std::vector<std::uint8_t>& out, std::size_t limit);
  void blocked(Link link, net::TimePoint now);
  void progressed(Link link);
  void tick(net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline();
  void take_actions(std::vector<RouterAction>& into);

  // ---- router_routes.cpp ----
  void set_local(const net::Prefix& prefix, const std::optional<LocalRoute>& route);
  std::optional<std::vector<net::IpAddress>> take_next_hops();
  void set_unreachable(std::vector<net::IpAddress> next_hops);
  void installed(const net::Prefix& prefix, Installed installed);
  void set_roas(const RoaTable* roas, net::TimePoint now);
  void set_links(std::vector<LinkSubnets> links, net::TimePoint now);
  std::size_t drain(std::size_t limit, const VisitChange& visit);
  void replay();
  bool work();
  [[nodiscard]] bool has_work() const { return busy(ipv4_) || busy(ipv6_); }
  Refreshed refresh_in(PeerId peer);
  Refreshed refresh_out(PeerId peer);

  // ---- router_watch.cpp ----
  void observe(RouterObserver* observer);
  [[nodiscard]] const Session* session(PeerId peer) const;
  [[nodiscard]] bool holds_as_received(PeerId peer) const;
  void walk_paths(TableCursor& cursor, std::size_t limit, const VisitPaths& visit) const;
  void encode_told(PeerId peer, net::Family family, std::span<const NodeIndex> nodes, std::vector<std::uint8_t>& out,
                   std::vector<NodeIndex>& behind) const;
  [[nodiscard]] bool told_all(PeerId peer) const;

  // ---- router_status.cpp ----
  [[nodiscard]] const RouterConfig& config() const { return config_; }
  [[nodiscard]] const Neighbor* neighbor(PeerId peer) const;
  [[nodiscard]] std::optional<PeerId> find(std::string_view name) const;
  [[nodiscard]] std::vector<NeighborStatus> neighbors() const;
  [[nodiscard]] TableStatus table() const;
  void walk_in(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const;
  void walk_best(TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const;
  void walk_out(PeerId peer, TableCursor& cursor, std::size_t limit, const VisitRoute& visit) const;
  [[nodiscard]] Explanation explain(const net::Prefix& prefix) const;

 private:
  template <class Prefix>
  Rib<Prefix>& rib() {
    if constexpr (std::is_same_v<Prefix, net::Ipv4Prefix>)
      return ipv4_;
    else
      return ipv6_;
  }
  // Calls with the tables of both families, or of one.
  template <class Call>
  void each_rib(Call&& call) {
    call(net::Family::Ipv4, ipv4_);
    call(net::Family::Ipv6, ipv6_);
  }
  // Calls with the tables that the prefix belongs to, and the prefix as theirs.
  template <class Call>
  void with_table(const net::Prefix& prefix, Call&& call) {
    if (prefix.is_v4())
      call(ipv4_, prefix.v4());
    else
      call(ipv6_, prefix.v6());
  }
  template <class Tables>
  [[nodiscard]] static bool busy(const Tables& tables) {
    return tables.has_work() || tables.watch_changed() || tables.has_dirty_aggregates();
  }
  template <class Call>
  void with_rib(net::Family family, Call&& call) {
    if (family == net::Family::Ipv4)
      call(ipv4_);
    else
      call(ipv6_);
  }

  // ---- configuration ----
  Neighbor& add_neighbor(const NeighborConfig& config);
  void remove_neighbor(Neighbor& neighbor, net::TimePoint now);
  void change_neighbor(Neighbor& neighbor, const NeighborConfig& config, net::TimePoint now);
  void apply_router_config(const RouterConfig& config);
  void apply_import(Neighbor& neighbor, net::TimePoint now);
  // Of all neighbours, where filters ask for links and either is new.
  void apply_links(bool changed, net::TimePoint now);
  [[nodiscard]] bool asks_for_links(std::span<const NeighborConfig> neighbors) const;
  void import_again(Neighbor& neighbor, net::TimePoint now);
  // Starts or stops the sessions as the configuration says.
  void apply_wanted(Neighbor& neighbor, net::TimePoint now);
  [[nodiscard]] PeerId free_id();
  [[nodiscard]] std::vector<PlannedChange> changes_to(std::span<const NeighborConfig> neighbors) const;

  // ---- neighbours by range, router_dynamic.cpp ----
  [[nodiscard]] static std::vector<NeighborConfig> patterns_of(std::span<const NeighborConfig> neighbors);
  [[nodiscard]] std::vector<NeighborConfig> expanded(std::span<const NeighborConfig> neighbors) const;
  // Nothing where no range holds the address.
  [[nodiscard]] net::Result<Neighbor*, Notification> add_dynamic(const Transport& transport, std::string_view interface,
                                                                 net::TimePoint now);
  [[nodiscard]] static std::optional<net::TimePoint> deadline_of(const Neighbor& neighbor);
  bool remove_if_gone(Neighbor& neighbor, net::TimePoint now);
  void index_addresses();

  // ---- sessions ----
  [[nodiscard]] Neighbor* get(PeerId peer);
  // Does what the sessions ask for; call after every use of a Peer.
  void perform(Neighbor& neighbor, Actions& actions);
  // The neighbour's deadline may have moved: looked at before the next one is asked for, not for every message.
  void settle(Neighbor& neighbor);
  void update_deadlines();
  std::optional<std::uint16_t> take_due(net::TimePoint now);
  void went_up(Neighbor& neighbor, const WentUp& up);
  void went_down(Neighbor& neighbor, const WentDown& down);
  void join(Neighbor& neighbor, net::Family family);
  void send(Neighbor& neighbor, ConnectionId connection, std::span<const std::uint8_t> bytes);
  void wake(Neighbor& neighbor, Neighbor::Outbox& outbox);
  // Tells the edge about members of out groups that have something again.
  void wake_members();
  [[nodiscard]] net::RouterId cluster_id() const { return config_.cluster_id.value_or(config_.router_id); }
  [[nodiscard]] std::optional<ExportTerms> terms(const Neighbor& neighbor, net::Family family) const;
  void retarget(Neighbor& neighbor, Difference difference);

  // ---- restarts, router_restart.cpp ----
  void keep_or_close(Neighbor& neighbor, net::Family family, const WentDown& down);
  void take_step(Neighbor& neighbor, net::Family family, StaleRoutes::Step step);
  void tick_stale(Neighbor& neighbor, net::TimePoint now);
  void drop_stale(Neighbor& neighbor);
  void end_of_rib(Neighbor& neighbor, net::Family family, net::TimePoint now);
  // Ends our own restart for every family that need not wait any more.
  void consider_restart(net::TimePoint now);
  [[nodiscard]] bool waits_for(const Neighbor& neighbor, net::Family family, net::TimePoint now) const;
  [[nodiscard]] RestartState restart_state() const { return {deferral_.active(), preserved_}; }
  // ---- routes that come and go with the tables, router_origins.cpp ----
  [[nodiscard]] Presence presence(const net::Prefix& prefix) const;
  void watch_tables();
  void watch_aggregates();
  [[nodiscard]] FilterChain resolved(const FilterChain& chain) const;
  [[nodiscard]] bool default_wanted(const Neighbor& neighbor) const;
  void add_table_terms(const Neighbor& neighbor, net::Family family, ExportTerms& terms) const;
  void follow_tables();
  void update_defaults();
  // What a route of our own begins with: no next hop, of its prefix's family, since files and stations are told it so.
  [[nodiscard]] static PathAttributes own_attributes(const net::Prefix& prefix);
  void update_aggregates();
  void update_aggregate(const Aggregate& aggregate, Origin origin, const std::vector<const AttributeSet*>& sets);
  void originate_own(const net::Prefix& prefix, const PathAttributes& attributes, AudienceId audience);
  void withdraw_own(const net::Prefix& prefix);
  enum class GivesWay : std::uint8_t { No, Yes };
  void give_way(const net::Prefix& prefix, GivesWay how);
  [[nodiscard]] AudienceId audience_of(std::vector<std::string> names);

  // ---- status ----
  [[nodiscard]] std::string name_of(PeerId peer) const;
  template <class Tables>
  [[nodiscard]] RouteRow row(const Tables& tables, NodeIndex node, std::size_t place) const;
  [[nodiscard]] OriginValidity validity(const net::Prefix& prefix, const PathAttributes& attributes) const;
  [[nodiscard]] std::string why_rejected(const Path& path, const net::Prefix& prefix) const;
  template <class Tables>
  [[nodiscard]] Explanation explain_in(const Tables& tables, const net::Prefix& prefix, NodeIndex node) const;

  // ---- import, router_import.cpp ----
  void handle(Neighbor& neighbor, const UpdateBody& body, net::TimePoint now);
  void handle(Neighbor& neighbor, const RouteRefresh& refresh);
  void withdraw_run(Neighbor& neighbor, const NlriRun& run);
  template <class Prefix>
  void withdraw_all(Neighbor& neighbor, const NlriRun& run);
  template <class Prefix>
  void import_all(Neighbor& neighbor, const NlriRun& run, PathAttributes& attributes);
  void note_faults(Neighbor& neighbor, const UpdateBody& body, const Update& update, net::TimePoint now);
  static void note_malformed(Neighbor& neighbor, const UpdateBody& body, std::string reason, net::TimePoint now);
  void check_limit(Neighbor& neighbor, net::Family family, net::TimePoint now);
  // A limit on what the neighbour is told: noticed while bytes are pulled, acted on by the next tick.
  void check_told(Neighbor& neighbor);
  void stop_telling(Neighbor& neighbor, net::Family family, net::TimePoint now);
  void stop_for_limit(Neighbor& neighbor, net::Family family, std::uint32_t maximum, net::TimePoint now);

  RouterConfig config_;
  std::uint64_t seed_;
  bool closing_ = false;  // after shut_down()
  bool leaving_to_restart_ = false;
  bool preserved_ = false;  // what was learned in an earlier life is still used for forwarding
  Deferral deferral_;
  AttributePool pool_;
  NextHopSet unreachable_;
  const RoaTable* roas_ = nullptr;
  LinkMap links_;
  bool links_asked_ = false;  // by a filter
  RouterObserver* observer_ = nullptr;
  Rib<net::Ipv4Prefix> ipv4_;
  Rib<net::Ipv6Prefix> ipv6_;
  Audiences audiences_;

  std::vector<NeighborConfig> patterns_;
  std::set<net::Prefix> asked_;              // by filters and default routes
  std::set<net::Prefix> active_aggregates_;  // those that have routes within
  // Aggregates and default routes. Waiting: set_local() has said something else of the prefix.
  enum class OwnRoute : std::uint8_t { Waiting, Told };
  std::map<net::Prefix, OwnRoute> own_routes_;

  std::map<PeerId, Neighbor> neighbors_;
  std::map<std::string, PeerId, std::less<>> by_name_;
  std::multimap<net::IpAddress, PeerId> by_address_;
  std::uint16_t next_id_ = 0;
  DeadlineQueue deadlines_;
  std::vector<PeerId> deadlines_moved_;  // not in the queue yet
  std::vector<RouterAction> actions_;
  Actions peer_actions_;  // scratch
};

}  // namespace bgp
