// SPDX-License-Identifier: Apache-2.0
#include "speaker/desired.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "speaker/desired_policy.hpp"
#include "speaker/endpoint_index.hpp"
#include "speaker/interner.hpp"

namespace speaker {

const RouteAttributes* Announcement::to(std::string_view peer) const {
  const auto found = named.find(std::string{peer});
  if (found != named.end()) return &found->second;
  return others ? &*others : nullptr;
}

bool Difference::empty() const {
  return routes.empty() && layer2.empty() && addresses_added.empty() && addresses_removed.empty() &&
         peers_added.empty() && peers_removed.empty();
}

// Three layers: what each service contributes (records_), what came together per prefix and per address
// (prefixes_, seats_), and the results. A change takes the contributions of a service back, adds the new
// ones, and marks the prefixes and addresses touched; finish() works those out again and compares.
class Desired::State {
 public:
  explicit State(Scope scope) : scope_{std::move(scope)}, endpoints_{scope_.without_slices} {}

  Difference reset(const config::Resources& now);
  Difference apply(const config::Resources& now, std::span<const Change> changes);
  [[nodiscard]] std::vector<config::Problem> problems() const;
  [[nodiscard]] std::vector<Verdict> explain(const config::Resources& now, const std::string& key) const;

  [[nodiscard]] const Routes& routes() const { return routes_; }
  [[nodiscard]] const Layer2Addresses& layer2() const { return layer2_; }
  [[nodiscard]] const std::map<net::IpAddress, unsigned>& addresses() const { return addresses_; }
  [[nodiscard]] const std::set<std::string>& peers() const { return peers_; }

 private:
  // A merged announcement and what was odd about it.
  struct Merged {
    AnnouncementPtr announcement;
    std::vector<config::Problem> problems;
  };
  struct PrefixEntry {
    std::map<AdSet, unsigned> uses;  // how many contributions have just these advertisements
    const Merged* merged = nullptr;
  };
  // What a service has to say about who may own a layer 2 address.
  struct Seat {
    AdSet ads;
    std::optional<std::vector<NodeIndex>> within;  // externalTrafficPolicy Local: nodes with endpoints
  };
  struct Record {
    std::vector<std::pair<net::Prefix, AdSet>> routes;
    std::vector<net::IpAddress> addresses;  // announced by BGP
    std::vector<net::IpAddress> seats;
  };

  void remove_service(const std::string& key);
  void add_service(const config::Resources& now, const std::string& key);
  void add_route(const net::Prefix& prefix, const AdSet& ads);
  void contribute_bgp(const AddressOutcome& outcome, Record& record);
  void forget_everything();
  Difference finish();
  AnnouncementPtr work_out_route(const net::Prefix& prefix);
  CandidatesPtr work_out_seat(const net::IpAddress& address);
  [[nodiscard]] std::vector<NodeIndex> nodes_for_all(const std::map<std::string, Seat>& seats) const;
  template <class Key, class Value>
  static void settle(std::map<Key, Value>& results, const Key& key, Value value, net::Plan<Key, Value>& plan);
  void finish_verdict(Verdict& verdict, const AddressOutcome& outcome) const;

  Scope scope_;
  std::unique_ptr<const DesiredPolicy> policy_;
  EndpointIndex endpoints_;
  std::unordered_map<std::string, Record> records_;
  std::map<net::Prefix, PrefixEntry> prefixes_;
  std::map<net::IpAddress, std::map<std::string, Seat>> seats_;  // address -> service -> what it says

  Interner<Announcement> announcements_;
  Interner<Candidates> candidates_;
  std::map<AdSet, Merged> merged_;               // of policy_
  std::map<AdSet, CandidatesPtr> cluster_wide_;  // of policy_: all nodes that the advertisements select

  Routes routes_;
  Layer2Addresses layer2_;
  std::map<net::IpAddress, unsigned> addresses_;
  std::set<std::string> peers_;

