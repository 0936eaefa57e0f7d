// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a link: when to advertise, and whom to believe. One per host; pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/address.hpp"
#include "net/result.hpp"
#include "net/time.hpp"
#include "speaker/unnumbered/router_message.hpp"

namespace speaker {

class Discovery {
 public:
  // What a link is now; `ready` when it is up and has a link-local address, else `why` says what is missing.
  struct Link {
    std::uint32_t index = 0;
    bool ready = false;
    std::string why;
    friend bool operator==(const Link&, const Link&) = default;
  };
  // `in_use` tells whether the neighbour of a link has a session; none given: it always has.
  explicit Discovery(std::function<bool(std::uint32_t index)> in_use = {}) : in_use_{std::move(in_use)} {}

  // The links on which a neighbour is wanted, by name. One that has just become ready is advertised on at once.
  void set_links(const std::map<std::string, Link>& links, net::TimePoint now);

  // True when the neighbour of a link is another one now: the first that is heard; later another one when the neighbour
  // has been silent for long, or has no session (its address may have changed). Messages of links that are not wanted
  // are ignored.
  bool heard(std::uint32_t index, RouterMessage kind, const net::Ipv6Address& source, net::TimePoint now);
  // What is to be sent now, on which links.
  struct Sending {
    std::uint32_t index = 0;
    RouterMessage kind{};
    friend bool operator==(const Sending&, const Sending&) = default;
  };
  [[nodiscard]] std::vector<Sending> due(net::TimePoint now);
  [[nodiscard]] std::optional<net::TimePoint> next_deadline() const;

  // The neighbour of every link, or why there is none yet.
  [[nodiscard]] std::map<std::string, net::Result<net::Ipv6Address, std::string>> neighbors() const;

 private:
  struct State {
    Link link;
    std::optional<net::Ipv6Address> neighbor;
    net::TimePoint found;
    net::TimePoint last_heard;
    unsigned sent = 0;  // since the link became ready
    std::optional<net::TimePoint> next;
    std::optional<net::TimePoint> last_sent;
  };
  [[nodiscard]] bool gives_way(const State& state, net::TimePoint now) const;

  std::function<bool(std::uint32_t)> in_use_;
  std::map<std::string, State> links_;
};

}  // namespace speaker
