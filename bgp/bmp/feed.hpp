// SPDX-License-Identifier: Apache-2.0
// What one monitoring station is told, from the moment it is connected: who the router is, which sessions are up, the
// tables as they are, and then every change. Bytes wait here until the station takes them, at most `limit` of them:
// with more the feed is over, and the station begins anew with another one. The tables are read piece by piece, when
// the station takes more, and nothing of them is kept.
//
// Where each view comes from:
//   pre-policy   UPDATEs as they arrive. For a station that comes late: the tables where they hold what the peer
//                said (Router::holds_as_received()), else the peer is asked again (asks_again()).
//   post-policy  accepted paths, as the tables change
//   adj-rib-out  UPDATEs as they are given to the connections; first what the peer has from us. Of prefixes that it
//                has still to be told about, that is told when it was
//   loc-rib      selected paths, as they change
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bgp/bmp/message.hpp"
#include "bgp/bmp/route_writer.hpp"
#include "bgp/rib/bitmap.hpp"
#include "bgp/router.hpp"

namespace bgp::bmp {

struct FeedConfig {
  bool pre_policy = false;
  bool post_policy = false;
  bool adj_rib_out = false;
  bool loc_rib = false;
  bool malformed = false;  // UPDATEs that were handled by RFC 7606, or ended a session, as they came
  std::string system_name;
  std::string system_description;
  std::size_t limit = 32 << 20;  // octets that may wait
  friend bool operator==(const FeedConfig&, const FeedConfig&) = default;
};

struct FeedCounters {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

class Feed final : public RouterObserver {
 public:
  // `router` must outlive the feed; it tells it what happens after open().
  Feed(const Router& router, FeedConfig config);

  // The time of what it is told next.
  void set_time(WallTime now) { now_ = now; }
  // The station is there: Initiation, the sessions that are up, and the walk over the tables begins.
  void open();
  // Peers that must be asked for their routes again for their pre-policy view to be whole (RFC 2918).
  [[nodiscard]] std::vector<PeerId> asks_again() const;

  // Appends what waits to `out`; where nothing does, the next piece of the tables. False: nothing was appended.
  bool pull(std::vector<std::uint8_t>& out);
  // Part of the tables is still to be told: pull() may give something though nothing happens.
  [[nodiscard]] bool walking() const;
  // More waited than may: nothing is told any more.
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] std::size_t waiting() const { return out_.size(); }
  [[nodiscard]] const FeedCounters& counters() const { return counters_; }

  // A Statistics Report of each session, and of the Loc-RIB where that is told.
  void report();
  // The last words: that nobody is monitored any more, and why.
  void close(TerminationReason reason, std::string_view text);

  void went_up(PeerId peer) override;
  void went_down(PeerId peer, const ResetReason& reason) override;
  void received(PeerId peer, std::span<const std::uint8_t> body, const Update* update) override;
  void refreshed(PeerId peer, net::Family family) override;
  void sent(PeerId peer, std::span<const std::uint8_t> messages) override;
  void pulled(PeerId peer) override;
  void accepted(PeerId peer, NodeIndex node, const net::Prefix& prefix, std::uint32_t path_id,
                const AttributeSet* set) override;
  void selected(NodeIndex node, const net::Prefix& prefix, const Path* best) override;

 private:
  // What was said of a session in its Peer Up, as far as later messages depend on it.
  struct Monitored {
    PeerHeader header;
    PeerType type = PeerType::External;
    AsnWidth width = AsnWidth::FourOctets;
    Families families;
    Families ids_in;
    bool from_table = false;  // pre-policy, in the walk
    bool asked = false;       // to say everything again, which ends with a mark
    Families unfinished;      // the walk, and not the peer, ends the table

    // Of a peer that was up when the station came: what it has from us is told by the walk.
    bool told_before = false;
    // Prefixes that it had still to be told about when the walk came by. Told when it was told all.
    Bitmap owed_ipv4;
    Bitmap owed_ipv6;
    bool told_all = false;
    Families out_unfinished;  // the end of the table comes when nothing is owed any more
    [[nodiscard]] Bitmap& owed(net::Family family) { return family == net::Family::Ipv4 ? owed_ipv4 : owed_ipv6; }
    [[nodiscard]] bool unfinished_out() const { return out_unfinished.ipv4 || out_unfinished.ipv6; }
    [[nodiscard]] bool owes() const { return !owed_ipv4.empty() || !owed_ipv6.empty(); }
  };
  Monitored* find(PeerId peer);
  [[nodiscard]] PeerHeader header(const Monitored& monitored, std::uint8_t flags) const;
  [[nodiscard]] PeerHeader loc_rib_header() const;
  [[nodiscard]] static PathId path_id(const Monitored& monitored, net::Family family, std::uint32_t id);
  [[nodiscard]] static RouteWriter::Form form(const Monitored& monitored, View view);

  void say(const Message& message);
  void monitor(const PeerHeader& peer, std::span<const std::uint8_t> update);
  void write(PeerId peer, View view, WallTime time, std::span<const std::uint8_t> update);
  void end_of_rib(const PeerHeader& peer, net::Family family);
  void check_limit();

  // ---- feed.cpp: sessions ----
  enum class Came : std::uint8_t { Before, Now };
  void peer_up(PeerId peer, Came came);
  void loc_rib_up();
  void mirror(const Monitored& monitored, std::span<const std::uint8_t> body);
  void take_apart(PeerId peer, const Monitored& monitored, const Update& update);

  // ---- feed_walk.cpp ----
  void walk_piece();
  void tell_paths(NodeIndex node, const net::Prefix& prefix, std::span<const Path> paths, bool selected);
  // What the peer has from us of these; what it has still to be told is owed.
  void tell_out(PeerId peer, Monitored& monitored, net::Family family, std::span<const NodeIndex> nodes);
  // A piece of what is owed and may be told now.
  void tell_owed();
  void end_out(Monitored& monitored);
  void end_walk();
  // The walk will come to the node, so that its changes need not be told.
  [[nodiscard]] bool ahead(net::Family family, NodeIndex node) const;

  const Router& router_;
  FeedConfig config_;
  WallTime now_;
  std::map<PeerId, Monitored> monitored_;
  RouteWriter writer_;
  TableCursor cursor_;
  bool walking_ = false;
  bool overflowed_ = false;
  std::vector<std::uint8_t> out_;
  std::vector<std::uint8_t> scratch_;
  std::vector<NodeIndex> piece_ipv4_;  // what the walk came by
  std::vector<NodeIndex> piece_ipv6_;
  std::vector<NodeIndex> behind_;  // scratch
  FeedCounters counters_;
};

}  // namespace bgp::bmp
