// SPDX-License-Identifier: Apache-2.0
// docs/reference/resources.md says of every kind what the reader does: its fields, their defaults and bounds.
#include "tests/reference.hpp"

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/fields.hpp"
#include "config/object.hpp"

namespace config {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;

const reference::Fields& page() {
  static const auto fields = reference::read(HERALD_SOURCE_DIR "/docs/reference/resources.md");
  return fields;
}

const std::vector<reference::Field>& table_of(const KindInfo& kind) {
  static const std::vector<reference::Field> none;
  const auto found = page().find(std::string{kind.name});
  return found == page().end() ? none : found->second;
}

bool is_ours(const KindInfo& kind) {
  return kind.api_version == "herald.dev/v1";
}

// The smallest object of each kind in which every mapping of the page is there.
json smallest(const KindInfo& kind) {
  json out = {{"apiVersion", kind.api_version}, {"kind", kind.name}, {"metadata", {{"name", "default"}}}};
  if (kind.kind == Kind::IPAddressPool)
    out["spec"] = {{"addresses", {"192.0.2.0/24"}}, {"serviceAllocation", json::object()}};
  if (kind.kind == Kind::Community) out["spec"] = json::object();
  if (kind.kind == Kind::BGPPeer)
    out["spec"] = {{"peerAddress", "192.0.2.1"}, {"peerASN", 65001}, {"holdTime", "65535s"}};
  if (kind.kind == Kind::BGPFilter)
    out["spec"]["rules"] = {{{"action", "accept"}, {"match", json::object()}, {"set", json::object()}}};
  if (kind.kind == Kind::BFDProfile)
    out["spec"]["authentication"] = {{"type", "keyed-sha1"}, {"secret", {{"name", "key"}}}};
  if (kind.kind == Kind::L2Advertisement)
    out["spec"]["preferredNodeSelectors"] = {{{"weight", 1}, {"preference", json::object()}}};
  if (kind.kind == Kind::SpeakerState) out["spec"]["interfaces"] = {{{"name", "eth0"}}};
  if (kind.kind == Kind::Service) {
    out["spec"]["ports"] = {{{"port", 80}}};
    out["status"]["conditions"] = {{{"type", "A"}, {"status", "True"}}};
  }
  if (kind.kind == Kind::Node) out["status"]["conditions"] = {{{"type", "A"}, {"status", "True"}}};
  return out;
}

// The place of "spec.rules[].set.med" in an object: the first entry of every list.
json::json_pointer place(const std::string& path) {
  std::string out = "/";
  for (const char c : path) {
    if (c == '.' || c == '[')
      out += '/';
    else if (c == ']')
      out += '0';
    else
      out += c;
  }
  return json::json_pointer{out};
}

std::string numbered(std::string path) {
  for (auto at = path.find("[]"); at != std::string::npos; at = path.find("[]", at)) path.insert(at + 1, "0");
  return path;
}

class Reference : public ::testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static const KindInfo& kind_under_test() { return *find_kind_by_word(GetParam()); }
};

TEST_P(Reference, NamesTheFieldsThatTheReaderKnows) {
  const auto& kind = kind_under_test();
  std::set<std::string> known;
  std::set<std::string> of_metadata;
  for (const auto& field : known_fields(kind.api_version, kind.name))
    (field.starts_with("metadata") ? of_metadata : known).insert(field);
  std::set<std::string> written;
  for (const auto& field : table_of(kind))
    if (!is_ours(kind) || !field.path.starts_with("status")) written.insert(field.path);
  EXPECT_EQ(reference::without_parents(written), reference::without_parents(known));
  EXPECT_EQ(reference::without_parents(reference::paths(page().at("Objects"))),
            reference::without_parents(of_metadata));
}

TEST_P(Reference, NamesTheDefaults) {
  const auto& kind = kind_under_test();
  if (kind.kind == Kind::SpeakerState) return;  // the page says nothing of what people do not write
  const auto read = read_object(smallest(kind));
  ASSERT_THAT(read.problems, IsEmpty());
  const auto canonical = print(read.objects.at(0));
  for (const auto& field : table_of(kind)) {
    const bool literal =
        field.fallback == "true" || field.fallback == "false" ||
        (!field.fallback.empty() && field.fallback.find_first_not_of("0123456789s") == std::string::npos);
    if (!literal || field.path == "spec.holdTime" || !canonical.contains(place(field.path))) continue;
    const auto& value = canonical.at(place(field.path));
    EXPECT_EQ(value.is_string() ? value.get<std::string>() : value.dump(), field.fallback) << field.path;
  }
}

// "1 to 32, …" of a number: what is beside is refused, and named; what is inside is not.
TEST_P(Reference, NamesTheBoundsOfNumbers) {
  const auto& kind = kind_under_test();
  for (const auto& field : table_of(kind)) {
    if (field.type != "number") continue;
    const auto to = field.allowed.find(" to ");
    if (to == std::string::npos || field.allowed.find_first_not_of("0123456789") != to) continue;
    const auto least = std::stoll(field.allowed);
    const auto most = std::stoll(field.allowed.substr(to + 4));
    const auto problems = [&](std::int64_t number) {
      auto object = smallest(kind);
      object[place(field.path)] = number;
      return read_object(object).problems;
    };
    const auto named = Contains(Field("field", &Problem::field, numbered(field.path)));
    EXPECT_THAT(problems(least - 1), named) << field.path;
    EXPECT_THAT(problems(most + 1), named) << field.path;
    if (field.path == "spec.kernel.protocol") continue;  // has holes
    EXPECT_THAT(problems(least), Not(named)) << field.path;
    EXPECT_THAT(problems(most), Not(named)) << field.path;
  }
}

TEST_P(Reference, SaysOfEveryFieldWhatItMeans) {
  for (const auto& field : table_of(kind_under_test())) {
    EXPECT_FALSE(field.type.empty()) << field.path;
    EXPECT_FALSE(field.meaning.empty()) << field.path;
    EXPECT_THAT(field.change, ::testing::AnyOf("", "live", "re-open")) << field.path;
  }
}

std::vector<std::string> readable_kinds() {
  std::vector<std::string> out;
  for (const auto& kind : all_kinds())
    if (kind.kind != Kind::Event) out.emplace_back(kind.name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Reference, ::testing::ValuesIn(readable_kinds()),
                         [](const auto& kind) { return kind.param; });

TEST(KnownFields, AreEmptyForWhatIsNotRead) {
  EXPECT_THAT(known_fields("apps/v1", "Deployment"), IsEmpty());
}

TEST(KnownFields, OfADialectAreItsOwn) {
  EXPECT_THAT(known_fields("metallb.io/v1beta2", "BGPPeer"), Contains("spec.dualStackAddressFamily"));
  EXPECT_THAT(known_fields("herald.dev/v1", "BGPPeer"), Not(Contains("spec.dualStackAddressFamily")));
}

TEST(KnownFields, AreProposedWhereOneStandsInTheWrongPlace) {
  const auto read = read_object({{"apiVersion", "herald.dev/v1"},
                                 {"kind", "BGPConfiguration"},
                                 {"metadata", {{"name", "default"}}},
                                 {"spec", {{"table", 100}}}});
  ASSERT_EQ(read.problems.size(), 1U);
  EXPECT_EQ(read.problems[0].message, "is not a field that Herald knows here; there is spec.kernel.table");
}

}  // namespace
}  // namespace config
