// SPDX-License-Identifier: Apache-2.0
// docs/reference/resources.md and the schema that the API shows (`kubectl explain`) name the same fields.
#include "tests/reference.hpp"

#include <gtest/gtest.h>

#include "controller/api/schema_fields.hpp"

namespace controller {
namespace {

TEST(Schema, NamesTheFieldsOfTheReference) {
  const auto page = reference::read(HERALD_SOURCE_DIR "/docs/reference/resources.md");
  for (const auto& kind : config::all_kinds()) {
    if (kind.api_version != "herald.dev/v1") continue;
    std::set<std::string> schema;
    for (const auto& field : herald_fields(kind.kind)) schema.insert(std::string{field.path});
    ASSERT_TRUE(page.contains(std::string{kind.name})) << kind.name;
    EXPECT_EQ(reference::without_parents(schema),
              reference::without_parents(reference::paths(page.at(std::string{kind.name}))))
        << kind.name;
  }
}

TEST(Schema, SaysOfEveryFieldWhatItMeans) {
  for (const auto& kind : config::all_kinds())
    for (const auto& field : fields_of(kind.kind)) EXPECT_FALSE(field.description.empty()) << kind.name << field.path;
}

}  // namespace
}  // namespace controller
