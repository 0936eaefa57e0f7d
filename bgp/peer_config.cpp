// SPDX-License-Identifier: Apache-2.0
#include "bgp/peer_config.hpp"

#include <algorithm>
#include <tuple>

namespace bgp {

namespace {

// Fields that an open session was built on. Every other field is live.
auto foundations(const PeerConfig& config) {
  return std::tie(config.address, config.interface, config.port, config.source, config.password, config.local_asn,
                  config.router_id, config.peer_asn, config.hold_time, config.families, config.extended_messages,
                  config.graceful_restart.mode, config.graceful_restart.restart_time,
                  config.graceful_restart.long_lived_time, config.graceful_restart.notification, config.ipv4_over_ipv6,
                  config.role, config.role_required, config.confederation, config.add_path.receive,
                  config.add_path.send);
}

// Keys may come and go on a connection, as long as some stays. A number that means another key may be the one in use.
bool rolls_over(const AuthenticationKeys& before, const AuthenticationKeys& after) {
  if (before == after) return true;
  if (before.algorithm != after.algorithm) return false;
  bool stays = false;
  for (const auto& [id, key] : before.keys) {
    const auto found = after.keys.find(id);
    if (found == after.keys.end()) continue;
    if (found->second != key) return false;
    stays = true;
  }
  return stays;
}

}  // namespace

std::string print(const ExpectedAsn& expected) {
  switch (expected.kind) {
    case ExpectedAsn::Kind::Exactly:
      return net::print(expected.asn);
    case ExpectedAsn::Kind::Internal:
      return "internal";
    case ExpectedAsn::Kind::External:
      break;
  }
  return "external";
}

Change change_class(const PeerConfig& before, const PeerConfig& after) {
  if (before == after) return Change::None;
  if (!rolls_over(before.authentication, after.authentication)) return Change::Reopen;
  return foundations(before) == foundations(after) ? Change::Live : Change::Reopen;
}

}  // namespace bgp
