// SPDX-License-Identifier: Apache-2.0
// The kernel's side of nexthop objects and routes, as far as the planner can tell: refuses what Linux
// refuses and deletes silently what Linux deletes silently.
#pragma once

#include <algorithm>
#include <cerrno>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "netlink/reconcile.hpp"

namespace netlink {

struct KernelModel {
  struct Single {
    net::IpAddress gateway;
    std::uint32_t interface = 0;
    std::uint8_t protocol = herald_protocol;
  };
  struct Route {
    std::uint32_t nexthop_id = 0;
    std::uint8_t protocol = herald_protocol;
  };
  using Key = std::pair<net::Prefix, std::uint32_t>;  // with its metric

  std::map<std::uint32_t, Single> singles;
  std::map<std::uint32_t, std::vector<GroupMember>> groups;
  std::map<Key, Route> routes;
  std::vector<std::string> log;
  std::size_t narrow_weights = 0;  // > 0: refuse weights above this, as old kernels do

  std::vector<Refusal> execute(std::span<const Operation> operations) {
    std::vector<Refusal> refusals;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const auto error = std::visit([&](const auto& operation) { return apply(operation); }, operations[i]);
      if (error.number != 0) refusals.push_back({i, error});
    }
    return refusals;
  }

  // ---- things that happen without us; none says a word about routes ----
  void drop_nexthop(std::uint32_t id) {
    if (groups.erase(id) != 0 || singles.erase(id) != 0)
      std::erase_if(routes, [&](const auto& entry) { return entry.second.nexthop_id == id; });
    std::vector<std::uint32_t> emptied;
    for (auto& [group, members] : groups) {
      if (std::erase_if(members, [&](const auto& member) { return member.id == id; }) != 0 && members.empty())
        emptied.push_back(group);
    }
    for (const auto group : emptied) drop_nexthop(group);
  }
  void drop_link(std::uint32_t interface) {
    std::vector<std::uint32_t> ids;
    for (const auto& [id, single] : singles) {
      if (single.interface == interface) ids.push_back(id);
    }
    for (const auto id : ids) drop_nexthop(id);
  }

  // ---- what a dump would say ----
  [[nodiscard]] static RouteMessage message(const Key& key, const Route& route, Change change = Change::New) {
    RouteMessage out;
    out.change = change;
    out.prefix = key.first;
    out.table = main_table;
    out.metric = key.second;
    out.protocol = route.protocol;
    out.nexthop_id = route.nexthop_id;
    return out;
  }
  [[nodiscard]] static NexthopMessage message(std::uint32_t id, const Single& single) {
    NexthopMessage out;
    out.id = id;
    out.protocol = single.protocol;
    out.family = single.gateway.family();
    out.gateway = single.gateway;
    out.interface = single.interface;
    return out;
  }
  void dump_into(Reconciler& reconciler) const {
    reconciler.begin_resync();
    for (const auto& [id, single] : singles) reconciler.kernel_says(message(id, single));
    for (const auto& [id, members] : groups) {
      NexthopMessage group;
      group.id = id;
      group.protocol = herald_protocol;
      group.members = members;
      group.resilience = reconciler.resilience();
      reconciler.kernel_says(group);
    }
    for (const auto& [key, route] : routes) {
      if (route.protocol == herald_protocol) reconciler.kernel_says(message(key, route));
    }
    reconciler.end_resync();
  }

 private:
  [[nodiscard]] bool has(std::uint32_t id) const { return singles.count(id) != 0 || groups.count(id) != 0; }

  KernelError apply(const NexthopOperation& operation) {
    if (operation.verb == Verb::Delete) {
      log.push_back("delete nexthop");
      if (!has(operation.id)) return {ENOENT, {}};
      for (const auto& [key, route] : routes)
        EXPECT_NE(route.nexthop_id, operation.id) << "deleted under the route " << net::print(key.first);
      for (const auto& [group, members] : groups) {
        for (const auto& member : members) EXPECT_NE(member.id, operation.id) << "deleted under group " << group;
      }
      drop_nexthop(operation.id);
      return {};
    }
    log.push_back(operation.verb == Verb::Add ? "add nexthop" : "replace nexthop");
    if (operation.verb == Verb::Add && has(operation.id)) return {EEXIST, {}};
    if (operation.verb == Verb::Replace && !has(operation.id)) return {ENOENT, {}};
    singles[operation.id] = {operation.gateway, operation.interface};
    return {};
  }

  KernelError apply(const GroupOperation& operation) {
    log.push_back(operation.verb == Verb::Add ? "add group" : "replace group");
    if (operation.verb == Verb::Add && has(operation.id)) return {EEXIST, {}};
    if (operation.verb == Verb::Replace && !has(operation.id)) return {ENOENT, {}};
    for (const auto& member : operation.members) {
      if (singles.count(member.id) == 0) return {EINVAL, "Invalid nexthop id"};
      if (narrow_weights != 0 && member.weight > narrow_weights) return {EINVAL, "Invalid value for reserved field"};
    }
    groups[operation.id] = operation.members;
    return {};
  }

  KernelError apply(const RouteOperation& operation) {
    const auto name = net::print(operation.prefix);
    const Key key{operation.prefix, operation.metric};
    const auto at = routes.find(key);
    if (operation.verb == Verb::Delete) {
      log.push_back("delete " + name);
      if (at == routes.end() || at->second.protocol != herald_protocol) return {ESRCH, {}};
      routes.erase(at);
      return {};
    }
    log.push_back((operation.verb == Verb::Add ? "add " : "replace ") + name);
    if (operation.verb == Verb::Add && at != routes.end()) return {EEXIST, {}};
    if (operation.verb == Verb::Replace && at == routes.end()) return {ENOENT, {}};
    if (!has(operation.nexthop_id)) return {EINVAL, "Nexthop id does not exist"};
    routes[key] = {operation.nexthop_id, herald_protocol};
    return {};
  }
};

}  // namespace netlink
