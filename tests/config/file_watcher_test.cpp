// SPDX-License-Identifier: Apache-2.0
#include "config/source/file_watcher.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/config/folder.hpp"

namespace config {
namespace {

bool readable(const FileWatcher& watcher) {
  pollfd entry{watcher.descriptor(), POLLIN, 0};
  return poll(&entry, 1, 2000) == 1;
}

TEST(FileWatcher, IsQuietWhileNothingHappens) {
  const Folder folder;
  folder.write("a.yaml", "x");
  FileWatcher watcher{{folder.path()}};
  pollfd entry{watcher.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&entry, 1, 0), 0);
  EXPECT_FALSE(watcher.changed());
}

TEST(FileWatcher, NoticesWhatIsWrittenOnce) {
  const Folder folder;
  folder.write("a.yaml", "x");
  FileWatcher watcher{{folder.path("a.yaml")}};
  folder.write("a.yaml", "y");
  EXPECT_TRUE(readable(watcher));
  EXPECT_TRUE(watcher.changed());
  EXPECT_FALSE(watcher.changed());
}

TEST(FileWatcher, TakesTheSameContentsForNoNews) {
  const Folder folder;
  folder.write("a.yaml", "x");
  FileWatcher watcher{{folder.path()}};
  folder.write("a.yaml", "x");
  folder.write("a.yaml.swp", "editor");
  EXPECT_TRUE(readable(watcher));
  EXPECT_FALSE(watcher.changed());
}

TEST(FileWatcher, NoticesReplacedNewAndRemovedFiles) {
  const Folder folder;
  folder.write("a.yaml", "x");
  FileWatcher watcher{{folder.path()}};
  folder.write("tmp", "y");
  std::filesystem::rename(folder.path("tmp"), folder.path("a.yaml"));
  EXPECT_TRUE(readable(watcher));
  EXPECT_TRUE(watcher.changed());
  folder.write("b.yaml", "z");
  EXPECT_TRUE(readable(watcher));
  EXPECT_TRUE(watcher.changed());
  std::filesystem::remove(folder.path("b.yaml"));
  EXPECT_TRUE(readable(watcher));
  EXPECT_TRUE(watcher.changed());
}

TEST(FileWatcher, FollowsTheLinksOfAConfigMapVolume) {
  const Folder folder;
  folder.write("..1/a.yaml", "x");
  folder.write("..2/a.yaml", "y");
  std::filesystem::create_symlink("..1", folder.path("..data"));
  std::filesystem::create_symlink("..data/a.yaml", folder.path("a.yaml"));
  FileWatcher watcher{{folder.path("a.yaml")}};
  std::filesystem::create_symlink("..2", folder.path("..tmp"));
  std::filesystem::rename(folder.path("..tmp"), folder.path("..data"));
  EXPECT_TRUE(readable(watcher));
  EXPECT_TRUE(watcher.changed());
}

TEST(FileWatcher, NoticesAFileInAFolderThatCameLater) {
  const Folder folder;
  FileWatcher watcher{{folder.path("later/a.yaml")}};
  std::filesystem::create_directory(folder.path("later"));
  EXPECT_TRUE(readable(watcher));
  EXPECT_FALSE(watcher.changed());
  folder.write("later/a.yaml", "x");
  EXPECT_TRUE(readable(watcher));
  EXPECT_TRUE(watcher.changed());
}

}  // namespace
}  // namespace config
