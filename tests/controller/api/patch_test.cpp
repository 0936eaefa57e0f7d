// SPDX-License-Identifier: Apache-2.0
#include "controller/api/patch.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;

constexpr auto merge_type = "application/merge-patch+json";
constexpr auto json_type = "application/json-patch+json";
constexpr auto strategic_type = "application/strategic-merge-patch+json";

struct PatchCase {
  const char* name;
  const char* type;
  const char* before;
  const char* patch;
  const char* after;
};
void PrintTo(const PatchCase& one, std::ostream* out) {
  *out << one.name;
}

class PatchOfAService : public testing::TestWithParam<PatchCase> {};

TEST_P(PatchOfAService, GivesTheObject) {
  const auto& one = GetParam();
  const auto patched = apply_patch(json::parse(one.before), config::info(config::Kind::Service), one.type, one.patch);
  ASSERT_TRUE(patched) << patched.error().message;
  EXPECT_EQ(patched->dump(), json::parse(one.after).dump());
}
INSTANTIATE_TEST_SUITE_P(Merge, PatchOfAService,
                         testing::Values(PatchCase{"sets and removes", merge_type, R"({"a":1,"b":{"c":2,"d":3}})",
                                                   R"({"a":null,"b":{"c":4}})", R"({"b":{"c":4,"d":3}})"},
                                         PatchCase{"replaces lists", merge_type, R"({"spec":{"ports":[{"port":80}]}})",
                                                   R"({"spec":{"ports":[{"port":443}]}})",
                                                   R"({"spec":{"ports":[{"port":443}]}})"}));
INSTANTIATE_TEST_SUITE_P(Json, PatchOfAService,
                         testing::Values(PatchCase{"adds", json_type, R"({"a":{}})",
                                                   R"([{"op":"add","path":"/a/b","value":1}])", R"({"a":{"b":1}})"},
                                         PatchCase{
                                             "does all of them in order", json_type, R"({"a":[1,2]})",
                                             R"([{"op":"remove","path":"/a/0"},{"op":"test","path":"/a/0","value":2},
                                  {"op":"copy","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"/c"},
                                  {"op":"replace","path":"/a","value":3}])",
                                             R"({"a":3,"c":[2]})"}));
INSTANTIATE_TEST_SUITE_P(
    Strategic, PatchOfAService,
    testing::Values(
        PatchCase{"merges ports by number", strategic_type,
                  R"({"spec":{"ports":[{"port":80,"protocol":"TCP","name":"a"},{"port":443,"protocol":"TCP"}]}})",
                  R"({"spec":{"ports":[{"port":80,"targetPort":8080},{"port":8443,"protocol":"TCP"}]}})",
                  R"({"spec":{"ports":[{"port":80,"protocol":"TCP","name":"a","targetPort":8080},
                                       {"port":443,"protocol":"TCP"},{"port":8443,"protocol":"TCP"}]}})"},
        PatchCase{"tells ports apart by protocol", strategic_type,
                  R"({"spec":{"ports":[{"port":53,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]}})",
                  R"({"spec":{"ports":[{"port":53,"protocol":"UDP","name":"dns"}]}})",
                  R"({"spec":{"ports":[{"port":53,"protocol":"TCP"},{"port":53,"protocol":"UDP","name":"dns"}]}})"},
        PatchCase{"deletes an entry", strategic_type, R"({"spec":{"ports":[{"port":80},{"port":443}]}})",
                  R"({"spec":{"ports":[{"port":80,"$patch":"delete"}]}})", R"({"spec":{"ports":[{"port":443}]}})"},
        PatchCase{"replaces a list", strategic_type, R"({"spec":{"ports":[{"port":80},{"port":443}]}})",
                  R"({"spec":{"ports":[{"port":1},{"$patch":"replace"}]}})", R"({"spec":{"ports":[{"port":1}]}})"},
        PatchCase{"merges conditions by type", strategic_type,
                  R"({"status":{"conditions":[{"type":"A","status":"True"},{"type":"B","status":"True"}]}})",
                  R"({"status":{"conditions":[{"type":"B","status":"False"}]}})",
                  R"({"status":{"conditions":[{"type":"A","status":"True"},{"type":"B","status":"False"}]}})"},
        PatchCase{"replaces what has no key", strategic_type,
                  R"({"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}}})",
                  R"({"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.2"}]}}})",
                  R"({"status":{"loadBalancer":{"ingress":[{"ip":"10.0.0.2"}]}}})"},
        PatchCase{"adds to sets once", strategic_type, R"({"metadata":{"finalizers":["a"]}})",
                  R"({"metadata":{"finalizers":["a","b"]}})", R"({"metadata":{"finalizers":["a","b"]}})"},
        PatchCase{"deletes from sets", strategic_type, R"({"metadata":{"finalizers":["a","b"]}})",
                  R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"]}})",
                  R"({"metadata":{"finalizers":["b"]}})"},
        PatchCase{"keeps the order given", strategic_type, R"({"spec":{"ports":[{"port":1},{"port":2},{"port":3}]}})",
                  R"({"spec":{"$setElementOrder/ports":[{"port":3},{"port":1}]}})",
                  R"({"spec":{"ports":[{"port":3},{"port":2},{"port":1}]}})"},
        PatchCase{"retains keys", strategic_type, R"({"spec":{"a":1,"b":2}})",
                  R"({"spec":{"$retainKeys":["a","c"],"c":3}})", R"({"spec":{"a":1,"c":3}})"},
        PatchCase{"replaces an object", strategic_type, R"({"spec":{"selector":{"a":"b"}}})",
                  R"({"spec":{"selector":{"c":"d","$patch":"replace"}}})", R"({"spec":{"selector":{"c":"d"}}})"},
        PatchCase{"removes by null", strategic_type, R"({"metadata":{"labels":{"a":"b","c":"d"}}})",
                  R"({"metadata":{"labels":{"a":null}}})", R"({"metadata":{"labels":{"c":"d"}}})"}));

