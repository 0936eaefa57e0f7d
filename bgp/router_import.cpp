// SPDX-License-Identifier: Apache-2.0
// What peers say, on its way into the tables: loops, import filters, limits, and what was malformed.
#include <algorithm>
#include <array>

#include "bgp/router_core.hpp"
#include "bgp/wire/nlri.hpp"
#include "bgp/wire/notification.hpp"
#include "net/writer.hpp"

namespace bgp {
namespace {

constexpr std::size_t malformed_kept = 8;
constexpr std::size_t malformed_octets = 256;

std::string hex(std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 0xf];
  }
  return text;
}

enum class Loop : std::uint8_t { None, AsPath, OriginatorId, ClusterList, NextHop };

// Whether routes went through this router or its cluster already, or point back to it (RFC 4271 sections 9.1.2 and
// 5.1.3, RFC 4456 section 8).
Loop loop_of(const PathAttributes& attributes, const NeighborConfig& neighbor, const Transport& transport,
             const RouterConfig& router) {
  const auto& config = neighbor.session;
  auto own = attributes.as_path.count(config.local_asn);
  if (router.asn != config.local_asn) own += attributes.as_path.count(router.asn);
  if (router.confederation && *router.confederation != config.local_asn)
    own += attributes.as_path.count(*router.confederation);
  if (own > neighbor.allowed_own_as) return Loop::AsPath;
  if (attributes.originator_id == config.router_id) return Loop::OriginatorId;
  const auto cluster = router.cluster_id.value_or(router.router_id);
  if (std::find(attributes.cluster_list.begin(), attributes.cluster_list.end(), cluster) !=
      attributes.cluster_list.end())
    return Loop::ClusterList;
  const auto& next_hop = attributes.next_hop.address;
  const bool own_address =
      next_hop == transport.local || (next_hop.is_v6() && transport.local_link_local == next_hop.v6()) ||
      (next_hop.is_v4() ? transport.local_ipv4 == next_hop.v4() : transport.local_ipv6 == next_hop.v6());
  return own_address ? Loop::NextHop : Loop::None;
}

void note(Loop loop, LoopCounters& counters) {
  if (loop == Loop::AsPath) ++counters.as_path;
  if (loop == Loop::OriginatorId) ++counters.originator_id;
  if (loop == Loop::ClusterList) ++counters.cluster_list;
  if (loop == Loop::NextHop) ++counters.next_hop;
}

// RFC 8326: the session is about to go, or the neighbour says so of these routes.
bool about_to_go(const Neighbor& neighbor, const PathAttributes& attributes) {
  using GracefulShutdown = NeighborConfig::GracefulShutdown;
  const bool honoured =
      neighbor.context.peer == PeerType::External && neighbor.config.graceful_shutdown == GracefulShutdown::Honoured;
  return neighbor.config.draining == Draining::Yes || (honoured && attributes.has(community_graceful_shutdown));
}

// RFC 7999 section 3.2: what is dropped here at a neighbour's wish is for nobody else.
void keep_inside(PathAttributes& attributes) {
  if (!attributes.has(community_blackhole) || attributes.has(community_no_export) ||
      attributes.has(community_no_advertise))
    return;
  attributes.communities.push_back(community_no_export);
}

// Runs prefixes of one family and UPDATE through import filters, and interns each outcome once. Changes the attributes
// to what filters are to see, and looks at them until it goes.
class Importer {
 public:
  // `links`: where routes are to know the link that leads to their next hop.
  Importer(AttributePool& pool, const Neighbor& neighbor, const RouterConfig& router, const RoaTable* roas,
           const LinkMap* links, PathAttributes& received)
      : pool_{pool},
        chain_{neighbor.config.import},
        name_{neighbor.config.policy_name()},
        own_asn_{neighbor.config.session.local_asn},
        home_{home_of(router)},
        received_{received},
        loop_{loop_of(received_, neighbor.config, neighbor.peer.established()->transport(), router)},
        keep_rejected_{neighbor.config.rejected == Kept::Yes},
        needs_{neighbor.import_needs},
        peer_type_{neighbor.peer.established()->negotiated()->type},
        prepends_{import_prepends(router, peer_type_)},
        last_resort_{about_to_go(neighbor, received_)},
        roas_{roas},
        links_{links},
        session_interface_{neighbor.peer.established()->transport().interface_index} {
    received_.link = link_of(received_.next_hop);
    if (neighbor.config.prepend_local_as) received_.as_path.prepend(own_asn_);
    if (neighbor.config.accept_blackhole) keep_inside(received_);
  }

