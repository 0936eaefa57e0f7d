// SPDX-License-Identifier: Apache-2.0
// Sessions, and what happens on them. The tables as they were before are in feed_walk.cpp.
#include "bgp/bmp/feed.hpp"

#include <algorithm>
#include <array>

#include "bgp/rib/attribute_set.hpp"
#include "bgp/wire/bytes.hpp"
#include "bgp/wire/framing.hpp"
#include "bgp/wire/notification.hpp"

namespace bgp::bmp {
namespace {

// RFC 9069 section 5.2.1: of the table that has no name of its own.
constexpr std::string_view table_name = "global";

std::vector<std::uint8_t> whole_update(std::span<const std::uint8_t> body) {
  return whole_message(bgp::MessageType::Update, body);
}

bool is_end_of_rib(std::span<const std::uint8_t> update) {
  return std::ranges::any_of(std::array{net::Family::Ipv4, net::Family::Ipv6}, [&](net::Family family) {
    std::vector<std::uint8_t> mark;
    encode_end_of_rib(family, mark);
    return std::ranges::equal(update, mark);
  });
}

PeerDown down(const PeerHeader& peer, const ResetReason& reason) {
  const bool remote = reason.by == ResetReason::By::Remote;
  if (reason.notification)
    return {peer, remote ? DownReason::RemoteNotification : DownReason::LocalNotification,
            encode(*reason.notification)};
  // No event of RFC 4271 is that a session is given up without a word.
  if (reason.by == ResetReason::By::Local) return {peer, DownReason::LocalSilent, {0, 0}};
  return {peer, DownReason::RemoteSilent, {}};
}

}  // namespace

Feed::Feed(const Router& router, FeedConfig config)
    : router_{router},
      config_{std::move(config)},
      writer_{[this](PeerId peer, View view, WallTime time, std::span<const std::uint8_t> update) {
        write(peer, view, time, update);
      }} {}

void Feed::open() {
  say(Initiation{{text_tlv(info_sys_descr, config_.system_description), text_tlv(info_sys_name, config_.system_name)}});
  if (config_.loc_rib) loc_rib_up();
  for (const auto& neighbor : router_.neighbors()) {
    if (router_.session(neighbor.id) != nullptr) peer_up(neighbor.id, Came::Before);
  }
  walking_ = config_.pre_policy || config_.post_policy || config_.adj_rib_out || config_.loc_rib;
}

std::vector<PeerId> Feed::asks_again() const {
  std::vector<PeerId> peers;
  for (const auto& [peer, monitored] : monitored_) {
    if (monitored.asked) peers.push_back(peer);
  }
  return peers;
}

// ---- messages ---------------------------------------------------------------------------------------

Feed::Monitored* Feed::find(PeerId peer) {
  const auto found = monitored_.find(peer);
  return found == monitored_.end() ? nullptr : &found->second;
}

PeerHeader Feed::header(const Monitored& monitored, std::uint8_t flags) const {
  auto made = monitored.header;
  made.flags = static_cast<std::uint8_t>(made.flags | flags);
  made.time = now_;
  return made;
}

PeerHeader Feed::loc_rib_header() const {
  return {PeerKind::LocRib, 0, 0, {}, router_.config().asn, router_.config().router_id, now_};
}

PathId Feed::path_id(const Monitored& monitored, net::Family family, std::uint32_t id) {
  return monitored.ids_in.has(family) ? PathId{id} : std::nullopt;
}

// Filters may give a route a LOCAL_PREF, which an external peer's UPDATE has no place for: it is told all the same.
RouteWriter::Form Feed::form(const Monitored& monitored, View view) {
  return {view == View::PostPolicy ? PeerType::Internal : monitored.type, monitored.width};
}

void Feed::say(const Message& message) {
  if (overflowed_) return;
  encode(message, out_);
  ++counters_.messages;
  check_limit();
}

void Feed::monitor(const PeerHeader& peer, std::span<const std::uint8_t> update) {
  if (overflowed_) return;
  encode_route_monitoring(peer, update, out_);
  ++counters_.messages;
  check_limit();
}

void Feed::check_limit() {
  if (out_.size() <= config_.limit) return;
  overflowed_ = true;
  out_ = {};
}

void Feed::write(PeerId peer, View view, WallTime time, std::span<const std::uint8_t> update) {
  const auto* monitored = view == View::LocRib ? nullptr : find(peer);
  if (view != View::LocRib && monitored == nullptr) return;
  auto head = view == View::LocRib ? loc_rib_header()
                                   : header(*monitored, view == View::PostPolicy ? flag_post_policy : std::uint8_t{0});
  head.time = time;
  monitor(head, update);
}

void Feed::end_of_rib(const PeerHeader& peer, net::Family family) {
  std::vector<std::uint8_t> update;
  encode_end_of_rib(family, update);
  monitor(peer, update);
}

// ---- sessions ---------------------------------------------------------------------------------------

void Feed::peer_up(PeerId peer, Came came) {
  const auto& session = *router_.session(peer);
  const auto& agreed = *session.negotiated();
  const auto& transport = session.transport();
  auto& monitored = monitored_[peer];
  std::uint8_t flags = 0;
  if (transport.remote.is_v6()) flags |= flag_ipv6;
  if (agreed.asn_width == AsnWidth::TwoOctets) flags |= flag_two_octet_as_path;
  monitored.header = {PeerKind::Global, flags, 0, transport.remote, agreed.peer_asn, agreed.peer_id, now_};
  monitored.type = agreed.type;
  monitored.width = agreed.asn_width;
  monitored.families = agreed.families;
  monitored.ids_in = agreed.add_path_receive;
  if (came == Came::Before) {
    monitored.unfinished = agreed.families;
    monitored.told_before = config_.adj_rib_out;
    monitored.from_table = config_.pre_policy && router_.holds_as_received(peer);
    monitored.asked = config_.pre_policy && !monitored.from_table && agreed.route_refresh;
  }
  say(PeerUp{header(monitored, 0),
             transport.local,
             transport.local_port,
             transport.remote_port,
             session.open_sent(),
             session.open_received(),
             {}});
}

// RFC 9069 section 5.2: the OPENs say what is needed to read the UPDATEs, and nothing else.
void Feed::loc_rib_up() {
  const auto& router = router_.config();
  Open open;
  open.asn = router.asn.four_octet() ? net::as_trans : router.asn;
  open.id = router.router_id;
  open.capabilities.multiprotocol = {ipv4_unicast, ipv6_unicast};
  open.capabilities.extended_next_hop = {{ipv4_unicast, ipv6_unicast.afi}};
  open.capabilities.four_octet_asn = router.asn;
  const auto bytes = encode(open);
  say(PeerUp{loc_rib_header(), {}, 0, 0, bytes, bytes, {text_tlv(info_table_name, table_name)}});
}

void Feed::went_up(PeerId peer) {
  if (router_.session(peer) != nullptr) peer_up(peer, Came::Now);
}

void Feed::went_down(PeerId peer, const ResetReason& reason) {
  const auto* monitored = find(peer);
  if (monitored == nullptr) return;
  writer_.flush(peer);
  say(down(header(*monitored, 0), reason));
  monitored_.erase(peer);
}

void Feed::close(TerminationReason reason, std::string_view text) {
  writer_.flush();
  for (const auto& [peer, monitored] : monitored_)
    say(PeerDown{header(monitored, 0), DownReason::NoLongerMonitored, {}});
  monitored_.clear();
  if (config_.loc_rib) {
    std::vector<std::uint8_t> name{0, info_table_name, 0, static_cast<std::uint8_t>(table_name.size())};
    name.insert(name.end(), table_name.begin(), table_name.end());
    say(PeerDown{loc_rib_header(), DownReason::LocRibClosed, std::move(name)});
  }
  Termination last{{number_tlv(termination_reason, static_cast<std::uint16_t>(reason))}};
  if (!text.empty()) last.information.push_back(text_tlv(termination_string, text));
  say(last);
  walking_ = false;
}

// ---- routes -----------------------------------------------------------------------------------------

void Feed::received(PeerId peer, std::span<const std::uint8_t> body, const Update* update) {
  auto* monitored = find(peer);
  if (monitored == nullptr) return;
  const bool faulty = update == nullptr || !update->faults.empty();
  if (faulty && config_.malformed) mirror(*monitored, body);
  if (update == nullptr) return;
  if (config_.pre_policy) {
    if (faulty)
      take_apart(peer, *monitored, *update);
    else
      monitor(header(*monitored, 0), whole_update(body));
  }
  if (!update->end_of_rib) return;
  const auto family = *update->end_of_rib;
  // While the walk goes on, the end of the table is the walk's to tell.
  if (walking_) {
    (family == net::Family::Ipv4 ? monitored->unfinished.ipv4 : monitored->unfinished.ipv6) = true;
  } else if (config_.post_policy) {
    writer_.flush(peer);
    end_of_rib(header(*monitored, flag_post_policy), family);
  }
}

// What an UPDATE with faults comes to (RFC 7606): the station is not to stumble over what this router did not.
void Feed::take_apart(PeerId peer, const Monitored& monitored, const Update& update) {
  const auto place = [&](net::Family family, std::uint32_t id) {
    return RouteWriter::Place{peer, View::PrePolicy, path_id(monitored, family, id)};
  };
  const auto withdraw = [&](const NlriRun& run) {
    for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) {
      writer_.withdraw(place(run.family, id), prefix, now_);
    });
  };
  for (const auto& run : update.withdrawn) withdraw(run);
  for (const auto& run : update.reachable) {
    if (update.treat_as_withdraw) {
      withdraw(run);
      continue;
    }
    auto attributes = update.attributes;
    attributes.next_hop = run.family == net::Family::Ipv4 ? update.next_hop_ipv4 : update.next_hop_ipv6;
    for_each_route(run, [&](const net::Prefix& prefix, std::uint32_t id) {
      writer_.announce(place(run.family, id), prefix, attributes, form(monitored, View::PrePolicy), now_);
    });
  }
  writer_.flush(peer);
}

