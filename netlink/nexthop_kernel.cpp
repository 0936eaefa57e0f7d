// SPDX-License-Identifier: Apache-2.0
// The kernel's side of NexthopTable: what it says, what it is asked, how it answers.
#include <algorithm>
#include <cerrno>

#include "netlink/nexthop_table.hpp"

namespace netlink {
namespace {

constexpr std::uint32_t narrow_weight = 256;  // the most a kernel before 6.12 takes

Resolution content_of(const NexthopMessage& message) {
  const auto none =
      message.family == net::Family::Ipv4 ? net::IpAddress{net::Ipv4Address{}} : net::IpAddress{net::Ipv6Address{}};
  return {Reach::Resolved, message.gateway.value_or(none), message.interface, message.onlink};
}

std::vector<GroupMember> by_id(std::vector<GroupMember> members) {
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return members;
}

// The type and the number of buckets of a group are for life.
bool same_type(const std::optional<Resilience>& a, const std::optional<Resilience>& b) {
  return a.has_value() == b.has_value() && (!a || a->buckets == b->buckets);
}

}  // namespace

// ---- what the kernel says ----

bool NexthopTable::kernel_says(const NexthopMessage& message) {
  if (!owns(message.id)) return false;
  if (message.change == Change::Deleted) return gone(message.id);
  const auto* known = find_slot(message.id);
  if (known != nullptr && known->kind == Slot::Kind::Hop) return hop_is(known->owner, message);
  if (known != nullptr && known->kind == Slot::Kind::Group) return group_is(known->owner, message);
  // Somebody else's object in our range is left alone; we find out when we ask for its id.
  if (message.protocol != protocol_) {
    if (known != nullptr) slot(message.id).seen = true;
    return false;
  }
  adopted_[message.id] = message;
  auto& fresh = slot(message.id);
  fresh.kind = Slot::Kind::Adopted;
  fresh.seen = true;
  adopted_idle_ = true;
  return false;
}

bool NexthopTable::hop_is(std::uint32_t index, const NexthopMessage& message) {
  auto& hop = hops_[index];
  slot(message.id).seen = true;
  const auto content = content_of(message);
  if (hop.in_kernel && hop.kernel == content && message.protocol == protocol_) return false;
  hop.in_kernel = true;
  hop.kernel = content;
  if (message.protocol != protocol_) hop.kernel.interface = 0;  // not as we want it, whatever it is
  hop.changed = hops_changed_ = true;
  touch(index);
  return !(hop.kernel == hop.want);
}

bool NexthopTable::group_is(std::uint32_t index, const NexthopMessage& message) {
  auto& set = sets_[index];
  slot(message.id).seen = true;
  if (set.in_kernel && set.kernel == message.members) return false;
  put_group(set, message.members);
  touch_set(index);
  return set.kernel != wanted_members(set);
}

bool NexthopTable::gone(std::uint32_t id) {
  const auto* known = find_slot(id);
  if (known == nullptr) return false;
  const auto owner = known->owner;
  switch (known->kind) {
    case Slot::Kind::Hop:
      if (!hops_[owner].in_kernel) return false;
      hop_gone(owner);
      return true;
    case Slot::Kind::Group:
      if (!sets_[owner].in_kernel) return false;
      group_gone(owner);
      return true;
    case Slot::Kind::Adopted:
      adopted_gone(id);
      return false;
    case Slot::Kind::Foreign:
      give_back(id);
      return false;
    case Slot::Kind::Free:
      break;
  }
  return false;
}

void NexthopTable::hop_gone(std::uint32_t index) {
  auto& hop = hops_[index];
  hop.in_kernel = false;
  hop.changed = hops_changed_ = true;
  touch(index);
  lose(hop.id);
  member_gone(hop.id);
  if (hop.sets == 0) idle_hops_.push_back(index);
}

// The kernel shrinks the groups of a deleted object; a group that would be empty goes, and its routes
// with it, and of neither does it say a word.
void NexthopTable::member_gone(std::uint32_t id) {
  const auto is_it = [&](const GroupMember& member) { return member.id == id; };
  for (std::uint32_t index = 0; index < sets_.size(); ++index) {
    auto& set = sets_[index];
    if (!set.in_kernel || std::none_of(set.kernel.begin(), set.kernel.end(), is_it)) continue;
    auto left = set.kernel;
    std::erase_if(left, is_it);
    put_group(set, std::move(left));
    touch_set(index);
    if (set.kernel.empty()) group_gone(index);
  }
  std::vector<std::uint32_t> emptied;
  for (auto& [group, message] : adopted_) {
    if (std::erase_if(message.members, is_it) != 0 && message.members.empty()) emptied.push_back(group);
  }
  for (const auto group : emptied) adopted_gone(group);
}

void NexthopTable::group_gone(std::uint32_t index) {
  auto& set = sets_[index];
  put_group(set, {});
  set.in_kernel = false;
  touch_set(index);
  lose(set.id);
  refresh(set);
  if (set.wanted == 0) idle_sets_.push_back(index);
}

void NexthopTable::adopted_gone(std::uint32_t id) {
  const auto at = adopted_.find(id);
  if (at == adopted_.end()) return;
  const auto is_group = !at->second.members.empty();
  count_group(at->second.members, 0);  // its members may be idle now
  adopted_.erase(at);
  lose(id);
  const auto gone_id = id;
  give_back(id);
  if (!is_group) member_gone(gone_id);
}

void NexthopTable::lose(std::uint32_t id) {
  if (id == 0 || slot(id).routes == 0) return;
  slot(id).lost = true;
  lost_ids_.push_back(id);
  rescan_ = true;
}

bool NexthopTable::lost(std::uint32_t id) const {
  const auto* known = owns(id) ? find_slot(id) : nullptr;
  return known != nullptr && known->lost;
}

void NexthopTable::forget_losses() {
  for (const auto id : lost_ids_) slot(id).lost = false;
  lost_ids_.clear();
}

void NexthopTable::link_lost(std::uint32_t interface) {
  for (std::uint32_t index = 0; index < hops_.size(); ++index) {
    if (hops_[index].in_kernel && hops_[index].kernel.interface == interface) hop_gone(index);
  }
  std::vector<std::uint32_t> ids;
  for (const auto& [id, message] : adopted_) {
    if (message.interface == interface) ids.push_back(id);
  }
  for (const auto id : ids) adopted_gone(id);
}

void NexthopTable::begin_resync() {
  for (auto& known : slots_) known.seen = false;
}

std::size_t NexthopTable::end_resync() {
  std::size_t missing = 0;
  for (std::uint32_t offset = 0; offset < slots_.size(); ++offset) {
    if (!slots_[offset].seen && gone(ids_.first + offset)) ++missing;
  }
  return missing;
}

void NexthopTable::sweep() {
  swept_ = true;
  adopted_idle_ = true;
}

// ---- what the kernel is asked ----

void NexthopTable::plan(std::vector<Operation>& out, net::TimePoint now) {
  for (const auto index : std::exchange(dirty_hops_, {})) plan_hop(index, out, now);
  if (!out.empty()) return;
  tell_sets();
  for (const auto index : std::exchange(dirty_sets_, {})) plan_set(index, out, now);
}

void NexthopTable::plan_hop(std::uint32_t index, std::vector<Operation>& out, net::TimePoint now) {
  auto& hop = hops_[index];
  hop.dirty = false;
  if (!hop.live) return;
  if (hop.want.reach != Reach::Resolved || hop.sets == 0) {
    idle_hops_.push_back(index);
    return;
  }
  if (hop.in_kernel && hop.kernel == hop.want) return;
  if (now < hop.retry.at) return touch(index);
  if (hop.id == 0 && claim(hop, index)) return;
  if (hop.id == 0) hop.id = take_id(Slot::Kind::Hop, index);
  if (hop.id == 0) return refused(hop.retry, {ENOSPC, "all nexthop ids are taken"}, now), touch(index);
  out.emplace_back(NexthopOperation{hop.in_kernel ? Verb::Replace : Verb::Add, hop.id, hop.want.via, hop.want.interface,
                                    hop.want.onlink});
}

void NexthopTable::plan_set(std::uint32_t index, std::vector<Operation>& out, net::TimePoint now) {
  auto& set = sets_[index];
  set.dirty = false;
  if (!set.live || !set.is_group()) return;
  auto members = wanted_members(set);
  if (members.empty() || set.wanted == 0) {
    idle_sets_.push_back(index);
    return;
  }
  if (set.in_kernel && set.kernel == members) return;
  if (now < set.retry.at) return touch_set(index);
  if (set.id == 0 && claim(set, index, members)) return;
  if (set.id == 0) set.id = take_id(Slot::Kind::Group, index);
  if (set.id == 0) return refused(set.retry, {ENOSPC, "all nexthop ids are taken"}, now), touch_set(index);
  out.emplace_back(GroupOperation{set.in_kernel ? Verb::Replace : Verb::Add, set.id, std::move(members)});
}

std::vector<GroupMember> NexthopTable::wanted_members(const Set& set) const {
  std::vector<GroupMember> all;
  std::vector<GroupMember> allowed;
  std::uint32_t heaviest = 0;
  for (const auto& [index, weight] : set.members) {
    const auto& hop = hops_[index];
    if (!usable(hop)) continue;
    all.push_back({hop.id, weight});
    if (!hop.suspended) allowed.push_back(all.back());
    heaviest = std::max(heaviest, weight);
  }
  // When every one is suspended there is nowhere to turn to.
  auto& chosen = allowed.empty() ? all : allowed;
  if (!wide_weights_ && heaviest > narrow_weight) {
    for (auto& member : chosen) member.weight = std::max(1U, member.weight * narrow_weight / heaviest);
  }
  return chosen;
}

// An object of an earlier life that is just what we need keeps its id, and its routes stay untouched.
bool NexthopTable::claim(Hop& hop, std::uint32_t index) {
  const auto at = std::find_if(adopted_.begin(), adopted_.end(), [&](const auto& entry) {
    const auto& message = entry.second;
    return message.members.empty() && !message.blackhole && content_of(message) == hop.want;
  });
  if (at == adopted_.end()) return false;
  hop.id = at->first;
  hop.in_kernel = true;
  hop.kernel = hop.want;
  hop.changed = hops_changed_ = true;
  auto& claimed = slot(hop.id);
  claimed.kind = Slot::Kind::Hop;
  claimed.owner = index;
  adopted_.erase(at);
  return true;
}

bool NexthopTable::claim(Set& set, std::uint32_t index, const std::vector<GroupMember>& members) {
  const auto sorted = by_id(members);
  const auto at = std::find_if(adopted_.begin(), adopted_.end(), [&](const auto& entry) {
    return same_type(entry.second.resilience, resilience_) && by_id(entry.second.members) == sorted;
  });
  if (at == adopted_.end()) return false;
  set.id = at->first;
  auto& claimed = slot(set.id);
  claimed.kind = Slot::Kind::Group;
  claimed.owner = index;
  adopted_.erase(at);
  put_group(set, members);
  return true;
}

void NexthopTable::plan_deletions(std::vector<Operation>& out) {
  plan_group_deletions(out);
  if (out.empty()) plan_hop_deletions(out);
  if (out.empty() && swept_ && adopted_idle_) plan_adopted_deletions(out);
}

void NexthopTable::plan_group_deletions(std::vector<Operation>& out) {
  auto idle = std::exchange(idle_sets_, {});
  std::sort(idle.begin(), idle.end());
  idle.erase(std::unique(idle.begin(), idle.end()), idle.end());
  for (const auto index : idle) {
    auto& set = sets_[index];
    if (!set.live || (set.wanted > 0 && target(index) != 0)) continue;
    if (set.in_kernel) {
      if (slot(set.id).routes == 0) out.emplace_back(NexthopOperation{Verb::Delete, set.id});
    } else if (set.wanted == 0) {
      free_set(index);
    }
  }
}

void NexthopTable::plan_hop_deletions(std::vector<Operation>& out) {
  auto idle = std::exchange(idle_hops_, {});
  std::sort(idle.begin(), idle.end());
  idle.erase(std::unique(idle.begin(), idle.end()), idle.end());
  for (const auto index : idle) {
    auto& hop = hops_[index];
    if (!hop.live || (hop.sets > 0 && hop.want.reach == Reach::Resolved)) continue;
    if (hop.in_kernel) {
      if (hop.groups > 0 || slot(hop.id).routes > 0 || in_adopted_group(hop.id)) continue;
      out.emplace_back(NexthopOperation{Verb::Delete, hop.id});
    } else if (hop.sets == 0) {
      free_hop(index);
    }
  }
}

void NexthopTable::plan_adopted_deletions(std::vector<Operation>& out) {
  for (const auto& [id, message] : adopted_) {
    if (!message.members.empty() && slot(id).routes == 0) out.emplace_back(NexthopOperation{Verb::Delete, id});
  }
  if (!out.empty()) return;
  for (const auto& [id, message] : adopted_) {
    if (message.members.empty() && slot(id).routes == 0 && !in_adopted_group(id))
      out.emplace_back(NexthopOperation{Verb::Delete, id});
  }
  if (out.empty()) adopted_idle_ = false;
}

// ---- how the kernel answers ----

void NexthopTable::refused(Retry& retry, const KernelError& error, net::TimePoint now) {
  retry.at = now + backoff(++retry.failures);
  retry.text = std::make_shared<const std::string>(print(error));
}

// The id means something to somebody else: take another, and look what is going on.
void NexthopTable::id_taken(std::uint32_t& id) {
  slot(id).kind = Slot::Kind::Foreign;
  slot(id).owner = 0;
  id = 0;
  doubt_ = true;
}

void NexthopTable::complete(const NexthopOperation& operation, const KernelError* error, net::TimePoint now) {
  const auto* known = find_slot(operation.id);
  if (known == nullptr) return;
  const auto owner = known->owner;
  if (operation.verb == Verb::Delete) {
    if (error != nullptr && error->number != ENOENT) {
      doubt_ = true;
      return;
    }
    if (known->kind == Slot::Kind::Adopted) return adopted_gone(operation.id);
    (void)gone(operation.id);
    if (known->kind == Slot::Kind::Group) give_back(sets_[owner].id);
    if (known->kind == Slot::Kind::Hop) give_back(hops_[owner].id);
    return;
  }
  if (known->kind != Slot::Kind::Hop) return;
  auto& hop = hops_[owner];
  if (error == nullptr) {
    hop.in_kernel = true;
    hop.kernel = {Reach::Resolved, operation.gateway, operation.interface, operation.onlink};
    hop.retry = {};
  } else if (error->number == EEXIST && operation.verb == Verb::Add) {
    id_taken(hop.id);
  } else if (error->number == ENOENT && operation.verb == Verb::Replace) {
    hop_gone(owner);
  } else {
    refused(hop.retry, *error, now);
  }
  hop.changed = hops_changed_ = true;
  if (!(hop.in_kernel && hop.kernel == hop.want)) touch(owner);
}

void NexthopTable::complete(const GroupOperation& operation, const KernelError* error, net::TimePoint now) {
  const auto* known = find_slot(operation.id);
  if (known == nullptr || known->kind != Slot::Kind::Group) return;
  const auto owner = known->owner;
  auto& set = sets_[owner];
  if (error == nullptr) {
    set.retry = {};
    return put_group(set, operation.members);
  }
  const auto wide = std::any_of(operation.members.begin(), operation.members.end(),
                                [](const auto& member) { return member.weight > narrow_weight; });
  if (error->number == EEXIST && operation.verb == Verb::Add) {
    id_taken(set.id);
  } else if (error->number == ENOENT && operation.verb == Verb::Replace) {
    group_gone(owner);
  } else if (error->number == EINVAL && wide && wide_weights_) {
    wide_weights_ = false;
  } else {
    doubt_ = true;  // perhaps a member is not there
    refused(set.retry, *error, now);
  }
  touch_set(owner);
}

std::optional<net::TimePoint> NexthopTable::next_deadline() const {
  std::optional<net::TimePoint> earliest;
  const auto consider = [&](const Retry& retry) {
    if (retry.failures > 0 && (!earliest || retry.at < *earliest)) earliest = retry.at;
  };
  for (const auto index : dirty_hops_) consider(hops_[index].retry);
  for (const auto index : dirty_sets_) consider(sets_[index].retry);
  return earliest;
}

}  // namespace netlink
