// SPDX-License-Identifier: Apache-2.0
#include "netlink/fib.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <variant>

#include <linux/rtnetlink.h>

#include "net/match.hpp"
#include "netlink/codec.hpp"
#include "netlink/dump.hpp"
#include "netlink/links.hpp"

namespace netlink {
namespace {

// So many IPv4 routes fill most of a batch.
constexpr std::size_t routes_per_step = 2000;
constexpr net::Milliseconds recheck_delay{100};
// Comparing everything costs about 0.3 us per route; doubt alone does not justify it more often.
constexpr net::Milliseconds resync_pause{1000};

}  // namespace

Fib::Fib(const FibOptions& options)
    : options_{options},
      events_{{Topic::Links, Topic::Addresses, Topic::Routes, Topic::Nexthops}, commands_.port(), options.event_buffer},
      resolver_{links_, commands_},
      reconciler_{options.owner, options.resilience, options.reporting,
                  [this](const net::IpAddress& gateway, std::uint32_t interface) {
                    return resolver_.resolve(gateway, interface);
                  }} {
  if (options.network == Namespace::Owned) tune_kernel();
  settings_ = read_kernel_settings();
  if (const auto done = resync(); !done)
    throw std::system_error{done.error().number, std::generic_category(), "cannot read the kernel's routes"};
}

void Fib::set(const net::Prefix& prefix, std::span<const NextHop> next_hops) {
  if (next_hops.empty()) return withdraw(prefix);
  reconciler_.want(prefix, reconciler_.intern(next_hops));
}

FibCounters Fib::counters() const {
  auto out = counters_;
  out.routes = reconciler_.counters();
  out.tracked = tracked_.size();
  out.unreachable = unreachable_.size();
  return out;
}

// ---- events ----

// Before anything is written all that is known must have been heard: an old event taken in after a
// write would be mistaken for news about it. False: there is more to read.
bool Fib::read_events(net::TimePoint now) {
  const auto received = events_.read([&](const RawMessage& raw) { take(raw, now); });
  if (received == Received::Overrun) {
    ++counters_.overruns;
    resync_at_ = now;
    // What is still queued is older than the dump to come.
    while (events_.read([](const RawMessage&) {}) == Received::More) {
    }
  }
  return received != Received::More;
}

void Fib::take(const RawMessage& raw, net::TimePoint now) {
  if (raw.port == commands_.port()) return;
  std::visit(net::match{
                 [&](const LinkMessage& message) { take(message); },
                 [&](const AddressMessage& message) {
                   if (links_.apply(message) == LinkTable::Effect::Changed) links_changed_ = true;
                 },
                 [&](const NexthopMessage& message) { reconciler_.kernel_says(message); },
                 [&](const RouteMessage& message) {
                   reconciler_.kernel_says(message);
                   if (message.type == RTN_UNICAST) routes_changed(now);
                 },
                 [](const std::monostate&) {},
             },
             decode(raw));
}

// Gateways several hops away may be reached otherwise now. Events may come by the thousand: the look is
// put off a little.
void Fib::routes_changed(net::TimePoint now) {
  if (routes_matter_ && !recheck_at_) recheck_at_ = now + recheck_delay;
}

// A link that goes down takes every nexthop object on it along, their groups and routes, in silence.
void Fib::take(const LinkMessage& message) {
  if (links_.apply(message) == LinkTable::Effect::None) return;
  links_changed_ = true;
  const auto* link = links_.find(message.index);
  if (link == nullptr || !link->usable()) reconciler_.link_lost(message.index);
}

void Fib::look_for_gateways(net::TimePoint now) {
  const auto routes_changed = recheck_at_ && *recheck_at_ <= now;
  if (!links_changed_ && !routes_changed) return;
  recheck_at_.reset();
  routes_matter_ = false;
  look_for_tracked_ = true;
  if (std::exchange(links_changed_, false))
    reconciler_.links_changed();
  else
    reconciler_.resolve_again();
}

void Fib::track(std::vector<net::IpAddress> gateways) {
  tracked_ = std::move(gateways);
  look_for_tracked_ = true;
}

void Fib::look_for_tracked() {
  if (!std::exchange(look_for_tracked_, false)) return;
  std::vector<net::IpAddress> unreachable;
  for (const auto& gateway : tracked_)
    if (resolver_.resolve(gateway, 0).reach != Reach::Resolved) unreachable.push_back(gateway);
  if (unreachable == unreachable_) return;
  unreachable_ = std::move(unreachable);
  unreachable_changed_ = true;
}

std::optional<std::vector<net::IpAddress>> Fib::take_unreachable() {
  if (!std::exchange(unreachable_changed_, false)) return std::nullopt;
  return unreachable_;
}

// ---- everything at once ----

net::Result<void, KernelError> Fib::resync() {
  ++counters_.resyncs;
  resync_at_.reset();
  if (auto done = read_links(commands_, links_); !done) return done;
  reconciler_.begin_resync();
  auto done = read_nexthops(commands_, [&](const NexthopMessage& nexthop) { reconciler_.kernel_says(nexthop); });
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
    if (!done) return done;
    done = read_routes(commands_, {family, options_.owner.table, options_.owner.protocol},
                       [&](const RouteMessage& route) { reconciler_.kernel_says(route); });
  }
  if (!done) return done;
  reconciler_.end_resync();
  links_changed_ = true;
  return {};
}

