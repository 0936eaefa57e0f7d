// SPDX-License-Identifier: Apache-2.0
// plan, migrate.
#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "config/source/kubernetes_kinds.hpp"
#include "ctl/columns.hpp"
#include "ctl/commands.hpp"
#include "ctl/resource_access.hpp"

namespace ctl {
namespace {

using config::ApiClient;
using config::Kind;
using nlohmann::json;

// What plans look at. Endpoints, Secrets and Events decide nothing in them.
constexpr std::array planned_kinds{
    Kind::IPAddressPool, Kind::Community,        Kind::BGPPeer,    Kind::BGPConfiguration,
    Kind::BGPFilter,     Kind::BGPAdvertisement, Kind::BFDProfile, Kind::L2Advertisement,
    Kind::SpeakerState,  Kind::Service,          Kind::Node,       Kind::Namespace};
constexpr std::array metallb_kinds{Kind::IPAddressPool,    Kind::Community,       Kind::BGPPeer,
                                   Kind::BGPAdvertisement, Kind::L2Advertisement, Kind::BFDProfile};
constexpr std::size_t most_nodes = 6;

// Items of a list say neither their kind nor their version.
void add_items(json list, const std::string& api_version, std::string_view kind, std::vector<json>& out) {
  for (auto& item : list["items"]) {
    item["apiVersion"] = api_version;
    item["kind"] = kind;
    out.push_back(std::move(item));
  }
}

std::vector<json> all_objects(ApiClient& client) {
  std::vector<json> out;
  for (const auto kind : planned_kinds) {
    const auto& info = config::info(kind);
    auto list = client.list(info, {}, {});
    // A cluster where the CRDs are not installed yet has none of the kind.
    if (!list && list.error().code == 404) continue;
    add_items(checked(std::move(list), std::string{info.plural}), std::string{info.api_version}, info.name, out);
  }
  return out;
}

std::vector<json> metallb_objects(ApiClient& client, const std::string& namespace_name) {
  std::vector<json> out;
  for (const auto kind : metallb_kinds) {
    const auto& info = config::info(kind);
    std::vector<std::string> versions{"v1beta1"};
    if (kind == Kind::BGPPeer) versions.insert(versions.begin(), "v1beta2");
    for (const auto& version : versions) {
      auto list = client.call({"GET", config::metallb_path(info.plural, version, namespace_name), {}, {}});
      if (!list && list.error().code == 404) continue;
      add_items(checked(std::move(list), std::string{info.plural} + ".metallb.io"), "metallb.io/" + version, info.name,
                out);
      break;
    }
  }
  return out;
}

// ---- what is said

std::string addresses(const json& list) {
  std::string out;
  for (const auto& entry : list) out += (out.empty() ? "" : ",") + entry.get<std::string>();
  return out.empty() ? "none" : out;
}

std::string nodes(const json& list) {
  std::string out;
  for (std::size_t i = 0; i < list.size() && i < most_nodes; ++i)
    out += (i == 0 ? "" : ",") + list[i].get<std::string>();
  return list.size() <= most_nodes ? out : fmt::format("{} and {} more", out, list.size() - most_nodes);
}

void print_services(const json& services, std::ostream& out, Paint paint) {
  if (services.empty()) return;
  out << "Services:\n";
  Table table{{"SERVICE", "CHANGE", "NOW", "THEN", "WHY"}};
  for (const auto& entry : services) {
    const auto change = entry.value("change", "");
    table.add({entry.value("service", ""),
               {change, change == "gets" ? Colour::Good : Colour::Warning},
               addresses(entry["before"]),
               addresses(entry["after"]),
               entry.value("why", "")});
  }
  table.print(out, paint);
}

void print_sessions(const json& sessions, std::ostream& out, Paint paint) {
  if (sessions.empty()) return;
  out << "Sessions:\n";
  Table table{{"PEER", "CHANGE", "NODES", "WHY"}};
  for (const auto& entry : sessions) {
    const auto change = entry.value("change", "");
    const bool ends = change == "re-opened" || change == "removed" || change == "closed";
    table.add({entry.value("peer", ""),
               {change, ends ? Colour::Warning : Colour::Good},
               nodes(entry["nodes"]),
               entry.value("why", "")});
  }
  table.print(out, paint);
}

void print_list(const char* title, const json& list, std::ostream& out) {
  if (list.empty()) return;
  out << title << ":\n";
  for (const auto& entry : list) out << "  " << entry.get<std::string>() << '\n';
}

// ---- plan

// The object as it would stand, by the API's own word; what it refuses goes to `refused`.
std::optional<json> foreseen(ApiClient& client, json object, const Options& options, json& refused) {
  set_namespace(object, options);
  const auto path = config::path_of(object);
  if (!path) throw failure(path.error(), named(object));
  auto after = send(client, object, *path, Sending::DryRun);
  if (after) return std::move(*after);
  if (after.error().unreachable() || after.error().code == 401) throw failure(after.error(), named(object));
  refused.push_back(named(object) + ": " + config::print(after.error()));
  return std::nullopt;
}

void plan(const Options& options, const Planner& planner, std::ostream& out) {
  std::vector<json> given;
  for (const auto& file : options.files) std::ranges::move(objects_in(file), std::back_inserter(given));
  auto client = connect(options);
  auto all = all_objects(client);
  if (options.kubernetes)
    std::ranges::move(metallb_objects(client, options.metallb_namespace), std::back_inserter(all));
  auto refused = json::array();
  std::vector<json> changed;
  for (auto& object : given) {
    if (options.deletion) {
      set_namespace(object, options);
      changed.push_back(std::move(object));
    } else if (auto after = foreseen(client, std::move(object), options, refused)) {
      changed.push_back(std::move(*after));
    }
  }
  auto removed = options.deletion ? std::exchange(changed, {}) : std::vector<json>{};
  auto answer = planner.plan(std::move(all), std::move(changed), std::move(removed), options.load_balancer_class);
  answer["refused"] = refused;
  if (print_structured(answer, options.format, out)) {
    if (!refused.empty()) throw Failure{fmt::format("{} of the objects would be refused", refused.size())};
    return;
  }
  print_list("Refused", answer["refused"], out);
  print_list("Problems", answer["problems"], out);
  print_services(answer["services"], out, options.paint);
  print_sessions(answer["sessions"], out, options.paint);
  if (answer["services"].empty() && answer["sessions"].empty())
    out << "no service changes its address, and no session is touched\n";
  if (!refused.empty()) throw Failure{fmt::format("{} of the objects would be refused", refused.size())};
}

// ---- migrate

// What of MetalLB itself is there: it still acts, and settings that Herald has no counterpart for.
void look_at_installation(ApiClient& client, const std::string& space, json& answer) {
  answer["running"] = json::array();
  for (const auto* kind : {"deployments", "daemonsets"}) {
    const auto list = client.call({"GET", fmt::format("/apis/apps/v1/namespaces/{}/{}", space, kind), {}, {}});
    if (!list) continue;
    for (const auto& item : (*list)["items"]) {
      const auto name = at(item, "/metadata/name");
      const auto labels = item.value("/metadata/labels"_json_pointer, json::object());
      const bool metallb =
          labels.value("app", "") == "metallb" || labels.value("app.kubernetes.io/name", "") == "metallb";
      if (metallb || name == "speaker" || name == "controller")
        answer["running"].push_back(std::string{kind} + "/" + name);
    }
  }
  const auto extras = client.call({"GET", fmt::format("/api/v1/namespaces/{}/configmaps/bgpextras", space), {}, {}});
  if (extras)
    answer["differences"].push_back(
        "ConfigMap " + space +
        "/bgpextras: raw FRR configuration is not read; BGPFilter and the fields of BGPPeer "
        "take its place");
}

void print_migration(const json& answer, const Options& options, std::ostream& out) {
  const auto total = answer["objects"].size();
  out << total << (total == 1 ? " object" : " objects") << " of MetalLB can be taken over\n";
  for (const auto& entry : answer["refused"]) {
    out << entry.value("object", "") << " cannot:\n";
    for (const auto& problem : entry["problems"]) out << "  " << problem.get<std::string>() << '\n';
  }
  print_list("Stays as it is, ours of the same name is there", answer["hidden"], out);
  print_list("Problems", answer["problems"], out);
  print_list("Differs", answer["differences"], out);
  print_list("Still running", answer["running"], out);
  out << answer.value("kept", 0) << " services keep their addresses\n";
  print_services(answer["services"], out, options.paint);
}

void migrate(const Options& options, const Planner& planner, std::ostream& out) {
  if (options.words.front() != "metallb")
    throw Failure{"migrate: must be metallb, got \"" + options.words.front() + "\"", 2};
  if (!options.kubernetes)
    throw Failure{"migrate: MetalLB's objects are in a Kubernetes cluster: give --kubernetes", 2};
  auto client = connect(options);
  auto metallb = metallb_objects(client, options.metallb_namespace);
  if (metallb.empty())
    throw Failure{"there are no objects of metallb.io in namespace " + options.metallb_namespace +
                  "; --metallb-namespace says where they are"};
  auto answer = planner.migrate(all_objects(client), std::move(metallb), options.load_balancer_class);
  look_at_installation(client, options.metallb_namespace, answer);
  if (!print_structured(answer, options.format, out)) print_migration(answer, options, out);
  if (!options.apply) return;
  if (!answer["services"].empty() || !answer["refused"].empty())
    throw Failure{"nothing was written: an object cannot be taken over, or a service would not keep its address"};
  for (const auto& object : answer["objects"]) {
    const auto path = config::path_of(object);
    if (!path) throw failure(path.error(), named(object));
    (void)checked(send(client, object, *path, Sending::Real), named(object));
    out << named(object) << " written\n";
  }
}

}  // namespace

void run_plans(const Options& options, const Planner& planner, std::ostream& out) {
  if (options.verb == Verb::Migrate) return migrate(options, planner, out);
  plan(options, planner, out);
}

}  // namespace ctl
