// SPDX-License-Identifier: Apache-2.0
#include "bgp/mrt/table_writer.hpp"

#include <algorithm>

#include "bgp/rib/attribute_set.hpp"

namespace bgp::mrt {
namespace {

constexpr std::size_t most_peers = 0xffff;  // RFC 6396 section 4.3.1: their count is two octets

}  // namespace

TableWriter::TableWriter(const Router& router, WallTime wall, net::TimePoint now) : router_{router}, wall_{wall} {
  const auto& config = router.config();
  peers_.collector = config.router_id;
  peers_.peers.push_back(
      {config.router_id, net::Ipv4Address{config.router_id.value}, config.asn, AsnWidth::FourOctets, 0});
  origins_[local_peer] = {0, wall.seconds};
  for (const auto& status : router.neighbors()) {
    const auto* neighbor = router.neighbor(status.id);
    if (neighbor == nullptr || peers_.peers.size() == most_peers) continue;
    PeerIndexTable::Peer peer;
    peer.address = neighbor->session.address;
    peer.asn = neighbor->session.peer_asn.asn;
    Origin origin{static_cast<std::uint16_t>(peers_.peers.size()), wall.seconds};
    if (status.negotiated) {
      peer.id = status.negotiated->peer_id;
      peer.asn = status.negotiated->peer_asn;
    }
    if (const auto since = status.session.established_since) {
      const auto up = std::chrono::duration_cast<net::Seconds>(now - *since).count();
      origin.heard = wall.seconds - static_cast<std::uint32_t>(std::clamp<std::int64_t>(up, 0, wall.seconds));
    }
    origins_[status.id] = origin;
    peers_.peers.push_back(peer);
  }
}

bool TableWriter::next(std::vector<std::uint8_t>& out, std::size_t limit) {
  if (!std::exchange(begun_, true)) encode(make_record(wall_, peers_), out);
  router_.walk_paths(cursor_, limit, [&](NodeIndex, const net::Prefix& prefix, std::span<const Path> paths, bool) {
    write(prefix, paths, out);
  });
  return !cursor_.done();
}

void TableWriter::write(const net::Prefix& prefix, std::span<const Path> paths, std::vector<std::uint8_t>& out) {
  Rib rib;
  rib.prefix = prefix;
  for (const auto& path : paths) {
    const auto origin = origins_.find(path.source);
    if (origin == origins_.end() || (path.flags & Path::rejected) != 0) continue;
    RibEntry entry{origin->second.index, origin->second.heard, path.local() ? 0 : path.audience, {}};
    encode_attributes(path.set->attributes(), prefix.family(), entry.attributes);
    if (entry.attributes.size() > 0xffff) continue;
    rib.path_ids = rib.path_ids || entry.path_id != 0;
    rib.entries.push_back(std::move(entry));
  }
  if (rib.entries.empty()) return;
  rib.sequence = sequence_++;
  encode(make_record(wall_, std::move(rib)), out);
}

}  // namespace bgp::mrt