  std::set<net::Prefix> touched_prefixes_;
  std::set<net::IpAddress> touched_seats_;
  std::map<net::IpAddress, bool> touched_addresses_;  // whether it was there before
  std::set<std::string> peers_before_;
};

Difference Desired::State::reset(const config::Resources& now) {
  forget_everything();
  policy_ = std::make_unique<const DesiredPolicy>(now, scope_);
  peers_ = policy_->peers();
  std::set<std::string> touched;
  for (const auto& [key, slice] : now.endpoint_slices) endpoints_.update(now, key, touched);
  for (const auto& [prefix, ad] : policy_->static_routes()) add_route(prefix, {ad});
  for (const auto& [key, service] : now.services) add_service(now, key);
  return finish();
}

Difference Desired::State::apply(const config::Resources& now, std::span<const Change> changes) {
  if (policy_ == nullptr) return reset(now);
  std::set<std::string> touched;
  for (const auto& change : changes) {
    switch (change.kind) {
      case Change::Kind::Service:
        touched.insert(change.key);
        break;
      case Change::Kind::EndpointSlice:
        endpoints_.update(now, change.key, touched);
        break;
      case Change::Kind::Node:
        if (policy_->node_changed(now, change.key)) return reset(now);
        break;
      case Change::Kind::SpeakerState:
        if (policy_->speaker_changed(now, change.key)) return reset(now);
        break;
      case Change::Kind::Policy:
        return reset(now);
    }
  }
  for (const auto& key : touched) {
    remove_service(key);
    add_service(now, key);
  }
  return finish();
}

// Keeps the results, for finish() to compare with; all of them are touched.
void Desired::State::forget_everything() {
  for (const auto& [prefix, announcement] : routes_) touched_prefixes_.insert(prefix);
  for (const auto& [address, candidates] : layer2_) touched_seats_.insert(address);
  for (const auto& [address, count] : addresses_) touched_addresses_.emplace(address, true);
  addresses_.clear();
  endpoints_.clear();
  records_.clear();
  prefixes_.clear();
  seats_.clear();
  merged_.clear();
  cluster_wide_.clear();
}

void Desired::State::remove_service(const std::string& key) {
  const auto at = records_.find(key);
  if (at == records_.end()) return;
  for (const auto& [prefix, ads] : at->second.routes) {
    touched_prefixes_.insert(prefix);
    auto& uses = prefixes_.at(prefix).uses;
    const auto use = uses.find(ads);
    if (--use->second == 0) uses.erase(use);
    if (uses.empty()) prefixes_.erase(prefix);
  }
  for (const auto& address : at->second.addresses) {
    touched_addresses_.try_emplace(address, true);
    const auto count = addresses_.find(address);
    if (--count->second == 0) addresses_.erase(count);
  }
  for (const auto& address : at->second.seats) {
    touched_seats_.insert(address);
    const auto seat = seats_.find(address);
    seat->second.erase(key);
    if (seat->second.empty()) seats_.erase(seat);
  }
  records_.erase(at);
}

void Desired::State::add_service(const config::Resources& now, const std::string& key) {
  const auto service = now.services.find(key);
  if (service == now.services.end()) return;
  const auto endpoints = endpoints_.of(now, service->second);
  auto outcome = policy_->judge(service->second, endpoints);
  if (outcome.gate != Gate::Open) return;
  const auto local = service->second.external_traffic_policy == config::TrafficPolicy::Local && !endpoints.everywhere;
  Record record;
  for (auto& address : outcome.addresses) {
    if (address.bgp.gate == Gate::Open) contribute_bgp(address, record);
    if (address.layer2.ads.empty() || !address.layer2.served) continue;
    Seat seat{std::move(address.layer2.ads), std::nullopt};
    if (local) seat.within = policy_->nodes_of(endpoints);
    if (!seats_[address.address].emplace(key, std::move(seat)).second) continue;  // the address is listed twice
    record.seats.push_back(address.address);
    touched_seats_.insert(address.address);
  }
  if (!record.routes.empty() || !record.seats.empty()) records_.emplace(key, std::move(record));
}

void Desired::State::contribute_bgp(const AddressOutcome& outcome, Record& record) {
  std::map<net::Prefix, AdSet> routes;  // advertisements may differ in length
  for (const auto ad : outcome.bgp.ads) routes[policy_->route_of(ad, outcome.address)].push_back(ad);
  for (auto& [prefix, ads] : routes) {
    add_route(prefix, ads);
    record.routes.emplace_back(prefix, std::move(ads));
  }
  touched_addresses_.try_emplace(outcome.address, addresses_.contains(outcome.address));
  ++addresses_[outcome.address];
  record.addresses.push_back(outcome.address);
}

void Desired::State::add_route(const net::Prefix& prefix, const AdSet& ads) {
  ++prefixes_[prefix].uses[ads];
  touched_prefixes_.insert(prefix);
}

Difference Desired::State::finish() {
  Difference difference;
  for (const auto& prefix : touched_prefixes_) settle(routes_, prefix, work_out_route(prefix), difference.routes);
  for (const auto& address : touched_seats_) settle(layer2_, address, work_out_seat(address), difference.layer2);
  for (const auto& [address, was_there] : touched_addresses_) {
    if (addresses_.contains(address) == was_there) continue;
    (was_there ? difference.addresses_removed : difference.addresses_added).push_back(address);
  }
  std::ranges::set_difference(peers_, peers_before_, std::back_inserter(difference.peers_added));
  std::ranges::set_difference(peers_before_, peers_, std::back_inserter(difference.peers_removed));
  peers_before_ = peers_;
  touched_prefixes_.clear();
  touched_seats_.clear();
  touched_addresses_.clear();
  return difference;
}

template <class Key, class Value>
void Desired::State::settle(std::map<Key, Value>& results, const Key& key, Value value, net::Plan<Key, Value>& plan) {
  const auto before = results.find(key);
  if (value == nullptr) {
    if (before == results.end()) return;
    results.erase(before);
    plan.remove.push_back(key);
    return;
  }
  if (before != results.end() && before->second == value) return;
  results.insert_or_assign(key, value);
  plan.set.emplace_back(key, std::move(value));
}

AnnouncementPtr Desired::State::work_out_route(const net::Prefix& prefix) {
  const auto at = prefixes_.find(prefix);
  if (at == prefixes_.end()) return nullptr;
  std::set<AdIndex> ads;
  for (const auto& [set, count] : at->second.uses) ads.insert(set.begin(), set.end());
  const auto [merged, fresh] = merged_.try_emplace(AdSet(ads.begin(), ads.end()));
  if (fresh)
    merged->second.announcement = announcements_.intern(policy_->merge(merged->first, merged->second.problems));
  at->second.merged = &merged->second;
  return merged->second.announcement;
}

CandidatesPtr Desired::State::work_out_seat(const net::IpAddress& address) {
  const auto at = seats_.find(address);
  if (at == seats_.end()) return nullptr;
  const auto& seats = at->second;
  const auto& first = seats.begin()->second;
  std::set<AdIndex> ads;
  for (const auto& [service, seat] : seats) ads.insert(seat.ads.begin(), seat.ads.end());
  const AdSet all{ads.begin(), ads.end()};
  // The usual case, the same for thousands of addresses.
  const auto alike =
      std::ranges::all_of(seats, [&](const auto& seat) { return seat.second.ads == all && !seat.second.within; });
  if (!alike) {
    const auto nodes = nodes_for_all(seats);
    return nodes.empty() ? nullptr : candidates_.intern(policy_->candidates(all, nodes));
  }
  const auto [known, fresh] = cluster_wide_.try_emplace(all);
  if (fresh) {
    const auto nodes = policy_->eligible(first.ads, std::nullopt);
    if (!nodes.empty()) known->second = candidates_.intern(policy_->candidates(all, nodes));
  }
  return known->second;
}

// Services that share an address share its owner: a node that may serve all of them (those that no node may
// serve aside), or where there is none, one that may serve some.
std::vector<NodeIndex> Desired::State::nodes_for_all(const std::map<std::string, Seat>& seats) const {
  std::map<NodeIndex, std::size_t> votes;
  std::size_t voters = 0;
  for (const auto& [service, seat] : seats) {
    const auto nodes = policy_->eligible(seat.ads, seat.within);
    if (!nodes.empty()) ++voters;
    for (const auto node : nodes) ++votes[node];
  }
  const auto agreed = std::ranges::any_of(votes, [&](const auto& vote) { return vote.second == voters; });
  std::vector<NodeIndex> nodes;
  for (const auto& [node, count] : votes) {
    if (!agreed || count == voters) nodes.push_back(node);
  }
  return nodes;
}

std::vector<config::Problem> Desired::State::problems() const {
  std::vector<config::Problem> all;
  if (policy_ == nullptr) return all;
  all = policy_->problems();
  std::set<const Merged*> seen;
  for (const auto& [prefix, entry] : prefixes_) {
    if (!seen.insert(entry.merged).second) continue;
    for (const auto& problem : entry.merged->problems) {
      if (std::ranges::find(all, problem) == all.end()) all.push_back(problem);
    }
  }
  return all;
}

std::vector<Verdict> Desired::State::explain(const config::Resources& now, const std::string& key) const {
  std::vector<Verdict> verdicts;
  const auto service = now.services.find(key);
  if (service == now.services.end() || policy_ == nullptr) return verdicts;
  const auto outcome = policy_->judge(service->second, endpoints_.of(now, service->second));
  if (outcome.gate != Gate::Open) {
    std::string detail = "no address was assigned yet";
    if (outcome.gate == Gate::NotLoadBalancer) detail = "spec.type is " + service->second.type;
    if (outcome.gate == Gate::OtherClass)
      detail = "spec.loadBalancerClass is \"" + service->second.load_balancer_class + "\", this speaker's is \"" +
               scope_.load_balancer_class + "\"";
    for (const auto method : {Method::Bgp, Method::Layer2})
      verdicts.push_back({method, std::nullopt, outcome.gate, detail, {}, {}});
    return verdicts;
  }
  for (const auto& address : outcome.addresses) {
    Verdict bgp{Method::Bgp, address.address, address.bgp.gate, policy_->describe(address, Method::Bgp), {}, {}};
    if (bgp.gate == Gate::Open) finish_verdict(bgp, address);
    verdicts.push_back(std::move(bgp));
    verdicts.push_back(
        {Method::Layer2, address.address, address.layer2.gate, policy_->describe(address, Method::Layer2), {}, {}});
  }
  return verdicts;
}

void Desired::State::finish_verdict(Verdict& verdict, const AddressOutcome& outcome) const {
  std::set<net::Prefix> routes;
  for (const auto ad : outcome.bgp.ads) routes.insert(policy_->route_of(ad, outcome.address));
  const auto told = [&](const std::string& peer) {
    return std::ranges::any_of(routes, [&](const net::Prefix& prefix) {
      const auto route = routes_.find(prefix);
      return route != routes_.end() && route->second->to(peer) != nullptr;
    });
  };
  std::ranges::copy_if(peers_, std::back_inserter(verdict.peers), told);
  if (peers_.empty()) {
    verdict.gate = Gate::NoPeer;
    verdict.detail = "no BGPPeer runs on node " + scope_.node;
  } else if (verdict.peers.empty()) {
    verdict.gate = Gate::PeerNotSelected;
    verdict.detail += ", but none of the peers it names runs on node " + scope_.node;
  } else {
    verdict.routes.assign(routes.begin(), routes.end());
  }
}

Desired::Desired(Scope scope) : state_{std::make_unique<State>(std::move(scope))} {}
Desired::Desired(Desired&&) noexcept = default;
Desired& Desired::operator=(Desired&&) noexcept = default;
Desired::~Desired() = default;

Difference Desired::reset(const config::Resources& now) {
  return state_->reset(now);
}
Difference Desired::apply(const config::Resources& now, std::span<const Change> changes) {
  return state_->apply(now, changes);
}
const Routes& Desired::routes() const {
  return state_->routes();
}
const Layer2Addresses& Desired::layer2() const {
  return state_->layer2();
}
const std::map<net::IpAddress, unsigned>& Desired::addresses() const {
  return state_->addresses();
}
const std::set<std::string>& Desired::peers() const {
  return state_->peers();
}
std::vector<config::Problem> Desired::problems() const {
  return state_->problems();
}
std::vector<Verdict> Desired::explain(const config::Resources& now, const std::string& service) const {
  return state_->explain(now, service);
}

}  // namespace speaker
