// SPDX-License-Identifier: Apache-2.0
// Who answers for a layer 2 address: a pure function of what all nodes can read, so every node works out
// the same owner with no talk between them. Knows no sockets and no clock.
//
// * May own an address: a candidate (desired.hpp) that is live and has an interface that the advertisement
//   allows, with carrier and with a subnet that holds the address. A node without the subnet is never
//   elected, not even when no other has it or the advertisement names its interface: nobody on that link
//   could ask for the address, and a node that has it must not lose to one that has not.
//   A node that drains is taken only when every other choice is gone.
// * Of those, only the ones with the highest preference. The election is per address, not per service, so
//   services that share an address have one owner.
// * Owners stay. Every node publishes what it owns (SpeakerState.owned); an address whose published owner
//   may still own it is left there. The rest goes to the node with the highest rendezvous score among those
//   below their fair share, ceil(addresses / nodes): what a lost node owned spreads over all others and
//   nothing else moves.
// * A node that has more than its share (one more is tolerated from a share of three on) gives its lowest
//   scores to nodes below theirs. So a node that returns gets what balance demands and no more.
//
// Published ownership makes this sticky without memory: claims are part of the state that all read. A
// result that is published in part leads to the same result again, since claims only fill up nodes that
// the others would have filled; so nodes that read the claims at different moments do not quarrel. Two
// claims for one address (a healed partition) are settled by score.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/resources.hpp"
#include "net/address.hpp"
#include "speaker/desired.hpp"
#include "speaker/gate.hpp"

namespace speaker {

// A live node.
struct Voter {
  std::vector<config::SpeakerState::Interface> interfaces;
  std::vector<net::IpAddress> owned;
  bool draining = false;
};
using Voters = std::map<std::string, Voter>;  // live nodes, by name

[[nodiscard]] Voter voter(const config::SpeakerState& state);

// An address that nobody may own has no entry.
using Owners = std::map<net::IpAddress, std::string>;
[[nodiscard]] Owners elect(const Layer2Addresses& addresses, const Voters& voters);

// Nobody publishes more than this in SpeakerState.owned: one object should stay small. Beyond it owners are
// merely less sticky.
inline constexpr std::size_t most_published = 20000;

// Why `node`, a candidate by the resources, does not answer: NoSubnet, NotOwner, or Open when it does.
[[nodiscard]] Gate election_gate(const net::IpAddress& address, const Candidates& candidates, const Voters& voters,
                                 const Owners& owners, const std::string& node);

}  // namespace speaker