  struct Outcome {
    bool accepted = false;
    AttributeSet* set = nullptr;  // nothing: not to be stored
  };
  const Outcome& outcome(const net::Prefix& prefix) {
    const bool looped = loop_ != Loop::None;
    if (known_ && (!needs_.depends_on_prefix || looped)) return outcome_;
    known_ = true;
    if (!looped && !last_resort_ && needs_.accepts_everything && encodable(received_)) return accept(received_);
    if (!looped) {
      auto attributes = received_;
      const RouteContext context{.prefix = prefix,
                                 .peer = name_,
                                 .own_asn = own_asn_,
                                 .peer_type = peer_type_,
                                 .validity = validity(prefix),
                                 .links = links_,
                                 .prepends = prepends_};
      if (run(chain_, context, attributes).accepted && encodable(attributes)) {
        attributes.link = link_of(attributes.next_hop);
        if (last_resort_) attributes.local_pref = 0;  // RFC 8326 section 4.2, whatever filters say
        return accept(attributes);
      }
    }
    outcome_ = {};
    if (keep_rejected_ && encodable(received_)) {
      if (!rejected_) rejected_ = pool_.intern(received_);
      outcome_.set = rejected_.get();
    }
    return outcome_;
  }

  [[nodiscard]] Loop loop() const { return loop_; }

 private:
  [[nodiscard]] OriginValidity validity(const net::Prefix& prefix) const {
    if (!needs_.depends_on_rpki || roas_ == nullptr) return OriginValidity::NotFound;
    return roas_->validate(prefix, received_.as_path.validated_origin(home_));
  }

  // Where the next hop is on no link, the session's: that is how far this host knows the way.
  [[nodiscard]] std::uint32_t link_of(const NextHop& next_hop) const {
    if (links_ == nullptr) return 0;
    if (next_hop.interface != 0) return links_->number_of(next_hop.interface);
    const auto link = links_->leads_to(next_hop.address);
    return link != 0 ? link : links_->number_of(session_interface_);
  }

  const Outcome& accept(const PathAttributes& attributes) {
    // The prefix before this one had the same outcome, most of the time.
    if (!accepted_ || !(attributes == last_)) {
      accepted_ = pool_.intern(attributes);
      if (needs_.depends_on_prefix) last_ = attributes;
    }
    outcome_ = {true, accepted_.get()};
    return outcome_;
  }

  AttributePool& pool_;
  const FilterChain& chain_;
  std::string_view name_;
  net::Asn own_asn_;
  net::Asn home_;
  PathAttributes& received_;
  Loop loop_;
  bool keep_rejected_;
  Neighbor::ImportNeeds needs_;
  PeerType peer_type_;
  AsPathSegment::Type prepends_;
  bool last_resort_;
  const RoaTable* roas_;
  const LinkMap* links_;
  std::uint32_t session_interface_;
  bool known_ = false;
  Outcome outcome_;
  SetRef accepted_;
  PathAttributes last_;
  SetRef rejected_;
};

// RFC 2545 section 3: on a link that has no other addresses, or is known by nothing else, the link-local next hop
// counts, together with the link.
void bind_to_link(NextHop& next_hop, const Transport& transport) {
  const bool unnumbered = transport.remote.link_local();
  if (unnumbered && next_hop.link_local) next_hop.address = *next_hop.link_local;
  if (!next_hop.address.is_v6() || !next_hop.address.link_local()) return;
  next_hop.link_local.reset();
  next_hop.interface = transport.interface_index;
}

// RFC 9234 section 5: routes that the neighbour should have kept to itself.
bool leaked(const std::optional<net::Asn>& only_to_customer, Role ours, net::Asn peer) {
  if (!only_to_customer) return false;
  if (ours == Role::Provider || ours == Role::RouteServer) return true;
  return ours == Role::Peer && *only_to_customer != peer;
}

}  // namespace

