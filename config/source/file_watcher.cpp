// SPDX-License-Identifier: Apache-2.0
#include "config/source/file_watcher.hpp"

#include <array>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

#include "config/source/contents.hpp"
#include "config/source/files.hpp"

namespace config {
namespace {

namespace fs = std::filesystem;

// Names and contents of all files behind the paths. A file that cannot be read counts as one that is empty.
std::uint64_t fingerprint(const std::vector<std::string>& paths) {
  std::string all;
  for (const auto& file : list_files(paths).files) {
    const auto text = contents(file).value_or("");
    all.append(file).append(1, '\0').append(std::to_string(text.size())).append(1, '\0').append(text);
  }
  return std::hash<std::string>{}(all);
}

fs::path nearest_existing(fs::path folder) {
  std::error_code error;
  while (!fs::is_directory(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

}  // namespace

FileWatcher::FileWatcher(std::vector<std::string> paths)
    : paths_{std::move(paths)}, descriptor_{inotify_init1(IN_NONBLOCK | IN_CLOEXEC)} {
  if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "inotify"};
  watch_all();
  fingerprint_ = fingerprint(paths_);
}

FileWatcher::~FileWatcher() {
  close(descriptor_);
}

bool FileWatcher::changed() {
  std::array<char, 4096> events{};
  while (read(descriptor_, events.data(), events.size()) > 0) {
  }
  // Folders may have come, gone, or been replaced; watching one twice is no harm.
  watch_all();
  const auto now = fingerprint(paths_);
  return std::exchange(fingerprint_, now) != now;
}

// Folders are watched, not files: editors and ConfigMap volumes put a new file in the place of the old one.
void FileWatcher::watch_all() {
  constexpr std::uint32_t mask =
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF;
  const auto watch = [&](const fs::path& folder) {
    inotify_add_watch(descriptor_, nearest_existing(folder).c_str(), mask);
  };
  for (const auto& path : paths_) {
    std::error_code error;
    const auto absolute = fs::absolute(path, error);
    if (fs::is_directory(absolute, error))
      watch(absolute);
    else
      watch(absolute.parent_path());
    // What links lead to may be written in place.
    for (const auto& file : list_files({path}).files)
      if (const auto target = fs::canonical(file, error); !error) watch(target.parent_path());
  }
}

}  // namespace config
