// SPDX-License-Identifier: Apache-2.0
// get, describe, apply, delete, watch.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <ostream>

#include <fmt/format.h>

#include "config/api_paths.hpp"
#include "config/document.hpp"
#include "config/object.hpp"
#include "config/source/api_client.hpp"
#include "ctl/columns.hpp"
#include "ctl/commands.hpp"
#include "ctl/kinds.hpp"
#include "ctl/resource_access.hpp"

namespace ctl {
namespace {

using config::ApiClient;
using config::KindInfo;
using nlohmann::json;

// What was asked for, as one object or one list.
json fetched(ApiClient& client, const Target& target, const Options& options) {
  const auto space = options.all_namespaces || !target.kind->namespaced() ? std::string{} : options.namespace_name;
  if (target.names.empty())
    return checked(client.list(*target.kind, space, {options.selector, {}}), std::string{target.kind->plural});
  json list = {{"items", json::array()}};
  for (const auto& name : target.names)
    list["items"].push_back(checked(client.get({target.kind, options.namespace_name, name, {}})));
  return list;
}

void get_structured(const Options& options, const std::vector<Target>& targets, std::vector<json> lists,
                    std::ostream& out) {
  if (!options.managed_fields)
    for (auto& list : lists)
      for (auto& item : list["items"]) item["metadata"].erase("managedFields");
  if (targets.size() == 1 && targets.front().names.size() == 1) {
    print_structured(lists.front()["items"][0], options.format, out);
    return;
  }
  if (lists.size() == 1 && targets.front().names.empty()) {
    print_structured(lists.front(), options.format, out);
    return;
  }
  json all = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", json::array()}};
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (auto& item : lists[i]["items"]) {
      // An API leaves these out of the items of its lists.
      item["apiVersion"] = targets[i].kind->api_version;
      item["kind"] = targets[i].kind->name;
      all["items"].push_back(std::move(item));
    }
  print_structured(all, options.format, out);
}

void get_tables(const Options& options, const std::vector<Target>& targets, const std::vector<json>& lists,
                std::ostream& out) {
  bool first = true;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const auto& kind = *targets[i].kind;
    if (lists[i]["items"].empty()) {
      if (lists.size() > 1) continue;
      const bool one_space = kind.namespaced() && !options.all_namespaces;
      out << "no " << kind.plural << (one_space ? " in namespace " + options.namespace_name : "") << '\n';
      return;
    }
    if (!first) out << '\n';
    first = false;
    if (lists.size() > 1) out << painted(std::string{kind.name}, Colour::Faint, options.paint) << '\n';
    ObjectTable table{kind, options, std::chrono::system_clock::now()};
    for (const auto& object : lists[i]["items"]) table.add(object);
    table.print(out, options.paint);
  }
  if (first) out << "nothing\n";
}

void get(const Options& options, std::ostream& out) {
  const auto targets = targets_of(options.words);
  auto client = connect(options);
  std::vector<json> lists;
  lists.reserve(targets.size());
  for (const auto& target : targets) lists.push_back(fetched(client, target, options));
  if (options.format == Format::Json || options.format == Format::Yaml)
    return get_structured(options, targets, std::move(lists), out);
  if (options.format != Format::Name) return get_tables(options, targets, lists, out);
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (const auto& object : lists[i]["items"])
      out << targets[i].kind->singular << '/' << at(object, "/metadata/name") << '\n';
}

void print_conditions(const json& object, std::ostream& out, Paint paint) {
  const auto path = "/status/conditions"_json_pointer;
  if (!object.contains(path) || object[path].empty()) return;
  out << "\nConditions:\n";
  Table table{{"TYPE", "STATUS", "REASON", "MESSAGE"}};
  for (const auto& entry : object[path]) {
    const auto status = entry.value("status", "");
    table.add({entry.value("type", ""),
               {status, status == "True" ? Colour::Good : Colour::Bad},
               entry.value("reason", ""),
               entry.value("message", "")});
  }
  table.print(out, paint);
}

void print_events(ApiClient& client, const Options& options, const KindInfo& kind, const std::string& name,
                  std::ostream& out) {
  const auto events =
      client.list(config::info(config::Kind::Event), kind.namespaced() ? options.namespace_name : std::string{},
                  {{}, "involvedObject.kind=" + std::string{kind.name} + ",involvedObject.name=" + name});
  if (!events || (*events)["items"].empty()) return;
  out << "\nEvents:\n";
  Table table{{"TYPE", "REASON", "AGO", "MESSAGE"}};
  for (const auto& event : (*events)["items"])
    table.add({{at(event, "/type"), at(event, "/type") == "Normal" ? Colour::None : Colour::Warning},
               at(event, "/reason"),
               age_of(at(event, "/lastTimestamp"), std::chrono::system_clock::now()),
               at(event, "/message")});
  table.print(out, options.paint);
}

void describe_one(ApiClient& client, const Options& options, const KindInfo& kind, const std::string& name,
                  std::ostream& out) {
  auto object = checked(client.get({&kind, options.namespace_name, name, {}}));
  object["metadata"].erase("managedFields");
  if (print_structured(object, options.format, out)) return;
  auto shown = object;
  if (shown.contains("status")) shown["status"].erase("conditions");
  if (kind.kind == config::Kind::Secret && shown.contains("data"))
    for (auto& [key, value] : shown["data"].items())
      value = "(" + std::to_string(value.get<std::string>().size()) + " characters of base64)";
  out << config::print_yaml(shown);
  print_conditions(object, out, options.paint);
  print_events(client, options, kind, name, out);
}

void describe(const Options& options, std::ostream& out) {
  const auto targets = targets_of(options.words);
  if (targets.front().names.empty()) throw Failure{"describe: KIND NAME or KIND/NAME is needed", 2};
  auto client = connect(options);
  bool first = true;
  for (const auto& target : targets)
    for (const auto& name : target.names) {
      if (!first) out << "---\n";
      first = false;
      describe_one(client, options, *target.kind, name, out);
    }
}

// Whether anything but the bookkeeping of the API differs.
bool same(json before, json after) {
  for (auto* object : {&before, &after}) {
    object->erase("status");
    for (const auto* key : {"managedFields", "resourceVersion"}) (*object)["metadata"].erase(key);
  }
  return before == after;
}

std::vector<json> objects_in_files(const Options& options) {
  std::vector<json> objects;
  for (const auto& file : options.files) std::ranges::move(objects_in(file), std::back_inserter(objects));
  for (auto& object : objects) set_namespace(object, options);
  return objects;
}

void apply(const Options& options, std::ostream& out) {
  auto client = connect(options);
  std::string refused;
  for (const auto& object : objects_in_files(options)) {
    const auto path = config::path_of(object);
    if (!path) throw failure(path.error(), named(object));
    const auto before = client.get(*path);
    if (!before && before.error().code != 404) throw failure(before.error(), named(object));
    const auto after = send(client, object, *path, options.dry_run ? Sending::DryRun : Sending::Real);
    if (!after) {  // the others are not its fault
      if (after.error().unreachable() || after.error().code == 401) throw failure(after.error(), named(object));
      refused += (refused.empty() ? "" : "\n") + named(object) + ": " + config::print(after.error());
      continue;
    }
    const auto* what = " configured";
    if (!before)
      what = " created";
    else if (same(*before, *after))
      what = " unchanged";
    out << named(object) << what << (options.dry_run ? " (dry run)" : "") << '\n';
  }
  if (!refused.empty()) throw Failure{refused};
}

void remove(const Options& options, std::ostream& out) {
  std::vector<config::ObjectPath> paths;
  if (!options.words.empty()) {
    for (const auto& target : targets_of(options.words)) {
      if (target.names.empty()) throw Failure{"delete: KIND NAME or KIND/NAME is needed", 2};
      for (const auto& name : target.names) paths.push_back({target.kind, options.namespace_name, name, {}});
    }
  }
  for (const auto& file : options.files) {
    for (auto& object : objects_in(file)) {
      set_namespace(object, options);
      const auto path = config::path_of(object);
      if (!path) throw failure(path.error(), file);
      paths.push_back(*path);
    }
  }
  if (paths.empty()) throw Failure{"delete: KIND NAME or -f FILE is needed", 2};
  auto client = connect(options);
  std::string refused;
  for (const auto& path : paths) {
    const auto name = std::string{path.kind->singular} + "/" + path.name;
    const auto gone = client.remove(path);
    if (gone) {
      out << name << " deleted\n";
      continue;
    }
    if (gone.error().unreachable() || gone.error().code == 401) throw failure(gone.error(), name);
    refused += (refused.empty() ? "" : "\n") + name + ": " + config::print(gone.error());
  }
  if (!refused.empty()) throw Failure{refused};
}

void watch(const Options& options, std::ostream& out) {
  const auto& kind = kind_of(options.words.front());
  auto client = connect(options);
  const auto space = options.all_namespaces || !kind.namespaced() ? std::string{} : options.namespace_name;
  const auto shown = columns_of(kind);
  const auto error =
      client.watch(kind, space, {options.selector, {}}, "", std::chrono::hours{24}, [&](const json& event) {
        const auto type = event.value("type", "");
        if (type == "BOOKMARK") return ApiClient::Next::Continue;
        const auto& object = event["object"];
        if (options.format == Format::Json) {
          out << event.dump() << std::endl;
        } else if (options.format == Format::Yaml) {
          out << "---\n" << config::print_yaml(event) << std::flush;
        } else {
          const auto colour = type == "DELETED" ? Colour::Bad : type == "ADDED" ? Colour::Good : Colour::Warning;
          out << painted(fmt::format("{:9}", type), colour, options.paint) << at(object, "/metadata/name");
          for (const auto& cell : shown.row(object)) out << "  " << (cell.text.empty() ? "-" : cell.text);
          out << std::endl;
        }
        return ApiClient::Next::Continue;
      });
  if (error) throw failure(*error);
}

}  // namespace

void run_on_resources(const Options& options, std::ostream& out) {
  switch (options.verb) {
    case Verb::Get:
      return get(options, out);
    case Verb::Describe:
      return describe(options, out);
    case Verb::Apply:
      return apply(options, out);
    case Verb::Delete:
      return remove(options, out);
    case Verb::Watch:
      return watch(options, out);
    default:
      throw Failure{"not a command on resources", 2};
  }
}

}  // namespace ctl
