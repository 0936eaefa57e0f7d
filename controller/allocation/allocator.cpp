// SPDX-License-Identifier: Apache-2.0
#include "controller/allocation/allocator.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace controller {
namespace {

using config::IpFamilyPolicy;
using net::Family;

std::string list(const std::vector<net::IpAddress>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += (text.empty() ? "" : ", ") + net::print(address);
  return text;
}

bool ports_overlap(const std::vector<config::Service::Port>& a, const std::vector<config::Service::Port>& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& one) {
    return std::any_of(b.begin(), b.end(),
                       [&](const auto& other) { return one.protocol == other.protocol && one.port == other.port; });
  });
}

bool selects(const config::IPAddressPool::ServiceAllocation& rule, const AddressRequest& request) {
  const auto named =
      std::find(rule.namespaces.begin(), rule.namespaces.end(), request.namespace_name) != rule.namespaces.end();
  const auto labelled =
      !rule.namespace_selectors.empty() && any_matches(rule.namespace_selectors, request.namespace_labels);
  const auto any_namespace = rule.namespaces.empty() && rule.namespace_selectors.empty();
  return (any_namespace || named || labelled) && any_matches(rule.service_selectors, request.labels);
}

// Families of a request as they are tried: each entry is one way to satisfy it.
std::vector<std::vector<Family>> ways(const AddressRequest& request) {
  const auto first = request.families.empty() ? Family::Ipv4 : request.families.front();
  const auto second = first == Family::Ipv4 ? Family::Ipv6 : Family::Ipv4;
  switch (request.policy) {
    case IpFamilyPolicy::RequireDualStack:
      return {{first, second}};
    case IpFamilyPolicy::PreferDualStack:
      return {{first, second}, {first}, {second}};
    case IpFamilyPolicy::SingleStack:
      break;
  }
  if (request.families.empty()) return {{first}, {second}};
  return {{first}};
}

std::string wanted(const AddressRequest& request) {
  switch (request.policy) {
    case IpFamilyPolicy::RequireDualStack:
      return "an IPv4 and an IPv6 address";
    case IpFamilyPolicy::PreferDualStack:
      return "an address";
    case IpFamilyPolicy::SingleStack:
      break;
  }
  return request.families.empty() ? "an address"
                                  : "an " + std::string{net::print(request.families.front())} + " address";
}

// Do these addresses, one per family, fit what the service says of families?
std::optional<Refusal> family_mismatch(const AddressRequest& request, const std::vector<net::IpAddress>& addresses) {
  if (addresses.size() > 2 || (addresses.size() == 2 && addresses[0].family() == addresses[1].family()))
    return Refusal{"FamilyMismatch", "a service has one address of a family at most, asked for " + list(addresses)};
  if (request.policy == IpFamilyPolicy::RequireDualStack && addresses.size() != 2)
    return Refusal{"FamilyMismatch",
                   "ipFamilyPolicy RequireDualStack needs an address of both families, got " + list(addresses)};
  if (request.policy == IpFamilyPolicy::SingleStack && addresses.size() > 1)
    return Refusal{"FamilyMismatch", "ipFamilyPolicy SingleStack allows one address, got " + list(addresses)};
  if (request.policy == IpFamilyPolicy::SingleStack && !request.families.empty() &&
      addresses.front().family() != request.families.front())
    return Refusal{"FamilyMismatch", "the service is " + std::string{net::print(request.families.front())} +
                                         " only, got " + net::print(addresses.front())};
  return std::nullopt;
}

bool allows(const std::set<std::string>& namespaces, const std::string& one) {
  return namespaces.contains(one) || namespaces.contains("*");
}

}  // namespace

