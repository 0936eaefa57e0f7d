// SPDX-License-Identifier: Apache-2.0
#include "insight/migration.hpp"

#include <map>
#include <set>
#include <utility>

#include "config/object.hpp"
#include "insight/world.hpp"

namespace insight {
namespace {

using config::Kind;
using nlohmann::json;

std::string title_of(const json& object) {
  return object.value("kind", "") + "/" + object.value("/metadata/name"_json_pointer, std::string{});
}

struct Conversion {
  std::vector<json> objects;
  json refused = json::array();
  json hidden = json::array();
  std::set<std::string> differences;
};

void note_differences(const config::Object& object, Conversion& out) {
  const auto name = config::name_of(config::kind_of(object), config::meta_of(object));
  if (std::holds_alternative<config::IPAddressPool>(object))
    out.differences.insert(
        "a released address rests 60 s before another service gets it (spec.quarantine); MetalLB gives it out at once");
  if (std::holds_alternative<config::L2Advertisement>(object))
    out.differences.insert(
        "nodes are elected for layer 2 addresses by another rule, so an address may move to another node at the "
        "take-over, "
        "once");
  const auto* peer = std::get_if<config::BGPPeer>(&object);
  if (peer == nullptr) return;
  if (!peer->router_id)
    out.differences.insert(
        "a node without a router ID takes the first IPv4 address of its first interface "
        "(BGPConfiguration.spec.routerID)");
  out.differences.insert("a neighbour may send 10000 prefixes of a family at most (BGPPeer.spec.maxPrefixes)");
  if (peer->password_secret)
    out.differences.insert(name + ": speakers need the right to get Secret " + peer->password_secret->namespace_name +
                           "/" + peer->password_secret->name + "; Secrets are read by name and never listed");
}

Conversion convert(const MigrationInput& input) {
  std::set<std::pair<Kind, std::string>> own;
  for (const auto& object : input.objects)
    if (const auto key = key_of(object)) own.insert(*key);
  Conversion out;
  for (const auto& object : input.metallb) {
    const auto read = config::read_object(object);
    if (read.objects.size() != 1 || !read.problems.empty()) {
      auto problems = json::array();
      for (const auto& problem : read.problems)
        problems.push_back((problem.field.empty() ? "" : problem.field + ": ") + problem.message);
      out.refused.push_back({{"object", title_of(object)}, {"problems", std::move(problems)}});
      continue;
    }
    const auto& converted = read.objects.front();
    if (own.contains({config::kind_of(converted), config::meta_of(converted).key()})) {
      out.hidden.push_back(title_of(object));
      continue;
    }
    note_differences(converted, out);
    auto written = config::print(converted);
    // What the API keeps of an object is not the object's.
    json metadata{{"name", config::meta_of(converted).name}};
    if (const auto& labels = config::meta_of(converted).labels; !labels.empty()) metadata["labels"] = labels;
    written["metadata"] = std::move(metadata);
    written.erase("status");
    out.objects.push_back(std::move(written));
  }
  return out;
}

}  // namespace

json plan_migration(const MigrationInput& input) {
  auto conversion = convert(input);
  std::map<World::Key, json> objects;
  const auto add = [&objects](const std::vector<json>& list) {
    for (const auto& object : list)
      if (const auto key = key_of(object)) objects.emplace(*key, object);
  };
  add(input.objects);
  add(conversion.objects);
  const auto world = assemble(std::move(objects));
  auto problems = json::array();
  for (const auto& problem : world.loaded.problems)
    if (!about_secrets(problem)) problems.push_back(config::print(problem));

  const auto now = standing(world, input.load_balancer_class);
  const auto then = allocate(world, input.load_balancer_class);
  auto services = json::array();
  std::size_t kept = 0;
  for (const auto& [name, outcome] : now) {
    if (outcome.addresses.empty()) continue;
    const auto after = then.contains(name) ? then.at(name) : Outcome{};
    // An address that is in no pool is somebody else's: it stays, and Herald announces nothing of it.
    const bool foreign = after.pool.empty();
    if (after.addresses == outcome.addresses && !foreign) {
      ++kept;
      continue;
    }
    services.push_back(service_change(name, outcome, after));
    if (foreign && after.addresses == outcome.addresses) services.back()["change"] = "is in no pool";
  }
  auto differences = json::array();
  for (const auto& text : conversion.differences) differences.push_back(text);
  return {{"schemaVersion", 1},
          {"objects", conversion.objects},
          {"refused", conversion.refused},
          {"hidden", conversion.hidden},
          {"problems", std::move(problems)},
          {"differences", std::move(differences)},
          {"kept", kept},
          {"services", std::move(services)}};
}

}  // namespace insight
