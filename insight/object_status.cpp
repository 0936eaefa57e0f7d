// SPDX-License-Identifier: Apache-2.0
#include "insight/object_status.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/selects_pool.hpp"
#include "config/validate.hpp"

namespace insight {
namespace {

using config::Kind;
using controller::ObjectStatus;
using controller::Statement;
using nlohmann::json;
using Status = Statement::Status;

constexpr std::size_t most_reasons = 5;
constexpr std::size_t longest_message = 1000;  // octets

// Cut between two characters of UTF-8.
std::string bounded(std::string text) {
  if (text.size() <= longest_message) return text;
  auto end = longest_message;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
  return text + "...";
}

std::string listed(const std::vector<std::string>& reasons) {
  std::string out;
  for (std::size_t i = 0; i < std::min(reasons.size(), most_reasons); ++i) out += (i == 0 ? "" : "; ") + reasons[i];
  if (reasons.size() > most_reasons) out += fmt::format(" and {} more", reasons.size() - most_reasons);
  return bounded(std::move(out));
}

std::string line(const config::Problem& problem) {
  return (problem.field.empty() ? "" : problem.field + ": ") + problem.message;
}

Statement statement(std::string_view type, Status status, std::string reason, std::string message) {
  return {.type = std::string{type}, .status = status, .reason = std::move(reason), .message = std::move(message)};
}

Statement not_accepted(std::string_view type) {
  return statement(type, Status::False, "NotAccepted", "it is not accepted");
}

std::string counted(std::size_t count, std::string_view one, std::string_view ending = "s") {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : ending);
}

// Calls visit(node) for nodes that are in both, until it says true; whether it did.
template <class Visit>
bool any_in_both(const NodeNames& left, const NodeNames& right, Visit visit) {
  const auto& fewer = left.size() < right.size() ? left : right;
  const auto& more = left.size() < right.size() ? right : left;
  return std::ranges::any_of(fewer, [&](const auto& node) { return more.contains(node) && visit(node); });
}

class Statuses {
 public:
  Statuses(const config::ResourceSet& set, SelectedNodes& nodes, const Speakers& speakers)
      : set_{set}, now_{set.current().resources}, nodes_{nodes}, speakers_{speakers} {
    for (const auto& problem : set.current().problems) notes_[problem.object].push_back(line(problem));
  }

  ObjectStatuses all() {
    const auto& judged = set_.judged();
    add(judged.pools);
    add(judged.communities);
    add(judged.bgp_configurations);
    add(judged.filters);
    add(judged.bfd_profiles);
    for (const auto& [key, peer] : judged.peers) add_peer(peer);
    for (const auto& [key, ad] : judged.bgp_advertisements) add_advertisement(ad);
    for (const auto& [key, ad] : judged.l2_advertisements) add_advertisement(ad);
    for (const auto& [id, problems] : set_.refused())
      if (says_status(id.kind)) add_refused(id, problems);
    return std::move(out_);
  }

 private:
  template <class T>
  ObjectStatus& add(const T& object) {
    const auto kind = config::kind_of(std::type_identity<T>{});
    auto& out = out_[{kind, object.meta.key()}];
    out.conditions.push_back(accepted(kind, object.meta));
    if constexpr (std::is_same_v<T, config::BGPPeer>) add_secrets(object, out.conditions.back());
    return out;
  }
  template <class T>
  void add(const std::map<std::string, T>& objects) {
    for (const auto& [key, object] : objects) add(object);
  }

  [[nodiscard]] Statement accepted(Kind kind, const config::Meta& meta) const {
    const auto& loaded = set_.current();
    const auto title = config::name_of(kind, meta);
    auto out = statement(accepted_condition, Status::True, "Accepted", "nothing is wrong with it");
    out.observed_generation = meta.generation;
    const auto refuse = [&](const char* reason, const std::vector<std::string>& why) {
      out.status = Status::False;
      out.reason = reason;
      out.message = listed(why);
      return out;
    };
    if (const auto aside = loaded.set_aside.find(title); aside != loaded.set_aside.end())
      return refuse("SetAside", aside->second);
    if (const auto held = loaded.held_down.find(meta.key()); kind == Kind::BGPPeer && held != loaded.held_down.end())
      return refuse("HeldDown", held->second);
    if (const auto notes = notes_.find(title); notes != notes_.end()) {
      out.reason = "AcceptedWithWarnings";
      out.message = listed(notes->second);
    }
    return out;
  }

  // Whether they are there is not known here.
  void add_secrets(const config::BGPPeer& peer, Statement& accepted) const {
    if (set_.secrets() == config::Secrets::Known || accepted.status != Status::True) return;
    const auto say = [&](const config::SecretRef& secret) {
      accepted.message += "; its speakers see whether Secret/" + secret.full_name() + " has what it needs";
    };
    if (peer.password_secret) say(*peer.password_secret);
    if (peer.tcp_ao) say(peer.tcp_ao->secret);
  }

