// SPDX-License-Identifier: Apache-2.0
// The nexthop objects behind the routes: one object per gateway, one group per set of gateways, each
// shared by all routes that use it, so that the loss of a member moves every route in one message.
// Pure: it is told what the kernel has and says what the kernel should be asked; it knows ids and
// references, not prefixes.
//
// The id of an object belongs to the gateway as BGP names it: when the way to the gateway changes, the
// object is replaced under its id and its routes follow. Order is kept by construction: members before
// groups, groups before routes, and nothing is deleted while the kernel has a route or a group on it.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "netlink/error.hpp"
#include "netlink/operations.hpp"

namespace netlink {

struct IdRange {
  std::uint32_t first = first_nexthop_id;
  std::uint32_t count = nexthop_id_count;
};

// How long to leave something alone after it was refused so many times.
[[nodiscard]] net::Duration backoff(unsigned failures);

class NexthopTable {
 public:
  using SetIndex = std::uint32_t;
  static constexpr SetIndex no_set = ~SetIndex{0};
  // More next hops than this are cut off; the kernel's limit is above it.
  static constexpr std::size_t most_members = 1024;

  NexthopTable(IdRange ids, std::uint8_t protocol, std::optional<Resilience> resilience, Resolve resolve);

  // ---- desired ----
  // The set of these next hops in any order, duplicates counted once. Precondition: not empty.
  // An index that is not retained holds until the next plan_deletions().
  SetIndex intern(std::span<const NextHop> next_hops);
  void retain(SetIndex set) {
    // Unwanted, it has not been kept up to date.
    if (sets_[set].wanted++ == 0) touch_set(set);
  }
  void release(SetIndex set);
  // Leaves a gateway out of groups that have others, before BGP has drawn its conclusions; and back.
  void allow(const net::IpAddress& gateway, Use use);
  // Unclaimed objects of an earlier life go once no route is on them.
  void sweep();

  // ---- what routes need ----
  // The id that routes of this set point at; 0 while there is nothing to point at.
  [[nodiscard]] std::uint32_t target(SetIndex set) const;
  // A route found no target: it is to be looked at again when there is one.
  void park(SetIndex set) { sets_[set].parked = true; }
  [[nodiscard]] Text reason(SetIndex set);
  // Routes in the kernel that point at an id; of ids that are not ours nothing is kept.
  void hold(std::uint32_t id);
  void drop(std::uint32_t id);
  // The kernel has taken the routes on this id away.
  [[nodiscard]] bool lost(std::uint32_t id) const;
  // True when targets have changed or ids were lost since the last call: all routes need a look, after
  // which forget_losses() makes the ids fit for use again.
  [[nodiscard]] bool take_rescan() {
    tell_sets();  // routes must be held against the targets that the sets have noted
    return std::exchange(rescan_, false);
  }
  void forget_losses();

  // ---- what the kernel says ----
  // True when it contradicts what we believed, so that something has to be asserted again.
  bool kernel_says(const NexthopMessage& message);
  // A link went down or away, and with it, silently, every object on it.
  void link_lost(std::uint32_t interface);
  // Asks for the way to every gateway again.
  void resolve_again();
  // Something has changed that may have been why objects were refused.
  void retry_now();
  void begin_resync();
  std::size_t end_resync();  // how many objects were missing
  // Set when an answer of the kernel contradicts us.
  [[nodiscard]] bool take_doubt() { return std::exchange(doubt_, false); }