void Allocator::set_pools(const std::map<std::string, config::IPAddressPool>& pools) {
  std::map<std::string, Pool> next;
  pool_by_start_.clear();
  for (const auto& [name, spec] : pools) {
    const auto buggy = spec.avoid_buggy_ips ? BuggyAddresses::Avoid : BuggyAddresses::Use;
    auto& pool = next.emplace(name, Pool{spec, FreeAddresses{spec.addresses, buggy}, {}, 0}).first->second;
    for (const auto& range : spec.addresses) pool_by_start_[range.first()] = name;
    // Quarantines outlive an edit of the pool.
    if (const auto before = pools_.find(name); before != pools_.end())
      for (const auto& [address, until] : before->second.free.quarantine())
        if (pool.free.take(address)) pool.free.release(address, until);
  }
  pools_ = std::move(next);
  shared_.clear();
  for (auto& [address, use] : in_use_) {
    auto* pool = pool_of(address);
    use.pool = pool == nullptr ? "" : pool->spec.meta.name;
    if (pool == nullptr) continue;
    pool->free.take(address);
    ++pool->assigned[address.family()];
    if (!use.sharing_key.empty()) shared_[{use.pool, use.sharing_key}].insert(address);
  }
  for (auto& [service, assignment] : assignments_) {
    auto* pool = pool_of(assignment.addresses.front());
    assignment.pool = pool == nullptr ? "" : pool->spec.meta.name;
    if (pool != nullptr) ++pool->services;
  }
}

const Allocator::Pool* Allocator::pool_of(const net::IpAddress& address) const {
  const auto at = pool_by_start_.upper_bound(address);
  if (at == pool_by_start_.begin()) return nullptr;
  const auto& pool = pools_.at(std::prev(at)->second);
  return pool.free.contains(address) ? &pool : nullptr;
}

Allocator::Pool* Allocator::pool_of(const net::IpAddress& address) {
  return const_cast<Pool*>(std::as_const(*this).pool_of(address));
}

// The pools to try, best first: those made for this service by priority (0 last), then those for everybody.
std::vector<Allocator::Pool*> Allocator::candidates(const AddressRequest& request) {
  std::vector<Pool*> pinned;
  std::vector<Pool*> open;
  for (auto& [name, pool] : pools_) {
    const auto& rule = pool.spec.service_allocation;
    if (rule && !selects(*rule, request)) continue;
    if (!request.pool.empty()) {
      if (name == request.pool) return {&pool};
    } else if (pool.spec.auto_assign) {
      (rule ? pinned : open).push_back(&pool);
    }
  }
  const auto rank = [](const Pool* pool) {
    const auto priority = pool->spec.service_allocation->priority;
    return priority == 0 ? std::numeric_limits<int>::max() : priority;
  };
  std::stable_sort(pinned.begin(), pinned.end(), [&](const Pool* a, const Pool* b) { return rank(a) < rank(b); });
  pinned.insert(pinned.end(), open.begin(), open.end());
  return pinned;
}

// What stops this request from being on this address; nothing when it is free or can be shared.
std::optional<Refusal> Allocator::obstacle(const net::IpAddress& address, const AddressRequest& request,
                                           PoolRules rules) const {
  const auto found = in_use_.find(address);
  if (found == in_use_.end()) return std::nullopt;
  const auto& use = found->second;
  const auto text = net::print(address);
  const auto& other = use.holders.front().service;
  if (request.sharing_key.empty() || use.sharing_key.empty())
    return Refusal{"AddressInUse", text + " is used by service " + other};
  if (request.sharing_key != use.sharing_key)
    return Refusal{"SharingKeyDiffers", text + " is used by service " + other + " with another sharing key"};
  // A key is no secret: who can read Services knows it. So it opens nothing beyond its namespace by itself.
  for (const auto& holder : use.holders)
    if (rules == PoolRules::Enforce && holder.namespace_name != request.namespace_name &&
        !(allows(holder.shares_with, request.namespace_name) && allows(request.shares_with, holder.namespace_name)))
      return Refusal{"SharingNamespaceDiffers",
                     text + " is used by service " + holder.service +
                         " of another namespace; both services have to allow that by the annotation "
                         "herald.dev/share-with-namespaces"};
  for (const auto& holder : use.holders)
    if (ports_overlap(holder.ports, request.ports))
      return Refusal{"PortInUse", text + " is shared, but service " + holder.service + " has one of the same ports"};
  if (use.traffic_policy != request.traffic_policy)
    return Refusal{"SharingPolicyDiffers",
                   text + " is shared with service " + other + ", whose externalTrafficPolicy differs"};
  if (request.traffic_policy == config::TrafficPolicy::Local && use.selector != request.selector)
    return Refusal{"SharingPolicyDiffers", text + " is shared with service " + other +
                                               ": with externalTrafficPolicy Local both need the same selector"};
  return std::nullopt;
}

