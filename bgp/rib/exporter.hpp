// SPDX-License-Identifier: Apache-2.0
// What a neighbour is told about a path: gates, filters and the rules of RFC 4271 section 5 for attributes
// that change between speakers. Terms hold everything that the outcome depends on, so that neighbours with
// equal terms can share one Adj-RIB-Out. Pure; knows no table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/policy/filter.hpp"
#include "bgp/rib/audience.hpp"
#include "bgp/rib/path.hpp"
#include "bgp/rib/rank.hpp"
#include "bgp/router_config.hpp"
#include "bgp/wire/update.hpp"

namespace bgp {

struct ExportTerms {
  net::Family family{};
  PeerType type = PeerType::External;
  std::uint32_t path_id =
      0;  // told is the best path that is so manieth, with this as identifier (RFC 7911); 0: the best, without
  AsnWidth asn_width = AsnWidth::FourOctets;
  std::size_t message_limit = max_message_size;
  net::Asn local_asn;
  NextHop self;                 // this router as a next hop of the family
  bool ipv4_over_ipv6 = false;  // RFC 8950, of IPv4: other next hops may be IPv6 addresses
  ExportOptions options;
  net::Asn peer_asn;         // where the options ask for it
  net::Asn own_asn;          // the router's, which may not be the session's
  net::Asn home;             // the AS that others know: the same, or the confederation's identifier
  net::RouterId cluster_id;  // for internal peers
  std::uint32_t default_local_pref = 100;
  std::optional<Role> role;  // RFC 9234: ours
  Draining draining = Draining::No;
  bool aigp = false;                        // RFC 7311: the accumulated metric goes along
  bool takes_long_lived_stale = false;      // RFC 9494: the peer knows what the community means
  std::optional<FilterChain> filter;        // nothing: local routes only
  std::shared_ptr<const RoaSnapshot> roas;  // where the filter asks for the validity of origins
  const LinkMap* links = nullptr;           // for the filter
  std::string peer;                         // empty where the filter does not ask for it
  std::vector<AudienceId> audiences;        // besides everyone
  std::vector<net::Prefix> summaries;       // learned routes within these are not announced
  friend bool operator==(const ExportTerms&, const ExportTerms&) = default;
};

// The first thing that keeps a route from a neighbour.
enum class ExportGate : std::uint8_t {
  Sent,
  NoRoute,
  OwnRoute,        // it came from this neighbour
  OtherNeighbors,  // a local route that is announced to others only
  LearnedRoute,    // no export filter, so that nothing learned is announced
  InternalPeers,   // from one internal peer to another, RFC 4271 section 9.2.1; neither is a client, RFC 4456
  Summarised,      // an aggregate stands for it
  NoAdvertise,     // RFC 1997
  NoExport,        // RFC 1997
  Filter,
  MessageTooSmall,  // RFC 8654 section 4
  LongLivedStale,   // RFC 9494 section 4.3
  OnlyToCustomer,   // RFC 9234 section 5
  NotInstalled,     // the kernel has no route of the prefix yet
};
[[nodiscard]] std::string_view describe(ExportGate gate);

class Exporter {
 public:
  explicit Exporter(ExportTerms terms);

  [[nodiscard]] const ExportTerms& terms() const { return terms_; }
  [[nodiscard]] bool hears(AudienceId audience) const;
  // Of a prefix's selected paths, the one that these neighbours are told about: the best (or the one of the rank that
  // the terms say), or among local ones (which come first) the first that is for them.
  [[nodiscard]] const Path* pick(std::span<const Path> selected) const;
  // True when prefixes with one attribute set may have different outcomes.
  [[nodiscard]] bool per_prefix() const { return per_prefix_; }
  [[nodiscard]] PathId path_id() const { return terms_.path_id == 0 ? std::nullopt : PathId{terms_.path_id}; }

  // `source` is the peer that the path came from; local_rank for local paths.
  struct Outcome {
    ExportGate gate = ExportGate::NoRoute;
    Verdict verdict;
    PathAttributes attributes;  // as sent
  };
  [[nodiscard]] Outcome evaluate(const net::Prefix& prefix, const Path& path, const Rank& source) const;
  // Its gate alone, without exploding the attributes where no filter needs them.
  [[nodiscard]] ExportGate gate(const net::Prefix& prefix, const Path& path, const Rank& source) const;
  // The attribute section of a route that passes.
  void encode(const PathAttributes& sent, std::vector<std::uint8_t>& out) const;

 private:
  [[nodiscard]] ExportGate simple_gate(const Path& path, const Rank& source) const;
  [[nodiscard]] NextHop next_hop(const PathAttributes& attributes, const Path& path, const Rank& source,
                                 NextHopChange wanted) const;
  void adapt(PathAttributes& attributes, const Path& path, const Rank& source, const Verdict& verdict) const;
  void adapt_external(PathAttributes& attributes, const Path& path, const Verdict& verdict) const;
  void change_as_path(AsPath& path) const;
  [[nodiscard]] bool summarised(const net::Prefix& prefix, const Path& path) const;
  [[nodiscard]] bool surely_fits(const Path& path) const;
  [[nodiscard]] bool fits(const PathAttributes& sent) const;
  [[nodiscard]] OriginValidity validity(const net::Prefix& prefix, const AsPath& path) const;

  ExportTerms terms_;
  bool pass_all_;
  bool per_prefix_;
};

}  // namespace bgp
