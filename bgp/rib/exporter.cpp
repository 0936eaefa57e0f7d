// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/exporter.hpp"

#include <algorithm>
#include <utility>

#include "bgp/rib/attribute_set.hpp"

namespace bgp {
namespace {

// RFC 4360 section 3: the second bit of a type says that the community stays within the AS.
constexpr std::uint8_t non_transitive_bit = 0x40;
constexpr std::uint64_t non_transitive = std::uint64_t{non_transitive_bit} << 56;

// What an UPDATE needs beside the attributes, at its longest: header, lengths, and one prefix, which for
// IPv6 stands in MP_REACH_NLRI with two next hops.
constexpr std::size_t beside_attributes(const ExportTerms& terms) {
  const bool plain = terms.family == net::Family::Ipv4 && terms.self.address.is_v4() && !terms.ipv4_over_ipv6;
  return header_size + 4 + (plain ? 5 : 4 + 5 + 32 + 17);
}
// Exporting adds no more than this to a set, filters aside: two AS, in a new segment, NEXT_HOP,
// ORIGINATOR_ID, one element of CLUSTER_LIST, a community and OTC.
constexpr std::size_t growth = 96;

// RFC 8326 section 4: the other side is to find another way before this one goes.
void mark_as_last_resort(PathAttributes& attributes) {
  if (!attributes.has(community_graceful_shutdown)) attributes.communities.push_back(community_graceful_shutdown);
}

// How often the AS stands at the beginning of the path, which loses these.
unsigned take_leading(AsPath& path, net::Asn asn) {
  if (path.segments.empty() || path.segments.front().type != AsPathSegment::Type::Sequence) return 0;
  auto& asns = path.segments.front().asns;
  const auto rest = std::find_if(asns.begin(), asns.end(), [&](net::Asn each) { return each != asn; });
  const auto times = static_cast<unsigned>(rest - asns.begin());
  asns.erase(asns.begin(), rest);
  if (asns.empty()) path.segments.erase(path.segments.begin());
  return times;
}

// How filters may put the own AS in front. RFC 5065 section 4.1: the number of a member AS is for the confederation
// alone. RFC 4271 section 5.1.2: between internal peers the path stays as it is; it would look like a loop.
constexpr std::optional<AsPathSegment::Type> prepends(PeerType type) {
  if (type == PeerType::External) return AsPathSegment::Type::Sequence;
  if (type == PeerType::Confederation) return AsPathSegment::Type::ConfedSequence;
  return std::nullopt;
}

}  // namespace

std::string_view describe(ExportGate gate) {
  switch (gate) {
    case ExportGate::Sent:
      return "sent";
    case ExportGate::NoRoute:
      return "no route";
    case ExportGate::OwnRoute:
      return "learned from this neighbor";
    case ExportGate::OtherNeighbors:
      return "announced to other neighbors only";
    case ExportGate::LearnedRoute:
      return "no export filter: learned routes are not announced";
    case ExportGate::InternalPeers:
      return "learned from an internal peer, and neither is a route reflector client";
    case ExportGate::Summarised:
      return "within a summary-only aggregate";
    case ExportGate::NoAdvertise:
      return "community no-advertise";
    case ExportGate::NoExport:
      return "community no-export";
    case ExportGate::Filter:
      return "rejected by export filters";
    case ExportGate::MessageTooSmall:
      return "attributes do not fit into a message";
    case ExportGate::LongLivedStale:
      return "long-lived stale, and the neighbor does not know what that means";
    case ExportGate::OnlyToCustomer:
      return "only to customers (RFC 9234)";
    case ExportGate::NotInstalled:
      return "not in the kernel yet";
  }
  return "";
}

Exporter::Exporter(ExportTerms terms)
    : terms_{std::move(terms)},
      pass_all_{!terms_.filter || accepts_everything(*terms_.filter)},
      per_prefix_{!terms_.summaries.empty() || (terms_.filter && !pass_all_ && depends_on_prefix(*terms_.filter))} {}

bool Exporter::hears(AudienceId audience) const {
  if (audience == own_as) return terms_.type == PeerType::Internal;
  if (audience == own_confederation) return terms_.type != PeerType::External;
  return audience == everyone || std::binary_search(terms_.audiences.begin(), terms_.audiences.end(), audience);
}

const Path* Exporter::pick(std::span<const Path> selected) const {
  if (selected.empty()) return nullptr;
  if (terms_.path_id > 1) {
    const auto place = terms_.path_id - 1;
    if (selected.size() <= place || selected.front().local() || !selected[place].usable()) return nullptr;
    return &selected[place];
  }
  for (const auto& path : selected) {
    if (!path.local()) break;
    if (hears(path.audience)) return &path;
  }
  return &selected.front();
}

ExportGate Exporter::simple_gate(const Path& path, const Rank& source) const {
  if (path.local()) {
    if (!hears(path.audience))
      return path.audience == own_as || path.audience == own_confederation ? ExportGate::NoExport
                                                                           : ExportGate::OtherNeighbors;
  } else {
    if (!terms_.filter) return ExportGate::LearnedRoute;
    // RFC 4456 section 6: between internal peers, from clients to all and from others to clients.
    if (source.type == PeerType::Internal && terms_.type == PeerType::Internal && !source.reflector_client &&
        !terms_.options.reflector_client)
      return ExportGate::InternalPeers;
  }
  // A local route carries these communities for its receivers.
  if (path.local()) return ExportGate::Sent;
  if ((path.set->flags & AttributeSet::no_advertise) != 0) return ExportGate::NoAdvertise;
  if (!terms_.takes_long_lived_stale && (path.set->flags & AttributeSet::llgr_stale) != 0)
    return ExportGate::LongLivedStale;
  if (terms_.role && from_above(*terms_.role) && (path.set->flags & AttributeSet::only_to_customer) != 0)
    return ExportGate::OnlyToCustomer;
  const auto stops = terms_.type == PeerType::External        ? AttributeSet::no_export
                     : terms_.type == PeerType::Confederation ? AttributeSet::no_export_subconfed
                                                              : std::uint8_t{0};
  return (path.set->flags & stops) != 0 ? ExportGate::NoExport : ExportGate::Sent;
}

bool Exporter::summarised(const net::Prefix& prefix, const Path& path) const {
  return !path.local() && std::any_of(terms_.summaries.begin(), terms_.summaries.end(), [&](const auto& summary) {
    return summary.contains(prefix) && summary.length() < prefix.length();
  });
}

ExportGate Exporter::gate(const net::Prefix& prefix, const Path& path, const Rank& source) const {
  const auto simple = simple_gate(path, source);
  if (simple != ExportGate::Sent) return simple;
  if (summarised(prefix, path)) return ExportGate::Summarised;
  if (pass_all_ && surely_fits(path)) return ExportGate::Sent;
  return evaluate(prefix, path, source).gate;
}

Exporter::Outcome Exporter::evaluate(const net::Prefix& prefix, const Path& path, const Rank& source) const {
  Outcome outcome;
  outcome.gate = simple_gate(path, source);
  if (outcome.gate != ExportGate::Sent) return outcome;
  if (summarised(prefix, path)) {
    outcome.gate = ExportGate::Summarised;
    return outcome;
  }
  outcome.attributes = path.set->attributes();
  if (path.local()) {
    // Only how often to prepend was written down: the AS that this neighbour sees may be its own. It is for other
    // AS alone: here it would look like a loop.
    const auto times = take_leading(outcome.attributes.as_path, terms_.own_asn);
    if (terms_.type == PeerType::External) outcome.attributes.as_path.prepend(terms_.local_asn, times);
  }
  if (terms_.filter) {
    const RouteContext context{.prefix = prefix,
                               .peer = terms_.peer,
                               .own_asn = terms_.local_asn,
                               .source = path.local() ? RouteSource::Local : RouteSource::Learned,
                               .peer_type = terms_.type,
                               .validity = validity(prefix, outcome.attributes.as_path),
                               .links = terms_.links,
                               .prepends = prepends(terms_.type)};
    outcome.verdict = run(*terms_.filter, context, outcome.attributes);
    if (!outcome.verdict.accepted) {
      outcome.gate = ExportGate::Filter;
      return outcome;
    }
  }
  adapt(outcome.attributes, path, source, outcome.verdict);
  if (!(pass_all_ && surely_fits(path)) && !fits(outcome.attributes)) outcome.gate = ExportGate::MessageTooSmall;
  return outcome;
}

// RFC 8893 section 3: by the origin that the neighbour will see.
OriginValidity Exporter::validity(const net::Prefix& prefix, const AsPath& path) const {
  if (!terms_.roas) return OriginValidity::NotFound;
  auto sent = path;
  if (terms_.type == PeerType::External) change_as_path(sent);
  return terms_.roas->validate(prefix, sent.validated_origin(terms_.home));
}

NextHop Exporter::next_hop(const PathAttributes& attributes, const Path& path, const Rank& source,
                           NextHopChange wanted) const {
  const auto& options = terms_.options;
  auto self = terms_.self;
  if (terms_.family == net::Family::Ipv4 && options.next_hop_ipv4) self = {*options.next_hop_ipv4, std::nullopt};
  if (terms_.family == net::Family::Ipv6 && options.next_hop_ipv6) self = {*options.next_hop_ipv6, std::nullopt};
  const NextHop learned{attributes.next_hop.address, std::nullopt};  // RFC 2545 section 3: a link-local one ends here
  const bool fits = learned.address.family() == terms_.family || (terms_.ipv4_over_ipv6 && learned.address.is_v6());
  const bool usable = fits && !learned.address.link_local();
  if (wanted == NextHopChange::Address && usable) return learned;
  if (wanted == NextHopChange::Self || path.local() || !usable) return self;
  if (options.next_hop == NextHopMode::Keep) return learned;
  if (terms_.type == PeerType::External) return self;
  // RFC 4456 section 10: what is reflected keeps its next hop.
  if (options.next_hop == NextHopMode::Self && source.type != PeerType::Internal) return self;
  return learned;
}

void Exporter::adapt(PathAttributes& attributes, const Path& path, const Rank& source, const Verdict& verdict) const {
  attributes.next_hop = next_hop(attributes, path, source, verdict.next_hop);
  attributes.link = attributes.kernel_metric = 0;
  // RFC 7311 section 3.3. Where the next hop becomes this router, the distance to the one before would be added
  // (section 3.4); no IGP says how far that is, so it counts as 0, as in the decision.
  if (!terms_.aigp) attributes.aigp.reset();
  if (terms_.draining == Draining::Yes) mark_as_last_resort(attributes);
  if (terms_.type == PeerType::External) return adapt_external(attributes, path, verdict);
  if (!attributes.local_pref) attributes.local_pref = terms_.default_local_pref;
  if (terms_.draining == Draining::Yes) attributes.local_pref = 0;
  if (terms_.type == PeerType::Confederation) {
    // RFC 5065 section 4.1; reflection ends with the member AS.
    attributes.originator_id.reset();
    attributes.cluster_list.clear();
    attributes.as_path.prepend(terms_.local_asn, 1, AsPathSegment::Type::ConfedSequence);
    return;
  }
  // Own numbers that a filter put in front would look like a loop.
  if (path.local()) {
    for (auto& segment : attributes.as_path.segments) std::erase(segment.asns, terms_.local_asn);
    std::erase_if(attributes.as_path.segments, [](const AsPathSegment& segment) { return segment.asns.empty(); });
    return;
  }
  if (source.type != PeerType::Internal) return;
  // RFC 4456 section 8.
  if (!attributes.originator_id) attributes.originator_id = source.router_id;
  attributes.cluster_list.insert(attributes.cluster_list.begin(), terms_.cluster_id);
}

void Exporter::adapt_external(PathAttributes& attributes, const Path& path, const Verdict& verdict) const {
  if (terms_.role && to_below(*terms_.role) && !attributes.only_to_customer)
    attributes.only_to_customer = terms_.local_asn;
  attributes.local_pref.reset();
  attributes.originator_id.reset();
  attributes.cluster_list.clear();
  // RFC 4271 section 5.1.4: a MED that another AS sent is not passed on.
  if (!path.local() && !verdict.med_set) attributes.med.reset();
  std::erase_if(attributes.extended_communities,
                [](ExtendedCommunity community) { return (community.value & non_transitive) != 0; });
  std::erase_if(attributes.ipv6_extended_communities,
                [](const Ipv6ExtendedCommunity& each) { return (each.octets[0] & non_transitive_bit) != 0; });
  change_as_path(attributes.as_path);
}

void Exporter::change_as_path(AsPath& path) const {
  const auto& options = terms_.options;
  path.remove_confederation();
  if (options.private_as == PrivateAs::Removed) {
    // Not the neighbour's own: it is to see its loops.
    for (auto& segment : path.segments)
      std::erase_if(segment.asns, [&](net::Asn asn) { return asn.is_private() && asn != terms_.peer_asn; });
    std::erase_if(path.segments, [](const AsPathSegment& segment) { return segment.asns.empty(); });
  }
  for (auto& segment : path.segments) {
    for (auto& asn : segment.asns) {
      const bool replaced = options.private_as == PrivateAs::Replaced && asn.is_private() && asn != terms_.peer_asn;
      if (replaced || (options.as_override && asn == terms_.peer_asn)) asn = terms_.local_asn;
    }
  }
  if (options.prepend_own_as) path.prepend(terms_.home);
  path.prepend(terms_.local_asn);
}

void Exporter::encode(const PathAttributes& sent, std::vector<std::uint8_t>& out) const {
  encode_attributes(sent, terms_.family, {terms_.type, terms_.asn_width, terms_.message_limit}, out);
}

bool Exporter::surely_fits(const Path& path) const {
  // RFC 6793 section 4.2.2: AS4_PATH holds the path once more.
  const std::size_t twice = terms_.asn_width == AsnWidth::TwoOctets ? path.set->size : 0;
  return path.set->size + twice + growth + beside_attributes(terms_) + (terms_.path_id == 0 ? 0 : 4) <=
         terms_.message_limit;
}

bool Exporter::fits(const PathAttributes& sent) const {
  std::vector<std::uint8_t> bytes;
  encode(sent, bytes);
  return bytes.size() + beside_attributes(terms_) + (terms_.path_id == 0 ? 0 : 4) <= terms_.message_limit;
}

}  // namespace bgp
