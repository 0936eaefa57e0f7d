// SPDX-License-Identifier: Apache-2.0
#include "insight/announcements.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "config/validate.hpp"

namespace insight {
namespace {

using config::Kind;
using speaker::Gate;
using speaker::Method;

std::string where(const NodeNames& bgp, const NodeNames& layer2) {
  std::string out;
  if (!bgp.empty()) out += "by BGP from " + names(bgp);
  if (!layer2.empty()) out += (out.empty() ? "on layer 2 from " : ", on layer 2 from ") + names(layer2);
  return out;
}

// What of a node selectors and gates look at.
std::string facts_of(const config::Node& node) {
  std::string out;
  for (const auto& [key, value] : node.meta.labels) out.append(key).append("=").append(value).append("\n");
  for (const auto& condition : node.conditions)
    if (condition.type == "NetworkUnavailable") out += "!" + condition.status;
  return out;
}

// How selectors and gates treat a node: nodes with the same text are treated alike.
std::string treatment_of(const config::Resources& now, const std::string& name, const config::Labels& labels) {
  std::string out;
  const auto note = [&](const auto& advertisements) {
    for (const auto& [ad, object] : advertisements)
      out += config::any_matches(object.node_selectors, labels) ? '1' : '0';
  };
  note(now.bgp_advertisements);
  note(now.l2_advertisements);
  out += labels.contains("node.kubernetes.io/exclude-from-external-load-balancers") ? 'x' : '-';
  const auto node = now.nodes.find(name);
  if (node == now.nodes.end()) return out;
  for (const auto& condition : node->second.conditions)
    if (condition.type == "NetworkUnavailable") out += condition.status;
  return out;
}

// The sentence about all nodes that came no further.
std::string sentence(Gate gate, Method method, const NodeNames& stopped, std::string detail) {
  const std::string ads = method == Method::Bgp ? "BGPAdvertisements" : "L2Advertisements";
  switch (gate) {
    case Gate::NodeNotSelected:
      return "the nodeSelectors of its " + ads + " match no node";
    case Gate::NodeExcluded:
      return "every node that is selected has the label node.kubernetes.io/exclude-from-external-load-balancers: " +
             names(stopped);
    case Gate::NodeUnavailable:
      return "every node that is selected has the condition NetworkUnavailable: " + names(stopped);
    case Gate::NoLocalEndpoint:
      return "externalTrafficPolicy is Local and no node that is selected has a usable endpoint";
    case Gate::NoPeer:
      return "no BGPPeer runs on " + names(stopped);
    case Gate::PeerNotSelected:
      return "its BGPAdvertisements name peers, and none of them runs on " + names(stopped);
    case Gate::SessionDown:
      return "no session with the peers that are selected is established on " + names(stopped);
    case Gate::NoSubnet:
      return "no interface of " + names(stopped) + " has the subnet of the address";
    case Gate::NotOwner:
      return "no node answers for it yet";
    default:
      return detail;
  }
}

}  // namespace

void Announcements::reset(const config::Resources& now, NodeNames live) {
  live_ = std::move(live);
  endpoints_.clear();
  std::set<std::string> touched;
  for (const auto& [key, slice] : now.endpoint_slices) endpoints_.update(now, key, touched);
  read_nodes(now);
  read_speakers(now);
}

void Announcements::read_nodes(const config::Resources& now) {
  policies_.clear();
  examples_.clear();
  nodes_.clear();
  node_facts_.clear();
  std::map<std::string, config::Labels> all;
  for (const auto& [name, node] : now.nodes) {
    all.emplace(name, node.meta.labels);
    node_facts_.emplace(name, facts_of(node));
  }
  if (now.nodes.empty())
    for (const auto& [name, state] : now.speaker_states) all.emplace(name, config::Labels{});
  std::map<std::string, std::size_t> kinds;
  for (const auto& [name, labels] : all) {
    const auto [known, fresh] = kinds.try_emplace(treatment_of(now, name, labels), policies_.size());
    if (fresh) {
      policies_.push_back(std::make_unique<const speaker::DesiredPolicy>(now, speaker::Scope{name, class_}));
      examples_.push_back(name);
    }
    NodeView view{known->second, {}};
    for (const auto& [peer, object] : now.peers)
      if (config::any_matches(object.node_selectors, config::labels_of_node(now, name))) view.peers.insert(peer);
    nodes_.emplace(name, std::move(view));
  }
}

void Announcements::read_speakers(const config::Resources& now) {
  sessions_.clear();
  owners_.clear();
  for (const auto& [name, state] : now.speaker_states) {
    if (!live_.contains(name)) continue;
    sessions_.emplace(name, NodeNames{state.sessions.begin(), state.sessions.end()});
    for (const auto& address : state.owned) owners_[address].insert(name);
  }
}

std::optional<std::set<std::string>> Announcements::apply(const config::Resources& now,
                                                          std::span<const config::ObjectId> changed, NodeNames live) {
  std::set<std::string> touched;
  bool nodes = false;
  bool speakers = live != live_;
  live_ = std::move(live);
  for (const auto& id : changed) {
    if (id.kind == Kind::Service) touched.insert(id.key);
    if (id.kind == Kind::EndpointSlice) endpoints_.update(now, id.key, touched);
    if (id.kind == Kind::SpeakerState) speakers = true;
    if (id.kind != Kind::Node) continue;
    const auto there = now.nodes.find(id.key);
    const auto known = node_facts_.find(id.key);
    const auto same =
        there != now.nodes.end() && known != node_facts_.end() && facts_of(there->second) == known->second;
    nodes = nodes || !same;
  }
  if (!nodes && !speakers) return touched;
  if (nodes || (now.nodes.empty() && nodes_.size() != now.speaker_states.size())) {
    read_nodes(now);
    read_speakers(now);
    return std::nullopt;
  }
  // Heartbeats come all the time, and mostly say what was said before.
  const auto sessions_before = std::exchange(sessions_, {});
  const auto owners_before = std::exchange(owners_, {});
  read_speakers(now);
  if (sessions_ == sessions_before && owners_ == owners_before) return touched;
  return std::nullopt;
}

Gate Announcements::session_gate(const std::string& node, const NodeView& view,
                                 const speaker::Announcement& announcement) const {
  if (view.peers.empty()) return Gate::NoPeer;
  const auto told = [&](const std::string& peer) { return announcement.to(peer) != nullptr; };
  if (std::ranges::none_of(view.peers, told)) return Gate::PeerNotSelected;
  const auto sessions = sessions_.find(node);
  return sessions != sessions_.end() && std::ranges::any_of(sessions->second, told) ? Gate::Open : Gate::SessionDown;
}

void Announcements::find_bgp(const std::string& node, const NodeView& view, const speaker::AddressOutcome& outcome,
                             Finding& finding) const {
  const auto& policy = *policies_[view.kind];
  auto gate = outcome.bgp.gate;
  if (gate == Gate::Open) {
    std::vector<config::Problem> unused;
    gate = session_gate(node, view, policy.merge(outcome.bgp.ads, unused));
  }
  if (gate == Gate::Open) {
    finding.bgp.insert(node);
    return;
  }
  if (gate < finding.gate) return;
  if (gate > finding.gate) finding.stopped.clear();
  finding.gate = gate;
  finding.method = Method::Bgp;
  finding.detail = policy.describe(outcome, Method::Bgp);
  finding.stopped.insert(node);
}

bool Announcements::has_subnet(const config::Resources& now, const std::string& node,
                               const net::IpAddress& address) const {
  const auto state = now.speaker_states.find(node);
  if (state == now.speaker_states.end() || !live_.contains(node)) return false;
  return std::ranges::any_of(state->second.interfaces, [&](const auto& interface) {
    return interface.carrier &&
           std::ranges::any_of(interface.subnets, [&](const auto& subnet) { return subnet.contains(address); });
  });
}

void Announcements::find_layer2(const config::Resources& now, const std::string& node, const NodeView& view,
                                const speaker::AddressOutcome& outcome, Finding& finding) const {
  auto gate = outcome.layer2.gate;
  if (gate == Gate::Open) gate = has_subnet(now, node, outcome.address) ? Gate::NotOwner : Gate::NoSubnet;
  // Where BGP came as far, it is the one to tell of.
  if (gate < finding.gate || (gate == finding.gate && finding.method == Method::Bgp && !finding.stopped.empty()))
    return;
  if (gate > finding.gate || finding.method == Method::Bgp) finding.stopped.clear();
  finding.gate = gate;
  finding.method = Method::Layer2;
  finding.detail = policies_[view.kind]->describe(outcome, Method::Layer2);
  finding.stopped.insert(node);
}

std::vector<Announcements::Finding> Announcements::look_everywhere(const config::Resources& now,
                                                                   const config::Service& object) const {
  const auto endpoints = endpoints_.of(now, object);
  // The same endpoints, with and without one on the node that stands for its kind.
  std::vector<std::array<std::optional<speaker::ServiceOutcome>, 2>> outcomes(policies_.size());
  const auto outcome_of = [&](const std::string& node, std::size_t kind) -> const speaker::ServiceOutcome& {
    const auto local = endpoints.nodes.contains(node);
    auto& slot = outcomes[kind][local ? 1 : 0];
    if (!slot) {
      auto seen = endpoints;
      seen.nodes.erase(examples_[kind]);
      if (local) seen.nodes.insert(examples_[kind]);
      slot = policies_[kind]->judge(object, seen);
    }
    return *slot;
  };
  std::vector<Finding> findings(object.ingress.size());
  for (const auto& [node, view] : nodes_) {
    const auto& outcome = outcome_of(node, view.kind);
    for (std::size_t i = 0; i < findings.size() && i < outcome.addresses.size(); ++i) {
      find_bgp(node, view, outcome.addresses[i], findings[i]);
      find_layer2(now, node, view, outcome.addresses[i], findings[i]);
    }
  }
  return findings;
}

std::optional<Announced> Announcements::judge(const config::Resources& now, const std::string& service) const {
  const auto found = now.services.find(service);
  if (found == now.services.end()) return std::nullopt;
  const auto& object = found->second;
  if (object.type != "LoadBalancer" || object.load_balancer_class != class_ || object.ingress.empty())
    return std::nullopt;
  auto findings = look_everywhere(now, object);
  Announced out{Announced::Status::Yes, "Announced", {}};
  for (std::size_t i = 0; i < findings.size(); ++i) {
    auto& finding = findings[i];
    if (const auto owner = owners_.find(object.ingress[i]); owner != owners_.end()) finding.layer2 = owner->second;
    auto text = where(finding.bgp, finding.layer2);
    if (text.empty()) {
      const auto gate = nodes_.empty() ? Gate::NodeUnavailable : finding.gate;
      if (out.status == Announced::Status::Yes) out.reason = speaker::print(gate);
      out.status = Announced::Status::No;
      text = nodes_.empty() ? "there is no node"
                            : sentence(gate, finding.method, finding.stopped, std::move(finding.detail));
    }
    out.message += (i == 0 ? "" : "; ") + net::print(object.ingress[i]) + ": " + text;
  }
  return out;
}

}  // namespace insight
