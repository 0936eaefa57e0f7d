// SPDX-License-Identifier: Apache-2.0
// Whether the resources hold together as a set: references, contradictions, overlaps. Pure, and a function
// of the set alone: of two that contradict each other the older stays (then the one read first), so adding
// a mistake never takes away what runs.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/meta.hpp"
#include "config/resources.hpp"

namespace config {

// Why, by what is meant.
using Reasons = std::map<std::string, std::vector<std::string>>;

struct Verdict {
  std::vector<Problem> problems;
  Reasons set_aside;  // by "BGPFilter/name": must not be used at all
  Reasons held_down;  // by the name of a peer: known, but no session may be opened
};

// Whether the Secrets are among the resources. A controller in Kubernetes may not read any: it takes for right what is
// said of them.
enum class Secrets : std::uint8_t { Known, Unknown };

struct Viewpoint {
  std::string node;               // judge for this node alone; empty: for the whole network
  std::set<std::string> refused;  // names of objects that are there and could not be read ("BGPFilter/name")
  Secrets secrets = Secrets::Known;
};

// An object is set aside when using it would do something that was not asked for. A peer whose filters,
// secret or configuration are missing is held down instead: its own definition is sound. A reference to
// nothing that makes an object do less is a problem and no more.
[[nodiscard]] Verdict validate(const Resources& resources, const Viewpoint& viewpoint = {});

void remove_set_aside(Resources& resources, const Verdict& verdict);

// The BGPConfiguration that holds on a node: its own, else the default one; null when there is none.
[[nodiscard]] const BGPConfiguration* configuration_of(const Resources& resources, const std::string& node);

// The labels that node selectors see. A node nobody has described has its name as kubernetes.io/hostname.
[[nodiscard]] Labels labels_of_node(const Resources& resources, const std::string& node);

}  // namespace config
