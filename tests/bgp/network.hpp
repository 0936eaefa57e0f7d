// SPDX-License-Identifier: Apache-2.0
// Routers wired to each other in memory: what their edges would do, with a virtual clock. Bytes arrive in
// pieces of a chosen size; a direction can be stopped, as when the other side does not read.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bgp/router.hpp"
#include "net/match.hpp"

namespace bgp {

class Network {
 public:
  explicit Network(std::size_t piece = 65536) : piece_{piece} {}

  // Router number 1, 2, … has AS 65000 + number, identifier and address 10.0.0.number.
  Router& add() {
    const auto number = static_cast<std::uint32_t>(nodes_.size() + 1);
    nodes_.push_back(
        std::make_unique<Node>(RouterConfig{.asn = net::Asn{65000 + number}, .router_id = {number}}, number));
    return *nodes_.back()->router;
  }
  // Makes the two neighbours of each other, the first dialling.
  void connect(std::size_t one, std::size_t other) {
    add_neighbor(one, other, Connect::ActiveOnly);
    add_neighbor(other, one, Connect::PassiveOnly);
  }
  NeighborConfig& neighbor(std::size_t at, std::size_t other) {
    for (auto& each : nodes_[at - 1]->neighbors) {
      if (each.name == name(other)) return each;
    }
    throw std::out_of_range{"no such neighbour"};
  }
  void configure() {
    for (auto& node : nodes_) node->router->configure(node->router->config(), node->neighbors, now);
  }
  Router& router(std::size_t number) { return *nodes_[number - 1]->router; }

