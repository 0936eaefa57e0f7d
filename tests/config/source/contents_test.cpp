// SPDX-License-Identifier: Apache-2.0
#include "config/source/contents.hpp"

#include <cerrno>

#include <gmock/gmock.h>

#include "tests/config/folder.hpp"

namespace config {
namespace {

TEST(Contents, AreAllOctetsOfAFile) {
  Folder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 16, (std::size_t{1} << 16) + 1}) {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>(at * 7);
    folder.write("file", text);
    EXPECT_EQ(contents(folder.path("file")), text) << size;
  }
}

TEST(Contents, AreNothingWhereNoneCanBeRead) {
  Folder folder;
  errno = 0;
  EXPECT_EQ(contents(folder.path("missing")), std::nullopt);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(contents(folder.path()), std::nullopt);
  EXPECT_EQ(errno, EISDIR);
}

}  // namespace
}  // namespace config