struct WrongPatch {
  config::Kind kind;
  const char* type;
  const char* patch;
  unsigned code;
};
class PatchThatIsWrong : public testing::TestWithParam<WrongPatch> {};

TEST_P(PatchThatIsWrong, IsRefused) {
  const auto& one = GetParam();
  const auto patched = apply_patch({{"a", 1}}, config::info(one.kind), one.type, one.patch);
  ASSERT_FALSE(patched) << patched->dump();
  EXPECT_EQ(patched.error().code, one.code) << patched.error().message;
}
using config::Kind;
INSTANTIATE_TEST_SUITE_P(
    Texts, PatchThatIsWrong,
    testing::Values(WrongPatch{Kind::Service, merge_type, "{", 400}, WrongPatch{Kind::Service, merge_type, "[]", 400},
                    WrongPatch{Kind::Service, json_type, "{}", 400},
                    WrongPatch{Kind::Service, json_type, R"([{"op":"fly","path":"/a"}])", 422},
                    WrongPatch{Kind::Service, json_type, R"([{"op":"remove","path":"/b"}])", 422},
                    WrongPatch{Kind::Service, json_type, R"([{"op":"test","path":"/a","value":2}])", 422},
                    WrongPatch{Kind::Service, json_type, R"([{"path":"/a"}])", 422},
                    WrongPatch{Kind::Service, json_type, R"([1])", 422},
                    WrongPatch{Kind::Service, json_type, R"([{"op":"replace","path":"","value":7}])", 422},
                    WrongPatch{Kind::Service, "application/json", "{}", 415},
                    WrongPatch{Kind::BGPPeer, strategic_type, "{}", 415},
                    WrongPatch{Kind::Service, strategic_type, R"({"spec":{"ports":[{"name":"x"}]}})", 400},
                    WrongPatch{Kind::Service, strategic_type, R"({"spec":{"$patch":"tear"}})", 400},
                    WrongPatch{Kind::Service, strategic_type, R"({"spec":{"$retainKeys":7}})", 400}));

TEST(PatchThatDoublesItself, IsStopped) {
  auto patch = json::array();
  for (auto i = 0; i < 64; ++i) {
    patch.push_back({{"op", "copy"}, {"from", ""}, {"path", "/x" + std::to_string(i)}});
  }
  const auto patched =
      apply_patch({{"a", std::string(1000, 'a')}}, config::info(Kind::Service), json_type, patch.dump());
  ASSERT_FALSE(patched);
  EXPECT_EQ(patched.error().code, 413U);
}

}  // namespace
}  // namespace controller
