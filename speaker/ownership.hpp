// SPDX-License-Identifier: Apache-2.0
// The layer 2 addresses that this node answers for, out of what the resources allow, who lives, and what every node
// publishes of itself. A pure function: the election (layer2/election.hpp) with this node's own word put in the place
// of what the API last heard of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/resources.hpp"
#include "speaker/desired.hpp"
#include "speaker/layer2/election.hpp"
#include "speaker/layer2/layer2.hpp"
#include "speaker/layer2/link.hpp"

namespace speaker {

// This node as it knows itself.
struct OwnNode {
  std::string name;
  std::vector<L2Link> links;
  std::vector<net::IpAddress> owned;  // as last decided
  bool draining = false;
};

struct Ownership {
  Voters voters;
  Owners owners;
  OwnedAddresses mine;
};

// `live` need not name this node: it always takes part.
[[nodiscard]] Ownership decide_ownership(const Layer2Addresses& addresses,
                                         const std::map<std::string, config::SpeakerState>& states,
                                         const std::set<std::string>& live, const OwnNode& self);

}  // namespace speaker
