// SPDX-License-Identifier: Apache-2.0
// Desired routes against the routes in the kernel: says what to write next and learns from the answers.
// Pure: no socket, no clock, no bytes; so every story of the kernel (restart, lost events, foreign
// routes, silent deletions) is a list of calls in a test.
//
// A route is desired as a set of next hops and believed to be in the kernel with a nexthop id. Whatever
// happens, work is only ever the difference between the two; only the last state of a prefix is
// written. Routes are ours by protocol and table, and nobody else's route is ever replaced: a new route
// must not be there yet, a changed one must.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "netlink/error.hpp"
#include "netlink/nexthop_table.hpp"
#include "netlink/operations.hpp"
#include "netlink/prefix_table.hpp"

namespace netlink {

// In place of a route's own metric: the one that RouteOwner says.
inline constexpr std::uint32_t owners_metric = 0;

enum class Reporting : std::uint8_t {
  Problems,  // routes that wait or fail, and when they no longer do
  Every,     // what becomes of each wish, also of one that changes nothing
};

struct RouteOwner {
  std::uint32_t table = main_table;
  std::uint32_t metric = default_metric;
  std::uint8_t protocol = herald_protocol;
  IdRange ids = {};
};

struct RouteCounters {
  std::size_t wanted = 0;      // prefixes with next hops
  std::size_t programmed = 0;  // prefixes in the kernel by us
  std::size_t pending = 0;     // to be looked at
  std::size_t waiting = 0;     // without a usable next hop
  std::size_t failed = 0;      // refused
  std::size_t stale = 0;       // of an earlier life, before the sweep
  std::size_t nexthops = 0;
  std::size_t groups = 0;
  std::uint64_t adopted = 0;     // routes found at start
  std::uint64_t reasserted = 0;  // written again after somebody or something took them away
  std::uint64_t swept = 0;       // of an earlier life, removed
  std::uint64_t errors = 0;      // refusals
  friend bool operator==(const RouteCounters&, const RouteCounters&) = default;
};

class Reconciler {
 public:
  using SetIndex = NexthopTable::SetIndex;

  Reconciler(const RouteOwner& owner, std::optional<Resilience> resilience, Reporting reporting, Resolve resolve);

  // ---- desired ----
  // See NexthopTable::intern; the index holds until the next plan().
  SetIndex intern(std::span<const NextHop> next_hops) { return nexthops_.intern(next_hops); }
  // With the owner's metric, or one of its own. A route whose metric changes is written anew before the old one goes.
  void want(const net::Prefix& prefix, SetIndex set, std::uint32_t metric = owners_metric);
  void withdraw(const net::Prefix& prefix);
  // All routes there will be have been asked for: what was found at start and not asked for goes.
  void sweep();
  void allow(const net::IpAddress& gateway, Use use) { nexthops_.allow(gateway, use); }
  // From now on. With Every, all routes are told of.
  void set_reporting(Reporting reporting);

  // ---- what the kernel says ----
  void kernel_says(const RouteMessage& message);
  void kernel_says(const NexthopMessage& message);
  void link_lost(std::uint32_t interface) { nexthops_.link_lost(interface); }
  // Routes that gateways are reached by may have changed.
  void resolve_again() { nexthops_.resolve_again(); }
  // Links or addresses have changed, and with them perhaps the reason of a refusal.
  void links_changed() {
    nexthops_.resolve_again();
    nexthops_.retry_now();
  }
  // Between these two the whole truth is said, objects before routes: at start, and when events were
  // lost.
  void begin_resync();
  void end_resync();
  // An answer did not fit what we believe, so that a resync is due.
  [[nodiscard]] bool take_doubt();

