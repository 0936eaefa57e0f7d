// SPDX-License-Identifier: Apache-2.0
// Drives a Router and the plain Model through the same random events, which are read from a string of
// bytes, and compares what every neighbour and the kernel know at the end. For tests with seeds and for the
// fuzzer alike.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "bgp/router.hpp"
#include "net/reader.hpp"
#include "tests/bgp/rib/model.hpp"

namespace bgp {

class Scenario {
 public:
  explicit Scenario(std::span<const std::uint8_t> choices)
      : choices_{choices}, router_{config(), choices.empty() ? 0ULL : choices[0]} {
    model_.decision = config().decision;
    for (const auto& options : cast()) add(options);
    for (std::uint8_t i = 0; i < 12; ++i) {
      prefixes_.emplace_back(*net::Ipv4Prefix::make({0x0a000000U + (std::uint32_t{i} << 16)}, 16U + i % 9U));
      net::Ipv6Address address{{0x20, 0x01, 0x0d, 0xb8, i}};
      prefixes_.emplace_back(*net::Ipv6Prefix::make(address, 40U + i % 9U));
    }
    configure();
    for (std::size_t i = 0; i < speakers_.size(); ++i) toggle(i);
  }

  // What differed; empty when nothing did.
  std::vector<std::string> run_all() {
    while (choices_.remaining() > 0 && wrong_.empty()) step();
    settle();
    compare();
    leave();
    for (const auto& speaker : speakers_)
      wrong_.insert(wrong_.end(), speaker->complaints.begin(), speaker->complaints.end());
    return wrong_;
  }

 private:
  static RouterConfig config() {
    RouterConfig config{.asn = net::Asn{65000}, .router_id = net::RouterId{0x0a000001}};
    config.decision.maximum_paths = 4;
    config.backlog_limit = 400;
    return config;
  }
  static std::vector<SpeakerOptions> cast() {
    std::vector<SpeakerOptions> all;
    const auto speaker = [&](const char* name, std::uint32_t asn, std::uint32_t number) {
      all.push_back({.name = name,
                     .asn = net::Asn{asn},
                     .id = net::RouterId{0x0a000200 - number},
                     .address = net::Ipv4Address{0x0a000100 + number}});
    };
    speaker("a", 65001, 1);
    speaker("b", 65001, 2);  // the same AS: their MEDs are compared
    speaker("c", 65002, 3);
    speaker("d", 65003, 4);
    speaker("e", 65000, 5);
    speaker("f", 65000, 6);
    speaker("g", 65000, 7);  // a reflector's client
    speaker("h", 65004, 8);  // is told three paths
    all[1].enhanced_refresh = true;
    all[2].asn_width = AsnWidth::TwoOctets;
    for (const auto which : {2U, 4U, 6U}) all[which].ipv6_next_hops = true;
    all[3].families = {true, false};
    all[5].enhanced_refresh = true;
    all[7].hears_ids = {true, true};
    return all;
  }

  void add(const SpeakerOptions& options) {
    speakers_.push_back(std::make_unique<Speaker>(router_, options));
    answered_.push_back(0);
    said_.emplace_back();
    model_.peers.push_back({options, speakers_.back()->neighbor(), false, {}});
    auto& with = model_.peers.back().config;
    with.out.reflector_client = options.name == "g";
    if (options.name == "h") with.session.add_path.send = 3;
  }
  void configure() {
    std::vector<NeighborConfig> neighbors;
    for (const auto& peer : model_.peers) neighbors.push_back(peer.config);
    auto config = router_.config();
    config.decision = model_.decision;
    router_.configure(config, neighbors, start_time);
  }

  // ---- events ----

  void step() {
    const auto event = choices_.u8() % 24;
    const auto who = choices_.u8() % speakers_.size();
    if (event < 7) return announce(who);
    if (event < 10) return withdraw(who);
    if (event < 14) {
      listen(who, choices_.u8());
      return;
    }
    switch (event) {
      case 14:
      case 15:
        (void)router_.work();
        return;
      case 16:
        return toggle(who);
      case 17:
        return originate();
      case 18:
        return change_export(who);
      case 19:
        return change_import(who);
      case 20:
        return change_reachability(who);
      case 21:
        return refresh(who);
      case 22:
        drain(choices_.u8() % 8U);
        return;
      default:
        return change_rest();
    }
  }

  std::vector<net::Prefix> some_prefixes(const Speaker& speaker) {
    std::vector<net::Prefix> some;
    auto bits = choices_.u24() & choices_.u24();
    for (std::size_t i = 0; i < prefixes_.size(); ++i, bits >>= 1) {
      if ((bits & 1) != 0 && speaker.options().families.has(prefixes_[i].family())) some.push_back(prefixes_[i]);
    }
    return some;
  }