void Router::Core::handle(Neighbor& neighbor, const UpdateBody& body, net::TimePoint now) {
  auto update = decode_update(body.bytes, neighbor.context);
  if (observer_ != nullptr) observer_->received(neighbor.id, body.bytes, update ? &*update : nullptr);
  if (!update) {
    note_malformed(neighbor, body, describe(update.error()), now);
    neighbor.peer.violated(update.error(), now, peer_actions_);
    return perform(neighbor, peer_actions_);
  }
  if (!update->faults.empty()) note_faults(neighbor, body, *update, now);
  for (const auto& run : update->withdrawn) withdraw_run(neighbor, run);
  for (const auto& run : update->reachable) {
    if (update->treat_as_withdraw) {
      withdraw_run(neighbor, run);
      continue;
    }
    // The import changes them, so that all but the last have their own.
    std::optional<PathAttributes> copy;
    if (&run + 1 != update->reachable.end()) copy = update->attributes;
    auto& attributes = copy ? *copy : update->attributes;
    attributes.next_hop = run.family == net::Family::Ipv4 ? update->next_hop_ipv4 : update->next_hop_ipv6;
    run.family == net::Family::Ipv4 ? import_all<net::Ipv4Prefix>(neighbor, run, attributes)
                                    : import_all<net::Ipv6Prefix>(neighbor, run, attributes);
  }
  for (const auto& run : update->reachable) {
    if (neighbor.up) check_limit(neighbor, run.family, now);
  }
  if (update->end_of_rib && neighbor.up) end_of_rib(neighbor, *update->end_of_rib, now);
}

void Router::Core::handle(Neighbor& neighbor, const RouteRefresh& refresh) {
  const auto family = unicast_family(refresh.family);
  const auto* session = neighbor.peer.established();
  if (!family || session == nullptr) return;
  const auto& agreed = *session->negotiated();
  if (!agreed.families.has(*family)) return;
  auto& intake = neighbor.intake(*family);
  with_rib(*family, [&](auto& rib) {
    switch (refresh.kind) {
      case RefreshKind::Request:
        rib.resend(neighbor.id, agreed.enhanced_route_refresh ? RefreshMarks::Yes : RefreshMarks::No);
        break;
      case RefreshKind::BeginOfRefresh:
        // RFC 7313 section 4: not before End-of-RIB, where that comes.
        if (!agreed.enhanced_route_refresh || (agreed.restart.capable && !intake.end_of_rib)) break;
        intake.refreshing = true;
        rib.begin_refresh(neighbor.id);
        break;
      case RefreshKind::EndOfRefresh:
        if (std::exchange(intake.refreshing, false)) rib.end_refresh(neighbor.id);
        if (observer_ != nullptr) observer_->refreshed(neighbor.id, *family);
        break;
      case RefreshKind::Unknown:
        break;
    }
  });
}

void Router::Core::withdraw_run(Neighbor& neighbor, const NlriRun& run) {
  run.family == net::Family::Ipv4 ? withdraw_all<net::Ipv4Prefix>(neighbor, run)
                                  : withdraw_all<net::Ipv6Prefix>(neighbor, run);
}

namespace {

// Calls visit(prefix, path identifier) for each prefix of a run. The table is told of some in advance: looked up one by
// one, a large one has the processor wait for memory most of the time.
template <class Prefix, class Visit>
void for_each_expected(const Rib<Prefix>& tables, const NlriRun& run, Visit&& visit) {
  constexpr std::size_t together = 16;
  std::array<Prefix, together> prefixes;
  std::array<std::uint32_t, together> path_ids;
  std::size_t count = 0;
  const auto visit_all = [&] {
    if (count > 1) tables.expect(std::span{prefixes}.first(count));
    for (std::size_t i = 0; i < count; ++i) visit(prefixes[i], path_ids[i]);
    count = 0;
  };
  for_each_route<Prefix>(run, [&](const Prefix& prefix, std::uint32_t path_id) {
    prefixes[count] = prefix;
    path_ids[count] = path_id;
    if (++count == together) visit_all();
  });
  visit_all();
}

}  // namespace

