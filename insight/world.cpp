// SPDX-License-Identifier: Apache-2.0
#include "insight/world.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "controller/allocation/service_reconciler.hpp"
#include "controller/json_member.hpp"
#include "controller/store/json_text.hpp"

namespace insight {
namespace {

using config::Kind;
using controller::member_text;
using nlohmann::json;

// A service as the allocator reads it.
struct ServiceText {
  std::string name;
  std::string text;
};

// Services in the order in which a controller that starts takes them in.
std::vector<ServiceText> oldest_first(const World& world) {
  std::vector<std::tuple<std::string, std::string, const json*>> aged;
  for (const auto& [key, object] : world.objects) {
    if (key.first != Kind::Service) continue;
    const auto created = member_text(object["metadata"], "creationTimestamp");
    aged.emplace_back(created.empty() ? "~" : created, key.second, &object);
  }
  std::ranges::sort(aged);
  std::vector<ServiceText> out;
  out.reserve(aged.size());
  for (auto& [created, name, object] : aged) out.push_back({std::move(name), controller::compact(*object)});
  return out;
}

std::string patched(const std::string& service, const std::string& merge_patch) {
  auto after = json::parse(service, nullptr, false);
  after.merge_patch(json::parse(merge_patch, nullptr, false));
  return controller::compact(after);
}

}  // namespace

std::optional<World::Key> key_of(const json& object) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find("metadata");
  if (found == object.end()) return std::nullopt;
  const auto name = member_text(*found, "name");
  if (name.empty()) return std::nullopt;
  const auto* kind = config::find_kind(member_text(object, "apiVersion"), member_text(object, "kind"));
  if (kind != nullptr && kind->namespaced()) {
    const auto space = member_text(*found, "namespace");
    return World::Key{kind->kind, (space.empty() ? "default" : space) + "/" + name};
  }
  if (kind != nullptr) return World::Key{kind->kind, name};
  // A dialect: of the kind that it stands for.
  const auto read = config::read_object(object);
  if (read.objects.size() != 1) return std::nullopt;
  return World::Key{config::kind_of(read.objects.front()), config::meta_of(read.objects.front()).key()};
}

World assemble(std::map<World::Key, json> objects) {
  World world;
  world.objects = std::move(objects);
  for (const auto& [key, object] : world.objects) {
    auto one = config::read_object(object);
    if (key.first != Kind::Service && key.first != Kind::EndpointSlice)
      world.network.objects.insert(world.network.objects.end(), one.objects.begin(), one.objects.end());
    std::ranges::move(one.objects, std::back_inserter(world.read.objects));
    std::ranges::move(one.problems, std::back_inserter(world.read.problems));
  }
  world.network.problems = world.read.problems;
  world.loaded = config::assemble(world.read);
  return world;
}

Outcomes standing(const World& world, const std::string& load_balancer_class) {
  Outcomes out;
  for (const auto& [name, service] : oldest_first(world)) {
    const auto view = controller::view_service(service);
    if (!view.load_balancer || view.load_balancer_class != load_balancer_class) continue;
    auto& outcome = out[name];
    for (const auto& address : view.ingress) outcome.addresses.push_back(net::print(address));
    outcome.pool = view.told_pool;
  }
  return out;
}

Outcomes allocate(const World& world, const std::string& load_balancer_class) {
  controller::ServiceReconciler reconciler{load_balancer_class};
  for (const auto& [name, space] : world.loaded.resources.namespaces) reconciler.set_namespace(name, space.meta.labels);
  reconciler.set_pools(world.loaded.resources.pools);
  const auto services = oldest_first(world);
  for (const auto& [name, service] : services) reconciler.adopt(service, {});
  Outcomes out;
  for (const auto& [name, service] : services) {
    const auto update = reconciler.reconcile(service, {}, "").update;
    const auto view = controller::view_service(update ? patched(service, update->merge_patch) : service);
    if (!view.load_balancer || view.load_balancer_class != load_balancer_class) continue;
    auto& outcome = out[name];
    for (const auto& address : view.ingress) outcome.addresses.push_back(net::print(address));
    if (const auto* held = reconciler.allocator().assignment(name)) outcome.pool = held->pool;
    if (view.assigned && view.assigned->reason != "IPAllocated") outcome.why = view.assigned->message;
    if (update && outcome.why.empty())
      for (const auto& event : update->events)
        if (event.reason == "ClearAssignment") outcome.why = event.message;
  }
  return out;
}

json service_change(const std::string& name, const Outcome& before, const Outcome& after) {
  const auto* change = before.addresses == after.addresses ? "waits"
                       : before.addresses.empty()          ? "gets"
                       : after.addresses.empty()           ? "loses"
                                                           : "changes";
  return {{"service", name},          {"change", change},   {"before", before.addresses},
          {"after", after.addresses}, {"pool", after.pool}, {"why", after.why}};
}

bool about_secrets(const config::Problem& problem) {
  return problem.message.find("Secret/") != std::string::npos;
}

}  // namespace insight
