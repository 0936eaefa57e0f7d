// SPDX-License-Identifier: Apache-2.0
// From MetalLB to Herald: its objects as ours, what is refused or read differently, and whether every service keeps the
// address that MetalLB gave it. Pure.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace insight {

struct MigrationInput {
  std::vector<nlohmann::json> objects;  // of the cluster, without those of metallb.io
  std::vector<nlohmann::json> metallb;  // those, of one namespace
  std::string load_balancer_class;
};

// {"schemaVersion": 1,
//  "objects": [...],                                   MetalLB's as objects of herald.dev
//  "refused": [{"object": "BGPPeer/tor1", "problems": ["spec.vrf: ..."]}],
//  "hidden": ["IPAddressPool/front"],                  ours of the name is there, and counts
//  "problems": [...],                                  of the set that would be
//  "differences": ["..."],                             what Herald does otherwise, of what the objects use
//  "kept": 12, "services": [...]}                      services whose address stays; the others, as in a plan
[[nodiscard]] nlohmann::json plan_migration(const MigrationInput& input);

}  // namespace insight
