// SPDX-License-Identifier: Apache-2.0
#include "speaker/layer2/election.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "net/trie.hpp"
#include "speaker/layer2/link.hpp"

namespace speaker {
namespace {

using NodeIndex = std::uint32_t;
using Interfaces = std::vector<config::SpeakerState::Interface>;

// The same on every node, whatever compiler it was built with.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
  return value ^ value >> 31;
}
template <class Bytes>
std::uint64_t stable_hash(const Bytes& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const auto byte : bytes) hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3ULL;
  return mix(hash);
}

bool has_subnet(const Interfaces& interfaces, const std::vector<std::string>& allowed, const net::IpAddress& address) {
  return std::ranges::any_of(interfaces, [&](const auto& interface) {
    return interface.carrier && allows(allowed, interface.name) &&
           std::ranges::any_of(interface.subnets, [&](const net::Prefix& subnet) { return subnet.contains(address); });
  });
}

// Addresses in the same place, the longest subnet of anybody that holds them, are held by the same subnets.
class Places {
 public:
  explicit Places(const Voters& voters) {
    for (const auto& [name, voter] : voters) {
      for (const auto& interface : voter.interfaces) {
        for (const auto& subnet : interface.subnets) add(subnet);
      }
    }
  }
  // Nothing when nobody has a subnet that holds the address.
  [[nodiscard]] std::optional<net::Prefix> of(const net::IpAddress& address) const {
    if (address.is_v4()) return match(v4_, net::Ipv4Prefix::host(address.v4()));
    return match(v6_, net::Ipv6Prefix::host(address.v6()));
  }

 private:
  void add(const net::Prefix& subnet) {
    if (subnet.is_v4())
      v4_[subnet.v4()] = {};
    else
      v6_[subnet.v6()] = {};
  }
  template <class Trie, class Key>
  static std::optional<net::Prefix> match(const Trie& trie, const Key& key) {
    const auto found = trie.longest_match(key);
    return found ? std::optional<net::Prefix>{found->first} : std::nullopt;
  }
  struct Nothing {};
  net::PrefixTrie<net::Ipv4Prefix, Nothing> v4_;
  net::PrefixTrie<net::Ipv6Prefix, Nothing> v6_;
};

class Election {
 public:
  Election(const Layer2Addresses& addresses, const Voters& voters) : voters_{voters}, places_{voters} {
    for (const auto& [name, voter] : voters) {
      names_.push_back(&name);
      hashes_.push_back(stable_hash(name));
    }
    loads_.resize(names_.size());
    for (const auto& [address, candidates] : addresses) {
      if (const auto* choice = choice_of(address, candidates))
        seats_.push_back({&address, choice, stable_hash(address.bytes()), nobody});
    }
  }

  Owners run() {
    set_share();
    settle_claims();
    fill_empty_seats();
    relieve_overloaded();
    Owners owners;
    for (const auto& seat : seats_) owners.emplace_hint(owners.end(), *seat.address, *names_[seat.owner]);
    return owners;
  }

 private:
  static constexpr NodeIndex nobody = std::numeric_limits<NodeIndex>::max();
  using Choice = std::vector<NodeIndex>;  // ascending, not empty: the nodes that may own, all equally preferred
  struct Seat {
    const net::IpAddress* address;
    const Choice* choice;
    std::uint64_t hash;
    NodeIndex owner;
  };

  [[nodiscard]] std::uint64_t score(NodeIndex node, const Seat& seat) const { return mix(hashes_[node] ^ seat.hash); }

  const Choice* choice_of(const net::IpAddress& address, const CandidatesPtr& candidates) {
    const auto place = places_.of(address);
    if (!place) return nullptr;
    const auto [at, fresh] = choices_.try_emplace({candidates.get(), *place});
    if (fresh) at->second = make_choice(address, *candidates);
    return at->second.empty() ? nullptr : &at->second;
  }

  Choice make_choice(const net::IpAddress& address, const Candidates& candidates) const {
    Choice best;
    std::pair<bool, unsigned> best_rank;  // stays, weight
    for (const auto& candidate : candidates) {
      const auto voter = voters_.find(candidate.node);
      if (voter == voters_.end() || !has_subnet(voter->second.interfaces, candidate.interfaces, address)) continue;
      const std::pair rank{!voter->second.draining, candidate.weight};
      if (best.empty() || rank > best_rank) {
        best.clear();
        best_rank = rank;
      }
      if (rank == best_rank) best.push_back(index_of(candidate.node));
    }
    return best;
  }

  [[nodiscard]] NodeIndex index_of(const std::string& name) const {
    const auto at = std::ranges::lower_bound(names_, name, {}, [](const std::string* other) { return *other; });
    return static_cast<NodeIndex>(at - names_.begin());
  }