  // ---- what to write ----
  // The next operations, at most about `limit` routes, none when all is done or waits. They are to be
  // carried out in order and answered before the next call.
  void plan(std::vector<Operation>& out, std::size_t limit, net::TimePoint now);
  // `refusals` in order of index; what they do not name went well.
  void complete(std::span<const Operation> operations, std::span<const Refusal> refusals, net::TimePoint now);
  // The answers were lost: nothing is known of the outcome.
  void lost_answers(std::span<const Operation> operations, net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  // ---- what to tell ----
  [[nodiscard]] RouteReport status(const net::Prefix& prefix);
  [[nodiscard]] std::vector<RouteReport> take_reports() { return std::exchange(reports_, {}); }
  [[nodiscard]] RouteCounters counters() const;
  [[nodiscard]] const std::optional<Resilience>& resilience() const { return nexthops_.resilience(); }
  [[nodiscard]] const RouteOwner& owner() const { return owner_; }

 private:
  using Handle = std::uint32_t;
  // 12 bytes; with an IPv4 prefix and its slot a route takes about 40.
  struct Route {
    SetIndex set = NexthopTable::no_set;  // desired
    std::uint32_t nexthop_id = 0;         // in the kernel; 0: not there
    bool dirty : 1 = false;               // in the queue
    bool stale : 1 = false;               // found at start, not asked for since
    bool seen : 1 = false;                // heard of in this resync
    bool reassert : 1 = false;            // was taken away from us
    bool contested : 1 = false;           // somebody else has a route of the same prefix, table and metric
    bool waiting : 1 = false;             // has no usable next hop
    bool troubled : 1 = false;            // was reported as waiting or failed
    bool own_metric : 1 = false;          // is in metrics_
  };
  struct Failure {
    unsigned attempts = 0;
    net::TimePoint at{};
    Text text;
  };
  // A route of ours under another metric than the one that is asked for.
  struct Leftover {
    net::Prefix prefix;
    std::uint32_t metric = 0;
    friend auto operator<=>(const Leftover&, const Leftover&) = default;
  };

  [[nodiscard]] std::uint32_t metric_for(const net::Prefix& prefix) const;
  [[nodiscard]] std::uint32_t metric_of(Handle handle) const;
  void move_to(Handle handle, std::uint32_t metric);
  void leave_over(const Leftover& leftover, std::uint32_t nexthop_id);
  std::optional<std::uint32_t> take_leftover(const Leftover& leftover);
  void doom_leftovers(const net::Prefix& prefix);
  void supersede(Handle handle);
  void doom_superseded();
  [[nodiscard]] bool is_ours(const RouteMessage& message) const;
  [[nodiscard]] std::uint32_t target(const Route& route) const;
  void mark(Handle handle);
  void set_kernel(Route& route, std::uint32_t nexthop_id);
  void forget_failure(Handle handle);
  void our_route(const RouteMessage& message);
  void foreign_route(const RouteMessage& message);
  void taken_away(Handle handle);
  void rescan();
  void retry_due(net::TimePoint now);
  void plan_routes(std::vector<Operation>& out, std::size_t limit);
  void plan_doomed(std::vector<Operation>& out, std::size_t limit);
  void plan_route(Handle handle, std::vector<Operation>& out);
  void settle(Handle handle);
  void well(Handle handle);
  void stop_waiting(Route& route);
  void complete(const RouteOperation& operation, const KernelError* error, net::TimePoint now);
  void complete_delete(const RouteOperation& operation, const KernelError* error, net::TimePoint now);
  void written(Handle handle, std::uint32_t nexthop_id);
  void failed(Handle handle, const KernelError& error, net::TimePoint now);
  [[nodiscard]] Text intern_text(std::string text);
  [[nodiscard]] RouteReport report_of(Handle handle);
  void tell(Handle handle);

  RouteOwner owner_;
  Reporting reporting_;
  NexthopTable nexthops_;
  PrefixTable<Route> routes_;
  std::vector<Handle> queue_;  // dirty routes, oldest first
  std::size_t queue_head_ = 0;
  std::unordered_map<Handle, std::uint32_t> metrics_;  // of routes that do not have the owner's
  std::map<Leftover, std::uint32_t> leftovers_;  // with their nexthops: they forward until what replaces them is there
  std::vector<Leftover> doomed_;                 // to be deleted
  std::unordered_map<Handle, Failure> failures_;
  using Due = std::pair<net::TimePoint, Handle>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> retries_;  // may hold outdated entries
  std::vector<Text> texts_;                                             // the last few distinct ones
  std::vector<RouteReport> reports_;
  RouteCounters counters_;
  bool found_all_ = false;  // what was there at start
  bool swept_ = false;
  bool doubt_ = false;
};

}  // namespace netlink
