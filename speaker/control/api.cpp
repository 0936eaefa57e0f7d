// SPDX-License-Identifier: Apache-2.0
#include "speaker/control/api.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "speaker/control/rpki_view.hpp"
#include "speaker/control/views.hpp"
#include "speaker/control/watch_view.hpp"

namespace speaker {
namespace {

using Json = nlohmann::ordered_json;

// Prefixes looked at for one piece of a streamed table.
constexpr std::size_t rows_per_piece = 256;

std::string text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

ControlReply reply(const Json& body) {
  Json out{{"schemaVersion", schema_version}};
  out.update(body);
  return {200, "application/json", text(out), {}};
}

ControlReply refuse(unsigned status, const std::string& message) {
  // The shape of a Kubernetes Status, which clients of either API read.
  return {status,
          "application/json",
          text({{"schemaVersion", schema_version},
                {"kind", "Status"},
                {"status", "Failure"},
                {"code", status},
                {"message", message}}),
          {}};
}

ControlReply no_peer(const std::string& name) {
  return refuse(404, "there is no peer named " + name + " on this node");
}

WallClock clock_now() {
  return {net::Clock::now(), std::chrono::system_clock::now()};
}

std::string parameter(const ControlRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string{} : found->second;
}

std::vector<std::string_view> parameters_of(const ControlRequest& request) {
  const std::string_view path{request.path};
  if (request.method == ControlRequest::Method::Post) {
    if (path.ends_with("/restart")) return {"reason"};
    if (path.ends_with("/refresh")) return {"direction"};
    return {};
  }
  if (path.starts_with("/routes/")) return {"peer", "family", "prefix"};
  if (path == "/explain/route") return {"prefix"};
  return {};
}

// One that is mistyped would else be left out, and the answer be that to another question.
std::optional<std::string> unknown_parameter(const ControlRequest& request) {
  const auto known = parameters_of(request);
  for (const auto& [name, value] : request.query) {
    if (std::ranges::count(known, name) != 0) continue;
    const auto takes = known.empty() ? std::string{"none"} : fmt::format("{}", fmt::join(known, ", "));
    return fmt::format("{}: is no parameter of {}, which takes {}", name, request.path, takes);
  }
  return {};
}

// ---- status -----------------------------------------------------------------------------------------

Json kernel_view(const KernelSide& kernel) {
  const auto& settings = kernel.settings();
  Json out{{"install", settings.install},
           {"table", settings.table},
           {"metric", settings.metric},
           {"protocol", settings.protocol}};
  if (const auto counters = kernel.counters()) {
    const auto& routes = counters->fib.routes;
    out["routes"] = {{"wanted", routes.wanted},   {"programmed", routes.programmed}, {"pending", routes.pending},
                     {"waiting", routes.waiting}, {"failed", routes.failed},         {"stale", routes.stale}};
    out["nexthops"] = routes.nexthops;
    out["groups"] = routes.groups;
    out["adopted"] = routes.adopted;
    out["reasserted"] = routes.reasserted;
    out["swept"] = routes.swept;
    out["errors"] = routes.errors;
    out["overruns"] = counters->fib.overruns;
    out["resyncs"] = counters->fib.resyncs;
  }
  out["unreachableNextHops"] = Json::array();
  for (const auto& next_hop : kernel.unreachable()) out["unreachableNextHops"].push_back(net::print(next_hop));
  out["warnings"] = kernel.warnings();
  return out;
}

Json problems_view(const Speaker& speaker) {
  auto out = Json::array();
  for (const auto& problem : speaker.unread())
    out.push_back(config::print(problem) + "; the resources of before stay in force");
  for (const auto& problem : speaker.loaded().problems) out.push_back(config::print(problem));
  for (const auto& problem : speaker.desired().problems()) out.push_back(config::print(problem));
  return out;
}

Json peer_states(const bgp::Router* router) {
  std::map<std::string, std::size_t> counts;
  std::size_t total = 0;
  if (router != nullptr) {
    for (const auto& neighbor : router->neighbors()) {
      ++counts[std::string{print(neighbor.session.state)}];
      ++total;
    }
  }
  Json out{{"total", total}};
  for (const auto& [state, count] : counts) out[state] = count;
  return out;
}

Json bfd_states(const std::map<std::string, BfdStatus>& watched) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [name, bfd] : watched) ++counts[std::string{bfd::print(bfd.session.state)}];
  Json out{{"total", watched.size()}};
  for (const auto& [state, count] : counts) out[state] = count;
  return out;
}

