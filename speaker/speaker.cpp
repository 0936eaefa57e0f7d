// SPDX-License-Identifier: Apache-2.0
#include "speaker/speaker.hpp"

#include <algorithm>
#include <ctime>

#include "speaker/bgp/endpoint.hpp"
#include "speaker/link_view.hpp"

namespace speaker {
namespace {

// Routes of an earlier life are kept until every peer is back and has been quiet for a while, at most so long.
constexpr auto quiet_before_sweep = std::chrono::seconds{3};
constexpr auto longest_before_sweep = std::chrono::seconds{120};

const config::Loaded& nothing() {
  static const config::Loaded empty;
  return empty;
}

// Since the host was started.
net::Seconds host_uptime() {
  timespec since{};
  ::clock_gettime(CLOCK_BOOTTIME, &since);
  return net::Seconds{since.tv_sec};
}

std::map<std::string, std::string> first_reasons(const config::Reasons& reasons) {
  std::map<std::string, std::string> out;
  for (const auto& [name, list] : reasons) out.emplace(name, list.empty() ? "held down" : list.front());
  return out;
}

}  // namespace

Speaker::Speaker(boost::asio::io_context& io, const Options& options, Log& log)
    : options_{options},
      log_{log},
      loaded_{&nothing()},
      desired_{Scope{options.node, options.load_balancer_class,
                     options.kubernetes ? WithoutSlices::Nowhere : WithoutSlices::Everywhere}},
      kernel_{io,
              log,
              options.tune_kernel ? netlink::Namespace::Owned : netlink::Namespace::Shared,
              {.links_changed = [this] { links_changed(); },
               .told = [this](std::span<const netlink::RouteReport> reports) { bgp_.installed(reports); },
               .unreachable = [this](std::vector<net::IpAddress> all) { bgp_.set_unreachable(std::move(all)); }}},
      bgp_{io, log,
           [this](const net::Prefix& prefix, std::span<const bgp::RouteHop> next_hops) {
             last_route_change_ = net::Clock::now();
             kernel_.want(prefix, next_hops);
           },
           [this] { settled(); }, [this] { bfd_.neighbors_changed(); }},
      watch_{io, log, bgp_},
      bfd_{io, log, bgp_, [this]() -> const netlink::LinkTable& { return kernel_.links(); }},
      rpki_{io, [this] { roas_changed(); }, [this](const CacheClient& client) { cache_moved(client); }},
      layer2_{io.get_executor(), [this](const Layer2Event& event) { log_.layer2(event); }},
      unnumbered_{io, [this] { configure_router(net::Clock::now()); },
                  [this](std::uint32_t index) { return has_session_over(index); },
                  [this](const std::string& what) {
                    log_.error("unnumbered peers", {{"problem", what}});
                  }},
      liveness_timer_{io},
      sweep_timer_{io} {}

Speaker::~Speaker() = default;

void Speaker::replace(const config::Loaded& loaded) {
  const auto now = net::Clock::now();
  loaded_ = &loaded;
  unread_.clear();
  tell_problems();
  observe_speakers(now);
  follow(desired_.reset(loaded_->resources), now);
  configure_router(now);
  consider_sweep();
}

void Speaker::change(const config::Loaded& loaded, std::span<const Change> changes) {
  const auto now = net::Clock::now();
  loaded_ = &loaded;
  change_arrived_ = now;
  observe_speakers(now);
  follow(desired_.apply(loaded_->resources, changes), now);
  const auto policy = std::any_of(changes.begin(), changes.end(), [](const Change& one) {
    return one.kind == Change::Kind::Policy || one.kind == Change::Kind::Node;
  });
  if (!policy) return;
  tell_problems();
  configure_router(now);
}

void Speaker::tell_problems() {
  std::set<std::string> now;
  for (const auto& problem : loaded_->problems) {
    auto text = config::print(problem);
    if (!told_problems_.contains(text) && !now.contains(text)) log_.problem(problem);
    now.insert(std::move(text));
  }
  told_problems_ = std::move(now);
}

void Speaker::follow(const Difference& difference, net::TimePoint /*now*/) {
  bgp_.apply(difference.routes);
  if (!difference.addresses_added.empty() || !difference.addresses_removed.empty()) bind_addresses();
  decide_layer2();
}

void Speaker::configure_router(net::TimePoint now) {
  const auto& resources = loaded_->resources;
  // Once taken from an address, the id stays: a change would open every session anew.
  if (!fallback_router_id_) fallback_router_id_ = default_router_id(kernel_.links());
  const RouterFacts facts{options_.node,       desired_.peers(),        first_reasons(loaded_->held_down),
                          fallback_router_id_, unnumbered_.neighbors(), draining_};
  const auto setup = set_up_router(resources, facts);
  unnumbered_wanted_ = setup.unnumbered;
  unnumbered_.set(unnumbered_wanted_, kernel_.links());
  const auto replay = kernel_.configure(setup.kernel) == KernelSide::Routes::NeedReplay;
  restart_wanted_ = setup.restart.has_value();
  // Peers that still keep routes of ours got them since the host was started, when that was longer ago than they
  // keep any. Routes of ours in the kernel say the same.
  const bool preserved = kernel_.adopted() > 0 || (setup.restart && host_uptime() > setup.restart->time);
  const bool first = bgp_.router() == nullptr;
  bgp_.configure(setup, desired_.routes(), preserved ? BgpSide::Forwarding::Preserved : BgpSide::Forwarding::Lost, now);
  watch_.configure(watch_config(bgp_configuration(resources, options_.node), setup.router, options_.node));
  if (first) {
    roas_changed();
    tell_links();
  }
  bfd_.configure(setup.bfd, setup.bfd_ranges);
  if (replay) bgp_.replay();
  rpki_.configure(setup.rpki_caches);
}

bool Speaker::has_session_over(std::uint32_t index) const {
  const auto* router = bgp_.router();
  if (router == nullptr) return false;
  const auto neighbors = router->neighbors();
  return std::ranges::any_of(neighbors, [&](const bgp::NeighborStatus& neighbor) {
    return neighbor.transport && neighbor.transport->interface_index == index;
  });
}

void Speaker::tell_links() {
  if (auto* const router = bgp_.router(); router != nullptr)
    router->set_links(link_subnets(kernel_.links()), net::Clock::now());
}

void Speaker::roas_changed() {
  auto* router = bgp_.router();
  if (router == nullptr) return;
  router->set_roas(&rpki_.table(), net::Clock::now());
  bgp_.wake();
}

void Speaker::cache_moved(const CacheClient& client) {
  Log::Fields fields{{"address", print_endpoint(client.cache().address, client.cache().port)}};
  if (client.trouble().empty()) return log_.info("RPKI cache connected", fields);
  fields.emplace_back("problem", client.trouble());
  log_.warning("RPKI cache not connected", fields);
}

void Speaker::observe_speakers(net::TimePoint now) {
  for (const auto& node : liveness_.live(now))
    if (!loaded_->resources.speaker_states.contains(node)) liveness_.forget(node);
  for (const auto& [name, state] : loaded_->resources.speaker_states) liveness_.observe(state, now);
  arm_liveness();
}

std::set<std::string> Speaker::live() const {
  auto out = liveness_.live(net::Clock::now());
  out.insert(options_.node);
  return out;
}

void Speaker::set_api(Liveness::Api api) {
  if (api_ == api) return;
  api_ = api;
  if (api == Liveness::Api::Away) {
    log_.warning("API not reached; everything stays announced as it is");
  } else {
    log_.info("API reached");
  }
  liveness_.set_api(api, net::Clock::now());
  arm_liveness();
}

void Speaker::arm_liveness() {
  const auto due = liveness_.next_deadline(net::Clock::now());
  if (!due) {
    liveness_timer_.cancel();
    return;
  }
  liveness_timer_.expires_at(*due);
  liveness_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    decide_layer2();
    arm_liveness();
  });
}

