// SPDX-License-Identifier: Apache-2.0
#include "tests/bgp/pair.hpp"

#include <algorithm>
#include <utility>

namespace bgp {

Pair::Pair(PairOptions options, std::uint64_t seed) : options_{std::move(options)}, random_{seed} {
  for (std::size_t i = 0; i < 2; ++i) ends_[i].peer = std::make_unique<Peer>(options_.configs[i], random_.next());
}

void Pair::start(std::size_t index) {
  peer(index).start(now, actions_);
  take(index);
}

void Pair::stop(std::size_t index) {
  peer(index).stop(cease(CeaseError::AdministrativeShutdown), now, actions_);
  take(index);
}

void Pair::crash(std::size_t index, Crash kind) {
  auto& end = ends_[index];
  const auto wires = end.wires;
  for (const auto& [connection, id] : wires) {
    if (kind == Crash::Told) {
      close_end(index, connection);
    } else {
      wires_.at(id).ends[index].reset();
      wires_.at(id).dark = true;
    }
  }
  end = End{};
  end.peer = std::make_unique<Peer>(options_.configs[index], random_.next());
  start(index);
}

void Pair::cut() {
  for (std::size_t i = 0; i < 2; ++i) {
    const auto wires = ends_[i].wires;
    for (const auto& [connection, id] : wires) {
      wires_.at(id).ends[i].reset();
      ends_[i].wires.erase(connection);
      peer(i).lost(connection, "cut", now, actions_);
      take(i);
    }
  }
}

bool Pair::both_established() const {
  const auto* one = ends_[0].peer->established();
  const auto* other = ends_[1].peer->established();
  if (one == nullptr || other == nullptr) return false;
  return ends_[0].wires.at(one->connection()) == ends_[1].wires.at(other->connection());
}

void Pair::take(std::size_t index) {
  const auto actions = std::exchange(actions_, {});
  for (const auto& action : actions) perform(index, action);
  check(index);
}

void Pair::perform(std::size_t index, const Action& action) {
  auto& end = ends_[index];
  if (const auto* dial = std::get_if<Dial>(&action)) {
    const auto id = next_wire_++;
    wires_[id] = {index, {}, false};
    wires_[id].ends[index] = dial->connection;
    end.wires[dial->connection] = id;
    post(id, 1 - index, Arrival::Kind::Syn);
  } else if (const auto* send = std::get_if<Send>(&action)) {
    const auto wire = end.wires.find(send->connection);
    if (wire == end.wires.end()) return broken.push_back("bytes for a connection that is not open");
    post(wire->second, 1 - index, Arrival::Kind::Bytes, send->bytes);
  } else if (const auto* hangup = std::get_if<Hangup>(&action)) {
    if (++end.hangups[hangup->connection] > 1) broken.push_back("two hangups of one connection");
    if (!end.wires.contains(hangup->connection)) return broken.push_back("a hangup of a connection that is not open");
    close_end(index, hangup->connection);
  } else if (std::holds_alternative<WentUp>(action)) {
    if (std::exchange(end.up, true)) broken.push_back("up while it was up");
  } else if (std::holds_alternative<WentDown>(action)) {
    if (!std::exchange(end.up, false)) broken.push_back("down while it was not up");
  }
}

void Pair::close_end(std::size_t index, ConnectionId connection) {
  auto& end = ends_[index];
  const auto id = end.wires.at(connection);
  end.wires.erase(connection);
  wires_.at(id).ends[index].reset();
  post(id, 1 - index, Arrival::Kind::Closed);
}

void Pair::post(std::uint64_t wire, std::size_t to, Arrival::Kind kind, std::vector<std::uint8_t> bytes) {
  const auto spread = static_cast<std::uint64_t>((options_.most_delay - options_.least_delay).count()) + 1;
  auto& last = last_arrival_[{wire, to}];
  std::size_t at = 0;
  do {  // in order, each piece with its own delay
    const auto delay = options_.least_delay + net::Duration{static_cast<net::Duration::rep>(random_.next() % spread)};
    last = std::max(last, now + delay);
    const auto size = std::min<std::size_t>(bytes.size() - at, 1 + random_.next() % options_.longest_piece);
    const auto front = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    arrivals_.emplace(std::pair{last, next_event_++},
                      Arrival{kind, to, wire, {front, front + static_cast<std::ptrdiff_t>(size)}});
    at += size;
  } while (at < bytes.size());
}

bool Pair::step(net::TimePoint until) {
  auto due = until + net::Duration{1};
  std::size_t ticked = 2;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto deadline = peer(i).next_deadline();
    if (deadline && *deadline < due) due = *deadline, ticked = i;
  }
  const bool arrives = !arrivals_.empty() && arrivals_.begin()->first.first < due;
  if (!arrives && ticked == 2) {
    now = until;
    return false;
  }
  ++steps;
  if (arrives) {
    now = std::max(now, arrivals_.begin()->first.first);
    auto arrival = std::move(arrivals_.begin()->second);
    arrivals_.erase(arrivals_.begin());
    arrive(std::move(arrival));
  } else {
    now = std::max(now, due);
    peer(ticked).tick(now, actions_);
    take(ticked);
  }
  return true;
}

