// SPDX-License-Identifier: Apache-2.0
// What every object of herald.dev says of itself: is it accepted, or why not; of a BGPPeer besides, on which nodes its
// session is established; of an advertisement, whether anything can come of it. Bounded in size whatever the number of
// nodes. Pure; who lives is an argument.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/changes.hpp"
#include "config/resource_set.hpp"
#include "controller/conditions.hpp"
#include "insight/node_names.hpp"

namespace insight {

// Conditions. Those of a refused object come with the text that --check prints of it.
inline constexpr std::string_view accepted_condition = "Accepted";
inline constexpr std::string_view established_condition = "Established";  // of a BGPPeer
inline constexpr std::string_view effective_condition = "Effective";      // of advertisements
inline constexpr std::size_t most_not_established = 8;                    // nodes that a BGPPeer names

// Kinds that have such a status.
[[nodiscard]] bool says_status(config::Kind kind);

// What the live speakers publish, by node, as far as statuses go by it.
struct Speaker {
  NodeNames sessions;                                     // BGPPeers that are established
  std::map<std::string, std::vector<net::Prefix>> links;  // those with carrier, and their subnets
  friend bool operator==(const Speaker&, const Speaker&) = default;
};
using Speakers = std::map<std::string, Speaker>;
[[nodiscard]] Speakers live_speakers(const config::Resources& resources, const NodeNames& live);

// The nodes that selectors choose. Made from one state of the nodes; remembers each answer, since many objects have the
// same selectors. Without Node objects the speakers that report are the nodes.
class SelectedNodes {
 public:
  explicit SelectedNodes(const config::Resources& resources);
  // Other nodes are there now. Changes of Node objects are changes of the configuration, and not looked at.
  [[nodiscard]] bool stale(const config::Resources& resources) const;
  [[nodiscard]] const NodeNames& of(const std::vector<config::LabelSelector>& selectors);

 private:
  bool node_objects_ = false;
  std::map<std::string, config::Labels> nodes_;
  std::map<std::vector<config::LabelSelector>, NodeNames> known_;
};

using ObjectStatuses = std::map<config::ObjectId, controller::ObjectStatus>;
// Of all objects in the set, also those that are set aside or could not be read.
[[nodiscard]] ObjectStatuses object_statuses(const config::ResourceSet& set, SelectedNodes& nodes,
                                             const Speakers& speakers);

}  // namespace insight