bool Fib::resync_when_due(net::TimePoint now) {
  if (reconciler_.take_doubt() && !resync_at_) resync_at_ = std::max(now, last_resync_ + resync_pause);
  if (!resync_at_ || *resync_at_ > now) return false;
  last_resync_ = now;
  if (!resync()) resync_at_ = now + resync_pause;
  return true;
}

// ---- writing ----

Fib::Step Fib::step(net::TimePoint now) {
  if (!read_events(now)) return Step::Worked;
  // Events from before the dump must not be taken for news about what is written after it.
  if (resync_when_due(now) && !read_events(now)) return Step::Worked;
  look_for_gateways(now);
  look_for_tracked();
  reconciler_.plan(operations_, routes_per_step, now);
  if (resolver_.take_asked()) routes_matter_ = true;
  if (operations_.empty()) return Step::Idle;
  execute(now);
  return Step::Worked;
}

void Fib::execute(net::TimePoint now) {
  const std::span<const Operation> all{operations_};
  batch_.clear();
  for (std::size_t done = 0; done < all.size();) {
    auto end = done;
    while (end < all.size() && !batch_.full()) encode_operation(all[end++]);
    const auto slice = all.subspan(done, end - done);
    const auto begun = net::Clock::now();
    const auto refusals = commands_.run(batch_);
    const auto took = net::Clock::now() - begun;
    ++counters_.batches;
    counters_.messages += slice.size();
    counters_.writing += took;
    counters_.longest_batch = std::max(counters_.longest_batch, std::chrono::nanoseconds{took});
    if (refusals)
      reconciler_.complete(slice, *refusals, now);
    else
      reconciler_.lost_answers(slice, now);
    done = end;
  }
  if (std::holds_alternative<RouteOperation>(all.front())) routes_changed(now);
}

void Fib::encode_operation(const Operation& operation) {
  const auto protocol = options_.owner.protocol;
  std::visit(net::match{
                 [&](const RouteOperation& route) {
                   encode(batch_, route.verb,
                          RouteSpec{route.prefix, options_.owner.table, route.metric, protocol, route.nexthop_id});
                 },
                 [&](const NexthopOperation& hop) {
                   encode(batch_, hop.verb, NexthopSpec{hop.id, protocol, hop.gateway, hop.interface, hop.onlink});
                 },
                 [&](const GroupOperation& group) {
                   encode(batch_, group.verb, GroupSpec{group.id, protocol, group.members, options_.resilience});
                 },
             },
             operation);
}

std::optional<net::TimePoint> Fib::next_deadline() const {
  auto earliest = reconciler_.next_deadline();
  for (const auto& at : {recheck_at_, resync_at_}) {
    if (at && (!earliest || *at < *earliest)) earliest = at;
  }
  return earliest;
}

}  // namespace netlink
