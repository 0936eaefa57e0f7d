// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/router_pair.hpp"

#include <algorithm>
#include <utility>

#include "net/match.hpp"

namespace bgp {

RouterPair::RouterPair(RouterPairOptions options, std::uint64_t seed) : options_{std::move(options)}, random_{seed} {
  for (std::size_t i = 0; i < 2; ++i) {
    auto& config = ends_[i].config;
    config.name = "peer";
    config.session.address = address(1 - i, net::Family::Ipv4);
    config.session.local_asn = options_.asns[i];
    config.session.router_id = {0x0a000001 + static_cast<std::uint32_t>(i)};
    config.session.peer_asn = {ExpectedAsn::Kind::Exactly, options_.asns[1 - i]};
    config.session.graceful_restart.mode = options_.restart[i];
    config.session.ipv4_over_ipv6 = options_.ipv6_next_hops;
    config.import = {accept_all()};
  }
}

net::IpAddress RouterPair::address(std::size_t index, net::Family family) {
  const auto number = static_cast<std::uint8_t>(index + 1);
  if (family == net::Family::Ipv4) return net::Ipv4Address{0x0a000000U + number};
  net::Ipv6Address ipv6{{0x20, 0x01, 0x0d, 0xb8}};
  ipv6.octets[15] = number;
  return ipv6;
}

Transport RouterPair::transport(std::size_t index) const {
  Transport made;
  made.local = address(index, net::Family::Ipv4);
  made.remote = address(1 - index, net::Family::Ipv4);
  if (!options_.ipv6_next_hops) made.local_ipv4 = made.local.v4();
  made.local_ipv6 = address(index, net::Family::Ipv6).v6();
  return made;
}

// ---- routers ----------------------------------------------------------------------------------------

void RouterPair::start() {
  for (std::size_t i = 0; i < 2; ++i) {
    auto& end = ends_[i];
    end.router = std::make_unique<Router>(
        RouterConfig{.asn = options_.asns[i], .router_id = end.config.session.router_id}, random_.next());
    configure(i);
  }
}

void RouterPair::boot(std::size_t index) {
  auto& end = ends_[index];
  const auto config = end.router->config();
  end.router = std::make_unique<Router>(config, random_.next());
  end.kernel.clear();
  if (options_.restart[index] == GracefulRestart::Mode::Full) end.router->begin_restart(net::Seconds{120}, now);
  configure(index);
  for (const auto& [prefix, route] : end.local) end.router->set_local(prefix, route);
  take(index);
}

void RouterPair::configure(std::size_t index) {
  auto& end = ends_[index];
  end.router->configure(end.router->config(), {&end.config, 1}, now);
  take(index);
}

void RouterPair::set_local(std::size_t index, const net::Prefix& prefix, const std::optional<LocalRoute>& route) {
  if (route)
    ends_[index].local[prefix] = *route;
  else
    ends_[index].local.erase(prefix);
  router(index).set_local(prefix, route);
  take(index);
}

std::map<net::Prefix, net::IpAddress> RouterPair::kernel(std::size_t index) {
  auto& kernel = ends_[index].kernel;
  router(index).drain_route_changes(1000000, [&](const net::Prefix& prefix, std::span<const RouteHop> hops) {
    kernel.erase(prefix);
    if (!hops.empty()) kernel.emplace(prefix, hops.front().address);
  });
  return kernel;
}

void RouterPair::restart(std::size_t index, Ending how) {
  auto& end = ends_[index];
  if (how == Ending::Orderly) {
    end.router->shut_down("back soon", now, Router::Leaving::ToRestart);
    take(index);
  }
  const auto wires = end.wires;
  for (const auto& [link, id] : wires) {
    if (how != Ending::Silent) {
      close_end(index, link);
      continue;
    }
    wires_.at(id).ends[index].reset();
    wires_.at(id).dark = true;
  }
  end.wires.clear();
  boot(index);
}

bool RouterPair::both_established() {
  std::array<std::uint64_t, 2> wires{};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto* session = router(i).session(peer(i));
    if (session == nullptr) return false;
    wires[i] = ends_[i].wires.at({peer(i), session->connection()});
  }
  return wires[0] == wires[1];
}

