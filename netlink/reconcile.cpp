// SPDX-License-Identifier: Apache-2.0
#include "netlink/reconcile.hpp"

#include <algorithm>
#include <cerrno>

namespace netlink {
namespace {

// Stands for "in the kernel, but not with an object of ours": no target ever equals it.
constexpr std::uint32_t other_nexthop = ~std::uint32_t{0};
constexpr std::uint32_t no_handle = ~std::uint32_t{0};
constexpr std::size_t remembered_texts = 16;

bool names_nexthop(const KernelError& error) {
  return error.text.find("exthop") != std::string::npos;
}

}  // namespace

Reconciler::Reconciler(const RouteOwner& owner, std::optional<Resilience> resilience, Reporting reporting,
                       Resolve resolve)
    : owner_{owner}, reporting_{reporting}, nexthops_{owner.ids, owner.protocol, resilience, std::move(resolve)} {}

std::uint32_t Reconciler::metric_for(const net::Prefix& prefix) const {
  return !prefix.is_v4() && owner_.metric == 0 ? ipv6_default_metric : owner_.metric;
}

std::uint32_t Reconciler::metric_of(Handle handle) const {
  return routes_[handle].own_metric ? metrics_.at(handle) : metric_for(routes_.prefix(handle));
}

// What is in the kernel stays where it is, as a leftover, and what is there already is taken over.
void Reconciler::move_to(Handle handle, std::uint32_t metric) {
  const auto prefix = routes_.prefix(handle);
  const auto before = metric_of(handle);
  const auto after = metric == owners_metric ? metric_for(prefix) : metric;
  if (before == after) return;
  auto& route = routes_[handle];
  route.own_metric = after != metric_for(prefix);
  if (route.own_metric)
    metrics_[handle] = after;
  else
    metrics_.erase(handle);
  if (route.nexthop_id != 0) leave_over({prefix, before}, route.nexthop_id);
  const auto there = take_leftover({prefix, after});
  set_kernel(route, there.value_or(0));
  if (there) nexthops_.drop(*there);  // the route holds it now
  if (route.stale) --counters_.stale;
  route.stale = route.contested = false;
  forget_failure(handle);
  mark(handle);
}

void Reconciler::leave_over(const Leftover& leftover, std::uint32_t nexthop_id) {
  nexthops_.hold(nexthop_id);
  if (const auto [known, fresh] = leftovers_.try_emplace(leftover, nexthop_id); !fresh)
    nexthops_.drop(std::exchange(known->second, nexthop_id));
}

// Its nexthop stays held.
std::optional<std::uint32_t> Reconciler::take_leftover(const Leftover& leftover) {
  const auto known = leftovers_.find(leftover);
  if (known == leftovers_.end()) return std::nullopt;
  const auto nexthop_id = known->second;
  leftovers_.erase(known);
  return nexthop_id;
}

void Reconciler::doom_leftovers(const net::Prefix& prefix) {
  for (auto each = leftovers_.lower_bound({prefix, 0}); each != leftovers_.end() && each->first.prefix == prefix;) {
    doomed_.push_back(each->first);
    nexthops_.drop(each->second);
    each = leftovers_.erase(each);
  }
}

// What is to be there under the route's metric is there, or is not to be.
void Reconciler::supersede(Handle handle) {
  if (!leftovers_.empty()) doom_leftovers(routes_.prefix(handle));
}

// Those that nothing is to take the place of, or something has.
void Reconciler::doom_superseded() {
  std::vector<net::Prefix> superseded;
  for (const auto& [leftover, nexthop_id] : leftovers_) {
    const auto handle = routes_.find(leftover.prefix);
    const bool awaited =
        handle != routes_.none && routes_[handle].set != NexthopTable::no_set && routes_[handle].nexthop_id == 0;
    if (!awaited) superseded.push_back(leftover.prefix);
  }
  for (const auto& prefix : superseded) doom_leftovers(prefix);
}

bool Reconciler::is_ours(const RouteMessage& message) const {
  return message.protocol == owner_.protocol;
}

// ---- desired ----

void Reconciler::want(const net::Prefix& prefix, SetIndex set, std::uint32_t metric) {
  const auto handle = routes_.insert(prefix).first;
  auto& route = routes_[handle];
  if (metric != owners_metric || route.own_metric) move_to(handle, metric);
  if (route.stale) --counters_.stale;
  route.stale = false;
  nexthops_.retain(set);
  if (route.set != NexthopTable::no_set)
    nexthops_.release(route.set);
  else
    ++counters_.wanted;
  const auto changed = route.set != set;
  route.set = set;
  // A new wish is tried at once, however often the old one failed.
  if (changed) forget_failure(handle);
  if (changed || route.nexthop_id != target(route) || reporting_ == Reporting::Every) mark(handle);
}

void Reconciler::withdraw(const net::Prefix& prefix) {
  const auto handle = routes_.find(prefix);
  if (handle == routes_.none) return;
  auto& route = routes_[handle];
  if (route.stale) --counters_.stale;
  route.stale = false;
  if (route.set != NexthopTable::no_set) {
    nexthops_.release(route.set);
    route.set = NexthopTable::no_set;
    --counters_.wanted;
  }
  forget_failure(handle);
  route.reassert = false;
  mark(handle);
}

void Reconciler::set_reporting(Reporting reporting) {
  if (std::exchange(reporting_, reporting) == reporting || reporting == Reporting::Problems) return;
  routes_.for_each([&](Handle handle) {
    const auto& route = routes_[handle];
    if (route.stale || route.set == NexthopTable::no_set) return;
    if (failures_.contains(handle))
      tell(handle);  // a look at it would be another attempt
    else
      mark(handle);
  });
}

void Reconciler::sweep() {
  swept_ = true;
  nexthops_.sweep();
  doom_superseded();
  if (counters_.stale == 0) return;
  routes_.for_each([&](Handle handle) {
    auto& route = routes_[handle];
    if (!route.stale) return;
    route.stale = false;
    ++counters_.swept;
    mark(handle);
  });
  counters_.stale = 0;
}

std::uint32_t Reconciler::target(const Route& route) const {
  return route.set == NexthopTable::no_set ? 0 : nexthops_.target(route.set);
}

void Reconciler::mark(Handle handle) {
  auto& route = routes_[handle];
  if (route.dirty) return;
  route.dirty = true;
  queue_.push_back(handle);
}

void Reconciler::set_kernel(Route& route, std::uint32_t nexthop_id) {
  if (route.nexthop_id == nexthop_id) return;
  if (nexthop_id != 0) nexthops_.hold(nexthop_id);
  if (route.nexthop_id != 0) nexthops_.drop(route.nexthop_id);
  if (route.nexthop_id == 0) ++counters_.programmed;
  if (nexthop_id == 0) --counters_.programmed;
  route.nexthop_id = nexthop_id;
}

void Reconciler::forget_failure(Handle handle) {
  failures_.erase(handle);
}

// ---- what the kernel says ----

void Reconciler::kernel_says(const NexthopMessage& message) {
  (void)nexthops_.kernel_says(message);
}

void Reconciler::kernel_says(const RouteMessage& message) {
  if (message.table != owner_.table) return;
  if (is_ours(message))
    our_route(message);
  else
    foreign_route(message);
}

void Reconciler::our_route(const RouteMessage& message) {
  const auto known = routes_.find(message.prefix);
  if (message.metric != (known == routes_.none ? metric_for(message.prefix) : metric_of(known))) {
    const Leftover leftover{message.prefix, message.metric};
    if (message.change == Change::New) {
      leave_over(leftover, nexthops_.owns(message.nexthop_id) ? message.nexthop_id : other_nexthop);
      if (!found_all_) ++counters_.adopted;
    } else if (const auto nexthop_id = take_leftover(leftover)) {
      nexthops_.drop(*nexthop_id);
    }
    return;
  }
  if (message.change == Change::Deleted) {
    if (known != routes_.none && routes_[known].nexthop_id != 0) taken_away(known);
    return;
  }
  const bool fresh = known == routes_.none;
  const auto handle = fresh ? routes_.insert(message.prefix).first : known;
  auto& route = routes_[handle];
  route.seen = true;
  set_kernel(route, nexthops_.owns(message.nexthop_id) ? message.nexthop_id : other_nexthop);
  if (fresh && !swept_) {
    route.stale = true;
    ++counters_.stale;
    ++counters_.adopted;
  }
  if (route.stale) return;
  const auto right = route.nexthop_id == target(route);
  if (!right && !fresh && route.set != NexthopTable::no_set) route.reassert = true;
  if (!right || route.troubled) mark(handle);
}

void Reconciler::foreign_route(const RouteMessage& message) {
  const auto handle = routes_.find(message.prefix);
  if (handle == routes_.none || message.metric != metric_of(handle)) return;
  auto& route = routes_[handle];
  if (message.change == Change::Deleted) {
    route.contested = false;
    // It may have been what stood in our way.
    if (failures_.count(handle) != 0) {
      forget_failure(handle);
      mark(handle);
    }
    return;
  }
  if (route.nexthop_id == 0) return;
  if (message.replaced) return taken_away(handle);
  route.contested = true;
}

// Somebody removed a route of ours, or the kernel did.
void Reconciler::taken_away(Handle handle) {
  auto& route = routes_[handle];
  set_kernel(route, 0);
  if (route.stale) {
    route.stale = false;
    --counters_.stale;
  }
  if (route.set != NexthopTable::no_set) route.reassert = true;
  mark(handle);
}

void Reconciler::begin_resync() {
  nexthops_.begin_resync();
  routes_.for_each([&](Handle handle) { routes_[handle].seen = false; });
  for (const auto& [leftover, nexthop_id] : leftovers_) nexthops_.drop(nexthop_id);
  leftovers_.clear();
  doomed_.clear();
}

void Reconciler::end_resync() {
  (void)nexthops_.end_resync();
  routes_.for_each([&](Handle handle) {
    auto& route = routes_[handle];
    if (route.nexthop_id != 0 && !route.seen) taken_away(handle);
  });
  if (swept_) doom_superseded();
  found_all_ = true;
}

bool Reconciler::take_doubt() {
  const auto theirs = nexthops_.take_doubt();
  return std::exchange(doubt_, false) || theirs;
}

// Nexthops were lost or targets have changed: one look at every route.
void Reconciler::rescan() {
  routes_.for_each([&](Handle handle) {
    auto& route = routes_[handle];
    if (route.nexthop_id != 0 && nexthops_.lost(route.nexthop_id)) return taken_away(handle);
    if (!route.stale && route.nexthop_id != target(route)) mark(handle);
  });
  std::erase_if(leftovers_, [&](const auto& leftover) {
    const bool gone = nexthops_.lost(leftover.second);
    if (gone) nexthops_.drop(leftover.second);
    return gone;
  });
  nexthops_.forget_losses();
}

// ---- what to write ----

void Reconciler::plan(std::vector<Operation>& out, std::size_t limit, net::TimePoint now) {
  out.clear();
  // Before ids are used again, routes must have heard that their old meaning is gone.
  if (nexthops_.take_rescan()) rescan();
  nexthops_.plan(out, now);
  if (!out.empty()) return;
  if (nexthops_.take_rescan()) rescan();
  retry_due(now);
  plan_routes(out, limit);
  if (out.empty()) plan_doomed(out, limit);  // what has just become so
  if (out.empty()) nexthops_.plan_deletions(out);
}

void Reconciler::retry_due(net::TimePoint now) {
  while (!retries_.empty() && retries_.top().first <= now) {
    const auto [at, handle] = retries_.top();
    retries_.pop();
    const auto failure = failures_.find(handle);
    if (failure != failures_.end() && failure->second.at == at) mark(handle);
  }
}

void Reconciler::plan_doomed(std::vector<Operation>& out, std::size_t limit) {
  for (; !doomed_.empty() && out.size() < limit; doomed_.pop_back()) {
    const auto& leftover = doomed_.back();
    out.emplace_back(RouteOperation{Verb::Delete, leftover.prefix, 0, leftover.metric, no_handle});
  }
}

void Reconciler::plan_routes(std::vector<Operation>& out, std::size_t limit) {
  plan_doomed(out, limit);
  while (queue_head_ < queue_.size() && out.size() < limit) plan_route(queue_[queue_head_++], out);
  if (queue_head_ == queue_.size()) {
    queue_head_ = 0;
    // A queue that once held a million stays no larger than it needs to be.
    if (queue_.capacity() > 65536)
      queue_ = {};
    else
      queue_.clear();
  }
}

void Reconciler::plan_route(Handle handle, std::vector<Operation>& out) {
  auto& route = routes_[handle];
  route.dirty = false;
  if (route.stale) return;
  const auto wanted = target(route);
  if (wanted == route.nexthop_id) return settle(handle);
  const auto prefix = routes_.prefix(handle);
  // With somebody else's route beside ours, a replacement might hit theirs; ours is taken out first.
  const auto verb = wanted == 0 || (route.nexthop_id != 0 && route.contested) ? Verb::Delete
                    : route.nexthop_id == 0                                   ? Verb::Add
                                                                              : Verb::Replace;
  out.emplace_back(RouteOperation{verb, prefix, verb == Verb::Delete ? 0 : wanted, metric_of(handle), handle});
}

// The kernel has what can be had.
void Reconciler::settle(Handle handle) {
  auto& route = routes_[handle];
  if (route.nexthop_id != 0) return well(handle);
  if (route.set == NexthopTable::no_set) {
    stop_waiting(route);
    forget_failure(handle);
    if (reporting_ == Reporting::Every || route.troubled) tell(handle);
    supersede(handle);
    if (route.own_metric) metrics_.erase(handle);
    routes_.erase(handle);
    return;
  }
  supersede(handle);
  nexthops_.park(route.set);
  if (route.waiting) {
    if (reporting_ == Reporting::Every) tell(handle);
    return;
  }
  route.waiting = true;
  ++counters_.waiting;
  route.troubled = true;
  tell(handle);
}

// The route is in the kernel as it should be.
void Reconciler::well(Handle handle) {
  auto& route = routes_[handle];
  const auto troubled = route.troubled;
  stop_waiting(route);
  forget_failure(handle);
  route.troubled = false;
  route.reassert = false;
  supersede(handle);
  if (troubled || reporting_ == Reporting::Every) tell(handle);
}

void Reconciler::stop_waiting(Route& route) {
  if (route.waiting) --counters_.waiting;
  route.waiting = false;
}

// ---- how the kernel answers ----

void Reconciler::complete(std::span<const Operation> operations, std::span<const Refusal> refusals,
                          net::TimePoint now) {
  counters_.errors += refusals.size();
  auto refusal = refusals.begin();
  for (std::size_t index = 0; index < operations.size(); ++index) {
    while (refusal != refusals.end() && refusal->index < index) ++refusal;
    const auto* error = refusal != refusals.end() && refusal->index == index ? &refusal->error : nullptr;
    const auto& operation = operations[index];
    if (const auto* route = std::get_if<RouteOperation>(&operation)) {
      complete(*route, error, now);
    } else if (const auto* nexthop = std::get_if<NexthopOperation>(&operation)) {
      nexthops_.complete(*nexthop, error, now);
    } else {
      nexthops_.complete(std::get<GroupOperation>(operation), error, now);
    }
  }
}

void Reconciler::complete(const RouteOperation& operation, const KernelError* error, net::TimePoint now) {
  if (operation.handle == no_handle) return;  // a leftover; the next resync would find it again
  if (operation.verb == Verb::Delete) return complete_delete(operation, error, now);
  const auto handle = operation.handle;
  if (error == nullptr) return written(handle, operation.nexthop_id);
  if (operation.verb == Verb::Replace && (error->number == ENOENT || error->number == ESRCH)) {
    return taken_away(handle);  // add it, then
  }
  // Somebody's route is there, or ours is and we do not know. Or the object is not what we think.
  const auto first = failures_.count(handle) == 0;
  if (first && (error->number == EEXIST || names_nexthop(*error))) doubt_ = true;
  if (error->number == EEXIST) {
    failed(handle, {EEXIST, "another route to this prefix with the same metric is there and left alone"}, now);
  } else {
    failed(handle, *error, now);
  }
}

void Reconciler::complete_delete(const RouteOperation& operation, const KernelError* error, net::TimePoint now) {
  const auto gone = error == nullptr || error->number == ESRCH || error->number == ENOENT;
  if (!gone) return failed(operation.handle, *error, now);
  auto& route = routes_[operation.handle];
  set_kernel(route, 0);
  forget_failure(operation.handle);
  mark(operation.handle);  // to be forgotten, parked, or added in another form
}

void Reconciler::written(Handle handle, std::uint32_t nexthop_id) {
  auto& route = routes_[handle];
  set_kernel(route, nexthop_id);
  if (route.reassert) ++counters_.reasserted;
  well(handle);
}

void Reconciler::failed(Handle handle, const KernelError& error, net::TimePoint now) {
  auto& route = routes_[handle];
  auto& failure = failures_[handle];
  const auto text = intern_text(print(error));
  const auto news = failure.text != text;
  failure.at = now + backoff(++failure.attempts);
  failure.text = text;
  retries_.emplace(failure.at, handle);
  route.troubled = true;
  if (news) tell(handle);
}

void Reconciler::lost_answers(std::span<const Operation> operations, net::TimePoint now) {
  doubt_ = true;  // the resync tells what became of them
  std::vector<Refusal> all;
  for (std::size_t index = 0; index < operations.size(); ++index)
    all.push_back({index, {ENOBUFS, "the kernel's answer was lost"}});
  complete(operations, all, now);
}

std::optional<net::TimePoint> Reconciler::next_deadline() const {
  auto earliest = nexthops_.next_deadline();
  if (!retries_.empty() && (!earliest || retries_.top().first < *earliest)) earliest = retries_.top().first;
  return earliest;
}

// ---- what to tell ----

Text Reconciler::intern_text(std::string text) {
  const auto at = std::find_if(texts_.begin(), texts_.end(), [&](const Text& known) { return *known == text; });
  if (at != texts_.end()) return *at;
  if (texts_.size() == remembered_texts) texts_.erase(texts_.begin());
  return texts_.emplace_back(std::make_shared<const std::string>(std::move(text)));
}

RouteReport Reconciler::report_of(Handle handle) {
  const auto& route = routes_[handle];
  RouteReport report{routes_.prefix(handle), Outcome::Pending, route.nexthop_id, nullptr};
  if (const auto failure = failures_.find(handle); failure != failures_.end()) {
    report.outcome = Outcome::Failed;
    report.text = failure->second.text;
  } else if (route.stale) {
    report.outcome = Outcome::Stale;
  } else if (route.set == NexthopTable::no_set) {
    report.outcome = route.nexthop_id == 0 ? Outcome::Absent : Outcome::Pending;
  } else if (target(route) == 0) {
    report.outcome = Outcome::Waiting;
    report.text = nexthops_.reason(route.set);
  } else if (route.nexthop_id == target(route)) {
    report.outcome = Outcome::Programmed;
  }
  return report;
}

RouteReport Reconciler::status(const net::Prefix& prefix) {
  const auto handle = routes_.find(prefix);
  return handle == routes_.none ? RouteReport{prefix, Outcome::Absent, 0, nullptr} : report_of(handle);
}

void Reconciler::tell(Handle handle) {
  reports_.push_back(report_of(handle));
}

RouteCounters Reconciler::counters() const {
  auto out = counters_;
  out.pending = queue_.size() - queue_head_;
  out.failed = failures_.size();
  out.nexthops = nexthops_.nexthop_count();
  out.groups = nexthops_.group_count();
  return out;
}

}  // namespace netlink
