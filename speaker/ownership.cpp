// SPDX-License-Identifier: Apache-2.0
#include "speaker/ownership.hpp"

#include <algorithm>

namespace speaker {

Ownership decide_ownership(const Layer2Addresses& addresses, const std::map<std::string, config::SpeakerState>& states,
                           const std::set<std::string>& live, const OwnNode& self) {
  Ownership out;
  for (const auto& [name, state] : states)
    if (live.contains(name)) out.voters.emplace(name, voter(state));
  out.voters[self.name] = {published(self.links), self.owned, self.draining};
  out.owners = elect(addresses, out.voters);
  for (const auto& [address, owner] : out.owners) {
    if (owner != self.name) continue;
    const auto& candidates = *addresses.at(address);
    const auto me = std::find_if(candidates.begin(), candidates.end(),
                                 [&](const Candidate& candidate) { return candidate.node == self.name; });
    out.mine.emplace(address, me == candidates.end() ? std::vector<std::string>{} : me->interfaces);
  }
  return out;
}

}  // namespace speaker
