// SPDX-License-Identifier: Apache-2.0
#include "bgp/rib/exporter.hpp"

#include <algorithm>
#include <utility>

#include "bgp/rib/attribute_set.hpp"

namespace bgp {
namespace {

// RFC 4360 section 3: the second bit of a type says that the community stays within the AS.
constexpr std::uint64_t non_transitive = std::uint64_t{0x40} << 56;

// What an UPDATE needs beside the attributes, at its longest: header, lengths, and one prefix, which for
// IPv6 stands in MP_REACH_NLRI with two next hops.
constexpr std::size_t beside_attributes(net::Family family) {
  return header_size + 4 + (family == net::Family::Ipv4 ? 5 : 4 + 5 + 32 + 17);
}
// Exporting adds no more than this to a set, filters aside: one AS, in a new segment, and NEXT_HOP.
constexpr std::size_t growth = 64;

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
      return "learned from an internal peer";
    case ExportGate::NoAdvertise:
      return "community no-advertise";
    case ExportGate::NoExport:
      return "community no-export";
    case ExportGate::Filter:
      return "rejected by export filters";
    case ExportGate::MessageTooSmall:
      return "attributes do not fit into a message";
  }
  return "";
}

Exporter::Exporter(ExportTerms terms)
    : terms_{std::move(terms)},
      pass_all_{!terms_.filter || accepts_everything(*terms_.filter)},
      per_prefix_{terms_.filter && !pass_all_ && depends_on_prefix(*terms_.filter)} {}

bool Exporter::hears(AudienceId audience) const {
  return audience == everyone || std::binary_search(terms_.audiences.begin(), terms_.audiences.end(), audience);
}

const Path* Exporter::pick(std::span<const Path> selected) const {
  if (selected.empty()) return nullptr;
  for (const auto& path : selected) {
    if (!path.local()) break;
    if (hears(path.audience)) return &path;
  }
  return &selected.front();
}

ExportGate Exporter::simple_gate(const Path& path, PeerType source) const {
  if (path.local()) {
    if (!hears(path.audience)) return ExportGate::OtherNeighbors;
  } else {
    if (!terms_.filter) return ExportGate::LearnedRoute;
    if (source == PeerType::Internal && terms_.type == PeerType::Internal) return ExportGate::InternalPeers;
  }
  // A local route carries these communities for its receivers.
  if (path.local()) return ExportGate::Sent;
  if ((path.set->flags & AttributeSet::no_advertise) != 0) return ExportGate::NoAdvertise;
  const bool external = terms_.type == PeerType::External;
  if (external && (path.set->flags & AttributeSet::no_export) != 0) return ExportGate::NoExport;
  return ExportGate::Sent;
}

ExportGate Exporter::gate(const net::Prefix& prefix, const Path& path, PeerType source) const {
  const auto simple = simple_gate(path, source);
  if (simple != ExportGate::Sent) return simple;
  if (pass_all_ && surely_fits(path)) return ExportGate::Sent;
  return evaluate(prefix, path, source).gate;
}

Exporter::Outcome Exporter::evaluate(const net::Prefix& prefix, const Path& path, PeerType source) const {
  Outcome outcome;
  outcome.gate = simple_gate(path, source);
  if (outcome.gate != ExportGate::Sent) return outcome;
  outcome.attributes = path.set->attributes();
  if (terms_.filter) {
    const RouteContext context{prefix, terms_.peer, terms_.local_asn};
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

NextHop Exporter::next_hop(const PathAttributes& attributes, const Path& path, PeerType source,
                           NextHopChange wanted) const {
  const bool external = terms_.type == PeerType::External;
  const auto& address = attributes.next_hop.address;
  const bool usable = address.family() == terms_.family && !address.link_local();
  if (wanted == NextHopChange::Address && usable) return {address, std::nullopt};
  if (wanted == NextHopChange::Self || external || path.local() || !usable) return terms_.self;
  if (source == PeerType::External && terms_.internal_next_hop == InternalNextHop::Self) return terms_.self;
  return {address, std::nullopt};  // RFC 2545 section 3: the link-local one ends with its link
}

void Exporter::adapt(PathAttributes& attributes, const Path& path, PeerType source, const Verdict& verdict) const {
  attributes.next_hop = next_hop(attributes, path, source, verdict.next_hop);
  if (terms_.type == PeerType::Internal) {
    // What was prepended to a local route is for other AS: here it would look like a loop.
    if (path.local()) attributes.as_path.segments.clear();
    if (!attributes.local_pref) attributes.local_pref = terms_.default_local_pref;
    return;
  }
  if (path.local()) {
    // Only how often to prepend was written down: the AS that this neighbour sees may be its own.
    const auto times = attributes.as_path.length();
    attributes.as_path.segments.clear();
    attributes.as_path.prepend(terms_.local_asn, times);
  }
  attributes.local_pref.reset();
  attributes.originator_id.reset();
  attributes.cluster_list.clear();
  // RFC 4271 section 5.1.4: a MED that another AS sent is not passed on.
  if (!path.local() && !verdict.med_set) attributes.med.reset();
  std::erase_if(attributes.extended_communities,
                [](ExtendedCommunity community) { return (community.value & non_transitive) != 0; });
  attributes.as_path.prepend(terms_.local_asn);
}

void Exporter::encode(const PathAttributes& sent, std::vector<std::uint8_t>& out) const {
  encode_attributes(sent, terms_.family, {terms_.type, terms_.asn_width, terms_.message_limit}, out);
}

bool Exporter::surely_fits(const Path& path) const {
  return path.set->size + growth + beside_attributes(terms_.family) <= terms_.message_limit;
}

bool Exporter::fits(const PathAttributes& sent) const {
  std::vector<std::uint8_t> bytes;
  encode(sent, bytes);
  return bytes.size() + beside_attributes(terms_.family) <= terms_.message_limit;
}

}  // namespace bgp