ControlReply status(Speaker& speaker) {
  const auto clock = clock_now();
  const auto* router = speaker.bgp().router();
  Json out{
      {"node", speaker.options().node}, {"version", HERALD_VERSION}, {"uptimeMsec", clock.since(speaker.started())}};
  if (router != nullptr && speaker.bgp().absent().empty()) {
    out["asn"] = router->config().asn.value;
    out["routerId"] = net::print(router->config().router_id);
    out["listening"] = speaker.bgp().listening();
    out["table"] = view(router->table());
    out["restarting"] = router->restarting();
  } else {
    out["noRouter"] = speaker.bgp().absent();
  }
  out["draining"] = speaker.draining();
  out["peers"] = peer_states(router);
  if (const auto watched = speaker.bfd().status(); !watched.empty()) out["bfd"] = bfd_states(watched);
  out["announcedPrefixes"] = speaker.desired().routes().size();
  out["announcedAddresses"] = speaker.desired().addresses().size();
  out["layer2"] = {{"owned", speaker.ownership().mine.size()}, {"candidates", speaker.desired().layer2().size()}};
  out["liveNodes"] = speaker.live();
  if (!speaker.options().api.empty())
    out["api"] = {{"url", speaker.options().api}, {"reachable", speaker.api_reachable()}};
  out["kernel"] = kernel_view(speaker.kernel());
  if (const auto caches = cache_statuses(speaker.rpki()); !caches.empty())
    out["rpki"] = view(caches, speaker.rpki().table().size());
  if (const auto stations = speaker.watch().stations(); !stations.empty()) out["bmpStations"] = view(stations, clock);
  if (const auto mrt = speaker.watch().mrt()) out["mrt"] = view(*mrt);
  out["problems"] = problems_view(speaker);
  return reply(out);
}

// ---- MRT files --------------------------------------------------------------------------------------

ControlReply mrt(Speaker& speaker) {
  const auto status = speaker.watch().mrt();
  if (!status) return refuse(409, "MRT files are not written: spec.mrt of the BGPConfiguration says no directory");
  return reply(view(*status));
}

ControlReply dump_tables(Speaker& speaker) {
  const auto file = speaker.watch().dump_tables();
  if (!file) return refuse(409, file.error());
  return reply({{"file", *file}, {"done", "the tables are being written"}});
}

// ---- peers ------------------------------------------------------------------------------------------

// Neighbours that are there by a range of that name.
std::size_t members(const bgp::Router& router, const std::vector<bgp::NeighborStatus>& neighbors,
                    const bgp::NeighborConfig& pattern) {
  return static_cast<std::size_t>(std::ranges::count_if(neighbors, [&](const auto& neighbor) {
    const auto& config = *router.neighbor(neighbor.id);
    return config.dynamic && config.group == pattern.policy_name();
  }));
}

ControlReply peers(Speaker& speaker, const std::string& name) {
  const auto* router = speaker.bgp().router();
  const auto watched = speaker.bfd().status();
  auto list = Json::array();
  auto ranges = Json::array();
  const auto clock = clock_now();
  if (router != nullptr) {
    const auto wanted = [&](const std::string& its_name) { return name.empty() || its_name == name; };
    const auto neighbors = router->neighbors();
    for (const auto& neighbor : neighbors) {
      if (!wanted(neighbor.name)) continue;
      list.push_back(view(neighbor, *router->neighbor(neighbor.id), router->config(), clock));
      if (const auto found = watched.find(neighbor.name); found != watched.end())
        list.back()["bfd"] = view(found->second, clock);
      if (const auto since = speaker.bgp().blocked_since(neighbor.id)) list.back()["blockedMsec"] = clock.since(*since);
    }
    for (const auto& pattern : router->patterns())
      if (wanted(pattern.name))
        ranges.push_back(view_range(pattern, router->config(), members(*router, neighbors, pattern)));
  }
  if (!name.empty() && list.empty() && ranges.empty()) return no_peer(name);
  Json out{{"peers", std::move(list)}};
  if (!ranges.empty()) out["ranges"] = std::move(ranges);
  return reply(out);
}