  // ---- what the kernel is asked ----
  void plan(std::vector<Operation>& out, net::TimePoint now);
  void plan_deletions(std::vector<Operation>& out);
  void complete(const NexthopOperation& operation, const KernelError* error, net::TimePoint now);
  void complete(const GroupOperation& operation, const KernelError* error, net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  [[nodiscard]] const std::optional<Resilience>& resilience() const { return resilience_; }
  [[nodiscard]] std::size_t nexthop_count() const;  // single objects in the kernel
  [[nodiscard]] std::size_t group_count() const;
  [[nodiscard]] bool owns(std::uint32_t id) const { return id - ids_.first < ids_.count; }

 private:
  struct Retry {
    unsigned failures = 0;
    net::TimePoint at{};
    Text text;
  };
  struct Hop {
    bool live = false;
    bool dirty = false;
    bool changed = false;  // its sets have not heard yet
    bool suspended = false;
    bool in_kernel = false;
    net::IpAddress gateway = {};
    std::uint32_t interface = 0;
    std::uint32_t id = 0;
    std::uint32_t sets = 0;  // sets that name it
    Resolution want = {};
    Resolution kernel = {};
    Retry retry = {};
  };
  struct Member {
    std::uint32_t hop = 0;
    std::uint32_t weight = 1;
    friend bool operator==(const Member&, const Member&) = default;
  };
  struct Set {
    bool live = false;
    bool dirty = false;
    bool parked = false;
    bool in_kernel = false;  // as a group; a set of one uses its hop
    std::vector<Member> members = {};
    std::vector<GroupMember> kernel = {};
    std::uint32_t id = 0;
    std::uint32_t wanted = 0;  // routes that ask for it
    std::uint32_t last_target = 0;
    std::uint64_t hash = 0;
    Retry retry = {};
    Text why = {};  // the answer of reason(), until something changes
    [[nodiscard]] bool is_group() const { return members.size() > 1; }
  };
  struct Slot {
    enum class Kind : std::uint8_t { Free, Hop, Group, Adopted, Foreign } kind = Kind::Free;
    bool lost = false;
    bool seen = false;
    std::uint32_t owner = 0;
    std::uint32_t routes = 0;
  };

  [[nodiscard]] Slot& slot(std::uint32_t id);
  [[nodiscard]] const Slot* find_slot(std::uint32_t id) const;
  [[nodiscard]] std::uint32_t take_id(Slot::Kind kind, std::uint32_t owner);  // 0: none left
  void give_back(std::uint32_t& id);

  std::uint32_t hop_of(const NextHop& next_hop);
  [[nodiscard]] bool usable(const Hop& hop) const { return hop.in_kernel && hop.want.reach == Reach::Resolved; }
  void touch(std::uint32_t hop);
  void touch_set(std::uint32_t set);
  void refresh(Set& set);
  void tell_sets();

  void plan_hop(std::uint32_t index, std::vector<Operation>& out, net::TimePoint now);
  void plan_set(std::uint32_t index, std::vector<Operation>& out, net::TimePoint now);
  [[nodiscard]] std::vector<GroupMember> wanted_members(const Set& set) const;
  bool claim(Hop& hop, std::uint32_t index);
  bool claim(Set& set, std::uint32_t index, const std::vector<GroupMember>& members);
  [[nodiscard]] std::unordered_set<std::uint32_t> members_of_groups() const;
  void put_group(Set& set, std::vector<GroupMember> members);

  void hop_gone(std::uint32_t index);
  void group_gone(std::uint32_t index);
  void member_gone(std::uint32_t id);
  void adopted_gone(std::uint32_t id);
  bool gone(std::uint32_t id);
  bool hop_is(std::uint32_t index, const NexthopMessage& message);
  bool group_is(std::uint32_t index, const NexthopMessage& message);
  void lose(std::uint32_t id);
  static void refused(Retry& retry, const KernelError& error, net::TimePoint now);
  void id_taken(std::uint32_t& id);

  void plan_group_deletions(std::vector<Operation>& out);
  void plan_hop_deletions(std::vector<Operation>& out);
  void plan_adopted_deletions(std::vector<Operation>& out);
  void free_set(std::uint32_t index);
  void free_hop(std::uint32_t index);
  void let_go(const std::vector<GroupMember>& members);
  [[nodiscard]] std::string describe(const Hop& hop) const;

  IdRange ids_;
  std::uint8_t protocol_;
  std::optional<Resilience> resilience_;
  Resolve resolve_;

  std::vector<Hop> hops_;
  std::vector<std::uint32_t> free_hops_;
  std::map<std::pair<net::IpAddress, std::uint32_t>, std::uint32_t> hop_index_;
  std::vector<Set> sets_;
  std::vector<std::uint32_t> free_sets_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> set_index_;

  std::vector<Slot> slots_;             // by id - ids_.first
  std::uint32_t next_unused_ = 0;       // offset of the lowest id never taken
  std::deque<std::uint32_t> free_ids_;  // oldest first: an id rests before it means something else
  std::vector<std::uint32_t> lost_ids_;
  std::map<std::uint32_t, NexthopMessage> adopted_;  // ours by protocol, of an earlier life, unclaimed

  std::vector<std::uint32_t> dirty_hops_;
  std::vector<std::uint32_t> dirty_sets_;
  std::vector<std::uint32_t> idle_hops_;  // perhaps to be deleted
  std::vector<std::uint32_t> idle_sets_;
  bool hops_changed_ = false;
  bool rescan_ = false;
  bool doubt_ = false;
  bool swept_ = false;
  bool adopted_idle_ = false;
  bool wide_weights_ = true;  // until a kernel before 6.12 refuses one
};

}  // namespace netlink
