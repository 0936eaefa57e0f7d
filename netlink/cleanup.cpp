// SPDX-License-Identifier: Apache-2.0
#include "netlink/cleanup.hpp"

#include <cerrno>
#include <functional>
#include <set>

#include "netlink/codec.hpp"
#include "netlink/links.hpp"
#include "netlink/service_addresses.hpp"
#include "netlink/socket.hpp"

namespace netlink {
namespace {

class Cleanup {
 public:
  explicit Cleanup(const CleanupScope& scope) : scope_{scope} {}

  net::Result<CleanupResult, KernelError> run() {
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      if (auto done = remove_routes(family); !done) return net::fail(done.error());
    }
    if (auto done = remove_nexthops(); !done) return net::fail(done.error());
    if (auto done = remove_addresses(); !done) return net::fail(done.error());
    return std::move(result_);
  }

 private:
  enum class Kind : std::uint8_t { Single, Group };

  net::Result<void, KernelError> each_route(const RouteFilter& filter,
                                            const std::function<void(const RouteMessage&)>& visit) {
    encode_route_dump(batch_, filter);
    auto done = socket_.ask(batch_, [&](const RawMessage& raw) {
      if (const auto message = decode_route(raw)) visit(*message);
    });
    // No such table, or no such family in this kernel: no such routes.
    if (!done && (done.error().number == ENOENT || done.error().number == EOPNOTSUPP)) return {};
    return done;
  }

  net::Result<void, KernelError> remove_routes(net::Family family) {
    std::vector<RouteMessage> ours;
    const auto collect = [&](const RouteMessage& route) {
      if (route.protocol == scope_.protocol && (!scope_.table || route.table == *scope_.table)) ours.push_back(route);
    };
    const RouteFilter filter{family, scope_.table.value_or(0), scope_.protocol};
    if (auto done = each_route(filter, collect); !done) return done;
    std::size_t next = 0;
    while (next < ours.size()) {
      const auto first = next;
      for (; next < ours.size() && !batch_.full(); ++next) {
        const auto& route = ours[next];
        encode(batch_, Verb::Delete, RouteSpec{route.prefix, route.table, route.metric, scope_.protocol});
      }
      const auto name = [&](std::size_t index) { return "route " + net::print(ours[first + index].prefix); };
      if (auto done = send(result_.routes, name); !done) return done;
    }
    return {};
  }

  // Sends the batch of deletions; what is gone already counts as removed by somebody else.
  net::Result<void, KernelError> send(std::size_t& removed, const std::function<std::string(std::size_t)>& name) {
    const auto count = batch_.count();
    const auto refusals = socket_.run(batch_);
    if (!refusals) return net::fail(refusals.error());
    removed += count - refusals->size();
    for (const auto& [index, error] : *refusals) {
      if (error.number != ESRCH && error.number != ENOENT)
        result_.problems.push_back(name(index) + ": " + print(error));
    }
    return {};
  }

  [[nodiscard]] bool in_range(std::uint32_t id) const { return id - scope_.ids.first < scope_.ids.count; }

  // Groups first, then what no group has; never anything that a route is on.
  net::Result<void, KernelError> remove_nexthops() {
    std::set<std::uint32_t> used;
    for (const auto family : {net::Family::Ipv4, net::Family::Ipv6}) {
      auto done = each_route({family, 0, 0}, [&](const RouteMessage& route) {
        if (in_range(route.nexthop_id)) used.insert(route.nexthop_id);
      });
      if (!done) return done;
    }
    for (const auto kind : {Kind::Group, Kind::Single}) {
      std::vector<std::uint32_t> idle;
      if (auto done = find_idle(kind, used, idle); !done) return done;
      for (std::size_t next = 0; next < idle.size();) {
        const auto first = next;
        while (next < idle.size() && !batch_.full()) encode_nexthop_delete(batch_, idle[next++]);
        const auto name = [&](std::size_t index) { return "nexthop " + std::to_string(idle[first + index]); };
        if (auto done = send(result_.nexthops, name); !done) return done;
      }
    }
    return {};
  }

  net::Result<void, KernelError> find_idle(Kind kind, const std::set<std::uint32_t>& used,
                                           std::vector<std::uint32_t>& idle) {
    auto in_use = used;
    std::vector<NexthopMessage> all;
    encode_nexthop_dump(batch_);
    auto done = socket_.ask(batch_, [&](const RawMessage& raw) {
      if (auto message = decode_nexthop(raw)) all.push_back(std::move(*message));
    });
    if (!done) return done;
    for (const auto& nexthop : all) {
      for (const auto& member : nexthop.members) in_use.insert(member.id);
    }
    for (const auto& nexthop : all) {
      const auto ours = nexthop.protocol == scope_.protocol && in_range(nexthop.id);
      const auto is = nexthop.members.empty() ? Kind::Single : Kind::Group;
      if (ours && is == kind && in_use.count(nexthop.id) == 0) idle.push_back(nexthop.id);
    }
    return {};
  }

  net::Result<void, KernelError> remove_addresses() {
    LinkTable links;
    if (auto done = read_links(socket_, links); !done) return done;
    const auto* loopback = links.loopback();
    if (loopback == nullptr) return {};
    const auto ours = plan_addresses({}, *loopback).remove;
    ServiceAddresses addresses;
    const auto problems = addresses.reconcile({}, links);
    result_.addresses = ours.size() - problems.size();
    for (const auto& problem : problems)
      result_.problems.push_back("address " + net::print(problem.address) + ": " + problem.text);
    return {};
  }

  CleanupScope scope_;
  CommandSocket socket_;
  Batch batch_;
  CleanupResult result_;
};

}  // namespace

net::Result<CleanupResult, KernelError> cleanup(const CleanupScope& scope) {
  return Cleanup{scope}.run();
}

}  // namespace netlink
