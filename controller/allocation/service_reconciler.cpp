// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/service_reconciler.hpp"

#include <algorithm>

namespace controller {
namespace {

using nlohmann::json;

constexpr auto foreign_address = "ForeignAddress";

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

// The service's conditions with ours set to this, or without ours.
json conditions(const json& service, const std::optional<config::Condition>& ours) {
  auto out = json::array();
  const auto status = service.find("status");
  if (status != service.end() && status->contains("conditions") && (*status)["conditions"].is_array())
    for (const auto& entry : (*status)["conditions"])
      if (entry.value("type", "") != assigned_condition) out.push_back(entry);
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

// What the service shall have: what it has, where that is still right; else something new.
Allocated ServiceReconciler::settle(const ServiceView& seen, net::TimePoint now, std::vector<ServiceEvent>& events) {
  if (seen.unreadable) return net::fail(*seen.unreadable);
  if (foreign(seen))
    return net::fail(Refusal{foreign_address, list(seen.ingress) + " is in no pool and was not assigned by Herald"});
  const auto* held = allocator_.assignment(seen.request.service);
  const auto before = held != nullptr ? held->addresses : seen.ingress;
  if (!before.empty()) {
    const auto pool_changed = held != nullptr && !seen.request.pool.empty() && seen.request.pool != held->pool;
    auto kept = allocator_.adopt(seen.request, before, now);
    if (kept && !pool_changed) {
      const auto can_widen = kept->addresses.size() == 1 && seen.request.addresses.empty() &&
                             seen.request.policy == config::IpFamilyPolicy::PreferDualStack;
      if (!can_widen) return kept;
      auto wider = allocator_.widen(seen.request, now);
      return wider ? wider : kept;
    }
    const auto reason = kept ? "the service asks for pool " + seen.request.pool : kept.error().message;
    auto chosen = allocator_.allocate(seen.request, now);
    const auto* after = allocator_.assignment(seen.request.service);
    if (after == nullptr || after->addresses != before)
      events.push_back({ServiceEvent::Type::Normal, "ClearAssignment", list(before) + " was taken back: " + reason});
    return chosen;
  }
  return allocator_.allocate(seen.request, now);
}

std::optional<ServiceUpdate> ServiceReconciler::reconcile(const json& service, net::TimePoint now,
                                                          const std::string& timestamp) {
  const auto seen = view(service);
  ServiceUpdate update;
  if (!ours(seen)) {
    allocator_.release(seen.request.service, now);
    // Only what carries our condition is ours to clear; a status that another load balancer wrote stays.
    if (!seen.assigned) return std::nullopt;
    if (!seen.ingress.empty())
      update.events.push_back({ServiceEvent::Type::Normal, "ClearAssignment",
                               list(seen.ingress) + " was released: the service is no longer a load balancer of ours"});
    update.merge_patch = {
        {"status", {{"loadBalancer", {{"ingress", nullptr}}}, {"conditions", conditions(service, std::nullopt)}}}};
    return update;
  }

  const auto outcome = settle(seen, now, update.events);
  const auto* held = allocator_.assignment(seen.request.service);
  const auto addresses = held == nullptr ? std::vector<net::IpAddress>{} : held->addresses;
  const auto& kept = foreign(seen) ? seen.ingress : addresses;
  const auto next = condition(outcome, outcome ? std::vector<net::IpAddress>{} : kept, seen.assigned, timestamp);
  const auto same_condition = seen.assigned && seen.assigned->status == next.status &&
                              seen.assigned->reason == next.reason && seen.assigned->message == next.message;
  if (same_condition && kept == seen.ingress) return std::nullopt;

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
  return update;
}

}  // namespace controller
