// SPDX-License-Identifier: Apache-2.0
#include "config/object.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "config/dialects/calico.hpp"
#include "config/dialects/metallb.hpp"
#include "config/fields.hpp"
#include "config/kinds/kinds.hpp"
#include "config/scalar.hpp"

namespace config {
namespace {

template <auto parse>
Object parsed(Cursor in) {
  return parse(std::move(in));
}

struct Parser {
  std::string_view api_version;
  std::string_view kind;
  Object (*parse)(Cursor in);
};

constexpr auto parsers = std::to_array<Parser>({
    {"herald.dev/v1", "IPAddressPool", parsed<parse_ip_address_pool>},
    {"herald.dev/v1", "Community", parsed<parse_community>},
    {"herald.dev/v1", "BGPPeer", parsed<parse_bgp_peer>},
    {"herald.dev/v1", "BGPConfiguration", parsed<parse_bgp_configuration>},
    {"herald.dev/v1", "BGPAdvertisement", parsed<parse_bgp_advertisement>},
    {"herald.dev/v1", "BGPFilter", parsed<parse_bgp_filter>},
    {"herald.dev/v1", "BFDProfile", parsed<parse_bfd_profile>},
    {"herald.dev/v1", "L2Advertisement", parsed<parse_l2_advertisement>},
    {"herald.dev/v1", "SpeakerState", parsed<parse_speaker_state>},
    {"v1", "Service", parsed<parse_service>},
    {"v1", "Node", parsed<parse_node>},
    {"v1", "Namespace", parsed<parse_namespace>},
    {"v1", "Secret", parsed<parse_secret>},
    {"discovery.k8s.io/v1", "EndpointSlice", parsed<parse_endpoint_slice>},
    {"discovery.k8s.io/v1beta1", "EndpointSlice", parsed<parse_endpoint_slice>},
    {"metallb.io/v1beta1", "IPAddressPool", parsed<metallb::parse_ip_address_pool>},
    {"metallb.io/v1beta1", "Community", parsed<metallb::parse_community>},
    {"metallb.io/v1beta1", "BGPAdvertisement", parsed<metallb::parse_bgp_advertisement>},
    {"metallb.io/v1beta1", "L2Advertisement", parsed<metallb::parse_l2_advertisement>},
    {"metallb.io/v1beta1", "BFDProfile", parsed<metallb::parse_bfd_profile>},
    {"metallb.io/v1beta1", "BGPPeer", parsed<metallb::parse_bgp_peer_v1beta1>},
    {"metallb.io/v1beta2", "BGPPeer", parsed<metallb::parse_bgp_peer_v1beta2>},
    {"projectcalico.org/v3", "BGPPeer", parsed<calico::parse_bgp_peer>},
    {"projectcalico.org/v3", "BGPConfiguration", parsed<calico::parse_bgp_configuration>},
    {"projectcalico.org/v3", "BGPFilter", parsed<calico::parse_bgp_filter>},
    {"projectcalico.org/v3", "IPPool", parsed<calico::parse_ip_pool>},
    {"projectcalico.org/v3", "Node", parsed<calico::parse_node>},
    {"crd.projectcalico.org/v1", "BGPPeer", parsed<calico::parse_bgp_peer>},
    {"crd.projectcalico.org/v1", "BGPConfiguration", parsed<calico::parse_bgp_configuration>},
    {"crd.projectcalico.org/v1", "BGPFilter", parsed<calico::parse_bgp_filter>},
    {"crd.projectcalico.org/v1", "IPPool", parsed<calico::parse_ip_pool>},
});

// "spec.rules[0].name" -> "spec.rules[].name"
std::string without_numbers(std::string_view path) {
  std::string out;
  for (const char c : path)
    if (out.empty() || out.back() != '[' || c < '0' || c > '9') out += c;
  return out;
}

std::set<std::string> explore(const Parser& parser) {
  std::set<std::string> asked;
  Report report;
  report.asked = &asked;
  Value empty;
  empty.type = Value::Type::Mapping;
  std::ignore = parser.parse(Cursor{empty, report});

  std::set<std::string> fields;
  for (const auto& path : asked) fields.insert(without_numbers(path));
  // A selector is one thing to people.
  const auto in_selector = [&](const std::string& path) {
    for (auto dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1))
      if (fields.contains(path.substr(0, dot) + ".matchLabels")) return true;
    return false;
  };
  std::set<std::string> out;
  std::ranges::copy_if(fields, std::inserter(out, out.end()), std::not_fn(in_selector));
  return out;
}

std::string text_of(const Value& mapping, std::string_view key) {
  const auto* member = mapping.find(key);
  return member == nullptr || member->value.type != Value::Type::Text ? std::string{} : member->value.text;
}

// For messages, before anything is known to be right: "BGPPeer/tor1", "Service/web/front", "BGPPeer".
std::string title(const Value& object) {
  auto out = text_of(object, "kind");
  if (const auto* metadata = object.find("metadata")) {
    const auto name = text_of(metadata->value, "name");
    const auto* kind = find_kind(text_of(object, "apiVersion"), out);
    const auto namespace_name = text_of(metadata->value, "namespace");
    if (!name.empty() && kind != nullptr && kind->namespaced())
      out += "/" + (namespace_name.empty() ? "default" : namespace_name);
    if (!name.empty()) out += (out.empty() ? "" : "/") + name;
  }
  return out;
}

// What could have been meant: the kinds of that version, else the versions of that kind, else all versions.
std::string allowed(const std::string& api_version, const std::string& kind) {
  std::string kinds;
  std::string versions;
  std::set<std::string_view> all;
  const auto append = [](std::string& list, std::string_view word) {
    list.append(list.empty() ? "" : ", ").append(word);
  };
  for (const auto& parser : parsers) {
    if (parser.api_version == api_version) append(kinds, parser.kind);
    if (parser.kind == kind) append(versions, parser.api_version);
    all.insert(parser.api_version);
  }
  if (!versions.empty()) return kind + " is read in " + versions;
  if (!kinds.empty()) return "of " + api_version + " Herald reads " + kinds;
  std::string every;
  for (const auto version : all) append(every, version);
  return "Herald reads kinds of " + every;
}

// An API server leaves out of items what their list has said already.
Value completed(Value item, std::string_view api_version, std::string_view kind) {
  if (item.type != Value::Type::Mapping) return item;
  const auto complete = [&](const char* key, std::string_view text) {
    if (item.find(key) != nullptr) return;
    Value word;
    word.type = Value::Type::Text;
    word.text = text;
    item.members.push_back({key, item.line, item.column, std::move(word)});
  };
  complete("apiVersion", api_version);
  complete("kind", kind);
  return item;
}

class ObjectReader {
 public:
  ObjectReader(const std::string& file, ReadResult& result) : file_{file}, result_{result} {}