  void set_share() {
    std::vector<bool> chosen(names_.size());
    for (const auto& [key, choice] : choices_) {
      for (const auto node : choice) chosen[node] = true;
    }
    const auto nodes = static_cast<std::size_t>(std::ranges::count(chosen, true));
    share_ = nodes == 0 ? 0 : (seats_.size() + nodes - 1) / nodes;
    limit_ = share_ + (share_ >= 3 ? 1 : 0);
  }

  void settle_claims() {
    NodeIndex node = 0;
    for (const auto& [name, voter] : voters_) {
      for (const auto& address : voter.owned) claim(node, address);
      ++node;
    }
    for (const auto& seat : seats_) {
      if (seat.owner != nobody) ++loads_[seat.owner];
    }
  }

  void claim(NodeIndex node, const net::IpAddress& address) {
    const auto seat = std::ranges::lower_bound(seats_, address, {}, [](const Seat& other) { return *other.address; });
    if (seat == seats_.end() || *seat->address != address) return;
    if (!std::ranges::binary_search(*seat->choice, node)) return;
    if (seat->owner == nobody || score(node, *seat) > score(seat->owner, *seat)) seat->owner = node;
  }

  // Those with the least choice first, so that the others can fill what is left.
  void fill_empty_seats() {
    std::vector<Seat*> empty;
    for (auto& seat : seats_) {
      if (seat.owner == nobody) empty.push_back(&seat);
    }
    std::ranges::sort(empty, {}, [](const Seat* seat) { return std::tuple{seat->choice->size(), seat->hash}; });
    for (auto* seat : empty) {
      const auto below_share = best_of(*seat, share_);
      seat->owner = below_share != nobody ? below_share : best_of(*seat, least_load(*seat) + 1);
      ++loads_[seat->owner];
    }
  }

  // The node with the highest score among those of the choice with a load below `bound`.
  [[nodiscard]] NodeIndex best_of(const Seat& seat, std::size_t bound) const {
    auto best = nobody;
    for (const auto node : *seat.choice) {
      if (loads_[node] < bound && (best == nobody || score(node, seat) > score(best, seat))) best = node;
    }
    return best;
  }
  [[nodiscard]] std::size_t least_load(const Seat& seat) const {
    return loads_[*std::ranges::min_element(seat.choice->begin(), seat.choice->end(), {},
                                            [&](NodeIndex node) { return loads_[node]; })];
  }

  // A second run over the result of this one changes nothing: whoever is still above the limit holds only
  // what no node below its share may have.
  void relieve_overloaded() {
    if (std::ranges::none_of(loads_, [&](std::size_t load) { return load > limit_; })) return;
    std::vector<Seat*> held;
    for (auto& seat : seats_) {
      if (loads_[seat.owner] > limit_) held.push_back(&seat);
    }
    std::ranges::sort(held, {}, [&](const Seat* seat) { return std::tuple{score(seat->owner, *seat), seat->hash}; });
    for (auto* seat : held) {
      if (loads_[seat->owner] <= limit_) continue;
      const auto to = best_of(*seat, share_);
      if (to == nobody) continue;
      --loads_[seat->owner];
      ++loads_[to];
      seat->owner = to;
    }
  }

  const Voters& voters_;
  Places places_;
  std::vector<const std::string*> names_;  // ascending; a node is an index into this
  std::vector<std::uint64_t> hashes_;
  std::vector<std::size_t> loads_;
  std::map<std::pair<const Candidates*, net::Prefix>, Choice> choices_;
  std::vector<Seat> seats_;  // ascending by address
  std::size_t share_ = 0;
  std::size_t limit_ = 0;
};

}  // namespace

Voter voter(const config::SpeakerState& state) {
  return {state.interfaces, state.owned, state.draining};
}

Owners elect(const Layer2Addresses& addresses, const Voters& voters) {
  return Election{addresses, voters}.run();
}

Gate election_gate(const net::IpAddress& address, const Candidates& candidates, const Voters& voters,
                   const Owners& owners, const std::string& node) {
  const auto owner = owners.find(address);
  if (owner != owners.end() && owner->second == node) return Gate::Open;
  const auto voter = voters.find(node);
  const auto candidate = std::ranges::find(candidates, node, &Candidate::node);
  // No candidate: another service on the same address rules this node out.
  if (candidate == candidates.end()) return Gate::NotOwner;
  const auto could = voter != voters.end() && has_subnet(voter->second.interfaces, candidate->interfaces, address);
  return could ? Gate::NotOwner : Gate::NoSubnet;
}

}  // namespace speaker
