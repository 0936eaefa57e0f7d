// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_reconciler.hpp"

#include <algorithm>

namespace controller {
namespace {

using nlohmann::json;

std::string list(const std::vector<net::IpAddress>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + net::print(address);
  return text;
}

json ingress(const std::vector<net::IpAddress>& addresses) {
  auto out = json::array();
  for (const auto& address : addresses) out.push_back({{"ip", net::print(address)}});
  return out;
}

// The annotations that name the pool; an empty name takes them away.
json annotations(const std::string& pool) {
  json out;
  for (const auto name : pool_annotations) out[std::string{name}] = pool.empty() ? json{} : json(pool);
  return out;
}

// The service's conditions with ours set to this, or without ours.
json conditions(const json& service, const std::optional<config::Condition>& ours) {
  auto out = json::array();
  const auto status = service.find("status");
  if (status != service.end() && status->contains("conditions") && (*status)["conditions"].is_array())
    for (const auto& entry : (*status)["conditions"])
      if (text_of(entry, "type") != assigned_condition) out.push_back(entry);
  if (ours)
    out.push_back({{"type", ours->type},
                   {"status", ours->status},
                   {"reason", ours->reason},
                   {"message", ours->message},
                   {"lastTransitionTime", ours->last_transition_time}});
  return out;
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

ServiceView ServiceReconciler::view(const json& service) const {
  static const config::Labels none;
  const auto metadata = service.find("metadata");
  const auto found = metadata == service.end() ? namespaces_.end() : namespaces_.find(metadata->value("namespace", ""));
  return view_service(service, found == namespaces_.end() ? none : found->second);
}

bool ServiceReconciler::ours(const ServiceView& view) const {
  return view.load_balancer && view.load_balancer_class == class_;
}

bool ServiceReconciler::foreign(const ServiceView& seen) const {
  const auto written_by_us = seen.assigned && seen.assigned->reason != foreign_address;
  return !written_by_us && std::any_of(seen.ingress.begin(), seen.ingress.end(),
                                       [&](const auto& address) { return !allocator_.in_a_pool(address); });
}

void ServiceReconciler::adopt(const json& service, net::TimePoint now) {
  const auto seen = view(service);
  if (ours(seen) && !seen.ingress.empty()) (void)allocator_.adopt(seen.request, seen.ingress, now);
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
Allocated ServiceReconciler::settle(const ServiceView& seen, net::TimePoint now, std::vector<ServiceEvent>& events) {
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
    const auto can_widen = outcome->addresses.size() == 1 && seen.request.addresses.empty() &&
                           seen.request.policy == config::IpFamilyPolicy::PreferDualStack;
    if (!can_widen) return outcome;
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
    events.push_back({ServiceEvent::Type::Normal, "ClearAssignment", list(lost) + " was taken back: " + reason});
  // What it had and could not be adopted rests as well, unless it is what another has.
  if (!was_held)
    for (const auto& address : lost) allocator_.recall(seen.request.service, address, now, now);
  return outcome;
}

std::optional<ServiceUpdate> ServiceReconciler::reconcile(const json& service, net::TimePoint now,
                                                          const std::string& timestamp) {
  const auto seen = view(service);
  ServiceUpdate update;
  if (!ours(seen)) {
    const auto held = allocator_.assignment(seen.request.service) != nullptr;
    allocator_.release(seen.request.service, now);
    // Only what carries our condition is ours to clear; a status that another load balancer wrote stays.
    if (!seen.assigned) return std::nullopt;
    // It became another's while we were away, and what it had from us was not adopted: that rests now, too.
    if (!held && seen.assigned->reason != foreign_address)
      for (const auto& address : seen.ingress) allocator_.recall(seen.request.service, address, now, now);
    if (!seen.ingress.empty())
      update.events.push_back({ServiceEvent::Type::Normal, "ClearAssignment",
                               list(seen.ingress) + " was released: the service is no longer a load balancer of ours"});
    update.merge_patch = {
        {"status", {{"loadBalancer", {{"ingress", nullptr}}}, {"conditions", conditions(service, std::nullopt)}}}};
    if (!seen.told_pool.empty()) update.merge_patch["metadata"]["annotations"] = annotations({});
    return update;
  }

  const auto outcome = settle(seen, now, update.events);
  const auto* held = allocator_.assignment(seen.request.service);
  const auto addresses = held == nullptr ? std::vector<net::IpAddress>{} : held->addresses;
  const auto& kept = foreign(seen) ? seen.ingress : addresses;
  const auto next = condition(outcome, outcome ? std::vector<net::IpAddress>{} : kept, seen.assigned, timestamp);
  const auto same_condition = seen.assigned && seen.assigned->status == next.status &&
                              seen.assigned->reason == next.reason && seen.assigned->message == next.message;
  const auto pool = held == nullptr ? std::string{} : held->pool;
  if (same_condition && kept == seen.ingress && pool == seen.told_pool) return std::nullopt;

  if (outcome) {
    if (kept != seen.ingress)
      update.events.push_back({ServiceEvent::Type::Normal, "IPAllocated", "assigned " + next.message});
  } else if (!same_condition) {
    update.events.push_back({ServiceEvent::Type::Warning, "AllocationFailed", next.message});
  }
  json load_balancer;
  if (kept.empty())
    load_balancer["ingress"] = nullptr;
  else
    load_balancer["ingress"] = ingress(kept);
  update.merge_patch = {{"status", {{"loadBalancer", load_balancer}, {"conditions", conditions(service, next)}}}};
  if (pool != seen.told_pool) update.merge_patch["metadata"]["annotations"] = annotations(pool);
  return update;
}

}  // namespace controller
