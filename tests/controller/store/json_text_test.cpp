// SPDX-License-Identifier: Apache-2.0
#include "controller/store/json_text.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace controller {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::Optional;

// A document from a seed: everything that JSON has, names and texts with escapes among it.
class Documents {
 public:
  explicit Documents(unsigned seed) : random_{seed} {}
  json object(int depth) {
    auto out = json::object();
    for (auto left = pick(5); left > 0; --left) out[text()] = value(depth - 1);
    return out;
  }

 private:
  json value(int depth) {
    switch (pick(depth > 0 ? 9 : 6)) {
      case 0:
        return nullptr;
      case 1:
        return pick(2) == 0;
      case 2:
        return static_cast<std::int64_t>(pick(2000)) - 1000;
      case 3:
        return static_cast<double>(pick(100)) / 8 * 1e20;
      case 6: {
        auto out = json::array();
        for (auto left = pick(4); left > 0; --left) out.push_back(value(depth - 1));
        return out;
      }
      case 7:
      case 8:
        return object(depth);
      default:
        return text();
    }
  }
  std::string text() {
    static const std::vector<std::string> texts{"a",  "b",  "name", "\"",           "\\", "x\ny",
                                                "{}", "],", "é",    "herald.dev/a", ""};
    return texts.at(pick(texts.size()));
  }
  std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(random_); }
  std::mt19937 random_;
};

TEST(JsonMembers, OfAnObjectAreTheSlicesOfItsText) {
  const auto members = JsonMembers::of(R"({"a":{"x":[1,{"]":"}"}]},"b":"\"quoted\"","c":-1.5e3,"d":null})");
  ASSERT_TRUE(members);
  EXPECT_EQ(members->find("a"), R"({"x":[1,{"]":"}"}]})");
  EXPECT_EQ(members->find("b"), R"("\"quoted\"")");
  EXPECT_EQ(members->find("c"), "-1.5e3");
  EXPECT_EQ(members->find("d"), "null");
  EXPECT_EQ(members->find("e"), "");
}

TEST(JsonMembers, ArePutInOrderWhereSomebodyElseWroteThem) {
  const auto members = JsonMembers::of(" { \"b\" : 1 , \"a\" : [ 2 ] , \"b\" : 3 } ");
  EXPECT_FALSE(members) << "it begins with a space";
  const auto spaced = JsonMembers::of("{ \"b\" : 1 , \"a\" : [ 2 ] , \"b\" : 3 } ");
  ASSERT_TRUE(spaced);
  EXPECT_EQ(spaced->text(), R"({"a":[ 2 ],"b":3})");
}

TEST(JsonMembers, AreNotOfWhatIsNoObject) {
  for (const auto* text : {"", "null", "[]", "3", "\"{}\"", "{", "}", "{}x", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
                           "{\"a\":1 \"b\":2}", "{\"a\":[1}", "{a:1}", "{\"a", "{\"a\":\"\\\"}", "{,}", "{}{}"})
    EXPECT_FALSE(JsonMembers::of(text)) << text;
}

TEST(JsonMembers, OfEveryDocumentMakeItsTextAgain) {
  Documents documents{1};
  for (int i = 0; i < 2000; ++i) {
    const auto text = compact(documents.object(4));
    const auto members = JsonMembers::of(text);
    ASSERT_TRUE(members) << text;
    EXPECT_EQ(json::parse(members->text()), json::parse(text));
  }
}

// The text that comes out is that of the tree that comes out.
TEST(JsonMembers, MergePatchesAsTheTreeDoes) {
  Documents documents{2};
  for (int i = 0; i < 5000; ++i) {
    const auto target = documents.object(4);
    const auto patch = documents.object(4);
    auto wanted = target;
    wanted.merge_patch(patch);
    const auto target_text = compact(target);
    const auto patch_text = compact(patch);
    auto members = *JsonMembers::of(target_text);
    const auto patch_members = *JsonMembers::of(patch_text);
    auto changed = false;
    for (const auto& [name, value] : patch_members) changed = members.merge(name, value) || changed;
    EXPECT_EQ(json::parse(members.text()), wanted) << target_text << " with " << patch_text;
    EXPECT_EQ(changed, wanted != target) << target_text << " with " << patch_text;
  }
}

TEST(JsonMembers, AreReadToNoHarmHoweverTheyAreCut) {
  Documents documents{3};
  for (int i = 0; i < 200; ++i) {
    const auto text = compact(documents.object(4));
    for (std::size_t length = 0; length < text.size(); ++length) {
      EXPECT_FALSE(JsonMembers::of(std::string_view{text}.substr(0, length))) << text.substr(0, length);
    }
  }
}

TEST(JsonCursor, ReadsWhatItIsAskedForAndSkipsTheRest) {
  JsonCursor in{R"({"list":["x",7,{"y":[]},"z"],"number":42,"text":"caf\u00e9 \"x\"","wrong":-1})"};
  std::vector<std::string> list;
  std::string text;
  std::optional<std::uint64_t> number, wrong{1};
  in.members([&](std::string_view name) {
    if (name == "list") in.elements([&] { list.push_back(in.string()); });
    if (name == "number") number = in.number();
    if (name == "text") text = in.string();
    if (name == "wrong") wrong = in.number();
  });
  EXPECT_TRUE(in.consumed());
  EXPECT_THAT(list, ElementsAre("x", "", "", "z"));
  EXPECT_THAT(number, Optional(42));
  EXPECT_EQ(wrong, std::nullopt);
  EXPECT_EQ(text, "café \"x\"");
}

TEST(JsonCursor, FindsNoMembersInAnythingElse) {
  for (const auto* text : {"[1,2]", "\"{}\"", "3", "null", ""}) {
    JsonCursor in{text};
    in.members([&](std::string_view name) { ADD_FAILURE() << name; });
    EXPECT_EQ(in.ok(), *text != '\0') << text;
  }
}

TEST(JsonCursor, StopsAtTheFirstError) {
  JsonCursor in{"[1,2,}3]"};
  int seen = 0;
  in.elements([&] {
    ++seen;
    static_cast<void>(in.value());
  });
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(in.value(), "");
}

TEST(JsonWriter, WritesWhatTheTreeWouldWrite) {
  JsonWriter out;
  out.object().member("a", "plain").name("b").array().string("\"\\\n").raw("1").object().end_object().end_array();
  out.name("c").object().member("x", "é").end_object().end_object();
  const auto text = out.take();
  const json tree{{"a", "plain"}, {"b", {"\"\\\n", 1, json::object()}}, {"c", {{"x", "é"}}}};
  EXPECT_EQ(text, compact(tree));
  EXPECT_EQ(JsonWriter{}.string("\xff").take(), "\"\xef\xbf\xbd\"") << "what is not UTF-8 is replaced";
}

}  // namespace
}  // namespace controller