template <class Prefix>
void Router::Core::withdraw_all(Neighbor& neighbor, const NlriRun& run) {
  for_each_expected<Prefix>(rib<Prefix>(), run, [&](const Prefix& prefix, std::uint32_t path_id) {
    if (!neighbor.refreshes) neighbor.heard.drop({net::Prefix{prefix}, path_id});
    rib<Prefix>().withdraw(neighbor.id, prefix, path_id);
  });
}

namespace {

template <class Prefix>
void store(Rib<Prefix>& tables, PeerId peer, const Prefix& prefix, std::uint32_t path_id,
           const Importer::Outcome& outcome) {
  if (outcome.set == nullptr)
    tables.withdraw(peer, prefix, path_id);
  else
    tables.announce(peer, prefix, outcome.set, outcome.accepted ? Acceptance::Accepted : Acceptance::Rejected, path_id);
}

}  // namespace

template <class Prefix>
void Router::Core::import_all(Neighbor& neighbor, const NlriRun& run, PathAttributes& attributes) {
  const auto& session = *neighbor.peer.established();
  bind_to_link(attributes.next_hop, session.transport());
  if (const auto role = session.negotiated()->role) {
    const auto peer = session.negotiated()->peer_asn;
    if (leaked(attributes.only_to_customer, *role, peer)) {
      for_each_route<Prefix>(run, [&](const Prefix&, std::uint32_t) { ++neighbor.intake(run.family).leaked; });
      return withdraw_all<Prefix>(neighbor, run);
    }
    if (from_above(*role) && !attributes.only_to_customer) attributes.only_to_customer = peer;
  }
  const auto original = neighbor.refreshes || !encodable(attributes) ? SetRef{} : pool_.intern(attributes);
  Importer importer{pool_, neighbor, config_, roas_, links_asked_ ? &links_ : nullptr, attributes};
  auto& tables = rib<Prefix>();
  auto& intake = neighbor.intake(run.family);
  for_each_expected<Prefix>(tables, run, [&](const Prefix& prefix, std::uint32_t path_id) {
    if (original)
      neighbor.heard.keep({net::Prefix{prefix}, path_id}, pool_.share(original.get()));
    else if (!neighbor.refreshes)
      neighbor.heard.drop({net::Prefix{prefix}, path_id});
    const auto& outcome = importer.outcome(prefix);
    if (!outcome.accepted) {
      ++intake.filtered;
      note(importer.loop(), neighbor.loops);
    }
    store(tables, neighbor.id, prefix, path_id, outcome);
  });
}

// What the neighbour said goes through the filters once more.
void Router::Core::import_again(Neighbor& neighbor, net::TimePoint now) {
  // IPv4 and IPv6 prefixes may share a set (RFC 8950), and filters tell the families apart.
  std::optional<std::pair<const AttributeSet*, net::Family>> of;
  PathAttributes attributes;
  std::optional<Importer> importer;
  for (const auto& [set, route] : neighbor.heard.by_set()) {
    const std::pair with{set, route.prefix.family()};
    if (std::exchange(of, with) != with) {
      attributes = set->attributes();
      importer.emplace(pool_, neighbor, config_, roas_, links_asked_ ? &links_ : nullptr, attributes);
    }
    const auto& outcome = importer->outcome(route.prefix);
    with_table(route.prefix, [&, path_id = route.path_id](auto& tables, const auto& prefix) {
      store(tables, neighbor.id, prefix, path_id, outcome);
    });
  }
  for (const auto family : {net::Family::Ipv4, net::Family::Ipv6})
    if (neighbor.up) check_limit(neighbor, family, now);
}

void Router::Core::note_faults(Neighbor& neighbor, const UpdateBody& body, const Update& update, net::TimePoint now) {
  for (const auto& fault : update.faults) ++neighbor.attribute_faults[fault.type];
  const auto& first = update.faults.front();
  auto reason = "attribute " + std::to_string(first.type) + ": " + first.reason +
                (update.treat_as_withdraw ? "; treated as withdrawn" : "; attribute discarded");
  actions_.emplace_back(NeighborNotice{neighbor.id, Notice::MalformedUpdate, reason});
  note_malformed(neighbor, body, std::move(reason), now);
}