void Pair::run_until(net::TimePoint until) {
  while (broken.empty() && step(until)) {
  }
}

void Pair::arrive(Arrival arrival) {
  auto& wire = wires_.at(arrival.wire);
  const auto to = arrival.to;
  auto& end = ends_[to];
  switch (arrival.kind) {
    case Arrival::Kind::Syn: {
      if (!wire.ends[1 - to] || !reachable_) return post(arrival.wire, 1 - to, Arrival::Kind::Refused);
      post(arrival.wire, 1 - to, Arrival::Kind::SynAck);
      const auto accepted = peer(to).accepted(transport(), now, actions_);
      if (!accepted) {
        post(arrival.wire, 1 - to, Arrival::Kind::Bytes, encode(accepted.error()));
        post(arrival.wire, 1 - to, Arrival::Kind::Closed);
      } else {
        wire.ends[to] = *accepted;
        end.wires[*accepted] = arrival.wire;
      }
      return take(to);
    }
    case Arrival::Kind::SynAck:
      if (!wire.ends[to]) return;
      peer(to).connected(*wire.ends[to], transport(), now, actions_);
      return take(to);
    case Arrival::Kind::Bytes:
      if (wire.ends[to]) return read(to, *wire.ends[to], arrival.bytes);
      if (wire.dark) post(arrival.wire, 1 - to, Arrival::Kind::Closed);  // a kernel that knows nothing: RST
      return;
    case Arrival::Kind::Refused:
    case Arrival::Kind::Closed: {
      if (!wire.ends[to]) return;
      const auto connection = *std::exchange(wire.ends[to], std::nullopt);
      end.wires.erase(connection);
      peer(to).lost(connection, "closed by peer", now, actions_);
      return take(to);
    }
  }
}

void Pair::read(std::size_t index, ConnectionId connection, const std::vector<std::uint8_t>& bytes) {
  std::span<const std::uint8_t> input{bytes};
  while (peer(index).read(connection, input, now, actions_)) {
  }
  if (!input.empty()) broken.push_back("bytes were left unread");
  take(index);
}

void Pair::check(std::size_t index) {
  auto& end = ends_[index];
  if (end.wires.size() > 2) broken.push_back("more than two connections");
  if (end.peer->state() == State::Idle && !end.wires.empty()) broken.push_back("Idle with a connection");
  if (end.up != (end.peer->established() != nullptr)) broken.push_back("up and established differ");
  if (end.peer->next_deadline() && *end.peer->next_deadline() < now - net::Seconds{1})
    broken.push_back("a deadline stayed");
}

}  // namespace bgp
