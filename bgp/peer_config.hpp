// SPDX-License-Identifier: Apache-2.0
// What a session needs to know of one neighbour, already validated. Policy, prefix limits and all else
// of the tables are not here: the session must not know them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "bgp/wire/message.hpp"
#include "net/address.hpp"
#include "net/asn.hpp"
#include "net/time.hpp"

namespace bgp {

// The AS that the neighbour must say in its OPEN.
struct ExpectedAsn {
  enum class Kind : std::uint8_t { Exactly, Internal, External };  // Internal: ours; External: any but ours
  Kind kind = Kind::Exactly;
  net::Asn asn;  // Exactly only
  friend bool operator==(const ExpectedAsn&, const ExpectedAsn&) = default;
};

// "65001", "internal", "external".
[[nodiscard]] std::string print(const ExpectedAsn& expected);

enum class Connect : std::uint8_t { Both, PassiveOnly, ActiveOnly };

// How far the neighbour may be. One: the TTL is 1, so nothing passes a router. Multihop: packets leave with
// `hops` as TTL. Security: they leave with 255 and must arrive with at least 256 - hops (RFC 5082).
struct Reach {
  enum class Kind : std::uint8_t { Default, Multihop, Security };  // Default: one hop for eBGP, any for iBGP
  Kind kind = Kind::Default;
  std::uint8_t hops = 1;
  friend bool operator==(const Reach&, const Reach&) = default;
};

// RFC 4724, RFC 8538, RFC 9494. Helper: the peer's routes are kept while it restarts. Full: and it is asked to keep
// ours.
struct GracefulRestart {
  enum class Mode : std::uint8_t { Off, Helper, Full };
  Mode mode = Mode::Off;
  net::Seconds restart_time{120};   // until we are back, as the peer is told; 1..4095
  net::Seconds stale_time{360};     // how long a peer that is back may take for its End-of-RIB
  net::Seconds long_lived_time{0};  // how long stale routes may stay as a last resort after that; 0: not at all
  bool notification = true;         // routes are also kept over NOTIFICATIONs that are no hard reset
  friend bool operator==(const GracefulRestart&, const GracefulRestart&) = default;
};

// TCP-AO, RFC 5925: keys by number, which is the same for both directions. All of them are taken from the peer; it is
// asked to sign with the one of the highest number.
struct AuthenticationKeys {
  enum class Algorithm : std::uint8_t { HmacSha1, AesCmac };
  Algorithm algorithm = Algorithm::HmacSha1;
  std::map<std::uint8_t, std::string> keys{};
  [[nodiscard]] bool empty() const { return keys.empty(); }
  friend bool operator==(const AuthenticationKeys&, const AuthenticationKeys&) = default;
};

// RFC 7911. Send: at most so many paths of a prefix, the best ones; 0: one, without an identifier.
struct AddPath {
  bool receive = false;
  std::uint16_t send = 0;
  friend bool operator==(const AddPath&, const AddPath&) = default;
};

struct PeerConfig {
  std::string description;

  // Transport.
  net::IpAddress address;
  std::string interface;  // needed by link-local addresses; otherwise the socket is bound to it when given
  std::uint16_t port = 179;
  std::optional<net::IpAddress> source;
  Connect connect = Connect::Both;
  Reach reach;
  std::string password;  // TCP MD5, RFC 2385; empty: none
  AuthenticationKeys authentication;

  // OPEN.
  net::Asn local_asn;
  net::RouterId router_id;
  ExpectedAsn peer_asn;
  net::Seconds hold_time{90};  // 0: no keepalives at all
  Families families{true, true};
  bool extended_messages = true;  // RFC 8654
  GracefulRestart graceful_restart;
  bool ipv4_over_ipv6 = false;  // RFC 8950: IPv4 prefixes with IPv6 next hops, for sessions over IPv6
  std::optional<Role> role;     // RFC 9234: what we are to the neighbour; external peers only
  bool role_required = false;   // the neighbour must say its own
  bool confederation = false;   // it is in another member AS of ours (RFC 5065)
  AddPath add_path{};           // RFC 7911, for every family

  // Timers that are ours alone.
  std::optional<net::Seconds> keepalive_time;  // default, and at most: a third of the hold time
  // Longest pause between two dials, whatever ended the one before, and longest wait for one.
  net::Seconds connect_retry{10};

  friend bool operator==(const PeerConfig&, const PeerConfig&) = default;
};

// What a change costs. Live: applied to the running session. Reopen: the session has to be opened anew.
enum class Change : std::uint8_t { None, Live, Reopen };
[[nodiscard]] Change change_class(const PeerConfig& before, const PeerConfig& after);

}  // namespace bgp