  void read(const Value& value) {
    Report report{file_, title(value), {}, {}, nullptr};
    if (value.type != Value::Type::Mapping) {
      note(report, value, "", "must be a mapping with apiVersion and kind");
    } else if (text_of(value, "kind").ends_with("List") && value.find("items") != nullptr) {
      read_list(value, report);
    } else {
      read_object(value, report);
    }
    std::ranges::move(report.problems, std::back_inserter(result_.problems));
  }

 private:
  void note(Report& report, const Value& value, std::string field, std::string message) const {
    report.problems.push_back({{file_, value.line, value.column}, report.object, std::move(field), std::move(message)});
  }

  void read_list(const Value& list, Report& report) {
    const auto& items = list.find("items")->value;
    if (items.type != Value::Type::Sequence && items.type != Value::Type::Null)
      return note(report, items, "items", "must be a list");
    const auto kind = text_of(list, "kind");
    for (const auto& item : items.items)
      read(kind == "List" ? item : completed(item, text_of(list, "apiVersion"), kind.substr(0, kind.size() - 4)));
  }

  void read_object(const Value& value, Report& report) {
    Cursor in{value, report};
    const auto word = [](const Value& it) -> Checked<std::string> {
      if (it.type == Value::Type::Text && !it.text.empty()) return it.text;
      return net::fail(std::string{"must be text"});
    };
    const auto api_version = in.required("apiVersion", word);
    const auto kind = in.required("kind", word);
    if (in.failed()) return;
    const auto parser = std::ranges::find_if(
        parsers, [&](const Parser& row) { return row.api_version == api_version && row.kind == kind; });
    if (parser == parsers.end())
      return in.problem("kind",
                        "Herald does not read " + kind + " of " + api_version + "; " + allowed(api_version, kind));
    in.ignore({"status"});
    report.fields = [&]() -> const std::set<std::string>& { return known_fields(api_version, kind); };
    auto object = parser->parse(in);
    report.fields = {};
    if (!in.failed()) result_.objects.push_back(std::move(object));
  }

  const std::string& file_;
  ReadResult& result_;
};

ReadResult read_documents(Documents documents, const std::string& file) {
  ReadResult result;
  result.readable = documents.problems.empty();
  ObjectReader reader{file, result};
  for (const auto& document : documents.values) reader.read(document);
  std::ranges::move(documents.problems, std::back_inserter(result.problems));
  if (!file.empty()) result.sources.push_back({file, std::move(documents.values)});
  return result;
}

}  // namespace

const std::set<std::string>& known_fields(std::string_view api_version, std::string_view kind) {
  using Name = std::pair<std::string_view, std::string_view>;
  static const auto all = [] {
    std::map<Name, std::set<std::string>> out;
    for (const auto& parser : parsers) out.emplace(Name{parser.api_version, parser.kind}, explore(parser));
    return out;
  }();
  static const std::set<std::string> none;
  const auto found = all.find(Name{api_version, kind});
  return found == all.end() ? none : found->second;
}

std::string name_of(Kind kind, const Meta& meta) {
  return std::string{info(kind).name} + "/" + meta.key();
}

ReadResult read_objects(std::string_view text, const std::string& file, Syntax syntax) {
  return read_documents(syntax == Syntax::Json ? read_json(text, file) : read_yaml(text, file), file);
}

ReadResult read_object(const nlohmann::json& json) {
  return read_documents(read_tree(json), {});
}

ReadItem read_item(const Value& value, const KindInfo& kind) {
  ReadItem item;
  if (const auto* metadata = value.find("metadata")) {
    item.resource_version = text_of(metadata->value, "resourceVersion");
    item.key = text_of(metadata->value, "name");
    const auto namespace_name = text_of(metadata->value, "namespace");
    if (kind.namespaced()) item.key = (namespace_name.empty() ? "default" : namespace_name) + "/" + item.key;
  }
  ReadResult result;
  const std::string no_file;
  ObjectReader{no_file, result}.read(completed(value, kind.api_version, kind.name));
  item.problems = std::move(result.problems);
  if (result.objects.size() == 1 && kind_of(result.objects[0]) == kind.kind) item.object = std::move(result.objects[0]);
  return item;
}

nlohmann::json print(const Object& object) {
  return std::visit([](const auto& it) { return print(it); }, object);
}

}  // namespace config