ControlReply command_peer(Speaker& speaker, const std::string& name, const std::string& what,
                          const ControlRequest& request) {
  auto* router = speaker.bgp().router();
  const auto id = router == nullptr ? std::nullopt : router->find(name);
  if (!id) return no_peer(name);
  if (what == "restart") {
    router->restart(*id, parameter(request, "reason"), net::Clock::now());
    speaker.bgp().wake();
    return reply({{"peer", name}, {"done", "the session is opened again"}});
  }
  if (what != "refresh") return refuse(404, "peers can be restarted or refreshed");
  const auto direction = parameter(request, "direction");
  if (!direction.empty() && direction != "in" && direction != "out")
    return refuse(400, "direction: must be in or out, got \"" + direction + "\"");
  const auto out = direction == "out";
  const auto result = out ? router->refresh_out(*id) : router->refresh_in(*id);
  speaker.bgp().wake();
  switch (result) {
    case bgp::Router::Refreshed::Done:
      break;
    case bgp::Router::Refreshed::NotEstablished:
      return refuse(409, "the session with " + name + " is not established");
    case bgp::Router::Refreshed::NotSupported:
      return refuse(409, name + " does not support ROUTE-REFRESH; restart the session instead");
  }
  return reply({{"peer", name}, {"done", out ? "all routes are sent again" : "all routes were asked for again"}});
}

// ---- routes -----------------------------------------------------------------------------------------

struct RouteFilter {
  std::string peer;  // empty: whichever
  std::optional<net::Prefix> prefix;
  std::optional<net::Family> family;
  [[nodiscard]] bool passes(const net::Prefix& candidate) const {
    if (prefix && candidate != *prefix) return false;
    return !family || candidate.family() == *family;
  }
  // `paths`: those that are used together.
  [[nodiscard]] bool passes(const std::vector<bgp::RouteRow>& paths) const {
    return peer.empty() || std::ranges::count(paths, peer, &bgp::RouteRow::peer) != 0;
  }
};

net::Result<RouteFilter, std::string> route_filter(const ControlRequest& request) {
  RouteFilter filter;
  filter.peer = parameter(request, "peer");
  if (const auto value = parameter(request, "prefix"); !value.empty()) {
    filter.prefix = net::parse_prefix(value);
    if (!filter.prefix) return net::fail("prefix: \"" + value + "\" is not ADDRESS/LENGTH");
  }
  if (const auto value = parameter(request, "family"); !value.empty()) {
    if (value != "ipv4" && value != "ipv6") return net::fail("family: must be ipv4 or ipv6, got \"" + value + "\"");
    filter.family = value == "ipv4" ? net::Family::Ipv4 : net::Family::Ipv6;
  }
  return filter;
}

// Writes {"schemaVersion":1,"routes":[...]} row by row, over as many calls as the table needs.
class RouteStream {
 public:
  using Walk = std::function<bool(const std::function<void(const Json&)>& row)>;  // false: that was all
  explicit RouteStream(Walk walk) : walk_{std::move(walk)} {}

  bool operator()(std::string& out) {
    if (first_) out += R"({"schemaVersion":1,"routes":[)";
    const auto more = walk_([&](const Json& row) {
      out += std::exchange(rows_, rows_ + 1) == 0 ? "\n" : ",\n";
      out += row.dump(-1, ' ', false, Json::error_handler_t::replace);
    });
    first_ = false;
    if (!more) out += "\n]}\n";
    return more;
  }

 private:
  Walk walk_;
  bool first_ = true;
  std::size_t rows_ = 0;
};

ControlReply stream(RouteStream::Walk walk) {
  return {200, "application/json", {}, RouteStream{std::move(walk)}};
}

ControlReply best_routes(BgpSide& bgp, const RouteFilter& filter) {
  return stream([&bgp, filter, cursor = bgp::TableCursor{}](const auto& emit) mutable {
    const auto* router = bgp.router();
    if (router == nullptr) return false;
    std::vector<bgp::RouteRow> group;  // the paths of one prefix come one after the other
    const auto finish = [&] {
      if (!group.empty() && filter.passes(group)) emit(view_best(group));
      group.clear();
    };
    router->walk_best(cursor, rows_per_piece, [&](const bgp::RouteRow& row) {
      if (!filter.passes(row.prefix)) return;
      if (!group.empty() && group.front().prefix != row.prefix) finish();
      group.push_back(row);
    });
    finish();
    return !cursor.done();
  });
}

