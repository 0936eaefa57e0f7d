// SPDX-License-Identifier: Apache-2.0
// What would follow if some objects were as given: which services get, lose or change an address, and which sessions
// are opened again. The same functions decide that decide in controller and speaker, so a plan cannot say anything else
// than what they will do. Pure: objects in, differences out.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace insight {

struct PlanInput {
  std::vector<nlohmann::json> objects;  // all there are; of two that have one kind and name the first counts
  std::vector<nlohmann::json> changed;  // these, as they would stand afterwards
  std::vector<nlohmann::json> removed;  // and these would be gone; kind and name are looked at alone
  std::string load_balancer_class;      // of the controller; empty: services without a class
};

// {"schemaVersion": 1,
//  "problems": ["BGPPeer/tor1 spec.holdTime: ..."],                        that are not there now
//  "services": [{"service": "default/web", "change": "gets", "loses" or "changes", "before": [...], "after": [...],
//                "pool": "front", "why": "..."}],                           by name
//  "sessions": [{"peer": "tor1", "change": "added", "removed", "re-opened" or "live", "why": "...",
//                "nodes": ["n1", ...]}]}                                    by name of the BGPPeer's neighbour
[[nodiscard]] nlohmann::json make_plan(const PlanInput& input);

}  // namespace insight