  PathAttributes some_attributes(const Speaker& speaker) {
    PathAttributes attributes;
    const auto choice = choices_.u16();
    attributes.origin = static_cast<Origin>(choice % 3 == 0 ? choice / 3 % 3 : 0);
    AsPathSegment segment;
    if (speaker.type() == PeerType::External) segment.asns.push_back(speaker.options().asn);
    for (unsigned i = 0; i < (choice >> 4) % 3U; ++i) segment.asns.push_back({64000U + (choice >> 6) % 2U});
    if ((choice >> 8) % 16 == 0) segment.asns.push_back({65000});  // a loop
    if (!segment.asns.empty()) attributes.as_path.segments.push_back(segment);
    if ((choice >> 9) % 2 == 0) attributes.med = (choice >> 10) % 3U;
    if (speaker.type() == PeerType::Internal) attributes.local_pref = 99U + (choice >> 12) % 3U;
    switch ((choice >> 13) % 8U) {
      case 0:
        attributes.communities = {community_no_export};
        break;
      case 1:
        attributes.communities = {community_no_advertise};
        break;
      case 2:
        attributes.communities = {Community{0xfde80001}};
        break;
      case 7:  // RFC 8950: of IPv4 prefixes, too
        if (speaker.options().ipv6_next_hops) attributes.next_hop.address = speaker.next_hop(net::Family::Ipv6);
        break;
      default:
        break;
    }
    return attributes;
  }

  void tell(std::size_t who, const std::vector<net::Prefix>& prefixes, const PathAttributes& attributes) {
    auto& speaker = *speakers_[who];
    speaker.announce(prefixes, attributes);
    const auto said = attributes.next_hop.address;
    for (const auto& prefix : prefixes)
      model_.announce(model_.peers[who], prefix, attributes,
                      said.unspecified() ? speaker.next_hop(prefix.family()) : said);
  }
  void announce(std::size_t who) {
    if (!model_.peers[who].up) return;
    const auto prefixes = some_prefixes(*speakers_[who]);
    const auto attributes = some_attributes(*speakers_[who]);
    for (const auto& prefix : prefixes) said_[who][prefix] = attributes;
    tell(who, prefixes, attributes);
  }
  void withdraw(std::size_t who) {
    if (!model_.peers[who].up) return;
    const auto prefixes = some_prefixes(*speakers_[who]);
    speakers_[who]->withdraw(prefixes);
    for (const auto& prefix : prefixes) {
      said_[who].erase(prefix);
      model_.peers[who].accepted.erase(prefix);
    }
  }

  bool listen(std::size_t who, std::size_t most) {
    auto& speaker = *speakers_[who];
    const bool any = speaker.listen(most, 1 + most);
    // A request to say everything again is answered at once, in one of two ways.
    while (speaker.up() && answered_[who] < speaker.requests) {
      ++answered_[who];
      const bool marks = speaker.options().enhanced_refresh;
      const auto families = {ipv4_unicast, ipv6_unicast};
      for (const auto family : families)
        if (marks) speaker.say(encode(RouteRefresh{family, RefreshKind::BeginOfRefresh}));
      for (const auto& [prefix, attributes] : said_[who]) tell(who, {prefix}, attributes);
      for (const auto family : families)
        if (marks) speaker.say(encode(RouteRefresh{family, RefreshKind::EndOfRefresh}));
    }
    return any;
  }

  void toggle(std::size_t who) {
    auto& peer = model_.peers[who];
    auto& speaker = *speakers_[who];
    said_[who].clear();
    peer.accepted.clear();
    if (peer.up) {
      speaker.hang_up();
      peer.up = false;
      return;
    }
    peer.up = speaker.establish();
    answered_[who] = speaker.requests;
    if (!peer.up) wrong_.push_back(peer.options.name + " was refused");
  }

  void originate() {
    const auto& prefix = prefixes_[choices_.u8() % prefixes_.size()];
    const auto choice = choices_.u8();
    if (choice % 4 == 0) {
      model_.local.erase(prefix);
      return router_.set_local(prefix, std::nullopt);
    }
    LocalRoute route;
    if (choice % 4 > 1) route.announcements.push_back({.peers = {"a", "e"}, .med = choice / 4 % 2U});
    if ((choice >> 3) % 2 == 0)
      route.announcements.push_back({.peers = {"c"}, .prepend = static_cast<std::uint8_t>((choice >> 4) % 3)});
    if ((choice >> 6) % 2 == 0) route.announcements.push_back({.local_pref = 200});
    model_.local[prefix] = route;
    router_.set_local(prefix, route);
  }

