// SPDX-License-Identifier: Apache-2.0
// Two systems with a BFD session each, over a simulated link and a virtual clock. The link delays, loses and reorders
// packets and can be cut. Time jumps from one event to the next; everything follows from the seed.
#pragma once

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "bfd/sessions.hpp"
#include "tests/bfd/fixture.hpp"

namespace bfd {

struct LinkOptions {
  net::Duration least_delay = Milliseconds{1};
  net::Duration most_delay = Milliseconds{5};
  double loss = 0;  // of each packet
};

class Pair {
 public:
  Pair(const SessionConfig& first, const SessionConfig& second, LinkOptions link, std::uint64_t seed)
      : link_{link}, random_{seed} {
    for (std::size_t i = 0; i < 2; ++i) {
      systems_[i] = std::make_unique<Sessions>(seed * 2 + i);
      ids_[i] = systems_[i]->add(end(i), i == 0 ? first : second, 255, now);
    }
  }

  [[nodiscard]] const Session& session(std::size_t i) const { return *systems_[i]->find(ids_[i]); }
  [[nodiscard]] bool both(State state) const { return session(0).state() == state && session(1).state() == state; }
  void set_loss(double loss) { link_.loss = loss; }
  void configure(std::size_t i, const SessionConfig& config) {
    systems_[i]->configure(ids_[i], config, 255, now), take(i);
  }
  void remove(std::size_t i) { systems_[i]->remove(ids_[i], now), take(i); }
  // The system is started anew: it knows nothing of before.
  void restart(std::size_t i, const SessionConfig& config) {
    systems_[i] = std::make_unique<Sessions>(random_());
    ids_[i] = systems_[i]->add(end(i), config, 255, now);
    up_[i] = false;
  }
  void run(net::Duration duration) {
    const auto until = now + duration;
    while (step(until)) continue;
    now = until;
  }
  // When the session of `i` first left or reached a state after `since`; nothing if it did not.
  [[nodiscard]] std::optional<net::TimePoint> moved(std::size_t i, State to, net::TimePoint since) const {
    for (const auto& [at, change] : changes_[i])
      if (at >= since && change.to == to) return at;
    return std::nullopt;
  }
  [[nodiscard]] std::size_t changes(std::size_t i) const { return changes_[i].size(); }

  net::TimePoint now = t0;
  std::size_t packets = 0;
  std::vector<std::string> broken;  // invariants that did not hold

 private:
  struct Flight {
    std::size_t to;
    std::vector<std::uint8_t> bytes;
  };
  static net::IpAddress address(std::size_t i) { return net::Ipv4Address{0x0a000001U + static_cast<std::uint32_t>(i)}; }
  static Endpoint end(std::size_t i) { return {Hops::Single, address(1 - i), std::nullopt, 0}; }

  bool step(net::TimePoint until) {
    std::optional<net::TimePoint> next;
    if (!flights_.empty()) next = flights_.begin()->first;
    for (const auto& system : systems_)
      if (const auto deadline = system->next_deadline(); deadline && (!next || *deadline < *next)) next = deadline;
    if (!next || *next > until) return false;
    if (*next < now && (flights_.empty() || flights_.begin()->first >= now))
      broken.emplace_back("a deadline in the past");
    now = std::max(now, *next);
    if (!flights_.empty() && flights_.begin()->first <= now) {
      const auto flight = std::move(flights_.begin()->second);
      flights_.erase(flights_.begin());
      systems_[flight.to]->received({Hops::Single, address(1 - flight.to), address(flight.to), 1, 255}, flight.bytes,
                                    now);
      take(flight.to);
      return true;
    }
    for (std::size_t i = 0; i < 2; ++i) systems_[i]->tick(now), take(i);
    return true;
  }

  void take(std::size_t i) {
    for (auto& action : systems_[i]->take_actions()) {
      auto* of = std::get_if<SessionAction>(&action);
      if (of == nullptr || of->session != ids_[i]) continue;
      if (const auto* change = std::get_if<StateChanged>(&of->action)) {
        if ((change->from == State::Up) != up_[i]) broken.emplace_back("a change from a state that it was not in");
        up_[i] = change->to == State::Up;
        changes_[i].emplace_back(now, *change);
      } else if (auto* send = std::get_if<SendControl>(&of->action)) {
        launch(1 - i, std::move(send->bytes));
      }
    }
  }

  void launch(std::size_t to, std::vector<std::uint8_t> bytes) {
    ++packets;
    const auto packet = decode(bytes);
    if (!packet) broken.emplace_back("a packet that does not decode");
    if (packet && packet->poll && packet->final) broken.emplace_back("Poll and Final in one packet");
    if (std::uniform_real_distribution<>{}(random_) < link_.loss) return;
    const auto spread = (link_.most_delay - link_.least_delay).count();
    const auto delay =
        link_.least_delay + net::Duration{std::uniform_int_distribution<net::Duration::rep>{0, spread}(random_)};
    flights_.emplace(now + delay, Flight{to, std::move(bytes)});
  }

  LinkOptions link_;
  std::mt19937_64 random_;
  std::array<std::unique_ptr<Sessions>, 2> systems_;
  std::array<SessionId, 2> ids_;
  std::array<bool, 2> up_{};
  std::multimap<net::TimePoint, Flight> flights_;
  std::array<std::vector<std::pair<net::TimePoint, StateChanged>>, 2> changes_;
};

}  // namespace bfd
