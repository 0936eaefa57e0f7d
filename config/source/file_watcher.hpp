// SPDX-License-Identifier: Apache-2.0
// Tells when files of resources may have changed, by inotify. It knows contents, not meaning: saving a file
// with nothing changed, or an editor's temporary files, are no news.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace config {

class FileWatcher {
 public:
  // Make it before the first load, so that no change falls between the two.
  // Throws std::system_error when the kernel gives no inotify instance.
  explicit FileWatcher(std::vector<std::string> paths);
  ~FileWatcher();
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;
  FileWatcher(FileWatcher&&) = delete;
  FileWatcher& operator=(FileWatcher&&) = delete;

  // Readable when something happened. Writers work in steps, so wait a moment (`settle_time`) before asking.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  static constexpr int settle_time_ms = 100;

  // True when the contents are others than at the last call (or at construction). Empties the descriptor.
  [[nodiscard]] bool changed();

 private:
  void watch_all();

  std::vector<std::string> paths_;
  int descriptor_ = -1;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace config