// An address to share when the request may share one, else the lowest free one.
std::optional<net::IpAddress> Allocator::choose_one(Pool& pool, Family family, const AddressRequest& request) {
  if (!request.sharing_key.empty()) {
    const auto sharing = shared_.find({pool.spec.meta.name, request.sharing_key});
    if (sharing != shared_.end())
      for (const auto& address : sharing->second)
        if (address.family() == family && !obstacle(address, request, PoolRules::Enforce)) return address;
  }
  if (const auto held = last_held_.find(request.service); held != last_held_.end())
    for (const auto& address : held->second)
      if (address.family() == family && pool.free.quarantined(address) && pool.free.take(address)) return address;
  return pool.free.take_lowest(family);
}

Allocated Allocator::choose_from(Pool& pool, const AddressRequest& request) {
  for (const auto& way : ways(request)) {
    Assignment assignment{pool.spec.meta.name, {}};
    for (const auto family : way)
      if (const auto address = choose_one(pool, family, request)) assignment.addresses.push_back(*address);
    if (assignment.addresses.size() == way.size()) return assignment;
    for (const auto& address : assignment.addresses)
      if (!in_use_.contains(address)) pool.free.give_back(address);
  }
  // Nothing that changes by itself, such as how many addresses are in quarantine: every change of the text would be
  // told to every service that waits. The pool's status has the numbers.
  return net::fail(Refusal{
      "PoolExhausted",
      "pool " + pool.spec.meta.name + " has no free address left for this service, which wants " + wanted(request)});
}

Allocated Allocator::choose_exactly(const AddressRequest& request, PoolRules rules) {
  if (auto mismatch = family_mismatch(request, request.addresses)) return net::fail(std::move(*mismatch));
  auto* pool = pool_of(request.addresses.front());
  for (const auto& address : request.addresses) {
    auto* holding = pool_of(address);
    if (holding == nullptr)
      return net::fail(Refusal{"AddressNotInPool", "no pool has the requested address " + net::print(address)});
    if (holding != pool)
      return net::fail(Refusal{"AddressesInSeveralPools", "the requested addresses " + list(request.addresses) +
                                                              " are not of one pool: " + pool->spec.meta.name +
                                                              " and " + holding->spec.meta.name});
  }
  const auto& name = pool->spec.meta.name;
  if (!request.pool.empty() && request.pool != name)
    return net::fail(Refusal{"PoolMismatch", "the requested address is of pool " + name +
                                                 ", but the service asks for pool " + request.pool});
  if (rules == PoolRules::Enforce && pool->spec.service_allocation && !selects(*pool->spec.service_allocation, request))
    return net::fail(Refusal{"PoolNotAllowed", "pool " + name + " does not allow this service (serviceAllocation)"});
  for (const auto& address : request.addresses)
    if (auto problem = obstacle(address, request, rules)) return net::fail(std::move(*problem));
  for (const auto& address : request.addresses) pool->free.take(address);
  return Assignment{name, request.addresses};
}

Allocated Allocator::choose(const AddressRequest& request) {
  if (pools_.empty()) return net::fail(Refusal{"NoPools", "there is no IPAddressPool"});
  if (!request.addresses.empty()) return choose_exactly(request, PoolRules::Enforce);
  if (!request.pool.empty() && !pools_.contains(request.pool))
    return net::fail(Refusal{"UnknownPool", "there is no pool named " + request.pool});
  const auto pools = candidates(request);
  if (pools.empty()) {
    return net::fail(
        request.pool.empty()
            ? Refusal{"NoPoolAllowed", "no pool with autoAssign allows this service (serviceAllocation)"}
            : Refusal{"PoolNotAllowed", "pool " + request.pool + " does not allow this service (serviceAllocation)"});
  }
  // A dual-stack pool goes before a better one of one family (the first way before the second).
  std::optional<Refusal> first_refusal;
  for (auto way : ways(request)) {
    auto narrowed = request;
    narrowed.policy = way.size() == 2 ? IpFamilyPolicy::RequireDualStack : IpFamilyPolicy::SingleStack;
    narrowed.families = std::move(way);
    for (auto* pool : pools) {
      auto chosen = choose_from(*pool, narrowed);
      if (chosen) return chosen;
      if (!first_refusal) first_refusal = std::move(chosen.error());
    }
  }
  if (pools.size() > 1)
    first_refusal->message = "none of the " + std::to_string(pools.size()) + " pools that allow this service has " +
                             wanted(request) + " left; " + first_refusal->message;
  return net::fail(std::move(*first_refusal));
}

