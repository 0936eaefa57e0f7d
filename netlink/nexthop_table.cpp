// SPDX-License-Identifier: Apache-2.0
// The desired side: sets, gateways, ids and references. What the kernel says and is asked is in
// nexthop_kernel.cpp.
#include "netlink/nexthop_table.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace netlink {
namespace {

constexpr net::Milliseconds first_backoff{100};
constexpr net::Milliseconds longest_backoff{30'000};
// A freed id rests until this many others are free, so that late news of its old meaning does not hit
// the new one.
constexpr std::size_t resting_ids = 64;

// In order of gateway, duplicates once with their larger weight, weights without common divisor: equal
// sets look equal, and the kernel's order of a group is ours.
std::vector<NextHop> canonical(std::span<const NextHop> next_hops) {
  std::vector<NextHop> out{next_hops.begin(), next_hops.end()};
  for (auto& hop : out) hop.weight = std::max<std::uint16_t>(hop.weight, 1);
  std::sort(out.begin(), out.end(), [](const NextHop& a, const NextHop& b) {
    return std::tie(a.gateway, a.interface, b.weight) < std::tie(b.gateway, b.interface, a.weight);
  });
  const auto same = [](const NextHop& a, const NextHop& b) {
    return a.gateway == b.gateway && a.interface == b.interface;
  };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  if (out.size() > NexthopTable::most_members) out.resize(NexthopTable::most_members);
  std::uint16_t divisor = 0;
  for (const auto& hop : out) divisor = std::gcd(divisor, hop.weight);
  for (auto& hop : out) hop.weight = static_cast<std::uint16_t>(hop.weight / divisor);
  return out;
}

}  // namespace

net::Duration backoff(unsigned failures) {
  const auto doublings = std::min(failures == 0 ? 0U : failures - 1, 16U);
  return std::min<net::Duration>(first_backoff * (1U << doublings), longest_backoff);
}

NexthopTable::NexthopTable(IdRange ids, std::uint8_t protocol, std::optional<Resilience> resilience, Resolve resolve)
    : ids_{ids}, protocol_{protocol}, resilience_{resilience}, resolve_{std::move(resolve)} {}

// ---- sets and gateways ----

NexthopTable::SetIndex NexthopTable::intern(std::span<const NextHop> next_hops) {
  std::vector<Member> members;
  std::uint64_t hash = 0;
  for (const auto& next_hop : canonical(next_hops)) {
    members.push_back({hop_of(next_hop), next_hop.weight});
    hash = (hash ^ members.back().hop ^ std::uint64_t{next_hop.weight} << 40) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 32;
  }
  const auto [first, last] = set_index_.equal_range(hash);
  for (auto at = first; at != last; ++at) {
    if (sets_[at->second].members == members) return at->second;
  }

  if (free_sets_.empty()) {
    free_sets_.push_back(static_cast<std::uint32_t>(sets_.size()));
    sets_.emplace_back();
  }
  const auto index = free_sets_.back();
  free_sets_.pop_back();
  auto& set = sets_[index];
  set = Set{.live = true, .dirty = set.dirty};
  set.members = std::move(members);
  set.hash = hash;
  for (const auto& member : set.members) {
    if (hops_[member.hop].sets++ == 0) touch(member.hop);
  }
  set_index_.emplace(hash, index);
  set.last_target = target(index);
  touch_set(index);
  idle_sets_.push_back(index);  // in case nobody retains it
  return index;
}

void NexthopTable::release(SetIndex set) {
  if (--sets_[set].wanted == 0) idle_sets_.push_back(set);
}

std::uint32_t NexthopTable::hop_of(const NextHop& next_hop) {
  const auto [at, fresh] = hop_index_.try_emplace({next_hop.gateway, next_hop.interface}, 0);
  if (!fresh) return at->second;
  if (free_hops_.empty()) {
    free_hops_.push_back(static_cast<std::uint32_t>(hops_.size()));
    hops_.emplace_back();
  }
  const auto index = free_hops_.back();
  free_hops_.pop_back();
  at->second = index;
  auto& hop = hops_[index];
  hop = Hop{.live = true, .dirty = hop.dirty};
  hop.gateway = next_hop.gateway;
  hop.interface = next_hop.interface;
  hop.want = resolve_(hop.gateway, hop.interface);
  touch(index);
  return index;
}

void NexthopTable::allow(const net::IpAddress& gateway, Use use) {
  for (auto at = hop_index_.lower_bound({gateway, 0}); at != hop_index_.end() && at->first.first == gateway; ++at) {
    auto& hop = hops_[at->second];
    if (hop.suspended == (use == Use::Suspended)) continue;
    hop.suspended = use == Use::Suspended;
    hop.changed = hops_changed_ = true;
  }
}

void NexthopTable::resolve_again() {
  for (const auto& [key, index] : hop_index_) {
    auto& hop = hops_[index];
    auto found = resolve_(hop.gateway, hop.interface);
    if (hop.want == found) continue;
    hop.want = found;
    hop.retry = {};
    hop.changed = hops_changed_ = true;
    touch(index);
  }
}

void NexthopTable::retry_now() {
  for (const auto index : dirty_hops_) hops_[index].retry = {};
  for (const auto index : dirty_sets_) sets_[index].retry = {};
}

void NexthopTable::touch(std::uint32_t hop) {
  if (hops_[hop].dirty) return;
  hops_[hop].dirty = true;
  dirty_hops_.push_back(hop);
}

void NexthopTable::touch_set(std::uint32_t set) {
  sets_[set].why = nullptr;
  if (sets_[set].dirty) return;
  sets_[set].dirty = true;
  dirty_sets_.push_back(set);
}

// Gateways have come, gone or moved to another id: their sets look again.
void NexthopTable::tell_sets() {
  if (!std::exchange(hops_changed_, false)) return;
  for (std::uint32_t index = 0; index < sets_.size(); ++index) {
    auto& set = sets_[index];
    const auto concerned = set.live && std::any_of(set.members.begin(), set.members.end(),
                                                   [&](const Member& member) { return hops_[member.hop].changed; });
    if (!concerned) continue;
    touch_set(index);
    refresh(set);
  }
  for (auto& hop : hops_) hop.changed = false;
}

// Notes a change of the set's target and whether routes must hear of it. Routes that have not been
// looked at since they asked for the set need no second look.
void NexthopTable::refresh(Set& set) {
  const auto index = static_cast<SetIndex>(&set - sets_.data());
  const auto now = target(index);
  if (now == set.last_target) return;
  if (set.wanted > 0 && (set.last_target != 0 || set.parked)) rescan_ = true;
  // Without a target, routes may be found at rest by a rescan and must be called when there is one.
  set.parked = now == 0 && set.wanted > 0;
  set.last_target = now;
  if (now == 0) idle_sets_.push_back(index);
}

std::uint32_t NexthopTable::target(SetIndex index) const {
  const auto& set = sets_[index];
  if (!set.is_group()) {
    const auto& hop = hops_[set.members.front().hop];
    return usable(hop) ? hop.id : 0;
  }
  const auto any = std::any_of(set.members.begin(), set.members.end(),
                               [&](const Member& member) { return usable(hops_[member.hop]); });
  return set.in_kernel && any ? set.id : 0;
}

std::string NexthopTable::describe(const Hop& hop) const {
  const auto name = "next hop " + net::print(hop.gateway);
  switch (hop.want.reach) {
    case Reach::NoPath:
      return "no interface is connected to " + name;
    case Reach::Own:
      return name + " is an address of this host";
    case Reach::LinkDown:
      return "the interface of " + name + " is down";
    case Reach::Resolved:
      break;
  }
  if (hop.retry.text) return name + ": " + *hop.retry.text;
  return name + " is being installed";
}

Text NexthopTable::reason(SetIndex index) {
  auto& set = sets_[index];
  if (!set.why) {
    std::string text;
    if (set.retry.text) text = "group of next hops: " + *set.retry.text;
    for (const auto& member : set.members) {
      if (text.size() > 200) break;
      if (!set.retry.text) text += (text.empty() ? "" : "; ") + describe(hops_[member.hop]);
    }
    set.why = std::make_shared<const std::string>(std::move(text));
  }
  return set.why;
}

// ---- ids and references ----

NexthopTable::Slot& NexthopTable::slot(std::uint32_t id) {
  const auto offset = id - ids_.first;
  if (offset >= slots_.size()) slots_.resize(offset + 1);
  return slots_[offset];
}

const NexthopTable::Slot* NexthopTable::find_slot(std::uint32_t id) const {
  const auto offset = id - ids_.first;
  return offset < slots_.size() ? &slots_[offset] : nullptr;
}

std::uint32_t NexthopTable::take_id(Slot::Kind kind, std::uint32_t owner) {
  const auto take = [&](std::uint32_t id) {
    auto& taken = slot(id);
    taken.kind = kind;
    taken.owner = owner;
    return id;
  };
  const auto spent = [&] { return next_unused_ >= ids_.count; };
  while (!free_ids_.empty() && (free_ids_.size() > resting_ids || spent())) {
    const auto id = free_ids_.front();
    free_ids_.pop_front();
    if (slot(id).kind == Slot::Kind::Free) return take(id);
  }
  while (!spent()) {
    const auto id = ids_.first + next_unused_++;
    if (slot(id).kind == Slot::Kind::Free) return take(id);
  }
  return 0;
}

void NexthopTable::give_back(std::uint32_t& id) {
  if (id == 0) return;
  auto& freed = slot(id);
  freed.kind = Slot::Kind::Free;
  freed.owner = 0;
  free_ids_.push_back(std::exchange(id, 0));
}

void NexthopTable::hold(std::uint32_t id) {
  if (owns(id)) ++slot(id).routes;
}

void NexthopTable::drop(std::uint32_t id) {
  if (!owns(id)) return;
  auto& left = slot(id);
  if (left.routes == 0 || --left.routes != 0) return;
  switch (left.kind) {
    case Slot::Kind::Hop:
      idle_hops_.push_back(left.owner);
      break;
    case Slot::Kind::Group:
      idle_sets_.push_back(left.owner);
      break;
    case Slot::Kind::Adopted:
      adopted_idle_ = true;
      break;
    case Slot::Kind::Free:
    case Slot::Kind::Foreign:
      break;
  }
}

void NexthopTable::free_set(std::uint32_t index) {
  auto& set = sets_[index];
  for (const auto& member : set.members) {
    if (--hops_[member.hop].sets == 0) idle_hops_.push_back(member.hop);
  }
  const auto [first, last] = set_index_.equal_range(set.hash);
  set_index_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == index; }));
  give_back(set.id);
  set = Set{.dirty = set.dirty};  // still in the list
  free_sets_.push_back(index);
}

