// SPDX-License-Identifier: Apache-2.0
// The CustomResourceDefinitions, the tables they are made from, and the reader say the same.
#include "controller/kubernetes/crds.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "config/object.hpp"
#include "controller/api/schema_fields.hpp"

namespace controller {
namespace {

using config::Kind;
using nlohmann::json;
using testing::HasSubstr;

std::string content(const std::string& file) {
  std::ifstream in{std::string{HERALD_SOURCE_DIR} + "/" + file};
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<config::KindInfo> own_kinds() {
  std::vector<config::KindInfo> out;
  for (const auto& kind : config::all_kinds())
    if (kind.group() == "herald.dev") out.push_back(kind);
  return out;
}

json schema(const config::KindInfo& kind) {
  return crd_of(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
}

TEST(Crds, AreTheFileThatIsDeployed) {
  EXPECT_EQ(content("deploy/kubernetes/crds/herald.dev.yaml"), print_crds())
      << "make it again: herald-controller --print-crds > deploy/kubernetes/crds/herald.dev.yaml";
}

// What a structural schema may not have, and what it must: apiextensions.k8s.io/v1.
void expect_structural(const json& at, const std::string& path) {
  const bool free = at.value("x-kubernetes-preserve-unknown-fields", false);
  const bool either = at.value("x-kubernetes-int-or-string", false);
  ASSERT_TRUE(at.contains("type") || either || free) << path;
  if (at.contains("type")) {
    const auto type = at["type"].get<std::string>();
    ASSERT_TRUE(type == "object" || type == "array" || type == "string" || type == "integer" || type == "boolean")
        << path;
    if (type == "object" && path != "metadata") {
      EXPECT_TRUE(free || at.contains("properties") || at.contains("additionalProperties")) << path;
    }
    if (type == "array") {
      ASSERT_TRUE(at.contains("items")) << path;
      expect_structural(at["items"], path + "[]");
      const auto list = at.value("x-kubernetes-list-type", "atomic");
      if (list == "map") {
        for (const auto& key : at.at("x-kubernetes-list-map-keys"))
          EXPECT_TRUE(at["items"]["properties"].contains(key.get<std::string>())) << path;
      }
    }
  }
  for (const auto& [key, value] : at.items())
    EXPECT_TRUE(key.rfind("x-kubernetes-patch", 0) != 0 && key != "x-kubernetes-group-version-kind")
        << path << " " << key;
  for (const auto& required : at.value("required", json::array()))
    EXPECT_TRUE(at["properties"].contains(required.get<std::string>())) << path << " requires " << required;
  const auto properties = at.value("properties", json::object());
  for (const auto& [name, property] : properties.items())
    expect_structural(property, path.empty() ? name : path + "." + name);
}

TEST(Crds, AreStructural) {
  for (const auto& kind : own_kinds()) {
    SCOPED_TRACE(std::string{kind.name});
    expect_structural(schema(kind), "");
  }
}

TEST(Crds, HaveNamesColumnsAndStatus) {
  const auto pool = crd_of(config::info(Kind::IPAddressPool));
  EXPECT_EQ(pool["metadata"]["name"], "ipaddresspools.herald.dev");
  EXPECT_EQ(pool["spec"]["names"]["shortNames"], json::array({"pool"}));
  EXPECT_EQ(pool["spec"]["scope"], "Cluster");
  const auto& version = pool["spec"]["versions"][0];
  EXPECT_TRUE(version["subresources"].contains("status"));
  EXPECT_EQ(version["additionalPrinterColumns"].back()["name"], "Age");
  EXPECT_TRUE(schema(config::info(Kind::IPAddressPool))["properties"]["status"]["properties"].contains("conditions"));
  EXPECT_FALSE(crd_of(config::info(Kind::SpeakerState))["spec"]["versions"][0].contains("subresources"));
}

TEST(Crds, ShowWhetherAnObjectIsAccepted) {
  for (const auto& kind : own_kinds()) {
    if (kind.kind == Kind::SpeakerState) continue;
    const auto columns = crd_of(kind)["spec"]["versions"][0]["additionalPrinterColumns"];
    const auto named = [&](const char* name) {
      return std::find_if(columns.begin(), columns.end(), [&](const json& column) { return column["name"] == name; });
    };
    ASSERT_NE(named("Accepted"), columns.end()) << kind.name;
    EXPECT_EQ((*named("Accepted"))["jsonPath"], R"(.status.conditions[?(@.type=="Accepted")].status)") << kind.name;
    ASSERT_NE(named("Reason"), columns.end()) << kind.name;
    EXPECT_EQ((*named("Reason"))["priority"], 1) << kind.name;
  }
}

// ---- the reader and the schema

// Whether the schema keeps what is at this path of an object.
bool keeps(const json& at, const json& object, std::string& lost, const std::string& path = {}) {
  if (at.value("x-kubernetes-preserve-unknown-fields", false)) return true;
  if (object.is_array()) {
    for (const auto& entry : object)
      if (!keeps(at.at("items"), entry, lost, path + "[]")) return false;
    return true;
  }
  if (!object.is_object() || at.contains("additionalProperties")) return true;
  for (const auto& [name, value] : object.items()) {
    if (!at.contains("properties") || !at["properties"].contains(name)) {
      lost = path + "." + name;
      return false;
    }
    if (!keeps(at["properties"][name], value, lost, path + "." + name)) return false;
  }
  return true;
}

TEST(TheSchema, KeepsEveryFieldThatTheReaderKnows) {
  const auto text = content("tests/golden/config/02-every-field.in.yaml");
  const auto read = config::read_objects(text, "every", config::Syntax::Yaml);
  ASSERT_TRUE(read.problems.empty());
  std::set<Kind> seen;
  for (const auto& object : read.objects) {
    const auto& kind = config::info(config::kind_of(object));
    if (kind.group() != "herald.dev") continue;
    seen.insert(kind.kind);
    std::string lost;
    auto printed = config::print(object);
    printed["metadata"] = json::object();
    EXPECT_TRUE(keeps(schema(kind), printed, lost)) << kind.name << lost << " would be pruned by the API server";
  }
  for (const auto& kind : own_kinds()) EXPECT_TRUE(seen.contains(kind.kind)) << kind.name << " is not in the file";
}

// A value of the type that the table says.
json sample(SchemaField::Type type) {
  switch (type) {
    case SchemaField::Type::Integer:
      return 1;
    case SchemaField::Type::Boolean:
      return true;
    case SchemaField::Type::Map:
      return json{{"a", "b"}};
    case SchemaField::Type::Selector:
      return json{{"matchLabels", {{"a", "b"}}}};
    case SchemaField::Type::Object:
    case SchemaField::Type::Any:
      return json::object();
    default:
      return "x";
  }
}

// An object with nothing but this field.
json with_only(const config::KindInfo& kind, const SchemaField& field) {
  json object{{"apiVersion", kind.api_version}, {"kind", kind.name}, {"metadata", {{"name", "default"}}}};
  auto* at = &object;
  auto rest = field.path;
  while (!rest.empty()) {
    auto step = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(step.size() + 1, rest.size()));
    const auto list = step.ends_with("[]");
    if (list) step.remove_suffix(2);
    at = &(*at)[std::string{step}];
    if (list) {
      *at = json::array({rest.empty() ? sample(field.type) : json::object()});
      at = &(*at)[0];
    } else if (rest.empty()) {
      *at = sample(field.type);
    }
  }
  return object;
}

TEST(TheReader, KnowsEveryFieldOfTheSchema) {
  for (const auto& kind : own_kinds()) {
    for (const auto& field : fields_of(kind.kind)) {
      if (field.path.rfind("status", 0) == 0) continue;
      const auto read = config::read_object(with_only(kind, field));
      for (const auto& problem : read.problems)
        EXPECT_THAT(problem.message,
                    Not(testing::AnyOf(HasSubstr("not a field"), HasSubstr("not known"), HasSubstr("not implemented"))))
            << kind.name << " " << field.path << ": " << config::print(problem);
    }
  }
}

// ---- defaults

// As an API server fills them in: where the object around is there.
void fill_in(const json& at, json& object) {
  if (object.is_array() && at.contains("items"))
    for (auto& entry : object) fill_in(at["items"], entry);
  if (!object.is_object() || !at.contains("properties")) return;
  for (const auto& [name, property] : at["properties"].items()) {
    if (!object.contains(name) && property.contains("default")) object[name] = property["default"];
    if (object.contains(name)) fill_in(property, object[name]);
  }
}

TEST(Defaults, AreThoseOfTheReader) {
  const std::map<Kind, json> smallest{
      {Kind::IPAddressPool, {{"addresses", {"192.0.2.0/24"}}}},
      {Kind::Community, json::object()},
      {Kind::BGPPeer, {{"peerASN", 65001}, {"peerAddress", "192.0.2.1"}}},
      {Kind::BGPConfiguration, {{"listen", json::object()}, {"kernel", json::object()}, {"multipath", json::object()}}},
      {Kind::BGPAdvertisement, json::object()},
      {Kind::BGPFilter, {{"rules", json::array({json{{"action", "accept"}, {"set", json::object()}}})}}},
      {Kind::BFDProfile, json::object()},
      {Kind::L2Advertisement, json::object()},
      {Kind::SpeakerState, json::object()}};
  int defaults = 0;
  for (const auto& kind : own_kinds()) {
    json object{{"apiVersion", kind.api_version}, {"kind", kind.name}, {"metadata", {{"name", "default"}}}};
    object["spec"] = smallest.at(kind.kind);
    auto filled = object;
    fill_in(schema(kind), filled);
    defaults += filled != object ? 1 : 0;
    const auto plain = config::read_object(object);
    const auto full = config::read_object(filled);
    ASSERT_EQ(plain.objects.size(), 1U) << kind.name
                                        << (plain.problems.empty() ? "" : config::print(plain.problems[0]));
    ASSERT_EQ(full.objects.size(), 1U) << kind.name << (full.problems.empty() ? "" : config::print(full.problems[0]));
    EXPECT_EQ(config::print(plain.objects[0]), config::print(full.objects[0])) << kind.name;
  }
  EXPECT_GE(defaults, 4) << "the test has something to compare";
}

}  // namespace
}  // namespace controller