void RouterPair::take(std::size_t index) {
  for (auto actions = router(index).take_actions(); !actions.empty(); actions = router(index).take_actions())
    for (const auto& action : actions) perform(index, action);
}

void RouterPair::perform(std::size_t index, const RouterAction& action) {
  auto& end = ends_[index];
  const auto known = [&](Link link) { return end.wires.contains(link); };
  std::visit(net::match{[&](const OpenLink& open) {
                          const auto id = next_wire_++;
                          wires_[id].ends[index] = open.link;
                          end.wires[open.link] = id;
                          post(id, 1 - index, Arrival::Kind::Syn);
                        },
                        [&](const CloseLink& close) {
                          if (!known(close.link)) {
                            broken.emplace_back("a close of a link that is not open");
                            return;
                          }
                          post(end.wires.at(close.link), 1 - index, Arrival::Kind::Bytes, close.last);
                          close_end(index, close.link);
                        },
                        [&](const WritableLink& link) {
                          if (known(link.link)) wires_.at(end.wires.at(link.link)).writable[index] = true;
                        },
                        [&](const NeighborMoved& moved) { note_end(moved); },
                        [&](const NeighborNotice& notice) {
                          if (notice.notice == Notice::MalformedUpdate) broken.push_back("malformed: " + notice.text);
                        },
                        [](const NeighborsChanged&) {}},
             action);
}

// Between two that do as they should, sessions end for other reasons than what messages say.
void RouterPair::note_end(const NeighborMoved& moved) {
  if (!moved.reason || !moved.reason->notification) return;
  const auto& notification = *moved.reason->notification;
  const bool hold_timer = notification.code == 4;
  const bool cease = notification.code == 6;
  const bool send_hold_timer = notification.code == 8;
  if (!hold_timer && !cease && !send_hold_timer) broken.push_back("a session ended: " + describe(notification));
}

// ---- the network ------------------------------------------------------------------------------------

void RouterPair::close_end(std::size_t index, Link link) {
  auto& end = ends_[index];
  const auto id = end.wires.at(link);
  end.wires.erase(link);
  wires_.at(id).ends[index].reset();
  post(id, 1 - index, Arrival::Kind::Closed);
}

void RouterPair::lose(std::size_t index, Link link, const char* why) {
  auto& end = ends_[index];
  wires_.at(end.wires.at(link)).ends[index].reset();
  end.wires.erase(link);
  router(index).lost(link, why, now);
  take(index);
}

void RouterPair::cut() {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto wires = ends_[i].wires;
    for (const auto& [link, id] : wires)
      if (ends_[i].wires.contains(link)) lose(i, link, "cut");
  }
}

void RouterPair::set_road(Road road) {
  road_ = road;
  while (road_ == Road::Open && !held_.empty()) {
    auto first = std::move(held_.front());
    held_.pop_front();
    arrive(std::move(first));
  }
}

void RouterPair::post(std::uint64_t wire, std::size_t to, Arrival::Kind kind, std::vector<std::uint8_t> bytes) {
  if (kind == Arrival::Kind::Bytes && bytes.empty()) return;
  const auto spread = static_cast<std::uint64_t>((options_.most_delay - options_.least_delay).count()) + 1;
  auto& last = last_arrival_[{wire, to}];
  wires_.at(wire).under_way[1 - to] += bytes.size();
  std::size_t at = 0;
  do {  // in order, each piece with its own delay
    auto delay = options_.least_delay + net::Duration{static_cast<net::Duration::rep>(random_.next() % spread)};
    if (random_.next() % 100 < options_.loss_percent) delay += net::Milliseconds{200U << random_.next() % 4};
    last = std::max(last, now + delay);
    const auto size = std::min<std::size_t>(bytes.size() - at, 1 + random_.next() % options_.longest_piece);
    const auto front = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    arrivals_.emplace(std::pair{last, next_event_++},
                      Arrival{kind, to, wire, {front, front + static_cast<std::ptrdiff_t>(size)}});
    at += size;
  } while (at < bytes.size());
}