void NexthopTable::free_hop(std::uint32_t index) {
  auto& hop = hops_[index];
  give_back(hop.id);
  hop_index_.erase({hop.gateway, hop.interface});
  hop = Hop{.dirty = hop.dirty};
  free_hops_.push_back(index);
}

void NexthopTable::put_group(Set& set, std::vector<GroupMember> members) {
  let_go(std::exchange(set.kernel, std::move(members)));
  set.in_kernel = true;
  refresh(set);
}

// Members that a group no longer has may be of no use any more.
void NexthopTable::let_go(const std::vector<GroupMember>& members) {
  for (const auto& member : members) {
    const auto* known = owns(member.id) ? find_slot(member.id) : nullptr;
    if (known != nullptr && known->kind == Slot::Kind::Hop) idle_hops_.push_back(known->owner);
  }
}

std::unordered_set<std::uint32_t> NexthopTable::members_of_groups() const {
  std::unordered_set<std::uint32_t> ids;
  const auto add = [&](const std::vector<GroupMember>& members) {
    for (const auto& member : members) ids.insert(member.id);
  };
  for (const auto& set : sets_) add(set.kernel);
  for (const auto& [id, message] : adopted_) add(message.members);
  return ids;
}

std::size_t NexthopTable::nexthop_count() const {
  return static_cast<std::size_t>(
      std::count_if(hops_.begin(), hops_.end(), [](const Hop& hop) { return hop.in_kernel; }));
}

std::size_t NexthopTable::group_count() const {
  return static_cast<std::size_t>(
      std::count_if(sets_.begin(), sets_.end(), [](const Set& set) { return set.in_kernel; }));
}

}  // namespace netlink
