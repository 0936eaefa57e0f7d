// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/scalar.hpp"

namespace config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Type = Value::Type;

std::string only_problem(const Documents& documents) {
  return documents.problems.size() == 1 ? print(documents.problems[0])
                                        : std::to_string(documents.problems.size()) + " problems";
}

Type type_of_yaml(const std::string& scalar) {
  const auto documents = read_yaml("key: " + scalar + "\n", "f");
  return documents.values.empty() ? Type::Null : documents.values[0].members[0].value.type;
}

TEST(YamlReader, TellsWhereEveryKeyAndValueIs) {
  const auto documents = read_yaml("a: 1\nb:\n  - x\n  - {c: d}\n", "f.yaml");
  ASSERT_THAT(documents.values, SizeIs(1));
  const auto& root = documents.values[0];
  EXPECT_EQ(root.find("a")->value.column, 4);
  EXPECT_EQ(root.find("b")->line, 2);
  const auto& items = root.find("b")->value.items;
  EXPECT_EQ(items[0].line, 3);
  EXPECT_EQ(items[0].column, 5);
  EXPECT_EQ(items[1].members[0].value.line, 4);
  EXPECT_EQ(items[1].members[0].value.column, 9);
}

TEST(YamlReader, KeepsQuotedAndPlainScalarsApart) {
  EXPECT_EQ(type_of_yaml("12"), Type::Integer);
  EXPECT_EQ(type_of_yaml("'12'"), Type::Text);
  EXPECT_EQ(type_of_yaml("\"true\""), Type::Text);
  EXPECT_EQ(type_of_yaml("true"), Type::Boolean);
  EXPECT_EQ(type_of_yaml("1.5"), Type::Float);
  EXPECT_EQ(type_of_yaml("-1e3"), Type::Float);
  EXPECT_EQ(type_of_yaml("~"), Type::Null);
  EXPECT_EQ(type_of_yaml(""), Type::Null);
  EXPECT_EQ(type_of_yaml("''"), Type::Text);
  EXPECT_EQ(type_of_yaml("!!str 12"), Type::Text);
  EXPECT_EQ(type_of_yaml("010"), Type::Text);
  EXPECT_EQ(type_of_yaml("0x10"), Type::Text);
  EXPECT_EQ(type_of_yaml("10.0.0.1"), Type::Text);
  EXPECT_EQ(type_of_yaml("65001:100"), Type::Text);
}

TEST(YamlReader, ReadsManyDocumentsAndPassesOverEmptyOnes) {
  const auto documents = read_yaml("---\n# nothing\n---\na: 1\n---\nb: 2\n...\n---\n", "f");
  EXPECT_THAT(documents.problems, IsEmpty());
  EXPECT_THAT(documents.values, SizeIs(2));
  EXPECT_THAT(read_yaml("", "f").values, IsEmpty());
}

TEST(YamlReader, CopiesWhatAnAliasNames) {
  const auto documents = read_yaml("a: &x {k: [1, 2]}\nb: *x\n", "f");
  ASSERT_THAT(documents.problems, IsEmpty());
  EXPECT_THAT(documents.values[0].find("b")->value.find("k")->value.items, SizeIs(2));
}

TEST(YamlReader, RefusesBrokenSyntaxWithItsPlace) {
  EXPECT_THAT(only_problem(read_yaml("a: 1\nb: [1, 2\nc: 3\n", "f.yaml")), HasSubstr("f.yaml:3:"));
  EXPECT_THAT(only_problem(read_yaml("a: b: c\n", "f.yaml")), HasSubstr("f.yaml:1:"));
  EXPECT_THAT(only_problem(read_yaml("a: *nobody\n", "f")), HasSubstr("not valid YAML"));
  EXPECT_THAT(only_problem(read_yaml("a: !!binary aGk=\n", "f")), HasSubstr("the tag tag:yaml.org,2002:binary"));
  EXPECT_THAT(only_problem(read_yaml("? [1]\n: x\n", "f")), HasSubstr("a key must be text"));
  EXPECT_THAT(only_problem(read_yaml("a: \xff\n", "f")), HasSubstr("f:1:1: not UTF-8"));
}

TEST(YamlReader, EndsWhereNoValueCanBegin) {
  EXPECT_EQ(only_problem(read_yaml("{a: b}, {c: d}\n", "f")),
            "f:1:7: not valid YAML: this belongs to no value; between documents stands ---");
  EXPECT_THAT(only_problem(read_yaml("---\n[a]\n, b\n", "f")), HasSubstr("f:3:1: not valid YAML"));
  EXPECT_THAT(only_problem(read_yaml(",", "f")), HasSubstr("f:1:1: not valid YAML"));
}

TEST(YamlReader, KeepsTheDocumentsBeforeTheBrokenOne) {
  const auto documents = read_yaml("a: 1\n---\nb: [\n", "f");
  EXPECT_THAT(documents.values, SizeIs(1));
  EXPECT_THAT(documents.problems, SizeIs(1));
}

TEST(YamlReader, RefusesAKeyThatIsThereTwice) {
  EXPECT_EQ(only_problem(read_yaml("a: 1\nb: 2\na: 3\n", "f")), "f:3:1: the key \"a\" is here twice, first in line 1");
}

