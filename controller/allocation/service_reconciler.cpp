// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_reconciler.hpp"

#include <algorithm>

#include "controller/store/json_text.hpp"

namespace controller {
namespace {

std::string list(const std::vector<net::IpAddress>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + net::print(address);
  return text;
}

// A merge patch for the annotations that name the pool; an empty name takes them away. Nothing: they stay.
void write_annotations(JsonWriter& out, const std::optional<std::string>& pool) {
  if (!pool) return;
  out.name("metadata").object().name("annotations").object();
  for (const auto name : pool_annotations) pool->empty() ? out.name(name).raw("null") : out.member(name, *pool);
  out.end_object().end_object();
}

// The service's conditions with ours set to this, or without ours.
void write_conditions(JsonWriter& out, const ServiceView& service, const std::optional<config::Condition>& ours) {
  out.name("conditions").array();
  for (const auto& other : service.other_conditions) out.raw(other);
  if (ours) {
    out.object().member("lastTransitionTime", ours->last_transition_time).member("message", ours->message);
    out.member("reason", ours->reason).member("status", ours->status).member("type", ours->type).end_object();
  }
  out.end_array();
}

void write_addresses(JsonWriter& out, const std::vector<net::IpAddress>& addresses) {
  out.name("loadBalancer").object().name("ingress");
  if (addresses.empty()) {
    out.raw("null");
  } else {
    out.array();
    for (const auto& address : addresses) out.object().member("ip", net::print(address)).end_object();
    out.end_array();
  }
  out.end_object();
}

std::string patch(const ServiceView& service, const std::optional<std::string>& pool,
                  const std::optional<config::Condition>& ours, const std::vector<net::IpAddress>& addresses) {
  JsonWriter out;
  out.object();
  write_annotations(out, pool);
  out.name("status").object();
  write_conditions(out, service, ours);
  write_addresses(out, addresses);
  out.end_object().end_object();
  return out.take();
}

// The condition for this outcome; the time of the last transition stays while the status stays.
config::Condition condition(const Allocated& outcome, const std::vector<net::IpAddress>& kept,
                            const std::optional<config::Condition>& before, const std::string& timestamp) {
  config::Condition now;
  now.type = assigned_condition;
  if (outcome) {
    now.status = "True";
    now.reason = "IPAllocated";
    now.message = list(outcome->addresses) + " from pool " + outcome->pool;
  } else {
    now.status = kept.empty() ? "False" : "True";
    now.reason = outcome.error().reason;
    now.message = outcome.error().message + (kept.empty() ? "" : "; the service keeps " + list(kept));
  }
  now.last_transition_time = before && before->status == now.status ? before->last_transition_time : timestamp;
  return now;
}

}  // namespace

ServiceView ServiceReconciler::view(std::string_view service) const {
  auto seen = view_service(service);
  const auto found = namespaces_.find(seen.request.namespace_name);
  if (found != namespaces_.end()) seen.request.namespace_labels = found->second;
  return seen;
}

bool ServiceReconciler::ours(const ServiceView& view) const {
  return view.load_balancer && view.load_balancer_class == class_;
}

bool ServiceReconciler::foreign(const ServiceView& seen) const {
  const auto written_by_us = seen.assigned && seen.assigned->reason != foreign_address;
  return !written_by_us && std::any_of(seen.ingress.begin(), seen.ingress.end(),
                                       [&](const auto& address) { return !allocator_.in_a_pool(address); });
}

ServiceReconciler::Adopted ServiceReconciler::adopt(std::string_view service, net::TimePoint now) {
  const auto seen = view(service);
  if (!ours(seen)) return seen.assigned ? Adopted::NeedsALook : Adopted::Settled;
  if (seen.ingress.empty()) return Adopted::NeedsALook;
  const auto outcome = allocator_.adopt(seen.request, seen.ingress, now);
  // What reconcile() would do more than adopt and tell. The time does not matter: nothing is told.
  const auto simple = outcome && !seen.unreadable && !foreign(seen) && !can_widen(seen, *outcome);
  return simple && !tell(seen, outcome, {}, {}) ? Adopted::Settled : Adopted::NeedsALook;
}

bool ServiceReconciler::can_widen(const ServiceView& seen, const Assignment& assignment) {
  return assignment.addresses.size() == 1 && seen.request.addresses.empty() &&
         seen.request.policy == config::IpFamilyPolicy::PreferDualStack;
}

// A pool that lost a family takes away that address alone, and a service that wants one family less or more keeps the
// other: nothing moves that need not.
std::optional<Allocated> ServiceReconciler::keep(const ServiceView& seen, const std::vector<net::IpAddress>& before,
                                                 net::TimePoint now) {
  if (!seen.request.addresses.empty()) return std::nullopt;
  const auto single = seen.request.policy == config::IpFamilyPolicy::SingleStack;
  const auto first = seen.request.families.empty() ? before.front().family() : seen.request.families.front();
  std::vector<net::IpAddress> remaining;
  for (const auto& address : before)
    if (allocator_.in_a_pool(address) && (!single || address.family() == first)) remaining.push_back(address);
  if (remaining.empty()) return std::nullopt;
  auto lenient = seen.request;
  lenient.policy = config::IpFamilyPolicy::PreferDualStack;
  auto kept = allocator_.adopt(lenient, remaining, now);
  if (!kept) return std::nullopt;
  if (single || kept->addresses.size() == 2) return kept;
  auto wider = allocator_.widen(seen.request, now);
  if (wider) return wider;
  if (seen.request.policy == config::IpFamilyPolicy::RequireDualStack) return std::nullopt;
  return kept;
}

// What the service shall have: what it has, where that is still right; else something new.
Allocated ServiceReconciler::settle(const ServiceView& seen, net::TimePoint now, std::vector<EventText>& events) {
  if (seen.unreadable) return net::fail(*seen.unreadable);
  if (foreign(seen))
    return net::fail(
        Refusal{std::string{foreign_address}, list(seen.ingress) + " is in no pool and was not assigned by Herald"});
  const auto* held = allocator_.assignment(seen.request.service);
  const auto before = held != nullptr ? held->addresses : seen.ingress;
  if (before.empty()) return allocator_.allocate(seen.request, now);

  const auto was_held = held != nullptr;
  const auto pool_changed = was_held && !seen.request.pool.empty() && seen.request.pool != held->pool;
  auto outcome = allocator_.adopt(seen.request, before, now);
  if (outcome && !pool_changed) {
    if (!can_widen(seen, *outcome)) return outcome;
    auto wider = allocator_.widen(seen.request, now);
    return wider ? wider : outcome;
  }
  const auto reason = outcome ? "the service asks for pool " + seen.request.pool : outcome.error().message;
  auto kept = pool_changed ? std::nullopt : keep(seen, before, now);
  outcome = kept ? std::move(*kept) : allocator_.allocate(seen.request, now);
  const auto* after = allocator_.assignment(seen.request.service);
  std::vector<net::IpAddress> lost;
  for (const auto& address : before)
    if (after == nullptr || std::ranges::find(after->addresses, address) == after->addresses.end())
      lost.push_back(address);
  if (!lost.empty())
    events.push_back({EventText::Type::Normal, "ClearAssignment", list(lost) + " was taken back: " + reason});
  // What it had and could not be adopted rests as well, unless it is what another has.
  if (!was_held)
    for (const auto& address : lost) allocator_.recall(seen.request.service, address, now, now);
  return outcome;
}

Reconciled ServiceReconciler::reconcile(std::string_view service, net::TimePoint now, const std::string& timestamp) {
  const auto seen = view(service);
  if (!ours(seen)) return {.waits = false, .update = not_ours(seen, now)};
  std::vector<EventText> events;
  const auto outcome = settle(seen, now, events);
  const auto waits = allocator_.assignment(seen.request.service) == nullptr;
  return {.waits = waits, .update = tell(seen, outcome, std::move(events), timestamp)};
}

std::optional<ServiceUpdate> ServiceReconciler::not_ours(const ServiceView& seen, net::TimePoint now) {
  const auto held = allocator_.assignment(seen.request.service) != nullptr;
  allocator_.release(seen.request.service, now);
  // Only what carries our condition is ours to clear; a status that another load balancer wrote stays.
  if (!seen.assigned) return std::nullopt;
  // It became another's while we were away, and what it had from us was not adopted: that rests now, too.
  if (!held && seen.assigned->reason != foreign_address)
    for (const auto& address : seen.ingress) allocator_.recall(seen.request.service, address, now, now);
  ServiceUpdate update;
  if (!seen.ingress.empty())
    update.events.push_back({EventText::Type::Normal, "ClearAssignment",
                             list(seen.ingress) + " was released: the service is no longer a load balancer of ours"});
  const auto pool = seen.told_pool.empty() ? std::nullopt : std::optional{std::string{}};
  update.merge_patch = patch(seen, pool, std::nullopt, {});
  return update;
}

std::optional<ServiceUpdate> ServiceReconciler::tell(const ServiceView& seen, const Allocated& outcome,
                                                     std::vector<EventText> events,
                                                     const std::string& timestamp) const {
  const auto* held = allocator_.assignment(seen.request.service);
  const auto addresses = held == nullptr ? std::vector<net::IpAddress>{} : held->addresses;
  const auto& kept = foreign(seen) ? seen.ingress : addresses;
  const auto next = condition(outcome, outcome ? std::vector<net::IpAddress>{} : kept, seen.assigned, timestamp);
  const auto same_condition = seen.assigned && seen.assigned->status == next.status &&
                              seen.assigned->reason == next.reason && seen.assigned->message == next.message;
  const auto pool = held == nullptr ? std::string{} : held->pool;
  if (same_condition && kept == seen.ingress && pool == seen.told_pool) return std::nullopt;

  ServiceUpdate update{.merge_patch = {}, .events = std::move(events)};
  if (outcome) {
    if (kept != seen.ingress)
      update.events.push_back({EventText::Type::Normal, "IPAllocated", "assigned " + next.message});
  } else if (!same_condition) {
    update.events.push_back({EventText::Type::Warning, "AllocationFailed", next.message});
  }
  const auto told = pool == seen.told_pool ? std::nullopt : std::optional{pool};
  update.merge_patch = patch(seen, told, next, kept);
  return update;
}

}  // namespace controller