void Router::Core::note_malformed(Neighbor& neighbor, const UpdateBody& body, std::string reason, net::TimePoint now) {
  const auto shown = body.bytes.first(std::min(body.bytes.size(), malformed_octets));
  neighbor.malformed.push_back({now, std::move(reason), hex(shown)});
  if (neighbor.malformed.size() > malformed_kept) neighbor.malformed.pop_front();
}

namespace {

// Whether `maximum` is exceeded, and whether it is time to say that it is near, once a session.
struct LimitCheck {
  bool exceeded = false;
  bool warns = false;
};
LimitCheck check(const PrefixLimit& limit, std::uint64_t count, std::uint32_t maximum, bool& warned) {
  const bool exceeded = count > maximum;
  const bool near = limit.warn_percent != 0 && count * 100 >= std::uint64_t{maximum} * limit.warn_percent;
  return {exceeded, (near || exceeded) && !std::exchange(warned, true)};
}

std::string describe(std::uint64_t count, net::Family family, std::uint32_t maximum) {
  return std::to_string(count) + ' ' + std::string{net::print(family)} + " prefixes of at most " +
         std::to_string(maximum);
}

}  // namespace

// RFC 4271 section 6.7, RFC 4486 section 4.
void Router::Core::check_limit(Neighbor& neighbor, net::Family family, net::TimePoint now) {
  const auto& limit = neighbor.limit(family);
  if (limit.maximum == 0) return;
  std::uint64_t count = 0;
  // What a refresh has not come to, or a restart left, is held as well.
  with_rib(family, [&](auto& rib) { count = rib.counters(neighbor.id).held(); });
  const auto [exceeded, warns] = check(limit, count, limit.maximum, neighbor.intake(family).warned);
  const auto notice = [&](Notice what) {
    actions_.emplace_back(NeighborNotice{neighbor.id, what, describe(count, family, limit.maximum)});
  };
  if (warns) notice(Notice::PrefixLimitWarning);
  if (!exceeded || limit.action == PrefixLimit::Action::Warn) return;

  notice(Notice::PrefixLimitReached);
  stop_for_limit(neighbor, family, limit.maximum, now);
}

void Router::Core::check_told(Neighbor& neighbor) {
  each_rib([&](net::Family family, auto& rib) {
    const auto& limit = neighbor.limit(family);
    auto& intake = neighbor.intake(family);
    if (limit.maximum_out == 0 || intake.told_too_much) return;
    std::uint64_t told = 0;
    for (const auto& out : rib.outs(neighbor.id)) told += out.member->advertised;
    const auto [exceeded, warns] = check(limit, told, limit.maximum_out, intake.warned_out);
    if (warns)
      actions_.emplace_back(NeighborNotice{neighbor.id, Notice::PrefixLimitWarning,
                                           describe(told, family, limit.maximum_out) + " that may be announced"});
    if (!exceeded || limit.action == PrefixLimit::Action::Warn) return;
    intake.told_too_much = true;
    settle(neighbor);
  });
}

void Router::Core::stop_telling(Neighbor& neighbor, net::Family family, net::TimePoint now) {
  neighbor.intake(family).told_too_much = false;
  if (!neighbor.up) return;
  const auto maximum = neighbor.limit(family).maximum_out;
  actions_.emplace_back(NeighborNotice{neighbor.id, Notice::PrefixLimitReached,
                                       "more than the " + std::to_string(maximum) + ' ' +
                                           std::string{net::print(family)} + " prefixes that may be announced"});
  stop_for_limit(neighbor, family, maximum, now);
}

// RFC 4486 section 4: the family and the limit go along.
void Router::Core::stop_for_limit(Neighbor& neighbor, net::Family family, std::uint32_t maximum, net::TimePoint now) {
  auto notification = cease(CeaseError::MaximumPrefixes);
  const auto pair = unicast(family);
  notification.data = {static_cast<std::uint8_t>(pair.afi >> 8), static_cast<std::uint8_t>(pair.afi), pair.safi};
  net::Writer{notification.data}.u32(maximum);
  neighbor.limited = true;
  if (const auto restart = neighbor.limit(family).restart) neighbor.restart_at = now + *restart;
  neighbor.peer.stop(notification, now, peer_actions_);
  perform(neighbor, peer_actions_);
}

}  // namespace bgp
