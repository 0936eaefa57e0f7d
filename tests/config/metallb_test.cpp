// SPDX-License-Identifier: Apache-2.0
// MetalLB's own samples and schemas, where the test data is: each sample is read as it is or refused by name, and no
// field that its schemas have is unknown to the reader.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/source/files.hpp"

namespace config {
namespace {

using nlohmann::json;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

const fs::path data = fs::path{HERALD_TEST_DATA} / "metallb";

std::string contents(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

struct Sample {
  const char* file;
  std::vector<const char*> runs;  // "kind/name"
  std::vector<const char*> says;
};

const Sample samples[] = {
    {"bgpadv_selectspool_by_label.yaml", {"BGPAdvertisement/advertisement"}, {}},
    {"bgpadv_selectspool_by_list.yaml",
     {"BGPAdvertisement/advertisement"},
     {"BGPAdvertisement/advertisement spec.ipAddressPools: names IPAddressPool/test-addresspool, which is not there",
      "BGPAdvertisement/advertisement spec.peers: names BGPPeer/ebgp-single-hop0, which is not there"}},
    {"bgpadvertisement_community_alias.yaml",
     {"BGPAdvertisement/advertisement", "Community/community1"},
     {"spec.ipAddressPools: names IPAddressPool/bgp-with-advertisement, which is not there"}},
    {"bgpadvertisement_with_node_selector.yaml",
     {"BGPAdvertisement/advertisement"},
     {"spec.ipAddressPools: names IPAddressPool/first-pool, which is not there"}},
    {"bgppeer_with_session_options.yaml", {"BGPPeer/peer"}, {}},
    {"bgppeer_withsecret.yaml",
     {"BGPPeer/peer-with-secret"},  // and is held down
     {"BGPPeer/peer-with-secret spec.passwordSecret: names Secret/metallb-system/secretname, which is not there"}},
    {"deployment_bgp.yaml",
     {"BGPAdvertisement/empty", "BGPPeer/peer", "BGPPeer/peerv6", "IPAddressPool/example", "Service/default/nginx"},
     {"Deployment/nginx kind: Herald does not read Deployment of apps/v1"}},
    {"ipaddresspool_simple.yaml", {"IPAddressPool/example"}, {}},
    {"ipaddresspool_with_selector.yaml", {"IPAddressPool/ippool-ns-service-alloc-sample"}, {}},
    {"l2adv_with_node_selector.yaml", {"L2Advertisement/example"}, {}},
    {"simple_pool_adv_bgp.yaml", {"BGPAdvertisement/empty", "IPAddressPool/example"}, {}},
};

std::vector<std::string> names(const Resources& resources) {
  std::vector<std::string> out;
  const auto add = [&]<class T>(std::type_identity<T> kind) {
    for (const auto& [key, object] : items<T>(resources)) out.push_back(name_of(kind_of(kind), object.meta));
  };
  add(std::type_identity<BGPAdvertisement>{});
  add(std::type_identity<BGPPeer>{});
  add(std::type_identity<Community>{});
  add(std::type_identity<IPAddressPool>{});
  add(std::type_identity<L2Advertisement>{});
  add(std::type_identity<Service>{});
  return out;
}

class MetalLb : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::string_view{HERALD_TEST_DATA}.empty() || !fs::is_directory(data)) GTEST_SKIP() << "no test data";
  }
};

TEST_F(MetalLb, SamplesAreReadAsTheyAre) {
  for (const auto& sample : samples) {
    const auto loaded = load({(data / "samples" / sample.file).string()});
    EXPECT_TRUE(loaded.readable) << sample.file;
    EXPECT_THAT(names(loaded.resources), ElementsAreArray(sample.runs)) << sample.file;
    ASSERT_EQ(loaded.problems.size(), sample.says.size()) << sample.file;
    for (std::size_t i = 0; i < sample.says.size(); ++i)
      EXPECT_THAT(print(loaded.problems[i]), HasSubstr(sample.says[i])) << sample.file;
  }
}

// files_test.cpp has what is said of the one that needs BFD.
TEST_F(MetalLb, SamplesAreAllLookedAt) {
  std::set<std::string> known{"bgppeer_with_bfdprofile.yaml"};
  for (const auto& sample : samples) known.insert(sample.file);
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator{data / "samples"}) there.insert(entry.path().filename());
  EXPECT_EQ(known, there);
}

// Something of the type that a schema asks for, with every property it has.
json filled(const Value& schema) {
  const auto* type = schema.find("type");
  const auto word = type == nullptr ? std::string{} : type->value.text;
  if (word == "integer") return 1;
  if (word == "boolean") return true;
  if (word == "array") return json::array({filled(schema.find("items")->value)});
  if (word != "object") return "x";
  auto out = json::object();
  if (const auto* properties = schema.find("properties"))
    for (const auto& member : properties->value.members) out[member.key] = filled(member.value);
  return out;
}

// What the reader says of an object of a schema in which every field is given.
std::vector<Problem> problems_of(const std::string& kind, const Value& version) {
  const auto& properties = version.find("schema")->value.find("openAPIV3Schema")->value.find("properties")->value;
  const auto* spec = properties.find("spec");
  const json object = {{"apiVersion", "metallb.io/" + version.find("name")->value.text},
                       {"kind", kind},
                       {"metadata", {{"name", "x"}}},
                       {"spec", spec == nullptr ? json::object() : filled(spec->value)}};
  return read_object(object).problems;
}

TEST_F(MetalLb, SchemasHaveNoFieldThatIsUnknown) {
  std::set<std::string> not_implemented;
  std::size_t versions = 0;
  for (const auto& entry : fs::directory_iterator{data / "crds"}) {
    const auto documents = read_yaml(contents(entry.path()), entry.path().string());
    ASSERT_THAT(documents.problems, IsEmpty());
    const auto& spec = documents.values.at(0).find("spec")->value;
    const auto kind = spec.find("names")->value.find("kind")->value.text;
    for (const auto& version : spec.find("versions")->value.items) {
      const auto problems = problems_of(kind, version);
      if (!problems.empty() && problems.front().field == "kind") continue;  // not a kind that Herald reads
      ++versions;
      for (const auto& problem : problems) {
        EXPECT_THAT(problem.message, Not(HasSubstr("is not a field"))) << print(problem);
        if (problem.message.find("not implemented") != std::string::npos) not_implemented.insert(problem.field);
      }
    }
  }
  EXPECT_GE(versions, 6U);

  // The reference says which.
  std::set<std::string> written;
  const auto page = contents(fs::path{HERALD_SOURCE_DIR} / "docs/reference/resources.md");
  const auto line = page.substr(page.find("Refused by name: "),
                                page.find('\n', page.find("Refused by name: ")) - page.find("Refused by name: "));
  const auto upto = line.substr(0, line.find(". "));
  const std::regex word{"`([A-Za-z]+)`"};
  for (std::sregex_iterator found{upto.begin(), upto.end(), word}, end; found != end; ++found)
    written.insert("spec." + (*found)[1].str());
  EXPECT_EQ(not_implemented, written);
}

}  // namespace
}  // namespace config
