// SPDX-License-Identifier: Apache-2.0
// One of the peers that bgp_blast plays.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/bgp/blast/heard.hpp"

namespace blast {

enum class State { Idle, Connecting, OpenSent, OpenConfirm, Established, Closed };

struct Peer {
  Peer(unsigned number, const Scenario& scenario)
      : id{number},
        receiver{number >= scenario.options().senders},
        address{*net::advance(scenario.options().source, number)},
        view{scenario} {}

  unsigned id;
  bool receiver;
  net::IpAddress address;
  View view;  // kept by receivers
  State state = State::Idle;
  int fd = -1;
  bool watches_writable = false;
  std::vector<std::uint8_t> in;
  std::size_t in_size = 0;
  std::vector<std::uint8_t> out;
  std::size_t out_sent = 0;
  Seconds retry_at{};
  Seconds keepalive_at{};
  Seconds established_at{};

  [[nodiscard]] bool all_sent() const { return out_sent == out.size(); }
};

}  // namespace blast
