// SPDX-License-Identifier: Apache-2.0
// The kernel's forwarding table as we want it: a Reconciler with its sockets. Blocking and single
// threaded: whoever owns it calls step() until there is nothing to do, then waits on event_fd() and
// next_deadline(). FibThread is that owner in the speaker.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "netlink/kernel_settings.hpp"
#include "netlink/link_table.hpp"
#include "netlink/reconcile.hpp"
#include "netlink/resolver.hpp"
#include "netlink/socket.hpp"

namespace netlink {

enum class Namespace : std::uint8_t {
  Shared,  // with others: its sysctls are left as they are
  Owned,   // ours: sysctls are set for speed
};

struct FibOptions {
  RouteOwner owner = {};
  std::optional<Resilience> resilience = std::nullopt;  // for groups of more than one next hop
  Reporting reporting = Reporting::Problems;
  Namespace network = Namespace::Shared;
  std::size_t event_buffer = EventSocket::default_buffer;
};

struct FibCounters {
  RouteCounters routes;
  std::size_t tracked = 0;      // gateways
  std::size_t unreachable = 0;  // of these
  std::uint64_t batches = 0;
  std::uint64_t messages = 0;
  std::uint64_t overruns = 0;          // events the kernel dropped
  std::uint64_t resyncs = 0;           // comparisons with all the kernel has, the one at start included
  std::chrono::nanoseconds writing{};  // spent waiting for the kernel, in total
  std::chrono::nanoseconds longest_batch{};
};

class Fib {
 public:
  // Opens the sockets, reads links, adopts the routes and objects of an earlier life. Throws
  // std::system_error when the kernel gives us no socket or no answer.
  explicit Fib(const FibOptions& options);
  Fib(const Fib&) = delete;
  Fib& operator=(const Fib&) = delete;

  // ---- desired; nothing is written before step() ----
  void set(const net::Prefix& prefix, std::span<const NextHop> next_hops);
  void withdraw(const net::Prefix& prefix) { reconciler_.withdraw(prefix); }
  void sweep() { reconciler_.sweep(); }
  // Compares with all that the kernel has at the next step, as after lost events.
  void audit() { resync_at_ = net::TimePoint::min(); }
  void allow(const net::IpAddress& gateway, Use use) { reconciler_.allow(gateway, use); }
  // Gateways whose reach is of interest, whether routes use them or not.
  void track(std::vector<net::IpAddress> gateways);
  // For many routes with few sets: Reconciler::intern and want.
  [[nodiscard]] Reconciler& routes() { return reconciler_; }

  // ---- work ----
  enum class Step : std::uint8_t { Idle, Worked };
  // Takes in the events, then writes one batch. Idle: nothing more to do before an event or deadline.
  Step step(net::TimePoint now);
  [[nodiscard]] int event_fd() const { return events_.fd(); }
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  // ---- what it says ----
  [[nodiscard]] RouteReport status(const net::Prefix& prefix) { return reconciler_.status(prefix); }
  [[nodiscard]] std::vector<RouteReport> take_reports() { return reconciler_.take_reports(); }
  // The tracked gateways that nothing leads to, ascending, where they have changed since the last call.
  [[nodiscard]] std::optional<std::vector<net::IpAddress>> take_unreachable();
  [[nodiscard]] FibCounters counters() const;
  [[nodiscard]] const KernelSettings& settings() const { return settings_; }

 private:
  bool read_events(net::TimePoint now);
  void take(const RawMessage& raw, net::TimePoint now);
  void take(const LinkMessage& message);
  void routes_changed(net::TimePoint now);
  void look_for_gateways(net::TimePoint now);
  void look_for_tracked();
  net::Result<void, KernelError> resync();
  bool resync_when_due(net::TimePoint now);
  void execute(net::TimePoint now);
  void encode_operation(const Operation& operation);

  FibOptions options_;
  KernelSettings settings_;
  CommandSocket commands_;
  EventSocket events_;
  LinkTable links_;
  Resolver resolver_;
  Reconciler reconciler_;
  Batch batch_;
  std::vector<Operation> operations_;
  FibCounters counters_;
  std::vector<net::IpAddress> tracked_;
  std::vector<net::IpAddress> unreachable_;
  bool look_for_tracked_ = false;
  bool unreachable_changed_ = false;
  bool links_changed_ = false;
  bool routes_matter_ = false;  // some gateway is found by looking at the kernel's routes
  std::optional<net::TimePoint> recheck_at_;
  std::optional<net::TimePoint> resync_at_;
  net::TimePoint last_resync_{};
};

}  // namespace netlink