TEST(YamlReader, RefusesDepthAndAliasBombs) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_THAT(read_yaml(nested(Limits::depth), "f").problems, IsEmpty());
  EXPECT_THAT(only_problem(read_yaml(nested(Limits::depth + 1), "f")), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(read_yaml(nested(100'000), "f").problems, SizeIs(1));

  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  EXPECT_THAT(only_problem(read_yaml(bomb, "f")), HasSubstr("aliases make too many copies"));
  EXPECT_THAT(only_problem(read_yaml("a: &x [*x]\n", "f")), HasSubstr("alias"));

  // Depth by way of aliases counts as well.
  std::string chain = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n";
  for (int i = 1; i < 9; ++i)
    chain +=
        "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[[[*a" + std::to_string(i - 1) + "]]]]]]]]]]\n";
  EXPECT_THAT(only_problem(read_yaml(chain, "f")), HasSubstr("nested deeper"));
}

TEST(JsonReader, TellsWhereEveryKeyAndValueIs) {
  const auto documents = read_json("{\"a\": -1,\n \"b\": [\"x\\\"y\", {\"c\": null}, 1.5e1, true]}\n", "f.json");
  ASSERT_THAT(documents.problems, IsEmpty());
  const auto& root = documents.values[0];
  EXPECT_EQ(root.find("a")->value.text, "-1");
  EXPECT_EQ(root.find("a")->value.column, 7);
  EXPECT_EQ(root.find("b")->line, 2);
  EXPECT_EQ(root.find("b")->column, 2);
  const auto& items = root.find("b")->value.items;
  ASSERT_THAT(items, SizeIs(4));
  EXPECT_EQ(items[0].text, "x\"y");
  EXPECT_EQ(items[0].column, 8);
  EXPECT_EQ(items[1].members[0].column, 17);
  EXPECT_EQ(items[1].members[0].value.type, Type::Null);
  EXPECT_EQ(items[2].type, Type::Float);
  EXPECT_EQ(items[2].column, 29);
  EXPECT_EQ(items[3].type, Type::Boolean);
}

TEST(JsonReader, RefusesWhatIsNotJson) {
  EXPECT_THAT(only_problem(read_json("{\"a\": 1,\n \"b\": }", "f.json")), HasSubstr("f.json:2:7: not valid JSON"));
  EXPECT_THAT(only_problem(read_json("", "f")), HasSubstr("not valid JSON"));
  EXPECT_THAT(only_problem(read_json("{} {}", "f")), HasSubstr("not valid JSON"));
  EXPECT_THAT(only_problem(read_json("{\"a\": \"\xff\"}", "f")), HasSubstr("not valid JSON"));
  EXPECT_EQ(only_problem(read_json("{\"a\": 1,\n\"a\": 2}", "f")),
            "f:2:1: the key \"a\" is here twice, first in line 1");
  EXPECT_THAT(only_problem(read_json(std::string(100'000, '['), "f")), HasSubstr("nested deeper than 64 levels"));
}

TEST(JsonTree, IsReadWithoutPlaces) {
  const auto documents = read_tree({{"a", {1, 18446744073709551615U, "x", false, nullptr, 1.5}}});
  const auto& items = documents.values[0].find("a")->value.items;
  EXPECT_EQ(items[1].text, "18446744073709551615");
  EXPECT_EQ(items[3].type, Type::Boolean);
  EXPECT_EQ(items[0].line, 0);
  nlohmann::json deep = 1;
  for (int i = 0; i < 100; ++i) deep = nlohmann::json::array({deep});
  EXPECT_THAT(only_problem(read_tree(deep)), HasSubstr("nested deeper"));
}

TEST(YamlPrinter, WritesWhatIsReadBackTheSame) {
  const std::vector<std::string> texts = {
      "",          "x",        "true", "yes",           "12",     "1.5",   "010",        "1e3",  "~",       "null",
      "a b",       "a: b",     "a:",   ": a",           "a #b",   "#a",    "- a",        "-a",   "65001:1", "*",
      "&x",        "10.0.0.1", "::",   "2001:db8::/32", "90s",    "1m30s", "12:30:45",   " a",   "a ",      "a\nb",
      "\t",        "\x01",     "\x7f", "a\"b",          "a\\b",   "é",     "{a}",        "[a]",  "a,b",     "!x",
      "%x",        "@x",       "`x",   "'x'",           "<<",     "=",     "2001-01-01", "0x1f", "0o17",    "1_000",
      ".inf",      ".nan",     "---",  "...",           "a\r\nb", "?",     "? a",        "|",    ">",       "a\u2028b",
      "\U0001F600"};
  for (const auto& text : texts) {
    const nlohmann::json json = {{"key", {text, {{text + "k", text}}}}, {"nested", {{"list", {{1, 2}, {3}}}}}};
    const auto documents = read_yaml(print_yaml(json), "f");
    ASSERT_THAT(documents.problems, IsEmpty()) << print_yaml(json);
    const auto& items = documents.values[0].find("key")->value.items;
    EXPECT_EQ(items[0].type, Type::Text) << print_yaml(json);
    EXPECT_EQ(items[0].text, text);
    EXPECT_EQ(items[1].members[0].key, text + "k");
    EXPECT_EQ(items[1].members[0].value.text, text);
    EXPECT_EQ(documents.values[0].members[1].value.members[0].value.items[0].items[1].text, "2");
  }
}

TEST(YamlPrinter, LooksLikeKubectl) {
  EXPECT_EQ(print_yaml({{"a", nlohmann::json::array()},
                        {"b", {{{"x", 1}, {"yy", {"z"}}}, "w"}},
                        {"c", nlohmann::json::object()},
                        {"d", {{"e", nullptr}}}}),
            "a: []\n"
            "b:\n"
            "- x: 1\n"
            "  yy:\n"
            "  - z\n"
            "- w\n"
            "c: {}\n"
            "d:\n"
            "  e: null\n");
}

}  // namespace
}  // namespace config