  void add_refused(const config::ObjectId& id, const std::vector<config::Problem>& problems) {
    std::vector<std::string> why(problems.size());
    std::ranges::transform(problems, why.begin(), [](const auto& problem) { return line(problem); });
    auto& out = out_[id];
    out.conditions.push_back(statement(accepted_condition, Status::False, "Invalid", listed(why)));
    if (id.kind == Kind::BGPPeer) {
      out.conditions.push_back(not_accepted(established_condition));
      out.members["sessions"] = nullptr;
    }
    if (id.kind == Kind::BGPAdvertisement || id.kind == Kind::L2Advertisement)
      out.conditions.push_back(not_accepted(effective_condition));
  }

  // Why nothing comes of it, when no speaker lives on the nodes selected.
  [[nodiscard]] std::optional<Statement> nobody(std::string_view type, const NodeNames& selected) const {
    if (selected.empty()) return statement(type, Status::False, "NoNode", "its nodeSelectors match no node");
    if (std::ranges::any_of(selected, [&](const auto& node) { return speakers_.contains(node); })) return std::nullopt;
    return statement(type, Status::False, "NoSpeaker", "no speaker lives on " + names(selected));
  }

  // ---- peers

  void add_peer(const config::BGPPeer& peer) {
    auto& out = add(peer);
    const auto& selected = nodes_.of(peer.node_selectors);
    NodeNames up;
    NodeNames down;
    NodeNames dead;
    for (const auto& node : selected) {
      const auto speaker = speakers_.find(node);
      auto& fate = speaker == speakers_.end() ? dead : speaker->second.sessions.contains(peer.meta.key()) ? up : down;
      fate.insert(node);
    }
    auto named = json::array();
    for (auto node = down.begin(); node != down.end() && named.size() < most_not_established; ++node)
      named.push_back(*node);
    const auto live = up.size() + down.size();
    out.members["sessions"] = {{"nodes", live},
                               {"established", up.size()},
                               {"summary", fmt::format("{}/{}", up.size(), live)},
                               {"notEstablished", std::move(named)}};
    out.conditions.push_back(established(peer, out.conditions.front(), {selected, up, down, dead}));
  }

  struct Fates {
    const NodeNames& selected;
    const NodeNames& up;
    const NodeNames& down;
    const NodeNames& dead;
  };
  [[nodiscard]] Statement established(const config::BGPPeer& peer, const Statement& accepted,
                                      const Fates& nodes) const {
    constexpr auto type = established_condition;
    if (accepted.status != Status::True) return not_accepted(type);
    if (peer.shutdown) return statement(type, Status::False, "Shutdown", "spec.shutdown holds it down");
    if (auto no = nobody(type, nodes.selected)) return *std::move(no);
    const auto others = nodes.dead.empty() ? "" : "; no speaker lives on " + names(nodes.dead);
    if (nodes.down.empty()) return statement(type, Status::True, "Established", "on " + names(nodes.up) + others);
    const auto none = peer.listen_range ? "nobody has connected to " : "not on ";
    const auto rest = nodes.up.empty() ? "" : "; on " + names(nodes.up);
    return statement(type, Status::False, "NotEstablished", none + names(nodes.down) + rest + others);
  }

  // ---- advertisements

  template <class Advertisement>
  void add_advertisement(const Advertisement& ad) {
    auto& out = add(ad);
    if (out.conditions.front().status != Status::True)
      out.conditions.push_back(not_accepted(effective_condition));
    else
      out.conditions.push_back(effective(ad));
  }

  template <class Advertisement>
  [[nodiscard]] std::vector<const config::IPAddressPool*> pools_of(const Advertisement& ad) const {
    std::vector<const config::IPAddressPool*> out;
    for (const auto& [name, pool] : now_.pools)
      if (config::selects_pool(ad, pool)) out.push_back(&pool);
    return out;
  }

  static Statement without_pool() {
    return statement(effective_condition, Status::False, "NoPool", "it selects no IPAddressPool that is in use");
  }

