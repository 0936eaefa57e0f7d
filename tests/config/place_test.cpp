// SPDX-License-Identifier: Apache-2.0
#include "config/place.hpp"

#include <gtest/gtest.h>

namespace config {
namespace {

std::vector<Source> sources() {
  return {{"a.yaml", read_yaml("kind: A\n"
                               "---\n"
                               "kind: List\n"
                               "items:\n"
                               "- kind: B\n"
                               "  spec:\n"
                               "    rules:\n"
                               "    - {name: x}\n"
                               "    - {name: y, tags: {app.io/z: 1}}\n"
                               "    empty:\n",
                               "a.yaml")
                         .values}};
}

std::string place(int line, int column, std::string_view field) {
  const auto found = place_of(sources(), {"a.yaml", line, column}, field);
  return std::to_string(found.line) + ":" + std::to_string(found.column);
}

TEST(Place, IsWhereTheFieldWasWritten) {
  EXPECT_EQ(place(5, 3, "spec.rules[1].name"), "9:14");
  EXPECT_EQ(place(5, 3, "spec.rules[1].tags[app.io/z]"), "9:34");
  EXPECT_EQ(place(5, 3, "spec.rules"), "8:5");
}

TEST(Place, IsAsDeepAsThePathLeads) {
  EXPECT_EQ(place(5, 3, "spec.rules[0].match.peers"), "8:7");
  EXPECT_EQ(place(5, 3, "spec.rules[7]"), "8:5");
  EXPECT_EQ(place(5, 3, "spec.rules[x]"), "8:5");
  EXPECT_EQ(place(5, 3, "spec.empty"), "7:5");
  EXPECT_EQ(place(5, 3, "metadata.name"), "5:3");
  EXPECT_EQ(place(5, 3, ""), "5:3");
}

TEST(Place, StaysThatOfTheObjectWhereThereIsNoText) {
  EXPECT_EQ(place(77, 1, "spec"), "77:1");
  EXPECT_EQ(place_of(sources(), {"b.yaml", 5, 3}, "spec").line, 5);
  EXPECT_EQ(place_of(sources(), {"", 0, 0}, "spec").line, 0);
}

}  // namespace
}  // namespace config
