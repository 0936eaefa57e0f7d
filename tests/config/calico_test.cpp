// SPDX-License-Identifier: Apache-2.0
// Calico's own samples, and its selector language. What comes of whole objects is in tests/golden/config.
#include "config/dialects/calico.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/object.hpp"
#include "config/source/files.hpp"

namespace config::calico {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bool selects(std::string_view text, const Labels& labels) {
  const auto selectors = parse_selector(text);
  EXPECT_TRUE(selectors) << text << (selectors ? "" : ": " + selectors.error());
  return selectors && any_matches(*selectors, labels);
}

TEST(CalicoSelector, MeansWhatCalicoSays) {
  const Labels rack{{"rack", "a"}, {"router", "true"}};
  EXPECT_TRUE(selects("all()", {}));
  EXPECT_TRUE(selects("", rack));
  EXPECT_TRUE(selects("has(router)", rack));
  EXPECT_FALSE(selects("!has(router)", rack));
  EXPECT_TRUE(selects("rack == 'a'", rack));
  EXPECT_FALSE(selects("rack != \"a\"", rack));
  EXPECT_TRUE(selects("rack != 'a'", {}));
  EXPECT_TRUE(selects("rack in {'a', 'b'}", rack));
  EXPECT_FALSE(selects("rack not in { 'a','b' }", rack));
  EXPECT_TRUE(selects("has(gone) || rack == 'a'", rack));
  EXPECT_FALSE(selects("has(gone) && rack == 'a'", rack));
  EXPECT_TRUE(selects("!(has(gone) || rack == 'b')", rack));
  EXPECT_FALSE(selects("!(has(gone) || rack == 'a')", rack));
  EXPECT_TRUE(selects("!(has(gone) && rack == 'a')", rack));
  EXPECT_TRUE(selects("!!has(router)", rack));
  EXPECT_TRUE(selects("rack == 'a' && (has(gone) || has(router))", rack));
}

TEST(CalicoSelector, SaysEachThingOnce) {
  const auto selectors =
      parse_selector("has(a) && b in {'c', 'c'} && has(a) || b == 'c' && has(a) && b == 'c' || has(a) && b == 'c'");
  ASSERT_TRUE(selectors);
  EXPECT_EQ(selectors->size(), 2U) << "in another order it is another one";
  for (const auto& selector : *selectors) EXPECT_EQ(selector.match_expressions.size(), 2U);
}

TEST(CalicoSelector, SaysWhatIsWrong) {
  const auto refusal = [](std::string_view text) {
    const auto selectors = parse_selector(text);
    return selectors ? std::string{"accepted"} : selectors.error();
  };
  EXPECT_THAT(refusal("a = 'b'"), HasSubstr("lacks in before: = 'b'"));
  EXPECT_THAT(refusal("a == b"), HasSubstr("lacks a value in quotes before: b"));
  EXPECT_THAT(refusal("(has(a)"), HasSubstr("lacks )"));
  EXPECT_THAT(refusal("has(a) has(b)"), HasSubstr("behind its end"));
  EXPECT_THAT(refusal("&& has(a)"), HasSubstr("lacks a label"));
  EXPECT_THAT(refusal("a//b == 'c'"), HasSubstr("names \"a//b\", which is no label"));
  EXPECT_THAT(refusal("a in {'b', 'c?'}"), HasSubstr("asks for \"c?\", which no label can be"));
  EXPECT_TRUE(selects("example.com/a == ''", {{"example.com/a", ""}}));
  EXPECT_THAT(refusal("!all()"), HasSubstr("can match nothing"));
  EXPECT_THAT(refusal(std::string(40, '!') + "has(a)"), HasSubstr("nested too deep"));
  std::string product = "has(a)";
  for (int i = 0; i < 8; ++i) product += " && (has(b) || has(c))";
  EXPECT_THAT(refusal(product), HasSubstr("too many alternatives"));
}

// `more` is added to the spec of one peer.
Loaded read_peer(const std::string& more) {
  const auto text =
      "{apiVersion: projectcalico.org/v3, kind: BGPConfiguration, metadata: {name: default}, spec: "
      "{nodeToNodeMeshEnabled: false}}\n---\n"
      "{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: tor}, spec: {asNumber: 65001, " +
      more + "}}";
  return assemble(read_objects(text, "f.yaml", Syntax::Yaml));
}

std::string refusal_of_peer(const std::string& more) {
  const auto problems = read_peer(more).problems;
  return problems.empty() ? "accepted" : print(problems[0]);
}

TEST(CalicoPeer, IsHeldForAtLeastThreeKeepalives) {
  const auto peer = [](const std::string& time) {
    return read_peer("peerIP: 10.0.0.1, keepaliveTime: " + time).resources.peers.at("tor");
  };
  using std::chrono::seconds;
  EXPECT_EQ(peer("98s").keepalive_time, seconds{98});
  EXPECT_EQ(peer("98s").hold_time, seconds{294});
  EXPECT_EQ(peer("5s").hold_time, BGPPeer{}.hold_time);
  EXPECT_EQ(peer("0s").keepalive_time, std::nullopt);
  EXPECT_THAT(refusal_of_peer("peerIP: 10.0.0.1, keepaliveTime: 30000s"),
              HasSubstr("spec.keepaliveTime: must be from 1s to 21845s"));
}

TEST(CalicoPeer, IsRefusedWhereOursCouldNotSayIt) {
  EXPECT_THAT(refusal_of_peer("peerIP: fe80::1"), HasSubstr("spec.peerIP: must not be a link-local address"));
  EXPECT_THAT(refusal_of_peer("peerIP: 10.0.0.1, node: " + std::string(64, 'n')),
              HasSubstr("spec.node: must have at most 63 characters"));
  const auto names = read_peer("peerIP: 10.0.0.1, filters: [accept-all]").resources.peers.at("tor");
  EXPECT_THAT(*names.import_filters, ::testing::ElementsAre("accept-all"));
}

TEST(CalicoFilter, RefusesAPathThatIsTooLongForAPattern) {
  std::string path = "65001";
  for (int i = 0; i < 600; ++i) path += ", 4200000000";
  const auto result = read_objects(
      "{apiVersion: projectcalico.org/v3, kind: BGPFilter, metadata: {name: f}, spec: {importV4: "
      "[{action: Accept, asPathPrefix: [" +
          path + "]}]}}",
      "f.yaml", Syntax::Yaml);
  ASSERT_THAT(result.problems, ::testing::SizeIs(1));
  EXPECT_THAT(print(result.problems[0]), HasSubstr("asPathPrefix: is not a pattern that Herald reads"));
}

TEST(CalicoFilter, MeansThePrefixItselfByEqual) {
  const auto read = [](std::string_view condition) {
    const auto text =
        "{apiVersion: projectcalico.org/v3, kind: BGPFilter, metadata: {name: f}, spec: {importV4: "
        "[{action: Accept, cidr: 10.0.0.0/24, " +
        std::string{condition} + "}]}}";
    return read_objects(text, "f.yaml", Syntax::Yaml);
  };
  const auto lengths = [&](std::string_view condition) {
    const auto result = read(condition);
    EXPECT_THAT(result.problems, IsEmpty()) << condition;
    const auto& match = std::get<BGPFilter>(result.objects.at(0)).rules.at(0).match;
    const auto& entry = match.prefixes.empty() ? match.not_prefixes.at(0) : match.prefixes.at(0);
    return std::pair<unsigned, unsigned>{entry.ge, entry.le};
  };
  using Lengths = std::pair<unsigned, unsigned>;
  for (const auto* how : {"Equal", "NotEqual"})
    for (const auto* constraint : {"{}", "{min: 24}", "{max: 28}", "{min: 20, max: 24}"})
      EXPECT_EQ(lengths(std::string{"matchOperator: "} + how + ", prefixLength: " + constraint), (Lengths{24, 24}))
          << how << constraint;
  EXPECT_EQ(lengths("matchOperator: In, prefixLength: {max: 28}"), (Lengths{24, 28}));
  for (const auto* constraint : {"{min: 25}", "{max: 23}"}) {
    const auto result = read(std::string{"matchOperator: Equal, prefixLength: "} + constraint);
    ASSERT_EQ(result.problems.size(), 1U) << constraint;
    EXPECT_THAT(result.problems[0].message, HasSubstr("must leave the length 24"));
  }
}

struct Sample {
  std::vector<std::string> read;     // names of the objects
  std::set<std::string> refused_by;  // "Kind field"
};
Sample read_sample(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto result = read_objects(text, path.filename().string(), Syntax::Yaml);
  EXPECT_TRUE(result.readable) << path;
  Sample sample;
  for (const auto& object : result.objects) sample.read.push_back(name_of(kind_of(object), meta_of(object)));
  for (const auto& problem : result.problems) {
    EXPECT_THAT(problem.field, ::testing::Not(IsEmpty())) << path << ": " << problem.message;
    sample.refused_by.insert(problem.object.substr(0, problem.object.find('/')) + " " + problem.field);
  }
  return sample;
}

// Every object of every sample is read, or a field of it is named.
TEST(CalicoSamples, AreReadOrRefusedByField) {
  const fs::path folder = fs::path{HERALD_TEST_DATA} / "calico/samples";
  if (std::string_view{HERALD_TEST_DATA}.empty() || !fs::exists(folder)) GTEST_SKIP() << "no test data";
  std::map<std::string, Sample> samples;
  std::size_t read = 0;
  for (const auto& entry : fs::directory_iterator{folder}) {
    auto sample = read_sample(entry.path());
    read += sample.read.size();
    samples.emplace(entry.path().filename().string(), std::move(sample));
  }
  EXPECT_GE(samples.size(), 37U);
  EXPECT_GE(read, 110U);
  // Those with filters are read as a whole.
  std::size_t filters = 0;
  for (const auto& [name, sample] : samples) {
    if (!name.starts_with("calicoctl_bgpfilter_")) continue;
    ++filters;
    EXPECT_THAT(sample.read, ::testing::Contains(HasSubstr("BGPFilter/"))) << name;
    EXPECT_THAT(sample.refused_by, IsEmpty()) << name;
  }
  EXPECT_EQ(filters, 12U);
  EXPECT_THAT(samples["calicoctl_explicit_peering_global-ipv6.yaml"].read,
              ::testing::IsSupersetOf({"BGPConfiguration/default", "BGPPeer/bgppeer-1", "BGPPeer/bgppeer-2"}));
  EXPECT_TRUE(samples["calicoctl_mesh_hash.yaml"].refused_by.contains("BGPConfiguration spec.nodeToNodeMeshEnabled"));
}

}  // namespace
}  // namespace config::calico
