// SPDX-License-Identifier: Apache-2.0
// A plain BGP speaker against a Router, for tests and benchmarks: opens a session, says what it is told to
// say, and keeps what it hears in a map. Complains when it hears what no router should say.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "bgp/framer.hpp"
#include "bgp/router.hpp"
#include "bgp/wire/nlri.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

inline constexpr net::TimePoint start_time{std::chrono::hours{1}};

struct SpeakerOptions {
  std::string name;
  net::Asn asn{65001};
  net::RouterId id{0x0a000101};
  net::IpAddress address = net::Ipv4Address{0x0a000101};
  net::Asn router_asn{65000};
  Families families{true, true};
  AsnWidth asn_width = AsnWidth::FourOctets;
  bool ipv4_on_link = true;  // the router has an IPv4 address where the speaker is
  bool refresh = true;
  bool enhanced_refresh = false;
  bool extended_messages = false;
  // RFC 7911: path identifiers in what it hears, and in what it says.
  Families hears_ids{};
  Families says_ids{};
  bool ipv6_next_hops = false;  // RFC 8950: of IPv4 prefixes, both ways
  bool confederation = false;   // it is in another member AS of the router's confederation
  std::optional<GracefulRestartCapability> graceful_restart = std::nullopt;
  std::optional<std::vector<LongLivedFamily>> long_lived = std::nullopt;
};

class Speaker {
 public:
  Speaker(Router& router, SpeakerOptions options) : router_{router}, options_{std::move(options)} {}

  // The configuration of this speaker as a neighbour of the router.
  [[nodiscard]] NeighborConfig neighbor() const;

  // False when the router refused.
  bool establish(net::TimePoint now = start_time);
  void hang_up(net::TimePoint now = start_time);
  // Established as far as this side can tell.
  [[nodiscard]] bool up() const { return link_ && established_; }
  [[nodiscard]] std::optional<Link> link() const { return link_; }

  void say(const std::vector<std::uint8_t>& bytes, net::TimePoint now = start_time);

  void announce(const std::vector<net::Prefix>& prefixes, PathAttributes attributes, PathId id = std::nullopt);
  void say_end_of_rib(net::Family family, net::TimePoint now = start_time);
  void withdraw(const std::vector<net::Prefix>& prefixes, PathId id = std::nullopt) { say(withdrawal(prefixes, id)); }

  // As one message per family.
  [[nodiscard]] std::vector<std::uint8_t> update(const std::vector<net::Prefix>& prefixes, PathAttributes attributes,
                                                 PathId id = std::nullopt) const;
  [[nodiscard]] std::vector<std::uint8_t> withdrawal(const std::vector<net::Prefix>& prefixes,
                                                     PathId id = std::nullopt) const;

  // Pulls until there is nothing; false when nothing came at all.
  bool listen(std::size_t most = ~std::size_t{0}, std::size_t at_once = 65536);

  // Bytes that the router sent, in whole messages.
  void hear(const std::vector<std::uint8_t>& bytes);

  // What the speaker has from the router, by prefix.
  std::map<net::Prefix, PathAttributes> heard;
  std::map<std::pair<net::Prefix, std::uint32_t>, PathAttributes> heard_paths;  // the same with path identifiers
  std::vector<net::Family> end_of_rib;
  std::optional<Open> opened_with;
  std::optional<Notification> notification;
  std::size_t updates = 0;
  std::size_t requests = 0;             // ROUTE-REFRESH
  std::vector<RouteRefresh> refreshes;  // all of them
  std::vector<std::string> complaints;
  bool record = false;
  std::vector<std::uint8_t> recorded;

  static constexpr net::Ipv4Address router_address{0x0a0000fe};
  static constexpr net::Ipv6Address router_address_ipv6{{0x20, 0x01, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe}};

  [[nodiscard]] PeerType type() const;
  [[nodiscard]] const SpeakerOptions& options() const { return options_; }
  [[nodiscard]] SpeakerOptions& options() { return options_; }
  [[nodiscard]] net::IpAddress next_hop(net::Family family) const;

 private:
  using Split = std::pair<std::vector<net::Ipv4Prefix>, std::vector<net::Ipv6Prefix>>;
  static Split split(const std::vector<net::Prefix>& prefixes);
  template <class Prefix, class Encode>
  static void encode_all(const std::vector<Prefix>& prefixes, std::vector<std::uint8_t>&, Encode encode_some) {
    for (std::span<const Prefix> rest{prefixes}; !rest.empty();) rest = rest.subspan(encode_some(rest));
  }
  [[nodiscard]] std::size_t limit() const;

  void complain(std::string text) { complaints.push_back(options_.name + ": " + std::move(text)); }

  void hear_message(const Frame& frame);
  void hear_update(std::span<const std::uint8_t> body);

  Router& router_;
  SpeakerOptions options_;
  std::optional<Link> link_;
  bool established_ = false;
  Framer framer_;
};

}  // namespace bgp