  [[nodiscard]] Statement effective(const config::BGPAdvertisement& ad) {
    constexpr auto type = effective_condition;
    const auto pools = config::only_prefixes(ad) ? std::vector<const config::IPAddressPool*>{} : pools_of(ad);
    if (pools.empty() && ad.prefixes.empty()) return without_pool();
    const auto& selected = nodes_.of(ad.node_selectors);
    if (auto no = nobody(type, selected)) return *std::move(no);
    NodeNames peers;
    bool session = false;
    for (const auto& [name, peer] : now_.peers) {
      if (!ad.peers.empty() && std::ranges::find(ad.peers, name) == ad.peers.end()) continue;
      const auto& theirs = nodes_.of(peer.node_selectors);
      if (!any_in_both(selected, theirs, [](const auto& /*node*/) { return true; })) continue;
      peers.insert(name);
      session = session || any_in_both(selected, theirs, [&, &peer_name = name](const auto& node) {
                  const auto speaker = speakers_.find(node);
                  return speaker != speakers_.end() && speaker->second.sessions.contains(peer_name);
                });
    }
    if (peers.empty())
      return statement(type, Status::False, "NoPeer", "no BGPPeer that it selects runs on the nodes that it selects");
    if (!session)
      return statement(type, Status::False, "NoSession",
                       "no session with " + names(peers) + " is established on the nodes that it selects");
    auto what = counted(pools.size(), "IPAddressPool");
    if (!ad.prefixes.empty()) what += ", " + counted(ad.prefixes.size(), "prefix", "es");
    return statement(
        type, Status::True, "Effective",
        fmt::format("selects {}, {} and {}", what, counted(selected.size(), "node"), counted(peers.size(), "BGPPeer")));
  }

  [[nodiscard]] Statement effective(const config::L2Advertisement& ad) {
    constexpr auto type = effective_condition;
    const auto pools = pools_of(ad);
    if (pools.empty()) return without_pool();
    const auto& selected = nodes_.of(ad.node_selectors);
    if (auto no = nobody(type, selected)) return *std::move(no);
    const auto answers = [&](const auto& node) {
      const auto speaker = speakers_.find(node);
      return speaker != speakers_.end() && has_subnet(ad, speaker->second, pools);
    };
    if (std::ranges::none_of(selected, answers))
      return statement(type, Status::False, "NoSubnet",
                       "no interface that it selects has a subnet of its IPAddressPools, on " + names(selected));
    return statement(
        type, Status::True, "Effective",
        fmt::format("selects {} and {}", counted(pools.size(), "IPAddressPool"), counted(selected.size(), "node")));
  }

  [[nodiscard]] static bool has_subnet(const config::L2Advertisement& ad, const Speaker& speaker,
                                       const std::vector<const config::IPAddressPool*>& pools) {
    const auto within = [&](const net::Prefix& subnet) {
      const auto addresses = net::AddressRange::of(subnet);
      return std::ranges::any_of(pools, [&](const auto* pool) {
        return std::ranges::any_of(pool->addresses, [&](const auto& range) { return range.overlaps(addresses); });
      });
    };
    return std::ranges::any_of(speaker.links, [&](const auto& link) {
      const auto& [name, subnets] = link;
      const auto meant = ad.interfaces.empty() || std::ranges::find(ad.interfaces, name) != ad.interfaces.end();
      return meant && std::ranges::any_of(subnets, within);
    });
  }

  const config::ResourceSet& set_;
  const config::Resources& now_;  // what is in use
  SelectedNodes& nodes_;
  const Speakers& speakers_;
  std::map<std::string, std::vector<std::string>> notes_;  // what is wrong, by object
  ObjectStatuses out_;
};

}  // namespace

bool says_status(Kind kind) {
  return config::info(kind).group() == "herald.dev" && kind != Kind::SpeakerState;
}

Speakers live_speakers(const config::Resources& resources, const NodeNames& live) {
  Speakers out;
  for (const auto& [name, state] : resources.speaker_states) {
    if (!live.contains(name)) continue;
    auto& speaker = out[name];
    speaker.sessions.insert(state.sessions.begin(), state.sessions.end());
    for (const auto& interface : state.interfaces)
      if (interface.carrier) speaker.links.emplace(interface.name, interface.subnets);
  }
  return out;
}

SelectedNodes::SelectedNodes(const config::Resources& resources) : node_objects_{!resources.nodes.empty()} {
  for (const auto& [name, node] : resources.nodes) nodes_.emplace(name, node.meta.labels);
  if (node_objects_) return;
  for (const auto& [name, state] : resources.speaker_states)
    nodes_.emplace(name, config::labels_of_node(resources, name));
}

bool SelectedNodes::stale(const config::Resources& resources) const {
  if (node_objects_) return false;
  return !std::ranges::equal(
      nodes_, resources.speaker_states, {}, [](const auto& entry) { return entry.first; },
      [](const auto& entry) { return entry.first; });
}

const NodeNames& SelectedNodes::of(const std::vector<config::LabelSelector>& selectors) {
  const auto [known, fresh] = known_.try_emplace(selectors);
  if (fresh)
    for (const auto& [name, labels] : nodes_)
      if (config::any_matches(selectors, labels)) known->second.insert(name);
  return known->second;
}

ObjectStatuses object_statuses(const config::ResourceSet& set, SelectedNodes& nodes, const Speakers& speakers) {
  return Statuses{set, nodes, speakers}.all();
}

}  // namespace insight
