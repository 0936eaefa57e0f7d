// SPDX-License-Identifier: Apache-2.0
#include "bgp/peer_config.hpp"

#include <tuple>

namespace bgp {

namespace {

// Fields that an open session was built on. Every other field is live.
auto foundations(const PeerConfig& config) {
  return std::tie(config.address, config.interface, config.port, config.source, config.password, config.local_asn,
                  config.router_id, config.peer_asn, config.hold_time, config.families, config.extended_messages,
                  config.confederation, config.add_path.receive, config.add_path.send);
}

}  // namespace

Change change_class(const PeerConfig& before, const PeerConfig& after) {
  if (before == after) return Change::None;
  return foundations(before) == foundations(after) ? Change::Live : Change::Reopen;
}

}  // namespace bgp