void Speaker::decide_layer2() {
  const auto links = layer2_links(kernel_.links());
  OwnNode self{options_.node, links, {}, draining_};
  for (const auto& [address, interfaces] : ownership_.mine) self.owned.push_back(address);
  auto next = decide_ownership(desired_.layer2(), liveness_.states(), live(), self);
  const auto changed = next.mine != ownership_.mine;
  if (changed) {
    for (const auto& [address, interfaces] : next.mine)
      if (!ownership_.mine.contains(address)) log_.info("address taken over", {{"address", net::print(address)}});
    for (const auto& [address, interfaces] : ownership_.mine)
      if (!next.mine.contains(address)) log_.info("address given up", {{"address", net::print(address)}});
  }
  ownership_ = std::move(next);
  layer2_.update(ownership_.mine, links);
  if (!changed) return;
  bind_addresses();
  if (state_changed_) state_changed_();
}

void Speaker::links_changed() {
  decide_layer2();
  // A node without an address had no router id to go by, and a link that came up may bring a neighbour.
  if (!bgp_.absent().empty() || !unnumbered_wanted_.empty()) configure_router(net::Clock::now());
  bfd_.links_changed();
  tell_links();
  bgp_.wake();
  if (state_changed_) state_changed_();
}

void Speaker::drain(Drain drain) {
  if (draining_ == (drain == Drain::On)) return;
  draining_ = drain == Drain::On;
  log_.info(draining_ ? "draining" : "draining ended");
  configure_router(net::Clock::now());
  decide_layer2();
  if (state_changed_) state_changed_();
}

