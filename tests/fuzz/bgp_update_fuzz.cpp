// SPDX-License-Identifier: Apache-2.0
// UPDATE: the first octet is what the session negotiated, the rest is the body. What is accepted is
// printed, written for the same kind of peer and read again, and must be the same.
#include <cstdint>
#include <span>
#include <vector>

#include "bgp/wire/text.hpp"
#include "bgp/wire/update.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using Bytes = std::vector<std::uint8_t>;

bgp::UpdateContext context_of(std::uint8_t bits) {
  bgp::UpdateContext context{.peer_asn = net::Asn{65001}};
  if ((bits & 1U) != 0) context.peer = bgp::PeerType::Internal;
  if ((bits & 2U) != 0) context.asn_width = bgp::AsnWidth::TwoOctets;
  context.enforce_first_as = (bits & 4U) != 0;
  if ((bits & 8U) != 0) context.families.ipv4 = false;
  if ((bits & 16U) != 0) context.families.ipv6 = false;
  context.ipv4_over_ipv6 = (bits & 32U) != 0;
  context.aigp = (bits & 64U) != 0;
  if ((bits & 128U) != 0) context.path_ids = {true, true};
  return context;
}

// Routes that may share a message: all of them without path identifiers, else those that stand together with the same.
template <class Prefix>
struct Run {
  bgp::PathId id;
  std::vector<Prefix> prefixes;
  friend bool operator==(const Run&, const Run&) = default;
};

template <class Prefix>
std::vector<Run<Prefix>> runs_of(const bgp::NlriRuns& runs, net::Family family) {
  std::vector<Run<Prefix>> all;
  for (const auto& run : runs) {
    if (run.family != family) continue;
    bgp::for_each_route<Prefix>(run, [&](const Prefix& prefix, std::uint32_t id) {
      const auto path_id = run.path_ids ? bgp::PathId{id} : std::nullopt;
      if (all.empty() || all.back().id != path_id) all.push_back({path_id, {}});
      all.back().prefixes.push_back(prefix);
    });
  }
  return all;
}

// The message says these and nothing else.
template <class Prefix>
void require_only(const bgp::NlriRuns& got, net::Family family, const bgp::PathId& id, std::span<const Prefix> wanted) {
  const std::vector<Prefix> prefixes{wanted.begin(), wanted.end()};
  require(runs_of<Prefix>(got, family) == std::vector{Run<Prefix>{id, prefixes}});
}

void print_all(const bgp::PathAttributes& attributes) {
  require(bgp::parse_as_path(bgp::print(attributes.as_path)).has_value());
  for (const auto community : attributes.communities) require(bgp::parse_community(bgp::print(community)) == community);
  for (const auto& community : attributes.large_communities)
    require(bgp::parse_large_community(bgp::print(community)) == community);
  for (const auto community : attributes.extended_communities)
    require(bgp::parse_extended_community(bgp::print(community)) == community);
}

// Sends the prefixes in as many messages as they need.
template <class Prefix>
void send_on(const bgp::Update& update, const bgp::UpdateContext& context, net::Family family,
             const bgp::NextHop& hop) {
  auto attributes = update.attributes;
  attributes.next_hop = hop;
  Bytes encoded;
  bgp::encode_attributes(attributes, family, {.peer = context.peer, .asn_width = context.asn_width}, encoded);

  for (const auto& [id, prefixes] : runs_of<Prefix>(update.reachable, family)) {
    std::span<const Prefix> rest{prefixes};
    while (!rest.empty()) {
      Bytes message;
      const auto count = bgp::encode_reachable(std::span<const std::uint8_t>{encoded}, hop, rest,
                                               bgp::max_extended_message_size, message, id);
      if (count == 0) return require(message.empty() && encoded.size() > 60000);
      require(bgp::decode_header(message, bgp::max_extended_message_size).has_value());
      const auto again = bgp::decode_update(std::span{message}.subspan(bgp::header_size), context);
      require(again.has_value() && again->faults.empty());
      require(again->attributes == update.attributes);
      require((family == net::Family::Ipv4 ? again->next_hop_ipv4 : again->next_hop_ipv6) == hop);
      require_only(again->reachable, family, id, rest.first(count));
      rest = rest.subspan(count);
    }
  }
}

template <class Prefix>
void withdraw_on(const bgp::Update& update, const bgp::UpdateContext& context, net::Family family) {
  for (const auto& [id, prefixes] : runs_of<Prefix>(update.withdrawn, family)) {
    std::span<const Prefix> rest{prefixes};
    while (!rest.empty()) {
      Bytes message;
      const auto count = bgp::encode_withdrawn(rest, bgp::max_message_size, message, id);
      require(count > 0 && message.size() <= bgp::max_message_size);
      const auto again = bgp::decode_update(std::span{message}.subspan(bgp::header_size), context);
      require(again.has_value() && again->faults.empty() && !again->end_of_rib);
      require_only(again->withdrawn, family, id, rest.first(count));
      rest = rest.subspan(count);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > bgp::max_extended_message_size - bgp::header_size) return 0;
  const auto context = context_of(data[0]);
  const auto update = bgp::decode_update({data + 1, size - 1}, context);
  if (!update) {
    require(update.error().code == 3);
    return 0;
  }
  print_all(update->attributes);
  withdraw_on<net::Ipv4Prefix>(*update, context, net::Family::Ipv4);
  withdraw_on<net::Ipv6Prefix>(*update, context, net::Family::Ipv6);
  (void)runs_of<net::Ipv4Prefix>(update->reachable, net::Family::Ipv4);
  (void)runs_of<net::Ipv6Prefix>(update->reachable, net::Family::Ipv6);
  if (update->treat_as_withdraw) return 0;

  Bytes canonical;
  bgp::encode_attributes(update->attributes, net::Family::Ipv6, {.peer = bgp::PeerType::Internal}, canonical);
  require(bgp::decode_canonical_attributes(canonical) == update->attributes);
  send_on<net::Ipv4Prefix>(*update, context, net::Family::Ipv4, update->next_hop_ipv4);
  send_on<net::Ipv6Prefix>(*update, context, net::Family::Ipv6, update->next_hop_ipv6);
  return 0;
}