  FilterChain some_chain() {
    const auto choice = choices_.u8();
    FilterRule some;
    some.name = "some";
    some.match.prefixes = {{prefixes_[choice % 2], static_cast<std::uint8_t>(0), 128}};
    FilterRule change;
    change.name = "change";
    change.action = RuleAction::Next;
    switch (choice % 7) {
      case 0:
        return {accept_all()};
      case 1:
        return {reject_all()};
      case 2:
        some.action = RuleAction::Reject;
        some.match.prefixes.front().cidr = *net::parse_prefix("10.0.0.0/13");
        return {{"f", {some}}, accept_all()};
      case 3:
        some.match.prefixes = {{*net::parse_prefix("2001:db8::/36"), 36, 128},
                               {*net::parse_prefix("10.0.0.0/12"), 12, 32}};
        some.set.prepend = 1;
        some.set.add_communities = {Community{0xfde80063}};
        return {{"f", {some}}, accept_all()};
      case 4:
        change.set.med = choice / 6 % 3;
        change.set.kernel_metric = 100U + choice / 18 % 3;
        change.match.communities = {CommunityPattern::exactly(Community{0xfde80001})};
        return {{"f", {change}}, accept_all()};
      case 5:
        some.action = RuleAction::Reject;
        some.match.prefixes.clear();
        some.match.rpki = static_cast<OriginValidity>(choice / 7 % 3);
        return {{"f", {some}}, accept_all()};
      default:
        change.set.local_pref = 90U + choice / 6 % 3 * 10;
        change.set.replace_communities = true;
        if (choice / 18 % 2 == 1) change.match.kernel_metric = {101, choice / 36 % 2 == 1};
        return {{"f", {change}}, accept_all()};
    }
  }
  void change_export(std::size_t who) {
    auto& config = model_.peers[who].config;
    if (choices_.u8() % 4 == 0)
      config.export_filter.reset();
    else
      config.export_filter = some_chain();
    configure();
  }
  // Routes that were accepted stay until the peer says them again.
  void change_import(std::size_t who) {
    model_.peers[who].config.import = some_chain();
    configure();
  }
  void change_reachability(std::size_t who) {
    const auto next_hop = speakers_[who]->next_hop(choices_.u8() % 2 == 0 ? net::Family::Ipv4 : net::Family::Ipv6);
    if (model_.unreachable.erase(next_hop) == 0) model_.unreachable.insert(next_hop);
    router_.set_unreachable({model_.unreachable.begin(), model_.unreachable.end()});
  }
  void refresh(std::size_t who) {
    if (!model_.peers[who].up) return;
    switch (choices_.u8() % 3) {
      case 0:
        speakers_[who]->say(encode(RouteRefresh{ipv4_unicast, RefreshKind::Request}));
        return;
      case 1:
        speakers_[who]->say(encode(RouteRefresh{ipv6_unicast, RefreshKind::Request}));
        return;
      default:
        router_.refresh_out(*router_.find(speakers_[who]->options().name));
    }
  }
  void change_payloads() {
    std::set<Vrp> some;
    for (auto left = choices_.u8() % 5U; left > 0; --left) {
      const auto choice = choices_.u16();
      const auto& prefix = prefixes_[choice % prefixes_.size()];
      const auto longer = static_cast<std::uint8_t>(prefix.length() + choice / 24 % 4);
      constexpr std::array<std::uint32_t, 4> origins{64000, 64001, 65000, 65002};
      some.insert({choice % 3 == 0 ? *net::parse_prefix("10.0.0.0/13") : prefix, longer,
                   net::Asn{origins[choice / 96 % origins.size()]}});
    }
    model_.vrps.assign(some.begin(), some.end());
    roas_.replace(1, model_.vrps);
    router_.set_roas(&roas_, start_time);
  }
  void change_rest() {
    switch (choices_.u8() % 5) {
      case 0:
        model_.decision.med =
            model_.decision.med == MedComparison::Always ? MedComparison::SameNeighborAs : MedComparison::Always;
        return configure();
      case 1:
        model_.decision.maximum_paths = static_cast<std::uint16_t>(1 + choices_.u8() % 4);
        return configure();
      case 2: {
        auto& hop = model_.peers[4].config.out.next_hop;
        hop = hop == NextHopMode::Self ? NextHopMode::Auto : NextHopMode::Self;
        return configure();
      }
      case 4:
        return change_payloads();
      default:
        settle();
        compare();
    }
  }

  void drain(std::size_t limit) {
    router_.drain_route_changes(limit, [&](const net::Prefix& prefix, std::span<const RouteHop> next_hops) {
      auto& known = kernel_[prefix];
      known.clear();
      for (const auto& each : next_hops) known.push_back(each.address);
      kernel_metrics_[prefix] = next_hops.empty() ? 0 : next_hops.front().metric;
    });
  }

