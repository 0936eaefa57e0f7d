// SPDX-License-Identifier: Apache-2.0
#include "config/source/files.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/config/folder.hpp"

namespace config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

constexpr const char* node_yaml = "apiVersion: v1\nkind: Node\nmetadata: {name: r1}\n";

TEST(LoadFromFiles, ReadsFilesAndFoldersInOrder) {
  const Folder folder;
  folder.write("b/20.yml", node_yaml);
  folder.write("b/10.yaml", node_yaml);
  folder.write("b/30.json", "{}");
  folder.write("b/notes.txt", "not a resource");
  folder.write("b/.hidden.yaml", "neither");
  folder.write("a.conf", node_yaml);
  const auto list = list_files({folder.path("b"), folder.path("a.conf")});
  EXPECT_THAT(list.files, ElementsAre(folder.path("b/10.yaml"), folder.path("b/20.yml"), folder.path("b/30.json"),
                                      folder.path("a.conf")));
}

TEST(LoadFromFiles, MissingFileMakesTheSetUnreadable) {
  const Folder folder;
  const auto loaded = load({folder.path("nowhere.yaml")});
  EXPECT_FALSE(loaded.readable);
  ASSERT_THAT(loaded.problems, SizeIs(1));
  EXPECT_THAT(print(loaded.problems[0]), HasSubstr("nowhere.yaml: cannot be read: No such file or directory"));
}

TEST(LoadFromFiles, BrokenSyntaxMakesTheSetUnreadableButABadObjectDoesNot) {
  const Folder folder;
  folder.write("good.yaml", node_yaml);
  folder.write("bad.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: R2}\n");
  auto loaded = load({folder.path()});
  EXPECT_TRUE(loaded.readable);
  EXPECT_THAT(loaded.resources.nodes, ElementsAre(Key("r1")));
  EXPECT_THAT(loaded.set_aside, ElementsAre(Key("Node/R2")));

  folder.write("worse.yaml", "a: [\n");
  loaded = load({folder.path()});
  EXPECT_FALSE(loaded.readable);
}

TEST(LoadFromFiles, SameNameInTwoFilesIsAProblemThatNamesBoth) {
  const Folder folder;
  folder.write("a.yaml", node_yaml);
  folder.write("b.yaml", node_yaml);
  const auto loaded = load({folder.path()});
  ASSERT_THAT(loaded.problems, SizeIs(1));
  EXPECT_EQ(print(loaded.problems[0]), folder.path("b.yaml") + ":1:1: Node/r1: is here twice; the first, " +
                                           folder.path("a.yaml") + ":1:1, is used");
  EXPECT_THAT(loaded.resources.nodes, SizeIs(1));
}

TEST(Check, ReturnsTheExitCode) {
  const Folder folder;
  folder.write("a.yaml", node_yaml);
  std::ostringstream out;
  EXPECT_EQ(check({folder.path()}, "", out), 0);
  EXPECT_EQ(out.str(), "");
  folder.write("b.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: R2}\n");
  EXPECT_EQ(check({folder.path()}, "", out), 2);
  EXPECT_THAT(out.str(), HasSubstr("b.yaml:3:18: Node/R2 metadata.name: must be"));
}

// Everything MetalLB ships as an example is read as it is, or refused with the field or kind named.
TEST(MetalLbSamples, AreReadOrRefusedByName) {
  const std::filesystem::path samples = std::filesystem::path{HERALD_TEST_DATA} / "metallb/samples";
  if (std::string_view{HERALD_TEST_DATA}.empty() || !std::filesystem::is_directory(samples))
    GTEST_SKIP() << "no test data";
  std::size_t objects = 0;
  std::vector<std::string> refused;
  for (const auto& file : list_files({samples.string()}).files) {
    const auto loaded = load({file});
    EXPECT_TRUE(loaded.readable) << file;
    objects += loaded.resources.pools.size() + loaded.resources.peers.size() + loaded.resources.services.size() +
               loaded.resources.bgp_advertisements.size() + loaded.resources.l2_advertisements.size() +
               loaded.resources.communities.size() + loaded.resources.bfd_profiles.size();
    for (const auto& [name, reasons] : loaded.set_aside)
      for (const auto& reason : reasons) refused.push_back(name + " " + reason);
  }
  EXPECT_EQ(objects, 19U);
  EXPECT_THAT(refused, ElementsAre(HasSubstr("Deployment/nginx kind: Herald does not read Deployment of apps/v1")));
}

}  // namespace
}  // namespace config