enum class Direction { In, Out };
ControlReply peer_routes(BgpSide& bgp, Direction direction, const RouteFilter& filter) {
  if (filter.peer.empty()) return refuse(400, "peer: is required");
  return stream([&bgp, direction, filter, cursor = bgp::TableCursor{}](const auto& emit) mutable {
    const auto* router = bgp.router();
    const auto id = router == nullptr ? std::nullopt : router->find(filter.peer);
    if (!id) return false;  // removed while we were reading
    const auto visit = [&](const bgp::RouteRow& row) {
      if (filter.passes(row.prefix)) emit(view(row));
    };
    if (direction == Direction::In)
      router->walk_in(*id, cursor, rows_per_piece, visit);
    else
      router->walk_out(*id, cursor, rows_per_piece, visit);
    return !cursor.done();
  });
}

// Best routes that belong in the kernel, with what became of each.
ControlReply kernel_routes(Speaker& speaker, const RouteFilter& filter) {
  auto& bgp = speaker.bgp();
  const auto& kernel = speaker.kernel();
  return stream([&bgp, &kernel, filter, cursor = bgp::TableCursor{}](const auto& emit) mutable {
    const auto* router = bgp.router();
    if (router == nullptr || !kernel.settings().install) return false;
    std::vector<bgp::RouteRow> group;
    const auto finish = [&] {
      if (group.empty() || group.front().peer.empty() || !filter.passes(group)) return group.clear();
      auto hops = Json::array();
      for (const auto& row : group) hops.push_back(print_next_hop(row.attributes.next_hop));
      Json out{{"prefix", net::print(group.front().prefix)}, {"nextHops", hops}};
      const auto trouble = kernel.troubled().find(group.front().prefix);
      out["state"] = trouble == kernel.troubled().end() ? "Programmed" : netlink::print(trouble->second.outcome);
      if (trouble != kernel.troubled().end() && trouble->second.text) out["reason"] = *trouble->second.text;
      emit(out);
      group.clear();
    };
    router->walk_best(cursor, rows_per_piece, [&](const bgp::RouteRow& row) {
      if (!filter.passes(row.prefix)) return;
      if (!group.empty() && group.front().prefix != row.prefix) finish();
      group.push_back(row);
    });
    finish();
    return !cursor.done();
  });
}

ControlReply routes(Speaker& speaker, const std::string& table, const ControlRequest& request) {
  const auto filter = route_filter(request);
  if (!filter) return refuse(400, filter.error());
  const auto* router = speaker.bgp().router();
  if (!filter->peer.empty() && (router == nullptr || !router->find(filter->peer))) return no_peer(filter->peer);
  if (table == "best") return best_routes(speaker.bgp(), *filter);
  if (table == "in") return peer_routes(speaker.bgp(), Direction::In, *filter);
  if (table == "out") return peer_routes(speaker.bgp(), Direction::Out, *filter);
  if (table == "kernel") return kernel_routes(speaker, *filter);
  return refuse(404, "tables are in, best, out and kernel");
}

// ---- services ---------------------------------------------------------------------------------------

Json service_view(const Speaker& speaker, const std::string& key, const config::Service& service) {
  Json out{{"service", key}, {"type", service.type}};
  out["addresses"] = Json::array();
  for (const auto& address : service.ingress) out["addresses"].push_back(net::print(address));
  for (const auto& condition : service.conditions)
    if (condition.type == "herald.dev/Assigned")
      out["assigned"] = {{"status", condition.status}, {"reason", condition.reason}, {"message", condition.message}};
  out["verdicts"] = Json::array();
  for (const auto& verdict : speaker.explain(key)) {
    auto entry = view(verdict);
    if (verdict.method == Method::Layer2 && verdict.address) {
      const auto owner = speaker.ownership().owners.find(*verdict.address);
      if (owner != speaker.ownership().owners.end()) entry["owner"] = owner->second;
      const auto interfaces = speaker.layer2().answering(*verdict.address);
      if (!interfaces.empty()) entry["interfaces"] = interfaces;
    }
    out["verdicts"].push_back(std::move(entry));
  }
  return out;
}

ControlReply services(const Speaker& speaker) {
  auto list = Json::array();
  for (const auto& [key, service] : speaker.loaded().resources.services)
    if (service.type == "LoadBalancer") list.push_back(service_view(speaker, key, service));
  return reply({{"node", speaker.options().node}, {"services", std::move(list)}});
}