  // ---- comparison ----

  void settle() {
    for (bool busy = true; busy;) {
      busy = router_.work();
      for (std::size_t i = 0; i < speakers_.size(); ++i) busy = listen(i, 100000) || busy;
    }
    (void)router_.take_actions();
    drain(~std::size_t{0} >> 1);
  }

  void compare() {
    for (std::size_t i = 0; i < speakers_.size(); ++i) {
      if (model_.peers[i].up) compare_peer(i);
    }
    for (const auto& prefix : prefixes_) {
      if (kernel_metrics_[prefix] != model_.kernel_metric(prefix))
        wrong_.push_back("kernel has " + print(prefix) + " with metric " + std::to_string(kernel_metrics_[prefix]) +
                         " instead of " + std::to_string(model_.kernel_metric(prefix)));
      if (kernel_[prefix] != model_.kernel(prefix))
        wrong_.push_back("kernel has " + print(prefix) + " via" + words(kernel_[prefix]) + " instead of" +
                         words(model_.kernel(prefix)));
    }
  }
  static std::string words(const std::vector<net::IpAddress>& addresses) {
    std::string text;
    for (const auto& each : addresses) text += " " + print(each);
    return text.empty() ? " nothing" : text;
  }
  void compare_peer(std::size_t who) {
    const auto& peer = model_.peers[who];
    const auto& heard = speakers_[who]->heard;
    std::size_t ipv4 = 0;
    std::size_t all = 0;
    const auto ranks = peer.config.session.add_path.send;
    for (const auto& prefix : prefixes_) {
      for (std::uint32_t id = 1; id <= ranks; ++id) {
        const auto expected = model_.told(peer, prefix, id - 1);
        const auto found = speakers_[who]->heard_paths.find({prefix, id});
        if (expected) ipv4 += prefix.is_v4() ? 1U : 0U;
        if (expected) ++all;
        if (expected.has_value() != (found != speakers_[who]->heard_paths.end()))
          wrong_.push_back(peer.options.name + (expected ? " lacks path " : " has path ") + std::to_string(id) +
                           " of " + print(prefix));
        else if (expected && !(*expected == found->second))
          wrong_.push_back(peer.options.name + " has other attributes for path " + std::to_string(id) + " of " +
                           print(prefix));
      }
    }
    for (const auto& prefix : prefixes_) {
      if (ranks > 0 || !peer.options.families.has(prefix.family())) continue;
      const auto expected = model_.told(peer, prefix);
      const auto found = heard.find(prefix);
      if (expected) ipv4 += prefix.is_v4() ? 1U : 0U;
      if (expected) ++all;
      if (expected.has_value() != (found != heard.end()))
        wrong_.push_back(peer.options.name + (expected ? " lacks " : " has ") + print(prefix));
      else if (expected && !(*expected == found->second))
        wrong_.push_back(peer.options.name + " has other attributes for " + print(prefix));
    }
    for (const auto& status : router_.neighbors()) {
      if (status.name != peer.options.name) continue;
      if (status.ipv4.advertised != ipv4 || status.ipv4.advertised + status.ipv6.advertised != all)
        wrong_.push_back(peer.options.name + ": advertised counter is wrong");
      if (status.ipv4.accepted + status.ipv6.accepted != peer.accepted.size())
        wrong_.push_back(peer.options.name + ": accepted counter is wrong");
      if (status.catching_up || status.clearing) wrong_.push_back(peer.options.name + " is not done");
    }
  }

  // When everybody has gone, nothing is left.
  void leave() {
    for (std::size_t i = 0; i < speakers_.size(); ++i) {
      if (model_.peers[i].up) toggle(i);
    }
    for (const auto& [prefix, route] : model_.local) router_.set_local(prefix, std::nullopt);
    settle();
    const auto table = router_.table();
    if (table.ipv4_prefixes + table.ipv6_prefixes + table.attribute_sets + table.ipv4_paths + table.ipv6_paths != 0)
      wrong_.emplace_back("something is left in the tables");
  }

  net::Reader choices_;
  RoaTable roas_;
  Router router_;
  Model model_;
  std::vector<std::unique_ptr<Speaker>> speakers_;
  std::vector<std::size_t> answered_;                        // requests for a refresh
  std::vector<std::map<net::Prefix, PathAttributes>> said_;  // what each speaker announces
  std::vector<net::Prefix> prefixes_;
  std::map<net::Prefix, std::vector<net::IpAddress>> kernel_;
  std::map<net::Prefix, std::uint32_t> kernel_metrics_;
  std::vector<std::string> wrong_;
};

}  // namespace bgp