void Speaker::bind_addresses() {
  if (!options_.bind_service_ips) return;
  std::set<net::IpAddress> addresses;
  for (const auto& [address, services] : desired_.addresses()) addresses.insert(address);
  for (const auto& [address, interfaces] : ownership_.mine) addresses.insert(address);
  kernel_.bind(addresses);
}

void Speaker::settled() {
  kernel_.flush();
  if (auto* const router = bgp_.router(); router != nullptr)
    if (auto next_hops = router->take_next_hops()) kernel_.track(std::move(*next_hops));
  if (std::exchange(told_sessions_, bgp_.session_changes()) != bgp_.session_changes() && state_changed_)
    state_changed_();
  watch_.turn();
  if (std::exchange(was_restarting_, bgp_.restarting()) && !was_restarting_) {
    log_.info(
        "graceful restart complete",
        {{"after", std::to_string(std::chrono::duration_cast<net::Milliseconds>(net::Clock::now() - started_).count()) +
                       " ms"}});
    last_route_change_ = net::Clock::now();
  }
  if (!change_arrived_) return;
  metrics_.announced_after(net::Clock::now() - *std::exchange(change_arrived_, std::nullopt));
}

void Speaker::consider_sweep() {
  if (swept_) return;
  const auto now = net::Clock::now();
  // Until then the kernel has not been told what the peers know.
  const bool waits = bgp_.restarting();
  const auto quiet = bgp_.all_established() && now - std::max(last_route_change_, started_) >= quiet_before_sweep;
  if (!waits && (quiet || now - started_ >= longest_before_sweep)) {
    swept_ = true;
    kernel_.sweep();
    return;
  }
  sweep_timer_.expires_after(std::chrono::seconds{1});
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) consider_sweep();
  });
}

config::SpeakerState Speaker::own_state() const {
  config::SpeakerState state;
  state.meta.name = options_.node;
  state.heartbeat_interval = options_.heartbeat;
  state.interfaces = published(layer2_links(kernel_.links()));
  for (const auto& [address, interfaces] : ownership_.mine) {
    if (state.owned.size() == most_published) break;
    state.owned.push_back(address);
  }
  state.sessions = bgp_.established();
  state.draining = draining_;
  return state;
}