Allocated Allocator::allocate(const AddressRequest& request, net::TimePoint now) {
  expire(now);
  // Its own addresses must not stand in its way, and are the first that are tried in their pool: where it needs
  // another of one family, it keeps the one of the other.
  const auto before = let_go(request.service, now);
  if (before) last_held_[request.service] = before->addresses;
  auto chosen = choose(request);
  if (chosen) hold(request, *chosen);
  if (before && chosen) rest(*before, now);
  if (before && !chosen) restore(request, *before, now);
  if (before) last_held_.erase(request.service);
  return chosen;
}

Allocated Allocator::adopt(const AddressRequest& request, const std::vector<net::IpAddress>& addresses,
                           net::TimePoint now) {
  if (addresses.empty()) return net::fail(Refusal{"NoAddress", "the service has no address"});
  const std::set<net::IpAddress> asked{request.addresses.begin(), request.addresses.end()};
  if (!asked.empty() && asked != std::set<net::IpAddress>{addresses.begin(), addresses.end()})
    return net::fail(
        Refusal{"RequestChanged", "the service has " + list(addresses) + " and asks for " + list(request.addresses)});
  expire(now);
  const auto before = let_go(request.service, now);
  if (before) expire(now);
  auto exact = request;
  exact.addresses = addresses;
  auto chosen = choose_exactly(exact, PoolRules::Waive);
  if (chosen) hold(request, *chosen);
  if (before && chosen) rest(*before, now);
  if (before && !chosen) restore(request, *before, now);
  return chosen;
}

void Allocator::restore(const AddressRequest& request, const Assignment& before, net::TimePoint now) {
  const auto barred = std::any_of(before.addresses.begin(), before.addresses.end(), [&](const auto& address) {
    return pool_of(address) == nullptr || obstacle(address, request, PoolRules::Waive);
  });
  if (barred) return rest(before, now);
  for (const auto& address : before.addresses) pool_of(address)->free.take(address);
  hold(request, before);
}

void Allocator::rest(const Assignment& given_up, net::TimePoint now) {
  for (const auto& address : given_up.addresses) {
    auto* pool = pool_of(address);
    if (pool != nullptr && !in_use_.contains(address) && pool->free.take(address))
      pool->free.release(address, now + pool->spec.quarantine);
  }
}

Allocated Allocator::widen(const AddressRequest& request, net::TimePoint now) {
  expire(now);
  const auto held = assignments_.find(request.service);
  if (held == assignments_.end() || held->second.addresses.size() != 1)
    return net::fail(Refusal{"NotSingle", "the service does not have exactly one address"});
  const auto pool = pools_.find(held->second.pool);
  const auto missing = held->second.addresses.front().is_v4() ? Family::Ipv6 : Family::Ipv4;
  const auto address = pool == pools_.end() ? std::nullopt : choose_one(pool->second, missing, request);
  if (!address)
    return net::fail(Refusal{"PoolExhausted", "pool " + held->second.pool + " has no free " +
                                                  std::string{net::print(missing)} + " address"});
  auto wider = held->second;
  wider.addresses.push_back(*address);
  if (!request.families.empty() && request.families.front() == missing)
    std::swap(wider.addresses[0], wider.addresses[1]);
  // Off and on again, so that every book is kept in one place; the address it keeps is taken back at once.
  let_go(request.service, now);
  expire(now);
  for (const auto& kept : wider.addresses) pool->second.free.take(kept);
  hold(request, wider);
  return wider;
}

void Allocator::release(const std::string& service, net::TimePoint now) {
  expire(now);
  const auto held = assignments_.find(service);
  if (held == assignments_.end()) return;
  const auto pool = pools_.find(held->second.pool);
  const auto rest = pool == pools_.end() ? std::chrono::seconds{0} : pool->second.spec.quarantine;
  const auto before = let_go(service, now + rest);
  if (rest.count() == 0) return;
  for (const auto& address : before->addresses)
    if (!in_use_.contains(address)) last_holder_[address] = service;
  last_held_[service] = before->addresses;
}