ControlReply explain_service(const Speaker& speaker, const std::string& key) {
  const auto& all = speaker.loaded().resources.services;
  const auto found = all.find(key);
  if (found == all.end()) return refuse(404, "there is no service " + key);
  Json out{{"node", speaker.options().node}};
  out.update(service_view(speaker, key, found->second));
  return reply(out);
}

// Neighbours of which import filters rejected something of the family that was not kept: it may be what is asked for.
Json not_kept(const bgp::Router& router, net::Family family) {
  auto out = Json::array();
  for (const auto& status : router.neighbors()) {
    const auto* neighbor = router.neighbor(status.id);
    const auto filtered = family == net::Family::Ipv4 ? status.ipv4.filtered : status.ipv6.filtered;
    if (filtered > 0 && neighbor->rejected == bgp::Kept::No)
      out.push_back({{"peer", status.name}, {"bgpPeer", neighbor->policy_name()}, {"filtered", filtered}});
  }
  return out;
}

ControlReply explain_route(const bgp::Router* router, const ControlRequest& request) {
  const auto asked = parameter(request, "prefix");
  const auto address = net::parse_ip(asked);
  auto prefix = address ? net::Prefix::host(*address) : net::parse_prefix(asked);
  if (!prefix) return refuse(400, "prefix: must be ADDRESS or ADDRESS/LENGTH, got \"" + asked + "\"");
  if (router == nullptr) return refuse(409, "this node runs no router");
  auto explained = router->explain(*prefix);
  // An address: the route that packets to it take.
  for (auto length = prefix->length(); address && !explained.known && length-- > 0;) {
    const auto shorter = *net::Prefix::make(*address, length);
    if (auto found = router->explain(shorter); found.known) {
      prefix = shorter;
      explained = std::move(found);
    }
  }
  auto out = view(*prefix, explained);
  if (auto peers = not_kept(*router, prefix->family()); !peers.empty()) out["notKept"] = std::move(peers);
  return reply(out);
}

ControlReply explain(Speaker& speaker, const std::string& rest, const ControlRequest& request) {
  if (rest == "route") return explain_route(speaker.bgp().router(), request);
  if (rest.starts_with("service/")) return explain_service(speaker, rest.substr(8));
  return refuse(404, "service and route can be explained");
}

// Takes the head off the path where it is one.
bool takes(std::string& path, std::string_view head) {
  if (!path.starts_with(head)) return false;
  path.erase(0, head.size());
  return true;
}

ControlReply drain(Speaker& speaker, Speaker::Drain drain) {
  speaker.drain(drain);
  const bool on = drain == Speaker::Drain::On;
  return reply({{"draining", on},
                {"done", on ? "neighbors are told that this node is about to go (graceful-shutdown)"
                            : "neighbors are told that this node stays"}});
}

ControlReply command(Speaker& speaker, const ControlRequest& request) {
  auto path = request.path;
  if (path == "/drain") return drain(speaker, Speaker::Drain::On);
  if (path == "/undrain") return drain(speaker, Speaker::Drain::Off);
  if (path == "/mrt/dump") return dump_tables(speaker);
  if (!takes(path, "/peers/")) return refuse(404, "commands are drain, undrain, mrt/dump, and those of peers");
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return refuse(404, "the command is missing");
  return command_peer(speaker, path.substr(0, slash), path.substr(slash + 1), request);
}

}  // namespace

ControlReply answer_metrics(Speaker& speaker, const ControlRequest& request) {
  if (request.path == "/metrics") return {200, "text/plain; version=0.0.4", speaker.metrics(), {}};
  if (request.path == "/healthz") return {200, "text/plain", "ok\n", {}};
  return refuse(404, "only /metrics and /healthz are here");
}

ControlReply answer(Speaker& speaker, const ControlRequest& request) {
  if (const auto unknown = unknown_parameter(request)) return refuse(400, *unknown);
  if (request.method == ControlRequest::Method::Post) return command(speaker, request);
  auto path = request.path;
  if (path == "/status") return status(speaker);
  if (path == "/mrt") return mrt(speaker);
  if (path == "/services") return services(speaker);
  if (path == "/peers") return peers(speaker, {});
  if (takes(path, "/peers/")) return peers(speaker, path);
  if (takes(path, "/routes/")) return routes(speaker, path, request);
  if (takes(path, "/explain/")) return explain(speaker, path, request);
  return answer_metrics(speaker, request);
}

}  // namespace speaker