void Speaker::leave(const std::string& reason, bgp::Router::Leaving leaving, std::function<void()> done) {
  // A node that was drained is gone for longer.
  if (!restart_wanted_ || draining_) leaving = bgp::Router::Leaving::ForGood;
  draining_ = true;
  liveness_timer_.cancel();
  sweep_timer_.cancel();
  layer2_.update({}, layer2_links(kernel_.links()));
  // Before BGP ends: a node that goes in order is not lost.
  bfd_.leave();
  const auto watched = [this, reason](std::function<void()> then) { watch_.leave(reason, std::move(then)); };
  bgp_.leave(reason, leaving, net::Clock::now(), [this, leaving, watched, done = std::move(done)] {
    if (leaving == bgp::Router::Leaving::ToRestart) {
      kernel_.detach();
      return watched(done);
    }
    kernel_.bind({});
    kernel_.leave();
    watched(done);
  });
}

std::vector<Verdict> Speaker::explain(const std::string& service) const {
  auto verdicts = desired_.explain(loaded_->resources, service);
  for (auto& verdict : verdicts) {
    if (verdict.gate != Gate::Open || !verdict.address) continue;
    if (verdict.method == Method::Layer2) {
      const auto candidates = desired_.layer2().find(*verdict.address);
      if (candidates == desired_.layer2().end()) continue;
      verdict.gate =
          election_gate(*verdict.address, *candidates->second, ownership_.voters, ownership_.owners, options_.node);
      const auto owner = ownership_.owners.find(*verdict.address);
      if (verdict.gate == Gate::NotOwner && owner != ownership_.owners.end())
        verdict.detail = "node " + owner->second + " answers for it";
      if (verdict.gate == Gate::NoSubnet)
        verdict.detail = "no usable interface of this node has the subnet of the address";
      continue;
    }
    const auto* router = bgp_.router();
    const auto up = [&](const std::string& peer) {
      if (router == nullptr) return false;
      const auto neighbors = router->neighbors();
      return std::any_of(neighbors.begin(), neighbors.end(), [&](const auto& neighbor) {
        return router->neighbor(neighbor.id)->policy_name() == peer &&
               neighbor.session.state == bgp::State::Established;
      });
    };
    if (router == nullptr) {
      verdict.gate = Gate::SessionDown;
      verdict.detail = bgp_.absent();
    } else if (std::none_of(verdict.peers.begin(), verdict.peers.end(), up)) {
      verdict.gate = Gate::SessionDown;
      verdict.detail = "none of the selected sessions is established";
    }
  }
  return verdicts;
}

std::string Speaker::metrics() {
  MetricsView view;
  if (const auto* router = bgp_.router()) {
    view.neighbors = router->neighbors();
    view.table = router->table();
  }
  view.bfd = bfd_.status();
  if (const auto* sessions = bfd_.sessions()) view.bfd_discarded = sessions->discarded();
  if (const auto kernel = kernel_.counters()) view.kernel = kernel->fib;
  view.rpki_caches = cache_statuses(rpki_);
  view.stations = watch_.stations();
  view.mrt = watch_.mrt();
  view.layer2 = layer2_.counters();
  view.owned_addresses = ownership_.mine.size();
  view.announced_prefixes = desired_.routes().size();
  view.announced_addresses = desired_.addresses().size();
  const auto& resources = loaded_->resources;
  view.resources = {{"Service", resources.services.size()},
                    {"EndpointSlice", resources.endpoint_slices.size()},
                    {"IPAddressPool", resources.pools.size()},
                    {"BGPPeer", resources.peers.size()},
                    {"BGPAdvertisement", resources.bgp_advertisements.size()},
                    {"L2Advertisement", resources.l2_advertisements.size()},
                    {"BGPFilter", resources.filters.size()},
                    {"BFDProfile", resources.bfd_profiles.size()},
                    {"Node", resources.nodes.size()}};
  view.problems = loaded_->problems.size() + unread_.size();
  view.api = !options_.api.empty();
  view.api_connected = api_reachable();
  view.uptime_seconds = std::chrono::duration<double>(net::Clock::now() - started_).count();
  return metrics_.text(view);
}

}  // namespace speaker