  // Until nobody has anything to do at this time.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::size_t at = 0; at < nodes_.size(); ++at) {
        nodes_[at]->router->tick(now);
        busy = nodes_[at]->router->work() || busy;
        busy = perform(at) || busy;
        busy = pump(at) || busy;
      }
    }
  }
  // Goes from deadline to deadline until `duration` is over.
  void advance(net::Duration duration) {
    const auto end = now + duration;
    for (settle(); now < end; settle()) {
      auto next = end;
      for (const auto& node : nodes_) {
        if (const auto deadline = node->router->next_deadline()) next = std::min(next, std::max(*deadline, now));
      }
      now = next;
    }
  }
  // The router stops reading what the other one sends.
  void stop_reading(std::size_t at, std::size_t from) { stopped_.emplace(at - 1, from - 1); }
  void read_again(std::size_t at, std::size_t from) { stopped_.erase({at - 1, from - 1}); }
  // All connections between the two break, both ends learn it, and dials fail until the link is mended.
  void cut(std::size_t one, std::size_t other) {
    broken_.emplace(std::min(one, other) - 1, std::max(one, other) - 1);
    std::vector<End> broken;
    for (const auto& [end, far] : wires_) {
      if (end.node == one - 1 && far.node == other - 1) broken.push_back(end);
    }
    for (const auto& end : broken) drop(end);
  }

  void mend(std::size_t one, std::size_t other) { broken_.erase({std::min(one, other) - 1, std::max(one, other) - 1}); }

  [[nodiscard]] bool all_established() const {
    return std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) {
      const auto all = node->router->neighbors();
      return std::all_of(all.begin(), all.end(),
                         [](const auto& each) { return each.session.state == State::Established; });
    });
  }
  // What a router uses, as "prefix via next hops".
  [[nodiscard]] std::map<net::Prefix, std::vector<net::IpAddress>> routes(std::size_t at) {
    auto& node = *nodes_[at - 1];
    node.router->drain_route_changes(1000000, [&](const net::Prefix& prefix, std::span<const RouteHop> hops) {
      node.routes.erase(prefix);
      for (const auto& hop : hops) node.routes[prefix].push_back(hop.address);
    });
    return node.routes;
  }

  static std::string name(std::size_t number) { return "r" + std::to_string(number); }
  static net::Ipv4Address address(std::size_t number) { return {0x0a000000 + static_cast<std::uint32_t>(number)}; }

  net::TimePoint now{std::chrono::hours{1}};

 private:
  struct Node {
    Node(const RouterConfig& config, std::uint64_t seed) : router{std::make_unique<Router>(config, seed)} {}
    std::unique_ptr<Router> router;
    std::vector<NeighborConfig> neighbors;
    std::map<net::Prefix, std::vector<net::IpAddress>> routes;
  };
  struct End {
    std::size_t node = 0;
    Link link;
    friend auto operator<=>(const End&, const End&) = default;
  };

  void add_neighbor(std::size_t at, std::size_t other, Connect connect) {
    NeighborConfig config;
    config.name = name(other);
    config.session.address = address(other);
    config.session.connect = connect;
    config.session.local_asn = {65000 + static_cast<std::uint32_t>(at)};
    config.session.router_id = {static_cast<std::uint32_t>(at)};
    config.session.peer_asn = {ExpectedAsn::Kind::Exactly, {65000 + static_cast<std::uint32_t>(other)}};
    config.import = {accept_all()};
    config.export_filter = FilterChain{accept_all()};
    nodes_[at - 1]->neighbors.push_back(config);
  }
  static Transport transport(std::size_t local, std::size_t remote) {
    net::Ipv6Address ipv6{{0x20, 0x01, 0x0d, 0xb8}};
    ipv6.octets[15] = static_cast<std::uint8_t>(local);
    return {.local = address(local),
            .remote = address(remote),
            .local_port = 179,
            .remote_port = 179,
            .local_ipv4 = address(local),
            .local_ipv6 = ipv6,
            .local_link_local = std::nullopt};
  }

  bool perform(std::size_t at) {
    const auto actions = nodes_[at]->router->take_actions();
    for (const auto& action : actions) {
      std::visit(net::match{[&](const OpenLink& open) { dial(at, open.link); },
                            [&](const CloseLink& close) {
                              hang_up({at, close.link}, close.last);
                            },
                            [](const auto&) {}},
                 action);
    }
    return !actions.empty();
  }
  void dial(std::size_t at, Link link) {
    auto& router = *nodes_[at]->router;
    const auto to = router.neighbor(link.peer)->session.address.v4().value - 0x0a000000 - 1;
    if (broken_.contains({std::min<std::size_t>(at, to), std::max<std::size_t>(at, to)}))
      return router.lost(link, "no route to host", now);
    auto accepted = nodes_[to]->router->accept(transport(to + 1, at + 1), "", now);
    if (!accepted) return router.lost(link, "connection refused", now);
    wires_[{at, link}] = {to, *accepted};
    wires_[{to, *accepted}] = {at, link};
    router.connected(link, transport(at + 1, to + 1), now);
  }
  void hang_up(const End& end, const std::vector<std::uint8_t>& last) {
    const auto found = wires_.find(end);
    if (found == wires_.end()) return;
    const auto far = found->second;
    auto& waiting = in_flight_[end];
    waiting.insert(waiting.end(), last.begin(), last.end());
    nodes_[far.node]->router->received(far.link, waiting, now);
    drop(end);
  }
  void drop(const End& end) {
    const auto found = wires_.find(end);
    if (found == wires_.end()) return;
    const auto far = found->second;
    for (const auto& each : {end, far}) {
      wires_.erase(each);
      in_flight_.erase(each);
      nodes_[each.node]->router->lost(each.link, "closed", now);
    }
  }
  // What a kernel's buffers take: pulls only when all of the last pull has been read.
  bool pump(std::size_t at) {
    bool any = false;
    std::vector<std::pair<End, End>> outgoing;
    for (const auto& [end, far] : wires_) {
      if (end.node == at) outgoing.emplace_back(end, far);
    }
    for (const auto& [end, far] : outgoing) {
      auto& bytes = in_flight_[end];
      if (bytes.empty()) nodes_[at]->router->pull(end.link, bytes, 4096);
      if (bytes.empty() || stopped_.contains({far.node, at})) continue;
      const auto sent = std::exchange(bytes, {});
      any = true;
      for (std::size_t from = 0; from < sent.size(); from += piece_) {
        const auto size = std::min(piece_, sent.size() - from);
        nodes_[far.node]->router->received(far.link, std::span{sent}.subspan(from, size), now);
      }
    }
    return any;
  }

  std::size_t piece_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<End, End> wires_;
  std::map<End, std::vector<std::uint8_t>> in_flight_;
  std::set<std::pair<std::size_t, std::size_t>> stopped_;  // who does not read from whom
  std::set<std::pair<std::size_t, std::size_t>> broken_;   // links that are cut, the lower router first
};

}  // namespace bgp
