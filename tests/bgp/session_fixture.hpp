// SPDX-License-Identifier: Apache-2.0
// Words for tests of sessions and peers: a configuration, the OPEN of a neighbour that fits it, and what
// a list of actions says.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "bgp/session.hpp"
#include "bgp/wire/notification.hpp"

namespace bgp {

inline const net::TimePoint t0{std::chrono::hours{1000}};

inline PeerConfig external_config() {
  PeerConfig config;
  config.address = net::Ipv4Address{0x0a000102};
  config.local_asn = net::Asn{65000};
  config.router_id = net::RouterId{0x0a000001};
  config.peer_asn = {ExpectedAsn::Kind::Exactly, net::Asn{65001}};
  return config;
}

inline Transport transport() {
  Transport made;
  made.local = net::Ipv4Address{0x0a000101};
  made.remote = net::Ipv4Address{0x0a000102};
  return made;
}

inline Open peer_open() {
  Open open;
  open.asn = net::Asn{65001};
  open.hold_time = net::Seconds{90};
  open.id = net::RouterId{0x0a000002};
  open.capabilities.multiprotocol = {ipv4_unicast, ipv6_unicast};
  open.capabilities.route_refresh = true;
  open.capabilities.enhanced_route_refresh = true;
  open.capabilities.extended_message = true;
  open.capabilities.four_octet_asn = net::Asn{65001};
  return open;
}

inline std::string name(State state) {
  constexpr std::array names{"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"};
  return names[static_cast<std::size_t>(state)];
}

inline std::string name(MessageType type) {
  constexpr std::array names{"?", "OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH"};
  return names[static_cast<std::size_t>(type)];
}

// One word or two per action: "Dial", "OPEN", "NOTIFICATION 6/2", "Hangup", "Connect>Active", "Up", "Down".
inline std::string say(const Action& action) {
  struct {
    std::string operator()(const Dial&) const { return "Dial"; }
    std::string operator()(const Hangup&) const { return "Hangup"; }
    std::string operator()(const Send& send) const {
      const auto type = static_cast<MessageType>(send.bytes.at(18));
      if (type != MessageType::Notification) return name(type);
      return name(type) + " " + std::to_string(send.bytes.at(19)) + "/" + std::to_string(send.bytes.at(20));
    }
    std::string operator()(const Moved& moved) const { return name(moved.from) + ">" + name(moved.to); }
    std::string operator()(const WentUp&) const { return "Up"; }
    std::string operator()(const WentDown&) const { return "Down"; }
  } const words;
  return std::visit(words, action);
}

inline std::vector<std::string> say(const Actions& actions) {
  std::vector<std::string> words;
  for (const auto& action : actions) words.push_back(say(action));
  return words;
}

inline void PrintTo(State state, std::ostream* out) {
  *out << name(state);
}
inline void PrintTo(const Notification& notification, std::ostream* out) {
  *out << describe(notification);
}

}  // namespace bgp