void RouterPair::accept(const Arrival& arrival) {
  const auto to = arrival.to;
  auto& wire = wires_.at(arrival.wire);
  if (!wire.ends[1 - to]) return;
  post(arrival.wire, 1 - to, Arrival::Kind::SynAck);
  const auto accepted = router(to).accept(transport(to), "", now);
  if (accepted) {
    wire.ends[to] = *accepted;
    ends_[to].wires[*accepted] = arrival.wire;
  } else {
    post(arrival.wire, 1 - to, Arrival::Kind::Bytes, accepted.error().bytes);
    post(arrival.wire, 1 - to, Arrival::Kind::Closed);
  }
  take(to);
}

void RouterPair::arrive(Arrival arrival) {
  if (road_ == Road::Closed) return held_.push_back(std::move(arrival));
  const auto to = arrival.to;
  auto& wire = wires_.at(arrival.wire);
  if (arrival.kind == Arrival::Kind::Syn) return accept(arrival);
  if (arrival.kind == Arrival::Kind::Bytes) {
    wire.under_way[1 - to] -= arrival.bytes.size();
    if (wire.ends[1 - to]) router(1 - to).progressed(*wire.ends[1 - to]);
    // A kernel that knows nothing of the connection answers with a reset.
    if (!wire.ends[to] && wire.dark) post(arrival.wire, 1 - to, Arrival::Kind::Closed);
  }
  if (!wire.ends[to]) return;
  const auto link = *wire.ends[to];
  switch (arrival.kind) {
    case Arrival::Kind::SynAck:
      router(to).connected(link, transport(to), now);
      break;
    case Arrival::Kind::Bytes:
      router(to).received(link, arrival.bytes, now);
      break;
    default:
      return lose(to, link, "closed by peer");
  }
  take(to);
}

// ---- what happens next ------------------------------------------------------------------------------

bool RouterPair::may_write(std::size_t index, const Wire& wire) const {
  return wire.ends[index] && wire.writable[index] && wire.under_way[index] < options_.window;
}

bool RouterPair::write(std::size_t index, std::uint64_t id) {
  auto& wire = wires_.at(id);
  if (!may_write(index, wire)) return false;
  const auto link = *wire.ends[index];
  std::vector<std::uint8_t> bytes;
  wire.writable[index] = router(index).pull(link, bytes, 1 + random_.next() % options_.window);
  post(id, 1 - index, Arrival::Kind::Bytes, std::move(bytes));
  if (wire.writable[index] && wire.under_way[index] >= options_.window) router(index).blocked(link, now);
  take(index);
  return true;
}

// One of the things that need no time: a slice of work, or bytes for a socket that takes some.
bool RouterPair::do_something(std::uint64_t choice) {
  const auto first = choice % 2;
  for (const auto index : {first, 1 - first}) {
    if (choice % 4 < 2 && router(index).has_work()) {
      router(index).work();
      take(index);
      return true;
    }
    const auto wires = ends_[index].wires;
    for (const auto& [link, id] : wires)
      if (write(index, id)) return true;
    if (router(index).has_work()) {
      router(index).work();
      take(index);
      return true;
    }
  }
  return false;
}

bool RouterPair::step(net::TimePoint until) {
  constexpr net::Duration moment = net::Milliseconds{5};
  auto due = until + net::Duration{1};
  std::size_t ticked = 2;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto deadline = router(i).next_deadline();
    if (deadline && *deadline < due) due = *deadline, ticked = i;
  }
  const bool arrives = !arrivals_.empty() && arrivals_.begin()->first.first < due;
  const auto next = arrives ? arrivals_.begin()->first.first : due;
  const auto choice = random_.next();
  if ((next > now + moment || choice / 8 % 2 == 0) && do_something(choice)) {
    ++steps;
    return true;
  }
  if (!arrives && ticked == 2) {
    now = until;
    return false;
  }
  ++steps;
  now = std::max(now, next);
  if (arrives) {
    auto arrival = std::move(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    arrive(std::move(arrival));
  } else {
    router(ticked).tick(now);
    take(ticked);
  }
  return true;
}

void RouterPair::run_until(net::TimePoint until) {
  while (broken.empty() && step(until)) {
  }
}

}  // namespace bgp
