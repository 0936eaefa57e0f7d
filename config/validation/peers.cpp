// SPDX-License-Identifier: Apache-2.0
// Peers among themselves, and what they refer to. The rule of this file is to fail closed: nothing that is
// missing may leave a session with less protection than was written down.
#include <optional>

#include "config/validation/judge.hpp"

namespace config {
namespace {

struct Effective {
  std::optional<Asn> asn;
  std::optional<net::RouterId> router_id;
};

Effective effective(const BGPPeer& peer, const BGPConfiguration* configuration) {
  Effective out{peer.my_asn, peer.router_id};
  if (configuration == nullptr) return out;
  if (!out.asn) out.asn = configuration->asn;
  if (!out.router_id) out.router_id = configuration->router_id;
  return out;
}

// A node as peers see it: who is configured there.
struct Place {
  const BGPConfiguration* configuration;
  std::vector<const BGPPeer*> peers;  // oldest first
};

using ByAddress = std::map<std::pair<net::IpAddress, std::string>, const BGPPeer*>;

// Sets a peer aside that has the address, or the link, of an older one on the same node.
void check_address(Judge& judge, const BGPPeer& peer, ByAddress& by_address) {
  // A link-local address is another one on every link.
  const bool unnumbered = peer.peer_address.unspecified();
  const bool by_link = unnumbered || peer.peer_address.link_local();
  if (unnumbered && peer.interface.empty()) return;
  const auto [same, added] =
      by_address.emplace(std::pair{peer.peer_address, by_link ? peer.interface : std::string{}}, &peer);
  if (added) return;
  judge.set_aside(peer, unnumbered ? "spec.interface" : "spec.peerAddress",
                  std::string{"is the "} + (unnumbered ? "interface" : "address") + " of " + judge.cite(*same->second) +
                      " as well, and both hold on the same node");
}

// A node is one router, which the oldest of its peers names.
void check_identity(Judge& judge, const BGPPeer& peer, const BGPPeer& first, const BGPConfiguration* configuration) {
  const auto mine = effective(peer, configuration);
  const auto theirs = effective(first, configuration);
  if (mine.asn && theirs.asn && mine.asn != theirs.asn) {
    judge.set_aside(peer, "spec.myASN",
                    "a node has one AS: this is " + net::print(*mine.asn) + " and " + judge.cite(first) + " is " +
                        net::print(*theirs.asn) + " on the same node");
  } else if (mine.router_id && theirs.router_id && mine.router_id != theirs.router_id) {
    // RFC 4271 section 1.1: the identifier is the same for every peer.
    judge.set_aside(peer, "spec.routerID",
                    "a node has one router ID: this is " + net::print(*mine.router_id) + " and " + judge.cite(first) +
                        " has " + net::print(*theirs.router_id) + " on the same node");
  }
}

void check_place(Judge& judge, const Place& place) {
  ByAddress by_address;
  const BGPPeer* first = nullptr;
  for (const auto* peer : place.peers) {
    if (judge.is_set_aside(*peer)) continue;
    check_address(judge, *peer, by_address);
    if (judge.is_set_aside(*peer)) continue;
    if (first == nullptr)
      first = peer;
    else
      check_identity(judge, *peer, *first, place.configuration);
  }
}

void check_places(Judge& judge) {
  const auto peers = judge.by_age<BGPPeer>();
  const auto check = [&](const std::string& node, const auto& selects) {
    Place place{configuration_of(judge.all, node), {}};
    for (const auto* peer : peers)
      if (selects(*peer)) place.peers.push_back(peer);
    check_place(judge, place);
  };
  const auto check_node = [&](const std::string& node) {
    const auto labels = labels_of_node(judge.all, node);
    check(node, [&](const BGPPeer& peer) { return any_matches(peer.node_selectors, labels); });
  };
  if (!judge.view.node.empty()) return check_node(judge.view.node);
  for (const auto& [name, node] : judge.all.nodes) check_node(name);
  // Nodes may come later: peers with the same selectors will meet wherever they are.
  std::set<std::vector<LabelSelector>> lists{{}};
  for (const auto* peer : peers) lists.insert(peer->node_selectors);
  for (const auto& list : lists)
    check({}, [&](const BGPPeer& peer) { return peer.node_selectors.empty() || peer.node_selectors == list; });
}

void check_password(Judge& judge, const BGPPeer& peer) {
  if (!peer.password_secret || judge.view.secrets == Secrets::Unknown) return;
  const auto& reference = *peer.password_secret;
  const auto key = reference.full_name();
  const auto found = judge.all.secrets.find(key);
  const auto hold = [&](std::string why) { judge.hold_down(peer, "spec.passwordSecret", std::move(why)); };
  if (found == judge.all.secrets.end()) return hold(missing("Secret", key));
  const auto& secret = found->second;
  if (reference.key == "password" && secret.type != "kubernetes.io/basic-auth")
    return hold("the type of Secret/" + key + " must be kubernetes.io/basic-auth, it is " + secret.type);
  const auto password = secret.data.find(reference.key);
  if (password == secret.data.end()) return hold("Secret/" + key + " has no key " + reference.key);
  // TCP_MD5SIG_MAXKEYLEN
  if (password->second.empty() || password->second.size() > 80)
    hold("the password in Secret/" + key + " must have 1 to 80 octets, it has " +
         std::to_string(password->second.size()));
}

std::string wrong_ao_key(const std::string& secret, const std::string& name, const std::string& value) {
  if (!key_number(name)) return "the keys of Secret/" + secret + " must be named 0 to 255, one is named " + name;
  if (!value.empty() && value.size() <= 80) return {};
  return "key " + name + " in Secret/" + secret + " must have 1 to 80 octets, it has " + std::to_string(value.size());
}

// RFC 5925: numbered keys, at least one.
void check_tcp_ao(Judge& judge, const BGPPeer& peer) {
  if (!peer.tcp_ao || judge.view.secrets == Secrets::Unknown) return;
  const auto& reference = peer.tcp_ao->secret;
  const auto key = reference.full_name();
  const auto hold = [&](std::string why) { judge.hold_down(peer, "spec.tcpAO", std::move(why)); };
  const auto found = judge.all.secrets.find(key);
  if (found == judge.all.secrets.end()) return hold(missing("Secret", key));
  if (found->second.data.empty()) return hold("Secret/" + key + " has no keys");
  for (const auto& [name, value] : found->second.data) {
    auto why = wrong_ao_key(key, name, value);
    if (!why.empty()) return hold(std::move(why));
  }
}

void check_filters(Judge& judge, const BGPPeer& peer) {
  const auto check = [&](const char* field, const std::optional<std::vector<std::string>>& names) {
    for (const auto& name : names.value_or(std::vector<std::string>{}))
      if (!built_in_filter(name) && !judge.has<BGPFilter>(name))
        judge.hold_down(peer, field, missing("BGPFilter", name));
  };
  check("spec.import", peer.import_filters);
  check("spec.export", peer.export_filters);
}

// What the node's configuration says and the peer does not.
void check_configuration(Judge& judge, const BGPPeer& peer) {
  const auto& configurations = judge.all.bgp_configurations;
  const auto* configuration = configuration_of(judge.all, judge.view.node);
  const bool whole_network = judge.view.node.empty();
  const bool some_asn =
      std::ranges::any_of(configurations, [](const auto& entry) { return entry.second.asn.has_value(); });
  const auto asn = effective(peer, configuration).asn;
  if (!asn && !(whole_network && some_asn))
    return judge.set_aside(peer, "spec.myASN", "is required, because no BGPConfiguration says asn");
  if (asn && peer.ebgp_multi_hop && asn == peer.peer_asn)
    judge.set_aside(peer, "spec.ebgpMultiHop", "must be false for an internal peer (AS " + net::print(*asn) + ")");
  if (peer.import_filters || configuration == nullptr) return;
  for (const auto& name : configuration->import_filters)
    if (!built_in_filter(name) && !judge.has<BGPFilter>(name))
      judge.hold_down(peer, "spec.import",
                      "is that of " + judge.title(*configuration) + ", which " + missing("BGPFilter", name));
}

}  // namespace

void Judge::configurations() {
  for (const auto* configuration : by_age<BGPConfiguration>())
    for (const auto& name : configuration->import_filters)
      if (!built_in_filter(name) && !has<BGPFilter>(name))
        note(*configuration, "spec.import", missing("BGPFilter", name));

  // Without the configuration that was written for it, a node would speak as somebody else.
  const auto own = "BGPConfiguration/node." + view.node;
  const bool own_refused = !view.node.empty() && view.refused.contains(own);
  const bool has_own = !view.node.empty() && all.bgp_configurations.contains("node." + view.node);
  const bool default_refused = !has_own && view.refused.contains("BGPConfiguration/default");
  if (!own_refused && !default_refused) return;
  for (const auto& [name, peer] : all.peers)
    hold_down(peer, "spec", (own_refused ? own : "BGPConfiguration/default") + " is refused");
}

void Judge::peers() {
  for (const auto* peer : by_age<BGPPeer>()) {
    const bool here = view.node.empty() || any_matches(peer->node_selectors, labels_of_node(all, view.node));
    if (here && !verdict.held_down.contains(peer->meta.key())) check_configuration(*this, *peer);
    check_password(*this, *peer);
    check_tcp_ao(*this, *peer);
    check_filters(*this, *peer);
    check_bfd(*peer);
  }
  check_places(*this);
  for (const auto& [title, reasons] : verdict.set_aside)
    if (title.starts_with("BGPPeer/")) verdict.held_down.erase(title.substr(8));
}

}  // namespace config