// RFC 7854 section 4.7.
void Feed::mirror(const Monitored& monitored, std::span<const std::uint8_t> body) {
  say(RouteMirroring{header(monitored, 0),
                     {number_tlv(mirrored_information, errored_pdu), Tlv{mirrored_message, whole_update(body)}}});
}

void Feed::refreshed(PeerId peer, net::Family family) {
  const auto* monitored = find(peer);
  if (monitored != nullptr && monitored->asked) end_of_rib(header(*monitored, 0), family);
}

void Feed::sent(PeerId peer, std::span<const std::uint8_t> messages) {
  if (!config_.adj_rib_out) return;
  const auto* monitored = find(peer);
  if (monitored == nullptr) return;
  const auto head = header(*monitored, flag_post_policy | flag_adj_rib_out);
  // To the peer the table may end before the station knows all of it.
  const bool unfinished = monitored->told_before && (walking_ || monitored->unfinished_out());
  while (messages.size() >= header_size) {
    const auto length = std::min<std::size_t>(load_u16(&messages[16]), messages.size());
    const auto message = messages.first(length);
    if (message[18] == static_cast<std::uint8_t>(bgp::MessageType::Update) && !(unfinished && is_end_of_rib(message)))
      monitor(head, message);
    messages = messages.subspan(std::max(length, header_size));
  }
}

void Feed::accepted(PeerId peer, NodeIndex node, const net::Prefix& prefix, std::uint32_t id, const AttributeSet* set) {
  if (!config_.post_policy || ahead(prefix.family(), node)) return;
  const auto* monitored = find(peer);
  if (monitored == nullptr) return;
  const RouteWriter::Place place{peer, View::PostPolicy, path_id(*monitored, prefix.family(), id)};
  if (set == nullptr)
    writer_.withdraw(place, prefix, now_);
  else
    writer_.announce(place, prefix, *set, form(*monitored, View::PostPolicy), now_);
}

void Feed::selected(NodeIndex node, const net::Prefix& prefix, const Path* best) {
  if (!config_.loc_rib || ahead(prefix.family(), node)) return;
  const RouteWriter::Place place{local_peer, View::LocRib, std::nullopt};
  if (best == nullptr)
    writer_.withdraw(place, prefix, now_);
  else
    writer_.announce(place, prefix, *best->set, {}, now_);
}

}  // namespace bgp::bmp
