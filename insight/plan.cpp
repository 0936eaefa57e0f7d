// SPDX-License-Identifier: Apache-2.0
#include "insight/plan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "bgp/router.hpp"
#include "config/validate.hpp"
#include "insight/world.hpp"
#include "speaker/router_setup.hpp"

namespace insight {
namespace {

using config::Kind;
using nlohmann::json;

World world_before(const PlanInput& input) {
  std::map<World::Key, json> objects;
  for (const auto& object : input.objects)
    if (const auto key = key_of(object)) objects.emplace(*key, object);
  return assemble(std::move(objects));
}

World world_after(const PlanInput& input, const World& before) {
  auto objects = before.objects;
  for (const auto& object : input.changed)
    if (const auto key = key_of(object)) objects.insert_or_assign(*key, object);
  for (const auto& object : input.removed)
    if (const auto key = key_of(object)) objects.erase(*key);
  return assemble(std::move(objects));
}

json service_changes(const World& before, const World& after, const std::string& load_balancer_class) {
  const auto was = allocate(before, load_balancer_class);
  const auto will = allocate(after, load_balancer_class);
  std::set<std::string> names;
  for (const auto& [name, outcome] : was) names.insert(name);
  for (const auto& [name, outcome] : will) names.insert(name);
  auto out = json::array();
  for (const auto& name : names) {
    const auto from = was.contains(name) ? was.at(name) : Outcome{};
    auto to = will.contains(name) ? will.at(name) : Outcome{};
    const bool same = from.addresses == to.addresses;
    // One that has no address and will have none is told of when it is new, or for another reason than before.
    if (same && (!to.addresses.empty() || to.why == from.why || !will.contains(name))) continue;
    if (to.why.empty() && !will.contains(name)) to.why = "the service is no longer there, or no load balancer of ours";
    out.push_back(service_change(name, from, to));
  }
  return out;
}

// ---- sessions

speaker::RouterSetup setup_of(const World& world, const std::string& node) {
  const auto loaded = config::assemble(world.network, node);
  const auto labels = config::labels_of_node(loaded.resources, node);
  speaker::RouterFacts facts;
  facts.node = node;
  // Only whether it changes matters, and where none is given it does not.
  facts.fallback_router_id = net::RouterId{1};
  for (const auto& [name, reasons] : loaded.held_down)
    facts.held_down.emplace(name, reasons.empty() ? "held down" : reasons.front());
  for (const auto& [name, peer] : loaded.resources.peers) {
    if (!config::any_matches(peer.node_selectors, labels)) continue;
    facts.peers.insert(name);
    // The neighbour on a link is whoever it is; its session is planned as if it had been heard.
    if (!peer.interface.empty()) facts.heard.emplace(peer.interface, net::parse_ip("fe80::1")->v6());
  }
  return speaker::set_up_router(loaded.resources, facts);
}

std::vector<bgp::PlannedChange> session_changes_on(const World& before, const World& after, const std::string& node) {
  const auto was = setup_of(before, node);
  const auto will = setup_of(after, node);
  bgp::Router router{was.router, 0};
  router.configure(was.router, was.absent ? std::span<const bgp::NeighborConfig>{} : was.neighbors, {});
  return router.plan(will.router, will.absent ? std::span<const bgp::NeighborConfig>{} : will.neighbors);
}

std::string_view print(bgp::PlannedChange::Kind kind) {
  using Change = bgp::PlannedChange::Kind;
  switch (kind) {
    case Change::Added:
      return "added";
    case Change::Removed:
      return "removed";
    case Change::Live:
      return "live";
    case Change::Reopen:
      return "re-opened";
    case Change::Close:
      return "closed";
  }
  return "?";
}

json session_changes(const World& before, const World& after) {
  std::set<std::string> nodes;
  for (const auto* world : {&before, &after}) {
    for (const auto& [name, node] : world->loaded.resources.nodes) nodes.insert(name);
    for (const auto& [name, state] : world->loaded.resources.speaker_states) nodes.insert(name);
  }
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::string>> found;
  for (const auto& node : nodes)
    for (const auto& change : session_changes_on(before, after, node))
      found[{change.neighbor, std::string{print(change.kind)}, change.why}].push_back(node);
  auto out = json::array();
  for (const auto& [what, on] : found)
    out.push_back(
        {{"peer", std::get<0>(what)}, {"change", std::get<1>(what)}, {"why", std::get<2>(what)}, {"nodes", on}});
  return out;
}

}  // namespace

json make_plan(const PlanInput& input) {
  const auto before = world_before(input);
  const auto after = world_after(input, before);
  std::set<std::string> known;
  for (const auto& problem : before.loaded.problems) known.insert(config::print(problem));
  auto problems = json::array();
  for (const auto& problem : after.loaded.problems)
    if (auto text = config::print(problem); !about_secrets(problem) && known.insert(text).second)
      problems.push_back(std::move(text));
  return {{"schemaVersion", 1},
          {"problems", std::move(problems)},
          {"services", service_changes(before, after, input.load_balancer_class)},
          {"sessions", session_changes(before, after)}};
}

}  // namespace insight