void Allocator::recall(const std::string& service, const net::IpAddress& address, net::TimePoint released,
                       net::TimePoint now) {
  auto* pool = pool_of(address);
  if (pool == nullptr || in_use_.contains(address)) return;
  // A clock that was set back must not make a quarantine longer than the pool says.
  const auto until = std::min(released, now) + pool->spec.quarantine;
  if (until <= now || pool->free.quarantined(address) || !pool->free.take(address)) return;
  pool->free.release(address, until);
  if (assignments_.contains(service)) return;
  last_holder_[address] = service;
  last_held_[service].push_back(address);
}

std::chrono::seconds Allocator::longest_quarantine() const {
  std::chrono::seconds longest{0};
  for (const auto& [name, pool] : pools_) longest = std::max(longest, pool.spec.quarantine);
  return longest;
}

void Allocator::hold(const AddressRequest& request, const Assignment& assignment) {
  for (const auto& address : assignment.addresses) {
    auto& use = in_use_[address];
    auto& pool = pools_.at(assignment.pool);
    if (use.holders.empty()) {
      ++pool.assigned[address.family()];
      if (!request.sharing_key.empty()) shared_[{assignment.pool, request.sharing_key}].insert(address);
      use = InUse{assignment.pool, request.sharing_key, request.traffic_policy, request.selector, {}};
    }
    use.holders.push_back({request.service, request.ports, request.namespace_name, request.shares_with});
  }
  ++pools_.at(assignment.pool).services;
  assignments_[request.service] = assignment;
  last_held_.erase(request.service);
}

std::optional<Assignment> Allocator::let_go(const std::string& service, net::TimePoint until) {
  const auto held = assignments_.find(service);
  if (held == assignments_.end()) return std::nullopt;
  auto assignment = std::move(held->second);
  assignments_.erase(held);
  const auto pool = pools_.find(assignment.pool);
  for (const auto& address : assignment.addresses) {
    const auto found = in_use_.find(address);
    auto& use = found->second;
    std::erase_if(use.holders, [&](const Holder& holder) { return holder.service == service; });
    if (!use.holders.empty()) continue;
    if (pool != pools_.end()) {
      --pool->second.assigned[address.family()];
      pool->second.free.release(address, until);
      if (!use.sharing_key.empty()) {
        const auto sharing = shared_.find({assignment.pool, use.sharing_key});
        sharing->second.erase(address);
        if (sharing->second.empty()) shared_.erase(sharing);
      }
    }
    in_use_.erase(found);
  }
  if (pool != pools_.end()) --pool->second.services;
  return assignment;
}

void Allocator::expire(net::TimePoint now) {
  for (auto& [name, pool] : pools_) {
    for (const auto& address : pool.free.expire(now)) {
      // Whoever had it has no claim to it any more.
      const auto holder = last_holder_.find(address);
      if (holder == last_holder_.end()) continue;
      last_held_.erase(holder->second);
      last_holder_.erase(holder);
    }
  }
}

const Assignment* Allocator::assignment(const std::string& service) const {
  const auto held = assignments_.find(service);
  return held == assignments_.end() ? nullptr : &held->second;
}

std::vector<std::string> Allocator::orphans() const {
  std::vector<std::string> services;
  for (const auto& [address, use] : in_use_)
    if (use.pool.empty())
      for (const auto& holder : use.holders) services.push_back(holder.service);
  std::sort(services.begin(), services.end());
  services.erase(std::unique(services.begin(), services.end()), services.end());
  return services;
}

std::optional<net::TimePoint> Allocator::next_expiry() const {
  std::optional<net::TimePoint> earliest;
  for (const auto& [name, pool] : pools_)
    if (const auto next = pool.free.next_expiry(); next && (!earliest || *next < *earliest)) earliest = next;
  return earliest;
}

Allocator::Usage Allocator::usage(const std::string& pool, Family family) const {
  const auto found = pools_.find(pool);
  if (found == pools_.end()) return {};
  const auto assigned = found->second.assigned.find(family);
  return {found->second.free.capacity(family), assigned == found->second.assigned.end() ? 0 : assigned->second,
          found->second.free.quarantined(family)};
}

std::size_t Allocator::services(const std::string& pool) const {
  const auto found = pools_.find(pool);
  return found == pools_.end() ? 0 : found->second.services;
}

}  // namespace controller
