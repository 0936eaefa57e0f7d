// SPDX-License-Identifier: Apache-2.0
#include "speaker/router_setup.hpp"

#include <algorithm>

#include "bgp/wire/text.hpp"
#include "net/as_path_pattern.hpp"

namespace speaker {
namespace {

using config::BGPFilter;
using config::BGPPeer;
using config::Resources;

// "65001:100", "large:1:2:3", a well-known name, or an alias of a Community object.
std::optional<bgp::CommunityPattern> community(const Resources& resources, const std::string& text) {
  for (const auto& [name, object] : resources.communities)
    if (const auto alias = object.communities.find(text); alias != object.communities.end())
      return bgp::parse_community_pattern(alias->second);
  return bgp::parse_community_pattern(text);
}

template <class Add>
void for_each_community(const Resources& resources, const std::vector<std::string>& texts, Add&& add) {
  for (const auto& text : texts)
    if (const auto pattern = community(resources, text)) add(*pattern);
}

net::Family family(config::AddressFamily value) {
  return value == config::AddressFamily::Ipv4Unicast ? net::Family::Ipv4 : net::Family::Ipv6;
}

bgp::Origin origin(const std::string& word) {
  return word == "igp" ? bgp::Origin::Igp : word == "egp" ? bgp::Origin::Egp : bgp::Origin::Incomplete;
}

bgp::PeerType peer_type(const std::string& word) {
  return word == "external"   ? bgp::PeerType::External
         : word == "internal" ? bgp::PeerType::Internal
                              : bgp::PeerType::Confederation;
}

// `all_routes` is the metric in the kernel of routes that no filter gives another.
bgp::RuleMatch match(const Resources& resources, const BGPFilter::Match& from, std::uint32_t all_routes) {
  bgp::RuleMatch to;
  for (const auto& prefix : from.prefixes) to.prefixes.push_back({prefix.cidr, prefix.ge, prefix.le});
  for (const auto& prefix : from.not_prefixes) to.not_prefixes.push_back({prefix.cidr, prefix.ge, prefix.le});
  for (const auto& text : from.as_path_regex)
    if (auto pattern = net::parse_as_path_pattern(text)) to.as_path.push_back(std::move(*pattern));
  if (from.family) to.family = family(*from.family);
  for_each_community(resources, from.communities, [&](const auto& pattern) { to.communities.push_back(pattern); });
  to.as_path_contains = from.as_path_contains;
  to.origin_as = from.origin_as;
  to.neighbor_as = from.neighbor_as;
  to.as_path_min_length = from.as_path_min_length;
  to.as_path_max_length = from.as_path_max_length;
  to.next_hops = from.next_hops;
  to.interfaces = from.interfaces;
  if (from.kernel_metric) to.kernel_metric = {*from.kernel_metric, *from.kernel_metric == all_routes};
  to.peers = from.peers;
  if (from.origin) to.origin = origin(*from.origin);
  to.med = from.med;
  to.local_pref = from.local_pref;
  if (from.source) to.source = *from.source == "local" ? bgp::RouteSource::Local : bgp::RouteSource::Learned;
  if (from.peer_type) to.peer_type = peer_type(*from.peer_type);
  if (from.rpki)
    to.rpki = *from.rpki == "valid"     ? bgp::OriginValidity::Valid
              : *from.rpki == "invalid" ? bgp::OriginValidity::Invalid
                                        : bgp::OriginValidity::NotFound;
  to.when_present = from.when_present;
  to.when_absent = from.when_absent;
  return to;
}

bgp::RuleSet set(const Resources& resources, const BGPFilter::Set& from) {
  bgp::RuleSet to;
  to.local_pref = from.local_pref;
  to.med = from.med;
  to.prepend = from.prepend;
  to.prepend_path = from.prepend_path;
  if (from.origin) to.origin = origin(*from.origin);
  const auto add = [&](const bgp::CommunityPattern& pattern) {
    if (const auto standard = pattern.standard()) to.add_communities.push_back(*standard);
    if (const auto large = pattern.large()) to.add_large_communities.push_back(*large);
    if (const auto extended = pattern.extended()) to.add_extended_communities.push_back(*extended);
    if (const auto ipv6 = pattern.ipv6_extended()) to.add_ipv6_extended_communities.push_back(*ipv6);
  };
  for_each_community(resources, from.add_communities, add);
  for_each_community(resources, from.remove_communities,
                     [&](const auto& pattern) { to.remove_communities.push_back(pattern); });
  to.replace_communities = from.communities.has_value();
  if (from.communities) for_each_community(resources, *from.communities, add);
  if (from.next_hop) {
    to.next_hop = bgp::NextHopChange::Address;
    to.next_hop_address = *from.next_hop;
  }
  if (from.aigp) to.aigp = *from.aigp;
  to.kernel_metric = from.kernel_metric;
  constexpr float octets_of_megabit = 125'000;
  if (from.link_bandwidth) to.link_bandwidth = static_cast<float>(*from.link_bandwidth) * octets_of_megabit;
  if (from.next_hop_self) to.next_hop = bgp::NextHopChange::Self;
  return to;
}

bgp::RuleAction action(config::FilterAction from) {
  switch (from) {
    case config::FilterAction::Accept:
      return bgp::RuleAction::Accept;
    case config::FilterAction::Reject:
      return bgp::RuleAction::Reject;
    case config::FilterAction::Next:
      break;
  }
  return bgp::RuleAction::Next;
}

// What the tables have is a condition of announcing: a rule that asks for it is for export, said or not.
bool is_for(config::Direction direction, const BGPFilter::Match& rule) {
  if (rule.direction) return *rule.direction == direction;
  return direction == config::Direction::Export || (rule.when_present.empty() && rule.when_absent.empty());
}

// The filters by name, in order. A name that leads nowhere goes to `missing`; for `all_routes` see match().
bgp::FilterChain chain(const Resources& resources, const std::vector<std::string>& names, config::Direction direction,
                       std::uint32_t all_routes, std::string& missing) {
  bgp::FilterChain out;
  for (const auto& name : names) {
    if (name == "accept-all") {
      out.push_back(bgp::accept_all());
    } else if (name == "reject-all") {
      out.push_back(bgp::reject_all());
    } else if (name == "accept-local") {
      out.push_back(bgp::accept_local());
    } else if (const auto found = resources.filters.find(name); found != resources.filters.end()) {
      bgp::Filter filter{name, {}};
      for (const auto& rule : found->second.rules) {
        if (!is_for(direction, rule.match)) continue;
        filter.rules.push_back(
            {rule.name, match(resources, rule.match, all_routes), set(resources, rule.set), action(rule.action)});
      }
      out.push_back(std::move(filter));
    } else {
      missing = "BGPFilter " + name + " does not exist";
    }
  }
  return out;
}

// What a Secret holds under the key that is meant, or why it does not.
std::string secret_of(const Resources& resources, const config::SecretRef& ref, const std::string& own_namespace,
                      std::string& missing) {
  const auto name = ref.full_name(own_namespace);
  const auto secret = resources.secrets.find(name);
  if (secret == resources.secrets.end()) {
    missing = "Secret " + name + " does not exist";
    return {};
  }
  const auto value = secret->second.data.find(ref.key);
  if (value == secret->second.data.end() || value->second.empty()) {
    missing = "Secret " + name + " has no key \"" + ref.key + "\"";
    return {};
  }
  return value->second;
}

// The keys for TCP-AO, or why there are none although they are asked for.
bgp::AuthenticationKeys authentication(const Resources& resources, const BGPPeer& peer, std::string& missing) {
  bgp::AuthenticationKeys out;
  if (!peer.tcp_ao) return out;
  using From = config::BGPPeer::TcpAo::Algorithm;
  using To = bgp::AuthenticationKeys::Algorithm;
  out.algorithm = peer.tcp_ao->algorithm == From::HmacSha1 ? To::HmacSha1 : To::AesCmac;
  const auto name = peer.tcp_ao->secret.full_name();
  if (const auto secret = resources.secrets.find(name); secret != resources.secrets.end()) {
    for (const auto& [id, key] : secret->second.data)
      if (const auto number = config::key_number(id)) out.keys.emplace(*number, key);
  }
  if (out.empty()) missing = "Secret " + name + " has no keys for TCP-AO";
  return out;
}

// The password, or why there is none although one is asked for.
std::string password(const Resources& resources, const BGPPeer& peer, std::string& missing) {
  if (peer.password) return *peer.password;
  if (!peer.password_secret) return {};
  return secret_of(resources, *peer.password_secret, peer.meta.namespace_name, missing);
}

bgp::Reach reach(const BGPPeer& peer, net::Asn local) {
  if (peer.ttl_security) return {bgp::Reach::Kind::Security, *peer.ttl_security};
  const bool external = peer.peer_asn ? *peer.peer_asn != local : peer.dynamic_asn == config::DynamicAsn::External;
  if (peer.ebgp_multi_hop || (peer.multi_hop_if_external && external)) return {bgp::Reach::Kind::Multihop, 255};
  return {};
}

bgp::ExpectedAsn expected_asn(const BGPPeer& peer) {
  if (peer.peer_asn) return {bgp::ExpectedAsn::Kind::Exactly, *peer.peer_asn};
  return {peer.dynamic_asn == config::DynamicAsn::Internal ? bgp::ExpectedAsn::Kind::Internal
                                                           : bgp::ExpectedAsn::Kind::External,
          {}};
}

bgp::GracefulRestart graceful_restart(const config::GracefulRestart& from) {
  using From = config::GracefulRestart::Mode;
  using To = bgp::GracefulRestart::Mode;
  return {.mode = from.mode == From::Full     ? To::Full
                  : from.mode == From::Helper ? To::Helper
                                              : To::Off,
          .restart_time = from.restart_time,
          .stale_time = from.stale_path_time,
          .long_lived_time = from.long_lived_stale_time,
          .notification = from.notification};
}

std::optional<bgp::Role> role(const std::optional<config::PeerRole>& from) {
  if (!from) return std::nullopt;
  switch (*from) {
    case config::PeerRole::Provider:
      return bgp::Role::Provider;
    case config::PeerRole::RouteServer:
      return bgp::Role::RouteServer;
    case config::PeerRole::RouteServerClient:
      return bgp::Role::RouteServerClient;
    case config::PeerRole::Customer:
      return bgp::Role::Customer;
    case config::PeerRole::Peer:
      break;
  }
  return bgp::Role::Peer;
}

// RFC 5065 section 4: the member AS within the confederation, its identifier towards others.
net::Asn local_asn(const BGPPeer& peer, const bgp::RouterConfig& router, bool member) {
  if (peer.routes.local_asn) return peer.routes.local_asn->asn;
  const auto own = peer.my_asn.value_or(router.asn);
  const bool inside = member || peer.peer_asn == own || peer.dynamic_asn == config::DynamicAsn::Internal;
  return router.confederation && !inside ? *router.confederation : own;
}

bgp::ExportOptions export_options(const config::PeerRoutes& from) {
  bgp::ExportOptions to;
  switch (from.next_hop_mode) {
    case config::NextHopMode::Auto:
      break;
    case config::NextHopMode::Self:
      to.next_hop = bgp::NextHopMode::Self;
      break;
    case config::NextHopMode::Keep:
      to.next_hop = bgp::NextHopMode::Keep;
      break;
  }
  for (const auto& hop : from.next_hops) {
    to.next_hop = bgp::NextHopMode::Self;
    if (hop.is_v4())
      to.next_hop_ipv4 = hop.v4();
    else
      to.next_hop_ipv6 = hop.v6();
  }
  to.private_as = from.private_asns == config::PrivateAsn::Keep     ? bgp::PrivateAs::Kept
                  : from.private_asns == config::PrivateAsn::Remove ? bgp::PrivateAs::Removed
                                                                    : bgp::PrivateAs::Replaced;
  to.as_override = from.as_override;
  to.reflector_client = from.reflector_client;
  to.prepend_own_as = from.local_asn && from.local_asn->prepend_own;
  return to;
}

bgp::PrefixLimit prefix_limit(const BGPPeer& peer) {
  const auto& from = peer.routes.limit;
  bgp::PrefixLimit to;
  to.maximum = peer.max_prefixes;
  to.warn_percent = from.warn_percent;
  to.action =
      from.action == config::LimitAction::Warn ? bgp::PrefixLimit::Action::Warn : bgp::PrefixLimit::Action::Stop;
  to.restart = from.restart;
  to.maximum_out = from.out;
  return to;
}

bgp::PeerConfig session(const BGPPeer& peer, const bgp::RouterConfig& router, const std::vector<net::Asn>& members) {
  bgp::PeerConfig out;
  out.description = peer.description;
  out.address = peer.peer_address;
  out.interface = peer.interface;
  out.port = peer.peer_port;
  out.source = peer.source_address;
  out.connect = peer.passive ? bgp::Connect::PassiveOnly : bgp::Connect::Both;
  out.confederation = peer.peer_asn && std::ranges::find(members, *peer.peer_asn) != members.end();
  out.local_asn = local_asn(peer, router, out.confederation);
  out.reach = reach(peer, out.local_asn);
  out.router_id = peer.router_id.value_or(router.router_id);
  out.peer_asn = expected_asn(peer);
  out.hold_time = peer.hold_time;
  out.keepalive_time = peer.keepalive_time;
  out.connect_retry = peer.connect_time;
  out.graceful_restart = graceful_restart(peer.graceful_restart);
  out.families = {false, false};
  for (const auto value : peer.families)
    (family(value) == net::Family::Ipv4 ? out.families.ipv4 : out.families.ipv6) = true;
  out.role = role(peer.role);
  out.role_required = peer.role_strict;
  return out;
}

bfd::Interval interval(std::chrono::milliseconds from) {
  return bfd::Interval{static_cast<std::uint32_t>(from.count()) * 1000U};
}

bfd::SessionConfig bfd_session(const Resources& resources, const config::BFDProfile& profile, std::string& missing) {
  bfd::SessionConfig out;
  out.desired_min_tx = interval(profile.transmit_interval);
  out.required_min_rx = interval(profile.receive_interval);
  out.detect_multiplier = profile.detect_multiplier;
  out.required_min_echo_rx = interval(profile.echo_interval);
  if (profile.echo_mode) out.echo_interval = interval(profile.echo_interval);
  if (profile.passive_mode) out.role = bfd::Role::Passive;
  if (const auto& authentication = profile.authentication)
    out.key = bfd::AuthKey{static_cast<bfd::AuthType>(authentication->type), authentication->key_id,
                           secret_of(resources, authentication->secret, profile.meta.namespace_name, missing)};
  return out;
}

BfdWatch::Distance distance(const bgp::PeerConfig& session) {
  using Kind = bgp::Reach::Kind;
  if (session.reach.kind == Kind::Multihop) return BfdWatch::Distance::Far;
  if (session.reach.kind == Kind::Security)
    return session.reach.hops > 1 ? BfdWatch::Distance::Far : BfdWatch::Distance::Direct;
  const auto external =
      session.peer_asn.kind == bgp::ExpectedAsn::Kind::External ||
      (session.peer_asn.kind == bgp::ExpectedAsn::Kind::Exactly && session.peer_asn.asn != session.local_asn);
  return external ? BfdWatch::Distance::Direct : BfdWatch::Distance::ByLink;
}

// Nothing for a neighbour that is not to be watched, or lacks something for it: then it is held down.
std::optional<BfdWatch> bfd_watch(const Resources& resources, const BGPPeer& peer, bgp::NeighborConfig& neighbor) {
  if (!peer.bfd_profile) return std::nullopt;
  const auto profile = resources.bfd_profiles.find(*peer.bfd_profile);
  if (profile == resources.bfd_profiles.end()) {
    if (neighbor.hold_down.empty()) neighbor.hold_down = "BFDProfile/" + *peer.bfd_profile + " does not exist";
    return std::nullopt;
  }
  BfdWatch out;
  out.profile = *peer.bfd_profile;
  out.remote = neighbor.session.address;
  out.source = neighbor.session.source;
  out.interface = neighbor.session.interface;
  out.distance = distance(neighbor.session);
  out.minimum_ttl = profile->second.minimum_ttl;
  out.config = bfd_session(resources, profile->second, neighbor.hold_down);
  out.strict = peer.bfd_strict;
  out.hold_time = peer.bfd_hold_time;
  if (peer.bfd_strict) neighbor.wait_for = bgp::WaitFor::Bfd;
  if (!neighbor.hold_down.empty() || neighbor.shutdown) return std::nullopt;
  return out;
}

bgp::NeighborConfig neighbor(const Resources& resources, const BGPPeer& peer, const bgp::RouterConfig& router,
                             const config::BGPConfiguration& own) {
  bgp::NeighborConfig out;
  out.name = peer.meta.name;
  out.session = session(peer, router, own.confederation ? own.confederation->members : std::vector<net::Asn>{});
  out.session.add_path = {peer.routes.add_path.receive, peer.routes.add_path.send};
  out.session.password = password(resources, peer, out.hold_down);
  out.session.authentication = authentication(resources, peer, out.hold_down);
  out.ipv4_limit = out.ipv6_limit = prefix_limit(peer);
  out.out = export_options(peer.routes);
  if (peer.routes.default_originate) out.default_originate = bgp::DefaultOriginate{*peer.routes.default_originate};
  out.accept_blackhole = peer.routes.accept_blackhole;
  // A route server leaves its own number out of what it passes on (RFC 7947 section 2.2.2.1).
  out.enforce_first_as = peer.routes.enforce_first_as.value_or(peer.role != config::PeerRole::RouteServerClient);
  out.aigp = peer.routes.aigp;
  out.allowed_own_as = peer.routes.allowed_own_asns;
  out.prepend_local_as = peer.routes.local_asn && peer.routes.local_asn->prepend;
  out.rejected = peer.routes.keep_rejected ? bgp::Kept::Yes : bgp::Kept::No;
  const auto& import = peer.import_filters ? *peer.import_filters : own.import_filters;
  const auto filters = [&](const std::vector<std::string>& names, config::Direction direction) {
    return chain(resources, names, direction, own.kernel.metric, out.hold_down);
  };
  out.import = import.empty() ? bgp::FilterChain{bgp::reject_all()} : filters(import, config::Direction::Import);
  if (peer.export_filters) out.export_filter = filters(*peer.export_filters, config::Direction::Export);
  if (peer.shutdown) out.shutdown = peer.shutdown_message;
  using GracefulShutdown = bgp::NeighborConfig::GracefulShutdown;
  out.graceful_shutdown = peer.honor_graceful_shutdown ? GracefulShutdown::Honoured : GracefulShutdown::Ignored;
  out.draining = peer.graceful_shutdown ? bgp::Draining::Yes : bgp::Draining::No;
  if (peer.listen_range) {
    out.range = peer.listen_range;
    out.range_limit = peer.max_dynamic_peers;
  }
  return out;
}

// IPv4 first: every node has one.
std::optional<net::IpAddress> address_of(const config::Node& node) {
  const auto of = [&](net::Family wanted) {
    return std::ranges::find_if(node.addresses, [&](const auto& address) { return address.family() == wanted; });
  };
  auto found = of(net::Family::Ipv4);
  if (found == node.addresses.end()) found = of(net::Family::Ipv6);
  return found == node.addresses.end() ? std::nullopt : std::optional{*found};
}

// One neighbour a node that the selectors choose, but for this one.
void add_nodes(const Resources& resources, const RouterFacts& facts, const BGPPeer& peer,
               const bgp::NeighborConfig& common, std::vector<bgp::NeighborConfig>& out) {
  for (const auto& [name, node] : resources.nodes) {
    if (name == facts.node || !config::any_matches(peer.peer_selectors, node.meta.labels)) continue;
    auto made = common;
    made.name = peer.meta.name + "/" + name;
    made.group = peer.meta.name;
    if (const auto address = address_of(node))
      made.session.address = *address;
    else
      made.hold_down = "Node " + name + " has no InternalIP";
    out.push_back(std::move(made));
  }
}

// The neighbour of a link is known when it was heard there.
void find_on_link(const RouterFacts& facts, bgp::NeighborConfig& neighbor) {
  const auto& interface = neighbor.session.interface;
  const auto heard = facts.heard.find(interface);
  if (heard != facts.heard.end() && heard->second)
    neighbor.session.address = *heard->second;
  else
    neighbor.hold_down =
        heard == facts.heard.end() ? "no router was heard on " + interface + " yet" : heard->second.error();
}

// RFC 8950 is for sessions over IPv6.
void offer_ipv6_next_hops(bgp::NeighborConfig& neighbor) {
  const bool over_ipv6 = neighbor.range ? !neighbor.range->is_v4() : neighbor.session.address.is_v6();
  neighbor.session.ipv4_over_ipv6 = over_ipv6 || !neighbor.session.interface.empty();
}

bgp::Announcement announcement(const RouteAttributes& from, std::vector<std::string> peers) {
  return {std::move(peers),
          from.local_pref,
          from.med,
          from.prepend,
          from.communities,
          from.large_communities,
          from.extended_communities,
          from.ipv6_extended_communities};
}

}  // namespace

const config::BGPConfiguration& bgp_configuration(const Resources& resources, const std::string& node) {
  static const config::BGPConfiguration unsaid;
  for (const auto& name : {"node." + node, std::string{"default"}})
    if (const auto found = resources.bgp_configurations.find(name); found != resources.bgp_configurations.end())
      return found->second;
  return unsaid;
}

namespace {

using Peers = std::vector<const BGPPeer*>;

// Without a BGPConfiguration the router is what its peers say that it is. The answer: why there can be none.
std::string name_router(const config::BGPConfiguration& own, const RouterFacts& facts, const Peers& peers,
                        bgp::RouterConfig& router) {
  if (peers.empty()) return "no BGPPeer selects this node";
  auto asn = own.asn;
  auto id = own.router_id;
  for (const auto* peer : peers) {
    if (!asn) asn = peer->my_asn;
    if (!id) id = peer->router_id;
  }
  if (!id) id = facts.fallback_router_id;
  if (!asn) return "no AS number: set asn in BGPConfiguration/default, or myASN in the BGPPeers";
  if (!id) return "no router id: the node has no IPv4 address; set routerID in BGPConfiguration/default";
  router.asn = *asn;
  router.router_id = *id;
  return {};
}

void set_up_tables(const config::BGPConfiguration& own, bgp::RouterConfig& router) {
  router.decision.maximum_paths = own.multipath.maximum_paths;
  router.decision.multipath = own.multipath.relax ? bgp::AsPathRelax::EqualLength : bgp::AsPathRelax::SamePath;
  router.decision.link_bandwidth =
      own.multipath.link_bandwidth ? bgp::LinkBandwidth::Weighs : bgp::LinkBandwidth::Ignored;
  router.decision.med = own.always_compare_med ? bgp::MedComparison::Always : bgp::MedComparison::SameNeighborAs;
  router.feed = own.kernel.install ? bgp::RouteFeed::On : bgp::RouteFeed::Off;
  router.tell_learned =
      own.kernel.install_before_advertising ? bgp::TellLearned::OnceInstalled : bgp::TellLearned::AtOnce;
  router.cluster_id = own.cluster_id;
  if (own.confederation) router.confederation = own.confederation->identifier;
  for (const auto& each : own.aggregates) {
    bgp::Aggregate aggregate{each.prefix, each.summary_only, each.as_set, {}};
    for (const auto& text : each.communities)
      if (const auto found = bgp::parse_community(text)) aggregate.communities.push_back(*found);
    router.aggregates.push_back(std::move(aggregate));
  }
}

// The neighbours that one BGPPeer means: one, or one for each node that it selects.
void add_neighbors(const Resources& resources, const RouterFacts& facts, const BGPPeer& peer, bgp::NeighborConfig made,
                   RouterSetup& out) {
  if (const auto held = facts.held_down.find(peer.meta.name); held != facts.held_down.end())
    made.hold_down = held->second;
  const auto first = out.neighbors.size();
  if (!peer.peer_selectors.empty()) {
    add_nodes(resources, facts, peer, made, out.neighbors);
  } else {
    if (peer.peer_address.unspecified() && !peer.interface.empty()) {
      out.unnumbered.insert(peer.interface);
      if (made.hold_down.empty()) find_on_link(facts, made);
    }
    out.neighbors.push_back(std::move(made));
  }
  for (auto at = first; at < out.neighbors.size(); ++at) {
    auto& each = out.neighbors[at];
    offer_ipv6_next_hops(each);
    if (auto watch = bfd_watch(resources, peer, each); watch && each.hold_down.empty())
      (each.range ? out.bfd_ranges : out.bfd).emplace(each.name, std::move(*watch));
  }
}

}  // namespace

RouterSetup set_up_router(const Resources& resources, const RouterFacts& facts) {
  const auto& own = bgp_configuration(resources, facts.node);
  RouterSetup out;
  out.listen = own.listen;
  out.kernel = own.kernel;
  out.rpki_caches = own.rpki_caches;
  set_up_tables(own, out.router);
  out.router.draining = facts.draining ? bgp::Draining::Yes : bgp::Draining::No;

  Peers peers;
  for (const auto& name : facts.peers)
    if (const auto found = resources.peers.find(name); found != resources.peers.end()) peers.push_back(&found->second);
  if (auto why_not = name_router(own, facts, peers, out.router); !why_not.empty()) {
    out.absent = std::move(why_not);
    return out;
  }
  for (const auto* peer : peers) {
    add_neighbors(resources, facts, *peer, neighbor(resources, *peer, out.router, own), out);
    if (peer->graceful_restart.mode == config::GracefulRestart::Mode::Full) {
      if (!out.restart) out.restart = {{}, own.restart_deferral};
      out.restart->time = std::max(out.restart->time, peer->graceful_restart.restart_time);
    }
  }
  return out;
}

bgp::LocalRoute local_route(const Announcement& from) {
  bgp::LocalRoute out;
  std::map<RouteAttributes, std::vector<std::string>> by_attributes;
  for (const auto& [peer, attributes] : from.named) by_attributes[attributes].push_back(peer);
  for (auto& [attributes, peers] : by_attributes)
    out.announcements.push_back(announcement(attributes, std::move(peers)));
  if (from.others) out.announcements.push_back(announcement(*from.others, {}));
  return out;
}

}  // namespace speaker
