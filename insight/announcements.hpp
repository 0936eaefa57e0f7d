// SPDX-License-Identifier: Apache-2.0
// Is a service announced, by which nodes and how; else, which gate stops it? The answer for the whole cluster, by the
// rules that every speaker follows for itself, and by what speakers publish: sessions that are established, and the
// layer 2 addresses that they answer for. Pure; who lives is an argument.
//
// Nodes that all selectors treat alike are judged once, so a service costs as much as there are kinds of nodes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/changes.hpp"
#include "config/resources.hpp"
#include "insight/node_names.hpp"
#include "net/address.hpp"
#include "speaker/desired_policy.hpp"
#include "speaker/endpoint_index.hpp"
#include "speaker/gate.hpp"

namespace insight {

struct Announced {
  enum class Status : std::uint8_t { Yes, No };
  Status status = Status::No;
  std::string reason;   // "Announced", or the gate that stops the first address that is not
  std::string message;  // per address; bounded whatever the number of nodes
  friend bool operator==(const Announced&, const Announced&) = default;
};

class Announcements {
 public:
  Announcements(std::string load_balancer_class, speaker::WithoutSlices without_slices)
      : class_{std::move(load_balancer_class)}, endpoints_{without_slices} {}

  // Anything may be different.
  void reset(const config::Resources& now, NodeNames live);
  // These objects are, or who lives is. The services whose answer may be another; nothing: all of them.
  [[nodiscard]] std::optional<std::set<std::string>> apply(const config::Resources& now,
                                                           std::span<const config::ObjectId> changed, NodeNames live);
  // Nothing for a service that is not there, not ours, or has no address yet.
  [[nodiscard]] std::optional<Announced> judge(const config::Resources& now, const std::string& service) const;

 private:
  struct NodeView {
    std::size_t kind = 0;  // of policies_
    NodeNames peers;       // BGPPeers that run on it
  };
  // Of one address.
  struct Finding {
    NodeNames bgp;                                        // announce it
    NodeNames layer2;                                     // answer for it
    speaker::Gate gate = speaker::Gate::NotLoadBalancer;  // the last that any node came to
    speaker::Method method = speaker::Method::Bgp;
    std::string detail;
    NodeNames stopped;  // there
  };

  void read_nodes(const config::Resources& now);
  void read_speakers(const config::Resources& now);
  [[nodiscard]] speaker::Gate session_gate(const std::string& node, const NodeView& view,
                                           const speaker::Announcement& announcement) const;
  void find_bgp(const std::string& node, const NodeView& view, const speaker::AddressOutcome& outcome,
                Finding& finding) const;
  void find_layer2(const config::Resources& now, const std::string& node, const NodeView& view,
                   const speaker::AddressOutcome& outcome, Finding& finding) const;
  // One for each address of the service.
  [[nodiscard]] std::vector<Finding> look_everywhere(const config::Resources& now, const config::Service& object) const;
  [[nodiscard]] bool has_subnet(const config::Resources& now, const std::string& node,
                                const net::IpAddress& address) const;

  std::string class_;
  NodeNames live_;
  std::vector<std::unique_ptr<const speaker::DesiredPolicy>> policies_;  // one for each kind of node
  std::vector<std::string> examples_;                                    // the node that each was made for
  std::map<std::string, NodeView> nodes_;
  std::map<std::string, NodeNames> sessions_;   // of live nodes: BGPPeers that are established
  std::map<net::IpAddress, NodeNames> owners_;  // of layer 2 addresses, among live nodes
  speaker::EndpointIndex endpoints_;
  std::map<std::string, std::string> node_facts_;  // what of a Node matters, as text
};

}  // namespace insight
