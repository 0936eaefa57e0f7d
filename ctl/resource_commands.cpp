// SPDX-License-Identifier: Apache-2.0
// get, describe, apply, delete, watch.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "config/api_paths.hpp"
#include "config/document.hpp"
#include "config/object.hpp"
#include "config/source/api_client.hpp"
#include "ctl/commands.hpp"

namespace ctl {
namespace {

using config::ApiClient;
using config::KindInfo;
using nlohmann::json;

json checked(config::ApiAnswer answer, const std::string& what) {
  if (!answer) throw Failure{what + ": " + config::print(answer.error())};
  return std::move(*answer);
}

const KindInfo& kind_of(const std::string& word) {
  const auto* kind = config::find_kind_by_word(word);
  if (kind != nullptr) return *kind;
  std::string known;
  for (const auto& one : config::all_kinds()) known += (known.empty() ? "" : ", ") + std::string{one.plural};
  throw Failure{"there is no kind \"" + word + "\"; there are: " + known, 2};
}

ApiClient connect(const Options& options) {
  auto endpoint = config::parse_api_endpoint(options.server);
  if (!endpoint) throw Failure{"--server: " + endpoint.error(), 2};
  endpoint->token_file = options.token_file;
  endpoint->ca_file = options.ca_file;
  return ApiClient{*endpoint};
}

// A value inside an object, as text; empty when it is not there.
std::string at(const json& object, const char* pointer) {
  const auto path = json::json_pointer{pointer};
  if (!object.contains(path)) return {};
  const auto& value = object[path];
  return value.is_string() ? value.get<std::string>() : value.is_null() ? std::string{} : value.dump();
}

std::string joined(const json& object, const char* pointer, const char* key = nullptr) {
  const auto path = json::json_pointer{pointer};
  std::string text;
  if (!object.contains(path) || !object[path].is_array()) return text;
  for (const auto& entry : object[path]) {
    const auto& value = key == nullptr ? entry : entry.contains(key) ? entry[key] : json{};
    if (value.is_null()) continue;
    text += (text.empty() ? "" : ",") + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

const json* condition(const json& object, const std::string& type) {
  const auto path = "/status/conditions"_json_pointer;
  if (!object.contains(path)) return nullptr;
  for (const auto& entry : object[path])
    if (entry.value("type", "") == type) return &entry;
  return nullptr;
}

// ---- tables: what answers the first question about a kind ----

struct Columns {
  std::vector<std::string> header;
  std::vector<Cell> (*row)(const json&);
};

Columns columns(const KindInfo& kind) {
  switch (kind.kind) {
    case config::Kind::Service:
      return {{"TYPE", "ADDRESSES", "PORTS", "STATE"}, [](const json& o) -> std::vector<Cell> {
                const auto* assigned = condition(o, "herald.dev/Assigned");
                const auto good = assigned != nullptr && assigned->value("status", "") == "True";
                const auto state = assigned == nullptr
                                       ? Cell{"-"}
                                       : Cell{assigned->value("reason", ""), good ? Colour::Good : Colour::Bad};
                return {at(o, "/spec/type"), joined(o, "/status/loadBalancer/ingress", "ip"),
                        joined(o, "/spec/ports", "port"), state};
              }};
    case config::Kind::IPAddressPool:
      return {{"ADDRESSES", "ASSIGNED", "FREE"}, [](const json& o) -> std::vector<Cell> {
                return {joined(o, "/spec/addresses"),
                        at(o, "/status/assignedIPv4") + "/" + at(o, "/status/assignedIPv6"),
                        at(o, "/status/availableIPv4") + "/" + at(o, "/status/availableIPv6")};
              }};
    case config::Kind::BGPPeer:
      return {
          {"ASN", "ADDRESS", "PASSIVE"}, [](const json& o) -> std::vector<Cell> {
            const auto asn = at(o, "/spec/peerASN");
            return {asn.empty() ? at(o, "/spec/dynamicASN") : asn, at(o, "/spec/peerAddress"), at(o, "/spec/passive")};
          }};
    case config::Kind::BFDProfile:
      return {{"RECEIVE", "TRANSMIT", "MULTIPLIER", "ECHO", "AUTHENTICATION"}, [](const json& o) -> std::vector<Cell> {
                const auto or_else = [&](const char* path, const char* fallback) {
                  const auto said = at(o, path);
                  return said.empty() ? std::string{fallback} : said;
                };
                return {or_else("/spec/receiveInterval", "300") + "ms", or_else("/spec/transmitInterval", "300") + "ms",
                        or_else("/spec/detectMultiplier", "3"), or_else("/spec/echoMode", "false"),
                        or_else("/spec/authentication/type", "none")};
              }};
    case config::Kind::SpeakerState:
      return {{"HEARTBEAT", "OWNED", "INTERFACES"}, [](const json& o) -> std::vector<Cell> {
                const auto owned = "/spec/owned"_json_pointer;
                return {at(o, "/spec/heartbeat"), std::to_string(o.contains(owned) ? o[owned].size() : 0),
                        joined(o, "/spec/interfaces", "name")};
              }};
    case config::Kind::EndpointSlice:
      return {{"SERVICE", "NODES"}, [](const json& o) -> std::vector<Cell> {
                return {at(o, "/metadata/labels/kubernetes.io~1service-name"), joined(o, "/endpoints", "nodeName")};
              }};
    case config::Kind::Event:
      return {{"TYPE", "REASON", "OBJECT", "MESSAGE"}, [](const json& o) -> std::vector<Cell> {
                return {Cell{at(o, "/type"), at(o, "/type") == "Normal" ? Colour::None : Colour::Warning},
                        at(o, "/reason"), at(o, "/involvedObject/name"), at(o, "/message")};
              }};
    default:
      return {{"CREATED"}, [](const json& o) -> std::vector<Cell> { return {at(o, "/metadata/creationTimestamp")}; }};
  }
}

class ObjectTable {
 public:
  ObjectTable(const KindInfo& kind, const Options& options)
      : columns_{columns(kind)},
        namespaces_{options.all_namespaces && kind.namespaced()},
        wide_{options.format == Format::Wide} {
    std::vector<std::string> header;
    if (namespaces_) header.emplace_back("NAMESPACE");
    header.emplace_back("NAME");
    header.insert(header.end(), columns_.header.begin(), columns_.header.end());
    if (wide_) header.emplace_back("LABELS");
    table_ = Table{std::move(header)};
  }
  void add(const json& object) {
    std::vector<Cell> row;
    if (namespaces_) row.emplace_back(at(object, "/metadata/namespace"));
    row.emplace_back(at(object, "/metadata/name"));
    for (auto& cell : columns_.row(object)) row.push_back(cell.text.empty() ? Cell{"-"} : std::move(cell));
    if (wide_) row.emplace_back(at(object, "/metadata/labels"));
    table_.add(std::move(row));
  }
  void print(std::ostream& out, Paint paint) const { table_.print(out, paint); }

 private:
  Columns columns_;
  bool namespaces_;
  bool wide_;
  Table table_{{}};
};

void get(const Options& options, std::ostream& out) {
  const auto& kind = kind_of(options.words.front());
  auto client = connect(options);
  if (options.words.size() > 1) {
    const auto object = checked(client.get({&kind, options.namespace_name, options.words[1], {}}), options.words[1]);
    if (print_structured(object, options.format, out)) return;
    ObjectTable table{kind, options};
    table.add(object);
    return table.print(out, options.paint);
  }
  const auto space = options.all_namespaces || !kind.namespaced() ? std::string{} : options.namespace_name;
  const auto list = checked(client.list(kind, space, {options.selector, {}}), std::string{kind.plural});
  if (print_structured(list, options.format, out)) return;
  ObjectTable table{kind, options};
  for (const auto& object : list["items"]) table.add(object);
  if (list["items"].empty()) {
    out << "no " << kind.plural << (space.empty() ? "" : " in namespace " + space) << '\n';
    return;
  }
  table.print(out, options.paint);
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

void describe(const Options& options, std::ostream& out) {
  if (options.words.size() < 2) throw Failure{"describe: KIND and NAME are needed", 2};
  const auto& kind = kind_of(options.words[0]);
  auto client = connect(options);
  auto object = checked(client.get({&kind, options.namespace_name, options.words[1], {}}), options.words[1]);
  if (print_structured(object, options.format, out)) return;
  auto shown = object;
  shown["metadata"].erase("managedFields");
  if (shown.contains("status")) shown["status"].erase("conditions");
  if (kind.kind == config::Kind::Secret && shown.contains("data"))
    for (auto& [key, value] : shown["data"].items())
      value = "(" + std::to_string(value.get<std::string>().size()) + " characters of base64)";
  out << config::print_yaml(shown);
  print_conditions(object, out, options.paint);
  const auto events =
      client.list(config::info(config::Kind::Event), kind.namespaced() ? options.namespace_name : std::string{},
                  {{}, "involvedObject.name=" + options.words[1]});
  if (!events || (*events)["items"].empty()) return;
  out << "\nEvents:\n";
  Table table{{"TYPE", "REASON", "LAST", "MESSAGE"}};
  for (const auto& event : (*events)["items"])
    table.add({at(event, "/type"), at(event, "/reason"), at(event, "/lastTimestamp"), at(event, "/message")});
  table.print(out, options.paint);
}

// ---- files ----

json to_json(const config::Value& value) {
  using Type = config::Value::Type;
  switch (value.type) {
    case Type::Null:
      return nullptr;
    case Type::Boolean:
      return value.text == "true" || value.text == "True" || value.text == "TRUE";
    case Type::Integer:
    case Type::Float: {
      const auto number = json::parse(value.text, nullptr, false);
      return number.is_discarded() ? json(value.text) : number;
    }
    case Type::Text:
      return value.text;
    case Type::Sequence: {
      auto out = json::array();
      for (const auto& item : value.items) out.push_back(to_json(item));
      return out;
    }
    case Type::Mapping:
      break;
  }
  auto out = json::object();
  for (const auto& member : value.members) out[member.key] = to_json(member.value);
  return out;
}

std::string contents(const std::string& file) {
  if (file == "-") return {std::istreambuf_iterator<char>{std::cin}, {}};
  std::ifstream in{file, std::ios::binary};
  if (!in) throw Failure{file + ": cannot be read"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

// The objects as they are written; those of a dialect as the kinds of Herald that they stand for.
std::vector<json> objects_in(const std::string& file) {
  const auto text = contents(file);
  const auto name = file == "-" ? std::string{"standard input"} : file;
  const auto read = config::read_objects(text, name, config::Syntax::Yaml);
  if (!read.problems.empty()) {
    std::string all = "nothing was applied:";
    for (const auto& problem : read.problems) all += "\n  " + config::print(problem);
    throw Failure{all};
  }
  std::vector<json> out;
  for (const auto& object : read.objects) {
    const auto& info = config::info(config::kind_of(object));
    if (info.group() == "herald.dev") out.push_back(config::print(object));
  }
  const auto take = [&](const json& one) {
    const auto version = one.value("apiVersion", "");
    if (version.find("herald.dev") == std::string::npos && version.find("metallb.io") == std::string::npos)
      out.push_back(one);
  };
  for (const auto& value : config::read_yaml(text, name).values) {
    const auto document = to_json(value);
    if (document.is_object() && document.value("kind", "") == "List") {
      for (const auto& item : document["items"]) take(item);
    } else if (document.is_object()) {
      take(document);
    }
  }
  return out;
}

std::string named(const json& object) {
  return object.value("kind", "") + "/" + at(object, "/metadata/name");
}

void apply(const Options& options, std::ostream& out) {
  auto client = connect(options);
  for (const auto& file : options.files) {
    for (auto& object : objects_in(file)) {
      const auto* kind = config::find_kind(object.value("apiVersion", ""), object.value("kind", ""));
      if (kind != nullptr && kind->namespaced() && at(object, "/metadata/namespace").empty())
        object["metadata"]["namespace"] = options.namespace_name;
      const auto path = config::path_of(object);
      if (!path) throw Failure{file + ": " + config::print(path.error())};
      const auto before = client.get(*path);
      const auto after =
          checked(client.apply(object, "heraldctl", config::AsyncApiClient::Conflicts::Force), named(object));
      const auto version = "/metadata/resourceVersion"_json_pointer;
      out << named(object)
          << (!before                                    ? " created"
              : before->at(version) == after.at(version) ? " unchanged"
                                                         : " configured")
          << '\n';
    }
  }
}

void remove(const Options& options, std::ostream& out) {
  auto client = connect(options);
  std::vector<config::ObjectPath> paths;
  if (!options.words.empty()) {
    const auto& kind = kind_of(options.words.front());
    if (options.words.size() < 2) throw Failure{"delete: KIND and NAME are needed", 2};
    for (std::size_t i = 1; i < options.words.size(); ++i)
      paths.push_back({&kind, options.namespace_name, options.words[i], {}});
  }
  for (const auto& file : options.files) {
    for (const auto& object : objects_in(file)) {
      auto path = config::path_of(object);
      if (!path) throw Failure{file + ": " + config::print(path.error())};
      if (path->namespace_name.empty()) path->namespace_name = options.namespace_name;
      paths.push_back(*path);
    }
  }
  if (paths.empty()) throw Failure{"delete: KIND NAME or -f FILE is needed", 2};
  for (const auto& path : paths) {
    const auto name = std::string{path.kind->singular} + "/" + path.name;
    checked(client.remove(path), name);
    out << name << " deleted\n";
  }
}

void watch(const Options& options, std::ostream& out) {
  const auto& kind = kind_of(options.words.front());
  auto client = connect(options);
  const auto space = options.all_namespaces || !kind.namespaced() ? std::string{} : options.namespace_name;
  const auto shown = columns(kind);
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
  if (error) throw Failure{config::print(*error)};
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
