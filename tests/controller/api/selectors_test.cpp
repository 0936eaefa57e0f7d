// SPDX-License-Identifier: Apache-2.0
#include "controller/api/selectors.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

LabelText labels() {
  LabelText text;
  text.add("app", "web");
  text.add("example.com/size", "12");
  text.add("tier", "");
  return text;
}

struct LabelCase {
  const char* selector;
  bool matches;
};
class LabelSelectorText : public testing::TestWithParam<LabelCase> {};

TEST_P(LabelSelectorText, Matches) {
  const auto parsed = LabelRequirements::parse(GetParam().selector);
  ASSERT_TRUE(parsed) << GetParam().selector << ": " << parsed.error();
  EXPECT_EQ(parsed->matches(labels()), GetParam().matches) << GetParam().selector;
}
INSTANTIATE_TEST_SUITE_P(
    Operators, LabelSelectorText,
    testing::Values(LabelCase{"", true}, LabelCase{"app=web", true}, LabelCase{"app==web", true},
                    LabelCase{"app = web", true}, LabelCase{"app=back", false}, LabelCase{"app!=web", false},
                    LabelCase{"app!=back", true}, LabelCase{"absent!=x", true}, LabelCase{"tier=", true},
                    LabelCase{"app in (back, web)", true}, LabelCase{"app in (back)", false},
                    LabelCase{"app notin (back)", true}, LabelCase{"app notin(web)", false},
                    LabelCase{"absent notin (web)", true}, LabelCase{"app", true}, LabelCase{"absent", false},
                    LabelCase{"!absent", true}, LabelCase{"!app", false}, LabelCase{"example.com/size>11", true},
                    LabelCase{"example.com/size > 12", false}, LabelCase{"example.com/size<13", true},
                    LabelCase{"app>1", false}, LabelCase{"app=web,tier", true}, LabelCase{"app=web,!tier", false},
                    LabelCase{"app in (web),example.com/size notin (1,2)", true}, LabelCase{"ap=web", false},
                    LabelCase{"in in (in)", false}));

class LabelSelectorThatIsWrong : public testing::TestWithParam<const char*> {};

TEST_P(LabelSelectorThatIsWrong, IsRefused) {
  EXPECT_FALSE(LabelRequirements::parse(GetParam())) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(Texts, LabelSelectorThatIsWrong,
                         testing::Values("=", "app=web,", ",app", "app in web", "app in (web", "app=web x", "!",
                                         "app>many", "app<", "a b", "app=we$b", "app in (web))"));

Object object(config::Kind kind, std::string text) {
  return {.key = {kind, "default", "one"}, .uid = {}, .revision = 1, .labels = {}, .text = std::move(text)};
}

struct FieldCase {
  config::Kind kind;
  const char* selector;
  const char* text;
  bool matches;
};
class FieldSelectorText : public testing::TestWithParam<FieldCase> {};

TEST_P(FieldSelectorText, Matches) {
  const auto& [kind, selector, text, matches] = GetParam();
  const auto parsed = FieldRequirements::parse(selector, kind);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->matches(object(kind, text)), matches) << selector;
}
using config::Kind;
INSTANTIATE_TEST_SUITE_P(
    Fields, FieldSelectorText,
    testing::Values(FieldCase{Kind::Service, "", "{}", true}, FieldCase{Kind::Service, "metadata.name=one", "{}", true},
                    FieldCase{Kind::Service, "metadata.name==two", "{}", false},
                    FieldCase{Kind::Service, "metadata.name!=two,metadata.namespace=default", "{}", true},
                    FieldCase{Kind::Service, "spec.type=LoadBalancer", R"({"spec":{"type":"LoadBalancer"}})", true},
                    FieldCase{Kind::Secret, "type=Opaque", R"({"type":"kubernetes.io/tls"})", false},
                    FieldCase{Kind::Event, "involvedObject.name=web,involvedObject.kind=Service",
                              R"({"involvedObject":{"name":"web","kind":"Service"}})", true},
                    FieldCase{Kind::Event, "involvedObject.uid=", R"({"involvedObject":{"name":"web"}})", true},
                    FieldCase{Kind::Event, "source=herald", R"({"source":{"component":"herald"}})", true},
                    FieldCase{Kind::Node, "spec.unschedulable=true", R"({"spec":{"unschedulable":true}})", true}));

TEST(FieldSelectorThatIsWrong, IsRefused) {
  for (const auto* text : {"metadata.name", "spec.peerAddress=10.0.0.1", "=x", "!=x", "metadata.uid=x"}) {
    EXPECT_FALSE(FieldRequirements::parse(text, config::Kind::BGPPeer)) << text;
  }
}

}  // namespace
}  // namespace controller
